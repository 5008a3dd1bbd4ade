//! A thousand questions, most of them answered, the others ending in every other way that there is.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use shs_schemas::shs::MessageList;
use shs_schemas::ssbtek::Kontrakt;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::marker::{id, person, text};
use crate::message::{MAILBOX, Message, PUSHED, latin1};
use crate::needles::Needles;
use crate::stage::{ALONE, Stage, TOGETHER};
use crate::wire::{Response, Wire};

/// Callers at once.
const CALLERS: usize = 16;
/// Of them, those whose connection is never idle afterwards.
const BUSY: usize = 4;
/// Of the others, those who begin another request when they have their last answer, and do not go on.
const HALF_WAY: std::ops::Range<usize> = BUSY..BUSY + 2;
/// How often the busy ones ask for something harmless.
const PULSE: Duration = Duration::from_millis(250);
/// Ways in which an authority misbehaves, for `adapter.py`.
const WAYS: [&str; 14] = [
    ":langsam",
    ":tyst.AF",
    ":sen.CSN",
    ":dubbel.FK",
    ":skrap.MIV",
    ":trasig.SKV",
    ":fel.PM",
    ":felkod.TNS",
    ":felsvar.AF",
    ":otillatet.TNS",
    ":stor.CSN",
    ":annan.SKV",
    ":okand.MIV",
    ":tyst.SO",
];

/// Ways in which a caller is refused or goes away.
const REFUSED: [&str; 14] = [
    "cut short",
    "no XML",
    "no question",
    "wrong person",
    "unknown product",
    "too large",
    "of another",
    "no message",
    "gone in the body",
    "gone while waiting",
    "strange address",
    "large header",
    "bad label",
    "twice",
];

/// Messages until a way of being refused comes again.
const CYCLE: usize = 11 * REFUSED.len();
/// Bytes of a piece of a body that comes in pieces.
const CHUNK: usize = 1500;
/// How often the mailbox is emptied meanwhile.
const EMPTIED_EVERY: Duration = Duration::from_millis(500);

/// The two certificates, with the number that each stands for.
const MAILBOX_NAME: &str = "exempelkoping";
const PUSHED_NAME: &str = "provstad";

/// Among the outcomes: what was fetched and acknowledged.
pub(crate) const FETCHED: &str = "fetched";

/// Among the outcomes: answers in which every authority's own words stand.
pub(crate) const IN_FULL: &str = "answered in full";

/// What came of it all: how many answers of which HTTP status by way.
pub(crate) type Outcomes = BTreeMap<String, usize>;

struct Shared {
    needles: Needles,
    next: AtomicUsize,
    outcomes: Mutex<Outcomes>,
}

/// Callers that have said all they had to say and keep their connections.
pub(crate) struct Callers {
    kept: Vec<JoinHandle<()>>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Callers {
    /// Lets them go.
    pub(crate) async fn leave(self) {
        self.stop.send_replace(true);
        for kept in self.kept {
            kept.await.unwrap();
        }
    }
}

/// Asks so many questions. When this returns every caller has its answer, or went away; asynchronous
/// messages may still be under way.
pub(crate) async fn ask(stage: &mut Stage, many: usize) -> (Callers, Outcomes) {
    let shared = Arc::new(Shared {
        needles: Needles::new(),
        next: AtomicUsize::new(0),
        outcomes: Mutex::default(),
    });
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut kept = Vec::new();
    let mut done = Vec::new();
    for place in 0..CALLERS {
        let name = if place % 4 == 3 {
            PUSHED_NAME
        } else {
            MAILBOX_NAME
        };
        let dial = Dial::of(stage, name);
        let caller = Caller {
            dial,
            name,
            shared: Arc::clone(&shared),
            many,
            stops_half_way: HALF_WAY.contains(&place),
        };
        let (said, heard) = tokio::sync::oneshot::channel();
        let mut stopped = stopped.clone();
        done.push(heard);
        kept.push(tokio::spawn(async move {
            let mut wire = caller.ask_all().await;
            let _ = said.send(());
            while !*stopped.borrow() {
                if place < BUSY {
                    wire = caller.pulse(wire).await;
                    sleep(PULSE).await;
                } else {
                    let _ = stopped.changed().await;
                }
            }
        }));
    }
    // An authority dies with questions open, and comes back.
    let mut taken = wait_for(stage, &shared, many / 3).await;
    stage.kill_authority();
    taken += wait_for(stage, &shared, many / 2).await;
    tokio::task::block_in_place(|| stage.start_authority());
    taken += wait_for(stage, &shared, many + CALLERS).await;
    for heard in done {
        heard.await.unwrap();
    }
    let mut outcomes = std::mem::take(&mut *shared.outcomes.lock().unwrap());
    outcomes.insert(FETCHED.to_owned(), taken);
    (Callers { kept, stop }, outcomes)
}

/// Waits until so many have been begun, and empties the mailbox meanwhile; gives how much it was.
async fn wait_for(stage: &Stage, shared: &Shared, many: usize) -> usize {
    let (mut taken, mut emptied) = (0, Instant::now());
    while shared.next.load(Ordering::Relaxed) < many {
        sleep(Duration::from_millis(5)).await;
        if emptied.elapsed() >= EMPTIED_EVERY {
            taken += empty_mailbox(stage).await;
            emptied = Instant::now();
        }
    }
    taken
}

struct Dial {
    tls: Option<rustls::ClientConfig>,
    port: u16,
}

impl Dial {
    async fn connect(&self) -> Wire {
        match &self.tls {
            Some(config) => Wire::over(
                crate::pki::connect(config.clone(), self.port)
                    .await
                    .unwrap(),
            ),
            None => Wire::to(([127, 0, 0, 1], self.port).into()).await,
        }
    }
}

impl Dial {
    fn of(stage: &Stage, name: &str) -> Self {
        Self {
            tls: stage.tls.then(|| stage.pki.config(Some(name))),
            port: stage.port,
        }
    }

