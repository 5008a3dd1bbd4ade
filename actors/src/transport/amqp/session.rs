//! One life of a line's channel: questions out, confirms and answers in.
//!
//! Publishing happens on the dispatcher's thread: lapin only queues the frames, which never waits,
//! and a task of its own in between would cost a hand-off per question. The task of the line takes
//! up what follows: written, confirmed, refused, returned, answered.
//!
//! Only an answer wakes that task at once. That a question was written and confirmed is looked at on
//! the same occasion, or after [`CONFIRMS_LOOK_EVERY`]: to be woken for each would be two more
//! hand-offs between threads per question, which is what costs.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use chrono::Utc;
use futures_util::stream::{FuturesUnordered, Stream, StreamExt};
use futures_util::task::AtomicWaker;
use lapin::message::{BasicReturnMessage, Delivery};
use lapin::options::BasicPublishOptions;
use lapin::{Channel, Confirmation, ConnectionStatus, Consumer, PublisherConfirm};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};
use uuid::Uuid;

use super::activity::Activity;
use super::answer::{corr_id, read_answer};
use super::contract::EXCHANGE;
use super::counts::Counts;
use super::question::QuestionForm;
use super::settings::AmqpSettings;
use crate::transport::{LineEvent, LineEvents, Question, Refusal};

/// Publishes of one line that may wait for their confirm. A broker that lets more than that wait
/// does not take them in time.
pub const UNCONFIRMED_MAX: usize = 4_096;

/// Longest time that a confirm, or a refusal, may lie unread.
const CONFIRMS_LOOK_EVERY: Duration = Duration::from_millis(10);

/// Answers taken in one go before the task lets others run.
const ANSWERS_PER_TURN: usize = 64;

/// Longest time without any confirm, while some are overdue, before the channel is given up.
const STALLED_LONGEST: Duration = Duration::from_secs(10);

/// A publish on its way through lapin.
type Publish = Pin<Box<dyn Future<Output = lapin::Result<PublisherConfirm>> + Send>>;

struct Published {
    corr_id: Uuid,
    since: Instant,
    publish: Publish,
}

/// The half of a session that the dispatcher's end of the line publishes through.
pub(super) struct Session {
    channel: Channel,
    connection: ConnectionStatus,
    form: Arc<QuestionForm>,
    activity: Arc<Activity>,
    /// Published, and not yet seen by the task; nothing once the session is over.
    fresh: Mutex<Option<Vec<Published>>>,
    unconfirmed: AtomicUsize,
    stalled: AtomicBool,
    /// Whether the task looks at confirms; changed only while `fresh` is locked.
    watched: AtomicBool,
    /// The task of the line.
    task: AtomicWaker,
}

impl Session {
    pub(super) fn new(
        channel: Channel,
        connection: ConnectionStatus,
        form: Arc<QuestionForm>,
        activity: Arc<Activity>,
    ) -> Self {
        Self {
            channel,
            connection,
            form,
            activity,
            fresh: Mutex::new(Some(Vec::new())),
            unconfirmed: AtomicUsize::new(0),
            stalled: AtomicBool::new(false),
            watched: AtomicBool::new(false),
            task: AtomicWaker::new(),
        }
    }

    /// Publishes a question, without waiting for anything.
    pub(super) fn publish(self: &Arc<Self>, question: Question) -> Result<(), Refusal> {
        if self.connection.blocked() || self.stalled.load(Ordering::Acquire) {
            return Err(Refusal::Broker);
        }
        // Held over the publish: the task does not take it up before it is in the list, and
        // nothing leaves once the session is over.
        let mut fresh = self.fresh();
        let fresh = fresh.as_mut().ok_or(Refusal::Broker)?;
        if self.unconfirmed.load(Ordering::Acquire) >= UNCONFIRMED_MAX {
            return Err(Refusal::Broker);
        }
        let (corr_id, expires_in, since) = (question.corr_id, question.expires_in, Instant::now());
        // Before it leaves: what is counted cannot be overlooked by a rinse that ends just now.
        self.activity.asked(since, expires_in);
        let mut publish = Self::begin(Arc::clone(self), question);
        let publish = match publish.as_mut().poll(&mut unwoken()) {
            Poll::Pending => publish,
            // Written already: what is left is the confirm.
            Poll::Ready(Ok(confirm)) => Box::pin(std::future::ready(Ok(confirm))),
            Poll::Ready(Err(_)) => {
                self.activity.settled();
                return Err(Refusal::Broker);
            }
        };
        self.unconfirmed.fetch_add(1, Ordering::AcqRel);
        fresh.push(Published {
            corr_id,
            since,
            publish,
        });
        if !self.watched.swap(true, Ordering::AcqRel) {
            self.task.wake();
        }
        Ok(())
    }

