//! Steps 16 to 18 of shs-1.2, 7.2: to a service of this node, into a mailbox here, or to another node.

use bytes::Bytes;
use chrono::Utc;
use shs_schemas::Sensitive;
use shs_schemas::mime::FileNames;
use shs_schemas::shs::{Adress, Label, Message, WriteOptions};
use tokio::time::Instant;

use super::forward::Work;
use super::transit::Transit;
use crate::aggregator::READ_ON_ARBITER_BYTES_MAX;
use crate::failure::{Failure, Rejection};
use crate::outbox::{NoPlace, Place, Stored};
use crate::tally::TransferEnd;

impl Work {
    /// Delivers a message that may be sent.
    pub(super) async fn deliver(
        &self,
        transit: &mut Transit,
        confirm: bool,
    ) -> Result<TransferEnd, Rejection> {
        let label = &transit.message.label;
        let reject = |failure| Rejection::new(failure, label.known_ids());
        let to = label
            .to
            .as_ref()
            .ok_or_else(|| reject(Failure::NoReceiver))?;
        let (to, produkt) = (to.address.clone(), label.product.produkt);
        let rules = &self.context.rules;
        if rules.is_own(to.organisation()) && rules.has_service(produkt) {
            self.serve(transit, confirm).await
        } else if rules.is_local(to.organisation()) {
            let place = transit.receiver_place.take();
            let message = self.written(&transit.message, &to).await;
            let stored = Stored {
                label: transit.message.label.clone(),
                message,
                arrived: transit.arrived,
                confirm,
            };
            let laid = self.lay(&to, place, stored).await;
            laid.map(|()| TransferEnd::Outbox).map_err(reject)
        } else if transit.may_leave {
            let message = self.written(&transit.message, &to).await;
            transit.attempts = self.push(&transit.message.label, message, None).await?;
            Ok(TransferEnd::Pushed)
        } else {
            Err(reject(Failure::NoRelay))
        }
    }

    /// The message as its receiver gets it; big ones are written on the blocking pool.
    async fn written(&self, message: &Message, to: &Adress) -> Sensitive<Bytes> {
        let options = self.write_options(to);
        if message.bytes() <= READ_ON_ARBITER_BYTES_MAX {
            return written(message, options);
        }
        let message = message.clone();
        let writing = actix_rt::task::spawn_blocking(move || written(&message, options));
        match writing.await {
            Ok(written) => written,
            // The panic goes on where it is contained, one message's task.
            Err(fallen) => std::panic::resume_unwind(Box::new(fallen.to_string())),
        }
    }

    fn write_options(&self, to: &Adress) -> WriteOptions {
        let rfc2231 = self.context.rules.rfc2231.contains(to.organisation());
        WriteOptions {
            file_names: if rfc2231 {
                FileNames::Rfc2231
            } else {
                FileNames::Latin1
            },
        }
    }

    /// Lays a message into a mailbox here: into the place that was held for it, else into the next one
    /// that becomes free within the time that is set.
    pub(super) async fn lay(
        &self,
        to: &Adress,
        place: Option<Place>,
        stored: Stored,
    ) -> Result<(), Failure> {
        let place = match place {
            Some(place) => place,
            None => self.place(to, stored.message.expose().len()).await?,
        };
        place.put(stored);
        Ok(())
    }

    async fn place(&self, to: &Adress, bytes: usize) -> Result<Place, Failure> {
        let until = Instant::now() + self.context.settings.give_up_after;
        let mut pauses = self.pauses();
        loop {
            match self.context.outboxes.reserve_for(to, bytes) {
                Ok(place) => return Ok(place),
                Err(NoPlace::NotLocal) => return Err(Failure::NoAddress),
                Err(NoPlace::Full) => {}
            }
            let pause = pauses.next();
            if Instant::now() + pause > until {
                return Err(Failure::OutboxFull);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Delivers what this node made itself, the reply to a question; gives the way and the number of
    /// tries.
    pub(super) async fn deliver_own(
        &self,
        label: &Label,
        message: Sensitive<Bytes>,
        place: Option<Place>,
        confirm: bool,
    ) -> Result<(TransferEnd, u32), Rejection> {
        let reject = |failure| Rejection::new(failure, label.known_ids());
        let to = label
            .to
            .as_ref()
            .ok_or_else(|| reject(Failure::NoReceiver))?;
        if !self.context.rules.is_local(to.address.organisation()) {
            let attempts = self.push(label, message, None).await?;
            return Ok((TransferEnd::Pushed, attempts));
        }
        let stored = Stored {
            label: label.clone(),
            message,
            arrived: Utc::now(),
            confirm,
        };
        let laid = self.lay(&to.address, place, stored).await;
        laid.map(|()| (TransferEnd::Outbox, 1)).map_err(reject)
    }
}

fn written(message: &Message, options: WriteOptions) -> Sensitive<Bytes> {
    let written = message.write_for(&options);
    if !written.fits_every_node() {
        tracing::warn!(
            label_end = written.label_end,
            "a label passes 4096 bytes: some nodes refuse it"
        );
    }
    written.body
}
