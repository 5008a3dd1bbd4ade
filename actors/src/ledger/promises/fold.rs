//! [`Fold`]: from lines to what was promised and not kept.
//!
//! A day may have millions of lines, most of them about synchronous questions. Which event a line has is
//! seen from its first bytes; only what can begin or end a promise is read as JSON.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use memchr::memmem;
use serde::Deserialize;
use shs_schemas::ids::{ContentId, CorrId, TxId};
use shs_schemas::shs::label::{SequenceType, Status, TransferType};
use shs_schemas::shs::{Adress, Produkt};
use uuid::Uuid;

use super::earlier::Line;
use super::{Owed, Standing};
use crate::ledger::event::What;
use crate::ledger::keys::{Month, MonthKey};

/// Bytes of a line in which the word of its event stands: number, hash and time come before it.
const HEAD_BYTES: usize = 200;

/// What stands before it.
const EVENT: &[u8] = br#","event":""#;

/// A line that begins a promise, or takes it up.
#[derive(Deserialize)]
struct Opening {
    time: DateTime<Utc>,
    request_id: Uuid,
    from: String,
    to: Option<String>,
    product: String,
    status: String,
    transfer_type: Option<String>,
    sequence_type: String,
    received: Option<DateTime<Utc>>,
    tx_id: Option<String>,
    corr_id: Option<String>,
    content_id: Option<String>,
    tx_id_dold: Option<String>,
    corr_id_dold: Option<String>,
    content_id_dold: Option<String>,
}

/// A line that may end one.
#[derive(Deserialize)]
struct Ending<'l> {
    request_id: Uuid,
    #[serde(borrow)]
    slag: Option<&'l str>,
    #[serde(borrow)]
    way: Option<&'l str>,
    #[serde(borrow)]
    reason: Option<&'l str>,
    copies: Option<u32>,
    torn_lines: Option<u64>,
}

/// A message between its receipt and its end.
struct Promise {
    /// As it is told; `None` when its tx.id cannot be shown.
    owed: Option<Owed>,
    received: DateTime<Utc>,
    /// A later life has taken it up: its sender may have been told.
    taken_up: bool,
    /// Ends that it takes: one for each copy.
    wanted: u32,
    /// Ends that it has.
    ended: u32,
    /// The later receipt of the same message, which counts instead while it was not refused.
    again: Option<Uuid>,
    /// The receipt before it.
    before: Option<Uuid>,
}

/// Reads lines in their order.
pub(super) struct Fold {
    keys: BTreeMap<Month, MonthKey>,
    promises_max: usize,
    promises: HashMap<Uuid, Promise>,
    /// The last receipt of a message that has not ended.
    by_tx_id: HashMap<(TxId, Adress), Uuid>,
    event: memmem::Finder<'static>,
    asynch: memmem::Finder<'static>,
    ej_kvitterat: memmem::Finder<'static>,
    beyond: u64,
    damaged: u64,
    /// The last line was torn.
    torn: bool,
    lines: u64,
}

