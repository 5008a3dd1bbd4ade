//! [`Mailbox`]: an address that survives restarts, is bounded, and loses nothing.
//!
//! actix gives a restarted actor a new address, drops what was queued at the old one, and lets
//! `do_send` pass any bound. So between actors nobody holds an `Addr`: they hold a `Mailbox`, which
//! only the supervisor re-addresses. A message travels in an [`Envelope`]; one that is dropped
//! unopened, because its actor fell over with it still in the queue, goes back to the mailbox
//! and is handed to the actor's next life. Only the message that was being handled is lost, and what
//! it carries (a reply port, a slot port) answers with an error when it is dropped.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix::{Actor, Addr, Context, Handler, Message};
use arc_swap::ArcSwapOption;

use crate::observation::Observed;

/// Why a message was not taken; it comes back unharmed.
#[derive(Debug)]
pub enum Undelivered<M> {
    /// As many messages wait as may.
    Full(M),
    /// The actor is paused or gone for good.
    Closed(M),
}

impl<M> Undelivered<M> {
    /// The message.
    pub fn into_message(self) -> M {
        match self {
            Self::Full(message) | Self::Closed(message) => message,
        }
    }
}

type Parked<A> = Box<dyn FnOnce(&Mailbox<A>) + Send>;

struct Shared<A: Actor> {
    address: ArcSwapOption<Addr<A>>,
    /// Messages without an actor to go to: it is being restarted.
    parked: Mutex<VecDeque<Parked<A>>>,
    closed: AtomicBool,
    /// Closed for good: no life is wanted any more.
    retired: AtomicBool,
    depth_max: usize,
    observed: Arc<Observed>,
}

/// The way to a supervised actor.
pub struct Mailbox<A: Actor>(Arc<Shared<A>>);

impl<A: Actor> Clone for Mailbox<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<A: Actor> fmt::Debug for Mailbox<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mailbox")
            .field(&self.0.observed.name())
            .finish()
    }
}

impl<A: Actor<Context = Context<A>>> Mailbox<A> {
    /// A mailbox without an actor yet, for at most `depth_max` waiting messages.
    #[must_use]
    pub fn new(observed: Arc<Observed>, depth_max: usize) -> Self {
        Self(Arc::new(Shared {
            address: ArcSwapOption::empty(),
            parked: Mutex::new(VecDeque::new()),
            closed: AtomicBool::new(false),
            retired: AtomicBool::new(false),
            depth_max,
            observed,
        }))
    }

    /// The counters of the actor behind it.
    #[must_use]
    pub fn observed(&self) -> &Arc<Observed> {
        &self.0.observed
    }

    /// Most messages that may wait.
    #[must_use]
    pub fn depth_max(&self) -> usize {
        self.0.depth_max
    }

    /// Hands over a message.
    ///
    /// # Errors
    /// Gives the message back when the mailbox is full or closed.
    pub fn deliver<M>(&self, message: M) -> Result<(), Undelivered<M>>
    where
        A: Handler<Envelope<M>>,
        M: Send + 'static,
    {
        self.deliver_below(self.0.depth_max, message)
    }

    /// The same, unless so many messages wait: what is less important leaves the rest of the room to
    /// what is more.
    ///
    /// # Errors
    /// Gives the message back when the mailbox is that full, or closed.
    pub fn deliver_below<M>(&self, depth_max: usize, message: M) -> Result<(), Undelivered<M>>
    where
        A: Handler<Envelope<M>>,
        M: Send + 'static,
    {
        if self.is_closed() {
            return Err(Undelivered::Closed(message));
        }
        let depth = self.0.observed.depth();
        if depth.fetch_add(1, Ordering::AcqRel) >= depth_max.min(self.0.depth_max) {
            depth.fetch_sub(1, Ordering::AcqRel);
            return Err(Undelivered::Full(message));
        }
        self.forward(message);
        Ok(())
    }

