//! Asking: one question, many at once, and what was said.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::Utc;
use samsvar::client::answer::Said;
use samsvar::client::question::{self, Asker};
use samsvar::client::{Answered, AskError, Client};
use shs_schemas::Uppgiftslamnare;
use shs_schemas::shs::label::Status;
use tokio::runtime::Runtime;

use crate::process::SOON;
use crate::stage::{Metrics, Node};

/// The person of the demo.
pub(crate) const PERSON: &str = "199503142383";

/// What each party said.
pub(crate) type AllSaid = BTreeMap<Uppgiftslamnare, Said>;

/// A caller, with a runtime of its own for everything that goes on meanwhile.
pub(crate) struct Caller {
    pub(crate) runtime: Arc<Runtime>,
    client: Client,
}

impl Caller {
    pub(crate) fn new() -> Self {
        // Once a process; reqwest wants it also where nothing is encrypted.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Self {
            runtime: Arc::new(Runtime::new().unwrap()),
            client: Client::new().unwrap(),
        }
    }

    /// Asks, and gives the time it took.
    pub(crate) fn ask(&self, node: &Node) -> (AllSaid, Duration) {
        self.ask_with(node, Status::Production).unwrap()
    }

    /// Asks with a label of this status.
    pub(crate) fn ask_with(
        &self,
        node: &Node,
        status: Status,
    ) -> Result<(AllSaid, Duration), AskError> {
        let asking = one(self.client.clone(), node.service.clone(), status);
        self.runtime.block_on(asking)
    }

    /// Begins so many questions at once.
    pub(crate) fn begin(
        &self,
        node: &Node,
        many: usize,
    ) -> Vec<tokio::task::JoinHandle<Result<(AllSaid, Duration), AskError>>> {
        let begin = |_| {
            let (client, url) = (self.client.clone(), node.service.clone());
            self.runtime.spawn(one(client, url, Status::Production))
        };
        (0..many).map(begin).collect()
    }

    /// What such questions came to.
    pub(crate) fn end<T>(&self, questions: Vec<tokio::task::JoinHandle<T>>) -> Vec<T> {
        self.runtime.block_on(async {
            let mut ended = Vec::new();
            for question in questions {
                ended.push(question.await.unwrap());
            }
            ended
        })
    }

    /// Asks again and again until everybody gives data, as everybody will: a node learns within its
    /// `consumer_check_ms` who consumes.
    pub(crate) fn until_all_give_data(&self, node: &Node) -> Duration {
        self.until(node, |said| said.values().all(is_data))
    }

    /// Asks again and again until the answer is so. Gives the time that took.
    pub(crate) fn until(&self, node: &Node, enough: impl Fn(&AllSaid) -> bool) -> Duration {
        let begun = Instant::now();
        loop {
            let (said, _) = self.ask(node);
            if enough(&said) {
                return begun.elapsed();
            }
            assert!(begun.elapsed() < SOON, "{said:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A page of the admin listener.
    pub(crate) fn page(&self, node: &Node, path: &str) -> String {
        let url = format!("{}{path}", node.admin);
        self.runtime.block_on(async move {
            let response = reqwest::get(url).await.unwrap();
            response.text().await.unwrap()
        })
    }

    pub(crate) fn metrics(&self, node: &Node) -> Metrics {
        Metrics::read(&self.page(node, "/metrics"))
    }

    /// Waits until the node knows of every party that somebody consumes its queue.
    pub(crate) fn until_reachable(&self, node: &Node) {
        self.until_page(node, "/api/v1/tree", |page| {
            page.contains("\"dispatcher\"")
                && !["no consumer", "line opening", "no broker"]
                    .iter()
                    .any(|impairment| page.contains(impairment))
        });
    }

    /// Waits until the node says that it goes down.
    pub(crate) fn until_draining(&self, node: &Node) {
        self.until_page(node, "/health/ready", |page| {
            page.contains("\"draining\":true")
        });
    }

    fn until_page(&self, node: &Node, path: &str, enough: impl Fn(&str) -> bool) {
        let begun = Instant::now();
        loop {
            let page = self.page(node, path);
            if enough(&page) {
                return;
            }
            assert!(begun.elapsed() < SOON, "{page}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until so many requests are open at the node.
    pub(crate) fn until_open(&self, node: &Node, requests: u32) {
        let begun = Instant::now();
        while self.metrics(node).get("samsvar_requests_open") < f64::from(requests) {
            assert!(begun.elapsed() < SOON, "never so many open");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks from so many callers, each one question after the other.
    pub(crate) fn load(&self, node: &Node, callers: usize) -> Load {
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let callers = (0..callers).map(|_| {
            let (client, url, stopped) =
                (self.client.clone(), node.service.clone(), stopped.clone());
            self.runtime.spawn(async move {
                let mut outcomes = Vec::new();
                while !*stopped.borrow() {
                    let asked = Instant::now();
                    let outcome = one(client.clone(), url.clone(), Status::Production).await;
                    outcomes.push((asked, asked.elapsed(), outcome.map(|(said, _)| said)));
                    // Callers do not hammer: a refusal comes in no time.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                outcomes
            })
        });
        Load {
            callers: callers.collect(),
            stop,
        }
    }
}

/// When a question was put, how long its outcome took, and what it was.
pub(crate) type Ended = (Instant, Duration, Result<AllSaid, AskError>);

/// Questions that go on until they are stopped.
pub(crate) struct Load {
    callers: Vec<tokio::task::JoinHandle<Vec<Ended>>>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Load {
    /// Stops, and gives one outcome for each question that was put.
    pub(crate) fn stop(self, caller: &Caller) -> Vec<Ended> {
        self.stop.send_replace(true);
        caller.end(self.callers).into_iter().flatten().collect()
    }
}

async fn one(client: Client, url: String, status: Status) -> Result<(AllSaid, Duration), AskError> {
    let asker = Asker {
        status,
        ..Asker::default()
    };
    let message = question::message(&asker, &[PERSON.to_owned()], Utc::now()).unwrap();
    let begun = Instant::now();
    let answered = client.ask(&url, message.write()).await?;
    Ok((all_said(&answered), begun.elapsed()))
}

/// What each party said about the one person.
pub(crate) fn all_said(answered: &Answered) -> AllSaid {
    let [person] = answered.persons.as_slice() else {
        panic!("one person was asked about");
    };
    let said: AllSaid = person.per_party().into_iter().collect();
    assert_eq!(
        said.len(),
        Uppgiftslamnare::all().count(),
        "every party once"
    );
    said
}

/// Reads a reply.
pub(crate) fn read(reply: impl Into<Bytes>) -> Answered {
    Answered::read(reply.into()).unwrap()
}

pub(crate) fn is_data(said: &Said) -> bool {
    matches!(said, Said::Data(_))
}

/// Asserts that one party said this, and every other gave data.
pub(crate) fn assert_only(said: &AllSaid, ul: Uppgiftslamnare, felkod: &str) {
    let expected = Said::Error("SSBT".to_owned(), felkod.to_owned());
    assert_eq!(said[&ul], expected, "{said:?}");
    let others = || said.iter().filter(|(other, _)| **other != ul);
    assert!(others().all(|(_, said)| is_data(said)), "{said:?}");
}
