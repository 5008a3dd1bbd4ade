//! What the envelope costs: reading a question as it comes, writing an answer as it goes; finding an
//! agreement among many; listing a mailbox.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use shs_schemas::ids::{AgreementId, ContentId};
use shs_schemas::mime::{ContentType, Limits};
use shs_schemas::shs::agreement::Exchange;
use shs_schemas::shs::label::{SequenceType, TransferType};
use shs_schemas::shs::message_list::{self, Entry};
use shs_schemas::shs::{
    Actor, Adress, Agreement, Agreements, DataPart, Label, Message, MessageList,
    Organisationsnummer,
};

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

/// An agreement with each customer: what a large node may hold.
const AGREEMENTS: usize = 10_000;

fn deciding(c: &mut Criterion) {
    let one = include_bytes!("../tests/corpus/documents/agreement.xml");
    let one = Agreement::read(one).expect("an agreement");
    let number = |i: usize| Organisationsnummer::parse(&format!("{i:010}")).expect("a number");
    let with = |i: usize| Agreement {
        id: AgreementId::parse(&format!("agreement-{i}")).expect("an id"),
        customer: Some(number(i)),
        ..one.clone()
    };
    let exchange = Exchange {
        sender: number(AGREEMENTS - 1),
        receiver: one.principal.clone(),
        produkt: one.products[0],
        transfer_type: TransferType::Asynch,
        sequence_type: SequenceType::Event,
        today: one.valid_from,
    };
    let mut group = c.benchmark_group("agreement");
    for size in [10, AGREEMENTS] {
        let store = Agreements::new((AGREEMENTS - size..AGREEMENTS).map(with).collect());
        group.bench_function(format!("find in {size}"), |b| {
            b.iter(|| store.find(None, black_box(&exchange)).expect("covered"));
        });
    }
    group.finish();
}

/// Messages in a full mailbox.
const LISTED: u64 = 10_000;

fn listing(c: &mut Criterion) {
    let label = include_bytes!("../tests/corpus/documents/label.xml");
    let label = Label::read(label, None, &Limits::default()).expect("a label");
    let entries = || (0..LISTED).map(|size| Entry::of(&label, size));
    let list = message_list::write(entries());
    let mut group = c.benchmark_group("message list");
    group.sample_size(20);
    group.throughput(Throughput::Bytes(list.len() as u64));
    group.bench_function("write", |b| b.iter(|| message_list::write(entries())));
    group.bench_function("read", |b| {
        b.iter(|| MessageList::read(black_box(&list), None));
    });
    group.finish();
}

criterion_group!(benches, reading, writing, deciding, listing);
criterion_main!(benches);
