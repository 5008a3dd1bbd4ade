//! Which `felkod` a reason has where the contract speaks: in a SOAP fault, and in the text of an SHS error
//! about a question (ssbtek-10, 1.2 and 6.2).

use shs_schemas::ssbtek::FaultFelkod;

use super::{Failure, Source};

impl Failure {
    /// The code of the contract. Every reason has one, also those that only an SHS message can have.
    #[must_use]
    pub fn felkod(self) -> FaultFelkod {
        match self {
            Self::Operation | Self::UnknownProduct | Self::Method => FaultFelkod::OkandOperation,
            Self::Personidentitet => FaultFelkod::Personidentitet,
            Self::Tidsperiod => FaultFelkod::Tidsperiod,
            Self::PersonCount => FaultFelkod::AntalPersoner,
            Self::Ingivare
            | Self::MixedIngivare
            | Self::NotTheSender
            | Self::UnknownSender
            | Self::SenderMissing
            | Self::NoAgreement
            | Self::NamedAgreement
            | Self::Status
            | Self::CertificateRefused
            | Self::CertificateHeader
            | Self::Browser
            | Self::NoRelay => FaultFelkod::Obehorig,
            _ => match self.row().source {
                Source::Caller | Source::TooLarge => FaultFelkod::OgiltigFraga,
                Source::Load => FaultFelkod::Overlast,
                Source::NextNode | Source::Us => FaultFelkod::InterntFel,
            },
        }
    }

    /// What the caller of a SOAP service is told instead, where the table speaks of a label or of the
    /// other door: a call has none.
    pub(super) const fn text_of_call(self) -> Option<&'static str> {
        match self {
            Self::Method => Some("Tjänsten anropas med POST; med GET ges dess beskrivning (?wsdl)"),
            Self::SenderMissing => Some("Certifikatet saknas eller står inte för någon aktör"),
            Self::UnknownSender => Some("Den som frågar är inte ansluten"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use shs_schemas::shs::KnownIds;

    use super::*;
    use crate::failure::Rejection;

    #[test]
    fn a_text_about_a_question_begins_with_its_felkod_and_a_fault_says_it_once() {
        for failure in [
            Failure::Question,
            Failure::Operation,
            Failure::MustUnderstand,
            Failure::SoapVersion,
            Failure::TestNotAlone,
            Failure::Ingivare,
            Failure::MixedIngivare,
            Failure::MixedVersions,
            Failure::PersonCount,
            Failure::Personidentitet,
            Failure::Tidsperiod,
        ] {
            let rejection = Rejection::new(failure, KnownIds::default());
            let kod = failure.felkod().kod();
            assert!(rejection.to_string().starts_with(kod), "{rejection}");
            assert!(!rejection.felmeddelande().contains("SSBT-"), "{rejection}");
        }
    }

    #[test]
    fn a_fault_speaks_of_no_label() {
        for failure in [
            Failure::Method,
            Failure::SenderMissing,
            Failure::UnknownSender,
            Failure::NoAgreement,
            Failure::Ingivare,
            Failure::CertificateRefused,
        ] {
            let told = Rejection::new(failure, KnownIds::default()).felmeddelande();
            assert!(
                !told.contains("etikett") && !told.contains("bara"),
                "{told}"
            );
        }
    }

    #[test]
    fn load_is_overload_and_our_own_faults_are_ours() {
        for failure in [
            Failure::NodeOverload,
            Failure::Draining,
            Failure::DirectoryAway,
        ] {
            assert_eq!(failure.felkod(), FaultFelkod::Overlast);
        }
        for failure in [Failure::ActorLost, Failure::Content, Failure::Watchdog] {
            assert_eq!(failure.felkod(), FaultFelkod::InterntFel);
        }
    }
}
