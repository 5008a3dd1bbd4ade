//! What the ledger says happened, and how a line of it reads.
//!
//! An event cannot hold free text: every field is an identifier, an address, a product, a word of
//! ours or a number (design 8.4; R-083: "values never"). An identifier is somebody else's choice of
//! characters and stands in a line only when it has the form of a UUID; of the others the line
//! says that there was one (`"id":"opak"`), and has it in a form that only the month's key opens. What
//! names people stands there under a pseudonym that takes the same key.

mod avvikelse;
mod loften;
mod origin;
mod request;
mod upkeep;

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use shs_schemas::ErrorCode;
use shs_schemas::Sensitive;
use shs_schemas::ids::{ContentId, CorrId, TxId};
use shs_schemas::shs::label::{Label, SequenceType, Status, TransferType};
use shs_schemas::shs::{Adress, KnownIds, Produkt};
use uuid::Uuid;

pub use self::avvikelse::{AvvikelseLine, FaultWord};
pub use self::loften::{Aterupptaget, Loften};
pub use self::origin::{Origin, Slag};
pub use self::request::{DelsvarLine, Delutfall, FragaLine};
pub use self::upkeep::{Avlast, Command, Filter, GallradDag, Lagat, Uppehall};
use super::checkpoint::Checkpoint;
use super::keys::MonthKey;
use crate::failure::Source;
use crate::tally::OutcomeClass;

/// Longest line, in bytes: two addresses of 256 with every character escaped, node, identifiers, and
/// three of 256 that are hidden.
pub const LINE_BYTES_MAX: usize = 4096;

/// A time as it stands in a line.
#[must_use]
pub fn stamped(time: DateTime<Utc>) -> impl fmt::Display {
    time.format("%Y-%m-%dT%H:%M:%S%.3fZ")
}

/// A time span as it stands in a line, in milliseconds.
pub(crate) fn ms(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

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

/// The identifiers of the message that an event is about (shs-1.2, 1.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ids {
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
        let mut ids = Self::default();
        ids.tx_id = ids.keep(0, tx.map(TxId::as_str));
        ids.corr_id = ids.keep(1, corr.map(CorrId::as_str));
        ids.content_id = ids.keep(2, content.map(ContentId::as_str));
        ids
    }

    fn keep(&mut self, place: usize, id: Option<&str>) -> Option<PlainId> {
        let id = id?;
        let kept = PlainId::of(id);
        if kept.is_none() {
            self.id = Some(Opaque::Opak);
            self.opaque[place] = Some(Sensitive::new(id.into()));
        }
        kept
    }

    /// The identifier in this place, hidden.
    fn hidden(&self, place: usize, key: &MonthKey) -> Option<String> {
        let id = self.opaque[place].as_ref()?;
        key.hide(ID_FIELDS[place], id.expose())
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

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub happened: DateTime<Utc>,
    /// The node's own name of the request.
    pub request_id: Uuid,
    /// To which message.
    pub ids: Ids,
    /// What.
    pub what: What,
}

impl Event {
    /// It happens now.
    #[must_use]
    pub fn now(request_id: Uuid, ids: Ids, what: What) -> Self {
        Self {
            happened: Utc::now(),
            request_id,
            ids,
            what,
        }
    }

    /// Writes the event as one object of JSON, without line end, behind what `out` holds. Without a key
    /// of the month it says nothing of people, and of hidden identifiers only that there are some.
    ///
    /// # Errors
    /// When it cannot be written as JSON, which none of its types allows; `out` is as before.
    pub(super) fn write(
        &self,
        node: &str,
        key: Option<&MonthKey>,
        out: &mut Vec<u8>,
    ) -> serde_json::Result<()> {
        let before = out.len();
        let line = Line {
            time: stamped(self.happened),
            what: &self.what,
            node,
            request_id: self.request_id,
            ids: &self.ids,
            keyed: key.map(|key| Keyed::of(self, key)),
        };
        let written = serde_json::to_writer(&mut *out, &line);
        if written.is_err() {
            out.truncate(before);
        }
        written
    }

