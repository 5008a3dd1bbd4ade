//! [`ErrorCode`]: the SHS error codes (shs-1.2, 6.1), which every SHS node understands.

use std::fmt;

/// One SHS error code (shs-1.2, 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorCode {
    /// No `to`, and addressing by product finds nobody.
    UnresolvedReceiver,
    /// No valid agreement covers sender, receiver and product.
    MissingAgreement,
    /// There is no place to deliver to: no address, or no local service for the product.
    MissingDeliveryAddress,
    /// Delivery was attempted and failed.
    MissingDeliveryExecution,
    /// The product value is malformed or missing.
    IllegalProductType,
    /// A well-formed product that this node does not know.
    UnknownProductType,
    /// `to` is malformed or not usable.
    IllegalReceiver,
    /// The receiver is no SHS actor, or `to` is missing where it is needed.
    UnknownReceiver,
    /// `from` is malformed or not allowed.
    IllegalSender,
    /// The sender is no SHS actor.
    UnknownSender,
    /// `originator` is malformed by local rules.
    IllegalOriginator,
    /// `end-recipient` is malformed by local rules.
    IllegalEndRecipient,
    /// The MIME message or its label is unusable.
    IllegalMessageStructure,
    /// A data part breaks the rules of its product.
    IllegalDatapartContent,
    /// Everything else; also what an unknown or empty code is read as.
    OtherError,
}

impl ErrorCode {
    /// Every code, in the order of the specification.
    pub const ALL: [Self; 15] = [
        Self::UnresolvedReceiver,
        Self::MissingAgreement,
        Self::MissingDeliveryAddress,
        Self::MissingDeliveryExecution,
        Self::IllegalProductType,
        Self::UnknownProductType,
        Self::IllegalReceiver,
        Self::UnknownReceiver,
        Self::IllegalSender,
        Self::UnknownSender,
        Self::IllegalOriginator,
        Self::IllegalEndRecipient,
        Self::IllegalMessageStructure,
        Self::IllegalDatapartContent,
        Self::OtherError,
    ];

    /// The code as it stands in `X-shs-errorcode` and in `error/@errorcode`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnresolvedReceiver => "UnresolvedReceiver",
            Self::MissingAgreement => "MissingAgreement",
            Self::MissingDeliveryAddress => "MissingDeliveryAddress",
            Self::MissingDeliveryExecution => "MissingDeliveryExecution",
            Self::IllegalProductType => "IllegalProductType",
            Self::UnknownProductType => "UnknownProductType",
            Self::IllegalReceiver => "IllegalReceiver",
            Self::UnknownReceiver => "UnknownReceiver",
            Self::IllegalSender => "IllegalSender",
            Self::UnknownSender => "UnknownSender",
            Self::IllegalOriginator => "IllegalOriginator",
            Self::IllegalEndRecipient => "IllegalEndRecipient",
            Self::IllegalMessageStructure => "IllegalMessageStructure",
            Self::IllegalDatapartContent => "IllegalDatapartContent",
            Self::OtherError => "OtherError",
        }
    }

    /// Reads a code without regard to letter case or blanks at its ends; an unknown or empty one
    /// is [`ErrorCode::OtherError`] (shs-1.2, 3.3 and 6.1).
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        Self::ALL
            .into_iter()
            .find(|code| code.as_str().eq_ignore_ascii_case(text))
            .unwrap_or(Self::OtherError)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_read_back_in_any_letter_case() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::parse(code.as_str()), code);
            assert_eq!(ErrorCode::parse(&code.as_str().to_uppercase()), code);
            assert_eq!(ErrorCode::parse(&format!(" {code}\n")), code);
        }
    }

    #[test]
    fn an_unknown_or_empty_code_is_other_error() {
        for unknown in ["", "  ", "NoSuchCode", "MissingAgreementX"] {
            assert_eq!(ErrorCode::parse(unknown), ErrorCode::OtherError);
        }
    }
}
