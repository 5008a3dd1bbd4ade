//! The calls of one nämnd, for its own follow-up: one row for each, and no line of another's.
//!
//! A call is several lines under one `request_id`. Whose it is its `fraga` says (`ingivare`): without one the
//! nämnd is none of the configuration, and nobody gets the row. A call that holds no question is its sender's.
//! Rows stand in the order in which the calls came.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use shs_schemas::shs::{Adress, Organisationsnummer};

use super::filters::{Fields, Filters, text};

/// Calls that are held while their end is awaited. A call that a crash left without one is given as it is
/// when so many have come after it.
pub(super) const HELD_MAX: usize = 100_000;

/// Columns of a CSV file.
pub(super) const COLUMNS: &str = "time,tx_id,request_id,slag,handlaggare,uppgiftslamnare,utfall";

/// One call.
#[derive(Debug, Serialize)]
pub(super) struct Anrop {
    /// When it came.
    time: String,
    /// As the nämnd's own system knows it; none for a SOAP call, or when it is hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    tx_id: Option<String>,
    /// As the answer's log lines at the node know it.
    request_id: String,
    slag: Slag,
    /// Pseudonyms of the month.
    handlaggare: Vec<String>,
    /// What came of the question to each authority, and how often.
    uppgiftslamnare: Vec<Delsvar>,
    /// How it ended; none when the ledger has no end of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    utfall: Option<String>,
    #[serde(skip)]
    whose: Option<Organisationsnummer>,
}

/// How it was called.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Slag {
    ShsSynkront,
    ShsAsynkront,
    Soap,
    /// It was refused before that was known.
    Avvisat,
}

#[derive(Debug, Serialize)]
struct Delsvar {
    bastjanst: String,
    utfall: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    felkod: Option<String>,
    antal: u64,
}

/// Puts the lines of a ledger together to the calls of one nämnd.
pub(super) struct Utdrag<'f> {
    namnd: Organisationsnummer,
    filters: &'f Filters<'f>,
    /// Calls by the place at which they came.
    held: BTreeMap<u64, Anrop>,
    places: HashMap<String, u64>,
    came: u64,
}

impl<'f> Utdrag<'f> {
    /// The calls of this nämnd in the time of the filters.
    pub(super) fn of(namnd: Organisationsnummer, filters: &'f Filters<'f>) -> Self {
        Self {
            namnd,
            filters,
            held: BTreeMap::new(),
            places: HashMap::new(),
            came: 0,
        }
    }

    /// Takes the next line of the ledger; gives the calls that are whole now.
    pub(super) fn take(
        &mut self,
        line: Fields,
        each: &mut dyn FnMut(&Anrop) -> io::Result<()>,
    ) -> io::Result<()> {
        match text(&line, "event") {
            Some("mottaget" | "avvisat") => self.begin(line),
            Some(event) => self.go_on(event, &line),
            None => {}
        }
        while let Some(first) = self.held.first_entry() {
            if first.get().utfall.is_none() && self.held.len() <= HELD_MAX {
                break;
            }
            self.give_first(each)?;
        }
        Ok(())
    }

    /// The ledger is at its end: gives the rest.
    pub(super) fn end(mut self, each: &mut dyn FnMut(&Anrop) -> io::Result<()>) -> io::Result<()> {
        while !self.held.is_empty() {
            self.give_first(each)?;
        }
        Ok(())
    }

    fn give_first(&mut self, each: &mut dyn FnMut(&Anrop) -> io::Result<()>) -> io::Result<()> {
        let Some((_, anrop)) = self.held.pop_first() else {
            return Ok(());
        };
        self.places.remove(&anrop.request_id);
        if anrop.whose.as_ref() == Some(&self.namnd) {
            each(&anrop)?;
        }
        Ok(())
    }

    /// A call comes. One of another sender is held as well: a question in it may be the nämnd's.
    fn begin(&mut self, line: Fields) {
        if !self.filters.is_in_time(&line) {
            return;
        }
        let line = self.filters.opened(line);
        let Some(anrop) = Anrop::of(&line) else {
            return;
        };
        self.came += 1;
        self.places.insert(anrop.request_id.clone(), self.came);
        self.held.insert(self.came, anrop);
    }

