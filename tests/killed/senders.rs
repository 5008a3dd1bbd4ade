//! Systems that send, without a pause for the node's deaths.

use std::sync::Arc;

use samsvar::client::Client;
use samsvar::client::sending::ExchangeError;
use shs_schemas::shs::Message;
use tokio_util::sync::CancellationToken;

use crate::draw::Draw;
use crate::letters;
use crate::lives::{Life, Lives};
use crate::record::{Came, Posting, Record, Said, Sent};

/// Messages of its own that a sender thinks of sending again.
const REMEMBERED_MAX: usize = 8;

/// In percent: messages whose identifiers are no UUIDs.
const ODD_IDS: u64 = 10;

/// What a sender sends, one of these at random.
#[derive(Clone, Copy, Debug)]
pub enum Sends {
    Question,
    Ping,
    /// To this address.
    Letter(&'static str),
    Circular,
    /// To this address.
    Unagreed(&'static str),
}

/// One sender.
pub struct Sender {
    /// Its address.
    pub from: &'static str,
    pub sends: &'static [Sends],
    /// Shortest and longest pause, in milliseconds.
    pub pause: (u64, u64),
    /// Most messages of it; some mailboxes are only emptied at the end.
    pub most: usize,
    /// In percent of its messages: it sends one again whose end it does not know, or knows to be an
    /// error.
    pub again: u64,
}

impl Sender {
    /// Sends until it is told to stop.
    pub async fn run(
        self,
        lives: Arc<Lives>,
        record: Arc<Record>,
        mut draw: Draw,
        stop: CancellationToken,
    ) {
        let client = Client::new().unwrap();
        let mut last: Vec<String> = Vec::new();
        for _ in 0..self.most {
            let (from, to) = self.pause;
            let pause = tokio::time::sleep(draw.ms(from, to));
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
            let Some(life) = stop.run_until_cancelled(lives.current()).await else {
                return;
            };
            let old = draw.percent(self.again).then(|| again(&record, &last));
            let (corr_id, message) = if let Some((corr_id, message)) = old.flatten() {
                (corr_id, message)
            } else {
                let mut sent = self.next(&mut draw);
                if draw.percent(ODD_IDS) {
                    sent = letters::under_odd_ids(sent);
                }
                let message = sent.message.clone();
                let corr_id = message.label.corr_id.to_string();
                record.begins(&corr_id, sent);
                last.push(corr_id.clone());
                if last.len() > REMEMBERED_MAX {
                    last.remove(0);
                }
                (corr_id, message)
            };
            post(&client, &life, &record, &corr_id, &message).await;
        }
    }

    fn next(&self, draw: &mut Draw) -> Sent {
        match *draw.pick(self.sends) {
            Sends::Question => letters::question(self.from),
            Sends::Ping => letters::ping(self.from),
            Sends::Letter(to) => letters::letter(self.from, to, draw),
            Sends::Circular => letters::circular(self.from),
            Sends::Unagreed(to) => letters::unagreed(self.from, to),
        }
    }
}

/// The oldest message of these that got no answer, or an error.
fn again(record: &Record, last: &[String]) -> Option<(String, Message)> {
    let all = record.sent();
    let mut last = last.iter().filter_map(|corr_id| all.get_key_value(corr_id));
    let is_worth_it = |sent: &Sent| {
        let unknown = sent.postings.last()?.said == Said::Nothing;
        Some(unknown || sent.came(Came::Error).next().is_some())
    };
    let found = last.find(|(_, sent)| is_worth_it(sent) == Some(true));
    found.map(|(corr_id, sent)| (corr_id.clone(), sent.message.clone()))
}

async fn post(client: &Client, life: &Life, record: &Record, corr_id: &str, message: &Message) {
    let began = record.posts();
    let said = match client.send(&life.receives, message.write()).await {
        Ok(answer) if answer.status == 202 => Said::Taken {
            duplicate: answer.header("x-shs-duplicatemsg") == Some("yes"),
        },
        Ok(answer) => Said::Refused(answer.status),
        Err(ExchangeError::Http(error)) if error.is_connect() => Said::Unreachable,
        Err(_) => Said::Nothing,
    };
    let posting = Posting {
        life: life.number,
        began,
        said,
    };
    record.posted(corr_id, posting);
}
