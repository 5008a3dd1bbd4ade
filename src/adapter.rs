//! The other side of the queue: what stands behind an Uppgiftslämnare.
//!
//! [`simulated`] plays all of them with invented people; [`behaviour`] makes any of them slow,
//! silent or wrong; [`amqp`] lets them answer from RabbitMQ. The in-process transport runs the same
//! [`Bastjanst`](samsvar_actors::transport::Bastjanst), so what is tried without a broker is what
//! runs with one.

pub mod amqp;
pub mod behaviour;
mod draw;
pub mod sealed;
pub mod simulated;
