//! The transport over RabbitMQ (design 5): one connection per address, and on it for each
//! Uppgiftslämnare a channel to publish and be answered on, and one to declare and count on.
//!
//! ```text
//! dispatcher ── Line::send ──► Session ── lapin ──► samsvar.fraga ──► samsvar.fraga.<key> ──► adapter
//!     ▲                                                                                       │
//!     └── LineEvents ◄── task of the line ◄── confirms, returns, answers ◄── direct reply-to ◄┘
//! ```
//!
//! lapin drives its sockets from the multi-thread runtime given at the start: an Arbiter would starve
//! them. The task of a line runs where the line is opened, beside its dispatcher, so that a confirm
//! or an answer reaches it without one more hand-off between threads.
//!
//! **Logs.** lapin itself logs every returned message with its body, as a warning, and prints
//! frames at `trace`. A subscriber must let pass only what [`may_be_logged`] says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use shs_schemas::{Sensitive, Uppgiftslamnare};
use tokio::runtime::Handle;

mod activity;
mod answer;
pub mod contract;
mod counts;
pub mod examine;
mod line;
mod link;
mod probe;
mod question;
mod rinse;
mod session;
mod settings;

pub use answer::ANSWER_BYTES_MAX;
pub use counts::Counts;
pub use session::UNCONFIRMED_MAX;
pub use settings::{AddressError, AmqpSettings, RINSE_AFTER};

use self::line::LineTask;
use self::link::Link;
use self::question::QuestionForm;
use super::{Counted, Line, LineEvents, Transport};

/// Whether an event may reach a log, whatever else the operator asks for. Of what lapin says only
/// its errors may, and of those none about returned messages: the rest prints bodies.
#[must_use]
pub fn may_be_logged(metadata: &tracing::Metadata<'_>) -> bool {
    let target = metadata.target();
    let prints_bodies = target.starts_with("lapin") || target.starts_with("amq_protocol");
    !prints_bodies
        || (*metadata.level() == tracing::Level::ERROR && target != "lapin::returned_messages")
}

/// The AMQP transport. Dropping it closes its connections once its lines are dropped.
#[derive(Debug)]
pub struct Amqp {
    settings: Arc<AmqpSettings>,
    runtime: Handle,
    /// One per address, made when the first line needs it.
    links: Mutex<HashMap<Sensitive<String>, Arc<Link>>>,
    counts: Arc<Counts>,
}

impl Amqp {
    /// A transport whose connections live on `runtime`, which must be a multi-thread one.
    ///
    /// # Errors
    /// When an address cannot be read. Whether a broker answers there is told by the lines.
    pub fn start(settings: AmqpSettings, runtime: Handle) -> Result<Self, AddressError> {
        settings::check_addresses(&settings)?;
        Ok(Self {
            settings: Arc::new(settings),
            runtime,
            links: Mutex::default(),
            counts: Arc::default(),
        })
    }

    /// What has been counted since the start.
    #[must_use]
    pub fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }

    fn link(&self, url: &Sensitive<String>) -> Arc<Link> {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        let start = || {
            let uri = settings::read_address(url).expect("addresses are read at the start");
            let counts = Arc::clone(&self.counts);
            Arc::new(Link::start(uri, &self.settings, counts, &self.runtime))
        };
        Arc::clone(links.entry(url.clone()).or_insert_with(start))
    }

    fn form(&self, ul: Uppgiftslamnare, url: &Sensitive<String>) -> Arc<QuestionForm> {
        let user = self.settings.user.clone().or_else(|| {
            settings::read_address(url).map(|address| address.authority.userinfo.username)
        });
        let user = user.unwrap_or_default();
        Arc::new(QuestionForm::new(ul, &user, self.settings.ttl_longest))
    }
}

impl Transport for Amqp {
    fn open(&self, ul: Uppgiftslamnare, events: LineEvents) -> Box<dyn Line> {
        let url = self.settings.url_of(ul);
        let task = LineTask {
            ul,
            link: self.link(url),
            form: self.form(ul, url),
            events,
            settings: Arc::clone(&self.settings),
            counts: Arc::clone(&self.counts),
        };
        Box::new(task.start(&self.runtime))
    }

    fn name(&self) -> &'static str {
        "amqp"
    }

    fn counted(&self) -> Vec<Counted> {
        self.counts.read()
    }
}
