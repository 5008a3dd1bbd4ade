//! One request through the actors: ingress, aggregator, eight dispatchers over the in-process
//! transport, eight answers of 4 KiB at once, egress. Without HTTP: what the node itself costs.

use std::collections::HashSet;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::{join_all, ready};
use samsvar_actors::caller::Caller;
use samsvar_actors::child::{OverBudget, RestartPolicy};
use samsvar_actors::deadline::DeadlineSettings;
use samsvar_actors::dispatcher::DispatcherSettings;
use samsvar_actors::failpoint::Failpoints;
use samsvar_actors::ingress::Ingress;
use samsvar_actors::ingress::rules::Rules;
use samsvar_actors::load::LoadSettings;
use samsvar_actors::mailbox::Mailbox;
use samsvar_actors::messages::{Inkommande, Through};
use samsvar_actors::node::{Links, Node, NodeSettings};
use samsvar_actors::reply::{Outcome, ReplyPort};
use samsvar_actors::tally::OutcomeClass;
use samsvar_actors::transport::in_process::InProcess;
use samsvar_actors::transport::{Answer, AnswerContent, Bastjanst, BoxFuture, Question};
use shs_schemas::ids::NodeId;
use shs_schemas::shs::label::Status;
use shs_schemas::shs::{Actor, Agreement, Agreements, Message};
use shs_schemas::{Sensitive, Uppgiftslamnare, mime, xml};
use tokio::time::Instant;

const MESSAGE: &[u8] = include_bytes!("../../shs-schemas/tests/corpus/spec/synch-question.mime");
const FRAGA: &str = include_str!("../../shs-schemas/tests/corpus/spec/fraga-alla-10.xml");
const AGREEMENT: &[u8] = include_bytes!("../../config/agreements/exempelkoping-ssbtek.xml");
const SSBT: &str = "http://schema.forsakringskassan.se/integration/ssbt/10";
const ANSWER_BYTES: usize = 4096;
/// Requests open at once.
const OPEN: [usize; 2] = [1, 64];

/// Answers at once, with the same bytes.
struct Prepared(Bytes);

impl Bastjanst for Prepared {
    fn besvara(&self, question: Question) -> BoxFuture<Vec<Answer>> {
        Box::pin(ready(vec![Answer {
            corr_id: question.corr_id,
            content: AnswerContent::Svar(Sensitive::new(self.0.clone())),
        }]))
    }
}

/// A whole answer of each party, and the tags of what may come any number of times in it.
fn template(ul: Uppgiftslamnare) -> (&'static str, &'static str, &'static str) {
    match ul.kod() {
        "AF" => (
            include_str!("../../shs-schemas/tests/corpus/answers/af-full.xml"),
            "<a:Beslut>",
            "</a:Beslut>",
        ),
        "SO" => (
            include_str!("../../shs-schemas/tests/corpus/answers/so-full.xml"),
            "<Arbetsloshetsersattning>",
            "</Arbetsloshetsersattning>",
        ),
        "TNS" => (
            include_str!("../../shs-schemas/tests/corpus/answers/tns-full.xml"),
            "<f:fordon>",
            "</f:fordon>",
        ),
        "MIV" => (
            include_str!("../../shs-schemas/tests/corpus/answers/miv-full.xml"),
            "<svar>",
            "</svar>",
        ),
        _ => (
            include_str!("../../shs-schemas/tests/corpus/answers/../spec/svar-skv.xml"),
            "<Belopp>",
            "</Belopp>",
        ),
    }
}

/// The document with its first such element as often as it takes to be about `bytes` long.
fn stretched((document, start, end): (&str, &str, &str), bytes: usize) -> String {
    let from = document.find(start).expect("in the document");
    let to = document.find(end).expect("in the document") + end.len();
    let row = &document[from..to];
    let again = bytes.saturating_sub(document.len()) / row.len();
    [&document[..to], &row.repeat(again), &document[to..]].concat()
}

