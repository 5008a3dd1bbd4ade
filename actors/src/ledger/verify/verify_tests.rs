//! Every way to tamper with one line is found, and the line is named.

use std::fs;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::Mutex;

use chrono::NaiveDate;
use proptest::prelude::*;
use tempfile::TempDir;

use super::super::LedgerTally;
use super::super::event::Avbrott;
use super::super::folder::Storage;
use super::super::group::Group;
use super::super::writer::{Custody, Until, Writer};
use super::every_what::every_what;
use super::*;

/// Lines of a whole ledger below: two days, restarts, torn lines, checkpoints.
struct Made {
    parent: TempDir,
    today: Arc<Mutex<NaiveDate>>,
    retention_days: Option<u32>,
}

impl Made {
    fn new() -> Self {
        Self {
            parent: tempfile::tempdir().unwrap(),
            today: Arc::new(Mutex::new("2026-11-22".parse().unwrap())),
            retention_days: None,
        }
    }

    /// A ledger with every kind of line: three days of which the first has been removed, restarts, a crash
    /// and one while what it tore was mended, checkpoints within and at the end.
    fn usual() -> Self {
        let mut made = Self::new();
        made.retention_days = Some(1);
        made.set_day("2026-11-20");
        let mut writer = made.writer();
        Made::note(&mut writer, 2, true);
        made.set_day("2026-11-22");
        // Removes the first day.
        Made::note(&mut writer, 1, false);
        Made::write_down(&mut writer, &every_what(), true);
        Made::note(&mut writer, 2, false);
        drop(writer);
        made.tear(b"{\"seq\":7,\"prev\":\"0011");
        let mut writer = made.writer();
        Made::note(&mut writer, 3, false);
        made.set_day("2026-11-23");
        Made::note(&mut writer, 2, false);
        drop(writer);
        made.tear(b"torn");
        made.tear(b"\n{\"seq\":4,\"prev\":\"00");
        let mut writer = made.writer();
        Made::note(&mut writer, 4, true);
        made
    }

    fn set_day(&self, day: &str) {
        *self.today.lock().unwrap() = day.parse().unwrap();
    }

    fn folder(&self) -> PathBuf {
        self.parent.path().join("ledger")
    }

    fn writer(&self) -> Writer {
        let folder = Folder::at(self.folder());
        folder.prepare().unwrap();
        let today = Arc::clone(&self.today);
        let custody = Custody {
            retention_days: self.retention_days,
            ..Custody::beside(&self.folder())
        };
        Writer::new(
            "n1".to_owned(),
            Arc::new(folder) as Arc<dyn Storage>,
            Arc::new(move || *today.lock().unwrap()),
            Some(custody),
            None,
        )
    }

    /// Notes so many events in one group, and states it or not.
    fn note(writer: &mut Writer, events: usize, state: bool) {
        let reason = Avbrott::Nedstangning;
        Self::write_down(writer, &vec![What::Avbrutet { reason }; events], state);
    }

    /// Notes these in one group, and states it or not.
    fn write_down(writer: &mut Writer, whats: &[What], state: bool) {
        let mut group = Group::new(&Arc::<LedgerTally>::default());
        for what in whats {
            let event = Event::now(Uuid::new_v4(), Ids::default(), what.clone());
            assert!(group.add(|out| writer.render(&event, out), None));
        }
        let until = if state { Until::Stated } else { Until::Synced };
        writer.write(&group, None, until).unwrap();
        group.written();
    }

    fn tear(&self, piece: &[u8]) {
        let last = files(&self.folder()).unwrap().pop().unwrap();
        let mut content = fs::read(&last).unwrap();
        content.extend_from_slice(piece);
        fs::write(last, content).unwrap();
    }

    fn subject(&self) -> Subject {
        let custody = Custody::beside(&self.folder());
        Subject {
            folder: self.folder(),
            checkpoints: Some(custody.checkpoints),
            public_key: None,
        }
    }

    fn verify(&self) -> Verified {
        verify(&self.subject()).unwrap()
    }

