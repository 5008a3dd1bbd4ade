//! The process itself: who may look into its memory, and whether that may leave for the disk
//! (design 8.2).

use garde::Validate;
use serde::Deserialize;

/// The process. What a node does without any setting is the strict side of both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Process {
    /// Whether other processes of the same user may read the memory: for the proof that nothing is
    /// left in it, and for nothing else.
    #[garde(skip)]
    pub dumpable: bool,
    /// Whether all memory is locked, so that none of it is ever swapped out.
    #[garde(skip)]
    pub mlockall: bool,
}
