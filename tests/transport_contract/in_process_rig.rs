//! The rig without a broker.

use std::sync::Arc;

use samsvar_actors::transport::in_process::InProcess;
use samsvar_actors::transport::{Bastjanst, Transport};
use shs_schemas::Uppgiftslamnare;

use crate::rig::{AF, CSN, Reach, Rig};

pub struct InProcessRig(Arc<InProcess>);

impl Rig for InProcessRig {
    async fn start(bastjanst: impl Bastjanst) -> Self {
        let bastjanst: Arc<dyn Bastjanst> = Arc::new(bastjanst);
        let transport = InProcess::new()
            .with(AF, Arc::clone(&bastjanst))
            .with(CSN, bastjanst);
        Self(Arc::new(transport))
    }

    fn transport(&self) -> &dyn Transport {
        &*self.0
    }

    fn shared(&self) -> Arc<dyn Transport> {
        Arc::clone(&self.0) as Arc<dyn Transport>
    }

    async fn set_reach(&self, ul: Uppgiftslamnare, reach: Reach) {
        self.0.set_reach(ul, reach);
    }
}
