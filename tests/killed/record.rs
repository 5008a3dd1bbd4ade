//! What everybody around the node has seen: who sent what, what the node answered, what came to whom.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use chrono::{DateTime, Utc};
use shs_schemas::mime::Limits;
use shs_schemas::shs::label::SequenceType;
use shs_schemas::shs::management::Outcome;
use shs_schemas::shs::{Management, Message};
use tokio::sync::Notify;
use tokio::time::Instant;

/// What was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A question to every authority.
    Question,
    /// A connection test, which the node answers itself.
    Ping,
    /// A message to another actor.
    Letter,
    /// One that the agreements give several receivers.
    Circular,
    /// A message that no agreement permits: its end is an error.
    Unagreed,
}

impl Kind {
    pub const ALL: [Self; 5] = [
        Self::Question,
        Self::Ping,
        Self::Letter,
        Self::Circular,
        Self::Unagreed,
    ];

    /// Whether the node answers it with a reply.
    pub fn is_answered(self) -> bool {
        matches!(self, Self::Question | Self::Ping)
    }
}

/// What the node said when a message was posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// 202: it has promised.
    Taken { duplicate: bool },
    /// Another status.
    Refused(u16),
    /// The connection broke before the answer: it may have been taken.
    Nothing,
    /// There was no connection: it cannot have been taken.
    Unreachable,
}

/// A message was posted once.
#[derive(Clone, Copy, Debug)]
pub struct Posting {
    pub life: u32,
    pub began: Duration,
    pub said: Said,
}

impl Posting {
    /// The node may have taken it.
    pub fn may_count(&self) -> bool {
        matches!(self.said, Said::Taken { duplicate: false } | Said::Nothing)
    }

    /// The node has taken it.
    pub fn counts(&self) -> bool {
        self.said == Said::Taken { duplicate: false }
    }
}

/// What came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    Reply,
    Error,
    Confirmation,
    /// The message itself, to its receiver.
    Letter,
}

/// A message that came to somebody.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Its own tx.id.
    pub tx_id: String,
    pub to: String,
    /// Organisation that it comes from.
    pub from: String,
    pub came: Came,
    /// Of an error: the tx.id that it names.
    pub about: Option<String>,
    /// When it was seen first.
    pub first: Duration,
    /// How often its receiver answered for it.
    pub taken: Vec<Taken>,
}

/// A receiver answered for a message: by an acknowledgement, or its node by success to a post.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// When it was asked: the acknowledgement left, or the post came.
    pub asked: Duration,
    /// When it was answered. None of an acknowledgement whose answer broke off: the node knows of it, or
    /// does not.
    pub answered: Option<Duration>,
}

/// A message and all that came of it.
#[derive(Clone, Debug)]
pub struct Sent {
    pub kind: Kind,
    pub message: Message,
    /// Addresses of those that it shall reach; none for what the node answers.
    pub receivers: Vec<String>,
    pub postings: Vec<Posting>,
    pub arrivals: Vec<Arrival>,
}

impl Sent {
    pub fn new(kind: Kind, message: Message, receivers: Vec<String>) -> Self {
        Self {
            kind,
            message,
            receivers,
            postings: Vec::new(),
            arrivals: Vec::new(),
        }
    }

    pub fn from(&self) -> String {
        self.message.label.from.as_ref().unwrap().address.bare()
    }

    /// Whether the ledger has its tx.id in plain text.
    pub fn has_plain_id(&self) -> bool {
        uuid::Uuid::try_parse(self.message.label.tx_id.as_str()).is_ok()
    }

    /// When the node took it last.
    pub fn accepted(&self) -> Option<&Posting> {
        self.postings.iter().rev().find(|posting| posting.counts())
    }

    /// How often the node may have taken it.
    pub fn acceptances(&self) -> usize {
        let postings = self.postings.iter();
        postings.filter(|posting| posting.may_count()).count()
    }

    pub fn came(&self, came: Came) -> impl Iterator<Item = &Arrival> {
        self.arrivals
            .iter()
            .filter(move |arrival| arrival.came == came)
    }

    /// What came of it to whom it was for.
    pub fn served(&self) -> impl Iterator<Item = &Arrival> {
        let served = |arrival: &&Arrival| matches!(arrival.came, Came::Reply | Came::Letter);
        self.arrivals.iter().filter(served)
    }

    /// Whether it came to its end not before this: its sender has the reply or an error, or its receivers
    /// have it.
    pub fn has_end_since(&self, since: Duration) -> bool {
        let told = self.came(Came::Error).any(|error| error.first >= since);
        told || self.is_served_since(since)
    }

    /// Whether its sender has the reply, or each of its receivers has it.
    pub fn is_served_since(&self, since: Duration) -> bool {
        if self.kind.is_answered() {
            return self.came(Came::Reply).any(|reply| reply.first >= since);
        }
        // The same message sent again comes under the same tx.id.
        let has = |receiver: &String| {
            let letters = self.came(Came::Letter);
            let mut taken = letters
                .filter(|letter| letter.to == *receiver)
                .flat_map(|letter| &letter.taken);
            taken.any(|taken| taken.asked >= since)
        };
        !self.receivers.is_empty() && self.receivers.iter().all(has)
    }
}

/// A moment to die in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A message is being posted.
    Posted,
    /// The node has answered 202.
    Accepted,
    /// The node has handed a message over to who fetched it.
    Fetched,
    /// The node has answered an acknowledgement.
    Acknowledged,
    /// Another node has answered a post of this one.
    Pushed,
}

impl Moment {
    pub const ALL: [Self; 5] = [
        Self::Posted,
        Self::Accepted,
        Self::Fetched,
        Self::Acknowledged,
        Self::Pushed,
    ];
}

