//! The look-ups of shs-1.2, 8.4, over the entries of 9.10 and some with faults.

use futures_util::future::join_all;
use samsvar_actors::directory::Directory;
use shs_schemas::shs::Produkt;
use shs_schemas::shs::agreement::AgreedTransfer;

use crate::rig::{FIKTIVKONTORET, P6, P7, P8, PROVMYNDIGHETEN, directory, ldap, number, produkt};
use crate::slapd::{Readers, Slapd};

#[tokio::test(flavor = "multi_thread")]
async fn an_actor_is_found_with_its_name_and_link() {
    let Some(slapd) = Slapd::shared() else { return };
    let directory = directory(&ldap(&slapd.url()));
    let entry = directory.actor(&number(PROVMYNDIGHETEN)).await.unwrap();
    let entry = entry.unwrap();
    assert_eq!(entry.organisation, number(PROVMYNDIGHETEN));
    assert_eq!(entry.name.as_deref(), Some("Provmyndigheten"));
    let uri = entry.labeled_uri.as_deref();
    assert_eq!(uri, Some("https://provmyndigheten.example"));
    let entry = directory.actor(&number(FIKTIVKONTORET)).await.unwrap();
    assert_eq!(entry.unwrap().labeled_uri, None);
    assert_eq!(directory.actor(&number("0000000099")).await, Ok(None));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_found_by_product_in_any_letter_case() {
    let Some(slapd) = Slapd::shared() else { return };
    let directory = directory(&ldap(&slapd.url()));
    for (of, product, expected) in [
        (
            PROVMYNDIGHETEN,
            P7,
            Some("https://shs.provmyndigheten.example/shs/rs"),
        ),
        (
            FIKTIVKONTORET,
            "error",
            Some("https://shs.fiktivkontoret.example/shs/adm"),
        ),
        (
            FIKTIVKONTORET,
            "confirm",
            Some("https://shs.fiktivkontoret.example/shs/adm"),
        ),
        (
            FIKTIVKONTORET,
            P6,
            Some("https://shs.fiktivkontoret.example/shs/rs"),
        ),
        // Blanks around it.
        ("0000000005", P6, Some("https://slarv.example/shs/rs")),
        // No URL, and no value at all.
        ("0000000005", P7, None),
        ("0000000005", P8, None),
        (PROVMYNDIGHETEN, P8, None),
        (PROVMYNDIGHETEN, "error", None),
        ("0000000004", P7, None),
        ("0000000099", P7, None),
    ] {
        let found = directory.address(&number(of), produkt(product)).await;
        assert_eq!(found.unwrap().as_deref(), expected, "{of} {product}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_addresses_that_differ_the_one_below_the_actor_counts() {
    let Some(slapd) = Slapd::shared() else { return };
    let directory = directory(&ldap(&slapd.url()));
    let found = directory.address(&number("0000000003"), produkt(P7)).await;
    let expected = "https://ny.dubbelverket.example/shs/rs";
    assert_eq!(found.unwrap().as_deref(), Some(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn any_address_is_one_for_administrative_messages_if_there_is_one() {
    let Some(slapd) = Slapd::shared() else { return };
    let directory = directory(&ldap(&slapd.url()));
    for (of, expected) in [
        (
            FIKTIVKONTORET,
            Some("https://shs.fiktivkontoret.example/shs/adm"),
        ),
        (
            PROVMYNDIGHETEN,
            Some("https://shs.provmyndigheten.example/shs/rs"),
        ),
        ("0000000005", Some("https://slarv.example/shs/rs")),
        ("0000000004", None),
        ("0000000099", None),
    ] {
        let found = directory.any_address(&number(of)).await;
        assert_eq!(found.unwrap().as_deref(), expected, "{of}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn public_agreements_are_found_by_product_and_principal() {
    let Some(slapd) = Slapd::shared() else { return };
    let directory = directory(&ldap(&slapd.url()));
    let principal = number(PROVMYNDIGHETEN);
    let found = directory.public_agreements(Some(&principal), produkt(P6));
    let found = found.await.unwrap();
    // Of the two entries one has a transfer type that is no word.
    let [agreement] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(agreement.principal, principal);
    assert_eq!(agreement.products.len(), 2);
    assert_eq!(
        agreement.transfer,
        AgreedTransfer::Any,
        "shsTransferType is missing"
    );
    assert!(!agreement.confirm);
    let found = directory.public_agreements(Some(&principal), produkt(P8));
    assert_eq!(found.await, Ok(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn public_agreements_are_found_by_product_alone() {
    let Some(slapd) = Slapd::shared() else { return };
    let directory = directory(&ldap(&slapd.url()));
    let found = directory
        .public_agreements(None, produkt(P6))
        .await
        .unwrap();
    assert_eq!(found.len(), 2);
    let of = |text| {
        found
            .iter()
            .find(|one| one.principal == number(text))
            .unwrap()
    };
    let other = of(FIKTIVKONTORET);
    assert_eq!(other.transfer, AgreedTransfer::Synch);
    assert!(other.confirm);
    let found = directory.public_agreements(None, Produkt::Error).await;
    assert_eq!(found, Ok(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_look_ups_share_one_connection() {
    let Some(slapd) = Slapd::start(Readers::Anyone) else {
        return;
    };
    let directory = directory(&ldap(&slapd.url()));
    let before = slapd.connections();
    let of = number(FIKTIVKONTORET);
    for _ in 0..3 {
        let found = join_all((0..100).map(|_| directory.address(&of, Produkt::Error))).await;
        assert!(found.iter().all(|address| matches!(address, Ok(Some(_)))));
    }
    // The counter's own look, and one more.
    assert_eq!(slapd.connections() - before, 2);
}
