//! What comes from a message cannot change what is searched for.

use samsvar::directory::ldap::{Class, Search};

use crate::rig::{PROVMYNDIGHETEN, directory, ldap};
use crate::slapd::Slapd;

const HOSTILE: [&str; 12] = [
    "*",
    "0000*",
    "*2",
    "0000000002)(o=*",
    "0000000002)(objectClass=*",
    "*)(|(objectClass=*",
    ")(",
    "(",
    "\\2a",
    "0000000002\0",
    "\0",
    "å*ä(ö)",
];

#[tokio::test(flavor = "multi_thread")]
async fn wildcards_brackets_and_nul_find_nothing() {
    let Some(slapd) = Slapd::shared() else { return };
    let directory = directory(&ldap(&slapd.url()));
    for value in HOSTILE {
        for (class, attribute) in [
            (Class::Actor, "organizationNumber"),
            (Class::Address, "serialNumber"),
            (Class::Agreement, "principal"),
        ] {
            let search = Search::of(class).and(attribute, value);
            let found = directory.find(&search).await.unwrap();
            assert!(found.is_empty(), "{attribute} {value:?}");
        }
    }
    // The same way finds what is there.
    let search = Search::of(Class::Actor).and("organizationNumber", PROVMYNDIGHETEN);
    assert_eq!(directory.find(&search).await.unwrap().len(), 1);
}
