//! The log, when the directory contradicts itself, holds what cannot be read, or is away.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Once;

use samsvar_actors::directory::Directory;

use crate::rig::{P6, P7, PROVMYNDIGHETEN, directory, ldap, number, produkt};
use crate::slapd::{Readers, Slapd};

thread_local! {
    /// What this test's thread has logged. A test's runtime has no other thread.
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Keeper;

impl Write for Keeper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One subscriber for the whole process: one for each thread would race for the cache that says
/// which lines anyone listens to.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::fmt().with_ansi(false);
        subscriber.with_writer(|| Keeper).init();
    });
}

/// Lines with this text.
fn lines(text: &str) -> Vec<String> {
    let log = LOGGED.with_borrow(|logged| String::from_utf8(logged.clone()).unwrap());
    let lines = log.lines().filter(|line| line.contains(text));
    lines.map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn two_addresses_that_differ_are_an_error_of_the_directory() {
    let Some(slapd) = Slapd::shared() else { return };
    listen();
    let directory = directory(&ldap(&slapd.url()));
    for _ in 0..3 {
        for actor in ["0000000003", PROVMYNDIGHETEN] {
            let found = directory.address(&number(actor), produkt(P7)).await;
            assert!(matches!(found, Ok(Some(_))), "{found:?}");
        }
    }
    let said = lines("contradict each other");
    assert_eq!(said.len(), 1, "{said:?}");
    let filter = "(organizationNumber=0000000003)";
    assert!(
        said[0].contains("ERROR") && said[0].contains(filter),
        "{said:?}"
    );
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_named_by_its_attribute_and_not_quoted() {
    let Some(slapd) = Slapd::shared() else { return };
    listen();
    let directory = directory(&ldap(&slapd.url()));
    let of = number(PROVMYNDIGHETEN);
    let found = directory.public_agreements(Some(&of), produkt(P6)).await;
    assert_eq!(found.unwrap().len(), 1);
    assert_eq!(lines("left out: shsTransferType").len(), 1);
    assert_eq!(lines("both"), [""; 0]);
    let slarvig = number("0000000005");
    assert_eq!(directory.address(&slarvig, produkt(P7)).await, Ok(None));
    assert_eq!(lines("address in the SHS directory is left out").len(), 1);
    assert_eq!(lines("slarv"), [""; 0]);
}

#[tokio::test]
async fn why_it_is_away_is_said_once() {
    let Some(mut slapd) = Slapd::start(Readers::Anyone) else {
        return;
    };
    listen();
    let directory = directory(&ldap(&slapd.url()));
    let of = number(PROVMYNDIGHETEN);
    slapd.stop();
    for _ in 0..3 {
        directory.actor(&of).await.unwrap_err();
    }
    assert_eq!(lines("cannot be reached").len(), 1);
    slapd.start_again();
    directory.actor(&of).await.unwrap().unwrap();
    slapd.stop();
    directory.actor(&of).await.unwrap_err();
    assert_eq!(lines("cannot be reached").len(), 2);
}
