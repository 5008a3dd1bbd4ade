//! What a connection showed when it was accepted, and what that is worth at each request.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::http::header::HeaderMap;
use actix_web::rt::net::TcpStream;
use rustls::pki_types::CertificateDer;
use samsvar_actors::caller::Caller;
use samsvar_actors::failure::Failure;
use tokio::time::Instant;

use super::{Callers, header};
use crate::tls::Store;
use crate::tls::store::Disbelief;

/// How long a verdict counts while certificates and revocation lists stay the same: within this time
/// it is noticed that a certificate or a list ends.
const VERDICT_AGE_MAX: Duration = Duration::from_secs(10);

/// A connection to the service listener. It lives on one thread.
pub(super) struct Connection {
    callers: Arc<Callers>,
    peer: IpAddr,
    /// What it showed in the handshake; `None` when it is plain.
    chain: Option<Vec<CertificateDer<'static>>>,
    verdict: Verdict,
    refused: Cell<bool>,
    accepted: Instant,
}

/// What was last said of the certificate of a connection.
#[derive(Default)]
struct Verdict(RefCell<Option<Said>>);

struct Said {
    generation: u64,
    at: Instant,
    caller: Result<Caller, Failure>,
}

impl Verdict {
    /// What was said last, or what `judge` says when that is old or certificates have been exchanged.
    fn now(
        &self,
        generation: u64,
        judge: impl FnOnce() -> Result<Caller, Failure>,
    ) -> Result<Caller, Failure> {
        let now = Instant::now();
        let mut said = self.0.borrow_mut();
        if let Some(said) = said.as_ref()
            && said.generation == generation
            && now.duration_since(said.at) < VERDICT_AGE_MAX
        {
            return said.caller.clone();
        }
        let caller = judge();
        *said = Some(Said {
            generation,
            at: now,
            caller: caller.clone(),
        });
        caller
    }
}

/// The caller of the plain listener: a program on this machine. A browser here is none, because any page
/// that it shows may have it call.
fn plain(headers: &HeaderMap) -> Result<Caller, Failure> {
    let of_browsers = ["origin", "sec-fetch-site"];
    if of_browsers.iter().any(|name| headers.contains_key(*name)) {
        return Err(Failure::Browser);
    }
    Ok(Caller::Internal)
}

impl Connection {
    /// Of an accepted stream; `None` when it is of no kind that a listener of ours accepts.
    pub(super) fn of(io: &dyn Any, callers: Arc<Callers>) -> Option<Self> {
        let (stream, chain) = if let Some(tls) = io.downcast_ref::<TlsStream<TcpStream>>() {
            let (stream, session) = tls.get_ref();
            let chain = session.peer_certificates().unwrap_or_default();
            let chain = chain.iter().cloned().map(CertificateDer::into_owned);
            (stream, Some(chain.collect()))
        } else {
            (io.downcast_ref::<TcpStream>()?, None)
        };
        Some(Self {
            callers,
            peer: stream.peer_addr().ok()?.ip(),
            chain,
            verdict: Verdict::default(),
            refused: Cell::new(false),
            accepted: Instant::now(),
        })
    }

    /// The caller of a request with these headers.
    pub(super) fn caller(&self, headers: &HeaderMap) -> Result<Caller, Failure> {
        let caller = self.shown(headers).and_then(|shown| {
            let terminator = self.callers.terminator_at(self.peer);
            match terminator.map(|terminator| header::chain(headers, &terminator.header)) {
                None => Ok(shown),
                Some(Ok(None)) => Ok(Caller::certified([])),
                Some(Ok(Some(chain))) => self.handed_over(&chain),
                Some(Err(header::Unreadable)) => Err(Failure::CertificateHeader),
            }
        });
        if caller.is_err() {
            self.refused.set(true);
        }
        caller
    }

    /// How long it has been open.
    pub(super) fn age(&self) -> Duration {
        self.accepted.elapsed()
    }

    /// Whether a request was refused for its certificate.
    pub(super) fn is_refused(&self) -> bool {
        self.refused.get()
    }

    /// The caller by the connection itself, as judged last or anew.
    fn shown(&self, headers: &HeaderMap) -> Result<Caller, Failure> {
        let Some(chain) = &self.chain else {
            return plain(headers);
        };
        let Some(store) = &self.callers.store else {
            return Err(Failure::CertificateRefused);
        };
        let judge = || self.judge(chain, store.judge_caller(chain));
        self.verdict.now(store.generation(), judge)
    }

    /// The caller by a chain that a terminator handed over with one request.
    fn handed_over(&self, chain: &[CertificateDer<'static>]) -> Result<Caller, Failure> {
        let judged = |store: &Arc<Store>| store.judge_terminated(chain);
        let judgement = self.callers.store.as_ref().map(judged);
        self.judge(
            chain,
            judgement.unwrap_or(Err(Disbelief::Refused("nobody is believed here"))),
        )
    }

    fn judge(
        &self,
        chain: &[CertificateDer<'static>],
        judgement: Result<(), Disbelief>,
    ) -> Result<Caller, Failure> {
        match (judgement, chain.first()) {
            (Ok(()), Some(own)) => Ok(Caller::Certified(self.callers.table.actors(own))),
            (Err(Disbelief::Refused(reason)), _) => {
                tracing::info!(reason, "certificate of a caller refused");
                Err(Failure::CertificateRefused)
            }
            _ => Err(Failure::CertificateHeader),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_certificate_is_judged_again_after_an_exchange_and_after_a_while() {
        let verdict = Verdict::default();
        let accepted = || Ok(Caller::certified([]));
        let refused = || Err(Failure::CertificateRefused);
        assert_eq!(verdict.now(0, accepted), accepted());
        assert_eq!(verdict.now(0, refused), accepted(), "nothing has changed");
        assert_eq!(verdict.now(1, refused), refused());
        assert_eq!(verdict.now(1, accepted), refused());
        tokio::time::advance(VERDICT_AGE_MAX).await;
        assert_eq!(verdict.now(1, accepted), accepted());
    }
}
