//! Why a message gets an error instead of a reply, and the one table that maps each reason to its
//! SHS code, whose fault it is, whether to try again, and the text for the caller.
//!
//! Outward text and log text are different things: what stands here goes to the caller and holds
//! nothing of the message; the log line adds `request_id` and the class.

use std::fmt;

use shs_schemas::error_code::ErrorCode;
use shs_schemas::shs::{KnownIds, Organisationsnummer};
use shs_schemas::ssbtek::{Kontrakt, Operation, fel};
use shs_schemas::{Fault, WireError};

use crate::ledger::event::Place;

mod felkod;

/// Whose fault an error is. HTTP derives the status from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The caller must change something.
    Caller,
    /// The caller sent more than is taken.
    TooLarge,
    /// The node has too much to do, or is going down: try again later.
    Load,
    /// The next node on the way did not take the message.
    NextNode,
    /// Something broke here.
    Us,
}

/// Why there is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// MIME, label or a part of it cannot be used; the code says which.
    Unreadable(ErrorCode),
    /// The body passes the limit.
    BodyTooLarge,
    /// The HTTP header block passes the limit.
    HeadersTooLarge,
    /// The body did not come in time.
    SlowSender,
    /// Another HTTP method than POST.
    Method,
    /// `transfer-type="asynch"`, and this node keeps no ledger to note it in.
    Asynchronous,
    /// A synchronous message whose `sequence-type` is neither `request` nor `event`.
    NotAQuestion,
    /// An asynchronous message for a service of this node, which is no `request`.
    NotARequest,
    /// `sequence-type` and product do not go together: `adm` is for `error` and `confirm`.
    Combination,
    /// The label's status is not served here.
    Status,
    /// `to` is missing.
    ReceiverMissing,
    /// `to` is nobody in the directory.
    UnknownReceiver,
    /// `to` has no service for synchronous messages of this product.
    NoService,
    /// Another node sends to somebody who is not one of this node's actors.
    NoRelay,
    /// Neither `from` nor a certificate says who sends.
    SenderMissing,
    /// The certificate does not stand for the actor in `from`.
    NotTheSender,
    /// `from` is nobody in the directory.
    UnknownSender,
    /// `originator` cannot be used.
    Originator,
    /// `end-recipient` cannot be used.
    EndRecipient,
    /// The caller's certificate is no longer, or not, accepted: revoked, ended, of an unknown issuer.
    CertificateRefused,
    /// The plain listener was called by a browser, for whatever page it shows.
    Browser,
    /// The header in which a TLS terminator hands the caller's certificate over cannot be read.
    CertificateHeader,
    /// The product is not served here.
    UnknownProduct,
    /// No agreement covers sender, receiver and product.
    NoAgreement,
    /// The agreement that the label names does not fit.
    NamedAgreement,
    /// `to` is missing, and no agreement tells a receiver.
    NoReceiver,
    /// `to` is missing, and agreements tell more receivers than one message may have.
    TooManyReceivers,
    /// The parts are not those of the product's description.
    Parts,
    /// The directory has no address for receiver and product.
    NoAddress,
    /// The next node did not take the message.
    NotDelivered,
    /// The receiver did not fetch the message in time.
    NotFetched,
    /// The directory does not answer.
    DirectoryAway,
    /// The note of the message could not be written.
    NotNoted,
    /// A mailbox that is needed has no room.
    OutboxFull,
    /// As many asynchronous messages are under way as may be.
    TransfersFull,
    /// No question, or more than may be, in one message.
    PersonCount,
    /// A part is not a valid question.
    Question,
    /// A document that is no operation of a version that is served.
    Operation,
    /// A SOAP header that must be understood and is not.
    MustUnderstand,
    /// A SOAP envelope of another version.
    SoapVersion,
    /// A test of the bastjänster that is not alone in its message.
    TestNotAlone,
    /// The caller may not ask for this ingivare.
    Ingivare,
    /// No person can have this number; a SOAP call asks about nobody else.
    Personidentitet,
    /// A period that ends before it begins, in a SOAP call.
    Tidsperiod,
    /// The parts come from different ingivare.
    MixedIngivare,
    /// The parts are in different versions of the contract.
    MixedVersions,
    /// The node has as many open requests as it may.
    NodeOverload,
    /// This sender has.
    SenderOverload,
    /// The node is shutting down.
    Draining,
    /// The actor that held the request fell.
    ActorLost,
    /// Reading or compiling content failed in a way that should be impossible.
    Content,
    /// The request was still open after its hard limit.
    Watchdog,
    /// The node was started anew while the message was open (design 9).
    Restarted,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct FailureRow {
    /// Code for `X-shs-errorcode` and the management document.
    pub code: ErrorCode,
    /// Whose fault.
    pub source: Source,
    /// Whether the same message may succeed later.
    pub retryable: bool,
    /// Text for the caller: Swedish, for an operator.
    pub text: &'static str,
    /// Whether it is about a question: then an SHS error begins with the felkod (ssbtek-10, 6.2).
    pub about_question: bool,
}

