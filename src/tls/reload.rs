//! Looks at the files again every so often, and at SIGHUP, and says in the log what came of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

use super::store::{Reloaded, Store};

/// Keeps the store up to date until it is dropped.
pub async fn keep_up(store: Arc<Store>, every: Duration) {
    let mut hangup = signal(SignalKind::hangup())
        .inspect_err(|error| tracing::warn!(%error, "SIGHUP is not listened to"))
        .ok();
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = received(hangup.as_mut()) => {}
        }
        let store = Arc::clone(&store);
        match tokio::task::spawn_blocking(move || store.reload()).await {
            Ok(reloaded) => say(&reloaded),
            Err(_) => tracing::error!("certificates could not be looked at"),
        }
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

fn say(reloaded: &Reloaded) {
    match reloaded {
        Reloaded::Unchanged => {}
        Reloaded::Exchanged { generation } => {
            tracing::info!(generation, "certificates exchanged");
        }
        Reloaded::Kept(faults) => {
            for fault in faults {
                let (setting, file) = (fault.setting, fault.file.display());
                let reason = &fault.reason;
                tracing::error!(setting, %file, reason, "the last good certificates stay in use");
            }
        }
    }
}
