//! Steps 16 to 18 of shs-1.2, 7.2: to a service of this node, into a mailbox here, or to another node.

use std::rc::Rc;

use bytes::Bytes;
use chrono::Utc;
use shs_schemas::Sensitive;
use shs_schemas::mime::FileNames;
use shs_schemas::shs::{Adress, Label, Message, WriteOptions};

use super::forward::Work;
use super::push::Freight;
use super::transit::Transit;
use crate::contained::ON_ARBITER_BYTES_MAX;
use crate::failure::{Failure, Rejection};
use crate::ledger::event::Origin;
use crate::outbox::{NoPlace, Place, Stored};
use crate::tally::TransferEnd;

impl Work {
    /// Delivers a message that may be sent.
    pub(super) async fn deliver(
        self: &Rc<Self>,
        transit: &mut Transit,
        confirm: bool,
    ) -> Result<TransferEnd, Rejection> {
        let label = &transit.message.label;
        let reject = |failure| Rejection::new(failure, label.known_ids());
        let to = label
            .to
            .as_ref()
            .ok_or_else(|| reject(Failure::NoReceiver))?;
        let to = to.address.clone();
        let rules = &self.context.rules;
        if rules.is_for_a_service(label) {
            self.serve(transit, confirm).await
        } else if rules.is_local(to.organisation()) {
            // A place first: what waits for one is not written yet.
            let bytes = transit.message.bytes();
            let place = self.place(&to, transit.receiver_place.take(), bytes).await;
            let place = place.map_err(reject)?;
            let message = self.written(&transit.message, &to).await;
            place.put(Stored {
                label: transit.message.label_as_written(),
                message,
                arrived: transit.arrived,
                confirm,
                origin: Origin::message(transit.request_id),
            });
            Ok(TransferEnd::Outbox)
        } else if transit.may_leave {
            let freight = Freight::Whole(&transit.message, &to);
            transit.attempts = self.push(label, freight, None).await?;
            Ok(TransferEnd::Pushed)
        } else {
            Err(reject(Failure::NoRelay))
        }
    }

    /// The message as its receiver gets it; big ones are written on the blocking pool.
    pub(super) async fn written(&self, message: &Message, to: &Adress) -> Sensitive<Bytes> {
        let options = self.write_options(to);
        if message.bytes() <= ON_ARBITER_BYTES_MAX {
            return written(message, options);
        }
        let message = message.clone();
        elsewhere(move || written(&message, options)).await
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

    /// A place in a mailbox here for so many bytes: the one that was held, else the next one that
    /// becomes free within the time that is set.
    pub(super) async fn place(
        &self,
        to: &Adress,
        held: Option<Place>,
        bytes: usize,
    ) -> Result<Place, Failure> {
        if let Some(place) = held {
            return Ok(place);
        }
        let mut patience = self.patience(self.context.settings.give_up_after);
        loop {
            match self.context.outboxes.reserve_for(to, bytes) {
                Ok(place) => return Ok(place),
                Err(NoPlace::NotLocal) => return Err(Failure::NoAddress),
                Err(NoPlace::Full) => {}
            }
            if !patience.wait().await {
                return Err(Failure::OutboxFull);
            }
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
        origin: Origin,
    ) -> Result<(TransferEnd, u32), Rejection> {
        let reject = |failure| Rejection::new(failure, label.known_ids());
        let to = label
            .to
            .as_ref()
            .ok_or_else(|| reject(Failure::NoReceiver))?;
        if !self.context.rules.is_local(to.address.organisation()) {
            let attempts = self.push(label, Freight::Written(message), None).await?;
            return Ok((TransferEnd::Pushed, attempts));
        }
        let stored = Stored {
            label: label.clone(),
            message,
            arrived: Utc::now(),
            confirm,
            origin,
        };
        let bytes = stored.message.expose().len();
        let place = self.place(&to.address, place, bytes).await;
        place.map_err(reject)?.put(stored);
        Ok((TransferEnd::Outbox, 1))
    }
}

/// Does this on the blocking pool, so that a big message does not hold up the others.
async fn elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match crate::stack::off_arbiter(work).await {
        Ok(done) => done,
        // The panic goes on where it is contained, one message's task.
        Err(fallen) => std::panic::resume_unwind(Box::new(fallen.to_string())),
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
