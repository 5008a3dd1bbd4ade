//! What sealed bodies cost a node for one question to one party: sealing it on its way out, and opening
//! the answer.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use samsvar_actors::room::Room;
use samsvar_actors::transport::sealing::{KeyId, KeyPair, SealKeys, Sealing, open_question};
use samsvar_actors::transport::{
    Line, LineEvents, Question, QuestionKind, Refusal, Traffic, Transport,
};
use shs_schemas::{Sensitive, Uppgiftslamnare};
use uuid::Uuid;

const AF: Uppgiftslamnare = Uppgiftslamnare::AF;
/// Body of a question, in bytes.
const QUESTION_BYTES: usize = 1536;
/// Bodies of answers, in bytes.
const ANSWER_BYTES: [usize; 3] = [4 * 1024, 64 * 1024, 5 * 1024 * 1024];

/// Hands on what it is to send.
struct Caught(mpsc::Sender<Question>);

impl Transport for Caught {
    fn open(&self, _: Uppgiftslamnare, _: LineEvents) -> Box<dyn Line> {
        Box::new(Self(self.0.clone()))
    }

    fn name(&self) -> &'static str {
        "caught"
    }
}

impl Line for Caught {
    fn send(&self, question: Question) -> Result<(), Refusal> {
        self.0.send(question).map_err(|_| Refusal::Broker)
    }
}

fn question(bytes: usize) -> Question {
    Question {
        corr_id: Uuid::new_v4(),
        traffic: Traffic::Production,
        kind: QuestionKind::Fraga,
        body: Sensitive::new(Bytes::from(vec![b'x'; bytes])),
        expires_in: Duration::from_secs(10),
        deadline: Utc::now(),
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
        seal: None,
    }
}

fn pair(name: &str) -> KeyPair {
    KeyPair::generate(KeyId::parse(name).expect("a name"))
}

fn sealing(c: &mut Criterion) {
    let (node, party) = (pair("nod-1"), pair("part-1"));
    let parties = HashMap::from([(AF, party.public().clone())]);
    let keys = SealKeys::new(vec![node], parties).expect("one key of its own");
    let (caught, sent) = mpsc::channel();
    let transport = Sealing::new(Arc::new(Caught(caught)), keys);
    let (events, _events) = LineEvents::channel(Room::new(0));
    let line = transport.open(AF, events);
    let mut group = c.benchmark_group("sealing");
    group.throughput(Throughput::Bytes(QUESTION_BYTES as u64));
    group.bench_function("seal_a_question", |b| {
        b.iter_batched(
            || question(QUESTION_BYTES),
            |question| {
                line.send(question).expect("it is caught");
                black_box(sent.recv().expect("it was sent"))
            },
            BatchSize::SmallInput,
        );
    });
    // A question and an answer are opened by the same function; the node's own opens answers.
    for bytes in ANSWER_BYTES {
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(format!("open_{bytes}_bytes"), |b| {
            b.iter_batched(
                || {
                    line.send(question(bytes)).expect("it is caught");
                    sent.recv().expect("it was sent")
                },
                |question| open_question(black_box(&question), AF, &party).expect("its key"),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, sealing);
criterion_main!(benches);
