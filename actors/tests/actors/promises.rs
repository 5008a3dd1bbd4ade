//! 202 is kept over a crash (design 9): what a node that starts tells the senders of messages which the life
//! before it accepted and did not bring to an end. The node is "killed" by starting another one on a copy of
//! what is on disk at that moment.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use samsvar_actors::caller::Caller;
use samsvar_actors::node::NodeSettings;
use samsvar_actors::tally::PromiseEnd;
use shs_schemas::ErrorCode;
use shs_schemas::ids::{CorrId, TxId};
use shs_schemas::mime::Limits;
use shs_schemas::shs::management::Outcome;
use shs_schemas::shs::{Agreements, Management, Message};

use crate::relay_rig::{
    Does, LOCAL, OTHER_REMOTE, REMOTE, Rig, SENDER, accepted, agreement_with, asynch_question,
    event, number, url_of,
};
use crate::{paused, settle};

const SECOND: Duration = Duration::from_secs(1);

fn to(receiver: &str) -> Message {
    event(SENDER, Some(receiver), 100)
}

/// A question of a conversation of its own.
fn fresh_question() -> Message {
    let mut question = asynch_question();
    question.label.corr_id = CorrId::fresh();
    question
}

/// The tx.id that an error of a restart is about; `None` for any other message.
fn about(message: &Message) -> Option<TxId> {
    let management = Management::of(message, &Limits::default())?.unwrap();
    let Outcome::Error { code, appinfo, .. } = management.outcome else {
        return None;
    };
    assert_eq!(code, ErrorCode::OtherError);
    let tx_id = appinfo.iter().find(|info| info.name == "txId").unwrap();
    Some(TxId::parse(tx_id.text.expose()).unwrap())
}

/// What an actor finds of such errors in its mailbox.
fn told(rig: &Rig, actor: &str) -> Vec<TxId> {
    let mut told: Vec<TxId> = rig.mailbox(actor).iter().filter_map(about).collect();
    told.sort();
    told
}

fn tx_ids(messages: &[&Message]) -> Vec<TxId> {
    let mut tx_ids: Vec<TxId> = messages.iter().map(|one| one.label.tx_id.clone()).collect();
    tx_ids.sort();
    tx_ids
}

fn acknowledge_all(rig: &Rig, actor: &str) {
    rig.acknowledge(actor, &rig.mailbox(actor));
}

fn done(rig: &Rig, end: PromiseEnd) -> u64 {
    rig.node.tally().promises(end)
}

fn impatient(settings: &mut NodeSettings) {
    settings.asynch.as_mut().unwrap().relay.give_up_after = Duration::from_mins(1);
}

fn hang(rig: &Rig) {
    rig.nodes.script(|_, _| Does::Hang(Duration::from_hours(1)));
}

#[actix::test]
async fn whatever_had_no_end_is_told_to_its_sender_until_that_is_acknowledged() {
    paused();
    let rig = Rig::new().await;
    hang(&rig);
    let (unread, read, on_its_way) = (to(LOCAL), to(LOCAL), to(REMOTE));
    let (question, answered) = (fresh_question(), fresh_question());
    for message in [&unread, &read, &on_its_way, &question, &answered] {
        rig.accepted(message).await;
    }
    tokio::time::sleep(SECOND).await;
    let of = |actor: &str, wanted: &Message| {
        let mut found = rig.mailbox(actor);
        found.retain(|one| one.label.corr_id == wanted.label.corr_id);
        found
    };
    rig.acknowledge(LOCAL, &of(LOCAL, &read));
    let replies = rig.mailbox(SENDER);
    assert_eq!(replies.len(), 2);
    let theirs = |one: &&Message| one.label.corr_id == answered.label.corr_id;
    let reply = replies.iter().find(theirs).unwrap().clone();
    rig.acknowledge(SENDER, &[reply]);
    settle().await;

    let second = rig.killed(|_| ()).await;
    settle().await;
    let owed = tx_ids(&[&unread, &on_its_way, &question]);
    assert_eq!(told(&second, SENDER), owed);
    assert_eq!(
        (
            done(&second, PromiseEnd::Resumed),
            done(&second, PromiseEnd::Told)
        ),
        (3, 3)
    );
    assert!(second.mailbox(LOCAL).is_empty());

    // Nobody fetches them, and the node is killed again.
    let third = second.killed(|_| ()).await;
    settle().await;
    assert_eq!(told(&third, SENDER), owed);
    let errors = third.mailbox(SENDER);
    let one = errors
        .iter()
        .find(|one| about(one) == Some(unread.label.tx_id.clone()));
    third.acknowledge(SENDER, &[one.unwrap().clone()]);
    settle().await;

    let fourth = third.killed(|_| ()).await;
    settle().await;
    assert_eq!(told(&fourth, SENDER), tx_ids(&[&on_its_way, &question]));
    acknowledge_all(&fourth, SENDER);
    settle().await;

    let fifth = fourth.killed(|_| ()).await;
    settle().await;
    assert!(fifth.mailbox(SENDER).is_empty());
    assert_eq!(done(&fifth, PromiseEnd::Resumed), 0);
    let loften = |rig: &Rig| {
        let lines = rig.all_lines();
        lines
            .iter()
            .filter(|line| line["event"] == "loften")
            .count()
    };
    assert_eq!(
        (loften(&fourth), loften(&fifth)),
        (3, 3),
        "nothing, nothing noted"
    );
}