impl Fold {
    pub(super) fn new(keys: BTreeMap<Month, MonthKey>, promises_max: usize) -> Self {
        Self {
            keys,
            promises_max,
            promises: HashMap::new(),
            by_tx_id: HashMap::new(),
            event: memmem::Finder::new(EVENT),
            asynch: memmem::Finder::new(br#""transfer_type":"asynch""#),
            ej_kvitterat: memmem::Finder::new(br#""reason":"ej_kvitterat""#),
            beyond: 0,
            damaged: 0,
            torn: false,
            lines: 0,
        }
    }

    /// Takes the next line.
    pub(super) fn take(&mut self, line: Line<'_>) {
        self.lines += 1;
        self.damaged += u64::from(std::mem::take(&mut self.torn));
        let read = match line {
            Line::Whole(line) | Line::Unended(line) => self.read(line),
            Line::Endless => None,
        };
        if read.is_none() {
            // The last line of all is no line when a crash tore it.
            self.torn = matches!(line, Line::Unended(_));
            self.damaged += u64::from(!self.torn);
        }
    }

    /// `None` for what is no line.
    fn read(&mut self, line: &[u8]) -> Option<()> {
        if !line.starts_with(b"{") || !line.ends_with(b"}") {
            return None;
        }
        let head = &line[..line.len().min(HEAD_BYTES)];
        let word = &line[self.event.find(head)? + EVENT.len()..];
        let word = &word[..memchr::memchr(b'"', word)?];
        match std::str::from_utf8(word).ok()? {
            What::MOTTAGET if self.asynch.find(line).is_some() => {
                self.received(&serde_json::from_slice(line).ok()?)
            }
            What::ATERUPPTAGET => self.resumed(&serde_json::from_slice(line).ok()?),
            What::GALLRAT if self.ej_kvitterat.find(line).is_none() => Some(()),
            word @ (What::LEVERERAT
            | What::KVITTERAT
            | What::GALLRAT
            | What::DELAT
            | What::AVBRUTET
            | What::LAGAT) => {
                let ending = serde_json::from_slice(line).ok()?;
                self.ending(word, &ending);
                Some(())
            }
            _ => Some(()),
        }
    }

    fn received(&mut self, line: &Opening) -> Option<()> {
        let asynch = line
            .transfer_type
            .as_deref()
            .and_then(TransferType::parse)?;
        let (promise, sequence_type) = self.promise(line, line.time)?;
        if asynch == TransferType::Asynch && sequence_type != SequenceType::Adm {
            self.open(line.request_id, promise, true);
        }
        Some(())
    }

    /// From here on it takes one end, whatever became of its copies: its sender is told about what it sent.
    fn resumed(&mut self, line: &Opening) -> Option<()> {
        let (mut promise, _) = self.promise(line, line.received?)?;
        promise.taken_up = true;
        if let Some(known) = self.promises.get_mut(&line.request_id) {
            promise.again = known.again;
            promise.before = known.before;
            *known = promise;
        } else {
            self.open(line.request_id, promise, false);
        }
        Some(())
    }

    fn promise(&self, line: &Opening, received: DateTime<Utc>) -> Option<(Promise, SequenceType)> {
        let sequence_type = SequenceType::parse(&line.sequence_type)?;
        let from = Adress::parse(&line.from).ok()?;
        let to = match &line.to {
            Some(to) => Some(Adress::parse(to).ok()?),
            None => None,
        };
        let product = Produkt::parse(&line.product).ok()?;
        let status = Status::parse(&line.status)?;
        let shown = |field, plain: &Option<String>, hidden: &Option<String>| {
            plain.clone().or_else(|| {
                let key = self.keys.get(&Month::of(line.time))?;
                key.show(field, hidden.as_deref()?)
            })
        };
        let tx_id = shown("tx_id", &line.tx_id, &line.tx_id_dold);
        let owed = tx_id.and_then(|id| TxId::parse(&id).ok()).map(|tx_id| {
            // Where these cannot be shown the tx.id stands for them: it is the message's own, and the
            // sender knows it.
            let corr_id = shown("corr_id", &line.corr_id, &line.corr_id_dold);
            let content_id = shown("content_id", &line.content_id, &line.content_id_dold);
            let corr_id = corr_id.unwrap_or_else(|| tx_id.as_str().to_owned());
            let content_id = content_id.unwrap_or_else(|| tx_id.as_str().to_owned());
            Owed {
                request_id: line.request_id,
                corr_id: CorrId::parse(&corr_id).unwrap_or_else(|_| CorrId::unknown()),
                content_id: ContentId::parse(&content_id).unwrap_or_else(|_| ContentId::unknown()),
                tx_id,
                from,
                to,
                product,
                status,
                sequence_type,
                received,
            }
        });
        let promise = Promise {
            owed,
            received,
            taken_up: false,
            wanted: 1,
            ended: 0,
            again: None,
            before: None,
        };
        Some((promise, sequence_type))
    }

    /// Begins a promise. A receipt takes the place of an earlier one of the same message: its sender has sent
    /// it again, and is owed one end.
    fn open(&mut self, request_id: Uuid, mut promise: Promise, is_receipt: bool) {
        if self.promises.contains_key(&request_id) {
            return;
        }
        if self.promises.len() >= self.promises_max {
            self.beyond += 1;
            return;
        }
        if let Some(key) = promise.owed.as_ref().map(Owed::key) {
            match self.by_tx_id.get(&key).copied() {
                Some(other) if is_receipt => {
                    promise.before = Some(other);
                    if let Some(before) = self.promises.get_mut(&other) {
                        before.again = Some(request_id);
                    }
                    self.by_tx_id.insert(key, request_id);
                }
                // Received anew before it was taken up.
                Some(other) => promise.again = Some(other),
                None => {
                    self.by_tx_id.insert(key, request_id);
                }
            }
        }
        self.promises.insert(request_id, promise);
    }

    fn ending(&mut self, word: &str, line: &Ending<'_>) {
        let of = line.request_id;
        // Lines without the word are about messages and replies.
        let is_of_promise = matches!(line.slag, None | Some("meddelande" | "svar" | "fel"));
        match (word, line.way, line.reason) {
            (What::LEVERERAT, Some("push"), _) if is_of_promise => self.ended(of),
            (What::KVITTERAT, ..) | (What::GALLRAT, _, Some("ej_kvitterat")) if is_of_promise => {
                self.ended(of);
            }
            (What::AVBRUTET, _, Some("ej_antecknat")) => self.refused(of),
            (What::AVBRUTET, _, Some("omsand" | "for_gammalt")) => self.close(of),
            (What::DELAT, ..) => {
                if let Some(promise) = self.promises.get_mut(&of) {
                    promise.wanted = line.copies.unwrap_or(1).max(1);
                }
            }
            // What a crash tore is no damage once it is mended.
            (What::LAGAT, ..) => {
                self.damaged = self.damaged.saturating_sub(line.torn_lines.unwrap_or(0));
            }
            _ => {}
        }
    }

    fn ended(&mut self, of: Uuid) {
        let Some(promise) = self.promises.get_mut(&of) else {
            return;
        };
        promise.ended += 1;
        if promise.ended >= promise.wanted {
            self.close(of);
        }
    }

    /// It is kept, and with it every earlier receipt of the same message.
    fn close(&mut self, of: Uuid) {
        let mut next = Some(of);
        while let Some(promise) = next.and_then(|of| self.promises.remove(&of).map(|it| (of, it))) {
            let (of, promise) = promise;
            if let Some(owed) = &promise.owed
                && self.by_tx_id.get(&owed.key()) == Some(&of)
            {
                self.by_tx_id.remove(&owed.key());
            }
            next = promise.before;
        }
    }

    /// It was never promised; an earlier receipt of the same message stands again.
    fn refused(&mut self, of: Uuid) {
        let Some(promise) = self.promises.remove(&of) else {
            return;
        };
        let before = promise.before.filter(|it| self.promises.contains_key(it));
        if let Some(before) = before.and_then(|before| self.promises.get_mut(&before)) {
            before.again = promise.again;
        }
        if let Some(after) = promise
            .again
            .and_then(|after| self.promises.get_mut(&after))
        {
            after.before = before;
        }
        let Some(owed) = &promise.owed else { return };
        if self.by_tx_id.get(&owed.key()) == Some(&of) {
            match before {
                Some(before) => self.by_tx_id.insert(owed.key(), before),
                None => self.by_tx_id.remove(&owed.key()),
            };
        }
    }

    /// What is left. Too old is what was received before this time, if it was ever taken up: no life lasts so
    /// long between receipt and end, so that what no life took up looks old only by a clock that jumped.
    pub(super) fn standing(self, told_since: DateTime<Utc>) -> Standing {
        let mut standing = Standing {
            beyond: self.beyond,
            damaged: self.damaged,
            lines: self.lines,
            ..Standing::default()
        };
        for (request_id, promise) in self.promises {
            if promise.again.is_some() {
                continue;
            }
            match promise.owed {
                _ if promise.taken_up && promise.received < told_since => {
                    standing.too_old.push(request_id);
                }
                Some(owed) => standing.owed.push(owed),
                None => standing.key_gone.push(request_id),
            }
        }
        let owed = &mut standing.owed;
        owed.sort_by_key(|owed| (owed.received, owed.request_id));
        standing
    }
}

impl Owed {
    /// Whose message it was: another sender's tx.id is another message's.
    fn key(&self) -> (TxId, Adress) {
        (self.tx_id.clone(), self.from.clone())
    }
}
