//! Something listens there that is no directory, or a broken one: every search ends, and nothing of
//! what was sent is repeated.

use std::time::Instant;

use samsvar::directory::ldap::LdapFault;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::rig::{LONGEST, SLACK, answers, ldap};

/// What the server does with the connection when it has said its words.
#[derive(Clone, Copy)]
enum Then {
    Close,
    Hold,
}

/// A server that answers the first request with these bytes; gives its address.
async fn server(words: Vec<u8>, then: Then) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let words = words.clone();
            tokio::spawn(async move {
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(&words).await;
                if let Then::Hold = then {
                    // Until the other side has had enough.
                    while stream.read(&mut request).await.is_ok_and(|count| count > 0) {}
                }
            });
        }
    });
    format!("ldap://{address}")
}

async fn fault(words: &[u8], then: Then) -> LdapFault {
    let begun = Instant::now();
    let url = server(words.to_vec(), then).await;
    let fault = answers(&ldap(&url)).await.unwrap_err();
    assert!(begun.elapsed() < LONGEST + SLACK, "{:?}", begun.elapsed());
    fault
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ldap_ends_the_connection() {
    let http = b"HTTP/1.1 400 Bad Request\r\n\r\n".repeat(4);
    for words in [
        http.as_slice(),
        // A list where a message should be.
        b"\x31\x03\x02\x01\x01",
    ] {
        let fault = fault(words, Then::Hold).await;
        assert!(matches!(fault, LdapFault::Lost), "{words:x?}: {fault}");
    }
}

/// The LDAP library panics on these; how long that takes depends on who prints the panic.
#[tokio::test(flavor = "multi_thread")]
async fn a_panic_over_a_broken_message_costs_no_more_than_the_time_of_a_search() {
    // A message without an operation, and an operation that does not exist.
    for words in [
        b"\x30\x03\x02\x01\x01".as_slice(),
        b"\x30\x05\x02\x01\x01\x7e\x00",
    ] {
        let fault = fault(words, Then::Hold).await;
        let ended = matches!(fault, LdapFault::Lost | LdapFault::SearchTimeout);
        assert!(ended, "{words:x?}: {fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_an_answer_is_none() {
    // An entry without a name, and an entry whose end is missing.
    let entry: [&[u8]; 2] = [
        b"\x30\x05\x02\x01\x01\x64\x00",
        b"\x30\x50\x02\x01\x01\x64\x4b",
    ];
    for words in [b"".as_slice(), entry[0], entry[1]] {
        let closed = fault(words, Then::Close).await;
        assert!(matches!(closed, LdapFault::Lost), "{words:x?}: {closed}");
        let held = fault(words, Then::Hold).await;
        assert!(
            matches!(held, LdapFault::SearchTimeout),
            "{words:x?}: {held}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_end_is_cut_off() {
    // An entry, one without a list of attributes, and a reference to another directory.
    for words in [
        b"\x30\x0e\x02\x01\x01\x64\x09\x04\x05l=SHS\x30\x00".as_slice(),
        b"\x30\x0c\x02\x01\x01\x64\x07\x04\x05l=SHS",
        b"\x30\x05\x02\x01\x01\x73\x00",
    ] {
        let fault = fault(&words.repeat(1001), Then::Hold).await;
        assert!(matches!(fault, LdapFault::Refused(4)), "{fault}");
    }
}

/// Lists in lists, a hundred thousand deep: the LDAP library would follow them until the stack ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_bottom_ends_the_connection_and_not_the_node() {
    let depth: u32 = 100_000;
    let level = |above: u32| [&[0x30, 0x84][..], &(6 * (depth - 1 - above)).to_be_bytes()].concat();
    let words: Vec<u8> = (0..depth).flat_map(level).collect();
    let fault = fault(&words, Then::Hold).await;
    assert!(matches!(fault, LdapFault::Lost), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_listens_it_is_unreachable_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ldap://{}", listener.local_addr().unwrap());
    drop(listener);
    let fault = answers(&ldap(&url)).await.unwrap_err();
    assert!(matches!(fault, LdapFault::Unreachable(_)), "{fault}");
}
