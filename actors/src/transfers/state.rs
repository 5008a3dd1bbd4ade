//! Which state follows which (shs-1.2, 7.1).

use std::fmt;

use serde::{Serialize, Serializer};
use shs_schemas::ErrorCode;

/// State of an asynchronous message. Being fetched is not a state of its own here: a fetch that does
/// not end changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransferState {
    /// Accepted, answered, not processed.
    New,
    /// Delivered to another node.
    Sent,
    /// In the mailbox of a local address.
    Received,
    /// Handed over to the receiver's system.
    Fetched,
    /// Replaced by copies, one for each receiver.
    OneToMany,
    /// Failed.
    Quarantined {
        /// Why.
        code: ErrorCode,
    },
}

impl TransferState {
    /// Number of states.
    pub const COUNT: usize = 6;

    /// The words of the states, in the order of [`Self::index`].
    pub const WORDS: [&'static str; Self::COUNT] = [
        "new",
        "sent",
        "received",
        "fetched",
        "one_to_many",
        "quarantined",
    ];

    /// Its place in [`Self::WORDS`].
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::New => 0,
            Self::Sent => 1,
            Self::Received => 2,
            Self::Fetched => 3,
            Self::OneToMany => 4,
            Self::Quarantined { .. } => 5,
        }
    }

    /// Its word for logs, metrics and the admin page.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        Self::WORDS[self.index()]
    }

    /// Whether `next` may follow. An error message can still come for what was sent or fetched
    /// (shs-1.2, 6.3); what was replaced by copies fails copy by copy.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::New => !matches!(next, Self::New | Self::Fetched),
            Self::Received => matches!(next, Self::Fetched | Self::Quarantined { .. }),
            Self::Sent | Self::Fetched => matches!(next, Self::Quarantined { .. }),
            Self::OneToMany | Self::Quarantined { .. } => false,
        }
    }
}

impl fmt::Display for TransferState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for TransferState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_specification_allows_follows() {
        use TransferState::{Fetched, New, OneToMany, Quarantined, Received, Sent};
        let failed = Quarantined {
            code: ErrorCode::OtherError,
        };
        let states = [New, Sent, Received, Fetched, OneToMany, failed];
        let allowed: Vec<_> = states
            .iter()
            .flat_map(|from| states.iter().map(move |to| (*from, *to)))
            .filter(|(from, to)| from.may_become(*to))
            .collect();
        let expected = [
            (New, Sent),
            (New, Received),
            (New, OneToMany),
            (New, failed),
            (Sent, failed),
            (Received, Fetched),
            (Received, failed),
            (Fetched, failed),
        ];
        assert_eq!(allowed, expected);
        assert_eq!(failed.to_string(), "quarantined");
    }
}
