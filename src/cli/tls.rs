//! Certificate options of commands that call a node.

use std::path::PathBuf;

use crate::client::{AskError, Client};
use crate::tls;

/// Certificates for `https` addresses.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(id = "tls")]
pub struct TlsArgs {
    /// Certificate to show to the node (PEM)
    #[arg(long, value_name = "FILE", requires_all = ["key", "ca"])]
    cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Issuers of the node's certificate (PEM); needed for https
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Take any host name in the node's certificate; its issuer is checked all the same
    #[arg(long, requires = "ca")]
    no_host_check: bool,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum TlsArgsError {
    /// An `https` address without issuers to believe.
    #[error("an https address needs --ca: the issuers of the node's certificate")]
    CaMissing,
    /// A file cannot be used.
    #[error("{0}")]
    File(tls::TlsFault),
    /// The HTTP client cannot be made.
    #[error(transparent)]
    Client(#[from] AskError),
}

impl TlsArgs {
    /// A client for this address.
    ///
    /// # Errors
    /// When a file cannot be used, or the address is `https` and there is no `--ca`.
    pub fn client(&self, url: &str) -> Result<Client, TlsArgsError> {
        let Some(ca) = self.ca.clone() else {
            let scheme = url.split(':').next().unwrap_or_default();
            if scheme.trim().eq_ignore_ascii_case("https") {
                return Err(TlsArgsError::CaMissing);
            }
            return Ok(Client::new()?);
        };
        let own = self.cert.clone().zip(self.key.clone());
        let config = tls::client::from_files(ca, own, !self.no_host_check);
        Ok(Client::with_tls(config.map_err(TlsArgsError::File)?)?)
    }
}
