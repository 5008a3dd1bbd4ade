//! Remembers what a directory said: asks once for many callers at a time, keeps answers for a while,
//! and goes on with older ones when the directory is away.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use samsvar_actors::directory::{Directory, DirectoryAway, Entry, Found};
use shs_schemas::shs::agreement::PublicAgreement;
use shs_schemas::shs::{Organisationsnummer, Produkt};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::circuit::Circuit;
use super::counted::{Counted, Lookup, Tally};
use super::question::{Answer, Question};
use super::table::{Held, Table};

/// Parts that the answers are spread over, each with a lock of its own: no lock is everybody's.
const SHARDS: usize = 16;
/// Fewest answers of a part: smaller ones would fill unevenly.
const ENTRIES_PER_SHARD_MIN: usize = 64;
/// Most questions of one part that the directory is asked at once; above it, it counts as away.
const FLIGHTS_PER_SHARD_MAX: usize = 256;

/// How long answers are kept, and how many.
#[derive(Clone, Copy, Debug)]
pub struct CacheSettings {
    /// How long an answer is fresh.
    pub fresh: Duration,
    /// How old an answer may be that is used while the directory is away.
    pub stale: Duration,
    /// How long "there is none" is believed.
    pub negative: Duration,
    /// How many answers are kept, and as many times "there is none".
    pub entries_max: usize,
}

/// A question that is being asked: everyone who wants the answer waits for the same one.
type Flight = Shared<BoxFuture<'static, Result<Answer, DirectoryAway>>>;

/// A directory with a memory.
///
/// A look-up of something fresh asks nobody. Otherwise the directory is asked, once for all who want
/// the same. When it does not answer, an older answer serves, if it found something and is not older
/// than [`CacheSettings::stale`]; else the look-up ends as [`DirectoryAway`]. From the first failure
/// on, nobody waits for the directory but the one who finds out whether it is back
/// ([`super::AWAY_PAUSE_FIRST`]).
pub struct CachedDirectory {
    core: Arc<Core>,
}

struct Core {
    directory: Arc<dyn Directory>,
    settings: CacheSettings,
    runtime: Handle,
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
    circuit: Mutex<Circuit>,
    tally: Tally,
}

struct Shard {
    table: Table,
    flights: HashMap<Question, Flight>,
}

/// What a look-up has to do.
enum Step {
    Have(Answer),
    /// Wait for the directory; when it does not answer, take the older answer.
    Wait(Flight, Option<Answer>),
    DoWithout(Option<Answer>),
}

impl CachedDirectory {
    /// Remembers what this directory says. It is asked on `runtime`, so that a caller who leaves
    /// takes nobody's answer along.
    #[must_use]
    pub fn new(directory: Arc<dyn Directory>, settings: CacheSettings, runtime: Handle) -> Self {
        let shards = (settings.entries_max / ENTRIES_PER_SHARD_MIN).clamp(1, SHARDS);
        let shard = || {
            Mutex::new(Shard {
                table: Table::new(settings.entries_max / shards),
                flights: HashMap::new(),
            })
        };
        let core = Core {
            directory,
            settings,
            runtime,
            shards: std::iter::repeat_with(shard).take(shards).collect(),
            hasher: RandomState::new(),
            circuit: Mutex::default(),
            tally: Tally::default(),
        };
        Self {
            core: Arc::new(core),
        }
    }

    /// Look-ups since the start, and how many answers are kept.
    #[must_use]
    pub fn counted(&self) -> Counted {
        let shards = self.core.shards.iter();
        Counted {
            lookups: self.core.tally.read(),
            entries: shards.map(|shard| locked(shard).table.len()).sum(),
        }
    }

    async fn look_up(&self, question: Question) -> Result<Answer, DirectoryAway> {
        let (lookup, answer) = match self.core.step(&question) {
            Step::Have(answer) => (Lookup::Cached, Ok(answer)),
            Step::Wait(flight, older) => match flight.await {
                Ok(answer) => (Lookup::Fresh, Ok(answer)),
                Err(DirectoryAway) => without(older),
            },
            Step::DoWithout(older) => without(older),
        };
        self.core.tally.count(lookup);
        answer
    }
}