#[actix::test]
async fn everything_about_a_promise_stands_under_one_name_in_the_ledger() {
    paused();
    let rig = Rig::new().await;
    let message = to(LOCAL);
    rig.accepted(&message).await;
    settle().await;
    let rig = rig.killed(|_| ()).await;
    settle().await;
    acknowledge_all(&rig, SENDER);
    settle().await;
    let lines = rig.all_lines();
    let request_id = &lines
        .iter()
        .find(|line| line["event"] == "mottaget")
        .unwrap()["request_id"];
    let of = lines
        .iter()
        .filter(|line| line["request_id"] == *request_id);
    let word =
        |line: &serde_json::Value, field: &str| line[field].as_str().unwrap_or("").to_owned();
    let noted: Vec<_> = of
        .map(|line| [word(line, "event"), word(line, "slag"), word(line, "where")].join(" "))
        .collect();
    assert_eq!(
        noted,
        [
            "mottaget  ",
            "levererat meddelande ",
            "aterupptaget  ",
            "fel  omstart",
            "levererat fel ",
            "kvitterat fel ",
        ]
    );
    let taken_up = lines
        .iter()
        .find(|line| line["event"] == "aterupptaget")
        .unwrap();
    assert_eq!(taken_up["tx_id"], message.label.tx_id.as_str());
    assert_eq!(taken_up["from"], format!("urn:X-shs:{SENDER}"));
    let receipt = lines.iter().find(|line| line["event"] == "mottaget");
    assert_eq!(taken_up["received"], receipt.unwrap()["time"]);
    let found = lines.iter().find(|line| line["event"] == "loften").unwrap();
    assert_eq!(
        (found["owed"].as_u64(), found["damaged"].as_u64()),
        (Some(1), Some(0))
    );
}

#[actix::test]
async fn an_identifier_that_is_no_uuid_is_told_as_it_came() {
    paused();
    let rig = Rig::new().await;
    let mut message = to(LOCAL);
    message.label.tx_id = TxId::parse("arende-199503142383").unwrap();
    rig.accepted(&message).await;
    let rig = rig.killed(|_| ()).await;
    settle().await;
    let rig = rig.killed(|_| ()).await;
    settle().await;
    assert_eq!(told(&rig, SENDER), tx_ids(&[&message]));
    let lines = rig.all_lines();
    assert!(
        lines
            .iter()
            .all(|line| !line.to_string().contains("199503142383"))
    );
}

#[actix::test]
async fn a_sender_with_a_node_of_its_own_is_told_there_once() {
    paused();
    let rig = Rig::new().await;
    let message = event(REMOTE, Some(LOCAL), 100);
    let caller = Caller::certified([number(REMOTE)]);
    accepted(rig.send_as(&message, caller).await);
    settle().await;
    // Away at first: it is tried again as any message is.
    rig.nodes.script(|_, post| {
        if post < 3 {
            Does::Unreachable
        } else {
            Does::Take
        }
    });
    let second = rig.killed(|_| ()).await;
    tokio::time::sleep(10 * SECOND).await;
    assert_eq!(second.nodes.posts_to(&url_of(REMOTE)).len(), 3);
    assert_eq!(
        about(&second.nodes.last()),
        Some(message.label.tx_id.clone())
    );
    let third = second.killed(|_| ()).await;
    settle().await;
    assert_eq!(third.nodes.urls().len(), 3, "its node has it");
}