const fn caller(code: ErrorCode, text: &'static str) -> FailureRow {
    FailureRow {
        code,
        source: Source::Caller,
        retryable: false,
        text,
        about_question: false,
    }
}

/// An error about a question, which has a felkod of the contract.
const fn question(text: &'static str) -> FailureRow {
    FailureRow {
        about_question: true,
        ..caller(ErrorCode::IllegalDatapartContent, text)
    }
}

const fn load(text: &'static str) -> FailureRow {
    FailureRow {
        code: ErrorCode::OtherError,
        source: Source::Load,
        retryable: true,
        text,
        about_question: false,
    }
}

const fn ours(text: &'static str) -> FailureRow {
    FailureRow {
        code: ErrorCode::OtherError,
        source: Source::Us,
        retryable: true,
        text,
        about_question: false,
    }
}

impl Failure {
    /// The table.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "one row for each reason")]
    pub const fn row(self) -> FailureRow {
        use ErrorCode as Code;
        match self {
            Self::Unreadable(code) => caller(code, "Meddelandet kan inte läsas"),
            Self::BodyTooLarge => FailureRow {
                code: Code::IllegalMessageStructure,
                source: Source::TooLarge,
                retryable: false,
                text: "Meddelandet är större än vad noden tar emot",
                about_question: false,
            },
            Self::HeadersTooLarge => caller(
                Code::IllegalMessageStructure,
                "HTTP-huvudet är större än vad noden tar emot",
            ),
            Self::SlowSender => caller(
                Code::IllegalMessageStructure,
                "Meddelandet kom inte fram i sin helhet i tid",
            ),
            Self::Method => caller(Code::IllegalMessageStructure, "Tjänsten tar bara emot POST"),
            Self::Asynchronous => caller(
                Code::IllegalMessageStructure,
                "Noden tar bara emot synkrona meddelanden (transfer-type synch)",
            ),
            Self::NotAQuestion => caller(
                Code::IllegalMessageStructure,
                "Ett synkront meddelande ska ha sequence-type request",
            ),
            Self::NotARequest => caller(
                Code::IllegalMessageStructure,
                "Ett meddelande till tjänsten ska ha sequence-type request",
            ),
            Self::Combination => caller(
                Code::IllegalMessageStructure,
                "sequence-type och produkt hör inte ihop: adm är för produkterna error och confirm",
            ),
            Self::Status => caller(
                Code::IllegalMessageStructure,
                "Noden tar inte emot meddelanden med denna status (test eller production)",
            ),
            Self::ReceiverMissing => {
                caller(Code::UnknownReceiver, "Mottagare (to) saknas i etiketten")
            }
            Self::UnknownReceiver => caller(
                Code::UnknownReceiver,
                "Mottagaren i etiketten finns inte i katalogen",
            ),
            Self::NoService => caller(
                Code::MissingDeliveryAddress,
                "Mottagaren har ingen tjänst för synkrona meddelanden med produkten",
            ),
            Self::NoRelay => caller(
                Code::IllegalReceiver,
                "Noden förmedlar inte meddelanden från andra noder till andra än sina egna aktörer",
            ),
            Self::SenderMissing => caller(
                Code::IllegalSender,
                "Avsändare saknas: varken etiketten (from) eller certifikatet anger någon",
            ),
            Self::NotTheSender => caller(
                Code::IllegalSender,
                "Certifikatet står inte för avsändaren (from) i etiketten",
            ),
            Self::UnknownSender => caller(Code::UnknownSender, "Avsändaren är inte ansluten"),
            Self::Originator => caller(
                Code::IllegalOriginator,
                "originator i etiketten är för lång eller har styrtecken",
            ),
            Self::EndRecipient => caller(
                Code::IllegalEndRecipient,
                "end-recipient i etiketten är för lång eller har styrtecken",
            ),
            Self::CertificateRefused => caller(
                Code::IllegalSender,
                "Certifikatet godtas inte: det är spärrat, har löpt ut eller har en okänd utfärdare",
            ),
            Self::Browser => caller(
                Code::IllegalSender,
                "Tjänsten kan inte anropas från en webbläsare",
            ),
            Self::CertificateHeader => caller(
                Code::IllegalSender,
                "Certifikatet som TLS-terminatorn lämnar över kan inte läsas",
            ),
            Self::UnknownProduct => caller(
                Code::UnknownProductType,
                "Produkten i etiketten hanteras inte här",
            ),
            Self::NoAgreement => caller(
                Code::MissingAgreement,
                "Inget giltigt avtal för avsändare och produkt",
            ),
            Self::NamedAgreement => caller(
                Code::MissingAgreement,
                "Avtalet som etiketten anger finns inte eller gäller inte för meddelandet",
            ),
            Self::NoReceiver => caller(
                Code::UnresolvedReceiver,
                "Mottagare (to) saknas och kan inte härledas ur något avtal",
            ),
            Self::TooManyReceivers => caller(
                Code::IllegalReceiver,
                "Mottagare (to) saknas och avtalen ger fler än noden skickar ett meddelande till",
            ),
            Self::Parts => caller(
                Code::IllegalDatapartContent,
                "Datadelarna följer inte produktens beskrivning",
            ),
            Self::NoAddress => caller(
                Code::MissingDeliveryAddress,
                "Katalogen har ingen adress för mottagaren och produkten",
            ),
            Self::NotDelivered => FailureRow {
                code: Code::MissingDeliveryExecution,
                source: Source::NextNode,
                retryable: true,
                text: "Mottagarens nod tog inte emot meddelandet",
                about_question: false,
            },
            Self::NotFetched => caller(
                Code::MissingDeliveryExecution,
                "Mottagaren hämtade inte meddelandet i tid",
            ),
            Self::DirectoryAway => load("Katalogen svarar inte, försök igen senare"),
            Self::NotNoted => load("Meddelandet kunde inte noteras, försök igen senare"),
            Self::OutboxFull => load("Brevlådan är full: hämta och kvittera, försök igen senare"),
            Self::TransfersFull => {
                load("Noden har för många meddelanden på väg, försök igen senare")
            }
            Self::PersonCount => question("Ett meddelande ska ha 1 till 10 frågor"),
            Self::Question => question("Frågan följer inte schemat"),
            Self::Operation => question("Frågan är ingen operation i en version som tjänsten har"),
            Self::MustUnderstand => {
                question("Frågans SOAP-kuvert har ett huvud som måste förstås och inte gör det")
            }
            Self::SoapVersion => question("Frågans SOAP-kuvert är inte av version 1.1"),
            Self::TestNotAlone => {
                question("Operationen testaBastjanstInformation ska vara ensam i sitt meddelande")
            }
            Self::Ingivare => question("Avsändaren får inte fråga för denna ingivare"),
            Self::Personidentitet => question("Ingen person kan ha detta nummer"),
            Self::Tidsperiod => question("En period slutar innan den börjar"),
            Self::MixedIngivare => question("Frågorna i ett meddelande ska ha samma ingivare"),
            Self::MixedVersions => {
                question("Frågorna i ett meddelande ska ha samma kontraktsversion")
            }
            Self::NodeOverload => load("Noden har för många öppna frågor, försök igen senare"),
            Self::SenderOverload => load(
                "Avsändaren har för många öppna frågor eller meddelanden på väg, försök igen senare",
            ),
            Self::Draining => load("Noden stängs av, försök igen senare"),
            Self::ActorLost => ours("Internt fel: frågan kunde inte slutföras"),
            Self::Content => ours("Internt fel: svaret kunde inte sammanställas"),
            Self::Watchdog => ours("Internt fel: frågan slutfördes inte inom sin tidsgräns"),
            Self::Restarted => ours(
                "Noden togs i drift på nytt innan det mottagna meddelandet hade levererats eller \
                 besvarats: skicka det igen",
            ),
        }
    }

