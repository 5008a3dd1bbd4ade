//! A node that takes asynchronous messages, on one thread with one paused clock: between a directory
//! and other nodes that do what a test says, with a ledger in a folder that goes with the test.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use actix_rt::Arbiter;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use samsvar_actors::caller::Caller;
use samsvar_actors::deadline::DeadlineSettings;
use samsvar_actors::directory::{Directory, DirectoryAway, Entry, Found};
use samsvar_actors::failpoint::Failpoints;
use samsvar_actors::failure::Failure;
use samsvar_actors::ingress::{Ingress, Neighbours};
use samsvar_actors::ledger::LedgerSettings;
use samsvar_actors::mailbox::Mailbox;
use samsvar_actors::messages::{Inkommande, Through};
use samsvar_actors::next_node::{NextNode, PostError, Posted};
use samsvar_actors::node::{Asynch, AsynchSettings, Links, Node, NodeSettings};
use samsvar_actors::observation::ActorLine;
use samsvar_actors::outbox::{Acknowledged, ListQuery};
use samsvar_actors::relay::Kvitterat;
use samsvar_actors::reply::{Outcome, Receipt, ReplyPort};
use samsvar_actors::tally::TransferEnd;
use samsvar_actors::transfers::TransferState;
use samsvar_actors::transport::in_process::InProcess;
use shs_schemas::ids::{ContentId, CorrId, NodeId, TxId};
use shs_schemas::mime::{ContentType, Limits};
use shs_schemas::shs::agreement::{AgreedTransfer, PublicAgreement};
use shs_schemas::shs::label::{SequenceType, Status, TransferType};
use shs_schemas::shs::management::{Outcome as Said, REMOTE_ERROR_CODE};
use shs_schemas::shs::{
    Actor, Adress, Agreement, DataPart, Management, Message, Organisationsnummer, Produkt,
};
use shs_schemas::{ErrorCode, Sensitive, Uppgiftslamnare};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::node_rig::{After, a_label, question, settings};
use crate::settle;

/// A local actor who sends.
pub const SENDER: &str = "2120009994";
/// A local actor who receives.
pub const LOCAL: &str = "2120009986";
/// Actors at other nodes.
pub const REMOTE: &str = "0000000001";
pub const OTHER_REMOTE: &str = "0000000002";

const PRODUCT: &str = "5a1e0000-1111-4222-8333-444455557777";
const AGREEMENT: &str = include_str!("../../../config/agreements/exempelkoping-ssbtek.xml");

pub fn number(text: &str) -> Organisationsnummer {
    Organisationsnummer::parse(text).unwrap()
}

pub fn address(text: &str) -> Adress {
    Adress::of(number(text))
}

/// An agreement under which the sender's messages of the product go to this actor.
pub fn agreement_with(receiver: &str, serial: usize) -> Agreement {
    let text = AGREEMENT
        .replace("urn:X-shs:2021009994", &format!("urn:X-shs:{receiver}"))
        .replace("55b7e000-0010-4000-8000-000000000010", PRODUCT)
        .replace("002120009994\"", &format!("{serial:012}\""));
    Agreement::read(text.as_bytes()).unwrap()
}

/// An event with so many bytes of data.
pub fn event(from: &str, to: Option<&str>, bytes: usize) -> Message {
    let mut label = a_label();
    label.tx_id = TxId::fresh();
    label.corr_id = CorrId::fresh();
    label.content.id = ContentId::fresh();
    label.agreement = None;
    label.status = Status::Production;
    label.transfer_type = TransferType::Asynch;
    label.sequence_type = SequenceType::Event;
    label.from = Some(Actor::new(address(from), None));
    label.to = to.map(|to| Actor::new(address(to), None));
    label.product = Produkt::parse(PRODUCT).unwrap().into();
    let data = Bytes::from(vec![b'x'; bytes]);
    let part = DataPart::new("underlag", "underlag.txt", ContentType::TEXT, data);
    Message {
        label,
        parts: vec![part],
    }
}

/// A question to the node itself, which the parties of the rig answer.
pub fn asynch_question() -> Message {
    let mut message = Message::read(question(1), None, &Limits::default()).unwrap();
    message.label.tx_id = TxId::fresh();
    message.label.transfer_type = TransferType::Asynch;
    message.label.status = Status::Production;
    message
}

/// What another node does with a message.
#[derive(Clone)]
pub enum Does {
    Take,
    /// Answers with this status, and perhaps a code.
    Refuse(u16, Option<ErrorCode>),
    Unreachable,
    /// Takes it, and answers with more than anybody reads.
    TakeWithMuchToSay,
    /// Takes it after a while.
    TakeAfter(Duration),
    /// Does not answer for a while, and is unreachable then.
    Hang(Duration),
}

type Script = Box<dyn Fn(&str, usize) -> Does + Send + Sync>;

