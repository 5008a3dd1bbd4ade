//! `samsvar check --explain`: tries a message out before anybody sends it. Goes through the steps of
//! shs-1.2, 7.2 that configuration, agreements and directory decide, and names every obstacle with the
//! code that the sender would get.

mod shown;

use std::path::PathBuf;
use std::sync::Arc;

use chrono::NaiveDate;
use samsvar_actors::directory::{Directory, DirectoryAway, Entry};
use samsvar_actors::failure::Failure;
use samsvar_actors::ingress::rules::Rules;
use serde::Serialize;
use shs_schemas::ids::AgreementId;
use shs_schemas::shs::agreement::{Exchange, Explanation, NoAgreement, NoReceiver, Unaddressed};
use shs_schemas::shs::label::{SequenceType, TransferType};
use shs_schemas::shs::{Organisationsnummer, Produkt};
use tokio::runtime::Handle;

use crate::settings::Settings;
use crate::wiring::{self, WiringError};

/// A message that is tried out.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Who sends.
    pub sender: Organisationsnummer,
    /// Who is to get it; without, the agreements tell (shs-1.2, 7.4).
    pub receiver: Option<Organisationsnummer>,
    /// What product.
    pub produkt: Produkt,
    /// In one HTTP exchange or not.
    pub transfer_type: TransferType,
    /// `event`, `request` or `reply`.
    pub sequence_type: SequenceType,
    /// The agreement that the label names, if it names one.
    pub agreement: Option<AgreementId>,
    /// The day it is in Sweden.
    pub today: NaiveDate,
    /// Whether the SHS directory is asked, as a node would.
    pub ask_directory: bool,
}

/// What would become of a message.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    /// Whether nothing stands in its way.
    pub permitted: bool,
    /// Who sends, and where what comes back goes.
    pub sender: String,
    /// What its caller must show.
    pub certificate: String,
    /// What is known of the product.
    pub product: String,
    /// What stands in the way of the message, whoever gets it.
    pub obstacles: Vec<Obstacle>,
    /// The way to each receiver.
    pub ways: Vec<Way>,
    /// What was not looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<&'static str>,
}

/// The way to one receiver.
#[derive(Clone, Debug, Serialize)]
pub struct Way {
    /// Who gets it.
    pub receiver: String,
    /// How.
    pub delivery: String,
    /// Which agreement applies, or why none does.
    pub agreement: String,
    /// The agreements that were looked at: those that apply first, then the nearest.
    pub candidates: Vec<Tried>,
    /// How many more there are.
    pub more: usize,
    /// What stands in the way to this receiver.
    pub obstacles: Vec<Obstacle>,
}

/// An agreement that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Tried {
    /// Its file.
    pub file: Option<PathBuf>,
    /// Its id.
    pub id: String,
    /// Whether it covers the message.
    pub covers: bool,
    /// In words: that it does, or the first condition that fails.
    pub verdict: String,
}

/// Something that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    /// The SHS error code that the sender gets.
    pub code: &'static str,
    /// What is wrong.
    pub reason: String,
}

impl Obstacle {
    fn new(failure: Failure, reason: impl Into<String>) -> Self {
        Self {
            code: failure.row().code.as_str(),
            reason: reason.into(),
        }
    }
}

/// Tries a message out. `runtime` must be multi-threaded: a connection to the directory lives on it.
///
/// # Errors
/// When the settings cannot be used by a node.
pub async fn explain(
    settings: &Settings,
    trial: &Trial,
    runtime: Handle,
) -> Result<Explained, WiringError> {
    let mut seen = settings.clone();
    if !trial.ask_directory {
        seen.ldap.url = None;
    }
    let bench = Bench {
        settings,
        trial,
        rules: wiring::node(&seen)?.rules,
        directory: wiring::directory(&seen, runtime)?,
    };
    Ok(bench.explained().await)
}

