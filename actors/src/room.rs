//! Memory that many share: a byte budget, and what each one holds of it.
//!
//! A bound on every message by itself and on their number still allows their product. A [`Room`]
//! bounds the sum: request bodies share one, answers another.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// A byte budget. Counters only: nothing is locked and nobody waits.
#[derive(Debug)]
pub struct Room {
    used: AtomicUsize,
    bytes_max: usize,
}

/// All that share the room take together what they may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

impl Room {
    /// Nothing used of this many bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self {
            used: AtomicUsize::new(0),
            bytes_max,
        })
    }

    /// Bytes held now.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }

    /// Bytes that may be held.
    #[must_use]
    pub fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// The same bytes, not copied, counted here until the last piece of them is dropped.
    ///
    /// # Errors
    /// [`NoRoom`] when they do not fit in any more; they are dropped.
    pub fn hold(self: &Arc<Self>, bytes: Bytes) -> Result<Bytes, NoRoom> {
        let mut held = Held::nothing(self);
        held.grow(bytes.len())?;
        Ok(Bytes::from_owner(Counted { bytes, _held: held }))
    }
}

/// What one holds of a room, until this is dropped.
#[derive(Debug)]
pub struct Held {
    room: Arc<Room>,
    bytes: usize,
}

impl Held {
    /// Nothing yet.
    #[must_use]
    pub fn nothing(room: &Arc<Room>) -> Self {
        Self {
            room: Arc::clone(room),
            bytes: 0,
        }
    }

    /// Takes so many bytes more.
    ///
    /// # Errors
    /// [`NoRoom`] when they do not fit in; what was held stays held.
    pub fn grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let fits = |used: usize| {
            used.checked_add(bytes)
                .filter(|sum| *sum <= self.room.bytes_max)
        };
        let used = &self.room.used;
        used.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits)
            .map_err(|_| NoRoom)?;
        self.bytes += bytes;
        Ok(())
    }

    /// The same bytes, not copied, counted in place of what was held until the last piece of them is
    /// dropped. They may pass the room's limit by what they are larger than what was held: whoever
    /// was promised room is not turned away for having guessed its size wrong.
    #[must_use]
    pub fn around(mut self, bytes: Bytes) -> Bytes {
        let used = &self.room.used;
        used.fetch_add(bytes.len(), Ordering::AcqRel);
        used.fetch_sub(self.bytes, Ordering::AcqRel);
        self.bytes = bytes.len();
        Bytes::from_owner(Counted { bytes, _held: self })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.used.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

/// Bytes that hold their own room.
struct Counted {
    bytes: Bytes,
    _held: Held,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_together_stay_within_the_room() {
        let room = Room::new(100);
        let (mut one, mut other) = (Held::nothing(&room), Held::nothing(&room));
        one.grow(60).unwrap();
        assert_eq!(other.grow(41), Err(NoRoom));
        other.grow(40).unwrap();
        drop(one);
        other.grow(60).unwrap();
        drop(other);
        assert_eq!(room.used(), 0);
    }

    #[test]
    fn bytes_are_counted_uncopied_until_their_last_slice_is_dropped() {
        let room = Room::new(10);
        let bytes = Bytes::from_static(b"0123456789");
        let held = room.hold(bytes.clone()).unwrap();
        assert_eq!(held.as_ptr(), bytes.as_ptr());
        assert_eq!(room.hold(Bytes::from_static(b"x")), Err(NoRoom));
        let slice = held.slice(3..4);
        drop(held);
        assert_eq!(room.used(), 10);
        drop(slice);
        assert_eq!(room.used(), 0);
    }

    #[test]
    fn what_was_promised_room_is_taken_at_its_real_size() {
        let room = Room::new(10);
        let promised = |bytes| {
            let mut held = Held::nothing(&room);
            held.grow(bytes).unwrap();
            held
        };
        let small = promised(8).around(Bytes::from_static(b"0123"));
        assert_eq!(room.used(), 4);
        let large = promised(6).around(Bytes::from_static(b"0123456789"));
        assert_eq!(room.used(), 14);
        assert_eq!(Held::nothing(&room).grow(1), Err(NoRoom));
        drop((small, large));
        assert_eq!(room.used(), 0);
    }
}