    /// Whether a line of it has something that takes a key.
    pub(super) fn is_keyed(&self) -> bool {
        let is_secret = matches!(self.what, What::Fraga(_) | What::Delsvar(_));
        is_secret || self.ids.id.is_some()
    }
}

/// What takes the key of the month.
#[derive(Default, Serialize)]
struct Keyed {
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
    fn of(event: &Event, key: &MonthKey) -> Self {
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

#[derive(Serialize)]
struct Line<'e, T: fmt::Display> {
    #[serde(serialize_with = "text")]
    time: T,
    #[serde(flatten)]
    what: &'e What,
    node: &'e str,
    request_id: Uuid,
    #[serde(flatten)]
    ids: &'e Ids,
    #[serde(flatten)]
    keyed: Option<Keyed>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum What {
    /// A message was taken in.
    Mottaget(Mottaget),
    /// A question has its reply, which is on its way.
    Besvarat {
        /// Which kind of reply.
        #[serde(serialize_with = "word")]
        outcome: OutcomeClass,
        /// From receipt to reply, in milliseconds.
        ms: u64,
        /// Size of the reply, in bytes.
        bytes: u64,
    },
    /// A message reached the next one who answers for it.
    Levererat {
        /// What was delivered.
        slag: Slag,
        /// By which way.
        way: Way,
        /// Tries that it took.
        attempts: u32,
        /// From receipt to delivery, of an error or confirmation from its making, in milliseconds.
        ms: u64,
    },
    /// It was replaced by copies, one for each receiver (shs-1.2, 7.4). Each copy has a tx.id and an end of
    /// its own, under the `request_id` of the original: so many ends follow.
    Delat {
        /// How many.
        copies: u32,
    },
    /// It ended in an error.
    Fel {
        /// The code that the sender is told.
        #[serde(serialize_with = "text")]
        code: ErrorCode,
        /// Whose fault.
        #[serde(serialize_with = "word")]
        class: Source,
        /// In which step.
        #[serde(rename = "where")]
        place: Place,
    },
    /// The receiver's system acknowledged it in its mailbox.
    Kvitterat {
        /// What was acknowledged.
        slag: Slag,
    },
    /// A confirmation was sent or received (shs-1.2, 7.10).
    Bekraftelse {
        /// Which of the two.
        direction: Direction,
    },
    /// A message came whose tx.id was known already (shs-1.2, 5.3).
    Duplett,
    /// It ended without reply or error.
    Avbrutet {
        /// Why.
        reason: Avbrott,
    },
    /// Its content was wiped.
    Gallrat {
        /// What was wiped, when it lay in a mailbox.
        #[serde(skip_serializing_if = "Option::is_none")]
        slag: Option<Slag>,
        /// Why now.
        reason: Gallring,
        /// From receipt to wiping, in milliseconds.
        ms: u64,
    },
    /// Something was odd about one authority's answer (design 8.6; R-085). It ends nothing.
    Avvikelse(AvvikelseLine),
    /// A handläggare asked, by a message that was taken in.
    Fraga(FragaLine),
    /// What became of the question to one authority.
    Delsvar(DelsvarLine),
    /// The ledger mended what a crash had torn.
    Lagat(Lagat),
    /// A signed statement of how far the ledger reached.
    Kontrollpunkt(Checkpoint),
    /// A day of the ledger was removed.
    #[serde(rename = "gallrad_dag")]
    GallradDag(GallradDag),
    /// The ledger could not write for a while.
    Uppehall(Uppehall),
    /// Somebody read the ledger.
    Avlast(Avlast),
    /// An earlier life of the node accepted a message that never ended: its sender is told (design 9).
    Aterupptaget(Aterupptaget),
    /// What the node found of such messages when it started.
    Loften(Loften),
}

impl What {
    /// The word of checkpoints.
    pub(super) const KONTROLLPUNKT: &str = "kontrollpunkt";
    /// The word of messages that were taken in.
    pub(super) const MOTTAGET: &str = "mottaget";
    /// The word of messages that a new life has taken up.
    pub(super) const ATERUPPTAGET: &str = "aterupptaget";
    /// The word of deliveries.
    pub(super) const LEVERERAT: &str = "levererat";
    /// The word of acknowledgements.
    pub(super) const KVITTERAT: &str = "kvitterat";
    /// The word of messages that were replaced by copies.
    pub(super) const DELAT: &str = "delat";
    /// The word of messages that ended without reply or error.
    pub(super) const AVBRUTET: &str = "avbrutet";
    /// The word of content that was wiped.
    pub(super) const GALLRAT: &str = "gallrat";
    /// The word of mended lines.
    pub(super) const LAGAT: &str = "lagat";
    /// The word of removed days.
    pub(super) const GALLRAD_DAG: &str = "gallrad_dag";
}

/// A message as it was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mottaget {
    /// Sender, in full.
    #[serde(serialize_with = "text")]
    pub from: Adress,
    /// Receiver, in full; none when it is addressed by product.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "text_if_any"
    )]
    pub to: Option<Adress>,
    /// Product.
    #[serde(serialize_with = "text")]
    pub product: Produkt,
    /// Test or production.
    #[serde(serialize_with = "word")]
    pub status: Status,
    /// Synchronous or not.
    #[serde(serialize_with = "word")]
    pub transfer_type: TransferType,
    /// Its place in a conversation.
    #[serde(serialize_with = "word")]
    pub sequence_type: SequenceType,
    /// Size of the whole message, in bytes.
    pub bytes: u64,
    /// Data parts beside the label.
    pub parts: u32,
}

