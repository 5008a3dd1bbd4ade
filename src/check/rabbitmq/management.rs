//! Reads RabbitMQ's management API: every body is bounded, every wait too, nothing is followed to
//! another address, and a fault is told without the address, which holds a password.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use samsvar_actors::transport::amqp::contract::EXCHANGE;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout};

use super::rules::Expected;
use super::snapshot::{Node, Place, Queue, Seen, Snapshot, Unseen};
use crate::settings::ManagementUrl;
use crate::tls::provider;

/// Time to connect.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// Time for one answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Largest answer, in bytes: ten thousand queues take about two million.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Statistics come some seconds after a start: longest wait for them, and pause between two looks.
const STATISTICS_MAX: Duration = Duration::from_secs(7);
const STATISTICS_EVERY: Duration = Duration::from_millis(500);

/// A management API.
pub(super) struct Management {
    url: ManagementUrl,
    http: Client,
}

impl Management {
    /// The API at this address. Its certificate is checked against those of `ca` (PEM), when they are
    /// given, instead of those of the system.
    pub(super) fn new(url: ManagementUrl, ca: Option<&str>) -> Seen<Self> {
        let builder = Client::builder()
            .connect_timeout(CONNECT_MAX)
            .timeout(ANSWER_MAX)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .http1_only();
        let builder = match ca {
            Some(ca) => builder.tls_backend_preconfigured(tls(ca)?),
            None => builder,
        };
        let http = builder
            .build()
            .map_err(|_| unseen("no HTTP client can be made"))?;
        Ok(Self { url, http })
    }

    /// Everything that the rules want to know. An error when it tells nothing at all.
    pub(super) async fn snapshot(&self, expected: &Expected) -> Seen<Snapshot> {
        let user = self.get(&["whoami"], &[]).await?;
        let overview = self
            .get(&["overview"], &["rabbitmq_version", "listeners"])
            .await?;
        let mut places = std::collections::BTreeMap::new();
        for vhost in expected.vhosts.keys() {
            places.insert(vhost.clone(), self.place(vhost).await);
        }
        Ok(Snapshot {
            user,
            overview,
            nodes: self.nodes().await,
            vhosts: self
                .get(&["vhosts"], &["name", "tracing", "default_queue_type"])
                .await,
            policies: self
                .get(&["policies"], &["vhost", "name", "definition"])
                .await,
            parameters: self
                .get(&["parameters"], &["component", "vhost", "name"])
                .await,
            shovels: self.get_if_there(&["shovels"], &["name", "vhost"]).await,
            places,
        })
    }

    async fn place(&self, vhost: &str) -> Place {
        let exchange = ["name", "type", "arguments", "policy"];
        let binding = ["destination", "destination_type", "routing_key"];
        let path = ["exchanges", vhost, EXCHANGE, "bindings", "source"];
        Place {
            exchanges: self.get(&["exchanges", vhost], &exchange).await,
            queues: self.queues(vhost).await,
            // Without the exchange there is nothing that it could lead to.
            bindings: self.get_if_there(&path, &binding).await,
            consumers: self.get(&["consumers", vhost], &[]).await,
        }
    }

    /// With statistics, when they come in time.
    async fn queues(&self, vhost: &str) -> Seen<Vec<Queue>> {
        let columns = [
            "name",
            "type",
            "durable",
            "exclusive",
            "arguments",
            "effective_policy_definition",
            "messages_persistent",
            "slave_nodes",
        ];
        let ask = async || self.get(&["queues", vhost], &columns).await;
        let own = |queue: &&Queue| queue.name.starts_with(EXCHANGE);
        let counted = |queues: &Vec<Queue>| queues.iter().filter(own).all(Queue::is_counted);
        with_statistics(ask, counted).await
    }

    async fn nodes(&self) -> Seen<Vec<Node>> {
        let columns = ["name", "db_dir", "enabled_plugins"];
        let ask = async || self.get(&["nodes"], &columns).await;
        let told = |nodes: &Vec<Node>| nodes.iter().all(|node| node.db_dir.is_some());
        with_statistics(ask, told).await
    }

    /// A list that is empty where there is nothing by that name: a plugin, or the exchange.
    async fn get_if_there<T: DeserializeOwned>(
        &self,
        path: &[&str],
        columns: &[&str],
    ) -> Seen<Vec<T>> {
        match self.ask(path, columns).await? {
            Answer::Body(body) => read(&body),
            Answer::NotThere => Ok(Vec::new()),
        }
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str], columns: &[&str]) -> Seen<T> {
        match self.ask(path, columns).await? {
            Answer::Body(body) => read(&body),
            Answer::NotThere => Err(unseen("is not there, or not for its user")),
        }
    }

    async fn ask(&self, path: &[&str], columns: &[&str]) -> Seen<Answer> {
        let mut url = self.url.below_api(path);
        if !columns.is_empty() {
            let columns = columns.join(",");
            url.query_pairs_mut().append_pair("columns", &columns);
        }
        let asked = timeout(ANSWER_MAX, self.body(url)).await;
        asked.map_err(|_| unseen("no answer in time"))?
    }

    async fn body(&self, url: reqwest::Url) -> Seen<Answer> {
        let sent = self.http.get(url).send().await;
        let mut response = sent.map_err(|error| of_http(&error))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(Answer::NotThere),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(unseen("user or password is wrong, or the user lacks a tag"));
            }
            other => return Err(Unseen(format!("HTTP status {}", other.as_u16()))),
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| of_http(&error))? {
            if body.len() + piece.len() > ANSWER_BYTES_MAX {
                return Err(Unseen(format!(
                    "the answer is larger than {ANSWER_BYTES_MAX} bytes"
                )));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer::Body(body))
    }
}

enum Answer {
    Body(Vec<u8>),
    NotThere,
}

/// What the answer says; where it is not what RabbitMQ says, without a word of it.
fn read<T: DeserializeOwned>(body: &[u8]) -> Seen<T> {
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Unseen(format!(
            "the answer is not RabbitMQ's (line {line}, column {column})"
        ))
    })
}

/// Asks until the statistics are there, and then no more; in the end takes what there is.
async fn with_statistics<T>(
    ask: impl AsyncFn() -> Seen<T>,
    complete: impl Fn(&T) -> bool,
) -> Seen<T> {
    let begun = Instant::now();
    loop {
        let seen = ask().await?;
        if complete(&seen) || begun.elapsed() >= STATISTICS_MAX {
            return Ok(seen);
        }
        sleep(STATISTICS_EVERY).await;
    }
}

fn tls(ca: &str) -> Seen<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()).flatten() {
        let added = roots.add(certificate);
        added.map_err(|_| unseen("amqp.ca_file holds a certificate that cannot be trusted"))?;
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|_| unseen("no TLS version can be used"))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// A fault in words that hold nothing of the address.
fn of_http(error: &reqwest::Error) -> Unseen {
    unseen(if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "cannot be reached"
    } else {
        "the connection broke"
    })
}

fn unseen(why: &str) -> Unseen {
    Unseen(why.to_owned())
}
