//! Why a message gets an error instead of a reply, and the one table that maps each reason to its
//! SHS code, whose fault it is, whether to try again, and the text for the caller.
//!
//! Outward text and log text are different things: what stands here goes to the caller and holds
//! nothing of the message; the log line adds `request_id` and the class.

use std::fmt;

use shs_schemas::error_code::ErrorCode;
use shs_schemas::shs::KnownIds;
use shs_schemas::{Fault, WireError};

/// Whose fault an error is. HTTP derives the status from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The caller must change something.
    Caller,
    /// The caller sent more than is taken.
    TooLarge,
    /// The node has too much to do, or is going down: try again later.
    Load,
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
    /// `transfer-type="asynch"`.
    Asynchronous,
    /// `sequence-type` is neither `request` nor `event`.
    NotAQuestion,
    /// The label's status is not served here.
    Status,
    /// `to` is missing.
    ReceiverMissing,
    /// `to` is another actor.
    NotOurs,
    /// Neither `from` nor a certificate says who sends.
    SenderMissing,
    /// `from` is nobody in the party register.
    UnknownSender,
    /// The caller's certificate is no longer, or not, accepted: revoked, ended, of an unknown issuer.
    CertificateRefused,
    /// The header in which a TLS terminator hands the caller's certificate over cannot be read.
    CertificateHeader,
    /// The product is not served here.
    UnknownProduct,
    /// No agreement covers sender, receiver and product.
    NoAgreement,
    /// The agreement that the label names does not fit.
    NamedAgreement,
    /// No question, or more than may be, in one message.
    PersonCount,
    /// A part is not a valid question.
    Question,
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
}

const fn caller(code: ErrorCode, text: &'static str) -> FailureRow {
    FailureRow {
        code,
        source: Source::Caller,
        retryable: false,
        text,
    }
}

const fn load(text: &'static str) -> FailureRow {
    FailureRow {
        code: ErrorCode::OtherError,
        source: Source::Load,
        retryable: true,
        text,
    }
}

const fn ours(text: &'static str) -> FailureRow {
    FailureRow {
        code: ErrorCode::OtherError,
        source: Source::Us,
        retryable: true,
        text,
    }
}

impl Failure {
    /// The table.
    #[must_use]
    pub const fn row(self) -> FailureRow {
        use ErrorCode as Code;
        match self {
            Self::Unreadable(code) => caller(code, "Meddelandet kan inte läsas"),
            Self::BodyTooLarge => FailureRow {
                code: Code::IllegalMessageStructure,
                source: Source::TooLarge,
                retryable: false,
                text: "Meddelandet är större än vad noden tar emot",
            },
            Self::HeadersTooLarge => caller(
                Code::IllegalMessageStructure,
                "HTTP-huvudet är större än vad noden tar emot",
            ),
            Self::SlowSender => caller(
                Code::IllegalMessageStructure,
                "Meddelandet kom inte fram i sin helhet i tid",
            ),
            Self::Method => caller(
                Code::IllegalMessageStructure,
                "Mottagningstjänsten tar bara emot POST",
            ),
            Self::Asynchronous => caller(
                Code::IllegalMessageStructure,
                "Noden tar emot synkrona meddelanden (transfer-type synch)",
            ),
            Self::NotAQuestion => caller(
                Code::IllegalMessageStructure,
                "Ett synkront meddelande hit ska ha sequence-type request",
            ),
            Self::Status => caller(
                Code::IllegalMessageStructure,
                "Noden tar inte emot meddelanden med denna status (test eller production)",
            ),
            Self::ReceiverMissing => {
                caller(Code::UnknownReceiver, "Mottagare (to) saknas i etiketten")
            }
            Self::NotOurs => caller(
                Code::MissingDeliveryAddress,
                "Mottagaren i etiketten är inte denna nods aktör",
            ),
            Self::SenderMissing => {
                caller(Code::IllegalSender, "Avsändare (from) saknas i etiketten")
            }
            Self::UnknownSender => caller(
                Code::UnknownSender,
                "Avsändaren i etiketten är inte ansluten",
            ),
            Self::CertificateRefused => caller(
                Code::IllegalSender,
                "Certifikatet godtas inte: det är spärrat, har löpt ut eller har en okänd utfärdare",
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
            Self::PersonCount => caller(
                Code::IllegalDatapartContent,
                "SSBT-ANTAL-PERSONER: ett meddelande ska ha 1 till 10 frågor",
            ),
            Self::Question => caller(
                Code::IllegalDatapartContent,
                "SSBT-OGILTIG-FRAGA: frågan följer inte schemat",
            ),
            Self::MixedIngivare => caller(
                Code::IllegalDatapartContent,
                "SSBT-OBEHORIG: frågorna i ett meddelande ska ha samma ingivare",
            ),
            Self::MixedVersions => caller(
                Code::IllegalDatapartContent,
                "SSBT-OGILTIG-FRAGA: frågorna i ett meddelande ska ha samma kontraktsversion",
            ),
            Self::NodeOverload => load("Noden har för många öppna frågor, försök igen senare"),
            Self::SenderOverload => {
                load("Avsändaren har för många öppna frågor, försök igen senare")
            }
            Self::Draining => load("Noden stängs av, försök igen senare"),
            Self::ActorLost => ours("Internt fel: frågan kunde inte slutföras"),
            Self::Content => ours("Internt fel: svaret kunde inte sammanställas"),
            Self::Watchdog => ours("Internt fel: frågan slutfördes inte inom sin tidsgräns"),
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
            Self::Status => "status",
            Self::ReceiverMissing => "receiver_missing",
            Self::NotOurs => "not_ours",
            Self::SenderMissing => "sender_missing",
            Self::UnknownSender => "unknown_sender",
            Self::CertificateRefused => "certificate_refused",
            Self::CertificateHeader => "certificate_header",
            Self::UnknownProduct => "unknown_product",
            Self::NoAgreement => "no_agreement",
            Self::NamedAgreement => "named_agreement",
            Self::PersonCount => "person_count",
            Self::Question => "question",
            Self::MixedIngivare => "mixed_ingivare",
            Self::MixedVersions => "mixed_versions",
            Self::NodeOverload => "node_overload",
            Self::SenderOverload => "sender_overload",
            Self::Draining => "draining",
            Self::ActorLost => "actor_lost",
            Self::Content => "content",
            Self::Watchdog => "watchdog",
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
    /// What was wrong and where.
    pub fault: Option<WireError>,
}

impl Rejection {
    /// An error about the message as a whole.
    #[must_use]
    pub fn new(failure: Failure, ids: KnownIds) -> Self {
        Self {
            failure,
            ids,
            part: None,
            fault: None,
        }
    }

    /// An error that is in a place.
    #[must_use]
    pub fn at(failure: Failure, ids: KnownIds, part: Option<usize>, fault: WireError) -> Self {
        Self {
            failure,
            ids,
            part,
            fault: Some(fault),
        }
    }
}

/// The text for the caller: the table's, and where the fault is. Never a piece of the message.
impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.failure.row().text)?;
        if let Some(part) = self.part {
            write!(f, "; datadel {part}")?;
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
            "SSBT-OGILTIG-FRAGA: frågan följer inte schemat; datadel 2; arendeidentitet, position \
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
