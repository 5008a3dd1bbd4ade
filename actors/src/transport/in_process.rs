//! The transport without a broker: each Uppgiftslämnare is a [`Bastjanst`] in this process.
//!
//! It is the zero-install default of `samsvar demo`, and the place where tests script faults. It
//! keeps the contract of [`transport`](super) and nothing more: it is not a second product.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use shs_schemas::Uppgiftslamnare;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::{
    Answer, Bastjanst, BoxFuture, Line, LineEvent, LineEvents, Question, Refusal, Traffic,
    Transport,
};

/// Questions that wait for one party while it does not consume: what the queue's `max-length` is
/// to RabbitMQ.
pub const QUEUE_MAX: usize = 1_000;

/// Questions that may be at one Bastjänst at once.
pub const OUTSTANDING_MAX: usize = 4_096;

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
            queued: Places::new(QUEUE_MAX),
            outstanding: Places::new(OUTSTANDING_MAX),
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
    let mut up = None;
    loop {
        let now = *reach.borrow_and_update();
        let now_up = now != Reach::NoBroker;
        if up.replace(now_up) != Some(now_up) {
            let event = if now_up {
                LineEvent::Up
            } else {
                LineEvent::Down
            };
            if !events.tell(event).await {
                return;
            }
        }
        let told = match now {
            Reach::NoBroker | Reach::NoQueue => true,
            Reach::Consuming => tell_consumers(&events, 1).await,
            Reach::NoConsumer => tell_consumers(&events, 0).await,
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
    queued: Places,
    outstanding: Places,
    /// Dropped with the line: every question still under way is dropped then.
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
        let reach = *self.reach.borrow();
        match reach {
            Reach::NoBroker => Err(Refusal::Broker),
            Reach::NoQueue => Err(Refusal::Unroutable),
            Reach::NoConsumer => self.queue(question),
            Reach::Consuming => self.ask(question),
        }
    }
}

impl InProcessLine {
    /// Asks the Bastjänst. What it answers at once costs no task.
    fn ask(&self, question: Question) -> Result<(), Refusal> {
        let place = self.outstanding.take().ok_or(Refusal::QueueFull)?;
        let mut answers = match begin(&*self.bastjanst, question) {
            Some(Begun::Answered(answers)) => {
                pass_on(answers, &self.events);
                return Ok(());
            }
            Some(Begun::Asked(answers)) => answers,
            // As when an adapter dies: silence.
            None => return Ok(()),
        };
        let events = self.events.clone();
        self.while_open(async move {
            let _place = place;
            pass_on(answers.as_mut().await, &events);
        });
        Ok(())
    }

    /// Puts a question where it waits, until it expires, for the party to consume again.
    fn queue(&self, question: Question) -> Result<(), Refusal> {
        let place = self.queued.take().ok_or(Refusal::QueueFull)?;
        let bastjanst = Arc::clone(&self.bastjanst);
        let mut reach = self.reach.clone();
        let events = self.events.clone();
        self.while_open(async move {
            let consuming = reach.wait_for(|now| *now == Reach::Consuming);
            let consumed = timeout(question.expires_in, consuming).await;
            if consumed.is_ok_and(|consumed| consumed.is_ok()) {
                drop(place);
                pass_on(bastjanst.besvara(question).await, &events);
            }
        });
        Ok(())
    }

    /// Runs what follows from a question for as long as the line is open and the broker there: what
    /// is with a broker that goes away is lost.
    fn while_open(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut closed = self.closed.subscribe();
        let mut reach = self.reach.clone();
        tokio::spawn(async move {
            tokio::select! {
                biased;
                _ = closed.changed() => {}
                _ = reach.wait_for(|now| *now == Reach::NoBroker) => {}
                () = work => {}
            }
        });
    }
}

/// What a Bastjänst makes of a question at first.
enum Begun {
    Answered(Vec<Answer>),
    Asked(BoxFuture<Vec<Answer>>),
}

/// Asks on the caller's thread. Nothing when the Bastjänst panics: that is not the dispatcher's
/// fault, and must not become its end.
fn begin(bastjanst: &dyn Bastjanst, question: Question) -> Option<Begun> {
    catch_unwind(AssertUnwindSafe(|| {
        let mut answers = bastjanst.besvara(question);
        // Polled again by a task, with a waker, if it is not ready.
        match answers
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(answers) => Begun::Answered(answers),
            Poll::Pending => Begun::Asked(answers),
        }
    }))
    .ok()
}

fn pass_on(answers: Vec<Answer>, events: &LineEvents) {
    for answer in answers {
        if !events.tell_now(LineEvent::Answer(answer)) {
            tracing::warn!("answer dropped: the dispatcher is gone or floods");
        }
    }
}

/// A bounded number of places.
struct Places {
    max: usize,
    taken: Arc<AtomicUsize>,
}

/// One of them, until it is dropped.
struct Place(Arc<AtomicUsize>);

impl Places {
    fn new(max: usize) -> Self {
        Self {
            max,
            taken: Arc::default(),
        }
    }

    fn take(&self) -> Option<Place> {
        let one_more = |taken| (taken < self.max).then_some(taken + 1);
        self.taken
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more)
            .ok()?;
        Some(Place(Arc::clone(&self.taken)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::room::Room;
    use crate::transport::QuestionKind;

    fn question() -> Question {
        Question {
            corr_id: Uuid::from_u128(1),
            traffic: Traffic::Production,
            kind: QuestionKind::Fraga,
            body: Bytes::new().into(),
            expires_in: Duration::from_secs(10),
            deadline: DateTime::UNIX_EPOCH,
            traceparent: "".into(),
            seal: None,
        }
    }

    struct Panics;

    impl Bastjanst for Panics {
        fn besvara(&self, _question: Question) -> BoxFuture<Vec<Answer>> {
            panic!("as a test wants it")
        }
    }

    #[tokio::test]
    async fn a_bastjanst_that_panics_is_met_with_silence_and_leaves_no_place_taken() {
        let transport = InProcess::new().with(Uppgiftslamnare::AF, Arc::new(Panics));
        let (told, mut events) = LineEvents::channel(Room::new(0));
        let line = transport.open(Uppgiftslamnare::AF, told);
        for _ in 0..=OUTSTANDING_MAX {
            assert_eq!(line.send(question()), Ok(()));
        }
        drop(line);
        while let Some(event) = events.recv().await {
            assert!(!matches!(event, LineEvent::Answer(_)));
        }
    }

    struct Silent;

    impl Bastjanst for Silent {
        fn besvara(&self, _question: Question) -> BoxFuture<Vec<Answer>> {
            Box::pin(std::future::pending())
        }
    }

    #[tokio::test]
    async fn a_bastjanst_with_its_places_taken_refuses() {
        let transport = InProcess::new().with(Uppgiftslamnare::AF, Arc::new(Silent));
        let (told, _events) = LineEvents::channel(Room::new(0));
        let line = transport.open(Uppgiftslamnare::AF, told);
        for _ in 0..OUTSTANDING_MAX {
            assert_eq!(line.send(question()), Ok(()));
        }
        assert_eq!(line.send(question()), Err(Refusal::QueueFull));
    }
}
