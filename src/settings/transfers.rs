//! How much is remembered of asynchronous messages (shs-1.2, 5.3).

use std::time::Duration;

use garde::Validate;
use samsvar_actors::transfers::{REMEMBERED_FOR_H, REMEMBERED_MAX, TransferSettings};
use serde::Deserialize;

/// Most messages that can be remembered.
pub(super) const REMEMBERED_MAX_MAX: usize = 10_000_000;
/// Longest time that can be set, in hours: thirty days.
pub(super) const REMEMBERED_FOR_H_MAX: u64 = 720;

/// The register of transfers.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Transfers {
    /// Most messages that are remembered.
    #[garde(range(min = 1, max = REMEMBERED_MAX_MAX))]
    pub remembered_max: usize,
    /// For how long each is, in hours.
    #[garde(range(min = 1, max = REMEMBERED_FOR_H_MAX))]
    pub remembered_for_h: u64,
}

impl Default for Transfers {
    fn default() -> Self {
        Self {
            remembered_max: REMEMBERED_MAX,
            remembered_for_h: REMEMBERED_FOR_H,
        }
    }
}

impl Transfers {
    /// The same in the terms of the register.
    #[must_use]
    pub const fn register(&self) -> TransferSettings {
        TransferSettings {
            remembered_max: self.remembered_max,
            remembered_for: Duration::from_hours(self.remembered_for_h),
        }
    }
}
