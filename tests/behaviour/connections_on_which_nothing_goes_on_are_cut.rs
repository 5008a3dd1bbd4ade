//! A connection that is neither idle nor of any use is cut (design 9: slow senders), and takes what its buffers
//! hold with it (design 8.2). In real time: it is the operating system that holds the bytes back.

use std::time::Duration;

use shs_schemas::Uppgiftslamnare;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;
use tokio::time::{Instant, timeout};

use crate::sandbox::{Builder, DEMO, Sandbox, question_about};
use crate::wire::Wire;

const LINGER_MAX: Duration = Duration::from_millis(400);
/// Longest wait for what is to happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Idle connections stay for as long as the test takes: they are not what is looked at.
fn node() -> Builder {
    Sandbox::new().with(|settings| {
        settings.listener.keep_alive_ms = 60_000;
        settings.listener.linger_max_ms = LINGER_MAX.as_millis().try_into().unwrap();
    })
}

#[tokio::test]
async fn when_a_caller_sends_the_beginning_of_a_further_request_and_no_more() {
    let sandbox = node().start().await;
    let mut wire = Wire::to(sandbox.service()).await;
    wire.post("", &question_about(&[DEMO])).await;
    assert_eq!(wire.receive().await.unwrap().status, 200);
    let answered = Instant::now();
    wire.send("POST /sh").await;
    assert!(wire.is_closed_by_the_node().await);
    assert!(answered.elapsed() + Duration::from_millis(50) >= LINGER_MAX);
}

#[tokio::test]
async fn when_a_caller_does_not_read_its_answers() {
    let sandbox = node().start().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(sandbox.service()).await.unwrap();
    let question = question_about(&[DEMO]);
    let head = format!(
        "POST /shs/rs HTTP/1.1\r\nHost: node\r\nContent-Length: {}\r\n\r\n",
        question.len()
    );
    let request = [head.as_bytes(), &question].concat();
    // The node takes no more when its answers do not leave: then this waits until it cuts the connection.
    let refused = async { while stream.write_all(&request).await.is_ok() {} };
    timeout(PATIENCE, refused).await.expect("it is cut");
}

#[tokio::test]
async fn and_not_while_a_question_is_open() {
    let sandbox = node().limit(3).silent(Uppgiftslamnare::AF).start().await;
    let mut wire = Wire::to(sandbox.service()).await;
    let asked = Instant::now();
    wire.post("", &question_about(&[DEMO])).await;
    assert_eq!(wire.receive().await.unwrap().status, 200);
    assert!(asked.elapsed() > 2 * LINGER_MAX);
}
