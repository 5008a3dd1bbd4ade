//! A TOML file with the environment laid over it, such that every fault still knows where its
//! value came from.
//!
//! The parser gives each value its span in the text. A value from the environment gets a span
//! beyond the end of the text, one place for each variable; so a fault there names the variable
//! instead of a line, through the same code.

use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use super::fault::{Fault, Faults};

/// Largest configuration file, in bytes.
pub(super) const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// How the names of variables begin.
const PREFIX: &str = "SAMSVAR_";
/// What stands between section and key in the name of a variable.
const SEPARATOR: &str = "__";
/// First segment of the variables that concern the party register.
const REGISTER: &str = "uppgiftslamnare";
/// Sections of one section (`ssbtek.skv`) that a variable may name, at most so deep.
const SECTIONS_MAX: usize = 2;
/// The party under which the register shows every setting.
const SHOWN_PARTY: &str = "AF";
/// What every setting looks like: tells how the text of a variable is to be read.
const REFERENCE: &str = include_str!("../../config/samsvar.toml");
const REFERENCE_REGISTER: &str = include_str!("../../config/uppgiftslamnare.toml");

/// One variable: its name, the path of the setting, its text.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    name: String,
    path: Vec<String>,
    text: shs_schemas::Sensitive<String>,
}

/// The variables that override settings.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment {
    main: Vec<Variable>,
    register: Vec<Variable>,
}

impl Environment {
    pub(super) fn of_this_process() -> Self {
        Self::from_pairs(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }))
    }

    pub(super) fn empty() -> Self {
        Self::default()
    }

    pub(super) fn from_pairs(pairs: impl Iterator<Item = (String, String)>) -> Self {
        let mut environment = Self::default();
        for (name, text) in pairs {
            let Some(rest) = name.strip_prefix(PREFIX) else {
                continue;
            };
            if !rest.contains(SEPARATOR) {
                continue;
            }
            let mut path: Vec<String> = rest.split(SEPARATOR).map(str::to_lowercase).collect();
            let of_register = path[0] == REGISTER;
            if of_register {
                path.remove(0);
                // The codes of parties are upper case in the register.
                path[0] = path[0].to_uppercase();
            }
            let variable = Variable {
                name,
                path,
                text: text.into(),
            };
            if of_register {
                environment.register.push(variable);
            } else {
                environment.main.push(variable);
            }
        }
        environment.main.sort_by(|a, b| a.name.cmp(&b.name));
        environment.register.sort_by(|a, b| a.name.cmp(&b.name));
        environment
    }

    /// Variables for the main file.
    pub(super) fn main(&self) -> Overlay<'_> {
        Overlay {
            variables: &self.main,
            reference: REFERENCE,
        }
    }

    /// Variables for the party register.
    pub(super) fn register(&self) -> Overlay<'_> {
        Overlay {
            variables: &self.register,
            reference: REFERENCE_REGISTER,
        }
    }
}

/// The variables that concern one file.
#[derive(Clone, Copy)]
pub(super) struct Overlay<'e> {
    variables: &'e [Variable],
    reference: &'static str,
}

/// A file as it was read. It may hold a password, hence no `Debug`.
pub(super) struct Source {
    pub(super) file: PathBuf,
    text: String,
}

/// A file that parses, with the overlay on it.
pub(super) struct Document<'s> {
    source: &'s Source,
    overlay: Overlay<'s>,
    table: Spanned<DeTable<'s>>,
}

/// Reads a file of at most `bytes_max` bytes.
pub(crate) fn read_bounded(file: &Path, bytes_max: u64) -> Result<Vec<u8>, Fault> {
    let refuse =
        |error: std::io::Error| Fault::in_file(file, None, format!("cannot be read: {error}"));
    let mut bytes = Vec::new();
    std::fs::File::open(file)
        .and_then(|open| open.take(bytes_max + 1).read_to_end(&mut bytes))
        .map_err(refuse)?;
    if bytes.len() as u64 > bytes_max {
        return Err(Fault::in_file(
            file,
            None,
            format!("is larger than {bytes_max} bytes"),
        ));
    }
    Ok(bytes)
}

impl Source {
    pub(super) fn read(file: &Path) -> Result<Self, Faults> {
        let bytes = read_bounded(file, FILE_BYTES_MAX)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Fault::in_file(file, None, "is not text in UTF-8"))?;
        Ok(Self::from_text(file.to_owned(), text))
    }

    pub(super) const fn from_text(file: PathBuf, text: String) -> Self {
        Self { file, text }
    }

    /// Parses the file and lays the variables over it.
    pub(super) fn document<'s>(&'s self, overlay: Overlay<'s>) -> Result<Document<'s>, Faults> {
        let mut table = DeTable::parse(&self.text).map_err(|error| self.fault(&error))?;
        for (place, variable) in overlay.variables.iter().enumerate() {
            let marker = self.text.len() + 1 + place;
            lay_over(table.get_mut(), variable, marker..marker, overlay.reference)?;
        }
        Ok(Document {
            source: self,
            overlay,
            table,
        })
    }

    /// The parser's message and line. Its long form is not used: that quotes the line, and the
    /// line may hold a password.
    fn fault(&self, error: &Error) -> Fault {
        let line = error.span().map(|span| self.line(span.start));
        Fault::in_file(&self.file, line, error.message())
    }

    fn line(&self, offset: usize) -> usize {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        1 + before.matches('\n').count()
    }

    /// A fault of the value at a dotted path (`deadline.limit_s`, `aktor[2].namn`). When the
    /// value comes from the environment, its variable is named; when it stands nowhere, the
    /// nearest section is.
    pub(super) fn fault_at(&self, path: &str, overlay: Overlay<'_>, message: &str) -> Fault {
        let segments: Vec<&str> = path
            .split(['.', '[', ']'])
            .filter(|segment| !segment.is_empty())
            .collect();
        let message = format!("{path}: {message}");
        let variable = overlay
            .variables
            .iter()
            .find(|variable| variable.path.iter().eq(&segments));
        if let Some(variable) = variable {
            return Fault::in_variable(&variable.name, message);
        }
        Fault::in_file(&self.file, self.line_of(&segments), message)
    }

    fn line_of(&self, segments: &[&str]) -> Option<usize> {
        let table = DeTable::parse(&self.text).ok()?;
        let (first, rest) = segments.split_first()?;
        let (key, mut value) = table.get_ref().get_key_value(*first)?;
        let mut offset = key.span().start;
        for segment in rest {
            let next = match value.get_ref() {
                DeValue::Table(table) => table
                    .get_key_value(*segment)
                    .map(|(key, value)| (key.span().start, value)),
                DeValue::Array(array) => segment
                    .parse()
                    .ok()
                    .and_then(|place: usize| array.get(place))
                    .map(|value| (value.span().start, value)),
                _ => None,
            };
            let Some((start, inner)) = next else { break };
            (offset, value) = (start, inner);
        }
        Some(self.line(offset))
    }
}

