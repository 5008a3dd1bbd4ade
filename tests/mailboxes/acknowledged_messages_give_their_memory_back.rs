//! What lay in a mailbox and was acknowledged is gone, also from the resident memory.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;

use crate::rig::{Node, event};

const MESSAGES: usize = 10_000;
/// Messages after which a node has been used: every thread has worked, every table is as large as it is
/// allowed to become.
const WARM_UP: usize = 5_000;

/// Little rounds in which memory is looked at.
const TRICKLE: usize = 20;
/// The same where it is waited for, on a machine that may be busy.
const TRICKLE_LONGEST: usize = 200;

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
/// are gone. It looks `looks` times at most, and no longer once the memory is down to `wanted`.
async fn round(node: &Node, messages: usize, looks: usize, wanted: u64) -> (u64, u64) {
    deliver(node, messages).await;
    let full = node.resident_kib();
    assert_eq!(fetch_all(node).await, messages);
    assert_eq!(node.metric("samsvar_outbox_bytes").await, 0);
    // A node is never quite without work. The allocator gives back what is free when it is called,
    // a little later than it became free, and thread by thread: the lowest level counts.
    let mut rest = node.resident_kib();
    for _ in 0..looks {
        if rest <= wanted {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        deliver(node, 2 * AT_ONCE).await;
        assert_eq!(fetch_all(node).await, 2 * AT_ONCE);
        rest = rest.min(node.resident_kib());
    }
    (full, rest)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_acknowledged_messages_leave_nothing_in_memory() {
    // What is remembered of messages has its own bound, and is there on purpose: the first round
    // reaches it, so that only the mailboxes differ.
    let node = Node::start("[transfers]\nremembered_max = 1000");
    let start = node.resident_kib();
    let (_, idle) = round(&node, WARM_UP, TRICKLE, 0).await;
    let bound = idle + idle / 10;
    let (full, after) = round(&node, MESSAGES, TRICKLE_LONGEST, bound).await;
    eprintln!(
        "resident memory in KiB: {start} at start, {idle} after {WARM_UP} messages; {full} with \
         {MESSAGES} of {MESSAGE_BYTES} bytes waiting, {after} when they are acknowledged"
    );
    assert!(after <= bound, "{after} KiB after {idle} KiB");
}
