//! The way to other SHS nodes over HTTPS (shs-1.2, 5.1 and 5.6): this node's certificate is shown, the
//! other's is checked by the issuers of the moment, and nothing of the message leaves by another way:
//! no redirect is followed and no proxy used.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use reqwest::Response;
use samsvar_actors::next_node::{NextNode, PostError, Posted};
use shs_schemas::Sensitive;
use shs_schemas::error_code::ErrorCode;

use crate::settings::{self, is_usable};
use crate::tls::Store;

/// How long an idle connection is kept: less than other nodes keep theirs, so that no message is lost
/// on a connection that is just being closed.
const IDLE_MAX: Duration = Duration::from_secs(1);

const MESSAGE: &str = "message/rfc822";

/// Posts messages to receive services.
pub struct HttpsNextNode {
    settings: settings::NextNode,
    store: Option<Arc<Store>>,
    client: ArcSwapOption<Built>,
}

/// A client with the certificates of one moment.
struct Built {
    /// Which moment; `None` when it cannot do TLS.
    generation: Option<u64>,
    http: reqwest::Client,
}

impl HttpsNextNode {
    /// By these settings, with the certificates of `store`. Without issuers in it only loopback
    /// addresses can be used.
    #[must_use]
    pub fn new(settings: settings::NextNode, store: Option<Arc<Store>>) -> Self {
        Self {
            settings,
            store,
            client: ArcSwapOption::empty(),
        }
    }

    /// The client with the certificates of this moment.
    fn client(&self) -> Result<reqwest::Client, PostError> {
        let now = self.store.as_ref().and_then(|store| store.next_node());
        let generation = now.as_ref().map(|(generation, _)| *generation);
        if let Some(built) = &*self.client.load()
            && built.generation == generation
        {
            return Ok(built.http.clone());
        }
        let builder = reqwest::Client::builder()
            .connect_timeout(self.settings.connect_timeout())
            .timeout(self.settings.answer_timeout())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .pool_idle_timeout(IDLE_MAX)
            .http1_only();
        let builder = match now {
            Some((_, config)) => {
                builder.tls_backend_preconfigured(rustls::ClientConfig::clone(&config))
            }
            None => builder.https_only(false),
        };
        let http = builder
            .build()
            .map_err(|_| PostError::Unreachable("no client can be made"))?;
        self.client.store(Some(Arc::new(Built {
            generation,
            http: http.clone(),
        })));
        Ok(http)
    }

    async fn send(&self, url: &str, message: Sensitive<Bytes>) -> Result<Posted, PostError> {
        let has_issuers = || {
            self.store
                .as_ref()
                .is_some_and(|store| store.next_node().is_some())
        };
        if !is_usable(url) || (url.starts_with("https://") && !has_issuers()) {
            return Err(PostError::Address);
        }
        let request = self
            .client()?
            .post(url)
            .header("content-type", MESSAGE)
            .body(message.into_exposed());
        let response = request.send().await.map_err(|error| unreachable(&error))?;
        if !response.status().is_success() {
            return Err(refused(&response));
        }
        let body = read(response, self.settings.answer_limit()).await?;
        Ok(Posted { body })
    }
}

impl NextNode for HttpsNextNode {
    fn post<'a>(
        &'a self,
        url: &'a str,
        message: Sensitive<Bytes>,
    ) -> BoxFuture<'a, Result<Posted, PostError>> {
        Box::pin(self.send(url, message))
    }
}

fn refused(response: &Response) -> PostError {
    let code = response.headers().get("x-shs-errorcode");
    let code = code.and_then(|code| code.to_str().ok());
    PostError::Refused {
        status: response.status().as_u16(),
        code: code.map(ErrorCode::parse),
    }
}

/// The body, of at most `bytes_max` bytes; what is above is not taken from the connection.
async fn read(mut response: Response, bytes_max: usize) -> Result<Sensitive<Bytes>, PostError> {
    let announced = response.content_length().unwrap_or(0);
    if announced > bytes_max as u64 {
        return Err(PostError::TooLarge);
    }
    let announced = response.content_length();
    let announced = announced.and_then(|length| usize::try_from(length).ok());
    let mut body = BytesMut::new();
    while let Some(piece) = response
        .chunk()
        .await
        .map_err(|error| unreachable(&error))?
    {
        if body.len() + piece.len() > bytes_max {
            return Err(PostError::TooLarge);
        }
        if body.is_empty() {
            // In one piece: a buffer that grows step by step is copied each time.
            body.reserve(announced.unwrap_or(0).max(piece.len()));
        }
        body.extend_from_slice(&piece);
    }
    Ok(Sensitive::new(body.freeze()))
}

/// The library's own texts hold the address; ours do not.
fn unreachable(error: &reqwest::Error) -> PostError {
    PostError::Unreachable(if error.is_timeout() {
        "no answer in time"
    } else if let Some(trouble) = trouble_with_certificates(error) {
        trouble
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    })
}

/// Which side ended the handshake, when one did.
fn trouble_with_certificates(error: &reqwest::Error) -> Option<&'static str> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref() {
            Some(rustls::Error::InvalidCertificate(_)) => {
                return Some("its certificate is not accepted");
            }
            Some(rustls::Error::AlertReceived(_)) => {
                return Some("it refuses the TLS connection: does it accept our certificate?");
            }
            _ => {}
        }
        // The source of an I/O error is that of the error in it, which would itself be passed over.
        let inner = error.downcast_ref().and_then(std::io::Error::get_ref);
        cause = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}
