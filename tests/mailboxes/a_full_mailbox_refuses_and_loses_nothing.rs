//! At its bound a mailbox refuses with 503, and keeps what was accepted.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;

use crate::rig::{Node, event};

const SENDERS: usize = 50;
const MESSAGES_EACH: usize = 4;

/// What came of a message: accepted, or to be sent again.
async fn attempt(node: &Node, message: (String, Bytes)) -> Result<String, (String, Bytes)> {
    let answered = node.send(&message.1).await;
    match answered.status {
        202 => Ok(message.0),
        503 => {
            assert!(answered.retry_after.is_some_and(|seconds| seconds > 0));
            Err(message)
        }
        other => panic!("status {other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_accepted_is_fetched_and_what_is_refused_is_accepted_later() {
    let node = Node::start(
        "[outbox]\nmessages_max = 60\nbytes_max = 400000\nbytes_total_max = 900000\n\
         reserve_bytes = 2000\n[relay]\nunderway_max = 40",
    );
    let mut to_send: Vec<_> = (0..SENDERS * MESSAGES_EACH).map(|_| event(4_000)).collect();
    let every: BTreeSet<_> = to_send.iter().map(|(tx_id, _)| tx_id.clone()).collect();
    let (mut accepted, mut fetched) = (BTreeSet::new(), BTreeSet::new());
    let mut refusals = 0;
    for _ in 0..100 {
        let mut refused = Vec::new();
        while !to_send.is_empty() {
            let batch = to_send.split_off(to_send.len().saturating_sub(SENDERS));
            let attempts = batch.into_iter().map(|message| attempt(&node, message));
            for attempt in join_all(attempts).await {
                match attempt {
                    Ok(tx_id) => assert!(accepted.insert(tx_id), "accepted once"),
                    Err(message) => refused.push(message),
                }
            }
        }
        refusals += refused.len();
        while node.metric("samsvar_underway_messages").await > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        for tx_id in node.list().await {
            node.fetch(&tx_id).await;
            node.acknowledge(&tx_id).await;
            assert!(fetched.insert(tx_id), "fetched once");
        }
        assert_eq!(fetched, accepted, "everything that was accepted is there");
        if refused.is_empty() {
            break;
        }
        to_send = refused;
    }
    assert_eq!(accepted, every, "everything is accepted in the end");
    assert!(refusals >= 100, "the bounds were met: {refusals} refusals");
    eprintln!("{} messages, {refusals} refusals", every.len());
    assert_eq!(node.metric("samsvar_outbox_bytes").await, 0);
    let changes = "samsvar_transfers_changes_refused_total";
    assert_eq!(node.metric(changes).await, 0);
}
