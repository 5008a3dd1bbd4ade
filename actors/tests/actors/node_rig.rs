//! A whole node on one thread, for one paused clock.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use actix_rt::Arbiter;
use bytes::Bytes;
use samsvar_actors::caller::Caller;
use samsvar_actors::child::{OverBudget, RestartPolicy};
use samsvar_actors::deadline::DeadlineSettings;
use samsvar_actors::dispatcher::DispatcherSettings;
use samsvar_actors::door::Door;
use samsvar_actors::failpoint::Failpoints;
use samsvar_actors::ingress::Ingress;
use samsvar_actors::ingress::rules::Rules;
use samsvar_actors::insamling::Insamling;
use samsvar_actors::load::LoadSettings;
use samsvar_actors::mailbox::Mailbox;
use samsvar_actors::messages::{Inkommande, Through};
use samsvar_actors::node::{Links, Node, NodeSettings};
use samsvar_actors::reply::{Outcome, ReplyPort};
use samsvar_actors::transport::in_process::InProcess;
use samsvar_actors::transport::{Answer, AnswerContent, Bastjanst, BoxFuture, Question};
use shs_schemas::ids::NodeId;
use shs_schemas::mime::{ContentType, Limits};
use shs_schemas::shs::label::Status;
use shs_schemas::shs::{
    Actor, Adress, Agreement, Agreements, DataPart, Label, Message, Organisationsnummer,
};
use shs_schemas::{Uppgiftslamnare, xml};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::settle;

const MESSAGE: &[u8] = include_bytes!("../../../shs-schemas/tests/corpus/spec/synch-question.mime");
const FRAGA: &[u8] = include_bytes!("../../../shs-schemas/tests/corpus/spec/fraga-alla-10.xml");
const AGREEMENT: &[u8] = include_bytes!("../../../config/agreements/exempelkoping-ssbtek.xml");

fn sample() -> Message {
    Message::read(Bytes::from_static(MESSAGE), None, &Limits::default()).unwrap()
}

/// A label of a question.
pub fn a_label() -> Label {
    sample().label
}

/// Slots of a request that asks nobody yet.
pub fn empty_insamling() -> Insamling {
    Insamling::new(Door::Shs(Box::new(a_label())), Vec::new())
}

/// A question about so many persons, to every party.
pub fn question(persons: usize) -> Bytes {
    let part = |number| {
        let name = format!("fraga-{number}.xml");
        DataPart::new(
            "fraga",
            name,
            ContentType::XML_UTF_8,
            Bytes::from_static(FRAGA),
        )
    };
    let message = Message {
        label: sample().label,
        parts: (1..=persons).map(part).collect(),
    };
    message.write()
}

/// Reports a failure of its own after a while, or never.
pub struct After(pub Option<Duration>);

impl Bastjanst for After {
    fn besvara(&self, question: Question) -> BoxFuture<Vec<Answer>> {
        let after = self.0;
        Box::pin(async move {
            let Some(after) = after else {
                return Vec::new();
            };
            tokio::time::sleep(after).await;
            let content = AnswerContent::Fel {
                felkod: "BT-SVAR".to_owned(),
                felmeddelande: vec!["ett svar".to_owned()].into(),
            };
            let corr_id = question.corr_id;
            vec![Answer { corr_id, content }]
        })
    }
}

/// The node and its one way in.
pub struct Rig {
    pub node: Arc<Node>,
    ingress: Mailbox<Ingress>,
}

/// What came of a request.
pub struct Reply {
    /// From the last byte of the question to the reply.
    pub took: Duration,
    /// Each part's document.
    pub documents: Vec<String>,
}

impl Rig {
    /// A node whose parties answer as `service` says.
    pub async fn with(
        deadlines: DeadlineSettings,
        service: impl Fn(Uppgiftslamnare) -> Option<Duration>,
    ) -> Self {
        let services = Uppgiftslamnare::all().map(|ul| {
            let after: Arc<dyn Bastjanst> = Arc::new(After(service(ul)));
            (ul, after)
        });
        Self::start(settings(deadlines), services).await
    }

    /// A node of these settings whose parties are these services.
    pub async fn start(
        settings: NodeSettings,
        services: impl IntoIterator<Item = (Uppgiftslamnare, Arc<dyn Bastjanst>)>,
    ) -> Self {
        let services = services.into_iter();
        let transport = services.fold(InProcess::new(), |transport, (ul, service)| {
            transport.with(ul, service)
        });
        let heart = Arbiter::current();
        let links = Links::to_authorities(Arc::new(transport));
        let node = Node::start_on(heart, settings, links, Failpoints::default());
        let ingress = node.attach_worker(0, &Arbiter::current());
        settle().await;
        Self { node, ingress }
    }

