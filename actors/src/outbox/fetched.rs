//! [`Fetched`]: a transfer that is going on.

use std::sync::Arc;

use bytes::Bytes;
use shs_schemas::Sensitive;
use shs_schemas::ids::TxId;
use shs_schemas::shs::Adress;

use super::NotThere;
use super::owner::Owner;

/// A message on its way to who fetches it. Dropping this before [`Fetched::complete`] means that the
/// transfer was interrupted.
#[derive(Debug)]
pub struct Fetched {
    message: Sensitive<Bytes>,
    owner: Arc<Owner>,
    arrival: u64,
    transfer: u64,
    complete: bool,
}

impl Fetched {
    pub(super) fn begin(
        owner: &Arc<Owner>,
        outbox: &Adress,
        tx_id: &TxId,
    ) -> Result<Self, NotThere> {
        let (message, arrival, transfer) = owner.begin(outbox, tx_id)?;
        Ok(Self {
            message,
            owner: Arc::clone(owner),
            arrival,
            transfer,
            complete: false,
        })
    }

    /// The whole message.
    #[must_use]
    pub fn message(&self) -> &Sensitive<Bytes> {
        &self.message
    }

    /// The last byte has been handed over.
    pub fn complete(mut self) {
        self.complete = true;
    }
}

impl Drop for Fetched {
    fn drop(&mut self) {
        self.owner.end(self.arrival, self.transfer, self.complete);
    }
}