    /// Sends to the actor's present life, or parks for its next one.
    fn forward<M>(&self, message: M)
    where
        A: Handler<Envelope<M>>,
        M: Send + 'static,
    {
        let envelope = Envelope {
            message: Some(message),
            way_back: Arc::clone(&self.0) as _,
        };
        // A dead address drops the envelope, whose Drop parks it; and a life that has not begun has
        // no address. `do_send` is right here: the bound is our own depth, counted in `deliver`.
        match self.0.address.load().as_deref() {
            Some(address) => address.do_send(envelope),
            None => drop(envelope),
        }
    }

    /// Tells the present life something that must not wait and may be lost with it. For the
    /// supervisor, and for cancellations.
    pub(crate) fn tell<M>(&self, message: M)
    where
        A: Handler<M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        if let Some(address) = self.0.address.load().as_deref() {
            address.do_send(message);
        }
    }

    /// Points the mailbox at a new life and hands it what was parked. Returns false, and does
    /// neither, when the mailbox has been retired meanwhile. For the supervisor.
    pub(crate) fn readdress(&self, address: Addr<A>) -> bool {
        let parked = {
            let mut parked = self.0.parked();
            if self.0.retired.load(Ordering::Acquire) {
                return false;
            }
            self.0.closed.store(false, Ordering::Release);
            self.0.address.store(Some(Arc::new(address)));
            std::mem::take(&mut *parked)
        };
        for forward in parked {
            forward(self);
        }
        true
    }

    /// Closes for good. For the supervisor.
    pub(crate) fn retire(&self) {
        {
            let _parked = self.0.parked();
            self.0.retired.store(true, Ordering::Release);
        }
        self.close();
    }

    /// The actor is paused or gone: refuses what comes and drops what waits, whose ports answer
    /// with an error. For the supervisor.
    pub(crate) fn close(&self) {
        let parked = {
            let mut parked = self.0.parked();
            self.0.closed.store(true, Ordering::Release);
            self.0.address.store(None);
            std::mem::take(&mut *parked)
        };
        self.0
            .observed
            .depth()
            .fetch_sub(parked.len(), Ordering::AcqRel);
        // Outside the lock: dropping a message runs its ports, which send elsewhere.
        drop(parked);
    }

    /// True when messages are refused.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Acquire)
    }

    /// True while somebody is there who handles messages.
    #[must_use]
    pub fn is_attended(&self) -> bool {
        self.0.is_attended()
    }
}

impl<A: Actor> Shared<A> {
    fn parked(&self) -> MutexGuard<'_, VecDeque<Parked<A>>> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_attended(&self) -> bool {
        self.address.load().as_deref().is_some_and(Addr::connected)
    }
}

/// Where an unopened message goes.
trait WayBack<M>: Send + Sync {
    fn opened(&self);
    fn returned(self: Arc<Self>, message: M);
}

impl<A, M> WayBack<M> for Shared<A>
where
    A: Actor<Context = Context<A>> + Handler<Envelope<M>>,
    M: Send + 'static,
{
    fn opened(&self) {
        self.observed.depth().fetch_sub(1, Ordering::AcqRel);
    }

    fn returned(self: Arc<Self>, message: M) {
        let mut parked = self.parked();
        if self.closed.load(Ordering::Acquire) {
            drop(parked);
            self.observed.depth().fetch_sub(1, Ordering::AcqRel);
        } else if self.is_attended() {
            // The next life began between the attempt and now.
            drop(parked);
            Mailbox(self).forward(message);
        } else {
            parked.push_back(Box::new(move |mailbox| mailbox.forward(message)));
        }
    }
}

/// A message on its way through a [`Mailbox`].
pub struct Envelope<M: Send + 'static> {
    message: Option<M>,
    way_back: Arc<dyn WayBack<M>>,
}

impl<M: Send + 'static> Message for Envelope<M> {
    type Result = ();
}

impl<M: Send + 'static> Envelope<M> {
    /// Takes the message out: from here on it is the actor's, and lost with it.
    ///
    /// # Panics
    /// Never: it is opened by value, so only once.
    #[must_use]
    pub fn open(mut self) -> M {
        self.way_back.opened();
        self.message
            .take()
            .expect("an envelope is opened by value, so only once")
    }
}

impl<M: Send + 'static> Drop for Envelope<M> {
    fn drop(&mut self) {
        if let Some(message) = self.message.take() {
            Arc::clone(&self.way_back).returned(message);
        }
    }
}
