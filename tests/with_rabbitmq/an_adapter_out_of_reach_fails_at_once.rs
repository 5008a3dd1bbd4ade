//! A party that cannot be asked costs the others no time: its part says so at once (design 9;
//!

use std::thread::sleep;
use std::time::Duration;

use lapin::options::{BasicConsumeOptions, BasicPublishOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection, ConnectionProperties};
use samsvar::client::answer::Said;
use shs_schemas::Uppgiftslamnare;

use crate::ask::{Caller, assert_only, is_data};
use crate::stage::{Node, Place, all_but, authorities};

const CSN: Uppgiftslamnare = Uppgiftslamnare::CSN;

/// Longest time for a whole reply when one part fails at once.
const AT_ONCE: Duration = Duration::from_millis(100);

/// Questions of which one must be answered in [`AT_ONCE`]: other work on the machine only adds time.
const TRIES: usize = 10;

/// Asserts that the part fails like this each time, and fast.
fn assert_fails_at_once(caller: &Caller, node: &Node, felkod: &str) {
    let mut times = Vec::new();
    for _ in 0..TRIES {
        let (said, took) = caller.ask(node);
        assert_only(&said, CSN, felkod);
        times.push(took);
    }
    let fastest = times.iter().min().unwrap();
    eprintln!("whole reply with {felkod}: {times:.1?}");
    assert!(*fastest < AT_ONCE, "{times:?}");
}

/// The adapter has no other right than the definitions give it: to read its own queues, and to
/// answer.
#[test]
fn when_it_stopped_a_second_ago_and_comes_back_by_itself() {
    let Some(place) = Place::take() else { return };
    let node = Node::start(&place, &[]);
    let _others = all_but(&place, CSN);
    let csn = authorities(&place, "ul-csn", &["--kod", "CSN"], 2);
    let caller = Caller::new();
    caller.until_all_give_data(&node);
    csn.kill();
    // The promise is about a second: the node counts consumers every half.
    sleep(Duration::from_secs(1));
    assert_fails_at_once(&caller, &node, "SSBT-INGEN-KONTAKT");
    let _csn = authorities(&place, "ul-csn", &["--kod", "CSN"], 2);
    let away = caller.until_all_give_data(&node);
    assert!(away < Duration::from_secs(5), "back after {away:?}");
}

/// A consumer that takes one message and never acknowledges it: the queue is read, and full.
#[test]
fn when_its_queue_is_full() {
    let Some(place) = Place::take() else { return };
    let node = Node::start(&place, &[]);
    let _others = all_but(&place, CSN);
    let caller = Caller::new();
    // The node has declared the queues by then.
    caller.until(&node, |said| {
        said.values().filter(|said| is_data(said)).count() == 7
    });
    let _stuck = caller.runtime.block_on(stuck_consumer(&place));
    caller.until(&node, |said| {
        said[&CSN] == Said::Error("SSBT".into(), "SSBT-OVERLAST".into())
    });
    assert_fails_at_once(&caller, &node, "SSBT-OVERLAST");
}

async fn stuck_consumer(place: &Place) -> Vec<Connection> {
    let connect = |user| {
        let url = place.url(user);
        async move {
            Connection::connect(&url, ConnectionProperties::default())
                .await
                .unwrap()
        }
    };
    let (adapter, flood) = (connect("ul-csn").await, connect("guest").await);
    let queue = "samsvar.fraga.CSN";
    let channel = adapter.create_channel().await.unwrap();
    channel
        .basic_qos(1, BasicQosOptions::default())
        .await
        .unwrap();
    let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
    let consumer = channel
        .basic_consume(queue.into(), "".into(), options, none)
        .await
        .unwrap();
    // The channel lives as long as its consumer is delivered to.
    consumer.set_delegate(|_| async {});
    let channel = flood.create_channel().await.unwrap();
    // `max-length` of the policy, one that is delivered, and one over.
    for _ in 0..1_002 {
        let (options, nothing) = (BasicPublishOptions::default(), BasicProperties::default());
        let published = channel.basic_publish("".into(), queue.into(), options, b"", nothing);
        published.await.unwrap().await.unwrap();
    }
    std::mem::forget(consumer);
    vec![adapter, flood]
}