    /// At its first poll the future hands the frames to lapin, the body copied into them.
    fn begin(session: Arc<Self>, question: Question) -> Publish {
        Box::pin(async move {
            let properties = session.form.properties(&question, Utc::now());
            session
                .channel
                .basic_publish(
                    EXCHANGE.into(),
                    session.form.routing_key(question.traffic),
                    BasicPublishOptions {
                        mandatory: true,
                        ..BasicPublishOptions::default()
                    },
                    question.body.expose(),
                    properties,
                )
                .await
        })
    }

    /// Ends the watch for confirms, unless there are questions that the task has not seen.
    fn rest(&self) -> bool {
        let fresh = self.fresh();
        let nothing = fresh.as_ref().is_none_or(Vec::is_empty);
        if nothing {
            self.watched.store(false, Ordering::Release);
        }
        nothing
    }

    fn fresh(&self) -> MutexGuard<'_, Option<Vec<Published>>> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A context in which nothing that becomes ready wakes anybody.
fn unwoken() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// What a confirm said of a question.
type Confirmed = (Uuid, lapin::Result<Confirmation>);

/// What the task of a line has to tell, or to do, next.
pub(super) enum Step {
    /// A question was refused.
    Refused(Uuid, Refusal),
    /// The broker blocks its publishers (memory or disk alarm). It blocks the adapters' answers as
    /// well: what is outstanding comes too late, if at all.
    Blocked,
    /// The channel is gone, with the reason if there was one.
    Lost(Option<lapin::Error>),
}

/// The half of a session that the task of the line runs. Dropping it ends the session.
pub(super) struct Running<C> {
    session: Arc<Session>,
    replies: Consumer,
    events: LineEvents,
    counts: Arc<Counts>,
    unroutable: Arc<AtomicBool>,
    confirms: FuturesUnordered<C>,
    confirm: fn(Published) -> C,
    /// Empty between two polls; kept for its room.
    taken_up: Vec<Published>,
    /// Questions without a confirm, and since when.
    waiting: HashMap<Uuid, Instant>,
    refused: VecDeque<(Uuid, Refusal)>,
    publish_timeout: Duration,
    answer_bytes_max: usize,
    confirms_look: Interval,
    overdue_check: Interval,
    stalled_since: Option<Instant>,
}

impl<C> Drop for Running<C> {
    fn drop(&mut self) {
        // What was published is lost; what comes now is refused.
        let lost = self.session.fresh().take();
        drop(lost);
    }
}

/// Begins to run a session.
pub(super) fn run(
    session: Arc<Session>,
    replies: Consumer,
    events: LineEvents,
    counts: Arc<Counts>,
    unroutable: Arc<AtomicBool>,
    settings: &AmqpSettings,
) -> Running<impl Future<Output = Confirmed> + use<>> {
    let publish_timeout = settings.publish_timeout;
    let mut overdue_check = interval((publish_timeout / 4).max(Duration::from_millis(1)));
    overdue_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut confirms_look = interval(CONFIRMS_LOOK_EVERY);
    confirms_look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Running {
        session,
        replies,
        events,
        counts,
        unroutable,
        confirms: FuturesUnordered::new(),
        confirm,
        taken_up: Vec::new(),
        waiting: HashMap::new(),
        refused: VecDeque::new(),
        publish_timeout,
        answer_bytes_max: settings.answer_bytes_max,
        confirms_look,
        overdue_check,
        stalled_since: None,
    }
}

async fn confirm(published: Published) -> Confirmed {
    let confirmation = match published.publish.await {
        Ok(confirm) => confirm.await,
        Err(error) => Err(error),
    };
    (published.corr_id, confirmation)
}

impl<C: Future<Output = Confirmed>> Running<C> {
    /// Passes answers on until there is something else to tell.
    pub(super) async fn step(&mut self) -> Step {
        std::future::poll_fn(|cx| self.poll_step(cx)).await
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        self.session.task.register(cx.waker());
        if let Poll::Ready(error) = self.poll_answers(cx) {
            return Poll::Ready(Step::Lost(error));
        }
        self.look_at_confirms(cx);
        while self.overdue_check.poll_tick(cx).is_ready() {
            if self.session.connection.blocked() {
                return Poll::Ready(Step::Blocked);
            }
            if self.find_overdue() {
                return Poll::Ready(Step::Lost(None));
            }
        }
        match self.refused.pop_front() {
            Some((corr_id, refusal)) => Poll::Ready(Step::Refused(corr_id, refusal)),
            None => Poll::Pending,
        }
    }

