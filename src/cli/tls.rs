//! Certificate options of commands that call a node.

use std::path::PathBuf;

use crate::client::{AskError, Client};
use crate::settings::is_usable;
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
    /// A plain address beyond this machine: the message names persons.
    #[error("a plain http address is for this machine only: use https with --ca")]
    Plain,
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
    /// When a file cannot be used, the address is `https` and there is no `--ca`, or it is plain and not
    /// of this machine.
    pub fn client(&self, url: &str) -> Result<Client, TlsArgsError> {
        let Some(ca) = self.ca.clone() else {
            return match reqwest::Url::parse(url.trim()) {
                Ok(url) if url.scheme() == "https" => Err(TlsArgsError::CaMissing),
                Ok(url) if url.scheme() == "http" && !is_usable(url.as_str()) => {
                    Err(TlsArgsError::Plain)
                }
                // What is no address at all is said by who uses it.
                _ => Ok(Client::new()?),
            };
        };
        let own = self.cert.clone().zip(self.key.clone());
        let config = tls::client::from_files(ca, own, !self.no_host_check);
        Ok(Client::with_tls(config.map_err(TlsArgsError::File)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn persons_leave_this_machine_over_tls_only() {
        // The HTTP client insists on a TLS provider.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let args = TlsArgs::default();
        for here in [
            "http://127.0.0.1:8585/shs/rs",
            "HTTP://localhost/shs/rs",
            "http://[::1]/",
        ] {
            assert!(
                !matches!(args.client(here), Err(TlsArgsError::Plain)),
                "{here}"
            );
        }
        for beyond in [
            "http://shs.example/shs/rs",
            "http://10.0.0.1/",
            "HTTP://10.0.0.1/",
        ] {
            assert!(
                matches!(args.client(beyond), Err(TlsArgsError::Plain)),
                "{beyond}"
            );
        }
        let tls = args.client("https://shs.example/shs/rs");
        assert!(matches!(tls, Err(TlsArgsError::CaMissing)));
    }
}
