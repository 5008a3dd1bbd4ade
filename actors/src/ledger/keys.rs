//! Keys of the months: what makes pseudonyms of people, digests of parts, and hides identifiers that are
//! no UUIDs (design 8.4; C-13).
//!
//! A key lives in a file apart from the ledger, one line a month. With it and an identity somebody can ask
//! the ledger about that identity; with one of the two alone nobody can. A plain hash would not do: there
//! are few enough identity numbers to try them all. Whoever loses a month's key has erased that month's
//! traces of people, in every copy of the ledger.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hmac, rand};
use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};

use super::chain::{Hash, from_hex, to_hex};
use super::private;

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// Bytes of an HMAC-SHA-256 that a pseudonym keeps.
const PSEUDONYM_BYTES: usize = 16;

/// A month, in UTC: `2026-11`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i32,
    month: u32,
}

impl Month {
    /// In which this lies.
    #[must_use]
    pub fn of(time: DateTime<Utc>) -> Self {
        Self {
            year: time.year(),
            month: time.month(),
        }
    }

    /// The one that is written so, or that a time that begins so lies in.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = (text.get(..4)?, text.get(5..7)?);
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let month = Self {
            year: digits(year).then(|| year.parse().ok())??,
            month: digits(month).then(|| month.parse().ok())??,
        };
        (text.as_bytes()[4] == b'-' && (1..=12).contains(&month.month)).then_some(month)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// The key of a month.
pub struct MonthKey {
    names: hmac::Key,
    ids: Option<LessSafeKey>,
}

impl fmt::Debug for MonthKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MonthKey")
    }
}

impl MonthKey {
    fn new(key: &[u8]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, key);
        // One key for each use, so that nothing of one says anything of the other.
        let names = hmac::sign(&root, b"samsvar ledger pseudonyms");
        let ids = hmac::sign(&root, b"samsvar ledger identifiers");
        let ids = UnboundKey::new(&AES_256_GCM, ids.as_ref());
        Self {
            names: hmac::Key::new(hmac::HMAC_SHA256, names.as_ref()),
            ids: ids.ok().map(LessSafeKey::new),
        }
    }

    fn name(&self, kind: &[u8], what: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.names);
        context.update(kind);
        context.update(&[0]);
        context.update(what);
        to_hex(&context.sign().as_ref()[..PSEUDONYM_BYTES])
    }

    /// How a handläggare is called in this month's lines.
    #[must_use]
    pub fn handlaggare(&self, identity: &str) -> String {
        self.name(b"handlaggare", identity.as_bytes())
    }

    /// How a person is called in this month's lines.
    #[must_use]
    pub fn person(&self, number: &str) -> String {
        self.name(b"person", number.as_bytes())
    }

    /// What stands for the text of a part, from its SHA-256. A plain digest of so regular a text could be
    /// guessed back to the person.
    #[must_use]
    pub fn part(&self, sha256: &Hash) -> String {
        self.name(b"del", sha256.as_bytes())
    }

    /// Hides an identifier in this field of a line; the same one never looks the same twice.
    #[must_use]
    pub fn hide(&self, field: &str, id: &str) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).ok()?;
        let mut hidden = id.as_bytes().to_vec();
        self.ids
            .as_ref()?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(field),
                &mut hidden,
            )
            .ok()?;
        Some(to_hex(&nonce) + &to_hex(&hidden))
    }

    /// The identifier that was hidden in this field; `None` when it was with another key, elsewhere, or
    /// was changed.
    #[must_use]
    pub fn show(&self, field: &str, hidden: &str) -> Option<String> {
        let bytes = from_hex(hidden)?;
        let (nonce, hidden) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut hidden = hidden.to_vec();
        let opened = self
            .ids
            .as_ref()?
            .open_in_place(nonce, Aad::from(field), &mut hidden);
        String::from_utf8(opened.ok()?.to_vec()).ok()
    }
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Kept {
    month: String,
    key: String,
}

/// The file with the keys.
#[derive(Clone, Debug)]
pub struct KeyFile(PathBuf);

