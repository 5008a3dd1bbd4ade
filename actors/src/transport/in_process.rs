//! The transport without a broker: each Uppgiftslämnare is a [`Bastjanst`] in this process.
//!
//! It is the zero-install default of `samsvar demo`, and the place where tests script faults. It
//! keeps the contract of [`transport`](super) and nothing more: it is not a second product.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shs_schemas::Uppgiftslamnare;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::{
    Answer, Bastjanst, Line, LineEvent, LineEvents, Question, Refusal, Traffic, Transport,
};

/// Questions that may be at one Bastjänst at once: what the queue's `max-length` is to RabbitMQ.
pub const OUTSTANDING_MAX: usize = 1_000;

/// Whether a party can be reached: what stopping and starting adapters, or the broker, is to AMQP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The party consumes its queue.
    Consuming,
    /// The queue is there, nobody consumes it.
    NoConsumer,
    /// There is no queue: questions come back.
    NoQueue,
    /// The broker is away.
    NoBroker,
}

struct Party {
    bastjanst: Arc<dyn Bastjanst>,
    reach: watch::Sender<Reach>,
}

/// A transport to services in this process.
#[derive(Default)]
pub struct InProcess {
    parties: HashMap<Uppgiftslamnare, Party>,
}

impl InProcess {
    /// A transport that reaches nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a Bastjänst behind an Uppgiftslämnare.
    #[must_use]
    pub fn with(mut self, ul: Uppgiftslamnare, bastjanst: Arc<dyn Bastjanst>) -> Self {
        let (reach, _) = watch::channel(Reach::Consuming);
        self.parties.insert(ul, Party { bastjanst, reach });
        self
    }

    /// Changes whether a party can be reached; its dispatcher hears of it at once.
    pub fn set_reach(&self, ul: Uppgiftslamnare, reach: Reach) {
        if let Some(party) = self.parties.get(&ul) {
            party.reach.send_replace(reach);
        }
    }
}

impl Transport for InProcess {
    fn open(&self, ul: Uppgiftslamnare, events: LineEvents) -> Box<dyn Line> {
        let Some(party) = self.parties.get(&ul) else {
            let told = events.clone();
            tokio::spawn(async move { told.tell(LineEvent::Up).await });
            return Box::new(NobodyThere);
        };
        let reach = party.reach.subscribe();
        let watcher = tokio::spawn(tell_reach(reach.clone(), events.clone())).abort_handle();
        Box::new(InProcessLine {
            bastjanst: Arc::clone(&party.bastjanst),
            reach,
            events,
            outstanding: Arc::new(AtomicUsize::new(0)),
            closed: watch::channel(()).0,
            watcher,
        })
    }

    fn name(&self) -> &'static str {
        "in-process"
    }
}

/// Tells the dispatcher how the party can be reached, now and at every change.
async fn tell_reach(mut reach: watch::Receiver<Reach>, events: LineEvents) {
    loop {
        let now = *reach.borrow_and_update();
        let told = match now {
            Reach::NoBroker => events.tell(LineEvent::Down).await,
            Reach::NoQueue => events.tell(LineEvent::Up).await,
            Reach::Consuming | Reach::NoConsumer => {
                events.tell(LineEvent::Up).await
                    && tell_consumers(&events, u32::from(now == Reach::Consuming)).await
            }
        };
        if !told || reach.changed().await.is_err() {
            return;
        }
    }
}

async fn tell_consumers(events: &LineEvents, count: u32) -> bool {
    for traffic in Traffic::ALL {
        if !events.tell(LineEvent::Consumers { traffic, count }).await {
            return false;
        }
    }
    true
}

/// The line to a party that was never put there.
struct NobodyThere;

impl Line for NobodyThere {
    fn send(&self, _question: Question) -> Result<(), Refusal> {
        Err(Refusal::Unroutable)
    }
}

struct InProcessLine {
    bastjanst: Arc<dyn Bastjanst>,
    reach: watch::Receiver<Reach>,
    events: LineEvents,
    outstanding: Arc<AtomicUsize>,
    /// Dropped with the line: every question still at the Bastjänst is dropped then.
    closed: watch::Sender<()>,
    watcher: AbortHandle,
}

impl Drop for InProcessLine {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

impl Line for InProcessLine {
    fn send(&self, question: Question) -> Result<(), Refusal> {
        match *self.reach.borrow() {
            Reach::NoBroker => return Err(Refusal::Broker),
            Reach::NoQueue => return Err(Refusal::Unroutable),
            // As in a queue: taken, and met with silence.
            Reach::NoConsumer => return Ok(()),
            Reach::Consuming => {}
        }
        let place = Place::take(&self.outstanding).ok_or(Refusal::QueueFull)?;
        let answers = self.bastjanst.besvara(question);
        let events = self.events.clone();
        let mut closed = self.closed.subscribe();
        let mut reach = self.reach.clone();
        tokio::spawn(async move {
            let _place = place;
            tokio::select! {
                biased;
                answers = answers => pass_on(answers, &events),
                _ = closed.changed() => {}
                // What is with a broker that goes away is lost.
                _ = reach.wait_for(|now| *now == Reach::NoBroker) => {}
            }
        });
        Ok(())
    }
}

fn pass_on(answers: Vec<Answer>, events: &LineEvents) {
    for answer in answers {
        if !events.tell_now(LineEvent::Answer(answer)) {
            tracing::warn!("answer dropped: the dispatcher is gone or floods");
        }
    }
}

/// One of the [`OUTSTANDING_MAX`] places at a Bastjänst.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(outstanding: &Arc<AtomicUsize>) -> Option<Self> {
        outstanding
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| {
                (n < OUTSTANDING_MAX).then_some(n + 1)
            })
            .ok()
            .map(|_| Self(Arc::clone(outstanding)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
