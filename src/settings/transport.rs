//! What carries the questions, and where RabbitMQ is.

use std::path::{Path, PathBuf};
use std::time::Duration;

use garde::Validate;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;

use super::amqp_url::{AmqpUrl, URL_BYTES_MAX};
use super::fault::{Fault, Faults};
use super::management_url::ManagementUrl;
use super::source::read_bounded;

/// Largest file of certificates, in bytes.
pub(super) const CA_BYTES_MAX: u64 = 1024 * 1024;

/// Which transport carries the questions.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transport {
    /// See [`TransportKind`].
    pub kind: TransportKind,
}

/// The two transports (design, 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransportKind {
    /// RabbitMQ.
    #[default]
    Amqp,
    /// Simulated authorities within this process.
    InProcess,
}

/// RabbitMQ.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Amqp {
    /// Where it is. After loading this is set also when the file named `url_file`.
    #[garde(skip)]
    pub url: Option<AmqpUrl>,
    /// File that holds the address, relative to the settings.
    #[garde(skip)]
    pub url_file: Option<PathBuf>,
    /// Management API of the RabbitMQ at `url`, which `samsvar check` asks what is stored or copied.
    /// After loading this is set also when the file named `management_url_file`.
    #[garde(skip)]
    pub management_url: Option<ManagementUrl>,
    /// File that holds the address of the management API, relative to the settings.
    #[garde(skip)]
    pub management_url_file: Option<PathBuf>,
    /// File of certificates (PEM) that an `amqps` broker is trusted by besides those of the
    /// system, relative to the settings.
    #[garde(skip)]
    pub ca_file: Option<PathBuf>,
    /// Content of `ca_file` after loading.
    #[serde(skip)]
    #[garde(skip)]
    pub ca: Option<String>,
    /// Time to connect, in milliseconds.
    #[garde(range(min = 100, max = 60_000))]
    pub connect_timeout_ms: u64,
    /// First wait after a lost connection, in milliseconds.
    #[garde(range(min = 10, max = 60_000))]
    pub reconnect_first_ms: u64,
    /// Longest wait after a lost connection, in milliseconds.
    #[garde(range(min = 10, max = 60_000))]
    pub reconnect_longest_ms: u64,
    /// Time for RabbitMQ to take a question, in milliseconds.
    #[garde(range(min = 100, max = 10_000))]
    pub publish_timeout_ms: u64,
    /// How often each party's consumers are counted, in milliseconds.
    #[garde(range(min = 50, max = 60_000))]
    pub consumer_check_ms: u64,
    /// How long a connection must be idle before its buffers are overwritten, in milliseconds.
    #[garde(range(min = 100, max = 60_000))]
    pub rinse_after_ms: u64,
    /// AMQP heartbeat, in seconds.
    #[garde(range(min = 1, max = 600))]
    pub heartbeat_s: u16,
}

impl Default for Amqp {
    fn default() -> Self {
        Self {
            url: None,
            url_file: None,
            management_url: None,
            management_url_file: None,
            ca_file: None,
            ca: None,
            connect_timeout_ms: 5000,
            reconnect_first_ms: 100,
            reconnect_longest_ms: 2000,
            publish_timeout_ms: 2000,
            consumer_check_ms: 500,
            rinse_after_ms: 1000,
            heartbeat_s: 10,
        }
    }
}

impl Amqp {
    pub(super) const fn has_address(&self) -> bool {
        self.url.is_some() || self.url_file.is_some()
    }

    /// Puts the content of `url_file` and `management_url_file`, those that there are, into `url`
    /// and `management_url`.
    pub(super) fn read_url_files(&mut self, folder: &Path, named_by: &Path) -> Result<(), Faults> {
        let mut faults = Faults::default();
        if let (None, Some(file)) = (&self.url, &self.url_file) {
            match read_url(&folder.join(file), named_by) {
                Ok(url) => self.url = Some(url),
                Err(fault) => faults.push(fault),
            }
        }
        if let (None, Some(file)) = (&self.management_url, &self.management_url_file) {
            match read_line(&folder.join(file), named_by, ManagementUrl::parse) {
                Ok(url) => self.management_url = Some(url),
                Err(fault) => faults.push(fault),
            }
        }
        faults.or(())
    }

    /// Reads `ca_file`, when there is one, into `ca`. On a fault: what is wrong with it.
    pub(super) fn read_ca_file(&mut self, folder: &Path) -> Result<(), String> {
        if let Some(file) = &self.ca_file {
            self.ca = Some(read_certificates(&folder.join(file))?);
        }
        Ok(())
    }

    /// Time to connect.
    #[must_use]
    pub const fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    /// First wait after a lost connection.
    #[must_use]
    pub const fn reconnect_first(&self) -> Duration {
        Duration::from_millis(self.reconnect_first_ms)
    }

    /// Longest wait after a lost connection.
    #[must_use]
    pub const fn reconnect_longest(&self) -> Duration {
        Duration::from_millis(self.reconnect_longest_ms)
    }

    /// Time for RabbitMQ to take a question.
    #[must_use]
    pub const fn publish_timeout(&self) -> Duration {
        Duration::from_millis(self.publish_timeout_ms)
    }

    /// How often each party's consumers are counted.
    #[must_use]
    pub const fn consumer_check(&self) -> Duration {
        Duration::from_millis(self.consumer_check_ms)
    }

    /// How long a connection must be idle before its buffers are overwritten.
    #[must_use]
    pub const fn rinse_after(&self) -> Duration {
        Duration::from_millis(self.rinse_after_ms)
    }

    /// AMQP heartbeat.
    #[must_use]
    pub const fn heartbeat(&self) -> Duration {
        Duration::from_secs(self.heartbeat_s as u64)
    }
}

/// Reads a file of certificates in PEM, of which there must be at least one and none broken.
pub(super) fn read_certificates(file: &Path) -> Result<String, String> {
    let refuse = |what: &str| format!("{} {what}", file.display());
    let bytes = read_bounded(file, CA_BYTES_MAX).map_err(|fault| refuse(&fault.message))?;
    let text = String::from_utf8(bytes).map_err(|_| refuse("is not text in UTF-8"))?;
    let mut certificates = 0;
    for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
        certificate.map_err(|_| refuse("holds a certificate that is not PEM"))?;
        certificates += 1;
    }
    if certificates == 0 {
        return Err(refuse("holds no certificate in PEM"));
    }
    Ok(text)
}

/// Reads a file whose only line is the address of a RabbitMQ.
pub(super) fn read_url(file: &Path, named_by: &Path) -> Result<AmqpUrl, Fault> {
    read_line(file, named_by, AmqpUrl::parse)
}

/// Reads a file whose only line is an address.
fn read_line<T>(
    file: &Path,
    named_by: &Path,
    parse: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<T, Fault> {
    let refuse = |message: &str| {
        let named_by = named_by.display();
        Fault::in_file(file, None, format!("{message} (named by {named_by})"))
    };
    let bytes = read_bounded(file, URL_BYTES_MAX as u64)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| refuse("is not text in UTF-8"))?;
    parse(text.trim()).map_err(refuse)
}