    /// The step that an asynchronous message ended in.
    #[must_use]
    pub const fn place(self) -> Place {
        match self {
            Self::NotDelivered | Self::NoAddress | Self::OutboxFull => Place::Leverans,
            Self::NotFetched => Place::Hamtning,
            Self::Restarted => Place::Omstart,
            Self::ActorLost | Self::Content | Self::Watchdog => Place::Sammanstallning,
            _ => Place::Kontroll,
        }
    }

    /// Word for logs.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Unreadable(_) => "unreadable",
            Self::BodyTooLarge => "body_too_large",
            Self::HeadersTooLarge => "headers_too_large",
            Self::SlowSender => "slow_sender",
            Self::Method => "method",
            Self::Asynchronous => "asynchronous",
            Self::NotAQuestion => "not_a_question",
            Self::NotARequest => "not_a_request",
            Self::Combination => "combination",
            Self::Status => "status",
            Self::ReceiverMissing => "receiver_missing",
            Self::UnknownReceiver => "unknown_receiver",
            Self::NoService => "no_service",
            Self::NoRelay => "no_relay",
            Self::SenderMissing => "sender_missing",
            Self::NotTheSender => "not_the_sender",
            Self::Originator => "originator",
            Self::EndRecipient => "end_recipient",
            Self::UnknownSender => "unknown_sender",
            Self::CertificateRefused => "certificate_refused",
            Self::Browser => "browser",
            Self::CertificateHeader => "certificate_header",
            Self::UnknownProduct => "unknown_product",
            Self::NoAgreement => "no_agreement",
            Self::NamedAgreement => "named_agreement",
            Self::NoReceiver => "no_receiver",
            Self::TooManyReceivers => "too_many_receivers",
            Self::Parts => "parts",
            Self::NoAddress => "no_address",
            Self::NotDelivered => "not_delivered",
            Self::NotFetched => "not_fetched",
            Self::DirectoryAway => "directory_away",
            Self::NotNoted => "not_noted",
            Self::OutboxFull => "outbox_full",
            Self::TransfersFull => "transfers_full",
            Self::PersonCount => "person_count",
            Self::Question => "question",
            Self::Operation => "operation",
            Self::MustUnderstand => "must_understand",
            Self::SoapVersion => "soap_version",
            Self::TestNotAlone => "test_not_alone",
            Self::Ingivare => "ingivare",
            Self::Personidentitet => "personidentitet",
            Self::Tidsperiod => "tidsperiod",
            Self::MixedIngivare => "mixed_ingivare",
            Self::MixedVersions => "mixed_versions",
            Self::NodeOverload => "node_overload",
            Self::SenderOverload => "sender_overload",
            Self::Draining => "draining",
            Self::ActorLost => "actor_lost",
            Self::Content => "content",
            Self::Watchdog => "watchdog",
            Self::Restarted => "restarted",
        }
    }
}

