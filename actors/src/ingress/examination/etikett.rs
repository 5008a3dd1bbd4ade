//! What a label must say: steps 4 to 6, 11 and 14 of shs-1.2, 7.2, as far as configuration decides.

use chrono::{DateTime, Utc};
use shs_schemas::ids::AgreementId;
use shs_schemas::shs::agreement::{Exchange, NoAgreement};
use shs_schemas::shs::label::{InnerParty, SequenceType, TransferType};
use shs_schemas::shs::{Label, Organisationsnummer, Produkt};

use super::{Open, Route};
use crate::caller::Caller;
use crate::failure::Failure;
use crate::ingress::rules::Rules;

/// Longest `originator` or `end-recipient`, in characters.
const INNER_PARTY_CHARS_MAX: usize = 256;

/// Who sends, proven as far as the caller is known. One of our own systems may leave `from` out, which
/// then is the node's own actor (7.2, steps 5 and 9; 7.6).
pub(super) fn sender(
    rules: &Rules,
    caller: &Caller,
    label: &mut Label,
) -> Result<Organisationsnummer, Failure> {
    if caller.is_internal() {
        label.set_from_if_absent(&rules.own);
    }
    let from = label.from.as_ref().ok_or(Failure::SenderMissing)?;
    let sender = from.address.organisation();
    if caller.speaks_for(sender) {
        Ok(sender.clone())
    } else {
        Err(Failure::NotTheSender)
    }
}

/// What the message asks of the node.
pub(super) fn route(
    rules: &Rules,
    caller: &Caller,
    label: &Label,
    sender: &Organisationsnummer,
    now: DateTime<Utc>,
) -> Result<(Route, Open), Failure> {
    check_classes(rules, label)?;
    check_inner_parties(label)?;
    let own_system =
        !has_been_here(rules, label) && (caller.is_internal() || rules.is_local(sender));
    let receiver = label.to.as_ref().map(|to| to.address.organisation());
    let elsewhere = receiver.is_some_and(|receiver| !rules.is_local(receiver));
    if elsewhere && !own_system {
        return Err(Failure::NoRelay);
    }
    if label.transfer_type == TransferType::Asynch {
        return Ok((Route::Asynch, Open::default()));
    }
    synchronous(rules, label, sender, receiver, now)
}

/// Whether this very transfer has passed this node: then it comes from a node, be it this one to which
/// the directory leads back. Answered as a duplicate it would be lost, for nobody else has it.
fn has_been_here(rules: &Rules, label: &Label) -> bool {
    label.history.iter().any(|passed| {
        passed.node_id == rules.node_id && passed.tx_id.as_ref() == Some(&label.tx_id)
    })
}

/// Whether status, transfer type, sequence type and product go together (1.3; 10, rows 23 and 48).
fn check_classes(rules: &Rules, label: &Label) -> Result<(), Failure> {
    if !rules.statuses.contains(&label.status) {
        return Err(Failure::Status);
    }
    let synch = label.transfer_type == TransferType::Synch;
    match label.sequence_type {
        SequenceType::Reply | SequenceType::Adm if synch => return Err(Failure::NotAQuestion),
        _ => {}
    }
    let administrative = label.sequence_type == SequenceType::Adm;
    match label.product.produkt {
        Produkt::Agreement => Err(Failure::UnknownProduct),
        Produkt::Error | Produkt::Confirm if !administrative => Err(Failure::Combination),
        Produkt::Uuid(_) if administrative => Err(Failure::Combination),
        _ => Ok(()),
    }
}

fn check_inner_parties(label: &Label) -> Result<(), Failure> {
    let usable = |party: &Option<InnerParty>| {
        party.as_ref().is_none_or(|party| {
            let value = party.value.expose();
            value.chars().count() <= INNER_PARTY_CHARS_MAX
                && !value.trim().contains(char::is_control)
        })
    };
    if !usable(&label.originator) {
        Err(Failure::Originator)
    } else if !usable(&label.end_recipient) {
        Err(Failure::EndRecipient)
    } else {
        Ok(())
    }
}

/// A message whose caller waits: for a service of this node, or for another node (steps 12 to 18).
fn synchronous(
    rules: &Rules,
    label: &Label,
    sender: &Organisationsnummer,
    receiver: Option<&Organisationsnummer>,
    now: DateTime<Utc>,
) -> Result<(Route, Open), Failure> {
    let receiver = receiver.ok_or(Failure::ReceiverMissing)?;
    let sender_open = known_or_open(rules, sender).ok_or(Failure::UnknownSender)?;
    let mut receiver_open = false;
    let route = if rules.is_own(receiver) {
        service(rules, label.product.produkt)?
    } else if rules.is_local(receiver) {
        return Err(Failure::NoService);
    } else {
        receiver_open = known_or_open(rules, receiver).ok_or(Failure::UnknownReceiver)?;
        Route::Relay
    };
    let exchange = Exchange::of(label, now).ok_or(Failure::NoAgreement)?;
    let open = Open {
        sender: sender_open,
        receiver: receiver_open,
        agreement: agreement_open(rules, &exchange, label.agreement.as_ref())?,
    };
    Ok((route, open))
}

/// Whether the sender may ask the service for SSBTEK, as far as configuration tells: it is known, and an
/// agreement covers it (steps 13 and 14).
pub(super) fn may_ask(rules: &Rules, exchange: &Exchange) -> Result<Open, Failure> {
    Ok(Open {
        sender: known_or_open(rules, &exchange.sender).ok_or(Failure::UnknownSender)?,
        receiver: false,
        agreement: agreement_open(rules, exchange, None)?,
    })
}

/// The service of the node's own actor for a product (7.11).
fn service(rules: &Rules, product: Produkt) -> Result<Route, Failure> {
    if product == rules.product {
        Ok(Route::Fraga)
    } else if product == rules.ping_product {
        Ok(Route::Ping)
    } else {
        Err(Failure::UnknownProduct)
    }
}

/// False for an actor that is known, true for one that the directory may know, `None` for a stranger.
fn known_or_open(rules: &Rules, aktor: &Organisationsnummer) -> Option<bool> {
    if rules.known.contains(aktor) {
        Some(false)
    } else {
        rules.directory.then_some(true)
    }
}

/// Whether the agreement is still to be looked for among the public ones (7.5).
fn agreement_open(
    rules: &Rules,
    exchange: &Exchange,
    named: Option<&AgreementId>,
) -> Result<bool, Failure> {
    match rules.agreements.find(named, exchange) {
        Ok(_) => Ok(false),
        Err(NoAgreement::None) if rules.directory => Ok(true),
        Err(why) => Err(why.into()),
    }
}

impl From<NoAgreement> for Failure {
    fn from(why: NoAgreement) -> Self {
        match why {
            NoAgreement::Unknown | NoAgreement::NamedMisfit(_) => Self::NamedAgreement,
            NoAgreement::None => Self::NoAgreement,
        }
    }
}