fn without(older: Option<Answer>) -> (Lookup, Result<Answer, DirectoryAway>) {
    match older {
        Some(answer) => (Lookup::Stale, Ok(answer)),
        None => (Lookup::Away, Err(DirectoryAway)),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Core {
    fn shard(&self, question: &Question) -> MutexGuard<'_, Shard> {
        // The remainder is below the number of parts, so nothing is lost.
        #[expect(clippy::cast_possible_truncation)]
        let hash = self.hasher.hash_one(question) as usize;
        locked(&self.shards[hash % self.shards.len()])
    }

    fn step(self: &Arc<Self>, question: &Question) -> Step {
        let now = Instant::now();
        let mut shard = self.shard(question);
        let mut older = None;
        if let Some(held) = shard.table.get(question) {
            if self.is_fresh(held, now) {
                return Step::Have(held.answer.clone());
            }
            if held.answer.is_something() && now - held.since < self.settings.stale {
                older = Some(held.answer.clone());
            }
        }
        if let Some(flight) = shard.flights.get(question) {
            return Step::Wait(flight.clone(), older);
        }
        if shard.flights.len() >= FLIGHTS_PER_SHARD_MAX || !locked(&self.circuit).admits(now) {
            return Step::DoWithout(older);
        }
        let flight = self.depart(question.clone());
        shard.flights.insert(question.clone(), flight.clone());
        Step::Wait(flight, older)
    }

    fn is_fresh(&self, held: &Held, now: Instant) -> bool {
        let fresh = if held.answer.is_something() {
            self.settings.fresh
        } else {
            self.settings.negative
        };
        now - held.since < fresh
    }

    /// Asks the directory, on the runtime. The caller holds the lock of the question's shard, which
    /// the task takes when it has the answer.
    fn depart(self: &Arc<Self>, question: Question) -> Flight {
        let core = Arc::clone(self);
        let task = self.runtime.spawn(async move {
            // Within the task: a runtime that has ended drops it here, while the lock is held.
            let mut landing = Landing {
                core: &core,
                question: &question,
                result: Err(DirectoryAway),
            };
            landing.result = question.ask(&*core.directory).await;
            landing.result.clone()
        });
        task.map(|joined| joined.unwrap_or(Err(DirectoryAway)))
            .boxed()
            .shared()
    }

    fn landed(&self, question: &Question, result: Result<Answer, DirectoryAway>) {
        let now = Instant::now();
        let answered = result.is_ok();
        {
            let mut shard = self.shard(question);
            shard.flights.remove(question);
            if let Ok(answer) = result {
                let held = Held { answer, since: now };
                shard.table.put(question.clone(), held);
            }
        }
        if answered {
            let away = locked(&self.circuit).answered(now);
            if let Some(away) = away {
                let elapsed_ms = u64::try_from(away.as_millis()).unwrap_or(u64::MAX);
                tracing::info!(elapsed_ms, "the SHS directory answers again");
            }
        } else if locked(&self.circuit).failed(now) {
            let stale_s = self.settings.stale.as_secs();
            tracing::warn!(
                stale_s,
                "the SHS directory does not answer: older answers are used, unknown actors wait"
            );
        }
    }
}

/// Ends a flight whatever becomes of its task: a panic there may not leave a question unanswered for
/// good.
struct Landing<'a> {
    core: &'a Core,
    question: &'a Question,
    result: Result<Answer, DirectoryAway>,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.core.landed(self.question, self.result.clone());
    }
}

impl fmt::Debug for CachedDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedDirectory").finish_non_exhaustive()
    }
}

impl Directory for CachedDirectory {
    fn actor<'a>(&'a self, of: &'a Organisationsnummer) -> Found<'a, Option<Entry>> {
        let answer = self.look_up(Question::Actor(of.clone()));
        answer.map(|answer| answer.map(Answer::into_actor)).boxed()
    }

    fn address<'a>(
        &'a self,
        of: &'a Organisationsnummer,
        produkt: Produkt,
    ) -> Found<'a, Option<String>> {
        let answer = self.look_up(Question::Address(of.clone(), produkt));
        answer
            .map(|answer| answer.map(Answer::into_address))
            .boxed()
    }

    fn any_address<'a>(&'a self, of: &'a Organisationsnummer) -> Found<'a, Option<String>> {
        let answer = self.look_up(Question::AnyAddress(of.clone()));
        answer
            .map(|answer| answer.map(Answer::into_address))
            .boxed()
    }

    fn public_agreements<'a>(
        &'a self,
        principal: Option<&'a Organisationsnummer>,
        produkt: Produkt,
    ) -> Found<'a, Vec<PublicAgreement>> {
        let question = Question::PublicAgreements(principal.cloned(), produkt);
        let answer = self.look_up(question);
        answer
            .map(|answer| answer.map(Answer::into_agreements))
            .boxed()
    }
}

#[cfg(test)]
mod tests;
