//! Entries of the party register: versions, withholding, test services.

use shs_schemas::ssbtek::{Kontrakt, Uppgiftslamnare, Versioner};

use super::super::tests::{Folder, in_process};
use crate::settings::Settings;

fn register(text: &str) -> Folder {
    let folder = in_process("");
    folder.write("uppgiftslamnare.toml", text);
    folder
}

/// Versions, withholding and test service of SKV.
fn skv(folder: &Folder, variables: &[(&str, &str)]) -> (Versioner, bool, bool) {
    let settings = folder.load(variables).unwrap();
    let party = settings.party(Uppgiftslamnare::SKV).unwrap();
    (party.kontrakt, party.withhold, party.ping)
}

fn only(kontrakt: Kontrakt) -> Versioner {
    Versioner::of([kontrakt]).unwrap()
}

#[test]
fn a_party_speaks_every_version_withholds_nothing_and_has_a_test_service_by_default() {
    let folder = register("[SKV]\nconnected = true\n");
    assert_eq!(skv(&folder, &[]), (Versioner::alla(), false, true));
    let folder = register(
        "[SKV]\nconnected = true\nkontrakt = [11]\nwithhold = true\nping = false\n\
         [AF]\nconnected = true\nkontrakt = [11, 10]\n",
    );
    assert_eq!(skv(&folder, &[]), (only(Kontrakt::V11), true, false));
    let settings = folder.load(&[]).unwrap();
    let af = settings.party(Uppgiftslamnare::AF).unwrap();
    assert_eq!((af.kontrakt, af.ping), (Versioner::alla(), true));
}

#[test]
fn who_is_not_connected_has_no_test_service_that_could_be_called() {
    let folder = register("[SKV]\nconnected = false\nping = true\n[AF]\nconnected = true\n");
    assert!(!skv(&folder, &[]).2);
}

#[test]
fn versions_that_cannot_be_are_named_with_their_line() {
    for (kontrakt, fault) in [
        ("[]", "names no version of the contract"),
        ("[9]", "names a version of the contract that is not served"),
        (
            "[10, 266]",
            "names a version of the contract that is not served",
        ),
        (
            "[-10]",
            "names a version of the contract that is not served",
        ),
        ("[10, 11, 10]", "names a version twice"),
    ] {
        let folder = register(&format!(
            "[SKV]\nconnected = true\n\nkontrakt = {kontrakt}\n"
        ));
        let expected = format!("uppgiftslamnare.toml:4: SKV.kontrakt: {fault}");
        assert_eq!(folder.faults(&[]), expected, "{kontrakt}");
    }
    for wrong in [
        "kontrakt = 10",
        "kontrakt = ['10']",
        "withhold = 1",
        "ping = 'yes'",
    ] {
        let folder = register(&format!("[SKV]\nconnected = true\n{wrong}\n"));
        let faults = folder.faults(&[]);
        assert!(
            faults.starts_with("uppgiftslamnare.toml:3: invalid type"),
            "{faults}"
        );
    }
}

#[test]
fn the_environment_sets_each_for_any_party() {
    let folder = register("[SKV]\nconnected = true\nkontrakt = [10]\n");
    let variables = [
        ("SAMSVAR_UPPGIFTSLAMNARE__SKV__KONTRAKT", "[11]"),
        ("SAMSVAR_UPPGIFTSLAMNARE__SKV__WITHHOLD", "true"),
        ("SAMSVAR_UPPGIFTSLAMNARE__SKV__PING", "false"),
    ];
    assert_eq!(skv(&folder, &variables), (only(Kontrakt::V11), true, false));
    let name = "SAMSVAR_UPPGIFTSLAMNARE__SKV__KONTRAKT";
    assert_eq!(
        folder.faults(&[(name, "[12]")]),
        format!("{name}: SKV.kontrakt: names a version of the contract that is not served")
    );
    assert!(
        folder
            .faults(&[(name, "elva")])
            .starts_with(&format!("{name}: is not a value"))
    );
}

/// What is described is what holds: the register of the repository says the defaults for one party
/// and nothing for the others.
#[test]
fn the_register_of_the_repository_shows_the_defaults() {
    let settings = Settings::demo();
    for party in &settings.parties {
        let shown = (party.kontrakt, party.withhold, party.ping);
        assert_eq!(shown, (Versioner::alla(), false, true), "{}", party.kod);
    }
}
