//! Reading and writing content, contained: a panic in it costs one request, never an actor.

use std::panic::{AssertUnwindSafe, catch_unwind};

use uuid::Uuid;

use crate::failure::Failure;

/// Content larger than this is read and compiled on the blocking pool: on an arbiter it would hold up
/// the others.
pub const ON_ARBITER_BYTES_MAX: usize = 256 * 1024;

/// Does work with content; `work` names it in the log.
///
/// # Errors
/// [`Failure::Content`] when it panicked.
pub(crate) fn contained<T>(
    request_id: Uuid,
    work: &'static str,
    run: impl FnOnce() -> T,
) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|_| {
        tracing::error!(%request_id, work, "panic while content was handled");
        Failure::Content
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_failure_of_ours() {
        assert_eq!(contained(Uuid::nil(), "adding", || 1 + 1), Ok(2));
        let fell = contained(Uuid::nil(), "falling", || -> u8 { panic!("on purpose") });
        assert_eq!(fell, Err(Failure::Content));
    }
}
