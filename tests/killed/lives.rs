//! The lives of the node, one process after the other. Each listens on ports of its own, so that a
//! request can only reach the life that it was meant for.

use tokio::sync::watch;

/// One life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// From 1.
    pub number: u32,
    /// Its receive service.
    pub receives: String,
    /// Its delivery service.
    pub delivers: String,
}

/// Which life is now.
#[derive(Debug)]
pub struct Lives(watch::Sender<Option<Life>>);

impl Lives {
    /// None yet.
    pub fn new() -> Self {
        Self(watch::channel(None).0)
    }

    pub fn begin(&self, number: u32, receives: &str) {
        let delivers = receives.replace("/shs/rs", "/shs/ds");
        self.0.send_replace(Some(Life {
            number,
            receives: receives.to_owned(),
            delivers,
        }));
    }

    pub fn end(&self) {
        self.0.send_replace(None);
    }

    /// The one that is, or the next.
    pub async fn current(&self) -> Life {
        let mut now = self.0.subscribe();
        let life = now.wait_for(Option::is_some).await;
        life.expect("the lives outlast whoever asks")
            .clone()
            .unwrap()
    }

    pub fn is(&self, number: u32) -> bool {
        let now = self.0.borrow();
        now.as_ref().is_some_and(|life| life.number == number)
    }
}
