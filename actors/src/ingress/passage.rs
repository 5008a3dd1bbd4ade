//! Passing a synchronous message on: the caller waits, the bytes are those that came, and the answer is
//! the one that the receiver's node gave (shs-1.2, 2.10, 5.4 and 7.3).

use std::sync::Arc;

use bytes::Bytes;
use shs_schemas::Sensitive;
use shs_schemas::shs::agreement::PublicAgreement;
use shs_schemas::shs::{Label, Organisationsnummer, Produkt};

use crate::directory::{Directory, Entry, Found};
use crate::failure::{Failure, Rejection};
use crate::next_node::{NextNode, PostError};
use crate::reply::Reply;

/// Other actors, and the way to their nodes.
#[derive(Clone)]
pub struct Neighbours {
    /// What is known of them.
    pub directory: Arc<dyn Directory>,
    /// How messages get there; none when this node talks to no other.
    pub next_node: Option<Arc<dyn NextNode>>,
}

impl Neighbours {
    /// None at all: only the configuration is known.
    #[must_use]
    pub fn none() -> Self {
        Self {
            directory: Arc::new(Nobody),
            next_node: None,
        }
    }
}

/// A directory without entries.
struct Nobody;

impl Directory for Nobody {
    fn actor<'a>(&'a self, _: &'a Organisationsnummer) -> Found<'a, Option<Entry>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn address<'a>(&'a self, _: &'a Organisationsnummer, _: Produkt) -> Found<'a, Option<String>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn public_agreements<'a>(
        &'a self,
        _: Option<&'a Organisationsnummer>,
        _: Produkt,
    ) -> Found<'a, Vec<PublicAgreement>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn any_address<'a>(&'a self, _: &'a Organisationsnummer) -> Found<'a, Option<String>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

/// Finds the receiver's node, posts the message and gives its answer.
///
/// # Errors
/// [`Failure::NoAddress`], [`Failure::DirectoryAway`], or [`Failure::NotDelivered`] with the code of
/// the other node (shs-1.2, 6.2).
pub(super) async fn pass_on(
    neighbours: &Neighbours,
    label: &Label,
    body: Sensitive<Bytes>,
) -> Result<Reply, Rejection> {
    let reject = |failure| Rejection::new(failure, label.known_ids());
    let no_address = || reject(Failure::NoAddress);
    let next_node = neighbours.next_node.as_ref().ok_or_else(no_address)?;
    let to = label.to.as_ref().ok_or_else(no_address)?;
    let address = neighbours
        .directory
        .address(to.address.organisation(), label.product.produkt);
    let address = address.await.map_err(|away| reject(away.into()))?;
    let address = address.ok_or_else(no_address)?;
    match next_node.post(&address, body).await {
        Ok(posted) => Ok(Reply {
            body: posted.body,
            label: None,
            complete: true,
        }),
        Err(error) => Err(Rejection {
            remote_code: remote_code(&error),
            ..reject(Failure::NotDelivered)
        }),
    }
}

/// What the other node said was wrong.
pub(crate) fn remote_code(error: &PostError) -> Option<shs_schemas::error_code::ErrorCode> {
    match error {
        PostError::Refused { code, .. } => *code,
        _ => None,
    }
}
