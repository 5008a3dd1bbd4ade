//! What of a line takes the key of its month: names of people, digests, identifiers that are hidden.

use serde::Serialize;

use super::{Event, What};
use crate::ledger::keys::MonthKey;

/// What takes the key of the month.
#[derive(Default, Serialize)]
pub(super) struct Keyed {
    #[serde(skip_serializing_if = "Option::is_none")]
    handlaggare: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    person: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tx_id_dold: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    corr_id_dold: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_id_dold: Option<String>,
}

impl Keyed {
    /// Of this event.
    pub(super) fn of(event: &Event, key: &MonthKey) -> Self {
        let ids = &event.ids;
        let mut keyed = Self {
            tx_id_dold: ids.hidden(0, key),
            corr_id_dold: ids.hidden(1, key),
            content_id_dold: ids.hidden(2, key),
            ..Self::default()
        };
        match &event.what {
            What::Fraga(fraga) => {
                keyed.handlaggare = Some(key.handlaggare(fraga.handlaggare.expose()));
                let person = fraga.person.iter();
                keyed.person = person.map(|number| key.person(number.expose())).collect();
            }
            What::Delsvar(delsvar) => {
                keyed.digest = delsvar.sha256.as_ref().map(|sha256| key.part(sha256));
            }
            _ => {}
        }
        keyed
    }
}