    /// One exchange. A connection that the node closes after it is opened again.
    async fn exchange(&self, mut wire: Wire, request: Vec<u8>) -> (Option<Response>, Wire) {
        wire.send(&request).await;
        let answer = wire.receive().await;
        let is_open = answer.as_ref().is_some_and(|answer| {
            answer
                .header("connection")
                .is_none_or(|value| !value.eq_ignore_ascii_case("close"))
        });
        if is_open {
            return (answer, wire);
        }
        (answer, self.connect().await)
    }
}

struct Caller {
    dial: Dial,
    name: &'static str,
    shared: Arc<Shared>,
    many: usize,
    stops_half_way: bool,
}

impl Caller {
    async fn ask_all(&self) -> Wire {
        let mut wire = self.dial.connect().await;
        loop {
            let place = self.shared.next.fetch_add(1, Ordering::Relaxed);
            if place < self.many {
                wire = self.ask(wire, place).await;
            } else if self.stops_half_way {
                return self.stop_half_way(place).await;
            } else {
                return wire;
            }
        }
    }

    /// Asks once more, over a connection of its own, and begins another request behind the answer: such a
    /// connection is not idle.
    async fn stop_half_way(&self, number: usize) -> Wire {
        let message = Message::new(number, self.address(), true);
        let (mut wire, body) = (self.dial.connect().await, message.soap(Kontrakt::V11));
        wire.send(&post("/ssbt/11", number, &body)).await;
        let answer = wire.receive().await;
        assert!(answer.is_some(), "answered, and open");
        wire.send("POST /ss").await;
        wire
    }

    fn address(&self) -> &'static str {
        if self.name == PUSHED_NAME {
            PUSHED
        } else {
            MAILBOX
        }
    }

    async fn pulse(&self, wire: Wire) -> Wire {
        self.exchange(
            wire,
            b"GET /ssbt/10?wsdl HTTP/1.1\r\nHost: node\r\n\r\n".to_vec(),
        )
        .await
        .1
    }

    async fn ask(&self, wire: Wire, number: usize) -> Wire {
        let from = self.address();
        let door = number % 5;
        let mut message = Message::new(number, from, door < 2);
        let mut word = String::from("answered");
        if number % 9 == 4 {
            WAYS[number / 9 % WAYS.len()].clone_into(&mut message.way);
            word.clone_from(&message.way);
        }
        if number % 11 == 7 {
            let how = REFUSED[number / 11 % REFUSED.len()];
            return self.refused(wire, message, how).await;
        }
        if number % 13 == 5 {
            let file = Message::file(number, from);
            let body = file.shs_with(text("file", number).repeat(100).as_bytes());
            let (answer, wire) = self.exchange(wire, post("/shs/rs", number, &body)).await;
            self.note("file", answer.as_ref());
            return wire;
        }
        let (path, kind, body) = match door {
            3 => ("/ssbt/10", "soap", message.soap(Kontrakt::V10)),
            4 => ("/ssbt/11", "soap", message.soap(Kontrakt::V11)),
            _ => (
                "/shs/rs",
                if message.synch { "synch" } else { "asynch" },
                message.shs(),
            ),
        };
        let (answer, wire) = self.exchange(wire, post(path, number, &body)).await;
        self.note(&format!("{kind} {word}"), answer.as_ref());
        wire
    }

