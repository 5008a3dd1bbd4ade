//! HTTP by hand: for what no client would send.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest wait for bytes that are to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes in both directions.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// One connection to the service listener.
pub struct Wire {
    stream: Box<dyn Stream>,
    unread: Vec<u8>,
}

/// One HTTP response.
#[derive(Debug)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// The header block, with the status line.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    }
}

impl Wire {
    /// Connects.
    pub async fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self::over(stream)
    }

    /// Over a connection that is there.
    pub fn over(stream: impl Stream + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            unread: Vec::new(),
        }
    }

    /// Sends bytes as they are. A node that has hung up already is no failure of the sending.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Sends a whole POST with these further headers.
    pub async fn post(&mut self, headers: &str, body: &[u8]) {
        let length = body.len();
        let head = format!(
            "POST /shs/rs HTTP/1.1\r\nHost: node\r\nContent-Length: {length}\r\n{headers}\r\n"
        );
        self.send([head.as_bytes(), body].concat()).await;
    }

    /// The next response, whole; nothing when the connection ends before one.
    pub async fn receive(&mut self) -> Option<Response> {
        let head_ends = loop {
            let end = self.unread.windows(4).position(|at| at == b"\r\n\r\n");
            if let Some(end) = end {
                break end + 4;
            }
            if !self.read_more().await {
                return None;
            }
        };
        let head: Vec<u8> = self.unread.drain(..head_ends).collect();
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut response = Response {
            status,
            head,
            body: Vec::new(),
        };
        let length = response
            .header("content-length")
            .map_or(0, |length| length.parse().unwrap());
        while self.unread.len() < length && self.read_more().await {}
        response.body = self.unread.drain(..length).collect();
        Some(response)
    }

    /// True when the node closes the connection, whatever it says before.
    pub async fn is_closed_by_the_node(&mut self) -> bool {
        while self.read_more().await {}
        true
    }

    async fn read_more(&mut self) -> bool {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.unread)).await;
        read.expect("the node answers or hangs up").unwrap_or(0) > 0
    }
}