    /// Sends a message to the SHS door. The caller waits as long as it holds what comes back.
    pub fn send(&self, body: Bytes) -> oneshot::Receiver<Outcome> {
        let received = Instant::now();
        let (port, outcome) = ReplyPort::new(Arc::clone(self.node.tally()), received);
        let inkommande = Inkommande {
            body: body.into(),
            through: Through::Shs { content_type: None },
            caller: Caller::Internal,
            received,
            traceparent: None,
            port,
        };
        assert!(self.ingress.deliver(inkommande).is_ok(), "it is taken");
        outcome
    }

    /// The same at the SOAP door.
    pub fn call(&self, body: Bytes) -> oneshot::Receiver<Outcome> {
        let received = Instant::now();
        let (port, outcome) = ReplyPort::new(Arc::clone(self.node.tally()), received);
        let anrop = Inkommande {
            body: body.into(),
            through: Through::Soap { charset: None },
            caller: Caller::Internal,
            received,
            traceparent: None,
            port,
        };
        assert!(self.ingress.deliver(anrop).is_ok(), "it is taken");
        outcome
    }

    /// Calls the SOAP door and waits for the one document that answers.
    pub async fn called(&self, body: Bytes) -> String {
        text_of(&self.call(body).await.unwrap())
    }

    /// Asks about so many persons and waits for the reply.
    pub async fn ask(&self, persons: usize) -> Reply {
        self.reply_to(question(persons)).await
    }

    /// Sends a message to the SHS door and waits for the reply.
    pub async fn reply_to(&self, body: Bytes) -> Reply {
        let received = Instant::now();
        let outcome = self.send(body).await.unwrap();
        let took = received.elapsed();
        let reply = message_of(outcome);
        let text = |part: &DataPart| String::from_utf8(part.data.expose().to_vec()).unwrap();
        Reply {
            took,
            documents: reply.parts.iter().map(text).collect(),
        }
    }
}

/// The SHS message that was replied.
pub fn message_of(outcome: Outcome) -> Message {
    let Outcome::Reply(reply) = outcome else {
        panic!("a reply: {outcome:?}")
    };
    Message::read(reply.body.into_exposed(), None, &Limits::default()).unwrap()
}

/// The document that was replied to a SOAP call.
pub fn text_of(outcome: &Outcome) -> String {
    let Outcome::Reply(reply) = outcome else {
        panic!("a reply: {outcome:?}")
    };
    String::from_utf8(reply.body.expose().to_vec()).unwrap()
}

/// A message of these parts.
pub fn message(parts: Vec<DataPart>) -> Bytes {
    let label = a_label();
    Message { label, parts }.write()
}

/// A message of one part.
pub fn message_of_one(document: impl Into<Bytes>) -> Bytes {
    let (kind, name) = ("fraga", "fraga-1.xml".to_owned());
    message(vec![DataPart::new(
        kind,
        name,
        ContentType::XML_UTF_8,
        document.into(),
    )])
}

/// A node without asynchronous messages.
pub fn settings(deadlines: DeadlineSettings) -> NodeSettings {
    NodeSettings {
        rules: rules(),
        deadlines,
        load: LoadSettings::default(),
        parties: Uppgiftslamnare::all()
            .map(|ul| (ul, DispatcherSettings::default()))
            .collect(),
        answer_limits: xml::Limits::default(),
        worker_mailbox_max: 1_000,
        restart: RestartPolicy::new(OverBudget::Escalate),
        asynch: None,
    }
}

fn rules() -> Rules {
    let label = sample().label;
    let municipality = label.from.unwrap().address.organisation().clone();
    let own = Organisationsnummer::parse("2021009994").unwrap();
    let node_id = NodeId::parse("rig").unwrap();
    Rules {
        known: HashSet::from([municipality.clone()]),
        local: HashSet::from([municipality, own.clone()]),
        agreements: Agreements::new(vec![Agreement::read(AGREEMENT).unwrap()]),
        statuses: HashSet::from([Status::Production, Status::Test]),
        ..Rules::of(
            Actor::new(Adress::of(own), None),
            node_id,
            label.product.produkt,
        )
    }
}