/// What a message is tried against.
struct Bench<'a> {
    settings: &'a Settings,
    trial: &'a Trial,
    rules: Rules,
    directory: Arc<dyn Directory>,
}

impl Bench<'_> {
    async fn explained(&self) -> Explained {
        let mut obstacles = self.combination();
        let sender = self.sender(&mut obstacles).await;
        let ways = match &self.trial.receiver {
            Some(receiver) => vec![self.way(receiver).await],
            None => self.ways(&mut obstacles).await,
        };
        let mut notes = Vec::new();
        if self.settings.ldap.url.is_some() && !self.trial.ask_directory {
            notes.push("the SHS directory was not asked: --directory does");
        }
        Explained {
            permitted: obstacles.is_empty() && ways.iter().all(|way| way.obstacles.is_empty()),
            sender,
            certificate: self.certificate(),
            product: self.product(),
            obstacles,
            ways,
            notes,
        }
    }

    /// Whether transfer type, sequence type and product go together, and are taken here at all.
    fn combination(&self) -> Vec<Obstacle> {
        let asynch = self.trial.transfer_type == TransferType::Asynch;
        let mut obstacles = Vec::new();
        if asynch && self.settings.ledger.folder.is_none() {
            let reason = "without [ledger] folder asynchronous messages are refused";
            obstacles.push(Obstacle::new(Failure::Asynchronous, reason));
        }
        if !asynch && self.trial.sequence_type == SequenceType::Reply {
            let reason = "a synchronous message is a request: its reply comes in the HTTP answer";
            obstacles.push(Obstacle::new(Failure::NotAQuestion, reason));
        }
        if !matches!(self.trial.produkt, Produkt::Uuid(_)) {
            let reason = "error and confirm are for messages with sequence-type adm, which need no \
                          agreement";
            obstacles.push(Obstacle::new(Failure::Combination, reason));
        }
        obstacles
    }

    async fn sender(&self, obstacles: &mut Vec<Obstacle>) -> String {
        let sender = &self.trial.sender;
        let name = match self.directory.actor(sender).await {
            Ok(Some(entry)) => named(&entry),
            Ok(None) => {
                let reason = "the sender is neither an [[aktor]] nor in the directory";
                obstacles.push(Obstacle::new(Failure::UnknownSender, reason));
                sender.as_str().to_owned()
            }
            Err(DirectoryAway) => {
                obstacles.push(Obstacle::new(
                    Failure::DirectoryAway,
                    DirectoryAway.to_string(),
                ));
                sender.as_str().to_owned()
            }
        };
        if self.trial.transfer_type == TransferType::Synch {
            return name;
        }
        let back = if self.rules.is_local(sender) {
            "replies and errors come into its mailbox here".to_owned()
        } else {
            match self.address_for_errors(sender).await {
                Some(url) => format!("errors are sent to {url}"),
                None => "no address: it would not learn of an error".to_owned(),
            }
        };
        format!("{name}; {back}")
    }

    /// Where an error message to the sender goes (shs-1.2, 7.7).
    async fn address_for_errors(&self, sender: &Organisationsnummer) -> Option<String> {
        for produkt in [Produkt::Error, self.trial.produkt] {
            if let Ok(Some(url)) = self.directory.address(sender, produkt).await {
                return Some(url);
            }
        }
        self.directory.any_address(sender).await.ok().flatten()
    }

    /// What proves the sender (shs-1.2, 7.6).
    fn certificate(&self) -> String {
        let listener = &self.settings.listener;
        let sender = &self.trial.sender;
        let mut aktorer = self.settings.aktorer.iter();
        let listed = aktorer.find(|aktor| aktor.organisationsnummer == sender.as_str());
        let listed = match listed.map_or(0, |aktor| aktor.certificates.len()) {
            0 => String::new(),
            1 => ", or the one listed with its [[aktor]]".to_owned(),
            count => format!(", or one of the {count} listed with its [[aktor]]"),
        };
        let way = match (&listener.tls, &listener.terminator) {
            (Some(_), None) => "",
            (_, Some(_)) => " (in the terminator's header when it comes from there)",
            (None, None) => {
                return "none: the listener is plain, whoever reaches it may send as anyone".into();
            }
        };
        format!("one whose subject holds {sender}{listed}{way}")
    }

    fn product(&self) -> String {
        let produkt = self.trial.produkt;
        let mut files = self.settings.products.iter();
        match files.find(|file| file.product.produkt() == produkt) {
            Some(file) => format!("{}: described in {}", produkt.bare(), file.file.display()),
            None => format!("{}: not described, parts are not checked", produkt.bare()),
        }
    }

    /// The ways to those whom the agreements tell (shs-1.2, 7.4).
    async fn ways(&self, obstacles: &mut Vec<Obstacle>) -> Vec<Way> {
        if self.trial.transfer_type == TransferType::Synch {
            let reason = "a synchronous message must say whom it goes to (to)";
            obstacles.push(Obstacle::new(Failure::ReceiverMissing, reason));
            return Vec::new();
        }
        let receivers = match self.receivers().await {
            Ok(receivers) => receivers,
            Err(obstacle) => {
                obstacles.push(obstacle);
                return Vec::new();
            }
        };
        let mut ways = Vec::with_capacity(receivers.len());
        for receiver in &receivers {
            ways.push(self.way(receiver).await);
        }
        ways
    }

    async fn receivers(&self) -> Result<Vec<Organisationsnummer>, Obstacle> {
        let trial = self.trial;
        let message = Unaddressed {
            sender: trial.sender.clone(),
            produkt: trial.produkt,
            transfer_type: trial.transfer_type,
            sequence_type: trial.sequence_type,
            today: trial.today,
        };
        let named = trial.agreement.as_ref();
        let agreements = &self.rules.agreements;
        let found = match agreements.receivers(named, &message, &[]) {
            Err(NoReceiver::Nobody) if self.rules.directory && named.is_none() => {
                let public = self.directory.public_agreements(None, trial.produkt).await;
                let public = public.map_err(away)?;
                agreements.receivers(named, &message, &public)
            }
            found => found,
        };
        found.map_err(|why| Obstacle::new(why.into(), why.to_string()))
    }

    async fn way(&self, receiver: &Organisationsnummer) -> Way {
        let mut obstacles = Vec::new();
        let name = self.receiver(receiver, &mut obstacles).await;
        let delivery = self.delivery(receiver, &mut obstacles).await;
        let exchange = Exchange {
            sender: self.trial.sender.clone(),
            receiver: receiver.clone(),
            produkt: self.trial.produkt,
            transfer_type: self.trial.transfer_type,
            sequence_type: self.trial.sequence_type,
            today: self.trial.today,
        };
        let named = self.trial.agreement.as_ref();
        let explanation = self.rules.agreements.explain(named, &exchange);
        let agreement = self.agreement(&exchange, &explanation, &mut obstacles);
        Way {
            receiver: name,
            delivery,
            agreement: agreement.await,
            candidates: self.candidates(&explanation),
            more: explanation.more,
            obstacles,
        }
    }

    async fn receiver(
        &self,
        receiver: &Organisationsnummer,
        obstacles: &mut Vec<Obstacle>,
    ) -> String {
        match self.directory.actor(receiver).await {
            Ok(Some(entry)) => return named(&entry),
            Ok(None) => {
                let reason = "the receiver is neither an [[aktor]] nor in the directory";
                obstacles.push(Obstacle::new(Failure::UnknownReceiver, reason));
            }
            Err(DirectoryAway) => obstacles.push(away(DirectoryAway)),
        }
        receiver.as_str().to_owned()
    }

    /// How the message gets there (shs-1.2, 7.2, steps 6 and 16 to 18).
    async fn delivery(&self, to: &Organisationsnummer, obstacles: &mut Vec<Obstacle>) -> String {
        let Trial {
            produkt,
            transfer_type,
            ..
        } = *self.trial;
        let synch = transfer_type == TransferType::Synch;
        let own = self.rules.is_own(to);
        if own && self.rules.has_service(produkt) {
            if !synch && self.trial.sequence_type != SequenceType::Request {
                let reason = "a message to a service of this node is a request";
                obstacles.push(Obstacle::new(Failure::NotARequest, reason));
            }
            return "answered by a service of this node".into();
        }
        if self.rules.is_local(to) {
            if synch {
                let failure = if own {
                    Failure::UnknownProduct
                } else {
                    Failure::NoService
                };
                let reason = "there is no service here for synchronous messages of the product";
                obstacles.push(Obstacle::new(failure, reason));
            }
            return "into its mailbox here".into();
        }
        if !self.rules.is_local(&self.trial.sender) {
            let reason = "from another node's actor to another node's actor: passed on only when it \
                          comes over the internal (plain) listener";
            obstacles.push(Obstacle::new(Failure::NoRelay, reason));
        }
        match self.directory.address(to, produkt).await {
            Ok(Some(url)) => format!("sent to {url}"),
            Ok(None) => {
                let reason = "no address of the receiver for the product";
                obstacles.push(Obstacle::new(Failure::NoAddress, reason));
                "nowhere".into()
            }
            Err(DirectoryAway) => {
                obstacles.push(away(DirectoryAway));
                "not known".into()
            }
        }
    }

    /// Which agreement applies, local or public (shs-1.2, 7.5).
    async fn agreement(
        &self,
        exchange: &Exchange,
        explanation: &Explanation<'_>,
        obstacles: &mut Vec<Obstacle>,
    ) -> String {
        let why = match explanation.decision {
            Ok(None) => return "none is needed".into(),
            Ok(Some(agreement)) => return format!("{} applies", self.file_of(&agreement.id)),
            Err(why) => why,
        };
        if why == NoAgreement::None && self.rules.directory {
            let (_, principal) = exchange.roles();
            let public = self
                .directory
                .public_agreements(Some(principal), exchange.produkt)
                .await;
            match public {
                Ok(public) if public.iter().any(|one| one.covers(exchange).is_ok()) => {
                    return format!("a public agreement of {principal} applies");
                }
                Ok(_) => {}
                Err(away_now) => obstacles.push(away(away_now)),
            }
        }
        obstacles.push(Obstacle::new(why.into(), why.to_string()));
        "none applies".into()
    }

    fn candidates(&self, explanation: &Explanation<'_>) -> Vec<Tried> {
        let candidates = explanation.candidates.iter();
        let tried = candidates.map(|candidate| {
            let id = candidate.agreement.id.to_string();
            let text = candidate.to_string();
            let verdict = text.strip_prefix(&format!("{id}: ")).unwrap_or(&text);
            Tried {
                file: self.file(&candidate.agreement.id).cloned(),
                covers: candidate.verdict.is_ok(),
                verdict: verdict.to_owned(),
                id,
            }
        });
        tried.collect()
    }

    fn file(&self, id: &AgreementId) -> Option<&PathBuf> {
        let mut files = self.settings.agreements.iter();
        let found = files.find(|file| file.agreement.id == *id);
        found.map(|found| &found.file)
    }

    fn file_of(&self, id: &AgreementId) -> String {
        let file = self.file(id);
        file.map_or_else(|| id.to_string(), |file| file.display().to_string())
    }
}

fn away(away: DirectoryAway) -> Obstacle {
    Obstacle::new(Failure::DirectoryAway, away.to_string())
}

fn named(entry: &Entry) -> String {
    match &entry.name {
        Some(name) => format!("{} ({name})", entry.organisation),
        None => entry.organisation.to_string(),
    }
}

#[cfg(test)]
mod tests;
