//! Avvikelser: what was odd about one authority's answer, so that operators and the ledger know of it,
//! and no content (design 8.6 and 9; R-004, R-015, R-085, R-231, R-232).
//!
//! Nothing here can hold text of an answer: an [`Avvikelse`] is made of words and names of our own
//! tables, numbers, and a [`Faltnamn`], which is vetted where the answer is read.
//!
//! ```text
//! Avvikelse ─► counter of its party and class           always
//!           ─► log, one line per party and class in 10 s (andrat_svar: each)
//!           ─► ledger, at most 64 per party and class in 10 s (andrat_svar: each), without waiting
//! ```
//!
//! An authority that sends garbage must not fill the log, and one that floods must not crowd the
//! ledger: what the log leaves out is in the counters, and the next line says how much it was.

pub(crate) mod gate;
mod klass;

use std::sync::Arc;
use std::time::Duration;

use shs_schemas::ssbtek::Faltnamn;
use shs_schemas::{Uppgiftslamnare, WireError};
use tokio::time::Instant;
use uuid::Uuid;

use self::gate::Gate;
pub use self::gate::PERIOD;
pub use self::klass::Klass;
use crate::dispatcher::ended::Stray;
use crate::ledger::LedgerBook;
use crate::ledger::event::{AvvikelseLine, Event, Ids, What};
use crate::tally::Tally;

/// Log lines per party and class in a [`PERIOD`].
pub const SHOWN_MAX: u16 = 1;

/// Ledger lines per party and class in a [`PERIOD`]: avvikelser share the ledger's mailbox with the notes
/// that asynchronous messages wait for.
pub const NOTED_MAX: u16 = 64;

/// What was odd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slag {
    /// The answer could not be used, and `SSBT-OGILTIGT-SVAR` stands in its place: where and why.
    OgiltigtSvar(WireError),
    /// A field outside Bilaga 3 (R-231, R-232).
    OtillatetFalt {
        /// Its name.
        falt: Faltnamn,
        /// Where it begins, in bytes from the start of the answer.
        offset: usize,
        /// Whether the part was withheld because of it; else it was forwarded unchanged.
        withheld: bool,
    },
    /// The part was not the same at departure as at arrival, and was withheld: a matter of security
    /// (R-015).
    AndratSvar,
    /// Skatteverket was asked for what is usual, because a question in version 10 cannot say
    /// (ssbtek-10, 0.2). No fault.
    SkvStandard,
    /// Members of a LEFI answer stood in the wrong authority's answer and were dropped (ssbtek-10,
    /// 4.8).
    LefiFelplacerad {
        /// How many.
        antal: usize,
    },
    /// An answer that nobody waited for was dropped (R-004). Use [`Avvikelser::note_herrelost`] where
    /// the request is not known.
    Herrelost(Stray),
}

impl Slag {
    /// A field of this name outside Bilaga 3, at this offset in bytes of the answer.
    #[must_use]
    pub fn otillatet_falt(falt: Faltnamn, offset: usize, withheld: bool) -> Self {
        Self::OtillatetFalt {
            falt,
            offset,
            withheld,
        }
    }

    /// Its class.
    #[must_use]
    pub fn klass(&self) -> Klass {
        match self {
            Self::OgiltigtSvar(_) => Klass::OgiltigtSvar,
            Self::OtillatetFalt { .. } => Klass::OtillatetFalt,
            Self::AndratSvar => Klass::AndratSvar,
            Self::SkvStandard => Klass::SkvStandard,
            Self::LefiFelplacerad { .. } => Klass::LefiFelplacerad,
            Self::Herrelost(stray) => Klass::from(*stray),
        }
    }
}

/// Something odd about one authority's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Avvikelse {
    /// Whose answer.
    pub uppgiftslamnare: Uppgiftslamnare,
    /// What.
    pub slag: Slag,
}

impl Avvikelse {
    /// This, of that authority.
    #[must_use]
    pub const fn new(uppgiftslamnare: Uppgiftslamnare, slag: Slag) -> Self {
        Self {
            uppgiftslamnare,
            slag,
        }
    }
}

/// What bounds one party's lines of one class.
#[derive(Debug, Default)]
struct Gates {
    log: Gate,
    ledger: Gate,
}

#[derive(Debug)]
struct Inner {
    tally: Arc<Tally>,
    book: Option<LedgerBook>,
    started: Instant,
    /// One of each class for each party.
    gates: Vec<[Gates; Klass::ALL.len()]>,
}

/// Where avvikelser go: counters, log, ledger. Cheap to clone; clones share their bounds. Nothing in it
/// waits, whatever state log and ledger are in.
#[derive(Clone, Debug)]
pub struct Avvikelser(Arc<Inner>);

impl Avvikelser {
    /// They are counted here, and noted in this ledger if the node keeps one.
    #[must_use]
    pub fn new(tally: Arc<Tally>, book: Option<LedgerBook>) -> Self {
        let gates = |_| Klass::ALL.map(|_| Gates::default());
        Self(Arc::new(Inner {
            tally,
            book,
            started: Instant::now(),
            gates: Uppgiftslamnare::all().map(gates).collect(),
        }))
    }

