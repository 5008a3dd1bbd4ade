//! A service that says what it is told to, for tests of the asking side.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;

/// Longest request that is taken, in bytes.
const REQUEST_BYTES_MAX: usize = 1024 * 1024;

/// What was asked: the header block in lower case, and the body.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) head: String,
    pub(crate) body: String,
}

/// The service, until it is dropped.
pub(crate) struct Canned {
    /// `http://127.0.0.1:…`
    pub(crate) base: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    most_open: Arc<AtomicUsize>,
    serving: tokio::task::JoinHandle<()>,
}

impl Canned {
    /// Answers each request with what `answer` makes of it: a whole HTTP response.
    pub(crate) async fn serve(answer: impl Fn(&Asked) -> String + Send + Sync + 'static) -> Self {
        Self::serve_together(1, answer).await
    }

    /// The same; so many requests are waited for before each of them is answered.
    pub(crate) async fn serve_together(
        together: usize,
        answer: impl Fn(&Asked) -> String + Send + Sync + 'static,
    ) -> Self {
        // The HTTP client insists on a TLS provider.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
        let (open, most_open) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (most, barrier) = (Arc::clone(&most_open), Arc::new(Barrier::new(together)));
        let serving = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                let (open, most) = (Arc::clone(&open), Arc::clone(&most));
                let barrier = Arc::clone(&barrier);
                tokio::spawn(async move {
                    let Some(request) = request(&mut stream).await else {
                        return;
                    };
                    most.fetch_max(open.fetch_add(1, Relaxed) + 1, Relaxed);
                    barrier.wait().await;
                    open.fetch_sub(1, Relaxed);
                    let response = answer(&request);
                    log.lock().unwrap().push(request);
                    let _ = stream.write_all(response.as_bytes()).await;
                });
            }
        });
        Self {
            base,
            asked,
            most_open,
            serving,
        }
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The most requests that were open at once.
    pub(crate) fn most_open(&self) -> usize {
        self.most_open.load(Relaxed)
    }
}

impl Drop for Canned {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn request(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    while bytes.len() < REQUEST_BYTES_MAX {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let head = head.to_lowercase();
        let length = head.split("content-length: ").nth(1)?;
        let length: usize = length.lines().next()?.parse().ok()?;
        if body.len() >= length {
            let body = body.to_owned();
            return Some(Asked { head, body });
        }
    }
    None
}

/// A response with this status line and body, after which the connection ends.
pub(crate) fn response(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/xml; charset=utf-8\r\ncontent-length: {}\r\n\
         connection: close\r\n{headers}\r\n{body}",
        body.len()
    )
}