/// An answer of about 4 KiB: base64 where the contract wants it, else markup.
fn answer(ul: Uppgiftslamnare) -> Bytes {
    match ul.kod() {
        "CSN" => {
            let document = include_str!("../../shs-schemas/tests/corpus/spec/svar-csn.xml");
            let (head, tail) = document.split_once("</svar>").expect("in the document");
            // Three blanks after the end of the inner document, over and over.
            let blanks = "ICAg".repeat(ANSWER_BYTES.saturating_sub(document.len()) / 4);
            Bytes::from([head, &blanks, "</svar>", tail].concat())
        }
        lefi @ ("FK" | "PM") => {
            // {"raderFK":[ and {"raderPM":[ : a member that both gave would be a conflict.
            let first = if lefi == "FK" {
                "eyJyYWRlckZLIjpb"
            } else {
                "eyJyYWRlclBNIjpb"
            };
            // 44 characters of base64 for each row of 33 bytes.
            let row = "eyJmcm9tIjoiMjAyNi0wMS0wMSIsImJlbG9wcCI6MX0s";
            let rows = row.repeat(ANSWER_BYTES / row.len());
            // The end: 1]}
            Bytes::from(format!(
                "<s:FK xmlns:s=\"{SSBT}\"><s:data><s:lefiJsonSvar>{first}{rows}IDFdfSAg\
                 </s:lefiJsonSvar></s:data></s:FK>"
            ))
        }
        _ => Bytes::from(stretched(template(ul), ANSWER_BYTES)),
    }
}

/// The corpus message with a question to everybody in it.
fn message() -> Message {
    let mut message = Message::read(Bytes::from_static(MESSAGE), None, &mime::Limits::default())
        .expect("the corpus message is readable");
    message.parts[0].data = Sensitive::new(Bytes::from(FRAGA));
    message
}

fn settings(message: &Message) -> NodeSettings {
    let from = message
        .label
        .from
        .as_ref()
        .expect("the corpus names its sender");
    let to = message
        .label
        .to
        .as_ref()
        .expect("the corpus names its receiver");
    NodeSettings {
        rules: Rules {
            known: HashSet::from([from.address.organisation().clone()]),
            agreements: Agreements::new(vec![
                Agreement::read(AGREEMENT).expect("a readable agreement"),
            ]),
            statuses: HashSet::from([Status::Test]),
            ..Rules::of(
                Actor::new(to.address.clone(), None),
                NodeId::parse("bench").expect("a name"),
                message.label.product.produkt,
            )
        },
        deadlines: DeadlineSettings::default(),
        load: LoadSettings::default(),
        parties: Uppgiftslamnare::all()
            .map(|ul| (ul, DispatcherSettings::default()))
            .collect(),
        answer_limits: xml::Limits::default(),
        worker_mailbox_max: 4_096,
        restart: RestartPolicy::new(OverBudget::Pause),
        asynch: None,
    }
}

/// A node with one worker, on this thread, and what to ask it.
struct Asked {
    node: Arc<Node>,
    ingress: Mailbox<Ingress>,
    body: Bytes,
}

impl Asked {
    /// Starts the node, and waits until its first reply is complete.
    async fn start() -> Self {
        let message = message();
        let transport = Uppgiftslamnare::all().fold(InProcess::new(), |transport, ul| {
            transport.with(ul, Arc::new(Prepared(answer(ul))))
        });
        let node = Node::start(
            settings(&message),
            Links::to_authorities(Arc::new(transport)),
            Failpoints::default(),
        );
        let ingress = node.attach_worker(0, &actix_rt::Arbiter::current());
        let asked = Self {
            node,
            ingress,
            body: message.write(),
        };
        asked.ask().await;
        assert_eq!(asked.complete(), 1, "every party answers");
        asked
    }

    async fn ask(&self) -> Bytes {
        let received = Instant::now();
        let (port, outcome) = ReplyPort::new(Arc::clone(self.node.tally()), received);
        let inkommande = Inkommande {
            body: Sensitive::new(self.body.clone()),
            through: Through::Shs { content_type: None },
            caller: Caller::Internal,
            received,
            traceparent: None,
            port,
        };
        assert!(self.ingress.deliver(inkommande).is_ok(), "ingress is there");
        match outcome.await {
            Ok(Outcome::Reply(reply)) => reply.body.into_exposed(),
            other => panic!("no reply but {other:?}"),
        }
    }

    fn complete(&self) -> u64 {
        self.node.tally().outcome(OutcomeClass::Answered)
    }
}

fn fan_out(c: &mut Criterion) {
    let system = actix_rt::System::new();
    let asked = system.block_on(Asked::start());
    let mut group = c.benchmark_group("fan_out");
    group.measurement_time(Duration::from_secs(8));
    for open in OPEN {
        group.throughput(Throughput::Elements(open as u64));
        group.bench_function(format!("{open}_open"), |b| {
            b.iter(|| {
                system.block_on(join_all((0..open).map(|_| async {
                    black_box(asked.ask().await);
                })))
            });
        });
    }
    group.finish();
    let tally = asked.node.tally();
    assert_eq!(
        asked.complete(),
        tally.received(),
        "every reply was complete"
    );
}

criterion_group!(benches, fan_out);
criterion_main!(benches);
