//! Which lines: by time, message, event, actor, authority, handläggare or person.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use samsvar_actors::ledger::event::Filter;
use samsvar_actors::ledger::keys::{KeyFile, Month, MonthKey};
use serde_json::{Map, Value};

/// A line.
pub(super) type Fields = Map<String, Value>;

/// Which lines.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct FilterArgs {
    /// From this day or time on, in UTC
    #[arg(long, value_name = "TIME", value_parser = begin)]
    from: Option<DateTime<Utc>>,
    /// Up to and with this day, or before this time, in UTC
    #[arg(long, value_name = "TIME", value_parser = end)]
    to: Option<DateTime<Utc>>,
    /// Of the message with this tx.id
    #[arg(long, value_name = "ID")]
    tx_id: Option<String>,
    /// Of this event
    #[arg(long, value_name = "WORD")]
    event: Option<String>,
    /// Of messages from or to this organisation number or address
    #[arg(long, value_name = "N")]
    aktor: Option<String>,
    /// About this authority
    #[arg(long, value_name = "KOD")]
    bastjanst: Option<String>,
    /// Of this handläggare, by name or user id; takes the keys of the months
    #[arg(long, value_name = "ID")]
    handlaggare: Option<String>,
    /// About this person, by identity number, on a node that notes persons; takes the keys
    #[arg(long, value_name = "NUMBER")]
    person: Option<String>,
    /// Keys of the months; by default those of the node, where they can be read
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Show identifiers that are hidden because they are no UUIDs; takes the keys
    #[arg(long)]
    open_ids: bool,
}

fn time(text: &str) -> Result<DateTime<Utc>, NaiveDate> {
    match text.parse::<NaiveDate>() {
        Ok(day) => Err(day),
        Err(_) => text.parse::<DateTime<Utc>>().map_err(|_| NaiveDate::MIN),
    }
}

const NO_TIME: &str = "a day such as 2026-11-22, or a time such as 2026-11-22T10:00:00Z";

fn begin(text: &str) -> Result<DateTime<Utc>, &'static str> {
    match time(text) {
        Err(NaiveDate::MIN) => Err(NO_TIME),
        Err(day) => Ok(day.and_time(NaiveTime::MIN).and_utc()),
        Ok(time) => Ok(time),
    }
}

fn end(text: &str) -> Result<DateTime<Utc>, &'static str> {
    match time(text) {
        Err(NaiveDate::MIN) => Err(NO_TIME),
        Err(day) => {
            let next = day.succ_opt().ok_or(NO_TIME)?;
            Ok(next.and_time(NaiveTime::MIN).and_utc())
        }
        Ok(time) => Ok(time),
    }
}

/// Filters with the keys that they take.
pub(super) struct Filters<'a> {
    args: &'a FilterArgs,
    keys: BTreeMap<Month, MonthKey>,
}

impl FilterArgs {
    /// What is filtered by. Never the values.
    pub(super) fn kinds(&self) -> Vec<Filter> {
        [
            (self.from.is_some(), Filter::From),
            (self.to.is_some(), Filter::To),
            (self.tx_id.is_some(), Filter::TxId),
            (self.event.is_some(), Filter::Event),
            (self.aktor.is_some(), Filter::Aktor),
            (self.bastjanst.is_some(), Filter::Bastjanst),
            (self.handlaggare.is_some(), Filter::Handlaggare),
            (self.person.is_some(), Filter::Person),
            (self.open_ids, Filter::OpenIds),
        ]
        .into_iter()
        .filter_map(|(is_set, kind)| is_set.then_some(kind))
        .collect()
    }

    /// With the keys in the file that was named, or else in this one.
    pub(super) fn with_keys(&self, beside: &Path) -> Result<Filters<'_>, String> {
        let file = self.keys.as_deref().unwrap_or(beside);
        let is_needed = self.handlaggare.is_some()
            || self.person.is_some()
            || self.open_ids
            || self.keys.is_some();
        let keys = match KeyFile::at(file).load() {
            Ok(keys) => keys,
            Err(error) if is_needed => {
                let hint = match error.kind() {
                    io::ErrorKind::NotFound => ": without the keys nobody can ask about a person",
                    _ => "",
                };
                return Err(format!("{}: {error}{hint}", file.display()));
            }
            Err(_) => BTreeMap::new(),
        };
        Ok(Filters { args: self, keys })
    }
}

/// A field that is text.
pub(super) fn text<'l>(line: &'l Fields, field: &str) -> Option<&'l str> {
    line.get(field)?.as_str()
}

