//! Another SHS node, as far as ours sees it: a receive service that answers as it is told, in order, and
//! keeps what it got.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use samsvar::settings::ServiceUrl;
use shs_schemas::mime::Limits;
use shs_schemas::shs::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One answer.
#[derive(Clone, Debug)]
pub struct Says {
    /// HTTP status.
    pub status: u16,
    /// `X-shs-errorcode`.
    pub code: Option<&'static str>,
    /// The body.
    pub body: Bytes,
}

impl Says {
    /// A status and nothing else.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            code: None,
            body: Bytes::new(),
        }
    }

    /// A refusal with a code.
    pub fn refusal(code: &'static str) -> Self {
        Self {
            code: Some(code),
            ..Self::status(400)
        }
    }
}

/// A node that runs until the test ends.
pub struct NextNode {
    url: String,
    taken: Arc<Mutex<Vec<Bytes>>>,
}

impl NextNode {
    /// A node that gives these answers one after the other, and the last one from then on.
    pub async fn that(says: impl Into<Vec<Says>>) -> Self {
        let says = says.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/shs/rs", listener.local_addr().unwrap());
        let taken = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&taken);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (says, kept) = (says.clone(), Arc::clone(&kept));
                tokio::spawn(async move { answer(stream, &says, &kept).await });
            }
        });
        Self { url, taken }
    }

    /// A node that takes everything.
    pub async fn that_takes() -> Self {
        Self::that([Says::status(202)]).await
    }

    /// Where it receives.
    pub fn url(&self) -> ServiceUrl {
        ServiceUrl::try_from(self.url.clone()).unwrap()
    }

    /// How many posts have come.
    pub fn posts(&self) -> usize {
        self.taken.lock().unwrap().len()
    }

    /// What has come.
    pub fn taken(&self) -> Vec<Message> {
        let taken = self.taken.lock().unwrap().clone();
        let read = |body| Message::read(body, None, &Limits::default()).unwrap();
        taken.into_iter().map(read).collect()
    }
}

/// The address of a port that nobody listens on.
pub async fn nobody() -> ServiceUrl {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/shs/rs", listener.local_addr().unwrap());
    ServiceUrl::try_from(url).unwrap()
}

async fn answer(mut stream: TcpStream, says: &[Says], kept: &Mutex<Vec<Bytes>>) {
    let Some(body) = receive(&mut stream).await else {
        return;
    };
    let says = {
        let mut kept = kept.lock().unwrap();
        kept.push(body);
        says[(kept.len() - 1).min(says.len() - 1)].clone()
    };
    let code = says.code.map(|code| format!("X-shs-errorcode: {code}\r\n"));
    let head = format!(
        "HTTP/1.1 {} said\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n",
        says.status,
        says.body.len(),
        code.unwrap_or_default()
    );
    let _ = stream
        .write_all(&[head.as_bytes(), &says.body].concat())
        .await;
}

/// A whole request with a length; its body.
pub async fn receive(stream: &mut TcpStream) -> Option<Bytes> {
    let mut read = Vec::new();
    loop {
        if let Some(end) = read.windows(4).position(|at| at == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length?.trim().parse().ok()?;
            if read.len() >= end + 4 + length {
                return Some(Bytes::from(read.split_off(end + 4)));
            }
        }
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
}
