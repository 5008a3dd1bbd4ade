//! Refused calls: what comes to a door and is turned away before anything is taken in leaves a line in
//! the ledger (R-085), so that whoever reviews it sees who tries what.
//!
//! ```text
//! refused call ─► ReplyPort ─┐
//! delivery service ──────────┼─► Avvisade ─► gates ─► ledger, without waiting
//! TLS handshake ─────────────┘
//! ```
//!
//! Whoever is refused must not be able to fill the disk with it: at most [`NOTED_MAX`] lines for one
//! reason at one door in ten seconds, and [`ALL_MAX`] together; the next line says how many were left out.
//! A call that was taken in has its `mottaget` and its end in the ledger instead.

mod gates;

use std::sync::Arc;
use std::time::Duration;

use shs_schemas::shs::{Adress, KnownIds, Organisationsnummer};
use tokio::time::Instant;
use uuid::Uuid;

use self::gates::Gates;
use crate::avvikelse::gate::Gate;
use crate::caller::Caller;
use crate::failure::Failure;
use crate::ingress::rules::Rules;
use crate::ledger::LedgerBook;
use crate::ledger::event::{Anropare, AvvisatLine, Dorr, Event, Ids, What};

/// Ledger lines for one reason at one door in a [`crate::avvikelse::PERIOD`].
pub const NOTED_MAX: u16 = 8;

/// Ledger lines about refused calls in a [`crate::avvikelse::PERIOD`], whatever their reasons: some 8 MiB
/// an hour.
pub const ALL_MAX: u16 = 64;

/// Actors of one certificate that a line names.
const CERTIFICATE_ACTORS_MAX: usize = 8;

#[derive(Debug)]
struct Inner {
    /// The ledger, and who is known.
    noted: Option<(LedgerBook, Arc<Rules>)>,
    started: Instant,
    gates: [Gates; Dorr::ALL.len()],
    all: Gate,
}

/// Where refused calls are noted. Cheap to clone; clones share their bounds. Nothing in it waits.
#[derive(Clone, Debug)]
pub struct Avvisade(Arc<Inner>);

/// How a call came.
#[derive(Clone, Debug)]
pub struct Ankomst {
    /// Through which door.
    pub door: Dorr,
    /// Who called; none before that is known.
    pub caller: Option<Caller>,
    /// Size of what was sent, in bytes, when it was read.
    pub bytes: Option<u64>,
}

impl Avvisade {
    /// They are noted in this ledger if the node keeps one. Whom `rules` know is named.
    #[must_use]
    pub fn new(book: Option<LedgerBook>, rules: Arc<Rules>) -> Self {
        Self::noted(book.map(|book| (book, rules)))
    }

    /// They are noted nowhere.
    #[must_use]
    pub fn nowhere() -> Self {
        Self::noted(None)
    }

    fn noted(noted: Option<(LedgerBook, Arc<Rules>)>) -> Self {
        Self(Arc::new(Inner {
            noted,
            started: Instant::now(),
            gates: Dorr::ALL.map(|_| Gates::default()),
            all: Gate::default(),
        }))
    }

    /// Notes a call that was refused with this failure, about the message with these identifiers, from
    /// this sender if that was proven.
    pub fn note(
        &self,
        request_id: Uuid,
        ankomst: &Ankomst,
        failure: Failure,
        ids: &KnownIds,
        sender: Option<&Organisationsnummer>,
    ) {
        let row = failure.row();
        self.add(ankomst.door, failure.class(), |line, rules| {
            line.code = Some(row.code);
            line.class = Some(row.source);
            line.bytes = ankomst.bytes;
            name(line, rules, ankomst.caller.as_ref(), sender);
            (request_id, Ids::from(ids))
        });
    }

    /// Notes a call that was refused for a reason in a word of ours, at a door that knows no failures.
    pub fn note_plain(&self, door: Dorr, reason: &'static str, caller: Option<&Caller>) {
        self.add(door, reason, |line, rules| {
            name(line, rules, caller, None);
            (Uuid::nil(), Ids::default())
        });
    }

    /// A line through the gates, if they let it.
    fn add(
        &self,
        door: Dorr,
        skal: &'static str,
        fill: impl FnOnce(&mut AvvisatLine, &Rules) -> (Uuid, Ids),
    ) {
        let Some((book, rules)) = &self.0.noted else {
            return;
        };
        let Some(held) = self.pass(door, skal, self.0.started.elapsed()) else {
            return;
        };
        let mut line = AvvisatLine {
            door,
            skal,
            code: None,
            class: None,
            anropare: None,
            from: None,
            certifikat: Vec::new(),
            bytes: None,
            antal: (held > 0).then(|| held.saturating_add(1)),
        };
        let (request_id, ids) = fill(&mut line, rules);
        book.note(Event::now(request_id, ids, What::Avvisat(line)));
    }

    fn pass(&self, door: Dorr, reason: &'static str, now: Duration) -> Option<u64> {
        let gate = self.0.gates[door.index()].of(reason);
        let held = gate.pass(NOTED_MAX, now)?;
        if self.0.all.pass(ALL_MAX, now).is_none() {
            gate.hold(held.saturating_add(1));
            return None;
        }
        Some(held)
    }
}

/// Adds who it was. A number that the configuration does not know is a stranger's text, and may be a
/// person's.
fn name(
    line: &mut AvvisatLine,
    rules: &Rules,
    caller: Option<&Caller>,
    sender: Option<&Organisationsnummer>,
) {
    let known = |actor: &&Organisationsnummer| rules.known.contains(*actor);
    line.from = sender.filter(known).cloned().map(Adress::of);
    let actors = caller.into_iter().flat_map(Caller::actors);
    let mut shown = actors.filter(known).peekable();
    line.anropare = caller.map(|caller| {
        if caller.is_internal() {
            Anropare::Intern
        } else if shown.peek().is_some() {
            Anropare::Kand
        } else {
            Anropare::Okand
        }
    });
    // The proven sender says more than all that the certificate stands for.
    if line.from.is_none() {
        let named = shown.take(CERTIFICATE_ACTORS_MAX);
        line.certifikat = named.cloned().map(Adress::of).collect();
    }
}

#[cfg(test)]
#[path = "avvisat/avvisat_tests.rs"]
mod tests;