#[actix::test]
async fn the_same_message_sent_again_is_taken_and_answered_and_then_nobody_is_told() {
    paused();
    let rig = Rig::new().await;
    let question = asynch_question();
    rig.accepted(&question).await;
    tokio::time::sleep(SECOND).await;
    let rig = rig.killed(|_| ()).await;
    settle().await;
    assert_eq!(told(&rig, SENDER).len(), 1);
    assert!(!rig.accepted(&question).await.is_duplicate());
    tokio::time::sleep(SECOND).await;
    let mailbox = rig.mailbox(SENDER);
    let reply = mailbox.iter().find(|one| about(one).is_none()).unwrap();
    assert_eq!(reply.label.corr_id, question.label.corr_id);
    // The error lies there unread; what was sent again has its reply.
    rig.acknowledge(SENDER, std::slice::from_ref(reply));
    settle().await;
    let rig = rig.killed(|_| ()).await;
    settle().await;
    assert!(rig.mailbox(SENDER).is_empty());
}

#[actix::test]
async fn who_sends_again_before_being_told_is_not_told() {
    paused();
    let rig = Rig::new().await;
    let from = |receiver: &str| event(REMOTE, Some(receiver), 100);
    let caller = || Caller::certified([number(REMOTE)]);
    let messages: Vec<Message> = (0..40).map(|_| from(LOCAL)).collect();
    for message in &messages {
        accepted(rig.send_as(message, caller()).await);
    }
    settle().await;
    hang(&rig);
    let rig = rig.killed(|_| ()).await;
    // Four posts to a node at once: the others wait. The last ones are sent again meanwhile.
    for message in &messages[20..] {
        assert!(!accepted(rig.send_as(message, caller()).await).is_duplicate());
    }
    assert_eq!(rig.mailbox(LOCAL).len(), 20);
    let second = rig.killed(|_| ()).await;
    settle().await;
    assert_eq!(done(&second, PromiseEnd::Resumed), 40, "nothing had an end");
    rig.nodes.script(|_, _| Does::Take);
    tokio::time::sleep(Duration::from_hours(6)).await;
    let (told, resent) = (done(&rig, PromiseEnd::Told), done(&rig, PromiseEnd::Resent));
    assert_eq!(
        (told + done(&rig, PromiseEnd::NotDelivered), resent),
        (20, 20)
    );
}

#[actix::test]
async fn a_directory_that_starts_later_than_the_node_is_waited_for() {
    paused();
    let rig = Rig::new().await;
    let message = event(REMOTE, Some(LOCAL), 100);
    let caller = Caller::certified([number(REMOTE)]);
    accepted(rig.send_as(&message, caller).await);
    settle().await;
    rig.katalog.away.store(true, Ordering::Relaxed);
    let rig = rig.killed(|_| ()).await;
    tokio::time::sleep(Duration::from_mins(30)).await;
    assert_eq!(done(&rig, PromiseEnd::NotDelivered), 0);
    rig.katalog.away.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_mins(6)).await;
    assert_eq!(done(&rig, PromiseEnd::Told), 1);
    assert_eq!(rig.node.tally().own_lost(), 0);
}

#[actix::test]
async fn a_full_mailbox_and_a_bound_on_notices_delay_errors_and_lose_none() {
    paused();
    let rig = Rig::new().await;
    let messages: Vec<Message> = (0..50).map(|_| to(LOCAL)).collect();
    for message in &messages {
        rig.accepted(message).await;
    }
    settle().await;
    let rig = rig
        .killed(|settings| {
            let asynch = settings.asynch.as_mut().unwrap();
            asynch.outboxes.messages_max = 7;
            asynch.underway.messages_max = 3;
            asynch.underway.messages_per_sender_max = 3;
        })
        .await;
    let mut found = Vec::new();
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_mins(6)).await;
        let some = told(&rig, SENDER);
        assert!(some.len() <= 7);
        found.extend(some);
        acknowledge_all(&rig, SENDER);
    }
    found.sort();
    assert_eq!(found, tx_ids(&messages.iter().collect::<Vec<_>>()));
    assert_eq!(
        (done(&rig, PromiseEnd::Told), rig.node.tally().own_lost()),
        (50, 0)
    );
}

