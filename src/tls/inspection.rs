//! What an operator should know about certificates before and while a node runs with them: how long
//! they last, and what is suspicious about their files.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde::Serialize;
use x509_parser::time::ASN1Time;

use super::files::{Kind, Named, TlsFault};
use super::material::Sources;

/// From how many days on an end is warned of.
pub const DAYS_LEFT_MIN: i64 = 30;

const DAY_S: i64 = 24 * 60 * 60;
/// File mode: readable or writable by everybody.
const OTHERS: u32 = 0o007;

/// A certificate or revocation list, and how long it lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lasting {
    /// The setting that names its file.
    pub setting: &'static str,
    /// The file.
    pub file: PathBuf,
    /// Whole days until it ends; negative when it has ended.
    pub days_left: i64,
}

/// What was found in the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// How long each file's content lasts: of several certificates in one the first to end.
    pub lasting: Vec<Lasting>,
    /// What somebody should look at.
    pub warnings: Vec<TlsFault>,
}

/// Looks at the files as they are at `now` (seconds since 1970). What cannot be read is left to
/// [`super::Material::faults`].
#[must_use]
pub fn inspect(sources: &Sources, now: i64) -> Inspection {
    let mut inspection = Inspection::default();
    for (kind, named) in sources.files() {
        match kind {
            Kind::Key => inspection.look_at_mode(named),
            Kind::Certificates => {
                let what = ("certificate", DAYS_LEFT_MIN);
                inspection.look_at_end(named, what, first_not_after(named), now);
            }
            Kind::RevocationLists => {
                // Some are made anew every hour: only their end is worth a word.
                let what = ("revocation list", 0);
                inspection.look_at_end(named, what, first_next_update(named), now);
            }
        }
    }
    inspection
}

impl Inspection {
    fn look_at_mode(&mut self, key: Named<'_>) {
        let mode = std::fs::metadata(key.file).map(|metadata| metadata.permissions().mode());
        if mode.is_ok_and(|mode| mode & OTHERS != 0) {
            let reason = "is a private key that every user of this machine can read";
            self.warnings.push(key.fault(reason));
        }
    }

    fn look_at_end(
        &mut self,
        named: Named<'_>,
        (what, days_min): (&str, i64),
        end: Option<ASN1Time>,
        now: i64,
    ) {
        let Some(end) = end else { return };
        let seconds_left = end.timestamp() - now;
        let days_left = seconds_left.div_euclid(DAY_S);
        if seconds_left < 0 {
            let reason = format!("holds a {what} that has ended");
            self.warnings.push(named.fault(reason));
        } else if days_left < days_min {
            let reason = format!("holds a {what} that ends in {days_left} days");
            self.warnings.push(named.fault(reason));
        }
        self.lasting.push(Lasting {
            setting: named.setting,
            file: named.file.to_owned(),
            days_left,
        });
    }
}

fn first_not_after(named: Named<'_>) -> Option<ASN1Time> {
    let certificates = named.certificates().ok()?;
    let end = |der: &_| {
        let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
        Some(certificate.validity().not_after)
    };
    certificates
        .iter()
        .filter_map(|der| end(der.as_ref()))
        .min()
}

fn first_next_update(named: Named<'_>) -> Option<ASN1Time> {
    let lists = named.revocation_lists().ok()?;
    let end = |der: &_| x509_parser::parse_x509_crl(der).ok()?.1.next_update();
    lists.iter().filter_map(|der| end(der.as_ref())).min()
}

impl fmt::Display for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.file.file_name().unwrap_or(self.file.as_os_str());
        let name = name.display();
        write!(f, "{name}: {} days left ({})", self.days_left, self.setting)
    }
}
