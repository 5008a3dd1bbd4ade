//! Where else something may lie: files, and what the node says of itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use crate::needles::{Hit, Needles};

/// Findings that a report shows in full.
const SHOWN_MAX: usize = 40;

/// A hit and its place.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) place: String,
    pub(crate) hit: Hit,
}

impl Found {
    pub(crate) fn new(place: String, hit: Hit) -> Self {
        Self { place, hit }
    }

    /// Where in memory it is.
    pub(crate) fn address(&self) -> Option<usize> {
        let rest = self.place.strip_prefix("memory 0x")?;
        usize::from_str_radix(rest.split(' ').next()?, 16).ok()
    }
}

/// Every hit in a text that somebody said.
pub(crate) fn search_bytes(name: &str, bytes: &[u8], needles: &Needles) -> Vec<Found> {
    let hits = needles.find(bytes, bytes.len()).into_iter();
    hits.map(|hit| Found::new(format!("{name}, byte {}", hit.at), hit))
        .collect()
}

/// Every hit in the files below a folder, in their names too; and how many files there are.
pub(crate) fn search_folder(folder: &Path, needles: &Needles) -> (Vec<Found>, usize) {
    let (mut found, mut files) = (Vec::new(), 0);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Some(entries) = unless_gone(&folder, fs::read_dir(&folder)) else {
            continue;
        };
        for entry in entries {
            let entry = entry.expect("the folder can be read");
            let path = entry.path();
            let Some(kind) = unless_gone(&path, entry.file_type()) else {
                continue;
            };
            let name = path.display().to_string();
            found.extend(search_bytes(
                &format!("the name {name}"),
                name.as_bytes(),
                needles,
            ));
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file()
                && let Some(bytes) = unless_gone(&path, fs::read(&path))
            {
                files += 1;
                found.extend(search_bytes(&name, &bytes, needles));
            }
        }
    }
    (found, files)
}

/// Every hit in the files that a process has open, wherever they are and whatever became of their names.
pub(crate) fn search_open(pid: u32, needles: &Needles) -> Vec<Found> {
    let mut found = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd")).expect("the process runs") {
        let path = entry.expect("it is our own").path();
        let is_file = unless_gone(&path, fs::metadata(&path)).is_some_and(|it| it.is_file());
        if is_file && let Some(bytes) = unless_gone(&path, fs::read(&path)) {
            let name = fs::read_link(&path).unwrap_or_default();
            let name = format!("open: {}", name.display());
            found.extend(search_bytes(&name, &bytes, needles));
        }
    }
    found
}

/// RabbitMQ moves its files about: one that has gone holds nothing. One that cannot be read may hold
/// anything.
fn unless_gone<T>(path: &Path, result: io::Result<T>) -> Option<T> {
    match result {
        Ok(it) => Some(it),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => panic!("{} cannot be searched: {error}", path.display()),
    }
}

/// What was found, for people: what it was how often in which kind of place, and the first ones in full.
pub(crate) fn report(found: &[Found]) -> String {
    let mut kinds: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    for found in found {
        let place = found.place.split(" in ").last().unwrap_or_default();
        let place = place.split(" (").next().unwrap_or_default().to_owned();
        let what = found
            .hit
            .what
            .rsplit_once(" of ")
            .map_or("", |(what, _)| what)
            .to_owned();
        *kinds
            .entry((what, found.hit.form.clone(), place))
            .or_default() += 1;
    }
    let mut text = format!("{} hits\n", found.len());
    for ((what, form, place), count) in kinds.iter().take(200) {
        let _ = writeln!(text, "{count:6} {what} ({form}) in {place}");
    }
    let mut messages: BTreeMap<String, usize> = BTreeMap::new();
    for found in found {
        let number = found
            .hit
            .what
            .rsplit_once(" of ")
            .map_or("?", |(_, number)| number);
        *messages.entry(number.to_owned()).or_default() += 1;
    }
    let _ = writeln!(text, "by message: {messages:?}");
    for found in found.iter().take(SHOWN_MAX) {
        let Found { place, hit } = found;
        let _ = writeln!(
            text,
            "{place}: {} ({})\n    {}",
            hit.what, hit.form, hit.around
        );
    }
    text
}