/// An error answer: why, for which message, and where the fault is.
#[derive(Clone, Debug)]
pub struct Rejection {
    /// Why.
    pub failure: Failure,
    /// Of which message.
    pub ids: KnownIds,
    /// Which data part, counted from 1.
    pub part: Option<usize>,
    /// The role in the product that is filled wrongly, in the words of the product's description.
    pub role: Option<String>,
    /// What was wrong and where.
    pub fault: Option<WireError>,
    /// What the next node said, when it was the one that refused.
    pub remote_code: Option<ErrorCode>,
    /// Which operation in which version was called, as far as that was seen: a SOAP fault says it.
    pub anrop: Anropsplats,
    /// Who sent the message, if that was proven: for the ledger.
    pub sender: Option<Organisationsnummer>,
}

/// What is known of the operation that was called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Anropsplats {
    /// The version it was called in.
    pub kontrakt: Option<Kontrakt>,
    /// The operation.
    pub operation: Option<Operation>,
}

impl Anropsplats {
    /// What is known here, else what `other` knows.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            kontrakt: self.kontrakt.or(other.kontrakt),
            operation: self.operation.or(other.operation),
        }
    }
}

impl Rejection {
    /// An error about the message as a whole.
    #[must_use]
    pub fn new(failure: Failure, ids: KnownIds) -> Self {
        Self {
            failure,
            ids,
            part: None,
            role: None,
            fault: None,
            remote_code: None,
            anrop: Anropsplats::default(),
            sender: None,
        }
    }

