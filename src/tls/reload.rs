//! Looks at the files again every so often, and at SIGHUP, and says in the log what came of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

use super::files::TlsFault;
use super::store::{Reloaded, Store};

/// How often it is said what will end soon, and which files are still not used.
const WARN_EVERY: Duration = Duration::from_hours(24);

/// Keeps the store up to date until it is dropped.
pub async fn keep_up(store: Arc<Store>, every: Duration) {
    let mut hangup = signal(SignalKind::hangup())
        .inspect_err(|error| tracing::warn!(%error, "SIGHUP is not listened to"))
        .ok();
    let (mut ticks, mut warnings) = (interval(every), interval(WARN_EVERY));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Read just now.
    ticks.tick().await;
    loop {
        let look: fn(&Store) = tokio::select! {
            _ = warnings.tick() => warn,
            _ = ticks.tick() => reload,
            () = received(hangup.as_mut()) => reload,
        };
        let store = Arc::clone(&store);
        let looked = tokio::task::spawn_blocking(move || look(&store)).await;
        if looked.is_err() {
            tracing::error!("certificates could not be looked at");
        }
    }
}

fn reload(store: &Store) {
    match store.reload() {
        Reloaded::Unchanged => {}
        Reloaded::Exchanged { generation } => {
            tracing::info!(generation, "certificates exchanged");
            warn(store);
        }
        Reloaded::Kept(faults) => say(&faults),
    }
}

fn warn(store: &Store) {
    say(&store.unused());
    for warning in store.inspect().warnings {
        let (setting, file) = (warning.setting, warning.file.display());
        tracing::warn!(setting, %file, reason = warning.reason, "look at this file");
    }
}

async fn received(signal: Option<&mut Signal>) {
    let received = match signal {
        Some(signal) => signal.recv().await,
        None => None,
    };
    if received.is_none() {
        std::future::pending::<()>().await;
    }
}

fn say(faults: &[TlsFault]) {
    for fault in faults {
        let (setting, file) = (fault.setting, fault.file.display());
        let reason = &fault.reason;
        tracing::error!(setting, %file, reason, "the last good certificates stay in use");
    }
}
