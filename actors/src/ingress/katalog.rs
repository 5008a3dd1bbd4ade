//! What the directory says about a synchronous message where the configuration says nothing: sender,
//! receiver, public agreement (shs-1.2, 7.2 steps 13 and 14). For an asynchronous message the same is
//! done after the answer, by the relay.

use shs_schemas::ids::AgreementId;
use shs_schemas::shs::Organisationsnummer;
use shs_schemas::shs::agreement::Exchange;

use super::examination::Open;
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
    open: Open,
    exchange: &Exchange,
    named: Option<&AgreementId>,
) -> Result<(), Failure> {
    let receiver = &exchange.receiver;
    if open.receiver && !exists(directory, receiver).await? {
        return Err(Failure::UnknownReceiver);
    }
    if open.sender && !exists(directory, &exchange.sender).await? {
        return Err(Failure::UnknownSender);
    }
    if open.agreement {
        let public = directory
            .public_agreements(Some(receiver), exchange.produkt)
            .await?;
        rules.agreements.permit(named, exchange, &public)?;
    }
    Ok(())
}

async fn exists(
    directory: &dyn Directory,
    aktor: &Organisationsnummer,
) -> Result<bool, DirectoryAway> {
    Ok(directory.actor(aktor).await?.is_some())
}
