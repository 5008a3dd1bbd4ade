//! Where the SHS directory is, and for how long its answers are believed (shs-1.2, 8).

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use garde::Validate;
use serde::{Deserialize, Deserializer};
use shs_schemas::Sensitive;

use super::source::read_bounded;
use super::transport::read_certificates;

/// Longest address of a directory, in bytes.
const URL_BYTES_MAX: usize = 1024;
/// Where directories listen when their address does not say it.
const LDAP_PORT: u16 = 389;
const LDAPS_PORT: u16 = 636;
/// Longest name within the directory (a DN), in bytes.
const DN_BYTES_MAX: usize = 1024;
/// Longest password, in bytes.
const PASSWORD_BYTES_MAX: u64 = 1024;
/// Longest time for a connection or a search that can be set, in milliseconds.
const TIMEOUT_MS_MAX: u64 = 60_000;
/// Longest time that an answer can be called fresh, in seconds: a week.
const CACHE_S_MAX: u64 = 7 * 24 * 3600;
/// Longest time that an answer can be used while the directory is away, in seconds: 30 days.
const STALE_S_MAX: u64 = 30 * 24 * 3600;
/// Longest time that "there is none" can be believed, in seconds.
const NEGATIVE_CACHE_S_MAX: u64 = 3600;
/// Most answers that can be kept.
const CACHE_ENTRIES_MAX: u32 = 1_000_000;

/// The SHS directory. Without `url` there is none: actors are known by configuration only.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Ldap {
    /// Where it is.
    #[garde(skip)]
    pub url: Option<LdapUrl>,
    /// Whether an `ldap://` connection turns to TLS before anything is said.
    #[garde(skip)]
    pub start_tls: bool,
    /// Below which entry everything is searched.
    #[garde(length(bytes, max = DN_BYTES_MAX))]
    pub base: String,
    /// Who the node is to the directory; without it, it asks anonymously.
    #[garde(inner(length(bytes, min = 1, max = DN_BYTES_MAX)))]
    pub bind_dn: Option<String>,
    /// The password of `bind_dn`. After loading this is set also when the file named
    /// `password_file`.
    #[serde(deserialize_with = "sensitive")]
    #[garde(skip)]
    pub password: Option<Sensitive<String>>,
    /// File that holds the password, relative to the settings.
    #[garde(skip)]
    pub password_file: Option<PathBuf>,
    /// File of certificates (PEM) that the directory is trusted by instead of those of the system,
    /// relative to the settings.
    #[garde(skip)]
    pub ca_file: Option<PathBuf>,
    /// Content of `ca_file` after loading.
    #[serde(skip)]
    #[garde(skip)]
    pub ca: Option<String>,
    /// Time to connect, TLS and bind included, in milliseconds.
    #[garde(range(min = 100, max = TIMEOUT_MS_MAX))]
    pub connect_timeout_ms: u64,
    /// Time for a search, in milliseconds.
    #[garde(range(min = 100, max = TIMEOUT_MS_MAX))]
    pub search_timeout_ms: u64,
    /// How long an answer is fresh, in seconds.
    #[garde(range(max = CACHE_S_MAX))]
    pub cache_s: u64,
    /// How old an answer may be that is used while the directory is away, in seconds.
    #[garde(range(max = STALE_S_MAX))]
    pub stale_s: u64,
    /// How long "there is none" is believed, in seconds.
    #[garde(range(max = NEGATIVE_CACHE_S_MAX))]
    pub negative_cache_s: u64,
    /// How many answers are kept, and as many times "there is none".
    #[garde(range(min = 1, max = CACHE_ENTRIES_MAX))]
    pub cache_entries_max: u32,
}

impl Default for Ldap {
    fn default() -> Self {
        Self {
            url: None,
            start_tls: false,
            base: "l=SHS".to_owned(),
            bind_dn: None,
            password: None,
            password_file: None,
            ca_file: None,
            ca: None,
            connect_timeout_ms: 2000,
            search_timeout_ms: 2000,
            cache_s: 3600,
            stale_s: 86_400,
            negative_cache_s: 60,
            cache_entries_max: 10_000,
        }
    }
}

impl Ldap {
    /// True when the password would travel, and the answers would come, in clear over a network.
    pub(super) fn is_plain(&self) -> bool {
        let plain = |url: &LdapUrl| !url.tls && !url.loopback && !self.start_tls;
        self.url.as_ref().is_some_and(plain)
    }

    /// True when TLS is to begin twice.
    pub(super) fn is_doubly_tls(&self) -> bool {
        self.start_tls && self.url.as_ref().is_some_and(|url| url.tls)
    }

    /// True when a name comes without a password, or a password without a name.
    pub(super) const fn is_half_bound(&self) -> bool {
        let password = self.password.is_some() || self.password_file.is_some();
        self.bind_dn.is_some() != password
    }

