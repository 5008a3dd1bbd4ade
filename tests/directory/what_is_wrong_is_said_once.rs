//! The log, when the directory contradicts itself, holds what cannot be read, or is away.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use samsvar_actors::directory::Directory;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use crate::rig::{P6, P7, PROVMYNDIGHETEN, directory, ldap, number, produkt};
use crate::slapd::{Readers, Slapd};

/// What is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    fn listen(&self) -> DefaultGuard {
        let subscriber = tracing_subscriber::fmt().with_ansi(false);
        tracing::subscriber::set_default(subscriber.with_writer(self.clone()).finish())
    }

    /// Lines with this text.
    fn lines(&self, text: &str) -> Vec<String> {
        let log = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = log.lines().filter(|line| line.contains(text));
        lines.map(ToOwned::to_owned).collect()
    }
}

#[tokio::test]
async fn two_addresses_that_differ_are_an_error_of_the_directory() {
    let Some(slapd) = Slapd::shared() else { return };
    let log = Log::default();
    let _guard = log.listen();
    let directory = directory(&ldap(&slapd.url()));
    for _ in 0..3 {
        for actor in ["0000000003", PROVMYNDIGHETEN] {
            let found = directory.address(&number(actor), produkt(P7)).await;
            assert!(matches!(found, Ok(Some(_))), "{found:?}");
        }
    }
    let lines = log.lines("contradict each other");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("ERROR"), "{lines:?}");
    assert!(
        lines[0].contains("(organizationNumber=0000000003)"),
        "{lines:?}"
    );
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_named_by_its_attribute_and_not_quoted() {
    let Some(slapd) = Slapd::shared() else { return };
    let log = Log::default();
    let _guard = log.listen();
    let directory = directory(&ldap(&slapd.url()));
    let of = number(PROVMYNDIGHETEN);
    let found = directory.public_agreements(Some(&of), produkt(P6)).await;
    assert_eq!(found.unwrap().len(), 1);
    assert_eq!(log.lines("left out: shsTransferType").len(), 1);
    assert_eq!(log.lines("both"), [""; 0]);
    let slarvig = number("0000000005");
    assert_eq!(directory.address(&slarvig, produkt(P7)).await, Ok(None));
    assert_eq!(
        log.lines("address in the SHS directory is left out").len(),
        1
    );
    assert_eq!(log.lines("slarv"), [""; 0]);
}

#[tokio::test]
async fn why_it_is_away_is_said_once() {
    let Some(mut slapd) = Slapd::start(Readers::Anyone) else {
        return;
    };
    let log = Log::default();
    let _guard = log.listen();
    let directory = directory(&ldap(&slapd.url()));
    let of = number(PROVMYNDIGHETEN);
    slapd.stop();
    for _ in 0..3 {
        directory.actor(&of).await.unwrap_err();
    }
    assert_eq!(log.lines("cannot be reached").len(), 1);
    slapd.start_again();
    directory.actor(&of).await.unwrap().unwrap();
    slapd.stop();
    directory.actor(&of).await.unwrap_err();
    assert_eq!(log.lines("cannot be reached").len(), 2);
}
