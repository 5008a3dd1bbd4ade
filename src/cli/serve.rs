//! `samsvar serve`: the node, until it is told to stop.

use std::process::ExitCode;
use std::sync::Arc;

use samsvar_actors::failpoint::Failpoints;
use samsvar_actors::stack;
use samsvar_actors::transport::Transport;
use samsvar_actors::transport::in_process::InProcess;

use super::ConfigFile;
use super::stop::Orders;
use crate::adapter::behaviour::Behaviour;
use crate::adapter::simulated;
use crate::app::{App, Outside};
use crate::hardening::{Proof, harden};
use crate::settings::{Settings, TransportKind};
use crate::{telemetry, wiring};

/// Exit code when a child that the node cannot be without used up its restart budget: the service
/// manager starts the node clean.
const ESCALATED: u8 = 70;

/// Exit code when requests were still open at the end of the drain time, or at a second signal.
const LEFT_OPEN: u8 = 75;

/// Threads for the connections to RabbitMQ. (One: what scrubs its stack is one task.)
const AMQP_THREADS: usize = 1;

/// No connection is ever idle for so long.
const NEVER_MS: u64 = u64::MAX;

/// Seed of the simulated authorities of an in-process node.
const SEED: u64 = 1;

/// Arguments of `samsvar serve`.
#[derive(Clone, Debug, clap::Args)]
pub struct ServeArgs {
    #[command(flatten)]
    file: ConfigFile,
}

/// Serves until SIGINT or SIGTERM; then what is open is answered, and the exit code is 0. A second
/// signal ends it at once.
///
/// # Errors
/// When the configuration cannot be used or an address is taken.
pub fn run(args: &ServeArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    run_with(Settings::load(&args.file.config)?)
}

/// The same with settings that have been loaded.
///
/// # Errors
/// When they cannot be used or an address is taken.
pub fn run_with(mut settings: Settings) -> Result<ExitCode, Box<dyn std::error::Error>> {
    telemetry::start(settings.log.format)?;
    let Proof { rinses, falls } = harden(&settings)?;
    if !rinses {
        settings.amqp.rinse_after_ms = NEVER_MS;
    }
    let connections = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(AMQP_THREADS)
        .thread_name("amqp")
        .enable_all()
        .build()?;
    connections.spawn(stack::keep_scrubbed());
    let transport = transport(&settings, &connections)?;
    let outside = Outside {
        transport,
        connections: connections.handle().clone(),
    };
    let code = actix_rt::System::new().block_on(serve(&settings, outside, falls))?;
    connections.shutdown_background();
    Ok(code)
}

fn transport(
    settings: &Settings,
    connections: &tokio::runtime::Runtime,
) -> Result<Arc<dyn Transport>, wiring::WiringError> {
    match settings.transport.kind {
        TransportKind::Amqp => {
            let amqp = wiring::amqp(settings, connections.handle().clone())?;
            wiring::sealed(settings, amqp)
        }
        TransportKind::InProcess => Ok(Arc::new(simulated_transport(SEED, &Behaviour::good(SEED)))),
    }
}

/// Every simulated authority in this process, behaving so.
#[must_use]
pub fn simulated_transport(seed: u64, behaviour: &Behaviour) -> InProcess {
    let parties = simulated::alla(seed).into_iter();
    parties.fold(InProcess::new(), |transport, (ul, bastjanst)| {
        transport.with(ul, Arc::new(behaviour.clone().around(ul, bastjanst)))
    })
}

async fn serve(
    settings: &Settings,
    outside: Outside,
    falls: Failpoints,
) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut orders = Orders::listen()?;
    let app = App::start(settings, outside, falls)?;
    let escalated = tokio::select! {
        () = orders.stop() => None,
        name = app.escalated() => Some(name),
    };
    let open = app.node().open();
    let left = tokio::select! {
        left = app.stop() => left,
        // Whoever says it twice does not want to wait.
        () = orders.stop(), if open > 0 => {
            tracing::warn!("told twice to stop: open requests are left");
            return Ok(ExitCode::from(LEFT_OPEN));
        }
    };
    if let Some(actor) = escalated {
        tracing::error!(%actor, "restart budget used up");
        return Ok(ExitCode::from(ESCALATED));
    }
    Ok(if left == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(LEFT_OPEN)
    })
}
