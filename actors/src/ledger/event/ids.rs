//! The identifiers of messages in a line: as they came, or hidden.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use shs_schemas::Sensitive;
use shs_schemas::ids::{ContentId, CorrId, TxId};
use shs_schemas::shs::KnownIds;
use shs_schemas::shs::label::Label;
use uuid::Uuid;

use crate::ledger::keys::MonthKey;

/// An identifier that may be written down: it has the form of a UUID, in the letters it came in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct PlainId(Box<str>);

impl PlainId {
    /// The identifier, unless it has another form.
    #[must_use]
    pub fn of(id: &str) -> Option<Self> {
        let hyphenated = id.len() == uuid::fmt::Hyphenated::LENGTH && Uuid::try_parse(id).is_ok();
        hyphenated.then(|| Self(id.into()))
    }

    /// The identifier as it stood on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Says that an identifier was there and may not be written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Opaque {
    Opak,
}

/// The identifiers of the message that an event is about (shs-1.2, 1.4). Cheap to clone: all events of a
/// request share them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ids(Arc<Known>);

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Known {
    #[serde(skip_serializing_if = "Option::is_none")]
    tx_id: Option<PlainId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    corr_id: Option<PlainId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_id: Option<PlainId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Opaque>,
    /// Those of another form, in the same order.
    #[serde(skip)]
    opaque: [Option<Sensitive<Box<str>>>; 3],
}

/// The fields of identifiers, in their order.
const ID_FIELDS: [&str; 3] = ["tx_id", "corr_id", "content_id"];

impl Ids {
    /// Those that are known; each is kept only when it has the form of a UUID.
    #[must_use]
    pub fn new(tx: Option<&TxId>, corr: Option<&CorrId>, content: Option<&ContentId>) -> Self {
        let mut known = Known::default();
        known.tx_id = known.keep(0, tx.map(TxId::as_str));
        known.corr_id = known.keep(1, corr.map(CorrId::as_str));
        known.content_id = known.keep(2, content.map(ContentId::as_str));
        Self(Arc::new(known))
    }

    /// Whether one of them has another form, and takes the month's key.
    pub(super) fn has_hidden(&self) -> bool {
        self.0.id.is_some()
    }

    /// The identifier in this place, hidden.
    pub(super) fn hidden(&self, place: usize, key: &MonthKey) -> Option<String> {
        let id = self.0.opaque[place].as_ref()?;
        key.hide(ID_FIELDS[place], id.expose())
    }
}

impl Serialize for Ids {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Known {
    fn keep(&mut self, place: usize, id: Option<&str>) -> Option<PlainId> {
        let id = id?;
        let kept = PlainId::of(id);
        if kept.is_none() {
            self.id = Some(Opaque::Opak);
            self.opaque[place] = Some(Sensitive::new(id.into()));
        }
        kept
    }
}

impl From<&Label> for Ids {
    fn from(label: &Label) -> Self {
        Self::new(
            Some(&label.tx_id),
            Some(&label.corr_id),
            Some(&label.content.id),
        )
    }
}

impl From<&KnownIds> for Ids {
    fn from(known: &KnownIds) -> Self {
        Self::new(
            known.tx_id.as_ref(),
            known.corr_id.as_ref(),
            known.content_id.as_ref(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::PlainId;

    #[test]
    fn the_letters_of_a_uuid_are_kept_as_they_came() {
        let upper = "C41F7A10-2B6D-4E5C-8F93-0D1E2A3B4C01";
        assert_eq!(PlainId::of(upper).unwrap().as_str(), upper);
    }
}
