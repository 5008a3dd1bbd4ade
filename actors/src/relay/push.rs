//! Pushing a message to the receiver's node: where to, how often, when to give up (shs-1.2, 5.6 and
//! 7.7).

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use bytes::Bytes;
use shs_schemas::Sensitive;
use shs_schemas::shs::label::SequenceType;
use shs_schemas::shs::{Label, Organisationsnummer, Produkt};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::RelaySettings;
use super::forward::Work;
use crate::failure::{Failure, Rejection};
use crate::ingress::remote_code;
use crate::next_node::PostError;

/// Actors whose posts are bounded one by one at the same time; the unused are forgotten beyond that.
const ACTORS_KEPT: usize = 1_024;

/// Waits between tries: doubling, with jitter, up to the longest.
pub(super) struct Pauses {
    pauses: ExponentialBackoff,
    longest: Duration,
}

impl Pauses {
    fn new(settings: &RelaySettings) -> Self {
        Self {
            pauses: ExponentialBuilder::default()
                .with_min_delay(settings.retry_first)
                .with_max_delay(settings.retry_longest)
                .with_jitter()
                .without_max_times()
                .build(),
            longest: settings.retry_longest,
        }
    }

    /// The next wait.
    pub(super) fn next(&mut self) -> Duration {
        let pause = self.pauses.next().unwrap_or(self.longest);
        // The jitter comes on top.
        pause.min(self.longest)
    }
}

impl Work {
    /// Waits between tries, from the first on.
    pub(super) fn pauses(&self) -> Pauses {
        Pauses::new(&self.context.settings)
    }

    /// Posts a message until it is taken, refused, or the time is up; gives the number of tries. An
    /// administrative message may also go where messages of the product `about` go.
    pub(super) async fn push(
        &self,
        label: &Label,
        message: Sensitive<Bytes>,
        about: Option<Produkt>,
    ) -> Result<u32, Rejection> {
        let reject = |failure| Rejection::new(failure, label.known_ids());
        let to = label
            .to
            .as_ref()
            .ok_or_else(|| reject(Failure::NoReceiver))?;
        let to = to.address.organisation();
        let url = self.url(to, label, about).await.map_err(reject)?;
        let until = Instant::now() + self.context.settings.give_up_after;
        let mut pauses = self.pauses();
        let mut attempt = 1_u32;
        loop {
            let error = match self.post(to, &url, message.clone()).await {
                Ok(()) => return Ok(attempt),
                Err(error) => error,
            };
            let pause = pauses.next();
            let given_up = !error.is_worth_another_try() || Instant::now() + pause > until;
            tracing::info!(attempt, given_up, %error, "message not taken by the next node");
            if given_up {
                return Err(Rejection {
                    remote_code: remote_code(&error),
                    ..reject(Failure::NotDelivered)
                });
            }
            attempt += 1;
            tokio::time::sleep(pause).await;
        }
    }

    /// One try, among so many at once to the same actor.
    async fn post(
        &self,
        to: &Organisationsnummer,
        url: &str,
        message: Sensitive<Bytes>,
    ) -> Result<(), PostError> {
        let Some(next_node) = &self.context.neighbours.next_node else {
            return Err(PostError::Address);
        };
        let posts = self.posts_to(to);
        // The semaphore is never closed.
        let _post = posts.acquire().await;
        next_node.post(url, message).await.map(|_| ())
    }

    fn posts_to(&self, to: &Organisationsnummer) -> Arc<Semaphore> {
        let mut posts = self.posts.borrow_mut();
        if let Some(posts) = posts.get(to).and_then(std::sync::Weak::upgrade) {
            return posts;
        }
        if posts.len() >= ACTORS_KEPT {
            posts.retain(|_, posts| posts.strong_count() > 0);
        }
        let fresh = Arc::new(Semaphore::new(self.context.settings.posts_per_actor_max));
        posts.insert(to.clone(), Arc::downgrade(&fresh));
        fresh
    }

    /// Where an actor takes a message: for errors and confirmations there are two further places to
    /// look at (7.7).
    async fn url(
        &self,
        to: &Organisationsnummer,
        label: &Label,
        about: Option<Produkt>,
    ) -> Result<String, Failure> {
        let directory = &self.context.neighbours.directory;
        for produkt in [Some(label.product.produkt), about].into_iter().flatten() {
            let found = self.patiently(|| directory.address(to, produkt)).await?;
            if let Some(url) = found {
                return Ok(url);
            }
        }
        if label.sequence_type != SequenceType::Adm {
            return Err(Failure::NoAddress);
        }
        let any = self.patiently(|| directory.any_address(to)).await?;
        any.ok_or(Failure::NoAddress)
    }
}
