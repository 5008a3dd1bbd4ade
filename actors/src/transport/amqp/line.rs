//! A line over AMQP, and the task that keeps it up.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use actix_rt::Arbiter;
use arc_swap::ArcSwapOption;
use lapin::options::{BasicConsumeOptions, ConfirmSelectOptions};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionStatus, Consumer};
use shs_schemas::Uppgiftslamnare;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{Instant, sleep, timeout};

use super::contract::DIRECT_REPLY_TO;
use super::counts::Counts;
use super::link::{CONNECTION_CHECK, Link, LinkState};
use super::probe::{Consumers, Probe};
use super::question::QuestionForm;
use super::session::{Session, Step, run};
use super::settings::{AmqpSettings, Backoff, OPEN_TIMEOUT};
use crate::transport::{Line, LineEvent, LineEvents, Question, Refusal, Traffic};

/// The session that stands, if one does.
type Slot = Arc<ArcSwapOption<Session>>;

/// The dispatcher's end of a line. Its task ends, and its channels close, when it is dropped.
pub(super) struct AmqpLine {
    session: Slot,
    task: AbortHandle,
}

impl Line for AmqpLine {
    fn send(&self, question: Question) -> Result<(), Refusal> {
        match &*self.session.load() {
            Some(session) => session.publish(question),
            None => Err(Refusal::Broker),
        }
    }
}

impl Drop for AmqpLine {
    fn drop(&mut self) {
        self.session.store(None);
        self.task.abort();
    }
}

/// What the task of a line works with.
pub(super) struct LineTask {
    pub(super) ul: Uppgiftslamnare,
    pub(super) link: Arc<Link>,
    pub(super) form: Arc<QuestionForm>,
    pub(super) events: LineEvents,
    pub(super) settings: Arc<AmqpSettings>,
    pub(super) counts: Arc<Counts>,
}

impl LineTask {
    /// Starts the line beside its dispatcher: on the arbiter that opens it, if one does.
    pub(super) fn start(self, elsewhere: &tokio::runtime::Handle) -> AmqpLine {
        let session = Slot::default();
        let keeping = self.keep(Arc::clone(&session));
        let task = match Arbiter::try_current() {
            Some(_) => actix_rt::spawn(keeping),
            None => elsewhere.spawn(keeping),
        };
        AmqpLine {
            session,
            task: task.abort_handle(),
        }
    }

    async fn keep(self, slot: Slot) {
        let mut backoff = Backoff::new(&self.settings);
        let mut state = self.link.state();
        let mut down_told = false;
        while let Some(connection) = self.connection(&mut state, &mut down_told).await {
            let begun = Instant::now();
            match timeout(OPEN_TIMEOUT, self.open(connection)).await {
                Ok(Ok(opened)) => {
                    down_told = false;
                    if let Some(blocked) = self.stand(opened, &slot).await {
                        if !self.tell_down(&mut down_told).await {
                            return;
                        }
                        unblocked(&blocked).await;
                    }
                }
                Ok(Err(error)) => tracing::warn!(bastjanst = %self.ul, %error, "line not opened"),
                Err(_) => tracing::warn!(bastjanst = %self.ul, "line not opened in time"),
            }
            if !self.tell_down(&mut down_told).await {
                return;
            }
            sleep(backoff.after(begun.elapsed())).await;
        }
    }

    /// The connection, waited for. Nothing when the dispatcher or the transport is gone.
    async fn connection(
        &self,
        state: &mut watch::Receiver<LinkState>,
        down_told: &mut bool,
    ) -> Option<Arc<Connection>> {
        loop {
            let now = state.borrow_and_update().clone();
            match now {
                LinkState::Up(connection) if connection.status().connected() => {
                    return Some(connection);
                }
                LinkState::Connecting => {}
                LinkState::Up(_) | LinkState::Away => {
                    if !self.tell_down(down_told).await {
                        return None;
                    }
                }
            }
            state.changed().await.ok()?;
        }
    }

