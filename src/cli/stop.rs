//! Being told to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Hears SIGINT and SIGTERM from the moment it is made: make it before anything that must not be cut
/// off is begun.
#[derive(Debug)]
pub struct Orders {
    interrupt: Signal,
    terminate: Signal,
}

impl Orders {
    /// Begins to listen. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When signals cannot be listened for.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next order to stop.
    pub async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
