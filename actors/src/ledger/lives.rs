//! How the last life of the node that keeps a ledger ended, as far as the end of its last files says.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::chain;
use super::event::{Forra, What};
use super::folder::Folder;

/// Bytes of a file that are looked through, from its end. A stop in order is followed by a checkpoint and by
/// what is noted of readers: no more than this.
const BYTES_MAX: u64 = 2 * 1024 * 1024;

/// Files that are looked through: the stop, and what came after midnight.
const FILES_MAX: usize = 2;

/// Reads how it ended.
///
/// # Errors
/// When the files cannot be read.
pub(super) fn last_end(folder: &Path) -> io::Result<Forra> {
    let folder = Folder::at(folder);
    let days = folder.days()?;
    let mut seen = Forra::Ingen;
    for day in days.iter().rev().take(FILES_MAX) {
        let content = end_of(&folder.file(*day))?;
        let events = content
            .split(|byte| *byte == b'\n')
            .rev()
            .filter_map(|line| chain::read(line).map(|(_, event)| event));
        for event in events {
            if event == What::STOPPAT {
                return Ok(Forra::Stoppad);
            }
            if event == What::STARTAT {
                return Ok(Forra::Avbruten);
            }
            seen = Forra::Avbruten;
        }
    }
    Ok(seen)
}

fn end_of(file: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(file)?;
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(BYTES_MAX)))?;
    let mut content = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::chain::Head;
    use super::*;

    #[test]
    fn a_life_that_ended_in_order_has_said_so_and_after_it_nothing_began() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path();
        assert_eq!(last_end(folder).unwrap(), Forra::Ingen);
        let end_of = |days: &[&[&str]]| {
            for (nth, events) in days.iter().enumerate() {
                let (mut lines, mut head) = (Vec::new(), Head::START);
                for event in *events {
                    let json = format!(r#"{{"event":"{event}"}}"#);
                    head = head.tie(json.as_bytes(), &mut lines);
                }
                fs::write(folder.join(format!("ledger-2026-11-2{nth}.jsonl")), lines).unwrap();
            }
            last_end(folder).unwrap()
        };
        let started = ["startat", "mottaget"];
        let stopped = ["startat", "mottaget", "stoppat", "kontrollpunkt"];
        assert_eq!(end_of(&[&[]]), Forra::Ingen);
        assert_eq!(end_of(&[&started]), Forra::Avbruten);
        assert_eq!(end_of(&[&stopped]), Forra::Stoppad);
        assert_eq!(
            end_of(&[&["mottaget"]]),
            Forra::Avbruten,
            "before there were such lines"
        );
        let late = ["kontrollpunkt", "avlast"];
        assert_eq!(
            end_of(&[&stopped, &late]),
            Forra::Stoppad,
            "stopped at midnight"
        );
        assert_eq!(end_of(&[&stopped, &started]), Forra::Avbruten);
        let missing = last_end(&folder.join("none")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
