//! What the directory says about a synchronous message where the configuration says nothing: sender,
//! receiver, public agreement (shs-1.2, 7.2 steps 13 and 14). For an asynchronous message the same is
//! done after the answer, by the relay.

use chrono::{DateTime, Utc};
use shs_schemas::shs::Organisationsnummer;
use shs_schemas::shs::agreement::Exchange;

use super::examination::Examined;
use super::rules::Rules;
use crate::directory::{Directory, DirectoryAway};
use crate::failure::Failure;

impl From<DirectoryAway> for Failure {
    fn from(_: DirectoryAway) -> Self {
        Self::DirectoryAway
    }
}

/// Asks what the examination left open.
///
/// # Errors
/// The reason for refusing the message.
pub(super) async fn settle(
    rules: &Rules,
    directory: &dyn Directory,
    examined: &Examined,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let label = &examined.message.label;
    let receiver = label.to.as_ref().ok_or(Failure::ReceiverMissing)?;
    let receiver = receiver.address.organisation();
    if examined.open.receiver && !exists(directory, receiver).await? {
        return Err(Failure::UnknownReceiver);
    }
    if examined.open.sender && !exists(directory, &examined.sender).await? {
        return Err(Failure::UnknownSender);
    }
    if examined.open.agreement {
        let exchange = Exchange::of(label, now).ok_or(Failure::NoAgreement)?;
        let public = directory
            .public_agreements(Some(receiver), label.product.produkt)
            .await?;
        let named = label.agreement.as_ref();
        rules.agreements.permit(named, &exchange, &public)?;
    }
    Ok(())
}

async fn exists(
    directory: &dyn Directory,
    aktor: &Organisationsnummer,
) -> Result<bool, DirectoryAway> {
    Ok(directory.actor(aktor).await?.is_some())
}