impl Document<'_> {
    /// Turns the document into settings.
    pub(super) fn deserialise<T: DeserializeOwned>(self) -> Result<T, Faults> {
        let (source, overlay) = (self.source, self.overlay);
        T::deserialize(Deserializer::from(self.table)).map_err(|error| {
            let variable = error
                .span()
                .and_then(|span| span.start.checked_sub(source.text.len() + 1))
                .and_then(|place| overlay.variables.get(place));
            match variable {
                Some(variable) => Fault::in_variable(&variable.name, error.message()).into(),
                None => source.fault(&error).into(),
            }
        })
    }
}

/// Puts one variable into the table. The other way of giving the same secret steps back: a `url`
/// from the environment replaces a `url_file` of the file, and the reverse.
fn lay_over<'t>(
    table: &mut DeTable<'t>,
    variable: &'t Variable,
    marker: Range<usize>,
    reference: &'static str,
) -> Result<(), Fault> {
    let refuse = |message: &str| Fault::in_variable(&variable.name, message);
    let (sections, key) = match variable.path.as_slice() {
        [section, key] => (std::slice::from_ref(section), key),
        // A section within a section, of those that the reference shows.
        [sections @ .., key]
            if sections.len() == SECTIONS_MAX && is_section(sections, reference) =>
        {
            (sections, key)
        }
        _ => return Err(refuse("must name one section and one key")),
    };
    let value = Spanned::new(
        marker.clone(),
        value_of(variable, sections, key, reference).map_err(refuse)?,
    );
    let mut inner = table;
    for section in sections {
        let name = Spanned::new(marker.clone(), section.as_str().into());
        let found = inner
            .entry(name)
            .or_insert_with(|| Spanned::new(marker.clone(), DeValue::Table(DeTable::new())));
        let DeValue::Table(next) = found.get_mut() else {
            return Err(refuse("lists are set in the file only"));
        };
        inner = next;
    }
    let twin = key
        .strip_suffix("_file")
        .map_or_else(|| format!("{key}_file"), ToOwned::to_owned);
    inner.remove(twin.as_str());
    inner.remove(key.as_str());
    inner.insert(Spanned::new(marker, key.as_str().into()), value);
    Ok(())
}

/// The variable's text as the kind of value that the setting has.
fn value_of<'t>(
    variable: &'t Variable,
    sections: &[String],
    key: &str,
    reference: &'static str,
) -> Result<DeValue<'t>, &'static str> {
    let text = variable.text.expose();
    if is_text(sections, key, reference) {
        return Ok(DeValue::String(text.as_str().into()));
    }
    DeValue::parse(text)
        .map(Spanned::into_inner)
        .map_err(|_| "is not a value of the kind that this setting has")
}

/// Whether the setting holds text. Numbers, flags and lists stand in the reference; what is only
/// described there (addresses, file names) is text. The register shows the settings of every party
/// under one of them; `window` and `line_max` are the dispatcher's numbers under the same names.
fn is_text(sections: &[String], key: &str, reference: &'static str) -> bool {
    let sections: Vec<&str> = sections.iter().map(String::as_str).collect();
    let kind = kind(reference, &sections, key)
        .or_else(|| kind(REFERENCE_REGISTER, &[SHOWN_PARTY], key))
        .or_else(|| kind(REFERENCE, &["dispatcher"], key));
    kind.is_none_or(|kind| kind == Kind::Text)
}

/// Whether the reference has a section by this path.
fn is_section(sections: &[String], reference: &'static str) -> bool {
    let Some((last, outer)) = sections.split_last() else {
        return false;
    };
    let outer: Vec<&str> = outer.iter().map(String::as_str).collect();
    kind(reference, &outer, last) == Some(Kind::Section)
}

/// What stands in a reference under a path of sections and a key.
fn kind(reference: &'static str, sections: &[&str], key: &str) -> Option<Kind> {
    let document = DeTable::parse(reference).ok()?;
    let mut table = document.get_ref();
    for section in sections {
        let DeValue::Table(inner) = table.get(*section)?.get_ref() else {
            return None;
        };
        table = inner;
    }
    table.get(key).map(|value| match value.get_ref() {
        DeValue::String(_) => Kind::Text,
        DeValue::Table(_) => Kind::Section,
        _ => Kind::Other,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Section,
    Other,
}