    /// Every line of every file, without line ends.
    fn lines(&self) -> Vec<(PathBuf, Vec<Vec<u8>>)> {
        let lines = |file: PathBuf| {
            let content = fs::read(&file).unwrap();
            let content = content.strip_suffix(b"\n").unwrap_or(&content);
            let lines = content.split(|byte| *byte == b'\n');
            (file, lines.map(<[u8]>::to_vec).collect())
        };
        files(&self.folder())
            .unwrap()
            .into_iter()
            .map(lines)
            .collect()
    }

    fn write(files: &[(PathBuf, Vec<Vec<u8>>)]) {
        for (file, lines) in files {
            let mut content = lines.join(&b'\n');
            if !lines.is_empty() {
                content.push(b'\n');
            }
            fs::write(file, content).unwrap();
        }
    }
}

/// A place among all lines: file, and index in it.
fn place(files: &[(PathBuf, Vec<Vec<u8>>)], mut nth: usize) -> (usize, usize) {
    for (file, (_, lines)) in files.iter().enumerate() {
        if nth < lines.len() {
            return (file, nth);
        }
        nth -= lines.len();
    }
    panic!("no such line")
}

fn count(files: &[(PathBuf, Vec<Vec<u8>>)]) -> usize {
    files.iter().map(|(_, lines)| lines.len()).sum()
}

/// Where a finding stands among all lines, from 0.
fn nth(files: &[(PathBuf, Vec<Vec<u8>>)], finding: &Finding) -> usize {
    let mut before = 0;
    for (file, lines) in files {
        if *file == finding.file {
            return before + usize::try_from(finding.line).unwrap().saturating_sub(1);
        }
        before += lines.len();
    }
    panic!("{finding}")
}

/// Which lines are pieces that were mended.
fn is_piece(line: &[u8]) -> bool {
    super::super::chain::read(line).is_none()
}

#[test]
fn a_whole_ledger_is_found_whole() {
    let made = Made::usual();
    let verified = made.verify();
    assert_eq!(verified.finding, None);
    let counts = (verified.files, verified.mended, verified.checkpoints);
    assert_eq!(counts, (2, 3, 4), "{verified:?}");
    assert_eq!((verified.stated, verified.first_seq), (4, 4));
    assert_eq!(verified.last_seq, verified.stated_seq + 1);
    assert_eq!(verified.lines, verified.last_seq + 1 - verified.first_seq);
    assert_eq!(verified.public_keys.len(), 1);
    assert!(!verified.half_written);
}

#[test]
fn every_line_that_is_removed_is_missed() {
    let made = Made::usual();
    let whole = made.lines();
    for removed in 0..count(&whole) {
        let mut files = whole.clone();
        let (file, line) = place(&files, removed);
        files[file].1.remove(line);
        Made::write(&files);
        let finding = made.verify().finding.expect("found");
        let found = nth(&files, &finding);
        let last = removed == count(&whole) - 1;
        let expected = if last {
            removed - 1..=removed - 1
        } else {
            mended_with(&whole, removed)
        };
        assert!(expected.contains(&found), "{removed}: {finding}");
        match finding.act {
            Act::CutOff(_) => assert!(last),
            Act::Removed(_) => {}
            // A piece without what mended it might be a line.
            act => assert!(
                act == Act::Changed && is_piece(&whole_line(&whole, removed - 1)),
                "{removed}: {finding}"
            ),
        }
    }
}

/// A line with the pieces that it mended, or a piece with the line that mended it and the other pieces: of these,
/// one may be named for another. Any other line stands alone.
fn mended_with(files: &[(PathBuf, Vec<Vec<u8>>)], at: usize) -> RangeInclusive<usize> {
    let is = |at: usize| is_piece(&whole_line(files, at));
    let (mut first, mut last) = (at, at);
    while first > 0 && is(first - 1) {
        first -= 1;
    }
    while is(last) {
        last += 1;
    }
    first..=last
}

fn whole_line(files: &[(PathBuf, Vec<Vec<u8>>)], nth: usize) -> Vec<u8> {
    let (file, line) = place(files, nth);
    files[file].1[line].clone()
}