/// Other nodes.
pub struct Nodes {
    script: Mutex<Script>,
    posts: Mutex<Vec<(Instant, String, Bytes)>>,
    at_once: Mutex<HashMap<String, usize>>,
    at_once_most: AtomicUsize,
}

impl Nodes {
    /// From now on they do this, by URL and number of the post to it, from 1.
    pub fn script(&self, script: impl Fn(&str, usize) -> Does + Send + Sync + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// When each post to this URL began.
    pub fn posts_to(&self, url: &str) -> Vec<Instant> {
        let posts = self.posts.lock().unwrap();
        let to = posts.iter().filter(|(_, to, _)| to == url);
        to.map(|(at, ..)| *at).collect()
    }

    /// The URLs of all posts, in order.
    pub fn urls(&self) -> Vec<String> {
        let posts = self.posts.lock().unwrap();
        posts.iter().map(|(_, url, _)| url.clone()).collect()
    }

    /// The message of the last post.
    pub fn last(&self) -> Message {
        let posts = self.posts.lock().unwrap();
        let (_, _, body) = posts.last().unwrap();
        Message::read(body.clone(), None, &Limits::default()).unwrap()
    }

    /// Most posts to one URL that there were at once.
    pub fn at_once_most(&self) -> usize {
        self.at_once_most.load(Ordering::Relaxed)
    }
}

impl NextNode for Nodes {
    fn post<'a>(
        &'a self,
        url: &'a str,
        message: Sensitive<Bytes>,
    ) -> BoxFuture<'a, Result<Posted, PostError>> {
        Box::pin(async move {
            let body = message.into_exposed();
            let now = Instant::now();
            self.posts.lock().unwrap().push((now, url.to_owned(), body));
            let count = {
                let mut at_once = self.at_once.lock().unwrap();
                let count = at_once.entry(url.to_owned()).or_default();
                *count += 1;
                *count
            };
            self.at_once_most.fetch_max(count, Ordering::Relaxed);
            let does = (self.script.lock().unwrap())(url, self.posts_to(url).len());
            let done = match does {
                Does::Take => Ok(()),
                Does::Refuse(status, code) => Err(PostError::Refused { status, code }),
                Does::TakeWithMuchToSay => Err(PostError::TooLarge),
                Does::Unreachable => Err(PostError::Unreachable("by the script")),
                Does::TakeAfter(time) => {
                    tokio::time::sleep(time).await;
                    Ok(())
                }
                Does::Hang(time) => {
                    tokio::time::sleep(time).await;
                    Err(PostError::Unreachable("by the script"))
                }
            };
            *self.at_once.lock().unwrap().get_mut(url).unwrap() -= 1;
            done.map(|()| Posted {
                body: Sensitive::new(Bytes::new()),
            })
        })
    }
}

/// A directory that knows everybody.
pub struct Katalog {
    pub away: AtomicBool,
    /// Whether everybody has a public agreement with everybody.
    pub permits: AtomicBool,
    /// URLs by actor and product; `None` is any URL of the actor.
    pub urls: Mutex<HashMap<(String, Option<Produkt>), String>>,
}

impl Katalog {
    fn say<'a, T: Send + 'a>(&'a self, what: T) -> Found<'a, T> {
        let away = self.away.load(Ordering::Relaxed);
        let said = if away { Err(DirectoryAway) } else { Ok(what) };
        Box::pin(std::future::ready(said))
    }

    fn url(&self, of: &Organisationsnummer, produkt: Option<Produkt>) -> Option<String> {
        let urls = self.urls.lock().unwrap();
        urls.get(&(of.as_str().to_owned(), produkt)).cloned()
    }
}

impl Directory for Katalog {
    fn actor<'a>(&'a self, of: &'a Organisationsnummer) -> Found<'a, Option<Entry>> {
        self.say(Some(Entry {
            organisation: of.clone(),
            name: None,
            labeled_uri: None,
        }))
    }

    fn address<'a>(
        &'a self,
        of: &'a Organisationsnummer,
        produkt: Produkt,
    ) -> Found<'a, Option<String>> {
        self.say(self.url(of, Some(produkt)))
    }

    fn any_address<'a>(&'a self, of: &'a Organisationsnummer) -> Found<'a, Option<String>> {
        self.say(self.url(of, None))
    }

    fn public_agreements<'a>(
        &'a self,
        principal: Option<&'a Organisationsnummer>,
        produkt: Produkt,
    ) -> Found<'a, Vec<PublicAgreement>> {
        let permits = self.permits.load(Ordering::Relaxed);
        let principal = principal.filter(|_| permits).cloned();
        let agreement = principal.map(|principal| PublicAgreement {
            id: None,
            principal,
            products: vec![produkt],
            transfer: AgreedTransfer::Any,
            confirm: false,
        });
        self.say(agreement.into_iter().collect())
    }
}