    /// Counts, shows and notes one, about the message with these identifiers. A ledger that takes no more
    /// loses its line, which it counts; nobody waits.
    pub fn note(&self, request_id: Uuid, ids: &Ids, avvikelse: Avvikelse) {
        let Avvikelse {
            uppgiftslamnare: ul,
            slag,
        } = avvikelse;
        let klass = slag.klass();
        self.count(ul, &slag);
        let gates = &self.0.gates[ul.index()][klass.index()];
        let now = self.0.started.elapsed();
        if let Some(not_shown) = shown(gates, klass, now) {
            show(request_id, ul, &slag, not_shown);
        }
        if let Some(book) = &self.0.book
            && let Some(not_noted) = noted(gates, klass, now)
        {
            let what = What::Avvikelse(line(ul, slag, not_noted));
            book.note(Event::now(request_id, ids.clone(), what));
        }
    }

    /// The same for an answer that nobody waited for. Its question is over, and what it belonged to
    /// is not remembered: the line has no request and no message.
    pub fn note_herrelost(&self, ul: Uppgiftslamnare, stray: Stray) {
        let avvikelse = Avvikelse::new(ul, Slag::Herrelost(stray));
        self.note(Uuid::nil(), &Ids::default(), avvikelse);
    }

    fn count(&self, ul: Uppgiftslamnare, slag: &Slag) {
        self.0.tally.count_avvikelse(ul, slag.klass());
        if let Slag::LefiFelplacerad { antal } = slag {
            self.0.tally.count_lefi_felplacerade(*antal);
        }
    }
}

/// Whether the log gets a line, and how many it did not get before. A matter of security always gets
/// one.
fn shown(gates: &Gates, klass: Klass, now: Duration) -> Option<u64> {
    match klass {
        Klass::AndratSvar => Some(0),
        _ => gates.log.pass(SHOWN_MAX, now),
    }
}

/// Whether the ledger gets a line, and how many it did not get before.
fn noted(gates: &Gates, klass: Klass, now: Duration) -> Option<u64> {
    match klass {
        Klass::AndratSvar => Some(0),
        _ => gates.ledger.pass(NOTED_MAX, now),
    }
}

/// One line of the log. Its fields are words and names of our tables, and numbers.
fn show(request_id: Uuid, ul: Uppgiftslamnare, slag: &Slag, not_shown: u64) {
    // The level of a line is fixed where the line stands.
    macro_rules! log {
        ($level:ident, $($field:tt)*) => {
            tracing::$level!(
                request_id = (!request_id.is_nil()).then(|| tracing::field::display(request_id)),
                bastjanst = ul.kod(),
                avvikelse = slag.klass().as_str(),
                $($field)*
            )
        };
    }
    match slag {
        Slag::OgiltigtSvar(error) => log!(
            warn,
            element = %error.element,
            position = error.offset,
            fault = %error.fault,
            not_shown,
            "an answer cannot be used"
        ),
        Slag::OtillatetFalt {
            falt,
            offset,
            withheld,
        } => log!(
            warn,
            element = %falt,
            position = offset,
            withheld,
            not_shown,
            "a field that the agreement does not list"
        ),
        Slag::AndratSvar => log!(
            error,
            security = true,
            "an answer changed within the node and was withheld"
        ),
        Slag::SkvStandard => log!(info, not_shown, "Skatteverket was asked for what is usual"),
        Slag::LefiFelplacerad { antal } => log!(
            warn,
            antal,
            not_shown,
            "members stood in the wrong authority's answer and were dropped"
        ),
        Slag::Herrelost(_) => log!(
            warn,
            not_shown,
            "an answer that nobody waits for was dropped"
        ),
    }
}

/// One line of the ledger.
fn line(bastjanst: Uppgiftslamnare, slag: Slag, not_noted: u64) -> AvvikelseLine {
    let plain = AvvikelseLine {
        bastjanst,
        slag: slag.klass(),
        element: None,
        position: None,
        fault: None,
        antal: (not_noted > 0).then(|| not_noted.saturating_add(1)),
        withheld: false,
    };
    match slag {
        Slag::OgiltigtSvar(error) => AvvikelseLine {
            element: Some(error.element.into()),
            position: Some(error.offset as u64),
            fault: Some(error.fault.into()),
            withheld: true,
            ..plain
        },
        Slag::OtillatetFalt {
            falt,
            offset,
            withheld,
        } => AvvikelseLine {
            element: Some(falt),
            position: Some(offset as u64),
            withheld,
            ..plain
        },
        Slag::AndratSvar => AvvikelseLine {
            withheld: true,
            ..plain
        },
        Slag::SkvStandard => plain,
        Slag::LefiFelplacerad { antal } => AvvikelseLine {
            antal: Some(antal as u64),
            ..plain
        },
        Slag::Herrelost(_) => AvvikelseLine {
            antal: Some(not_noted.saturating_add(1)),
            withheld: true,
            ..plain
        },
    }
}

#[cfg(test)]
#[path = "avvikelse/avvikelse_tests.rs"]
mod tests;