#[test]
fn every_cut_of_the_end_before_the_last_checkpoint_is_found() {
    let made = Made::usual();
    let whole = made.lines();
    for kept in 1..count(&whole) {
        let mut files = whole.clone();
        let (file, line) = place(&files, kept);
        files[file].1.truncate(line);
        for (_, lines) in &mut files[file + 1..] {
            lines.clear();
        }
        Made::write(&files);
        let finding = made.verify().finding.expect("found");
        let found = nth(&files, &finding);
        assert!(
            found == kept - 1 || found + 1 == kept - 1,
            "{kept}: {finding}"
        );
        assert!(
            matches!(finding.act, Act::CutOff(_) | Act::Torn),
            "{kept}: {finding}"
        );
    }
    for file in whole.iter().rev() {
        Made::write(&whole);
        fs::remove_file(&file.0).unwrap();
        let finding = made.verify().finding.expect("a whole day is missed");
        assert!(
            matches!(finding.act, Act::CutOff(_) | Act::Removed(_)),
            "{finding}"
        );
    }
}

#[test]
fn every_two_lines_that_change_places_are_found() {
    let made = Made::usual();
    let whole = made.lines();
    for first in 0..count(&whole) {
        for second in first + 1..count(&whole) {
            let mut files = whole.clone();
            let (a, b) = (place(&files, first), place(&files, second));
            let moved = std::mem::take(&mut files[a.0].1[a.1]);
            let other = std::mem::replace(&mut files[b.0].1[b.1], moved.clone());
            files[a.0].1[a.1].clone_from(&other);
            Made::write(&files);
            let finding = made.verify().finding.expect("found");
            let found = nth(&files, &finding);
            if near_a_piece(&whole, first, second) {
                let beside = first.saturating_sub(1)..=*mended_with(&whole, first + 1).end();
                assert!(beside.contains(&found), "{first}, {second}: {finding}");
                continue;
            }
            assert_eq!(found, first, "{first}, {second}: {finding}");
            // What the first line points at is gone: it might be changed as well.
            assert!(
                finding.act == Act::Swapped || first == 0,
                "{first}, {second}: {finding}"
            );
        }
    }
}

/// Whether a piece is among these, or beside one of them.
fn near_a_piece(files: &[(PathBuf, Vec<Vec<u8>>)], first: usize, second: usize) -> bool {
    let is_near = |at: usize| {
        (at.saturating_sub(2)..=at + 2)
            .filter(|at| *at < count(files))
            .any(|at| is_piece(&whole_line(files, at)))
    };
    is_near(first) || is_near(second)
}

#[test]
fn a_line_that_is_inserted_is_found_wherever_and_whatever_it_is() {
    let made = Made::usual();
    let whole = made.lines();
    let mut inserted = vec![b"{\"event\":\"besvarat\"}".to_vec(), Vec::new()];
    inserted.extend((0..count(&whole)).map(|nth| whole_line(&whole, nth)));
    for at in 0..count(&whole) {
        for line in &inserted {
            let mut files = whole.clone();
            let (file, index) = place(&files, at);
            files[file].1.insert(index, line.clone());
            Made::write(&files);
            let Some(finding) = made.verify().finding else {
                panic!("{at}: {}", String::from_utf8_lossy(line));
            };
            let found = nth(&files, &finding);
            // Of two that are alike nobody can say which was there first.
            let is_copy = at > 0 && whole_line(&whole, at - 1) == *line && found == at - 1;
            let named = mended_with(&whole, at);
            assert!(is_copy || named.contains(&found), "{at}: {finding}");
        }
    }
}

/// Every line is changed in every byte that ties it, and in some of the rest.
#[test]
fn a_line_of_any_kind_that_is_changed_is_found_and_named() {
    let made = Made::usual();
    let whole = made.lines();
    for at in 0..count(&whole) {
        let (file, line) = place(&whole, at);
        let length = whole[file].1[line].len();
        let tied = "{\"seq\":12,\"prev\":\"0".len();
        for byte in (0..length).filter(|byte| *byte < tied || byte % 23 == 0 || byte + 1 == length)
        {
            let mut files = whole.clone();
            files[file].1[line][byte] ^= 1;
            Made::write(&files);
            let finding = made.verify().finding.expect("found");
            let found = nth(&files, &finding);
            let named = if is_piece(&whole_line(&whole, at)) {
                mended_with(&whole, at)
            } else {
                at..=at
            };
            assert!(named.contains(&found), "{at}, byte {byte}: {finding}");
        }
    }
}