    fn go_on(&mut self, event: &str, line: &Fields) {
        let place = text(line, "request_id").and_then(|id| self.places.get(id));
        if let Some(anrop) = place.and_then(|place| self.held.get_mut(place)) {
            anrop.go_on(event, line);
        }
    }
}

fn organisation(address: &str) -> Option<Organisationsnummer> {
    let address = Adress::parse(address).ok()?;
    Some(address.organisation().clone())
}

fn owned(line: &Fields, field: &str) -> Option<String> {
    text(line, field).map(str::to_owned)
}

impl Anrop {
    /// Of the line that it begins with.
    fn of(line: &Fields) -> Option<Self> {
        let refused = text(line, "event") == Some("avvisat");
        let slag = match text(line, "transfer_type") {
            Some("asynch") => Slag::ShsAsynkront,
            // A synchronous message has a receiver, or is refused.
            Some(_) if line.contains_key("to") => Slag::ShsSynkront,
            Some(_) => Slag::Soap,
            None if text(line, "door") == Some("soap") => Slag::Soap,
            None => Slag::Avvisat,
        };
        Some(Self {
            time: owned(line, "time")?,
            tx_id: owned(line, "tx_id"),
            request_id: owned(line, "request_id")?,
            slag,
            handlaggare: Vec::new(),
            uppgiftslamnare: Vec::new(),
            utfall: refused.then(|| ended("avvisat", line, "reason")),
            whose: text(line, "from").and_then(organisation),
        })
    }

    fn go_on(&mut self, event: &str, line: &Fields) {
        match event {
            "fraga" => {
                self.handlaggare.extend(owned(line, "handlaggare"));
                // Without one it is that of a nämnd that the configuration does not know: not the sender's.
                let ingivare = text(line, "ingivare");
                self.whose = ingivare.and_then(|it| Organisationsnummer::parse(it).ok());
            }
            "delsvar" => self.add(line),
            "besvarat" => self.utfall = Some(ended("besvarat", line, "outcome")),
            "fel" if self.utfall.is_none() => self.utfall = Some(ended("fel", line, "code")),
            "avbrutet" if self.utfall.is_none() => {
                self.utfall = Some(ended("avbrutet", line, "reason"));
            }
            "levererat" | "delat" if self.utfall.is_none() => self.utfall = Some(event.to_owned()),
            _ => {}
        }
    }

    fn add(&mut self, line: &Fields) {
        let (Some(bastjanst), Some(utfall)) = (owned(line, "bastjanst"), owned(line, "outcome"))
        else {
            return;
        };
        let felkod = owned(line, "felkod");
        let same = self.uppgiftslamnare.iter_mut().find(|one| {
            (&one.bastjanst, &one.utfall, &one.felkod) == (&bastjanst, &utfall, &felkod)
        });
        if let Some(one) = same {
            one.antal += 1;
            return;
        }
        self.uppgiftslamnare.push(Delsvar {
            bastjanst,
            utfall,
            felkod,
            antal: 1,
        });
    }

    /// Its cells, in the order of [`COLUMNS`].
    pub(super) fn cells(&self) -> [String; 7] {
        let delsvar = self.uppgiftslamnare.iter().map(|one| {
            let felkod = one
                .felkod
                .as_ref()
                .map_or_else(String::new, |kod| format!(":{kod}"));
            let antal = if one.antal > 1 {
                format!("*{}", one.antal)
            } else {
                String::new()
            };
            format!("{}:{}{felkod}{antal}", one.bastjanst, one.utfall)
        });
        let slag = serde_json::to_value(self.slag).ok();
        let slag = slag.as_ref().and_then(Value::as_str).unwrap_or_default();
        [
            self.time.clone(),
            self.tx_id.clone().unwrap_or_default(),
            self.request_id.clone(),
            slag.to_owned(),
            self.handlaggare.join(" "),
            delsvar.collect::<Vec<_>>().join(" "),
            self.utfall.clone().unwrap_or_default(),
        ]
    }
}

/// An end and its reason.
fn ended(event: &str, line: &Fields, why: &str) -> String {
    match text(line, why) {
        Some(why) => format!("{event}:{why}"),
        None => event.to_owned(),
    }
}

/// Writes a call as a line of JSON.
pub(super) fn write_json(out: &mut dyn Write, anrop: &Anrop) -> io::Result<()> {
    serde_json::to_writer(&mut *out, anrop)?;
    out.write_all(b"\n")
}
