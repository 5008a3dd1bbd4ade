//! The actors of samsvar and the two transports that carry their questions.
//!
//! ```text
//!            ┌────────────── one per HTTP worker ──────────────┐   ┌── one arbiter ──┐
//!  HTTP ───► │ ingress ──► aggregator (one per request) ───────┼──►│ dispatcher AF   │──► line
//!            │                │    ▲ ───────────────────────── ┼───│ dispatcher CSN  │◄── line
//!  HTTP ◄─── │ egress ◄───────┘    └── slots                   │   │ …  supervisor   │
//!            └─────────────────────────────────────────────────┘   └─────────────────┘
//! ```
//!
//! Nobody calls back upstream. A slot is opened before its question leaves; filling it twice changes
//! nothing; whoever holds a request or a sub-question holds a port that answers when it is dropped.

pub mod aggregator;
mod answer;
pub mod avvikelse;
pub mod avvisat;
pub mod caller;
pub mod child;
pub mod contained;
pub mod deadline;
pub mod directory;
pub mod dispatcher;
pub mod door;
pub mod egress;
pub mod failpoint;
pub mod failure;
pub mod ingress;
pub mod insamling;
pub mod ledger;
pub mod load;
pub mod mailbox;
pub mod messages;
pub mod next_node;
pub mod node;
pub mod observation;
pub mod outbox;
pub mod parter;
pub mod relay;
pub mod reply;
pub mod room;
pub mod stack;
pub mod supervisor;
pub mod tally;
pub mod transfers;
pub mod transport;
mod veil;
