//! Listens to what a line tells, with a limit on every wait.

use std::time::Duration;

use samsvar_actors::room::Room;
use samsvar_actors::transport::{Answer, Line, LineEvent, LineEvents, Refusal, Traffic, Transport};
use shs_schemas::Uppgiftslamnare;
use tokio::sync::mpsc;
use tokio::time::timeout;
use uuid::Uuid;

/// Longest wait for anything that should come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Room for the answers of one line.
const ANSWERS_BYTES_MAX: usize = 256 * 1024 * 1024;

/// How long something that should not come is listened for.
pub const QUIET: Duration = Duration::from_millis(400);

/// The dispatcher's ear.
pub struct Ear {
    events: mpsc::Receiver<LineEvent>,
    /// How often the line was said to be down.
    pub downs: usize,
}

/// Opens a line and an ear for it.
pub fn open(transport: &dyn Transport, ul: Uppgiftslamnare) -> (Box<dyn Line>, Ear) {
    let (told, events) = LineEvents::channel(Room::new(ANSWERS_BYTES_MAX));
    let line = transport.open(ul, told);
    (line, Ear { events, downs: 0 })
}

/// Opens a line and waits until the party consumes both its queues.
pub async fn open_and_wait(transport: &dyn Transport, ul: Uppgiftslamnare) -> (Box<dyn Line>, Ear) {
    let (line, mut ear) = open(transport, ul);
    ear.up().await;
    ear.consumers(1).await;
    (line, ear)
}

impl Ear {
    /// Waits for an event that `wanted` makes something of; others pass.
    pub async fn until<T>(&mut self, what: &str, wanted: impl Fn(&LineEvent) -> Option<T>) -> T {
        let found = timeout(PATIENCE, async {
            while let Some(event) = self.next().await {
                if let Some(found) = wanted(&event) {
                    return Some(found);
                }
            }
            None
        });
        let found = found
            .await
            .unwrap_or_else(|_| panic!("{what}: not heard of"));
        found.unwrap_or_else(|| panic!("{what}: the line fell silent for good"))
    }

    pub async fn up(&mut self) {
        self.until("up", |event| matches!(event, LineEvent::Up).then_some(()))
            .await;
    }

    pub async fn down(&mut self) {
        self.until("down", |event| {
            matches!(event, LineEvent::Down).then_some(())
        })
        .await;
    }

    /// Waits until that many consumers are told for both kinds of traffic.
    pub async fn consumers(&mut self, count: u32) {
        let mut open = Traffic::ALL.to_vec();
        while !open.is_empty() {
            let told = self
                .until("consumers", |event| match event {
                    LineEvent::Consumers { traffic, count: c } if *c == count => Some(*traffic),
                    _ => None,
                })
                .await;
            open.retain(|traffic| *traffic != told);
        }
    }

    pub async fn answer(&mut self) -> Answer {
        self.until("answer", |event| match event {
            LineEvent::Answer(answer) => Some(answer.clone()),
            _ => None,
        })
        .await
    }

    /// Waits until a question that `send` took is refused after all.
    pub async fn refused(&mut self) -> (Uuid, Refusal) {
        self.until("refusal", |event| match event {
            LineEvent::Refused { corr_id, refusal } => Some((*corr_id, *refusal)),
            _ => None,
        })
        .await
    }

    /// Why a question was refused: at once, or after `send` took it.
    pub async fn refusal(&mut self, sent: Result<(), Refusal>, corr_id: Uuid) -> Refusal {
        match sent {
            Err(refusal) => refusal,
            Ok(()) => loop {
                let (refused, refusal) = self.refused().await;
                if refused == corr_id {
                    return refusal;
                }
            },
        }
    }

    /// Fails when an answer or a refusal is heard within [`QUIET`].
    pub async fn hears_nothing_of_questions(&mut self) {
        let _ = timeout(QUIET, async {
            while let Some(event) = self.next().await {
                if let LineEvent::Answer(_) | LineEvent::Refused { .. } = event {
                    panic!("heard {event:?}");
                }
            }
        })
        .await;
    }

    /// Waits until the line is gone; what was under way may still be heard.
    pub async fn gone(&mut self) {
        let gone = async { while self.next().await.is_some() {} };
        timeout(PATIENCE, gone).await.expect("the line goes away");
    }

    pub async fn next(&mut self) -> Option<LineEvent> {
        let event = self.events.recv().await;
        self.downs += usize::from(matches!(event, Some(LineEvent::Down)));
        event
    }
}
