//! What calls leave on a thread's stack (design 8.2).
//!
//! Content is not copied to stacks by value, but what works on it spills registers there: sixteen or
//! thirty-two bytes that were being encoded, a block that was being hashed. Nobody wipes them, and on a
//! thread that falls idle they stay. So every thread that handles content overwrites, twice a second, what
//! lies below the frame of a shallow task; and who works on the blocking pool, where there are no tasks,
//! does so when it is done.

use std::hint::black_box;
use std::time::Duration;

use actix_rt::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep;

/// How far down: farther than the frames of any work with content reach, which are largest in a debug
/// build. An eighth of the smallest stack.
const DEPTH_BYTES: usize = 256 * 1024;

/// How often.
const EVERY: Duration = Duration::from_millis(500);

/// Overwrites what calls that have returned left below the caller's frame.
#[inline(never)]
#[expect(
    clippy::large_stack_arrays,
    reason = "a large part of the stack is what it is about"
)]
pub fn scrub() {
    let mut below = [0_u8; DEPTH_BYTES];
    // Whoever sees it could read it: it must have been written.
    black_box(&mut below);
}

/// Does so for as long as the thread lives that this is spawned on; of a runtime with one thread.
pub async fn keep_scrubbed() {
    loop {
        sleep(EVERY).await;
        scrub();
    }
}

/// Works on the blocking pool and leaves nothing on the stack there, even when it panics.
pub(crate) fn off_arbiter<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    spawn_blocking(move || {
        let _scrub = Scrub;
        run(work)
    })
}

/// In a frame of its own, below that of the guard.
#[inline(never)]
fn run<T>(work: impl FnOnce() -> T) -> T {
    work()
}

struct Scrub;

impl Drop for Scrub {
    fn drop(&mut self) {
        scrub();
    }
}