    /// Tells once that the line is down. False when the dispatcher is gone.
    async fn tell_down(&self, told: &mut bool) -> bool {
        if *told {
            return !self.events.is_closed();
        }
        *told = true;
        self.events.tell(LineEvent::Down).await
    }

    /// Opens the channels: one to declare and count, one to publish and be answered on.
    async fn open(&self, connection: Arc<Connection>) -> lapin::Result<Opened> {
        let mut probe = Probe::new(self.ul, Arc::clone(&connection));
        let consumers = probe.declare().await;
        let channel = connection.create_channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        let options = BasicConsumeOptions {
            no_ack: true,
            ..BasicConsumeOptions::default()
        };
        let replies = channel
            .basic_consume(
                DIRECT_REPLY_TO.into(),
                "".into(),
                options,
                FieldTable::default(),
            )
            .await?;
        let status = connection.status().clone();
        Ok(Opened {
            session: Arc::new(Session::new(
                channel,
                status.clone(),
                Arc::clone(&self.form),
                self.link.activity(),
            )),
            replies,
            probe,
            consumers,
            connection: status,
        })
    }

    /// Runs a session until its channel is lost, or the broker takes no more: then the connection
    /// is given, which stands.
    async fn stand(&self, opened: Opened, slot: &Slot) -> Option<ConnectionStatus> {
        let Opened {
            session,
            replies,
            probe,
            consumers,
            connection,
        } = opened;
        let unroutable = Arc::new(AtomicBool::new(false));
        let mut running = run(
            Arc::clone(&session),
            replies,
            self.events.clone(),
            Arc::clone(&self.counts),
            Arc::clone(&unroutable),
            &self.settings,
        );
        slot.store(Some(session));
        if !self.tell_up(consumers).await {
            return None;
        }
        let probing = probe.run(
            self.settings.consumer_check,
            unroutable,
            self.events.clone(),
        );
        let mut probing = Aborted(tokio::spawn(probing));
        let error = loop {
            let step = tokio::select! {
                biased;
                step = running.step() => step,
                // It ends only with the dispatcher, or by a panic. A line whose queues nobody looks
                // at would believe its last count for ever: it stands up again.
                ended = &mut probing.0 => {
                    let panicked = ended.is_err_and(|error| error.is_panic());
                    tracing::warn!(bastjanst = %self.ul, panicked, "consumers are no longer counted");
                    Step::Lost(None)
                }
            };
            match step {
                Step::Refused(corr_id, refusal) => {
                    if !self.tell_refused(corr_id, refusal).await {
                        break None;
                    }
                }
                Step::Blocked => {
                    slot.store(None);
                    tracing::warn!(bastjanst = %self.ul, "the broker blocks its publishers");
                    return Some(connection);
                }
                Step::Lost(error) => break error,
            }
        };
        slot.store(None);
        tracing::warn!(bastjanst = %self.ul, error = error.map(tracing::field::display), "line lost");
        None
    }

    async fn tell_up(&self, consumers: Consumers) -> bool {
        if !self.events.tell(LineEvent::Up).await {
            return false;
        }
        for traffic in Traffic::ALL {
            if let Some(count) = consumers[traffic.index()]
                && !self
                    .events
                    .tell(LineEvent::Consumers { traffic, count })
                    .await
            {
                return false;
            }
        }
        true
    }

    async fn tell_refused(&self, corr_id: uuid::Uuid, refusal: Refusal) -> bool {
        self.events
            .tell(LineEvent::Refused { corr_id, refusal })
            .await
    }
}

/// What a session begins with.
struct Opened {
    session: Arc<Session>,
    replies: Consumer,
    probe: Probe,
    consumers: Consumers,
    connection: ConnectionStatus,
}

/// Waits until a connection is not blocked any more, or is lost. lapin can only be asked.
async fn unblocked(connection: &ConnectionStatus) {
    while connection.connected() && connection.blocked() {
        sleep(CONNECTION_CHECK).await;
    }
}

/// Ends a task when dropped.
struct Aborted(JoinHandle<()>);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}
