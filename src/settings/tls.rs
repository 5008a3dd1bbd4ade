//! Certificates: those that the service listener shows and demands, those that a TLS terminator in
//! front of it hands over, and those used towards other nodes (shs-1.2, 5.1 and 7.6).
//!
//! Settings name files; what is in them is [`crate::tls`]'s affair, which also reads them again
//! while the node runs.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use garde::Validate;
use serde::Deserialize;

/// Most files of revocation lists.
pub const CRL_FILES_MAX: usize = 64;
/// Most addresses of terminators.
const TERMINATORS_MAX: usize = 64;
/// Longest name of a header, in bytes.
const HEADER_NAME_BYTES_MAX: usize = 64;
/// Longest time between two looks at the files, in seconds.
const RELOAD_S_MAX: u64 = 86_400;
/// Time between two looks at the files when no listener with TLS says another, in seconds.
const RELOAD_S: u64 = 30;
/// Largest answer of another node that can be set, in bytes.
const ANSWER_BYTES_MAX: u32 = 1024 * 1024 * 1024;

/// TLS of the service listener: what it shows, and whom it lets in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct ListenerTls {
    /// The node's certificate and its intermediates (PEM).
    #[garde(skip)]
    pub certificate: PathBuf,
    /// Its private key (PEM).
    #[garde(skip)]
    pub key: PathBuf,
    /// Issuers of client certificates (PEM). Without a certificate from one of them nobody gets in.
    #[garde(skip)]
    pub client_ca: PathBuf,
    /// Revocation lists (PEM or DER).
    #[serde(default)]
    #[garde(length(max = CRL_FILES_MAX))]
    pub crls: Vec<PathBuf>,
    /// Whether a revocation list that has passed its next update refuses everybody whom it covers.
    #[serde(default = "yes")]
    #[garde(skip)]
    pub crls_must_be_fresh: bool,
    /// How often the files are looked at, in seconds.
    #[serde(default = "reload_every")]
    #[garde(range(min = 1, max = RELOAD_S_MAX))]
    pub reload_every_s: u64,
}

const fn yes() -> bool {
    true
}

const fn reload_every() -> u64 {
    RELOAD_S
}

/// A TLS terminator in front of the service listener that hands the caller's certificate over in a
/// header.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Terminator {
    /// From where its connections come. From everywhere else the header means nothing.
    #[garde(length(min = 1, max = TERMINATORS_MAX))]
    pub addresses: Vec<IpAddr>,
    /// Name of the header.
    #[serde(default = "header")]
    #[garde(custom(header_name))]
    pub header: String,
    /// Issuers of callers' certificates (PEM); without it those of `[listener.tls]`.
    #[serde(default)]
    #[garde(skip)]
    pub client_ca: Option<PathBuf>,
    /// Revocation lists (PEM or DER); with an own `client_ca` only.
    #[serde(default)]
    #[garde(length(max = CRL_FILES_MAX))]
    pub crls: Vec<PathBuf>,
    /// As in [`ListenerTls`].
    #[serde(default = "yes")]
    #[garde(skip)]
    pub crls_must_be_fresh: bool,
}

fn header() -> String {
    String::from("X-Client-Cert")
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde's signature")]
fn header_name(name: &str, _: &()) -> garde::Result {
    let right = name.len() <= HEADER_NAME_BYTES_MAX
        && actix_web::http::header::HeaderName::from_bytes(name.as_bytes()).is_ok();
    if right {
        Ok(())
    } else {
        Err(garde::Error::new("is not the name of a header"))
    }
}

/// The way to other nodes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct NextNode {
    /// Issuers of other nodes' certificates (PEM). Without it no `https` address can be used.
    #[garde(skip)]
    pub ca: Option<PathBuf>,
    /// The certificate shown to them (PEM); without it that of `[listener.tls]`.
    #[garde(skip)]
    pub certificate: Option<PathBuf>,
    /// Its private key (PEM).
    #[garde(skip)]
    pub key: Option<PathBuf>,
    /// Whether a certificate must also hold the host name of the address (shs-1.2, 5.1). The chain is
    /// always checked.
    #[garde(skip)]
    pub check_host_name: bool,
    /// Time to connect, in milliseconds.
    #[garde(range(min = 100, max = 60_000))]
    pub connect_timeout_ms: u64,
    /// Time for the whole answer, in seconds.
    #[garde(range(min = 1, max = 3600))]
    pub answer_timeout_s: u64,
    /// Largest answer, in bytes.
    #[garde(range(min = 1024, max = ANSWER_BYTES_MAX))]
    pub answer_bytes_max: u32,
}

impl Default for NextNode {
    fn default() -> Self {
        Self {
            ca: None,
            certificate: None,
            key: None,
            check_host_name: true,
            connect_timeout_ms: 5000,
            answer_timeout_s: 300,
            answer_bytes_max: 32 * 1024 * 1024,
        }
    }
}

impl NextNode {
    /// Time to connect.
    #[must_use]
    pub const fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    /// Time for the whole answer.
    #[must_use]
    pub const fn answer_timeout(&self) -> Duration {
        Duration::from_secs(self.answer_timeout_s)
    }

    /// Longest time that one try takes.
    #[must_use]
    pub const fn time_max(&self) -> Duration {
        self.connect_timeout().saturating_add(self.answer_timeout())
    }

    /// Largest answer, in bytes.
    #[must_use]
    pub const fn answer_limit(&self) -> usize {
        self.answer_bytes_max as usize
    }

    pub(super) fn resolve(&mut self, folder: &Path) {
        let files = [&mut self.ca, &mut self.certificate, &mut self.key];
        for file in files.into_iter().flatten() {
            *file = folder.join(&*file);
        }
    }
}

impl ListenerTls {
    /// How often the files are looked at.
    #[must_use]
    pub const fn reload_every(&self) -> Duration {
        Duration::from_secs(self.reload_every_s)
    }

    pub(super) fn resolve(&mut self, folder: &Path) {
        let files = [&mut self.certificate, &mut self.key, &mut self.client_ca];
        for file in files.into_iter().chain(&mut self.crls) {
            *file = folder.join(&*file);
        }
    }
}

impl Terminator {
    pub(super) fn resolve(&mut self, folder: &Path) {
        for file in self.client_ca.iter_mut().chain(&mut self.crls) {
            *file = folder.join(&*file);
        }
    }
}

/// How often the files are looked at when nothing is set.
pub(crate) const RELOAD_EVERY: Duration = Duration::from_secs(RELOAD_S);