    /// Takes what confirms there are, and sees to it that the next look comes while some are open.
    fn look_at_confirms(&mut self, cx: &mut Context<'_>) {
        self.take_up_fresh();
        while let Poll::Ready(Some(confirmed)) = self.confirms.poll_next_unpin(&mut unwoken()) {
            self.settle(confirmed);
        }
        if self.confirms.is_empty() && self.session.rest() {
            return;
        }
        while self.confirms_look.poll_tick(cx).is_ready() {}
    }

    fn take_up_fresh(&mut self) {
        if let Some(fresh) = &mut *self.session.fresh() {
            std::mem::swap(fresh, &mut self.taken_up);
        }
        for published in self.taken_up.drain(..) {
            self.waiting.insert(published.corr_id, published.since);
            self.confirms.push((self.confirm)(published));
        }
    }

    /// Ready when the channel is gone.
    fn poll_answers(&mut self, cx: &mut Context<'_>) -> Poll<Option<lapin::Error>> {
        for _ in 0..ANSWERS_PER_TURN {
            match Pin::new(&mut self.replies).poll_next(cx) {
                Poll::Ready(Some(Ok(delivery))) => self.pass_on(delivery),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(error)),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn pass_on(&mut self, delivery: Delivery) {
        self.session.activity.came(Instant::now());
        let Some(answer) = read_answer(delivery, self.answer_bytes_max) else {
            self.counts.answer_of_nobody();
            return;
        };
        if !self.events.tell_now(LineEvent::Answer(answer)) {
            self.counts.answer_dropped();
        }
    }

    fn settle(&mut self, (corr_id, confirmation): Confirmed) {
        self.session.unconfirmed.fetch_sub(1, Ordering::AcqRel);
        // An error says that the channel is gone, which the consumer tells.
        let Ok(confirmation) = confirmation else {
            return;
        };
        self.stalled_since = None;
        self.session.stalled.store(false, Ordering::Release);
        let in_time = self.waiting.remove(&corr_id).is_some();
        if confirmation.is_nack() && in_time {
            self.session.activity.settled();
            self.refused.push_back((corr_id, Refusal::QueueFull));
        }
        if let Some(returned) = confirmation.take_message() {
            self.give_back(&returned);
        }
    }

    /// A returned message came with some confirm, not always with its own.
    fn give_back(&mut self, returned: &BasicReturnMessage) {
        self.unroutable.store(true, Ordering::Release);
        if let Some(corr_id) = corr_id(returned) {
            // It has passed twice: out and back.
            self.session.activity.came(Instant::now());
            self.refused.push_back((corr_id, Refusal::Unroutable));
        }
    }

    /// Refuses what waited too long for its confirm. True when the channel should be given up.
    fn find_overdue(&mut self) -> bool {
        let now = Instant::now();
        let overdue: Vec<Uuid> = self
            .waiting
            .iter()
            .filter(|(_, since)| now - **since >= self.publish_timeout)
            .map(|(corr_id, _)| *corr_id)
            .collect();
        for corr_id in overdue {
            self.waiting.remove(&corr_id);
            self.counts.publish_overdue();
            self.refused.push_back((corr_id, Refusal::Broker));
            self.session.stalled.store(true, Ordering::Release);
            self.stalled_since.get_or_insert(now);
        }
        self.stalled_since
            .is_some_and(|since| now - since >= STALLED_LONGEST)
    }
}
