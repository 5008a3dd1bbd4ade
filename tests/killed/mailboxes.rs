//! Systems that empty their mailbox, each by its habit.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use samsvar::client::Client;
use samsvar::client::delivery::{DeliveryError, Outbox};
use shs_schemas::ids::TxId;
use shs_schemas::mime::Limits;
use shs_schemas::shs::{Adress, Message};
use tokio_util::sync::CancellationToken;

use crate::draw::Draw;
use crate::lives::{Life, Lives};
use crate::record::{Moment, Record};

/// How a mailbox is emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// As soon as something lies there.
    Prompt,
    /// So, too, but what was fetched is acknowledged after a while.
    Hesitant,
    /// Every few seconds: much dies unread.
    Lazy,
    /// Not before the end.
    Never,
}

/// Pause of a prompt system, in milliseconds.
const PROMPT_MS: (u64, u64) = (20, 120);
const LAZY_MS: (u64, u64) = (1_500, 5_000);
/// Longest wait before an acknowledgement of a hesitant system, in milliseconds.
const HESITATES_MS: u64 = 600;

/// One mailbox and its system.
pub struct Mailbox {
    pub address: &'static str,
    pub habit: Habit,
}

/// What systems of mailboxes share.
#[derive(Clone)]
pub struct Around {
    pub lives: Arc<Lives>,
    pub record: Arc<Record>,
    /// From now on everybody is prompt.
    pub hurry: CancellationToken,
    /// The end.
    pub stop: CancellationToken,
}

impl Mailbox {
    /// Empties it until the end.
    pub async fn run(self, around: Around, mut draw: Draw) {
        let stop = around.stop.clone();
        stop.run_until_cancelled(self.empty(&around, &mut draw))
            .await;
    }

    async fn empty(&self, around: &Around, draw: &mut Draw) {
        let client = Client::new().unwrap();
        let address = Adress::parse(self.address).unwrap();
        loop {
            self.pause(around, draw).await;
            let life = around.lives.current().await;
            let outbox = Outbox::new(client.clone(), &life.delivers, &address).unwrap();
            if let Err(error) = self.round(around, draw, &outbox).await {
                around.judge(&life, self.address, &error);
            }
        }
    }

    async fn pause(&self, around: &Around, draw: &mut Draw) {
        let hurry = &around.hurry;
        let prompt = draw.ms(PROMPT_MS.0, PROMPT_MS.1);
        match self.habit {
            Habit::Never => hurry.cancelled().await,
            Habit::Lazy => {
                let pause = tokio::time::sleep(draw.ms(LAZY_MS.0, LAZY_MS.1));
                hurry.run_until_cancelled(pause).await;
            }
            Habit::Prompt | Habit::Hesitant => {}
        }
        tokio::time::sleep(prompt).await;
    }

    /// Fetches and acknowledges what lies there.
    async fn round(
        &self,
        around: &Around,
        draw: &mut Draw,
        outbox: &Outbox,
    ) -> Result<(), DeliveryError> {
        let listed = outbox.list(&[]).await?.messages;
        for tx_id in listed.into_iter().map(|listed| listed.tx_id) {
            let bytes = outbox.fetch(&tx_id).await?.into_exposed();
            let Some(message) = around.read(bytes, self.address) else {
                continue;
            };
            around.record.arrived(&message, self.address);
            if self.habit == Habit::Hesitant {
                let pause = tokio::time::sleep(draw.ms(0, HESITATES_MS));
                around.hurry.run_until_cancelled(pause).await;
            }
            self.acknowledge(around, outbox, &tx_id, &message).await?;
        }
        Ok(())
    }

    /// An acknowledgement whose answer is lost while the node lives is repeated.
    async fn acknowledge(
        &self,
        around: &Around,
        outbox: &Outbox,
        tx_id: &TxId,
        message: &Message,
    ) -> Result<(), DeliveryError> {
        const AGAIN_AFTER: Duration = Duration::from_millis(50);
        let (record, asked) = (&around.record, around.record.now());
        let mut answer = outbox.acknowledge(tx_id).await;
        if matches!(answer, Err(DeliveryError::Exchange(_))) {
            record.perhaps_taken(message, self.address, asked);
            tokio::time::sleep(AGAIN_AFTER).await;
            answer = outbox.acknowledge(tx_id).await;
        }
        answer?;
        record.taken(message, self.address, asked, Moment::Acknowledged);
        Ok(())
    }
}

impl Around {
    fn read(&self, bytes: Bytes, address: &str) -> Option<Message> {
        let read = Message::read(bytes, None, &Limits::default());
        if read.is_err() {
            self.record.odd(format!("{address} got what is no message"));
        }
        read.ok()
    }

    /// No answer is what a killed node gives. Everything else is odd: who lists sees what is there.
    fn judge(&self, life: &Life, address: &str, error: &DeliveryError) {
        if !matches!(error, DeliveryError::Exchange(_)) {
            self.record
                .odd(format!("{address} in life {}: {error}", life.number));
        }
    }
}
