//! One-to-many: a message that agreements give several receivers becomes one copy for each, and each
//! copy goes its own way (shs-1.2, 7.4 step 6).

use std::rc::Rc;

use shs_schemas::ids::LocalId;
use shs_schemas::shs::{Label, Message, Organisationsnummer};
use uuid::Uuid;

use super::entrusted::Entrusted;
use super::forward::Work;
use super::notes;
use super::permit::by_number;
use super::transit::{Passenger, Transit};
use crate::failure::Failure;
use crate::tally::TransferEnd;

impl Work {
    /// Sends the copies on their way. The parts are shared, not copied. How many there are is on disk before:
    /// else the end of one would pass for the end of the message after a crash.
    ///
    /// # Errors
    /// When they are too many beside what is under way, or cannot be noted for as long as anything is tried.
    pub(super) async fn split(
        self: &Rc<Self>,
        transit: &mut Transit,
        receivers: &[Organisationsnummer],
    ) -> Result<TransferEnd, Failure> {
        let passengers = transit.passenger.copies(receivers.len());
        let passengers = passengers.ok_or(Failure::TransfersFull)?;
        let (label, request_id) = (&transit.message.label, transit.request_id);
        self.note_copies(label, receivers.len(), request_id).await?;
        for (receiver, passenger) in receivers.iter().zip(passengers) {
            let copy = self.copy(transit, receiver, passenger);
            let copy = Entrusted::new(copy, &self.context.salvage);
            self.spawn(Rc::clone(self).forward(copy));
        }
        Ok(TransferEnd::Split)
    }

    /// Notes into how many copies it is split, again and again while the disk fails: a line of a try that failed
    /// may stand there all the same, and the one error that came instead would not be enough for an end.
    async fn note_copies(
        &self,
        label: &Label,
        copies: usize,
        request_id: Uuid,
    ) -> Result<(), Failure> {
        let book = &self.context.book;
        let mut patience = self.patience(self.context.settings.give_up_after);
        loop {
            let noted = book.note_durably(notes::delat(label, copies, request_id));
            if noted.await.is_ok() {
                return Ok(());
            }
            if !patience.wait().await {
                book.note(notes::delat(label, 0, request_id));
                return Err(Failure::NotNoted);
            }
        }
    }

    fn copy(
        &self,
        transit: &mut Transit,
        receiver: &Organisationsnummer,
        passenger: Passenger,
    ) -> Transit {
        let mut label = transit.message.label.copy_for(by_number(receiver));
        let node = self.context.rules.node_id.clone();
        let local_id = LocalId::fresh();
        label.received(node, local_id.clone(), transit.arrived);
        self.remember(&label, transit.arrived, local_id);
        Transit {
            message: Message {
                label,
                parts: transit.message.parts.clone(),
            },
            sender: transit.sender.clone(),
            caller: transit.caller.clone(),
            may_leave: transit.may_leave,
            request_id: transit.request_id,
            arrived: transit.arrived,
            since: transit.since,
            // The first copy that needs it has the place; the others look for their own.
            sender_place: transit.sender_place.take(),
            receiver_place: None,
            passenger,
            attempts: 1,
        }
    }
}