#[actix::test]
async fn a_sender_whose_node_is_away_holds_up_nobody_else_and_is_told_after_the_next_start() {
    paused();
    let rig = Rig::new().await;
    for _ in 0..100 {
        let message = event(OTHER_REMOTE, Some(LOCAL), 100);
        accepted(
            rig.send_as(&message, Caller::certified([number(OTHER_REMOTE)]))
                .await,
        );
    }
    let message = event(REMOTE, Some(LOCAL), 100);
    accepted(
        rig.send_as(&message, Caller::certified([number(REMOTE)]))
            .await,
    );
    settle().await;
    let away = url_of(OTHER_REMOTE);
    rig.nodes.script({
        let away = away.clone();
        move |url, _| {
            if url == away {
                Does::Unreachable
            } else {
                Does::Take
            }
        }
    });
    let rig = rig.killed(impatient).await;
    assert_eq!(done(&rig, PromiseEnd::Told), 1);
    // Given up after a while, sixteen at once.
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!(done(&rig, PromiseEnd::NotDelivered), 100);
    let before = rig.nodes.posts_to(&away).len();
    rig.nodes.script(|_, _| Does::Take);
    let rig = rig.killed(|_| ()).await;
    tokio::time::sleep(SECOND).await;
    assert_eq!(done(&rig, PromiseEnd::Told), 100);
    assert_eq!(rig.nodes.posts_to(&away).len(), before + 100);
}

#[actix::test]
async fn copies_that_had_no_end_are_told_as_the_message_that_was_sent() {
    paused();
    let agreed = |settings: &mut NodeSettings| {
        let receivers = [LOCAL, REMOTE].iter().enumerate();
        let agreements = receivers.map(|(serial, receiver)| agreement_with(receiver, serial));
        settings.rules.agreements = Agreements::new(agreements.collect());
    };
    for read in [false, true] {
        let rig = Rig::with(agreed).await;
        let message = event(SENDER, None, 100);
        rig.accepted(&message).await;
        settle().await;
        assert_eq!(
            rig.nodes.posts_to(&url_of(REMOTE)).len(),
            1,
            "one of two is pushed"
        );
        if read {
            acknowledge_all(&rig, LOCAL);
            settle().await;
        }
        let rig = rig.killed(agreed).await;
        settle().await;
        let expected: &[&Message] = if read { &[] } else { &[&message] };
        assert_eq!(told(&rig, SENDER), tx_ids(expected));
        acknowledge_all(&rig, SENDER);
        settle().await;
        let rig = rig.killed(agreed).await;
        settle().await;
        assert!(rig.mailbox(SENDER).is_empty());
    }
}

#[actix::test]
async fn a_message_is_split_when_the_ledger_can_write_again_and_every_copy_counts_once() {
    paused();
    let rig = Rig::new().await;
    *rig.katalog.receivers.lock().unwrap() = vec![number(LOCAL), number(REMOTE)];
    rig.katalog.away.store(true, Ordering::Relaxed);
    let message = event(SENDER, None, 100);
    rig.accepted(&message).await;
    settle().await;
    // Lines are written, and nobody can say whether they are on disk.
    let (folder, aside) = (
        rig.ledger_folder(),
        rig.ledger_folder().with_extension("aside"),
    );
    std::fs::rename(&folder, &aside).unwrap();
    rig.katalog.away.store(false, Ordering::Relaxed);
    tokio::time::sleep(10 * SECOND).await;
    assert!(rig.mailbox(LOCAL).is_empty() && rig.mailbox(SENDER).is_empty());
    std::fs::rename(&aside, &folder).unwrap();
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(rig.mailbox(LOCAL).len(), 1);
    assert_eq!(rig.nodes.posts_to(&url_of(REMOTE)).len(), 1);
    assert!(rig.noted(&message).len() > 2, "it is noted again");
    acknowledge_all(&rig, LOCAL);
    settle().await;
    let rig = rig.killed(|_| ()).await;
    settle().await;
    assert_eq!(told(&rig, SENDER), tx_ids(&[]));
}

