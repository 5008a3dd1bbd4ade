//! Nodes of other actors: receive services of this process, more or less well behaved.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use shs_schemas::mime::Limits;
use shs_schemas::shs::Message;
use shs_schemas::shs::label::SequenceType;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::draw::Draw;
use crate::next_node::receive;
use crate::record::{Moment, Record};

/// What a node does with a post, in percent; in all else it takes it at once.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// It is busy: 503.
    pub busy: u64,
    /// It takes the message after up to so many milliseconds.
    pub slow: u64,
    pub slow_ms: u64,
    /// It takes the message and hangs up: nobody is told.
    pub rude: u64,
    /// It refuses letters: 400.
    pub refuses: u64,
}

/// A node that is well.
pub const WELL: Manners = Manners {
    busy: 5,
    slow: 10,
    slow_ms: 200,
    rude: 4,
    refuses: 10,
};

/// A node that is not: there are nearly always posts under way to it.
pub const UNWELL: Manners = Manners {
    busy: 30,
    slow: 50,
    slow_ms: 700,
    rude: 8,
    refuses: 10,
};

/// One such node.
pub struct OtherNode {
    listener: TcpListener,
    manners: Manners,
}

enum Does {
    Takes(Duration),
    HangsUp,
    Says(&'static str),
}

impl OtherNode {
    pub async fn with(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener, manners }
    }

    /// Where it receives.
    pub fn url(&self) -> String {
        format!("http://{}/shs/rs", self.listener.local_addr().unwrap())
    }

    /// Receives until the test ends; behaves well from when it is told to.
    pub async fn run(self, record: Arc<Record>, draw: Draw, behave: CancellationToken) {
        let mut posts = 0;
        while let Ok((stream, _)) = self.listener.accept().await {
            posts += 1;
            let mut draw = draw.about(posts);
            let (record, behave, manners) = (Arc::clone(&record), behave.clone(), self.manners);
            tokio::spawn(async move { manners.serve(stream, &record, &mut draw, &behave).await });
        }
    }
}

impl Manners {
    async fn serve(
        self,
        mut stream: TcpStream,
        record: &Record,
        draw: &mut Draw,
        behave: &CancellationToken,
    ) {
        // A node that is killed may leave half a request.
        let Some(body) = receive(&mut stream).await else {
            return;
        };
        let asked = record.now();
        let Some(message) = read(body, record) else {
            return;
        };
        let to = message.label.to.as_ref().unwrap().address.bare();
        let does = if behave.is_cancelled() {
            Does::Takes(Duration::ZERO)
        } else {
            self.draw(&message, draw)
        };
        match does {
            Does::Says(status) => answer(&mut stream, status).await,
            Does::HangsUp => record.arrived(&message, &to),
            Does::Takes(after) => {
                behave.run_until_cancelled(tokio::time::sleep(after)).await;
                record.arrived(&message, &to);
                answer(&mut stream, "202 Accepted").await;
                record.taken(&message, &to, asked, Moment::Pushed);
            }
        }
    }

    fn draw(self, message: &Message, draw: &mut Draw) -> Does {
        let is_letter = message.label.sequence_type == SequenceType::Event;
        if is_letter && draw.percent(self.refuses) {
            return Does::Says("400 Bad Request");
        }
        let mut of_all = draw.below(100);
        let mut is_one_of = |share: u64| {
            let is_one = of_all < share;
            of_all = of_all.wrapping_sub(share);
            is_one
        };
        if is_one_of(self.busy) {
            Does::Says("503 Service Unavailable")
        } else if is_one_of(self.rude) {
            Does::HangsUp
        } else if is_one_of(self.slow) {
            Does::Takes(draw.ms(0, self.slow_ms))
        } else {
            Does::Takes(Duration::ZERO)
        }
    }
}

fn read(body: Bytes, record: &Record) -> Option<Message> {
    let read = Message::read(body, None, &Limits::default());
    if read.is_err() {
        record.odd("a node was posted what is no message".to_owned());
    }
    read.ok()
}

async fn answer(stream: &mut TcpStream, status: &str) {
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    // Whoever posted may be dead.
    let _ = stream.write_all(answer.as_bytes()).await;
}
