//! A node and its callers: posts, lists, fetches and acknowledges over real HTTP.

use std::ops::Deref;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use samsvar_actors::node::Asynch;
use samsvar_actors::tally::TransferEnd;
use samsvar_actors::transfers::TransferState;
use shs_schemas::ids::TxId;
use shs_schemas::mime::Limits;
use shs_schemas::shs::message_list::Listed;
use shs_schemas::shs::{Message, MessageList};

use crate::sandbox::{Builder, Sandbox, eventually};

/// A node to talk to.
pub struct Rig {
    sandbox: Sandbox,
    http: reqwest::Client,
    headers: HeaderMap,
}

impl Deref for Rig {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let value = self.headers.get(name)?;
        Some(value.to_str().unwrap())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Rig {
    pub async fn over(builder: Builder) -> Self {
        Self {
            sandbox: builder.start().await,
            http: reqwest::Client::new(),
            headers: HeaderMap::new(),
        }
    }

    /// Sends this header with everything from now on.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    /// From now on without further headers.
    pub fn as_nobody(&mut self) {
        self.headers.clear();
    }

    pub async fn post(&self, body: Bytes) -> Answer {
        let url = format!("http://{}/shs/rs", self.service());
        let request = self.http.post(url).headers(self.headers.clone()).body(body);
        answer(request).await
    }

    /// Posts an asynchronous message that is taken over.
    pub async fn accepted(&self, message: &Message) -> Answer {
        let answer = self.post(message.write()).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        assert_eq!(answer.header("content-type"), Some("text/plain"));
        assert_eq!(answer.text(), message.label.tx_id.as_str());
        assert_eq!(answer.header("x-shs-errorcode"), None);
        answer
    }

    /// What lies in a mailbox; `query` begins with a question mark.
    pub async fn list(&self, outbox: &str, query: &str) -> Vec<Listed> {
        let answer = self.get(&format!("{outbox}{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let list = MessageList::read(&answer.body, None);
        list.unwrap().messages
    }

    /// A message as it is fetched, in bytes.
    pub async fn fetch_bytes(&self, outbox: &str, tx_id: &TxId) -> Bytes {
        let answer = self.get(&format!("{outbox}/{tx_id}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("content-type"), Some("message/rfc822"));
        answer.body
    }

    pub async fn fetch(&self, outbox: &str, tx_id: &TxId) -> Message {
        let bytes = self.fetch_bytes(outbox, tx_id).await;
        Message::read(bytes, None, &Limits::default()).unwrap()
    }

    /// Waits until nothing is under way and fetches the one message of a mailbox.
    pub async fn only(&self, outbox: &str, query: &str) -> (Message, Bytes) {
        self.settled().await;
        let list = self.list(outbox, query).await;
        assert_eq!(list.len(), 1, "{outbox} holds one message: {list:?}");
        let bytes = self.fetch_bytes(outbox, &list[0].tx_id).await;
        let message = Message::read(bytes.clone(), None, &Limits::default()).unwrap();
        (message, bytes)
    }

    pub async fn acknowledge(&self, outbox: &str, tx_id: &TxId) -> u16 {
        let url = format!(
            "http://{}/shs/ds/urn:X-shs:{outbox}/{tx_id}?action=ack",
            self.service()
        );
        let request = self.http.post(url).headers(self.headers.clone());
        answer(request).await.status
    }

    async fn get(&self, rest: &str) -> Answer {
        let url = format!("http://{}/shs/ds/urn:X-shs:{rest}", self.service());
        answer(self.http.get(url).headers(self.headers.clone())).await
    }

    pub fn asynch(&self) -> &Asynch {
        self.node().asynch().unwrap()
    }

    pub fn state(&self, tx_id: &TxId) -> Option<(TransferState, bool)> {
        self.asynch().transfers().state(tx_id)
    }

    /// Messages that ended so.
    pub fn end(&self, end: TransferEnd) -> u64 {
        self.node().tally().transfers(end)
    }

    /// Messages that came to an end, whichever.
    pub fn ends(&self) -> u64 {
        TransferEnd::ALL.map(|end| self.end(end)).iter().sum()
    }

    /// Waits until no accepted message is under way.
    pub async fn settled(&self) {
        let underway = self.asynch().underway();
        let is_empty = || underway.messages() == 0 && underway.room().used() == 0;
        eventually("nothing is under way", is_empty).await;
    }

    /// Nothing is held in mailboxes but what lies there.
    pub async fn assert_no_place_is_held(&self) {
        let places = || self.asynch().outboxes().counts().places;
        eventually("every place is used or given back", || places() == 0).await;
    }

    /// What the ledger holds; nothing when nothing was ever noted.
    pub fn ledger_or_nothing(&self) -> String {
        if self.folder().join("ledger").exists() {
            self.ledger()
        } else {
            String::new()
        }
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.bytes().await.unwrap(),
    }
}