    /// An error that is in a place.
    #[must_use]
    pub fn at(failure: Failure, ids: KnownIds, part: Option<usize>, fault: WireError) -> Self {
        Self {
            failure,
            ids,
            part,
            role: None,
            fault: Some(fault),
            remote_code: None,
            anrop: Anropsplats::default(),
            sender: None,
        }
    }

    /// What the caller of a SOAP service is told: the reason without its felkod, which stands beside it.
    #[must_use]
    pub fn felmeddelande(&self) -> String {
        let text = self.failure.text_of_call();
        let text = text.unwrap_or(self.failure.row().text);
        match (self.failure, &self.fault) {
            (Failure::Question, Some(fault)) => fel::felmeddelande(fault),
            (
                _,
                Some(WireError {
                    element, offset, ..
                }),
            ) => {
                format!("{text} (elementet {element}, position {offset})")
            }
            (_, None) => text.to_owned(),
        }
    }
}

/// The text for the caller: the table's, and where the fault is. Never a piece of the message.
impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = self.failure.row();
        if row.about_question {
            write!(f, "{}: ", self.failure.felkod().kod())?;
        }
        f.write_str(row.text)?;
        if let Some(part) = self.part {
            write!(f, "; datadel {part}")?;
        }
        if let Some(role) = &self.role {
            write!(f, "; {role}")?;
        }
        let Some(WireError {
            element,
            offset,
            fault,
        }) = self.fault
        else {
            return Ok(());
        };
        write!(f, "; {element}, position {offset}: ")?;
        match fault {
            Fault::NotWellFormed(rule) => write!(f, "är inte välformat ({rule})"),
            Fault::Doctype => f.write_str("har en otillåten dokumenttypsdeklaration"),
            Fault::Entity => f.write_str("har en otillåten entitetsreferens"),
            Fault::Encoding => f.write_str("är inte giltig text i sin teckenkodning"),
            Fault::Missing => f.write_str("saknas"),
            Fault::Unexpected => f.write_str("är inte tillåtet här"),
            Fault::Invalid(rule) => write!(f, "är ogiltigt ({rule})"),
            Fault::Limit(name, max) => write!(f, "överskrider gränsen {name} = {max}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_is_told_what_is_wrong_and_where() {
        let fault = WireError::new("arendeidentitet", 812, Fault::Missing);
        let rejection = Rejection::at(Failure::Question, KnownIds::default(), Some(2), fault);
        assert_eq!(
            rejection.to_string(),
            "SSBT-OGILTIG-FRAGA: Frågan följer inte schemat; datadel 2; arendeidentitet, position \
             812: saknas"
        );
    }

    #[test]
    fn only_load_and_our_own_faults_are_worth_another_try() {
        for failure in [Failure::NodeOverload, Failure::Draining, Failure::ActorLost] {
            assert!(failure.row().retryable);
        }
        for failure in [
            Failure::Question,
            Failure::NoAgreement,
            Failure::BodyTooLarge,
        ] {
            assert!(!failure.row().retryable);
        }
    }
}
