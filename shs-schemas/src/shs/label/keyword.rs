//! The four classifications of a message (shs-1.2, 1.3).

/// Defines an enumerated attribute. Letter case counts: `SYNCH` is no value (shs-1.2, 2.13).
macro_rules! keyword {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// The value as it stands in a label.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// Reads a value, blanks at its ends removed; `None` when it is not one of them.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match crate::xml::trim(text) {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

keyword!(
    /// `transfer-type`.
    TransferType {
        /// Store and forward; the HTTP answer only acknowledges receipt.
        Asynch = "asynch",
        /// Question and answer in one HTTP exchange.
        Synch = "synch",
    }
);
keyword!(
    /// `sequence-type`.
    SequenceType {
        /// Stands alone.
        Event = "event",
        /// Expects a reply.
        Request = "request",
        /// Answers a request.
        Reply = "reply",
        /// Made by nodes themselves: error, confirm.
        Adm = "adm",
    }
);
keyword!(
    /// `status`: marks test traffic.
    Status {
        /// Test traffic.
        Test = "test",
        /// Real traffic.
        Production = "production",
    }
);
keyword!(
    /// `message-type`, and `document-type` of version 1.1.
    MessageType {
        /// One message.
        Simple = "simple",
        /// Several messages bundled; refused everywhere (shs-1.2, 1.3).
        Compound = "compound",
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_trimmed_and_otherwise_exact() {
        assert_eq!(TransferType::parse(" synch\n"), Some(TransferType::Synch));
        assert_eq!(
            SequenceType::parse("adm").map(SequenceType::as_str),
            Some("adm")
        );
        for unknown in ["SYNCH", "", "synchronous"] {
            assert_eq!(TransferType::parse(unknown), None);
        }
    }
}
