//! Pushing a message to the receiver's node: where to, how often, when to give up (shs-1.2, 5.6 and
//! 7.7).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use shs_schemas::Sensitive;
use shs_schemas::shs::label::SequenceType;
use shs_schemas::shs::{Adress, Label, Message, Organisationsnummer, Produkt};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::forward::Work;
use crate::failure::{Failure, Rejection};
use crate::ingress::remote_code;
use crate::next_node::PostError;

/// Actors whose posts are bounded one by one at the same time; the unused are forgotten beyond that.
const ACTORS_KEPT: usize = 1_024;

/// Posts under way, by receiving actor. All lives of a relay share them: tasks outlive a life.
#[derive(Debug, Default)]
pub struct Posts(Mutex<HashMap<Organisationsnummer, Weak<Semaphore>>>);

impl Posts {
    fn to(&self, to: &Organisationsnummer, posts_max: usize) -> Arc<Semaphore> {
        let mut posts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(posts) = posts.get(to).and_then(Weak::upgrade) {
            return posts;
        }
        if posts.len() >= ACTORS_KEPT {
            posts.retain(|_, posts| posts.strong_count() > 0);
        }
        let fresh = Arc::new(Semaphore::new(posts_max));
        posts.insert(to.clone(), Arc::downgrade(&fresh));
        fresh
    }
}

/// What is posted.
pub(super) enum Freight<'a> {
    /// A message of this node's own, small or wanted nowhere else.
    Written(Sensitive<Bytes>),
    /// A message that is written anew for every try: between two of them, which may be minutes, it
    /// takes no more memory than it was counted with, however many copies there are.
    Whole(&'a Message, &'a Adress),
}

impl Work {
    /// Posts a message until it is taken, refused, or the time is up; gives the number of tries. An
    /// administrative message may also go where messages of the product `about` go.
    pub(super) async fn push(
        &self,
        label: &Label,
        freight: Freight<'_>,
        about: Option<Produkt>,
    ) -> Result<u32, Rejection> {
        let reject = |failure| Rejection::new(failure, label.known_ids());
        let to = label
            .to
            .as_ref()
            .ok_or_else(|| reject(Failure::NoReceiver))?;
        let to = to.address.organisation();
        let url = self.url(to, label, about).await.map_err(reject)?;
        let mut patience = self.patience(self.context.settings.give_up_after);
        let mut attempt = 1_u32;
        loop {
            let until = patience.until();
            let error = match self.post(to, &url, &freight, until).await {
                Ok(()) => return Ok(attempt),
                Err(error) => error,
            };
            let more = error.is_worth_another_try();
            tracing::info!(attempt, more, %error, "message not taken by the next node");
            if !more || !patience.wait().await {
                return Err(Rejection {
                    remote_code: remote_code(&error),
                    ..reject(Failure::NotDelivered)
                });
            }
            attempt += 1;
        }
    }

    /// One try, among so many at once to the same actor; who does not come to it in time has tried too.
    async fn post(
        &self,
        to: &Organisationsnummer,
        url: &str,
        freight: &Freight<'_>,
        until: Instant,
    ) -> Result<(), PostError> {
        let Some(next_node) = &self.context.neighbours.next_node else {
            return Err(PostError::Address);
        };
        let posts = self
            .context
            .posts
            .to(to, self.context.settings.posts_per_actor_max);
        let Ok(_post) = tokio::time::timeout_at(until, posts.acquire()).await else {
            return Err(PostError::Unreachable("too many posts to it"));
        };
        let message = match freight {
            Freight::Written(message) => message.clone(),
            Freight::Whole(message, to) => self.written(message, to).await,
        };
        match next_node.post(url, message).await {
            // Taken: nobody looks at what it had to say (5.6, rule 2).
            Ok(_) | Err(PostError::TooLarge) => Ok(()),
            Err(error) => Err(error),
        }
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