/// The ways of delivering a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Into a mailbox here.
    Outbox,
    /// To the receiver's node.
    Push,
}

/// The steps in which a message can end in an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Before the HTTP answer.
    Mottagning,
    /// In a check after 202 (shs-1.2, 7.2).
    Kontroll,
    /// While its answer was made.
    Sammanstallning,
    /// On the way to the receiver.
    Leverans,
    /// In the mailbox.
    Hamtning,
    /// The node was started anew while it was open (design 9).
    Omstart,
    /// At another node, which said so (shs-1.2, 6.3).
    #[serde(rename = "annan_nod")]
    AnnanNod,
}

/// Which way a confirmation went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Ours, to the sender.
    Skickad,
    /// Another node's, to us.
    Mottagen,
}

/// Why a message ended without reply or error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Avbrott {
    /// The caller hung up.
    AnroparenBorta,
    /// The node went down.
    Nedstangning,
    /// The actor that held it fell.
    AktorFoll,
    /// Its `mottaget` was not confirmed in time: the sender was refused.
    EjAntecknat,
    /// It was left by an earlier life of the node, and its sender sent it again: that one counts.
    Omsand,
    /// It was left by an earlier life of the node, so long ago that its sender is told no more.
    ForGammalt,
    /// It was left by an earlier life of the node, and its tx.id went with the key of its month.
    NyckelBorta,
}

/// Why the content of a message was wiped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gallring {
    /// It was answered or delivered.
    Levererat,
    /// The receiver acknowledged it.
    Kvitterat,
    /// It ended in an error, or without a reply.
    Avslutat,
    /// Nobody fetched it in time.
    TidenUte,
    /// It was fetched, and nobody acknowledged it in time.
    EjKvitterat,
}

fn text<T: fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[expect(clippy::ref_option, reason = "the signature is serde's")]
fn text_if_any<T: fmt::Display, S: Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

fn stamp<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&stamped(*time))
}

fn word<T: Word, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.word())
}

/// A value with a word of its own.
trait Word {
    fn word(&self) -> &'static str;
}

impl Word for Status {
    fn word(&self) -> &'static str {
        self.as_str()
    }
}

impl Word for TransferType {
    fn word(&self) -> &'static str {
        self.as_str()
    }
}

impl Word for SequenceType {
    fn word(&self) -> &'static str {
        self.as_str()
    }
}

impl Word for OutcomeClass {
    fn word(&self) -> &'static str {
        self.as_str()
    }
}