#[actix::test]
async fn copies_that_can_never_be_noted_are_told_as_one_error() {
    paused();
    let rig = Rig::with(impatient).await;
    *rig.katalog.receivers.lock().unwrap() = vec![number(LOCAL), number(REMOTE)];
    rig.katalog.away.store(true, Ordering::Relaxed);
    let message = event(SENDER, None, 100);
    rig.accepted(&message).await;
    settle().await;
    std::fs::rename(
        rig.ledger_folder(),
        rig.ledger_folder().with_extension("aside"),
    )
    .unwrap();
    rig.katalog.away.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert!(rig.mailbox(LOCAL).is_empty());
    assert_eq!(told(&rig, SENDER).len(), 1);
}

#[actix::test]
async fn a_stop_in_order_owes_what_it_left() {
    paused();
    let rig = Rig::new().await;
    hang(&rig);
    let (unread, on_its_way) = (to(LOCAL), to(REMOTE));
    for message in [&unread, &on_its_way] {
        rig.accepted(message).await;
    }
    settle().await;
    rig.node.stop().await;
    settle().await;
    let rig = rig.killed(|_| ()).await;
    settle().await;
    assert_eq!(told(&rig, SENDER), tx_ids(&[&unread, &on_its_way]));
    // A stop while it is told leaves it owed, too.
    rig.node.stop().await;
    settle().await;
    let rig = rig.killed(|_| ()).await;
    settle().await;
    assert_eq!(told(&rig, SENDER), tx_ids(&[&unread, &on_its_way]));
}

#[actix::test]
async fn an_error_that_nobody_read_in_time_is_told_again_and_what_was_fetched_is_not() {
    paused();
    let rig = Rig::new().await;
    let (unread, fetched) = (to(LOCAL), to(LOCAL));
    for message in [&unread, &fetched] {
        rig.accepted(message).await;
    }
    settle().await;
    let outboxes = rig.asynch().outboxes();
    let transfer = outboxes.fetch(&crate::relay_rig::address(LOCAL), &fetched.label.tx_id);
    transfer.unwrap().complete();
    // Both expire, then the error about the unread one.
    tokio::time::sleep(Duration::from_hours(3)).await;
    assert!(rig.mailbox(SENDER).is_empty());
    let rig = rig.killed(|_| ()).await;
    settle().await;
    assert_eq!(told(&rig, SENDER), tx_ids(&[&unread]));
    tokio::time::sleep(Duration::from_hours(2)).await;
    assert!(rig.mailbox(SENDER).is_empty());
    let rig = rig.killed(|_| ()).await;
    settle().await;
    assert_eq!(told(&rig, SENDER), tx_ids(&[&unread]));
}

#[actix::test]
async fn a_reply_that_expired_unread_is_told_and_an_error_about_it_ends_nothing() {
    paused();
    let rig = Rig::new().await;
    let question = asynch_question();
    rig.accepted(&question).await;
    tokio::time::sleep(Duration::from_hours(1) + 30 * SECOND).await;
    // The error about the reply is the service's, and somebody there acknowledges it.
    let own = question.label.to.as_ref().unwrap().address.to_string();
    let own = own.trim_start_matches("urn:X-shs:");
    assert_eq!(rig.mailbox(own).len(), 1);
    acknowledge_all(&rig, own);
    settle().await;
    let rig = rig.killed(|_| ()).await;
    settle().await;
    assert_eq!(told(&rig, SENDER), tx_ids(&[&question]));
}