#[test]
fn a_line_that_is_forged_to_follow_is_found_by_the_line_behind_it() {
    let made = Made::usual();
    let whole = made.lines();
    let (file, index) = place(&whole, 4);
    let mut files = whole.clone();
    let first = &whole[0].1[3];
    let (link, _) = super::super::chain::read(first).unwrap();
    let head = Head {
        seq: link.seq,
        hash: Hash::of(first),
    };
    let mut forged = Vec::new();
    let _ = head.tie(br#"{"event":"kvitterat"}"#, &mut forged);
    forged.pop();
    files[file].1.insert(index, forged);
    Made::write(&files);
    let finding = made.verify().finding.unwrap();
    assert_eq!((finding.line, finding.act), (5, Act::Inserted));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_line_that_is_changed_anywhere_is_found_and_named(
        at in any::<prop::sample::Index>(),
        byte in any::<prop::sample::Index>(),
        to in any::<u8>(),
    ) {
        let made = &*USUAL.lock().unwrap();
        let whole = made.lines();
        let at = at.index(count(&whole));
        let (file, line) = place(&whole, at);
        let mut files = whole.clone();
        let changed = &mut files[file].1[line];
        let byte = byte.index(changed.len());
        prop_assume!(changed[byte] != to);
        changed[byte] = to;
        Made::write(&files);
        let verified = made.verify();
        Made::write(&whole);
        let finding = verified.finding.expect("found");
        let found = nth(&files, &finding);
        let is_last = at == count(&whole) - 1;
        // A line that was broken in two is both.
        let is_broken = to == b'\n' && found == at + 1;
        prop_assert!(
            mended_with(&whole, at).contains(&found) || is_broken,
            "{at}, {found}: {finding}"
        );
        let is_named = match finding.act {
            Act::Changed | Act::BadSignature | Act::NotAsStated | Act::Inserted => true,
            // Behind the last line there is none that would tell a change from a crash.
            Act::Torn | Act::CutOff(_) => is_last,
            Act::Removed(_) => is_piece(&whole_line(&whole, at)),
            Act::Swapped => false,
        };
        prop_assert!(is_named, "{at}: {finding}");
    }
}

static USUAL: std::sync::LazyLock<Mutex<Made>> =
    std::sync::LazyLock::new(|| Mutex::new(Made::usual()));

#[test]
fn a_ledger_that_is_tied_anew_is_found_by_the_checkpoints() {
    let made = Made::usual();
    let whole = made.lines();
    let mut head = Head::START;
    let mut files = whole.clone();
    for (_, lines) in &mut files {
        for line in lines.iter_mut().filter(|line| !is_piece(line)) {
            let text = String::from_utf8(line.clone())
                .unwrap()
                .replace("nedstangning", "aktor_foll");
            let event = text.split_once("\",").unwrap().1;
            line.clear();
            head = head.tie(format!("{{{event}").as_bytes(), line);
            line.pop();
        }
    }
    Made::write(&files);
    let finding = made.verify().finding.unwrap();
    assert!(
        matches!(finding.act, Act::NotAsStated | Act::Changed),
        "{finding}"
    );
}

#[test]
fn another_key_than_the_one_expected_is_found() {
    let made = Made::usual();
    let mut subject = made.subject();
    let right = made.verify().public_keys.remove(0);
    subject.public_key = Some(right);
    assert_eq!(verify(&subject).unwrap().finding, None);
    subject.public_key = Some("00".repeat(32));
    let finding = verify(&subject).unwrap().finding.unwrap();
    assert_eq!(finding.act, Act::BadSignature);
}

#[test]
fn a_last_line_torn_at_every_byte_is_left_out_and_then_mended() {
    let whole = Made::usual();
    let last = whole.lines().pop().unwrap();
    let line = last.1.last().unwrap().clone();
    for cut in 1..=line.len() {
        let made = Made::new();
        let mut writer = made.writer();
        Made::note(&mut writer, 2, true);
        drop(writer);
        // The line of a next group, torn.
        made.tear(&line[..cut]);
        let beside = made.verify();
        if cut < line.len() {
            assert_eq!((beside.finding, beside.half_written), (None, true), "{cut}");
        }
        let mut writer = made.writer();
        Made::note(&mut writer, 1, true);
        let verified = made.verify();
        if cut < line.len() {
            assert_eq!((verified.finding, verified.mended), (None, 1), "{cut}");
            assert_eq!(verified.last_seq, 6, "{cut}");
        }
    }
}

#[test]
fn a_crash_while_mending_is_mended_too() {
    let made = Made::new();
    let mut writer = made.writer();
    Made::note(&mut writer, 2, true);
    drop(writer);
    made.tear(b"{\"seq\":4,");
    made.tear(b"\n{\"seq\":4,\"prev\":\"00");
    *made.today.lock().unwrap() = "2026-11-24".parse().unwrap();
    let mut writer = made.writer();
    Made::note(&mut writer, 1, false);
    let verified = made.verify();
    assert_eq!((verified.finding, verified.mended), (None, 2));
    assert_eq!(verified.files, 2);
}

#[test]
fn days_whose_time_is_over_are_removed_and_what_is_left_is_whole() {
    let mut made = Made::new();
    made.retention_days = Some(2);
    let mut writer = made.writer();
    for day in ["2026-11-22", "2026-11-23", "2026-11-25", "2026-11-26"] {
        *made.today.lock().unwrap() = day.parse().unwrap();
        Made::note(&mut writer, 2, false);
    }
    drop(writer);
    let days = Folder::at(made.folder()).days().unwrap();
    let kept: Vec<NaiveDate> = ["2026-11-25", "2026-11-26"]
        .map(|day| day.parse().unwrap())
        .into();
    assert_eq!(days, kept);
    let verified = made.verify();
    assert_eq!(verified.finding, None);
    assert!(verified.first_seq > 4, "{verified:?}");
    let files = made.lines();
    let text = String::from_utf8(files[0].1.join(&b'\n')).unwrap();
    assert!(
        text.contains(r#""event":"gallrad_dag","day":"2026-11-22","lines":3,"last_seq":3,"#),
        "{text}"
    );

    // The same by hand, without a line that says so.
    fs::remove_file(&files[0].0).unwrap();
    let finding = made.verify().finding.unwrap();
    assert!(matches!(finding.act, Act::Removed(Some(_))), "{finding}");
}

/// The days of which there is a file, in turn after a note on each of these.
fn left_after(writer: &mut Writer, made: &Made, days: &[&str]) -> Vec<Vec<String>> {
    let folder = Folder::at(made.folder());
    let note = |day: &&str| {
        made.set_day(day);
        Made::note(writer, 1, false);
        let left = folder.days().unwrap();
        left.iter().map(ToString::to_string).collect()
    };
    days.iter().map(note).collect()
}

#[test]
fn a_clock_that_is_far_ahead_removes_nothing_and_a_pause_is_caught_up_the_day_after() {
    let mut made = Made::new();
    made.retention_days = Some(2);
    let (first, latest) = ("2026-11-22", "2026-11-29");
    let mut writer = made.writer();
    // As far as it is believed at once.
    let left = left_after(&mut writer, &made, &[first, latest]);
    assert_eq!(left, [[first], [latest]]);
    let (ahead, after) = ("2026-12-07", "2026-12-08");
    let left = left_after(&mut writer, &made, &[ahead]);
    assert_eq!(left, [[latest, ahead]]);
    drop(writer);
    // It does not get truer by a restart on the same day.
    let mut writer = made.writer();
    let left = left_after(&mut writer, &made, &[ahead, after]);
    assert_eq!(left, [vec![latest, ahead], vec![ahead, after]]);
    assert_eq!(made.verify().finding, None);
}

#[test]
fn a_clock_that_is_set_right_again_goes_on_removing_what_is_old() {
    let mut made = Made::new();
    made.retention_days = Some(8);
    let (first, wrong) = ("2026-11-22", "2031-01-01");
    let mut writer = made.writer();
    let left = left_after(&mut writer, &made, &[first, wrong]);
    assert_eq!(left[1], [first, wrong], "nothing is removed");
    // Lines go on in the last file; each day follows one that the node saw.
    let right: Vec<String> = (23..=30).map(|day| format!("2026-11-{day}")).collect();
    let right: Vec<&str> = right.iter().map(String::as_str).collect();
    let left = left_after(&mut writer, &made, &right);
    assert!(left.iter().all(|left| *left == [first, wrong]), "{left:?}");
    let left = left_after(&mut writer, &made, &["2026-12-01"]);
    assert_eq!(left, [[wrong]]);
    assert_eq!(made.verify().finding, None);
}
