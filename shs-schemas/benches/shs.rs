//! What the envelope costs: reading a question as it comes, writing an answer as it goes.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use shs_schemas::ids::ContentId;
use shs_schemas::mime::{ContentType, Limits};
use shs_schemas::shs::{Actor, Adress, DataPart, Label, Message};

/// A question for one person is about this long.
const QUESTION_BYTES: usize = 900;
/// A compiled answer of eight parties is about this long.
const ANSWER_BYTES: usize = 40 * 1024;

const QUESTION: &[u8] = include_bytes!("../tests/corpus/spec/synch-question.mime");

/// The corpus question with a data part of a real question's length.
fn question() -> Bytes {
    let mut message = Message::read(Bytes::from_static(QUESTION), None, &Limits::default())
        .expect("the corpus question is readable");
    let data = Bytes::from(vec![b'x'; QUESTION_BYTES]);
    message.parts = vec![DataPart::new(
        "fraga",
        "fraga.xml",
        ContentType::XML_UTF_8,
        data,
    )];
    message.write()
}

fn reading(c: &mut Criterion) {
    let limits = Limits::default();
    let body = question();
    let label = Message::read(body.clone(), None, &limits)
        .expect("readable")
        .label;
    let written = label.write();
    let mut group = c.benchmark_group("read");
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("question", |b| {
        b.iter(|| Message::read(black_box(body.clone()), None, &limits));
    });
    group.throughput(Throughput::Bytes(written.len() as u64));
    group.bench_function("label", |b| {
        b.iter(|| Label::read(black_box(&written), None, &limits));
    });
    group.finish();
}

fn writing(c: &mut Criterion) {
    let request = Message::read(question(), None, &Limits::default())
        .expect("readable")
        .label;
    let own = Actor::new(Adress::parse("2021009994").expect("an address"), None);
    let now = "2031-03-04T08:15:01Z".parse().expect("a time");
    let answer = Bytes::from(vec![b'x'; ANSWER_BYTES]);
    let mut group = c.benchmark_group("write");
    group.throughput(Throughput::Bytes(ANSWER_BYTES as u64));
    group.bench_function("reply", |b| {
        b.iter(|| {
            let label = request.reply(ContentId::fresh(), &own, now);
            let data = black_box(answer.clone());
            let part = DataPart::new("svar", "svar.xml", ContentType::XML_UTF_8, data);
            let parts = vec![part];
            Message { label, parts }.write()
        });
    });
    group.finish();
}

criterion_group!(benches, reading, writing);
criterion_main!(benches);
