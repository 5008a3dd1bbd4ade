//! TS41-K-004: messages of 17 MB, whole and in bounded time and memory. The nodes are processes of their
//! own, so that their memory can be measured.

use std::fs;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use samsvar::client::delivery::Outbox;
use shs_schemas::mime::TransferEncoding;
use shs_schemas::shs::Message;

use crate::avtal::Avtal;
use crate::letter::{data, event, part, read, request};
use crate::other_node::OtherNode;
use crate::process::{Process, samsvar};
use crate::rig::{At, KOMMUN, PROVSTAD, Plan, Rig, THIRD, TYST};

/// "At least 17 MB".
const LARGE: usize = 17 * 1024 * 1024;

/// Longest time from sending to having it, on a busy machine and in a build for development.
const TIME_MAX: Duration = Duration::from_mins(1);

/// Most memory that a node may take at its highest above what it took idle, in bodies: the body as it
/// came, the parts with their encoding undone, the message as it goes on, and what the allocator has freed
/// and not yet given back.
const PEAK_MAX: f64 = 8.0;

/// A node as a process.
struct Running {
    process: Process,
    idle: u64,
}

impl Running {
    async fn start(rig: &Rig, at: At) -> Self {
        let settings = rig.settings(at);
        let process = Process::start(samsvar().arg("serve").arg("--config").arg(settings));
        let text = |line: &str| line.contains("node started").then_some(());
        let (err, out) = (process.err.clone(), process.out.clone());
        let started = tokio::task::spawn_blocking(move || {
            let said = |lines: &crate::process::Lines| lines.text().lines().find_map(text);
            wait(|| said(&err).or_else(|| said(&out)));
        });
        started.await.unwrap();
        let mut running = Self { process, idle: 0 };
        running.idle = running.peak();
        running
    }

    /// Most memory that it has had, in bytes.
    fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.unwrap().trim().strip_suffix(" kB").unwrap();
        kib.parse::<u64>().unwrap() * 1024
    }

    /// What it has needed above idle, in bodies of this size.
    #[allow(clippy::cast_precision_loss, reason = "a ratio")]
    fn bodies(&self, body: usize) -> f64 {
        (self.peak() - self.idle) as f64 / body as f64
    }
}

fn wait(mut said: impl FnMut() -> Option<()>) {
    let begun = Instant::now();
    while said().is_none() {
        assert!(begun.elapsed() < crate::process::SOON, "it does not start");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Bytes without a pattern.
fn noise() -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut bytes = Vec::with_capacity(LARGE);
    while bytes.len() < LARGE {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes
}

fn sha_256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

fn with_noise(mut message: Message, encoding: TransferEncoding) -> Message {
    message.parts[0] = part(encoding, noise());
    message
}

/// Fetches the only message as soon as it is there.
async fn fetched(outbox: &Outbox) -> Message {
    let begun = Instant::now();
    loop {
        if let Some(listed) = outbox.list(&[]).await.unwrap().messages.first() {
            let fetched = outbox.fetch(&listed.tx_id).await.unwrap();
            return read(fetched.into_exposed());
        }
        assert!(begun.elapsed() < TIME_MAX, "it does not arrive");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn asynchronous(encoding: TransferEncoding) {
    let rig = Plan::usual().prepare();
    let (a, b) = (
        Running::start(&rig, At::A).await,
        Running::start(&rig, At::B).await,
    );
    let sent = with_noise(event(KOMMUN, PROVSTAD, TYST), encoding);
    let body = sent.write();
    let begun = Instant::now();
    let answer = rig.send_bytes("kommun", At::A, body.clone()).await;
    assert_eq!(answer.status, 202, "{:?}", answer.refusal());
    let arrived = fetched(&rig.outbox("provstad", At::B, PROVSTAD)).await;
    let took = begun.elapsed();
    assert_eq!(sha_256(data(&arrived, 0)), sha_256(data(&sent, 0)));
    assert_eq!(arrived.parts[0].encoding, encoding);
    let peaks = [a.bodies(body.len()), b.bodies(body.len())];
    eprintln!("asynch {encoding:?}: {took:?}, peaks A and B {peaks:.2?} bodies");
    assert!(took < TIME_MAX, "{took:?}");
    assert!(peaks.iter().all(|peak| *peak < PEAK_MAX), "{peaks:.2?}");
}

async fn synchronous(encoding: TransferEncoding) {
    let other = OtherNode::echo().await;
    let avtal = Avtal::between(10, THIRD, KOMMUN, TYST);
    let rig = Plan::usual().with(&avtal).third_at(&other.url).prepare();
    let a = Running::start(&rig, At::A).await;
    let body = with_noise(request(KOMMUN, THIRD, TYST), encoding).write();
    let begun = Instant::now();
    let answer = rig.send_bytes("kommun", At::A, body.clone()).await;
    let took = begun.elapsed();
    assert_eq!(answer.status, 200, "{:?}", answer.refusal());
    assert_eq!(sha_256(answer.body.expose()), sha_256(&body));
    assert_eq!(sha_256(&other.received()[0]), sha_256(&body));
    let peak = a.bodies(body.len());
    eprintln!("synch {encoding:?}: {took:?}, peak {peak:.2} bodies");
    assert!(took < TIME_MAX, "{took:?}");
    assert!(peak < PEAK_MAX, "{peak:.2}");
}

#[tokio::test]
async fn ts41_k_004_a_large_message_with_a_binary_part() {
    asynchronous(TransferEncoding::Binary).await;
}

#[tokio::test]
async fn ts41_k_004_a_large_message_with_a_base64_part() {
    asynchronous(TransferEncoding::Base64).await;
}

#[tokio::test]
async fn ts41_k_004_a_large_message_through_a_synchronous_relay_with_a_binary_part() {
    synchronous(TransferEncoding::Binary).await;
}

#[tokio::test]
async fn ts41_k_004_a_large_message_through_a_synchronous_relay_with_a_base64_part() {
    synchronous(TransferEncoding::Base64).await;
}

#[tokio::test]
async fn ts41_k_004_a_message_beyond_the_limit_is_refused() {
    let rig = Plan::usual().start().await;
    let mut sent = event(KOMMUN, PROVSTAD, TYST);
    sent.parts[0] = part(TransferEncoding::Binary, vec![b'x'; 40 * 1024 * 1024]);
    let answer = rig.send("kommun", At::A, &sent).await;
    assert_eq!(answer.status, 413);
    let code = answer.refusal().code;
    assert_eq!(code, shs_schemas::ErrorCode::IllegalMessageStructure);
}
