//! [`Transfer`]: the body of a fetched message, which knows whether all of it was handed over.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use samsvar_actors::outbox::Fetched;

/// Largest piece that is handed over at once. The server copies each piece into its write buffer, so
/// this bounds what a slow client costs beside the message itself.
const PIECE_BYTES_MAX: usize = 64 * 1024;

/// A message on its way out, in slices of the one buffer that it lies in. It is complete when the
/// server asks for more after the last piece, which it does when there is less in its write buffer than
/// that holds: all else is with the operating system by then. Nobody can know whether the receiver's
/// program got it, which is what acknowledging is for.
pub(super) struct Transfer {
    rest: Bytes,
    fetched: Option<Fetched>,
}

impl Transfer {
    pub(super) fn new(fetched: Fetched) -> Self {
        Self {
            rest: fetched.message().expose().clone(),
            fetched: Some(fetched),
        }
    }
}

impl MessageBody for Transfer {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.rest.len() as u64)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let length = self.rest.len().min(PIECE_BYTES_MAX);
        if length > 0 {
            return Poll::Ready(Some(Ok(self.rest.split_to(length))));
        }
        if let Some(fetched) = self.fetched.take() {
            fetched.complete();
        }
        Poll::Ready(None)
    }
}

/// A body of so many bytes that is not sent: the answer to HEAD.
pub(super) struct Absent(pub(super) u64);

impl MessageBody for Absent {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0)
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(None)
    }
}