impl Filters<'_> {
    /// Whether lines of a file of this day can be meant. A file may begin with the evening before.
    pub(super) fn may_be_on(&self, day: NaiveDate) -> bool {
        let args = self.args;
        let (begin, end) = (args.from, args.to);
        let after = day
            .succ_opt()
            .map(|day| day.and_time(NaiveTime::MIN).and_utc());
        let before = day
            .pred_opt()
            .map(|day| day.and_time(NaiveTime::MIN).and_utc());
        begin.is_none_or(|begin| after.is_none_or(|after| after > begin))
            && end.is_none_or(|end| before.is_none_or(|before| before < end))
    }

    /// Whether lines of a file of this day can be about what came in the time that was asked for: a message
    /// may be under way for days.
    pub(super) fn may_go_on(&self, day: NaiveDate) -> bool {
        let after = day
            .succ_opt()
            .map(|day| day.and_time(NaiveTime::MIN).and_utc());
        let begin = self.args.from;
        begin.is_none_or(|begin| after.is_none_or(|after| after > begin))
    }

    /// The key of the month that a line was written in.
    fn key(&self, line: &Fields) -> Option<&MonthKey> {
        self.keys.get(&Month::parse(text(line, "time")?)?)
    }

    /// The line, if it is meant; with its identifiers shown where that was asked for.
    pub(super) fn take(&self, line: Fields) -> Option<Fields> {
        self.is_meant(&line).then(|| self.opened(line))
    }

    /// The line with its identifiers shown where that was asked for.
    pub(super) fn opened(&self, mut line: Fields) -> Fields {
        if self.args.open_ids {
            self.open(&mut line);
        }
        line
    }

    fn open(&self, line: &mut Fields) {
        for field in ["tx_id", "corr_id", "content_id"] {
            let hidden = text(line, &format!("{field}_dold"));
            let id = hidden.and_then(|hidden| self.key(line)?.show(field, hidden));
            if let Some(id) = id {
                line.insert(field.to_owned(), Value::String(id));
            }
        }
    }

    fn is_meant(&self, line: &Fields) -> bool {
        let args = self.args;
        let is = |field: &str, wanted: &Option<String>| {
            wanted
                .as_deref()
                .is_none_or(|wanted| text(line, field) == Some(wanted))
        };
        self.is_in_time(line)
            && is("event", &args.event)
            && is("bastjanst", &args.bastjanst)
            && args
                .tx_id
                .as_deref()
                .is_none_or(|wanted| self.is_tx_id(line, wanted))
            && args
                .aktor
                .as_deref()
                .is_none_or(|wanted| is_actor(line, wanted))
            && args.handlaggare.as_deref().is_none_or(|wanted| {
                let name = self.key(line).map(|key| key.handlaggare(wanted));
                name.is_some() && name.as_deref() == text(line, "handlaggare")
            })
            && args.person.as_deref().is_none_or(|wanted| {
                let name = self.key(line).map(|key| key.person(wanted));
                let noted = line.get("person").and_then(Value::as_array);
                name.is_some_and(|name| {
                    noted.is_some_and(|noted| noted.iter().any(|one| one.as_str() == Some(&name)))
                })
            })
    }

    /// Whether the line is of the time that was asked for.
    pub(super) fn is_in_time(&self, line: &Fields) -> bool {
        let (begin, end) = (self.args.from, self.args.to);
        if begin.is_none() && end.is_none() {
            return true;
        }
        let time = text(line, "time").and_then(|time| time.parse::<DateTime<Utc>>().ok());
        time.is_some_and(|time| {
            begin.is_none_or(|begin| time >= begin) && end.is_none_or(|end| time < end)
        })
    }

    fn is_tx_id(&self, line: &Fields, wanted: &str) -> bool {
        if let Some(id) = text(line, "tx_id") {
            return id == wanted;
        }
        let hidden = text(line, "tx_id_dold");
        let id = hidden.and_then(|hidden| self.key(line)?.show("tx_id", hidden));
        id.as_deref() == Some(wanted)
    }
}

/// Whether a message is from or to this actor, whatever inner id the address has.
fn is_actor(line: &Fields, wanted: &str) -> bool {
    ["from", "to"].into_iter().any(|field| {
        let address =
            text(line, field).map(|address| address.strip_prefix("urn:X-shs:").unwrap_or(address));
        address.is_some_and(|address| {
            let inner = address.strip_prefix(wanted);
            inner.is_some_and(|inner| inner.is_empty() || inner.starts_with('.'))
        })
    })
}