impl KeyFile {
    /// At this path.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Every month's key. A line that a crash tore is left out.
    ///
    /// # Errors
    /// When the file cannot be read, or others than its owner may read it.
    pub fn load(&self) -> io::Result<BTreeMap<Month, MonthKey>> {
        let content = private::read(&self.0)?;
        let key = |line: &[u8]| {
            let kept: Kept = serde_json::from_slice(line).ok()?;
            let key = from_hex(&kept.key).filter(|key| key.len() == KEY_BYTES)?;
            Some((Month::parse(&kept.month)?, MonthKey::new(&key)))
        };
        Ok(content
            .split(|byte| *byte == b'\n')
            .filter_map(key)
            .collect())
    }

    /// The key of a month, made and on disk if there was none.
    ///
    /// # Errors
    /// When it can be neither read nor made.
    pub fn load_or_make(&self, month: Month) -> io::Result<MonthKey> {
        let mut keys = match self.load() {
            Ok(keys) => keys,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        if let Some(key) = keys.remove(&month) {
            return Ok(key);
        }
        let mut key = [0; KEY_BYTES];
        rand::fill(&mut key).map_err(|_| io::Error::other("no key could be made"))?;
        let kept = Kept {
            month: month.to_string(),
            key: to_hex(&key),
        };
        private::append(&self.0, &serde_json::to_string(&kept)?)?;
        Ok(MonthKey::new(&key))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const PERSON: &str = "199503142383";

    fn month(text: &str) -> Month {
        Month::parse(text).unwrap()
    }

    #[test]
    fn a_month_has_one_key_and_another_month_another() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::at(folder.path().join("keys"));
        let [november, again] = [(); 2].map(|()| file.load_or_make(month("2026-11")).unwrap());
        let december = file.load_or_make(month("2026-12")).unwrap();
        assert_eq!(november.person(PERSON), again.person(PERSON));
        assert_ne!(november.person(PERSON), december.person(PERSON));
        assert_ne!(november.person(PERSON), november.handlaggare(PERSON));
        assert_eq!(november.person(PERSON).len(), 32);
        let keys = file.load().unwrap();
        assert_eq!(keys.len(), 2);
        assert_eq!(
            keys[&month("2026-12")].person(PERSON),
            december.person(PERSON)
        );
        let mode = std::fs::metadata(file.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(format!("{november:?}"), "MonthKey");
    }

    #[test]
    fn a_hidden_identifier_is_shown_by_its_key_in_its_place_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::at(folder.path().join("keys"));
        let key = file.load_or_make(month("2026-11")).unwrap();
        let other = file.load_or_make(month("2026-12")).unwrap();
        let hidden = key.hide("tx_id", PERSON).unwrap();
        assert_eq!(key.show("tx_id", &hidden).as_deref(), Some(PERSON));
        assert_ne!(key.hide("tx_id", PERSON).unwrap(), hidden);
        assert_eq!(key.show("corr_id", &hidden), None);
        assert_eq!(other.show("tx_id", &hidden), None);
        for bad in ["", "00", "zz", &hidden[2..]] {
            assert_eq!(key.show("tx_id", bad), None);
        }
    }

    #[test]
    fn a_key_that_is_lost_or_torn_is_not_there_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::at(folder.path().join("keys"));
        let lost = file.load_or_make(month("2026-11")).unwrap().person(PERSON);
        let text = std::fs::read_to_string(file.path()).unwrap();
        std::fs::write(file.path(), &text[..text.len() - 3]).unwrap();
        assert!(file.load().unwrap().is_empty());
        let made = file.load_or_make(month("2026-11")).unwrap().person(PERSON);
        assert_ne!(made, lost);
        assert_eq!(file.load().unwrap()[&month("2026-11")].person(PERSON), made);
    }

    #[test]
    fn a_month_is_read_from_a_time() {
        assert_eq!(month("2026-11-22T10:00:00Z").to_string(), "2026-11");
        for bad in [
            "", "2026", "2026-1", "2026-13", "2026-00", "2026/11", "+026-11", "20å6-11",
        ] {
            assert_eq!(Month::parse(bad), None, "{bad}");
        }
    }
}