    #[allow(clippy::too_many_lines, reason = "one arm for each way")]
    async fn refused(&self, mut wire: Wire, mut message: Message, how: &str) -> Wire {
        let n = message.number;
        let path = if n / CYCLE % 3 == 2 {
            "/ssbt/11"
        } else {
            "/shs/rs"
        };
        let whole = |message: &Message| {
            if path == "/shs/rs" {
                message.shs()
            } else {
                message.soap(Kontrakt::V11)
            }
        };
        let body = match how {
            "cut short" => {
                let whole = whole(&message);
                whole[..whole.len() * 2 / 3].to_vec()
            }
            "no XML" => message.shs_with(format!("<s:hamta {}", text("bad xml", n)).as_bytes()),
            "no question" => message
                .shs_with(format!("<fråga><{0}>{0}</{0}></fråga>", id("other xml", n)).as_bytes()),
            "wrong person" => {
                message.person = person(n).replace(char::is_numeric, "9");
                whole(&message)
            }
            "unknown product" => {
                message.product = "urn:X-shs:55b7e000-0010-4000-8000-0000000000ff";
                message.shs()
            }
            "too large" => message.shs_with(text("too large", n).repeat(20_000).as_bytes()),
            "of another" => {
                message.from = if message.from == MAILBOX {
                    PUSHED
                } else {
                    MAILBOX
                };
                whole(&message)
            }
            "no message" => latin1(&text("no message", n).repeat(100)),
            "bad label" => {
                let whole = message.shs();
                let at = whole
                    .windows(11)
                    .position(|at| at == b"<datetime>2")
                    .unwrap();
                [
                    &whole[..at],
                    &latin1(&format!("<datetime>{}", text("bad datetime", n))),
                    &whole[at + 10..],
                ]
                .concat()
            }
            "strange address" => {
                let path = format!(
                    "/shs/ds/urn:X-shs:{MAILBOX}/{0}?{0}={0}&{1}",
                    id("path", n),
                    percent(&text("query", n))
                );
                let request = format!(
                    "GET {path} HTTP/1.1\r\nHost: node\r\nCookie: {0}\r\n\r\n",
                    id("cookie", n)
                );
                let (answer, wire) = self.exchange(wire, request.into_bytes()).await;
                self.note(how, answer.as_ref());
                return wire;
            }
            "large header" => {
                let header = id("large header", n).repeat(2000);
                let request =
                    format!("GET /shs/ds HTTP/1.1\r\nHost: node\r\nX-Large: {header}\r\n\r\n");
                wire.send(request).await;
                let answer = wire.receive().await;
                self.note(how, answer.as_ref());
                return self.dial.connect().await;
            }
            "gone in the body" => {
                let request = post("/shs/rs", n, &message.shs());
                wire.send(&request[..request.len() * 3 / 4]).await;
                sleep(Duration::from_millis(20)).await;
                self.note(how, None);
                return self.dial.connect().await;
            }
            "gone while waiting" => {
                ":langsam".clone_into(&mut message.way);
                message.synch = true;
                wire.send(post("/shs/rs", n, &message.shs())).await;
                sleep(Duration::from_millis(300)).await;
                self.note(how, None);
                return self.dial.connect().await;
            }
            "twice" => {
                message.synch = false;
                let request = post("/shs/rs", n, &message.shs());
                let (answer, again) = self.exchange(wire, request.clone()).await;
                self.note("twice, first", answer.as_ref());
                wire = again;
                let (answer, wire) = self.exchange(wire, request).await;
                self.note("twice, second", answer.as_ref());
                return wire;
            }
            other => unreachable!("{other}"),
        };
        let (answer, wire) = self.exchange(wire, post(path, n, &body)).await;
        self.note(&format!("{how} at {path}"), answer.as_ref());
        wire
    }

    async fn exchange(&self, wire: Wire, request: Vec<u8>) -> (Option<Response>, Wire) {
        self.dial.exchange(wire, request).await
    }