/// An error message that somebody found in a mailbox.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    pub code: ErrorCode,
    pub remote_code: Option<String>,
    pub about: CorrId,
}

/// The node, its neighbours, its ledger.
pub struct Rig {
    pub node: Arc<Node>,
    pub nodes: Arc<Nodes>,
    pub katalog: Arc<Katalog>,
    ingress: Mailbox<Ingress>,
    folder: TempDir,
}

impl Rig {
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// A node whose settings a test changes.
    pub async fn with(change: impl FnOnce(&mut NodeSettings)) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let nodes = Arc::new(Nodes {
            script: Mutex::new(Box::new(|_, _| Does::Take)),
            posts: Mutex::default(),
            at_once: Mutex::default(),
            at_once_most: AtomicUsize::new(0),
        });
        let urls = [REMOTE, OTHER_REMOTE].map(|actor| {
            let produkt = Produkt::parse(PRODUCT).unwrap();
            ((actor.to_owned(), Some(produkt)), url_of(actor))
        });
        let katalog = Arc::new(Katalog {
            away: AtomicBool::new(false),
            permits: AtomicBool::new(true),
            urls: Mutex::new(urls.into_iter().collect()),
        });
        Self::over(folder, nodes, katalog, change).await
    }

    /// A node that starts where this one has just been killed: on what is on disk now, and nothing else.
    /// Other nodes and the directory are as they were.
    pub async fn killed(&self, change: impl FnOnce(&mut NodeSettings)) -> Self {
        self.killed_and(|_| (), change).await
    }

    /// The same, and something is done to the ledger in between.
    pub async fn killed_and(
        &self,
        then: impl FnOnce(&Path),
        change: impl FnOnce(&mut NodeSettings),
    ) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        copy_all(self.folder.path(), folder.path());
        then(&folder.path().join("ledger"));
        let (nodes, katalog) = (Arc::clone(&self.nodes), Arc::clone(&self.katalog));
        Self::over(folder, nodes, katalog, change).await
    }

    async fn over(
        folder: TempDir,
        nodes: Arc<Nodes>,
        katalog: Arc<Katalog>,
        change: impl FnOnce(&mut NodeSettings),
    ) -> Self {
        let mut settings = settings(DeadlineSettings::default());
        settings.asynch = Some(AsynchSettings::noted_in(LedgerSettings::at(
            folder.path().join("ledger"),
            NodeId::parse("rig").unwrap(),
        )));
        settings.rules.local.insert(number(LOCAL));
        settings.rules.known.insert(number(LOCAL));
        settings.rules.directory = true;
        change(&mut settings);
        let transport = Uppgiftslamnare::all().fold(InProcess::new(), |transport, ul| {
            transport.with(ul, Arc::new(After(Some(Duration::from_millis(10)))))
        });
        let links = Links {
            transport: Arc::new(transport),
            neighbours: Neighbours {
                directory: Arc::clone(&katalog) as Arc<dyn Directory>,
                next_node: Some(Arc::clone(&nodes) as Arc<dyn NextNode>),
            },
        };
        let here = Arbiter::current();
        let node = Node::start_on(here.clone(), settings, links, Failpoints::default());
        let ingress = node.attach_worker(0, &here);
        settle().await;
        Self {
            node,
            nodes,
            katalog,
            ingress,
            folder,
        }
    }

    pub fn asynch(&self) -> &Asynch {
        self.node.asynch().unwrap()
    }

    /// Sends a message as one of this node's own systems.
    pub async fn send(&self, message: &Message) -> Outcome {
        self.send_as(message, Caller::Internal).await
    }

    pub async fn send_as(&self, message: &Message, caller: Caller) -> Outcome {
        let received = Instant::now();
        let (port, outcome) = ReplyPort::new(Arc::clone(self.node.tally()), received);
        let inkommande = Inkommande {
            body: message.write().into(),
            through: Through::Shs { content_type: None },
            caller,
            received,
            traceparent: None,
            port,
        };
        assert!(self.ingress.deliver(inkommande).is_ok(), "it is taken");
        outcome.await.unwrap()
    }

    /// Sends a message that is accepted.
    pub async fn accepted(&self, message: &Message) -> Receipt {
        accepted(self.send(message).await)
    }

    /// Sends a message that is refused.
    pub async fn refused(&self, message: &Message) -> Failure {
        match self.send(message).await {
            Outcome::Rejected(rejection) => rejection.failure,
            other => panic!("refused: {other:?}"),
        }
    }

    /// The messages in an actor's mailbox.
    pub fn mailbox(&self, of: &str) -> Vec<Message> {
        let (outboxes, address) = (self.asynch().outboxes(), address(of));
        let query = ListQuery {
            hits_max: 1_000,
            ..ListQuery::default()
        };
        let listed = outboxes.list(&address, &query);
        let bytes = listed.iter().map(|listed| {
            let fetched = outboxes.fetch(&address, &listed.label.tx_id).unwrap();
            fetched.message().expose().clone()
        });
        bytes
            .map(|bytes| Message::read(bytes, None, &Limits::default()).unwrap())
            .collect()
    }

    /// Acknowledges messages as their receiver's system does.
    pub fn acknowledge(&self, of: &str, messages: &[Message]) {
        let outboxes = self.asynch().outboxes();
        for message in messages {
            let done = outboxes.acknowledge(&address(of), &message.label.tx_id);
            let Acknowledged::First {
                label,
                confirm,
                origin,
                lay_for,
            } = done.unwrap()
            else {
                panic!("acknowledged twice")
            };
            self.asynch().acknowledged(Kvitterat {
                label,
                confirm,
                origin,
                lay_for,
            });
        }
    }

    /// Acknowledges everything in an actor's mailbox; gives the number.
    pub fn empty(&self, of: &str) -> usize {
        let (outboxes, address) = (self.asynch().outboxes(), address(of));
        let messages = self.mailbox(of);
        for message in &messages {
            outboxes
                .acknowledge(&address, &message.label.tx_id)
                .unwrap();
        }
        messages.len()
    }

    /// The errors that an actor was told of.
    pub fn errors_of(&self, of: &str) -> Vec<Told> {
        self.mailbox(of).iter().filter_map(told).collect()
    }

    pub fn ended(&self, end: TransferEnd) -> u64 {
        self.node.tally().transfers(end)
    }

    pub fn state(&self, message: &Message) -> TransferState {
        self.asynch()
            .transfers()
            .state(&message.label.tx_id)
            .unwrap()
            .0
    }

    pub fn ledger_folder(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    /// Everything that the ledger says, line by line.
    pub fn all_lines(&self) -> Vec<serde_json::Value> {
        let days = std::fs::read_dir(self.ledger_folder()).unwrap();
        let text: String = days
            .map(|day| std::fs::read_to_string(day.unwrap().path()).unwrap())
            .collect();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// What it says about a message.
    pub fn lines(&self, message: &Message) -> Vec<serde_json::Value> {
        let mut lines = self.all_lines();
        lines.retain(|line| line.to_string().contains(message.label.tx_id.as_str()));
        lines
    }

    /// The same, event by event.
    pub fn noted(&self, message: &Message) -> Vec<String> {
        let said = |line: serde_json::Value| {
            let reason = line["reason"].as_str().map(|why| format!(" {why}"));
            format!(
                "{}{}",
                line["event"].as_str().unwrap(),
                reason.unwrap_or_default()
            )
        };
        // What a question leaves between its beginning and its end is looked at elsewhere.
        let lines = self.lines(message).into_iter();
        let is_end =
            |line: &serde_json::Value| line["event"] != "fraga" && line["event"] != "delsvar";
        lines.filter(is_end).map(said).collect()
    }

    /// The relay's line in the tree.
    pub fn relay(&self) -> ActorLine {
        let lines = self.node.observatory().snapshot().actors;
        lines.into_iter().find(|line| line.name == "relay").unwrap()
    }

    /// Nothing is left over, and everything that was accepted came to exactly one end.
    pub async fn assert_clean(&self, accepted: u64) {
        settle().await;
        let underway = self.asynch().underway();
        assert_eq!((underway.messages(), underway.room().used()), (0, 0));
        let ends = TransferEnd::ALL
            .iter()
            .filter(|end| **end != TransferEnd::Expired);
        let ends: u64 = ends.map(|end| self.ended(*end)).sum();
        assert_eq!(ends, accepted, "ends of what was accepted");
        let counts = self.asynch().transfers().counts();
        assert_eq!(counts.refused, 0, "states that do not follow");
        for actor in [SENDER, LOCAL] {
            self.empty(actor);
        }
        assert_eq!(
            self.asynch().outboxes().counts().bytes,
            0,
            "places are given back"
        );
    }
}

fn copy_all(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy_all(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

pub fn url_of(actor: &str) -> String {
    format!("https://{actor}.example/shs/rs")
}

pub fn accepted(outcome: Outcome) -> Receipt {
    match outcome {
        Outcome::Accepted(receipt) => *receipt,
        other => panic!("accepted: {other:?}"),
    }
}

fn told(message: &Message) -> Option<Told> {
    let management = Management::of(message, &Limits::default())?.unwrap();
    let Said::Error { code, appinfo, .. } = management.outcome else {
        return None;
    };
    let remote = appinfo.iter().find(|info| info.name == REMOTE_ERROR_CODE);
    Some(Told {
        code,
        remote_code: remote.map(|info| info.text.expose().clone()),
        about: management.corr_id,
    })
}
