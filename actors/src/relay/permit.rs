//! Who gets a message, and whether it may be sent: receivers, parties, agreement, parts (shs-1.2, 7.3,
//! 7.4, 7.5).

use chrono::Utc;
use shs_schemas::shs::agreement::{Exchange, NoReceiver, Unaddressed};
use shs_schemas::shs::{Actor, Adress, Organisationsnummer};

use super::forward::Work;
use super::transit::Transit;
use crate::directory::{DirectoryAway, Entry};
use crate::failure::{Failure, Rejection};
use crate::transfers::COPIES_MAX;

/// Most receivers of one message: as many copies as an error or a confirmation still leads back to.
pub(super) const RECEIVERS_MAX: usize = COPIES_MAX;

impl From<NoReceiver> for Failure {
    fn from(why: NoReceiver) -> Self {
        match why {
            NoReceiver::NamedUnknown | NoReceiver::NamedMisfit(_) => Self::NamedAgreement,
            NoReceiver::Nobody => Self::NoReceiver,
            NoReceiver::Several(_) => Self::TooManyReceivers,
        }
    }
}

impl Work {
    /// The receivers of a message without `to` (7.4): by local agreements, else by public ones.
    pub(super) async fn receivers(
        &self,
        transit: &Transit,
    ) -> Result<Vec<Organisationsnummer>, Failure> {
        let label = &transit.message.label;
        let rules = &self.context.rules;
        let unaddressed = Unaddressed::of(label, Utc::now()).ok_or(Failure::SenderMissing)?;
        let named = label.agreement.as_ref();
        match rules.agreements.receivers(named, &unaddressed, &[]) {
            Err(NoReceiver::Nobody) if rules.directory && named.is_none() => {}
            found => return Ok(found?),
        }
        let directory = &self.context.neighbours.directory;
        let public = self
            .patiently(|| directory.public_agreements(None, label.product.produkt))
            .await?;
        Ok(rules.agreements.receivers(named, &unaddressed, &public)?)
    }

    /// Receiver and sender must be in the directory; what they are called is filled in (step 13).
    pub(super) async fn know_parties(&self, transit: &mut Transit) -> Result<(), Failure> {
        let label = &mut transit.message.label;
        let to = label
            .to
            .as_ref()
            .map(|to| to.address.organisation().clone());
        let to = self.entry(&to.ok_or(Failure::NoReceiver)?).await?;
        let to = to.ok_or(Failure::UnknownReceiver)?;
        let from = self.entry(&transit.sender).await?;
        let from = from.ok_or(Failure::UnknownSender)?;
        label.fill_names(
            from.name.as_deref(),
            from.labeled_uri.as_deref(),
            to.name.as_deref(),
        );
        Ok(())
    }

    /// What the directory says of an actor.
    pub(super) async fn entry(&self, of: &Organisationsnummer) -> Result<Option<Entry>, Failure> {
        let directory = &self.context.neighbours.directory;
        Ok(self.patiently(|| directory.actor(of)).await?)
    }

    /// Whether an agreement permits the exchange, and asks for a confirmation (step 14).
    pub(super) async fn permit(&self, transit: &Transit) -> Result<bool, Failure> {
        let label = &transit.message.label;
        let rules = &self.context.rules;
        let exchange = Exchange::of(label, Utc::now()).ok_or(Failure::NoAgreement)?;
        let named = label.agreement.as_ref();
        match rules.agreements.permit(named, &exchange, &[]) {
            Err(_) if rules.directory && named.is_none() => {}
            permitted => return Ok(permitted?.confirm()),
        }
        let directory = &self.context.neighbours.directory;
        // A public agreement is one of whoever answers.
        let (_, principal) = exchange.roles();
        let public = self
            .patiently(|| directory.public_agreements(Some(principal), exchange.produkt))
            .await?;
        let permitted = rules.agreements.permit(named, &exchange, &public)?;
        Ok(permitted.confirm())
    }

    /// Whether the parts are those of the product, when it is described here.
    pub(super) fn check_parts(&self, transit: &Transit) -> Result<(), Rejection> {
        self.context.rules.check_parts(&transit.message)
    }

    /// Asks the directory, again and again while it is away, for as long as is set.
    pub(super) async fn patiently<T, F>(&self, look: impl Fn() -> F) -> Result<T, DirectoryAway>
    where
        F: Future<Output = Result<T, DirectoryAway>>,
    {
        let mut patience = self.patience(self.context.settings.directory_patience);
        let mut away = match look().await {
            Err(away) => away,
            found => return found,
        };
        let _seen = self.context.board.without_directory();
        while patience.wait().await {
            away = match look().await {
                Err(away) => away,
                found => return found,
            };
        }
        Err(away)
    }
}

/// The actor that a label names when only its number is known.
#[must_use]
pub(super) fn by_number(organisation: &Organisationsnummer) -> Actor {
    Actor::new(Adress::of(organisation.clone()), None)
}