#[actix::test]
async fn administrative_messages_are_no_promises_and_their_acknowledgement_is_noted() {
    paused();
    let rig = Rig::new().await;
    let label = to(LOCAL).label;
    let confirm = Message::confirmation_of(&label, label.to.as_ref().unwrap(), chrono::Utc::now());
    rig.accepted(&confirm).await;
    settle().await;
    let second = rig.killed(|_| ()).await;
    settle().await;
    assert_eq!(done(&second, PromiseEnd::Resumed), 0);
    acknowledge_all(&rig, SENDER);
    settle().await;
    assert_eq!(rig.noted(&confirm).last().unwrap(), "kvitterat");
}

/// The file of the last day of a ledger.
fn last_file(ledger: &Path) -> PathBuf {
    let files = std::fs::read_dir(ledger).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|it| it == "jsonl"));
    files.sort();
    files.pop().unwrap()
}

/// The line of another message like this one, which was accepted first.
fn accepted_too(file: &Path, first: &Message, tx_id: &TxId) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let is_receipt = |line: &&str| line.contains(r#""event":"mottaget""#);
    let line = text.lines().find(is_receipt).unwrap();
    let read: serde_json::Value = serde_json::from_str(line).unwrap();
    line.replace(first.label.tx_id.as_str(), tx_id.as_str())
        .replace(read["request_id"].as_str().unwrap(), TxId::fresh().as_str())
}

#[actix::test]
async fn many_are_told_without_crowding_the_ledger() {
    const MANY: usize = 10_000;
    paused();
    let rig = Rig::new().await;
    let message = to(LOCAL);
    rig.accepted(&message).await;
    settle().await;
    let add = |ledger: &Path| {
        let file = last_file(ledger);
        let lines = (1..MANY).map(|_| accepted_too(&file, &message, &TxId::fresh()) + "\n");
        let lines: String = lines.collect();
        let mut file = OpenOptions::new().append(true).open(file).unwrap();
        file.write_all(lines.as_bytes()).unwrap();
    };
    let room = |settings: &mut NodeSettings| {
        settings.asynch.as_mut().unwrap().outboxes.messages_max = 2 * MANY;
    };
    let rig = rig.killed_and(add, room).await;
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(done(&rig, PromiseEnd::Told), MANY as u64);
    let counted = rig.asynch().book().tally().read();
    assert_eq!((counted.lost, counted.not_noted), (0, 0));
}

#[actix::test]
async fn what_a_process_that_dies_slowly_still_writes_is_read() {
    paused();
    let rig = Rig::new().await;
    let early = to(LOCAL);
    rig.accepted(&early).await;
    settle().await;
    let mut dying = None;
    let rig = rig
        .killed_and(
            |ledger| {
                let mut options = OpenOptions::new();
                let file = options.read(true).append(true).open(last_file(ledger));
                dying = Some(file.unwrap());
                dying.as_ref().unwrap().lock().unwrap();
            },
            |_| (),
        )
        .await;
    tokio::time::sleep(SECOND).await;
    assert_eq!(done(&rig, PromiseEnd::Resumed), 0, "it still writes");
    // Its last line: another message was accepted.
    let mut dying = dying.unwrap();
    let late = TxId::fresh();
    let line = accepted_too(&last_file(&rig.ledger_folder()), &early, &late);
    writeln!(dying, "{line}").unwrap();
    drop(dying);
    tokio::time::sleep(SECOND).await;
    let mut owed = vec![early.label.tx_id.clone(), late];
    owed.sort();
    assert_eq!(told(&rig, SENDER), owed);
}

#[actix::test]
async fn a_torn_end_and_foreign_text_stop_no_start_and_lose_no_promise() {
    paused();
    let rig = Rig::new().await;
    let message = to(LOCAL);
    rig.accepted(&message).await;
    settle().await;
    let spoil = |ledger: &Path| {
        let mut options = OpenOptions::new();
        let mut file = options.append(true).open(last_file(ledger)).unwrap();
        file.write_all(b"no line\n\0\0\0\n{\"seq\":9,\"pr").unwrap();
    };
    let second = rig.killed_and(spoil, |_| ()).await;
    settle().await;
    assert_eq!(told(&second, SENDER), tx_ids(&[&message]));
    let text = std::fs::read_to_string(last_file(&second.ledger_folder())).unwrap();
    let loften = text
        .lines()
        .find(|line| line.contains("\"loften\""))
        .unwrap();
    assert!(loften.contains("\"damaged\":2"), "{loften}");
}
