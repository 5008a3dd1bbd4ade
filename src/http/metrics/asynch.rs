//! What became of asynchronous messages, and what lies in the mailboxes. Nothing on a node that takes
//! none.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use samsvar_actors::node::{Asynch, Node};
use samsvar_actors::tally::{PromiseEnd, TransferEnd};
use samsvar_actors::transfers::TransferState;

use super::family;

/// Writes them down.
pub(super) fn encode(node: &Node, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let Some(asynch) = node.asynch() else {
        return Ok(());
    };
    ended(node, encoder)?;
    promises(node, encoder)?;
    remembered(asynch, encoder)?;
    outboxes(asynch, encoder)?;
    underway(asynch, encoder)
}

fn ended(node: &Node, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Asynchronous messages by how they ended";
    let mut ends = family(encoder, "transfers_ended", help, MetricType::Counter)?;
    for end in TransferEnd::ALL {
        let count = ConstCounter::new(node.tally().transfers(end));
        ends.row([("end", end.as_str())], &count)?;
    }
    counter(
        encoder,
        "notices_lost",
        "Replies, errors and confirmations of this node's own that could not be delivered",
        node.tally().own_lost(),
    )
}

/// Messages that earlier lives of the node left without an end.
fn promises(node: &Node, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Messages that an earlier life of the node left without an end, by what was done";
    let mut ends = family(encoder, "promises", help, MetricType::Counter)?;
    for end in PromiseEnd::ALL {
        let count = ConstCounter::new(node.tally().promises(end));
        ends.row([("done", end.as_str())], &count)?;
    }
    Ok(())
}

fn remembered(asynch: &Asynch, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let counted = asynch.transfers().counts();
    let help = "Asynchronous messages that are remembered, by state";
    let mut states = family(encoder, "transfers", help, MetricType::Gauge)?;
    for (word, count) in TransferState::WORDS.into_iter().zip(counted.states) {
        states.row([("state", word)], &gauge(count))?;
    }
    let help = "Messages that are remembered no more";
    let mut forgotten = family(encoder, "transfers_forgotten", help, MetricType::Counter)?;
    for (why, count) in [
        ("age", counted.forgotten_by_age),
        ("number", counted.forgotten_by_number),
    ] {
        forgotten.row([("because", why)], &ConstCounter::new(count))?;
    }
    counter(
        encoder,
        "transfers_changes_refused",
        "Changes of state that the present one does not allow",
        counted.refused,
    )?;
    counter(
        encoder,
        "transfers_unled",
        "Messages that errors and confirmations no longer lead to",
        counted.unled,
    )
}

fn outboxes(asynch: &Asynch, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let counts = asynch.outboxes().counts();
    for (name, help, value) in [
        (
            "outbox_messages",
            "Messages that can be fetched from mailboxes",
            counts.messages,
        ),
        (
            "outbox_bytes",
            "Memory held by mailboxes, promised places included",
            counts.bytes,
        ),
    ] {
        let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(metric)?;
    }
    for (name, help, value) in [
        (
            "outbox_refused",
            "Places that were refused because a mailbox was full",
            counts.refused,
        ),
        (
            "outbox_fetched",
            "Fetches that were completed",
            counts.fetched,
        ),
        (
            "outbox_acknowledged",
            "Messages that were acknowledged",
            counts.acknowledged,
        ),
        (
            "outbox_expired",
            "Messages that nobody acknowledged in time",
            counts.expired,
        ),
    ] {
        counter(encoder, name, help, value)?;
    }
    Ok(())
}

fn underway(asynch: &Asynch, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let underway = asynch.underway();
    for (name, help, value) in [
        (
            "underway_messages",
            "Asynchronous messages that were accepted and have no end yet",
            underway.messages(),
        ),
        (
            "underway_messages_max",
            "How many there may be",
            underway.messages_max(),
        ),
    ] {
        gauge(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
    }
    Ok(())
}

fn gauge(value: usize) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX))
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    ConstCounter::new(value).encode(metric)
}
