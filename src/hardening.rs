//! What the process does for itself before it takes content in (design 8.2): no core dumps, its
//! memory shut to other processes, and on demand all of it kept in memory.

use rustix::io::Errno;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};
use rustix::thread::{CapabilitySet, capabilities};
use samsvar_actors::failpoint::Failpoints;

use crate::settings::Settings;

/// Names what a proof goes without, to show that it would notice: `wipe`, `rinse` or both, with a comma
/// between. Obeyed only where `[process] dumpable` says that this process is there to be looked into.
pub const WITHOUT: &str = "SAMSVAR_PROOF_WITHOUT";
const WIPE: &str = "wipe";
const RINSE: &str = "rinse";

/// Names which actors fall in a proof, and how often: `dispatcher-AF:3,aggregator:2`. Obeyed under the
/// same condition, and by a debug build only: no other has failpoints.
pub const FALLS: &str = "SAMSVAR_PROOF_FALLS";

/// What is mapped beside content, in bytes: what the allocator reserves ahead (1 GiB at a time),
/// stacks, buffers of connections, registers of what is known. Locked memory is counted as it is
/// mapped, not as it is used.
const MAPPED_BESIDE: u64 = 4 * 1024 * 1024 * 1024;

/// Why the process is not as the settings want it.
#[derive(Debug, thiserror::Error)]
pub enum HardeningError {
    /// The kernel refuses to switch core dumps off.
    #[error("core dumps cannot be switched off: {0}")]
    CoreDumps(Errno),
    /// The kernel refuses to shut the memory to others.
    #[error("the process cannot be made undumpable: {0}")]
    Dumpable(Errno),
    /// Less may be locked than the node may come to use.
    #[error(
        "process.mlockall: RLIMIT_MEMLOCK is {}, and at least {} are needed (the bounds of \
         [listener], [load], [outbox] and [relay] on bytes, and 4 GiB for everything else): set \
         LimitMEMLOCK=infinity, give the capability CAP_IPC_LOCK, or lower those bounds",
        mib(*.limit), mib(*.need)
    )]
    MayNotLock {
        /// The limit, in bytes.
        limit: u64,
        /// What is needed, in bytes.
        need: u64,
    },
    /// The kernel refuses to lock.
    #[error("process.mlockall: {0}")]
    Lock(Errno),
}

/// What a proof wants of this process. Without one: everything as it is delivered.
#[derive(Debug)]
#[must_use]
pub struct Proof {
    /// Whether idle connections to RabbitMQ are rinsed.
    pub rinses: bool,
    /// Where actors fall.
    pub falls: Failpoints,
}

/// Makes the process as the settings want it, and says what a proof wants of it. Call it before threads are started and when the log
/// is there: what is lifted is said in it.
///
/// # Errors
/// When the kernel refuses; a node that cannot keep its promise does not start.
pub fn harden(settings: &Settings) -> Result<Proof, HardeningError> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none).map_err(HardeningError::CoreDumps)?;
    if settings.process.dumpable {
        tracing::warn!(
            "process.dumpable: other processes of this user can read the content of messages in \
             this one's memory"
        );
    } else {
        set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(HardeningError::Dumpable)?;
    }
    let proof = proof(settings.process.dumpable);
    if settings.process.mlockall {
        lock(settings)?;
    }
    Ok(proof)
}

/// Reads what a proof wants.
fn proof(dumpable: bool) -> Proof {
    let mut proof = Proof {
        rinses: true,
        falls: Failpoints::default(),
    };
    for word in words(WITHOUT) {
        match word.as_str() {
            WIPE if dumpable => {
                samsvar_wiping::switch_off();
                tracing::error!(security = true, "{WITHOUT}: freed memory is not wiped");
            }
            RINSE if dumpable => {
                proof.rinses = false;
                tracing::error!(security = true, "{WITHOUT}: no connection is rinsed");
            }
            _ => ignored(WITHOUT),
        }
    }
    for word in words(FALLS) {
        let fall = word.split_once(':');
        let fall = fall.and_then(|(place, times)| Some((place, times.parse().ok()?)));
        match fall {
            Some((place, times)) if dumpable && arm(&proof.falls, place, times) => {
                tracing::error!(security = true, "{FALLS}: actors fall on purpose");
            }
            _ => ignored(FALLS),
        }
    }
    proof
}

/// What stands between the commas of a variable; nothing when it is not set.
fn words(variable: &str) -> Vec<String> {
    let Some(value) = std::env::var_os(variable) else {
        return Vec::new();
    };
    let value = value.to_string_lossy();
    value.split(',').map(str::to_owned).collect()
}

fn ignored(variable: &str) {
    tracing::warn!("{variable} is ignored: it is for proofs, with process.dumpable");
}

#[cfg(debug_assertions)]
fn arm(falls: &Failpoints, place: &str, times: usize) -> bool {
    falls.arm(place, times);
    true
}

/// There is nothing to arm.
#[cfg(not(debug_assertions))]
fn arm(_falls: &Failpoints, _place: &str, _times: usize) -> bool {
    false
}

fn lock(settings: &Settings) -> Result<(), HardeningError> {
    let privileged =
        capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::IPC_LOCK));
    let limit = getrlimit(Resource::Memlock).current;
    may_lock(limit, privileged, need(settings))?;
    // On fault: what the allocator has reserved and nobody has touched takes no memory.
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    mlockall(flags).map_err(HardeningError::Lock)?;
    tracing::info!("all memory of this process is locked");
    Ok(())
}

/// What the node may come to map, in bytes. Once all future memory is locked, an allocation above
/// the limit fails, and with it the process: better not to start.
fn need(settings: &Settings) -> u64 {
    [
        settings.listener.bodies_bytes_max,
        settings.load.answers_bytes_max,
        settings.outbox.bytes_total_max,
        settings.relay.underway_bytes_max,
    ]
    .into_iter()
    .fold(MAPPED_BESIDE, u64::saturating_add)
}

/// No limit is `None`.
fn may_lock(limit: Option<u64>, privileged: bool, need: u64) -> Result<(), HardeningError> {
    match limit {
        Some(limit) if !privileged && limit < need => {
            Err(HardeningError::MayNotLock { limit, need })
        }
        _ => Ok(()),
    }
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes / 1024 / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_below_the_need_is_refused_with_both_unless_it_does_not_apply() {
        let settings = Settings::demo();
        let need = need(&settings);
        let bodies = settings.listener.bodies_bytes_max;
        assert!(need > MAPPED_BESIDE + bodies);
        let said = may_lock(Some(8 * 1024 * 1024), false, need)
            .unwrap_err()
            .to_string();
        let needed = format!("at least {} are needed", mib(need));
        assert!(
            said.contains("RLIMIT_MEMLOCK is 8 MiB") && said.contains(&needed),
            "{said}"
        );
        assert!(may_lock(Some(need - 1), false, need).is_err());
        for (limit, privileged) in [(Some(need), false), (None, false), (Some(0), true)] {
            assert!(may_lock(limit, privileged, need).is_ok());
        }
    }
}