    fn note(&self, word: &str, answer: Option<&Response>) {
        let status = answer.map_or_else(
            || "no answer".to_owned(),
            |answer| answer.status.to_string(),
        );
        let said = answer
            .map(|answer| String::from_utf8_lossy(&answer.body).into_owned())
            .unwrap_or_default();
        let parts = said.split('<').filter_map(|part| part.split_once('>'));
        let codes: Vec<&str> = parts
            .filter(|(name, code)| name.ends_with(":felkod") && code.starts_with("SSBT"))
            .map(|(_, code)| code)
            .collect();
        let in_full = answer.is_some_and(|answer| {
            let hits = self.shared.needles.find(&answer.body, answer.body.len());
            let is_heard = |code: &str| {
                let begins = format!("{code} ");
                hits.iter().any(|hit| hit.what.starts_with(&begins))
            };
            let mut authorities = TOGETHER.into_iter().flatten().chain(&[ALONE]);
            authorities.all(|code| is_heard(code))
        });
        let mut outcomes = self.shared.outcomes.lock().unwrap();
        *outcomes.entry(IN_FULL.to_owned()).or_default() += usize::from(in_full);
        for code in codes {
            *outcomes.entry(code.to_owned()).or_default() += 1;
        }
        *outcomes.entry(format!("{word}: {status}")).or_default() += 1;
    }
}

fn post(path: &str, number: usize, body: &[u8]) -> Vec<u8> {
    let kind = if path == "/shs/rs" {
        "application/octet-stream"
    } else {
        "text/xml; charset=utf-8"
    };
    // What names the pieces that a body comes in, for one in four.
    let (length, body) = if number % 4 == 2 {
        ("Transfer-Encoding: chunked".to_owned(), chunked(body))
    } else {
        (format!("Content-Length: {}", body.len()), body.to_vec())
    };
    let head = format!(
        "POST {path}?{} HTTP/1.1\r\nHost: {}\r\nContent-Type: {kind}; x={}\r\n{length}\r\nSOAPAction: \"{}\"\r\n\
         traceparent: {}\r\n{}: x\r\nUser-Agent: {}\r\nX-Arende: {}\r\n\r\n",
        id("http query", number),
        id("http host", number),
        id("http content-type", number),
        id("http soapaction", number),
        id("http traceparent", number),
        id("http header name", number),
        id("http user agent", number),
        id("http header", number),
    );
    [head.into_bytes(), body].concat()
}

/// A body in pieces.
fn chunked(body: &[u8]) -> Vec<u8> {
    let piece = |piece: &[u8]| {
        let length = format!("{:x}\r\n", piece.len()).into_bytes();
        [&length, piece, b"\r\n"].concat()
    };
    let pieces = body.chunks(CHUNK).flat_map(piece);
    pieces.chain(*b"0\r\n\r\n").collect()
}

fn percent(text: &str) -> String {
    let each = text.bytes().map(|b| format!("%{b:02X}"));
    each.collect::<Vec<_>>().concat()
}

/// Fetches and acknowledges what lies in the mailbox; gives how much it was.
pub(crate) async fn empty_mailbox(stage: &Stage) -> usize {
    let dial = Dial::of(stage, MAILBOX_NAME);
    let outbox = format!("/shs/ds/urn:X-shs:{MAILBOX}");
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: node\r\n\r\n").into_bytes();
    let (answer, mut wire) = dial.exchange(dial.connect().await, get(&outbox)).await;
    let list = MessageList::read(&answer.expect("a list").body, None).unwrap();
    let mut taken = 0;
    for listed in list.messages {
        let path = format!("{outbox}/{}", listed.tx_id);
        let (fetched, again) = dial.exchange(wire, get(&path)).await;
        let ack =
            format!("POST {path}?action=ack HTTP/1.1\r\nHost: node\r\nContent-Length: 0\r\n\r\n");
        let (acknowledged, again) = dial.exchange(again, ack.into_bytes()).await;
        wire = again;
        // It may just have expired.
        let is_taken = [fetched, acknowledged]
            .into_iter()
            .flatten()
            .filter(|answer| answer.status == 200)
            .count()
            == 2;
        taken += usize::from(is_taken);
    }
    taken
}

/// Puts a message into the mailbox, where it stays.
pub(crate) async fn plant(stage: &Stage, number: usize) {
    let mut wire = stage.connect(PUSHED_NAME).await;
    let file = Message::file(number, PUSHED);
    let body = file.shs_with(text("file", number).as_bytes());
    wire.send(post("/shs/rs", number, &body)).await;
    assert_eq!(wire.receive().await.expect("an answer").status, 202);
}