    /// Reads `password_file` and `ca_file`, those that are named. On faults: which setting, and
    /// what is wrong.
    pub(super) fn read_files(&mut self, folder: &Path) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        if let (None, Some(file)) = (&self.password, &self.password_file) {
            match read_password(&folder.join(file)) {
                Ok(password) => self.password = Some(password),
                Err(fault) => faults.push(("ldap.password_file", fault)),
            }
        }
        if let Some(file) = &self.ca_file {
            match read_certificates(&folder.join(file)) {
                Ok(ca) => self.ca = Some(ca),
                Err(fault) => faults.push(("ldap.ca_file", fault)),
            }
        }
        faults
    }

    /// Time to connect, TLS and bind included.
    #[must_use]
    pub const fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    /// Time for a search.
    #[must_use]
    pub const fn search_timeout(&self) -> Duration {
        Duration::from_millis(self.search_timeout_ms)
    }

    /// How long an answer is fresh.
    #[must_use]
    pub const fn cache(&self) -> Duration {
        Duration::from_secs(self.cache_s)
    }

    /// How old an answer may be that is used while the directory is away.
    #[must_use]
    pub const fn stale(&self) -> Duration {
        Duration::from_secs(self.stale_s)
    }

    /// How long "there is none" is believed.
    #[must_use]
    pub const fn negative_cache(&self) -> Duration {
        Duration::from_secs(self.negative_cache_s)
    }
}

/// Reads the only line of a file. On a fault: what is wrong, without the line.
fn read_password(file: &Path) -> Result<Sensitive<String>, String> {
    let refuse = |what: &str| format!("{} {what}", file.display());
    let bytes = read_bounded(file, PASSWORD_BYTES_MAX).map_err(|fault| refuse(&fault.message))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| refuse("is not text in UTF-8"))?;
    match text.trim_end_matches(['\r', '\n']) {
        // With an empty password a directory lets anyone in as nobody (RFC 4513, 5.1.2).
        "" => Err(refuse("holds no password")),
        password if password.contains('\n') => Err(refuse("has more than one line")),
        password => Ok(Sensitive::new(password.to_owned())),
    }
}

fn sensitive<'de, D>(deserializer: D) -> Result<Option<Sensitive<String>>, D::Error>
where
    D: Deserializer<'de>,
{
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()).map(Sensitive::new))
}

/// Address of a directory: `ldaps://host:port` or `ldap://host:port`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct LdapUrl {
    text: String,
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    tls: bool,
    loopback: bool,
}

impl LdapUrl {
    /// The address as it stands.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Host name or IP address.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, which need not stand there.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether the connection begins with TLS.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        self.tls
    }
}

impl TryFrom<String> for LdapUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const WRONG: &str = "is not the address of a directory (ldaps://host:port)";
        if text.len() > URL_BYTES_MAX {
            return Err(WRONG);
        }
        let url = reqwest::Url::parse(&text).map_err(|_| WRONG)?;
        let host = url.host_str().filter(|host| !host.is_empty());
        let more = url.query().is_some() || url.fragment().is_some();
        if more || !matches!(url.path(), "" | "/") {
            return Err(WRONG);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a directory's address holds no user: give bind_dn and password_file");
        }
        let (Some(host), tls @ ("ldap" | "ldaps")) = (host, url.scheme()) else {
            return Err(WRONG);
        };
        let tls = tls == "ldaps";
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Ok(Self {
            host: host.to_owned(),
            port: url
                .port()
                .unwrap_or(if tls { LDAPS_PORT } else { LDAP_PORT }),
            tls,
            loopback: is_loopback(host),
            text,
        })
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

impl fmt::Display for LdapUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for LdapUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LdapUrl({})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ldap(url: &str, start_tls: bool) -> Ldap {
        Ldap {
            url: Some(LdapUrl::try_from(url.to_owned()).unwrap()),
            start_tls,
            ..Ldap::default()
        }
    }

    #[test]
    fn a_connection_in_clear_stays_on_this_machine() {
        for (url, start_tls, plain) in [
            ("ldap://127.0.0.1:389", false, false),
            ("ldap://[::1]", false, false),
            ("ldap://localhost", false, false),
            ("ldaps://katalog.example", false, false),
            ("ldap://katalog.example/", true, false),
            ("ldap://katalog.example/", false, true),
            ("ldap://127.0.0.1.katalog.example", false, true),
        ] {
            assert_eq!(ldap(url, start_tls).is_plain(), plain, "{url}");
        }
        assert!(ldap("ldaps://katalog.example", true).is_doubly_tls());
    }

    #[test]
    fn a_directory_listens_where_its_address_says_or_where_directories_do() {
        for (url, host, port) in [
            ("ldap://katalog.example", "katalog.example", 389),
            ("ldaps://katalog.example/", "katalog.example", 636),
            ("ldaps://[::1]:1636", "::1", 1636),
        ] {
            let url = LdapUrl::try_from(url.to_owned()).unwrap();
            assert_eq!((url.host(), url.port()), (host, port));
        }
    }

    #[test]
    fn what_is_no_directory_is_refused_and_not_quoted() {
        for bad in [
            "",
            "katalog.example",
            "http://katalog.example",
            "ldap://",
            "ldap:///l=SHS",
            "ldaps://katalog.example/l=SHS",
            "ldaps://katalog.example?x",
            "ldaps://hemlig:ord@katalog.example",
        ] {
            let fault = LdapUrl::try_from(bad.to_owned()).unwrap_err();
            assert!(!fault.contains("hemlig"), "{fault}");
        }
    }
}
