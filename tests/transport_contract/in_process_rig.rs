//! The rig without a broker.

use std::sync::Arc;

use samsvar_actors::transport::in_process::InProcess;
use samsvar_actors::transport::{Bastjanst, Transport};
use shs_schemas::Uppgiftslamnare;

use crate::rig::{AF, CSN, Reach, Rig};

pub struct InProcessRig(InProcess);

impl Rig for InProcessRig {
    async fn start(bastjanst: impl Bastjanst) -> Self {
        let bastjanst: Arc<dyn Bastjanst> = Arc::new(bastjanst);
        Self(
            InProcess::new()
                .with(AF, Arc::clone(&bastjanst))
                .with(CSN, bastjanst),
        )
    }

    fn transport(&self) -> &dyn Transport {
        &self.0
    }

    async fn set_reach(&self, ul: Uppgiftslamnare, reach: Reach) {
        self.0.set_reach(ul, reach);
    }
}