/// All of it.
#[derive(Debug)]
pub struct Record {
    begun: Instant,
    /// The same on the clock that the ledger goes by.
    begun_utc: DateTime<Utc>,
    /// By corr.id, which every message here has for itself.
    sent: Mutex<BTreeMap<String, Sent>>,
    /// What should never be seen.
    oddities: Mutex<Vec<String>>,
    moments: [Notify; Moment::ALL.len()],
}

impl Record {
    pub fn new() -> Self {
        Self {
            begun: Instant::now(),
            begun_utc: Utc::now(),
            sent: Mutex::default(),
            oddities: Mutex::default(),
            moments: std::array::from_fn(|_| Notify::new()),
        }
    }

    /// Time since the beginning.
    pub fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    /// A time of the ledger as time since the beginning.
    pub fn since_beginning(&self, time: DateTime<Utc>) -> Duration {
        (time - self.begun_utc).to_std().unwrap_or_default()
    }

    pub fn sent(&self) -> MutexGuard<'_, BTreeMap<String, Sent>> {
        self.sent.lock().unwrap()
    }

    pub fn odd(&self, what: String) {
        self.oddities.lock().unwrap().push(what);
    }

    pub fn oddities(&self) -> Vec<String> {
        self.oddities.lock().unwrap().clone()
    }

    /// The next such moment.
    pub async fn next(&self, moment: Moment) {
        self.moments[moment as usize].notified().await;
    }

    fn happens(&self, moment: Moment) {
        self.moments[moment as usize].notify_waiters();
    }

    /// A message is about to be posted for the first time: it may come to somebody before its answer does.
    pub fn begins(&self, corr_id: &str, sent: Sent) {
        self.sent().insert(corr_id.to_owned(), sent);
    }

    /// A message is posted now.
    pub fn posts(&self) -> Duration {
        self.happens(Moment::Posted);
        self.now()
    }

    /// What the node said to it.
    pub fn posted(&self, corr_id: &str, posting: Posting) {
        if let Some(sent) = self.sent().get_mut(corr_id) {
            sent.postings.push(posting);
        }
        if posting.counts() {
            self.happens(Moment::Accepted);
        }
    }

    /// A message came to somebody.
    pub fn arrived(&self, message: &Message, to: &str) {
        let first = self.now();
        let label = &message.label;
        let tx_id = label.tx_id.to_string();
        let (came, corr_id, about) = match read(message) {
            Ok(read) => read,
            Err(why) => return self.odd(format!("{tx_id} came to {to}: {why}")),
        };
        let mut all = self.sent();
        let Some(sent) = all.get_mut(&corr_id) else {
            drop(all);
            return self.odd(format!(
                "{came:?} {tx_id} came to {to} about what nobody sent"
            ));
        };
        let known = |arrival: &&mut Arrival| arrival.tx_id == tx_id && arrival.to == to;
        if sent.arrivals.iter_mut().find(known).is_none() {
            sent.arrivals.push(Arrival {
                tx_id,
                to: to.to_owned(),
                from: label.from.as_ref().map_or_else(String::new, |from| {
                    from.address.organisation().as_str().to_owned()
                }),
                came,
                about,
                first,
                taken: Vec::new(),
            });
        }
        drop(all);
        self.happens(Moment::Fetched);
    }

    /// Its receiver has answered for it, so that the node may forget it.
    pub fn taken(&self, message: &Message, to: &str, asked: Duration, moment: Moment) {
        let answered = Some(self.now());
        self.take(message, to, Taken { asked, answered });
        self.happens(moment);
    }

    /// The same, and nobody knows whether the node heard it.
    pub fn perhaps_taken(&self, message: &Message, to: &str, asked: Duration) {
        let answered = None;
        self.take(message, to, Taken { asked, answered });
    }

    fn take(&self, message: &Message, to: &str, taken: Taken) {
        if let Ok((_, corr_id, _)) = read(message)
            && let Some(sent) = self.sent().get_mut(&corr_id)
        {
            let tx_id = message.label.tx_id.as_str();
            let mut arrivals = sent.arrivals.iter_mut();
            let arrival = arrivals.find(|arrival| arrival.tx_id == tx_id && arrival.to == to);
            if let Some(arrival) = arrival {
                arrival.taken.push(taken);
            }
        }
    }

    /// Messages that were accepted and have not come to their end.
    pub fn open(&self) -> usize {
        let open = |sent: &&Sent| {
            let accepted = sent.accepted();
            accepted.is_some_and(|posting| !sent.has_end_since(posting.began))
        };
        self.sent().values().filter(open).count()
    }

    /// Everything that has come until now.
    pub fn arrivals(&self) -> usize {
        let sent = self.sent();
        sent.values().map(|sent| sent.arrivals.len()).sum()
    }
}

/// What a message is, the corr.id of what it is about, and the tx.id that an error names.
fn read(message: &Message) -> Result<(Came, String, Option<String>), &'static str> {
    let label = &message.label;
    let came = match label.sequence_type {
        SequenceType::Reply => Came::Reply,
        SequenceType::Event | SequenceType::Request => Came::Letter,
        SequenceType::Adm => {
            let document = Management::of(message, &Limits::default());
            let Some(Ok(document)) = document else {
                return Err("its management document cannot be read");
            };
            let corr_id = document.corr_id.to_string();
            let Outcome::Error { appinfo, .. } = document.outcome else {
                return Ok((Came::Confirmation, corr_id, None));
            };
            let about = appinfo.iter().find(|appinfo| appinfo.name == "txId");
            let Some(about) = about.map(|about| about.text.expose().clone()) else {
                return Err("an error that names no tx.id");
            };
            return Ok((Came::Error, corr_id, Some(about)));
        }
    };
    Ok((came, label.corr_id.to_string(), None))
}
