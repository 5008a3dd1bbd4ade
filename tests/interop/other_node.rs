//! A node that is not ours: it keeps what it is sent and answers as a test wants.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::certificates::Certificates;
use crate::wire::Stream;

/// What it says to a body that it got.
type Answer = dyn Fn(&[u8]) -> Vec<u8> + Send + Sync;

/// A node on loopback, over plain HTTP or TLS.
pub struct OtherNode {
    pub url: String,
    received: Arc<Mutex<Vec<Bytes>>>,
}

impl OtherNode {
    /// One that answers with a whole HTTP response.
    pub async fn answering(answer: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start(Arc::new(answer), None).await
    }

    async fn start(answer: Arc<Answer>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                let Some(tls) = tls.clone() else {
                    tokio::spawn(serve(stream, kept, answer));
                    continue;
                };
                tokio::spawn(async move {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, kept, answer).await;
                    }
                });
            }
        });
        let url = format!("{scheme}://localhost:{port}/shs/rs");
        Self { url, received }
    }

    /// One over TLS that answers synchronous and asynchronous messages alike with their own bytes.
    pub async fn echo_over_tls(certificates: &Certificates) -> Self {
        certificates.node("other-node", "0000000077");
        let tls = TlsAcceptor::from(Arc::new(certificates.server("other-node")));
        Self::start(Arc::new(|body: &[u8]| response(200, body)), Some(tls)).await
    }

    /// One that takes asynchronous messages.
    pub async fn accepting() -> Self {
        Self::answering(|_| response(202, b"")).await
    }

    /// One that answers synchronous messages with their own bytes, as some nodes do (shs-1.2, 5.4).
    pub async fn echo() -> Self {
        Self::answering(|body| response(200, body)).await
    }

    /// The bodies that came.
    pub fn received(&self) -> Vec<Bytes> {
        self.received.lock().unwrap().clone()
    }
}

/// A whole HTTP response.
pub fn response(status: u16, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Status\r\nContent-Type: message/rfc822\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

async fn serve(mut stream: impl Stream, received: Arc<Mutex<Vec<Bytes>>>, answer: Arc<Answer>) {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|at| at == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.expect("nodes say the length").parse().unwrap();
    while bytes.len() < head + length {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let answer = answer(&bytes[head..]);
    received.lock().unwrap().push(bytes.split_off(head).into());
    let _ = stream.write_all(&answer).await;
    let _ = stream.shutdown().await;
}