impl Word for Source {
    fn word(&self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::TooLarge => "too_large",
            Self::Load => "load",
            Self::NextNode => "next_node",
            Self::Us => "us",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TX: &str = "c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01";

    fn line(ids: Ids, what: What) -> String {
        let event = Event {
            happened: "2026-11-22T23:59:59.9996Z".parse().unwrap(),
            request_id: Uuid::from_u128(7),
            ids,
            what,
        };
        let mut out = Vec::new();
        event.write("samsvar-1", None, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn mottaget(from: &str, to: Option<&str>) -> What {
        What::Mottaget(Mottaget {
            from: Adress::parse(from).unwrap(),
            to: to.map(|to| Adress::parse(to).unwrap()),
            product: Produkt::Error,
            status: Status::Test,
            transfer_type: TransferType::Asynch,
            sequence_type: SequenceType::Adm,
            bytes: 1234,
            parts: 1,
        })
    }

    #[test]
    fn a_line_reads_like_this() {
        let ids = Ids::new(Some(&TxId::parse(TX).unwrap()), None, None);
        assert_eq!(
            line(ids, mottaget("2120009994.ek\"o", Some("2021009994"))),
            concat!(
                r#"{"time":"2026-11-22T23:59:59.999Z","event":"mottaget","#,
                r#""from":"urn:X-shs:2120009994.ek\"o","to":"urn:X-shs:2021009994","#,
                r#""product":"urn:X-shs:error","status":"test","transfer_type":"asynch","#,
                r#""sequence_type":"adm","bytes":1234,"parts":1,"node":"samsvar-1","#,
                r#""request_id":"00000000-0000-0000-0000-000000000007","#,
                r#""tx_id":"c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01"}"#,
            )
        );
        let fel = What::Fel {
            code: ErrorCode::MissingAgreement,
            class: Source::Caller,
            place: Place::AnnanNod,
        };
        for (what, expected) in [
            (
                fel,
                r#""event":"fel","code":"MissingAgreement","class":"caller","where":"annan_nod","#,
            ),
            (
                What::Kvitterat { slag: Slag::Svar },
                r#""event":"kvitterat","slag":"svar","node""#,
            ),
            (
                What::Levererat {
                    slag: Slag::FelOmSvar,
                    way: Way::Push,
                    attempts: 2,
                    ms: 31,
                },
                r#""event":"levererat","slag":"fel_om_svar","way":"push","attempts":2,"ms":31,"#,
            ),
            (
                What::Avbrutet {
                    reason: Avbrott::AnroparenBorta,
                },
                r#""event":"avbrutet","reason":"anroparen_borta","#,
            ),
        ] {
            let line = line(Ids::default(), what);
            assert!(line.contains(expected), "{line}");
            assert!(!line.contains("opak"), "{line}");
        }
    }

    #[test]
    fn an_identifier_that_is_no_uuid_is_not_written() {
        for odd in [
            "198001019999",
            "ARENDE-2026-17",
            "{c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01}",
            "c41f7a102b6d4e5c8f930d1e2a3b4c01",
            "c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c0g",
        ] {
            // Braces are no NMTOKEN: such a one never gets here.
            let Ok(tx_id) = TxId::parse(odd) else {
                assert!(PlainId::of(odd).is_none());
                continue;
            };
            let corr_id = CorrId::parse(TX).unwrap();
            let ids = Ids::new(Some(&tx_id), Some(&corr_id), None);
            let line = line(ids, What::Duplett);
            assert!(!line.contains(odd), "{line}");
            assert!(line.contains(&format!(r#""corr_id":"{TX}","id":"opak"}}"#)));
        }
    }

    #[test]
    fn the_letters_of_a_uuid_are_kept_as_they_came() {
        let upper = TX.to_uppercase();
        assert_eq!(PlainId::of(&upper).unwrap().as_str(), upper);
    }

    #[test]
    fn the_longest_line_is_within_its_bound() {
        let inner = format!("2120009994.{}", "\"".repeat(245));
        let id = TxId::parse(TX).unwrap();
        let (corr, content) = (CorrId::parse(TX).unwrap(), ContentId::parse("x").unwrap());
        let ids = Ids::new(Some(&id), Some(&corr), Some(&content));
        let line = line(ids, mottaget(&inner, Some(&inner)));
        assert!(line.len() > 1024 && line.len() <= LINE_BYTES_MAX - 256);
    }
}
