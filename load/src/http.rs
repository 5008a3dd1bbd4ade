//! The generator: asks the node over HTTP/1.1, one connection kept alive for each open request.
//!
//! It is written by hand so that it costs little: a request is one `write`, and of a response only
//! status and length are read. That length is the check of every reply: the reply to one question
//! has always the same length when all eight parties gave their data, and another when one of them
//! did not. Now and then a reply is read whole.

use std::net::SocketAddr;

use bytes::{Buf, Bytes, BytesMut};
use samsvar::client::answer::{self, Said};
use shs_schemas::shs::Message;
use shs_schemas::{mime, xml};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::measure::{Failed, Worker};
use crate::workload::PARTIES;

/// One reply in so many is read whole.
const READ_WHOLE_EVERY: u64 = 256;
/// Room for a response; more is made when it is needed.
const ROOM_BYTES: usize = 128 * 1024;
/// Longest head of a response.
const HEAD_BYTES_MAX: usize = 8 * 1024;

/// A request as it goes over the wire, and the places where its tx.id stands.
#[derive(Clone)]
pub(crate) struct Request {
    wire: Vec<u8>,
    ids: Vec<usize>,
}

impl Request {
    /// Wraps a message. Its tx.id, wherever it stands, is replaced by a fresh one each time.
    pub(crate) fn new(message: &[u8], tx_id: &str) -> Self {
        let head = format!(
            "POST /shs/rs HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: message/rfc822\r\n\
             content-length: {}\r\n\r\n",
            message.len()
        );
        let mut wire = head.into_bytes();
        wire.extend_from_slice(message);
        let ids = wire
            .windows(tx_id.len())
            .enumerate()
            .filter(|(_, window)| *window == tx_id.as_bytes())
            .map(|(at, _)| at)
            .collect();
        Self { wire, ids }
    }

    fn renew(&mut self) {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let id = Uuid::new_v4();
        let id = id.hyphenated().encode_lower(&mut text).as_bytes();
        for at in &self.ids {
            self.wire[*at..*at + id.len()].copy_from_slice(id);
        }
    }
}

/// One connection.
pub(crate) struct Connection {
    node: SocketAddr,
    stream: TcpStream,
    received: BytesMut,
    request: Request,
    /// Length of a complete reply, once it is known.
    reply_bytes: Option<usize>,
    asked: u64,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(crate) async fn open(
        node: SocketAddr,
        request: Request,
        reply_bytes: Option<usize>,
    ) -> Result<Self, Failed> {
        Ok(Self {
            node,
            stream: connect(node).await?,
            received: BytesMut::with_capacity(ROOM_BYTES),
            request,
            reply_bytes,
            asked: 0,
        })
    }

    /// Asks once and gives the body of the response, which must be a success.
    ///
    /// # Errors
    /// When the connection breaks, or the node refuses.
    pub(crate) async fn exchange(&mut self) -> Result<Bytes, Failed> {
        self.request.renew();
        self.stream.write_all(&self.request.wire).await?;
        let Head {
            bytes: head,
            body,
            closes,
        } = loop {
            if let Some(found) = read_head(&self.received)? {
                break found;
            }
            self.fill().await?;
        };
        while self.received.len() < head + body {
            self.fill().await?;
        }
        self.received.advance(head);
        if closes {
            // A node lets no connection grow old.
            self.stream = connect(self.node).await?;
        }
        Ok(self.received.split_to(body).freeze())
    }

    async fn fill(&mut self) -> Result<(), Failed> {
        self.received.reserve(ROOM_BYTES / 2);
        if self.stream.read_buf(&mut self.received).await? == 0 {
            return Err("the node closed a connection".into());
        }
        Ok(())
    }
}

async fn connect(node: SocketAddr) -> Result<TcpStream, Failed> {
    let stream = TcpStream::connect(node).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Worker for Connection {
    async fn ask(&mut self) -> Result<(), Failed> {
        let reply = self.exchange().await?;
        if self.reply_bytes.is_some_and(|bytes| bytes != reply.len()) || self.asked == 0 {
            check(reply)?;
        }
        self.asked = (self.asked + 1) % READ_WHOLE_EVERY;
        Ok(())
    }
}

/// What the head of a response says.
struct Head {
    /// Its own length.
    bytes: usize,
    /// Length of the body.
    body: usize,
    /// Whether the connection ends with this response.
    closes: bool,
}

/// Reads the head; nothing while it is incomplete.
fn read_head(received: &[u8]) -> Result<Option<Head>, Failed> {
    let looked_at = &received[..received.len().min(HEAD_BYTES_MAX)];
    let Some(end) = looked_at.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&received[..end])?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    if status != Some("200") {
        return Err(format!("the node refused: {head}").into());
    }
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
    let header = |wanted: &str| {
        let mut found = headers.iter();
        let found = found.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.trim())
    };
    let length = header("content-length").and_then(|length| length.parse().ok());
    Ok(Some(Head {
        bytes: end + 4,
        body: length.ok_or("a response without a length")?,
        closes: header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")),
    }))
}

/// Reads a reply whole: one person, and data from every party.
///
/// # Errors
/// When anything is missing.
pub(crate) fn check(reply: Bytes) -> Result<(), Failed> {
    let message = Message::read(reply, None, &mime::Limits::default())?;
    let [part] = message.parts.as_slice() else {
        return Err("a reply without its one part".into());
    };
    let answer = answer::read(part.data.expose(), &xml::Limits::default())?;
    let said = answer.per_party();
    for (ul, said) in &said {
        if !matches!(said, Said::Data(_)) {
            return Err(format!("an incomplete reply: {ul} gave no data but {said:?}").into());
        }
    }
    (said.len() == PARTIES)
        .then_some(())
        .ok_or_else(|| "an incomplete reply: parties are missing".into())
}
