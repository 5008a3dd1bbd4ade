//! What lay in a mailbox and was acknowledged is gone, also from the resident memory.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;

use crate::rig::{Node, event};

const MESSAGES: usize = 10_000;
const MESSAGE_BYTES: usize = 20 * 1024;

/// Callers at once.
const AT_ONCE: usize = 16;

async fn deliver(node: &Node, messages: usize) {
    let sent = stream::iter(0..messages).for_each_concurrent(AT_ONCE, |_| async {
        let (_, message) = event(MESSAGE_BYTES);
        assert_eq!(node.send(&message).await.status, 202);
    });
    sent.await;
    while node.metric("samsvar_outbox_messages").await < messages as u64 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn fetch_all(node: &Node) -> usize {
    let mut fetched = 0;
    loop {
        let listed = node.list().await;
        if listed.is_empty() {
            return fetched;
        }
        fetched += listed.len();
        let taken = stream::iter(&listed).for_each_concurrent(AT_ONCE, |tx_id| async {
            assert!(node.fetch(tx_id).await.len() >= MESSAGE_BYTES);
            node.acknowledge(tx_id).await;
        });
        taken.await;
    }
}

/// One round of so many messages; gives the resident memory with all of them waiting, and when they
/// are gone.
async fn round(node: &Node, messages: usize) -> (u64, u64) {
    deliver(node, messages).await;
    let full = node.resident_kib();
    assert_eq!(fetch_all(node).await, messages);
    assert_eq!(node.metric("samsvar_outbox_bytes").await, 0);
    tokio::time::sleep(Duration::from_secs(3)).await;
    (full, node.resident_kib())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_acknowledged_messages_leave_nothing_in_memory() {
    let node = Node::start("[transfers]\nremembered_max = 1000");
    let start = node.resident_kib();
    let (_, idle) = round(&node, 1_000).await;
    let (full, after) = round(&node, MESSAGES).await;
    let (full_again, again) = round(&node, MESSAGES).await;
    eprintln!(
        "resident memory in KiB: {start} at start, {idle} after 1,000 messages; {full} with {MESSAGES} \
         of {MESSAGE_BYTES} bytes waiting, {after} when they are acknowledged; {full_again} and {again} \
         the second time"
    );
    assert!(after <= idle + idle / 10, "{after} KiB after {idle} KiB");
}
