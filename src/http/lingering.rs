//! Connections that stay open when nothing goes on.
//!
//! actix closes a connection that is idle between two requests. It does not look at one whose caller sends
//! the beginning of a further request and no more, nor at one whose caller never reads its answer; both
//! would stay open for ever, with what came and went in their buffers, and in a place that others need
//! (design 8.2, 9). So each connection is watched from outside: when it has had nothing to do for long
//! enough it is cut.

use std::any::Any;
use std::cell::Cell;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::Extensions;
use bytes::Bytes;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use super::caller::tcp;

/// Pieces in which an answer is handed over, in bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// A connection that is watched. It lives on one thread.
pub(super) struct Watched {
    line: Rc<Line>,
    watch: AbortHandle,
}

struct Line {
    /// The same socket once more: whoever accepted it has the other one.
    socket: TcpStream,
    /// Requests without an answer: each has its own time limits.
    going_on: Cell<u32>,
    /// When something began or ended, or a piece of an answer was taken, last.
    since: Cell<Instant>,
}

impl Line {
    /// When it is to be looked at again; cuts it, and gives `None`, when it has had nothing to do for
    /// `longest`.
    fn look(&self, longest: Duration) -> Option<Instant> {
        let now = Instant::now();
        if self.going_on.get() > 0 {
            return Some(now + longest);
        }
        let due = self.since.get() + longest;
        if now < due {
            return Some(due);
        }
        tracing::info!("a connection on which nothing goes on is cut");
        // Gone already: that is as well.
        let _ = self.socket.shutdown(Shutdown::Both);
        None
    }
}

/// Watches a new connection. It is not watched when there are no more descriptors, which stops the listener
/// from accepting, too.
pub(super) fn watch(io: &dyn Any, data: &mut Extensions, longest: Duration) {
    let socket = tcp(io).and_then(|stream| stream.as_fd().try_clone_to_owned().ok());
    let Some(socket) = socket else {
        return tracing::warn!("a connection is not watched");
    };
    let line = Rc::new(Line {
        socket: socket.into(),
        going_on: Cell::new(0),
        since: Cell::new(Instant::now()),
    });
    let watched = Rc::downgrade(&line);
    let watching = actix_rt::spawn(async move {
        while let Some(next) = watched.upgrade().and_then(|line| line.look(longest)) {
            sleep_until(next).await;
        }
    });
    data.insert(Watched {
        line,
        watch: watching.abort_handle(),
    });
}

impl Watched {
    /// A request begins.
    pub(super) fn begin(&self) -> GoingOn {
        self.line.going_on.update(|number| number + 1);
        self.line.since.set(Instant::now());
        GoingOn(Rc::clone(&self.line))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

/// A request from its head to its answer.
pub(super) struct GoingOn(Rc<Line>);

impl Drop for GoingOn {
    fn drop(&mut self) {
        self.0.going_on.update(|number| number.saturating_sub(1));
        self.0.since.set(Instant::now());
    }
}

/// The body of an answer. It is handed over in pieces, each of which says that the one before has found
/// room: so a caller that reads slowly is told from one that does not read.
pub(super) struct Answer {
    body: BoxBody,
    size: BodySize,
    /// What is left of a body that was there as a whole.
    whole: Option<Bytes>,
    line: Option<Rc<Line>>,
}

impl Answer {
    pub(super) fn new(body: impl MessageBody + 'static, going_on: Option<GoingOn>) -> Self {
        // The request has ended; from here on its pieces count.
        let line = going_on.map(|ended| Rc::clone(&ended.0));
        let size = body.size();
        let (body, whole) = match body.boxed().try_into_bytes() {
            Ok(whole) => (BoxBody::new(()), Some(whole)),
            Err(body) => (body, None),
        };
        Self {
            body,
            size,
            whole,
            line,
        }
    }
}

impl MessageBody for Answer {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if let Some(line) = &self.line {
            line.since.set(Instant::now());
        }
        let Some(whole) = &mut self.whole else {
            return Pin::new(&mut self.body).poll_next(cx);
        };
        let piece = whole.split_to(whole.len().min(PIECE_BYTES));
        Poll::Ready((!piece.is_empty()).then_some(Ok(piece)))
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        match self.whole {
            Some(whole) => Ok(whole),
            None => Err(self),
        }
    }
}
