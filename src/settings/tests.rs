//! What is accepted, what is refused, and that a fault says where.

use std::fs;
use std::path::PathBuf;

use shs_schemas::shs::Produkt;
use shs_schemas::shs::agreement::AGREEMENT_BYTES_MAX;

use super::*;

/// A folder with a settings file, a register and agreements.
pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    pub(super) fn with(main: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("samsvar.toml", main);
        folder.write("uppgiftslamnare.toml", "[CSN]\nconnected = true\n");
        fs::create_dir(folder.path("agreements")).unwrap();
        folder
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(super) fn load(&self, variables: &[(&str, &str)]) -> Result<Settings, Faults> {
        let pairs = variables
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Settings::load_with(&self.path("samsvar.toml"), &Environment::from_pairs(pairs))
    }

    /// The faults, one a line, without the name of the folder.
    pub(super) fn faults(&self, variables: &[(&str, &str)]) -> String {
        let prefix = format!("{}/", self.0.path().display());
        self.load(variables)
            .expect_err("faults")
            .to_string()
            .replace(&prefix, "")
    }
}

const NODE: &str = r#"[node]
organisationsnummer = "2021009994"
namn = "Exempelkassan"
node_id = "n1"
"#;

pub(super) fn in_process(more: &str) -> Folder {
    Folder::with(&format!("{NODE}[transport]\nkind = \"in-process\"\n{more}"))
}

fn config(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("config")
        .join(name)
}

#[test]
fn the_demo_has_every_party_and_the_agreements_of_both_municipalities() {
    let demo = Settings::demo();
    assert_eq!(demo.node.node_id, "samsvar-demo");
    assert_eq!(demo.transport.kind, TransportKind::InProcess);
    assert_eq!(demo.aktorer.len(), 2);
    assert_eq!(demo.agreements.len(), 4);
    assert!(Uppgiftslamnare::all().all(|ul| demo.party(ul).unwrap().connected));
}

#[test]
fn the_files_of_the_repository_load() {
    let nothing = Environment::empty();
    let served = Settings::load_with(&config("samsvar.toml"), &nothing).unwrap();
    assert_eq!(served.transport.kind, TransportKind::Amqp);
    assert_eq!(served.amqp.url.unwrap().host(), "127.0.0.1:5672");
    let demo = Settings::load_with(&config("demo.toml"), &nothing).unwrap();
    assert_eq!(demo.agreements.len(), Settings::demo().agreements.len());
}

#[test]
fn samsvar_toml_shows_the_defaults() {
    let nothing = Environment::empty();
    let mut shown = Settings::load_with(&config("samsvar.toml"), &nothing).unwrap();
    let folder = Folder::with(&format!("{NODE}[amqp]\nurl = \"amqp://localhost\"\n"));
    let default = folder.load(&[]).unwrap();
    shown.node = default.node.clone();
    shown.aktorer = Vec::new();
    shown.amqp.url = default.amqp.url.clone();
    shown.ledger.folder = None;
    shown.parties.clone_from(&default.parties);
    shown.agreements.clone_from(&default.agreements);
    shown.products.clone_from(&default.products);
    assert_eq!(format!("{shown:#?}"), format!("{default:#?}"));
}

#[test]
fn the_longest_deadline_is_the_time_that_a_question_lives_in_rabbitmq() {
    let definitions: serde_json::Value =
        serde_json::from_str(include_str!("../../config/rabbitmq-definitions.json")).unwrap();
    let ttl = &definitions["policies"][0]["definition"]["message-ttl"];
    let longest = Settings::demo().deadline.longest().as_millis();
    assert_eq!(u128::from(ttl.as_u64().unwrap()), longest);
}

#[test]
fn an_unknown_name_is_refused_with_its_line() {
    let faults = in_process("[deadline]\nlimit_s = 12\nlimt_s = 13\n").faults(&[]);
    assert!(
        faults.starts_with("samsvar.toml:9: unknown field `limt_s`"),
        "{faults}"
    );
    let faults = in_process("[dedline]\n").faults(&[]);
    assert!(
        faults.starts_with("samsvar.toml:7: unknown field `dedline`"),
        "{faults}"
    );
}

#[test]
fn what_does_not_parse_is_refused_with_its_line_and_never_quoted() {
    let folder = Folder::with(&format!(
        "{NODE}[amqp]\nurl = \"amqp://a:hemligt@localhost\n"
    ));
    let faults = folder.faults(&[]);
    assert!(faults.starts_with("samsvar.toml:6: "), "{faults}");
    assert!(!faults.contains("hemligt"), "{faults}");
}

#[test]
fn every_value_out_of_bounds_is_named_at_once() {
    let folder = in_process(
        "[deadline]\nlimit_s = 12\nmargin_ms = 0\n[drain]\ndrain_s = 601\n\
         [[aktor]]\norganisationsnummer = \"12\"\nnamn = \"\"\n\
         [outbox]\nage_max_s = 0\nmessages_max = 0\n",
    );
    let faults = folder.faults(&[]);
    for expected in [
        "samsvar.toml:9: deadline.margin_ms: lower than 100",
        "samsvar.toml:11: drain.drain_s: greater than 600",
        "samsvar.toml:13: aktor[0].organisationsnummer: is not ten digits",
        "samsvar.toml:14: aktor[0].namn: length is lower than 1",
        "samsvar.toml:16: outbox.age_max_s: lower than 1",
        "samsvar.toml:17: outbox.messages_max: lower than 1",
    ] {
        assert!(faults.lines().any(|line| line == expected), "{faults}");
    }
}

#[test]
fn values_that_contradict_each_other_are_refused() {
    for (more, expected) in [
        (
            "[deadline]\npromise_s = 12\n",
            "samsvar.toml:8: deadline.promise_s: ",
        ),
        (
            "[deadline]\nmargin_ms = 7000\n",
            "samsvar.toml:8: deadline.margin_ms: ",
        ),
        (
            "[load]\nopen_requests_max = 5\n",
            "samsvar.toml:7: load.open_per_sender_max: ",
        ),
        (
            "[load]\nanswers_bytes_max = 4194303\n",
            "samsvar.toml:8: load.answers_bytes_max: ",
        ),
        (
            "[outbox]\nbytes_max = 536870913\n",
            "samsvar.toml:8: outbox.bytes_max: ",
        ),
        (
            "[outbox]\nreserve_bytes = 268435457\n",
            "samsvar.toml:8: outbox.reserve_bytes: ",
        ),
        (
            "[admin]\naddress = \"127.0.0.1:8585\"\n",
            "samsvar.toml:8: admin.address: ",
        ),
        (
            "[amqp]\nurl = \"amqp://localhost\"\nurl_file = \"x\"\n",
            "samsvar.toml:9: amqp.url_file",
        ),
    ] {
        let faults = in_process(more).faults(&[]);
        assert!(faults.starts_with(expected), "{faults}");
    }
}

#[test]
fn certificates_of_an_own_broker_are_read_and_checked_at_load() {
    let url = "url = \"amqps://rabbit.example\"";
    let folder = Folder::with(&format!("{NODE}[amqp]\n{url}\nca_file = \"ca.pem\"\n"));
    let faults = folder.faults(&[]);
    assert!(
        faults.starts_with("samsvar.toml:7: amqp.ca_file: ca.pem cannot be read: "),
        "{faults}"
    );
    folder.write("ca.pem", "no certificate");
    assert_eq!(
        folder.faults(&[]),
        "samsvar.toml:7: amqp.ca_file: ca.pem holds no certificate in PEM"
    );
    let pem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    folder.write("ca.pem", &pem.replace("MAA=", "?"));
    assert_eq!(
        folder.faults(&[]),
        "samsvar.toml:7: amqp.ca_file: ca.pem holds a certificate that is not PEM"
    );
    folder.write("other.pem", pem);
    let other = [("SAMSVAR_AMQP__CA_FILE", "other.pem")];
    let amqp = folder.load(&other).unwrap().amqp;
    assert_eq!(amqp.ca.as_deref(), Some(pem));
    assert_eq!(
        folder
            .faults(&[("SAMSVAR_AMQP__CA_FILE", "none.pem")])
            .split(" cannot")
            .next(),
        Some("SAMSVAR_AMQP__CA_FILE: amqp.ca_file: none.pem")
    );
}

#[test]
fn addresses_are_by_product_in_any_letter_case() {
    let folder = in_process(
        "[[aktor]]\norganisationsnummer = \"2120009994\"\nnamn = \"a\"\ndelivery = \"push\"\n\
         [aktor.addresses]\n5A1E0000-1111-4222-8333-444455556666 = \"http://127.0.0.1/p\"\n\
         Error = \"http://127.0.0.1/e\"\n",
    );
    let addresses = &folder.load(&[]).unwrap().aktorer[0].addresses;
    let products: Vec<String> = addresses.keys().map(Produkt::bare).collect();
    assert_eq!(products, ["5a1e0000-1111-4222-8333-444455556666", "error"]);
}

#[test]
fn an_address_for_what_is_no_product_is_refused_with_its_line() {
    let aktor = "[[aktor]]\norganisationsnummer = \"2120009994\"\nnamn = \"a\"\n\
                 delivery = \"push\"\n[aktor.addresses]\n";
    let url = "\"https://a.example/\"";
    for bad in [
        "errors",
        "agreement",
        "5a1e0000111142228333444455556666",
        "\"\"",
    ] {
        let folder = in_process(&format!("{aktor}error = {url}\n{bad} = {url}\n"));
        assert_eq!(
            folder.faults(&[]),
            "samsvar.toml:13: is not the UUID of a product, `error` or `confirm`",
        );
    }
    let folder = in_process(&format!("{aktor}error = {url}\nERROR = {url}\n"));
    let faults = folder.faults(&[]);
    assert!(faults.starts_with("samsvar.toml:"), "{faults}");
    assert!(faults.ends_with(": names a product twice"), "{faults}");
}

#[test]
fn a_directory_is_refused_where_it_would_be_asked_in_clear_or_half_bound() {
    let far = "url = \"ldap://katalog.example\"\n";
    for (ldap, expected) in [
        (far.to_owned(), "samsvar.toml:8: ldap.url: plain ldap://"),
        (
            "url = \"ldaps://katalog.example\"\nstart_tls = true\n".to_owned(),
            "samsvar.toml:9: ldap.start_tls: ",
        ),
        (
            format!("start_tls = true\n{far}bind_dn = \"cn=a\"\n"),
            "samsvar.toml:10: ldap.bind_dn: ",
        ),
        (
            "url = \"http://katalog.example\"\n".to_owned(),
            "samsvar.toml:8: is not the address of a directory",
        ),
        (
            "cache_entries_max = 0\n".to_owned(),
            "samsvar.toml:8: ldap.cache_entries_max: lower than 1",
        ),
        (
            "bind_dn = \"cn=a\"\npassword_file = \"none\"\n".to_owned(),
            "samsvar.toml:9: ldap.password_file: none cannot be read: ",
        ),
        (
            "ca_file = \"none\"\n".to_owned(),
            "samsvar.toml:8: ldap.ca_file: none cannot be read: ",
        ),
    ] {
        let faults = in_process(&format!("[ldap]\n{ldap}")).faults(&[]);
        assert!(faults.starts_with(expected), "{faults}");
    }
}

#[test]
fn the_password_of_the_directory_comes_from_a_file_or_the_environment_and_is_never_shown() {
    let folder = in_process(
        "[ldap]\nurl = \"ldap://localhost\"\nbind_dn = \"cn=a\"\npassword_file = \"secret\"\n",
    );
    folder.write("secret", "hemligt ord\n");
    let settings = folder.load(&[]).unwrap();
    assert_eq!(
        settings.ldap.password.as_ref().unwrap().expose(),
        "hemligt ord"
    );
    assert!(!format!("{settings:?}").contains("hemligt"));
    let other = [
        ("SAMSVAR_LDAP__PASSWORD", "annat"),
        ("SAMSVAR_LDAP__CACHE_S", "5"),
    ];
    let ldap = folder.load(&other).unwrap().ldap;
    assert_eq!(ldap.password.unwrap().expose(), "annat");
    assert_eq!(ldap.cache_s, 5);
    for (text, expected) in [
        ("\n", "secret holds no password"),
        ("hemligt\nord\n", "secret has more than one line"),
    ] {
        folder.write("secret", text);
        let faults = folder.faults(&[]);
        assert!(faults.ends_with(expected), "{faults}");
    }
}

#[test]
fn amqp_needs_an_address() {
    let faults = Folder::with(NODE).faults(&[]);
    assert_eq!(
        faults,
        "samsvar.toml: amqp: RabbitMQ needs url, url_file or SAMSVAR_AMQP__URL"
    );
}

#[test]
fn a_plain_listener_may_only_be_on_loopback() {
    let faults = in_process("[listener]\naddress = \"0.0.0.0:8585\"\n").faults(&[]);
    assert_eq!(
        faults,
        "samsvar.toml:8: listener.address: a listener without TLS may only have a loopback address"
    );
    assert!(
        in_process("[listener]\naddress = \"[::1]:0\"\n")
            .load(&[])
            .is_ok()
    );
}

#[test]
fn the_environment_overrides_single_values_of_every_kind() {
    let folder = in_process("");
    let settings = folder
        .load(&[
            ("SAMSVAR_LISTENER__ADDRESS", "127.0.0.1:0"),
            ("SAMSVAR_LOAD__OPEN_REQUESTS_MAX", "500"),
            ("SAMSVAR_DEADLINE__BUDGET_SHARE", "0.2"),
            ("SAMSVAR_NODE__ORGANISATIONSNUMMER", "2120009994"),
            ("SAMSVAR_NODE__STATUS", "[\"test\"]"),
            ("SAMSVAR_UPPGIFTSLAMNARE__CSN__WINDOW", "7"),
            (
                "SAMSVAR_UPPGIFTSLAMNARE__CSN__AMQP_URL",
                "amqps://mq.example",
            ),
            ("SAMSVAR_LOG", "debug"),
            ("PATH", "/bin"),
        ])
        .unwrap();
    assert_eq!(settings.listener.address.port(), 0);
    assert_eq!(settings.load.open_requests_max, 500);
    assert!((settings.deadline.budget_share - 0.2).abs() < 1e-9);
    assert_eq!(settings.node.organisationsnummer, "2120009994");
    assert_eq!(settings.node.status, [Status::Test]);
    let csn = settings.party(Uppgiftslamnare::CSN).unwrap();
    assert_eq!((csn.window, csn.line_max), (7, 3000));
    assert_eq!(csn.amqp_url.as_ref().unwrap().host(), "mq.example");
}

#[test]
fn a_fault_of_the_environment_names_the_variable() {
    for (name, text, expected) in [
        ("SAMSVAR_LOAD__OPEN_REQUESTS_MAX", "many", "is not a value"),
        (
            "SAMSVAR_LOAD__OPEN_REQUESTS_MAX",
            "0",
            "load.open_requests_max: lower than 1",
        ),
        ("SAMSVAR_LOAD__OPEN", "1", "unknown field `open`"),
        ("SAMSVAR_AKTOR__NAMN", "x", "lists are set in the file only"),
        (
            "SAMSVAR_AMQP__URL",
            "amqp://a:hemligt@mq.example",
            "plain amqp://",
        ),
        (
            "SAMSVAR_UPPGIFTSLAMNARE__CSN__WINDOW",
            "0",
            "CSN.window: lower than 1",
        ),
        (
            "SAMSVAR_UPPGIFTSLAMNARE__CSN",
            "x",
            "must name one section and one key",
        ),
    ] {
        let folder = in_process("[[aktor]]\norganisationsnummer = \"2120009994\"\nnamn = \"a\"\n");
        let faults = folder.faults(&[(name, text)]);
        assert!(
            faults.starts_with(&format!("{name}: {expected}")),
            "{faults}"
        );
        assert!(!faults.contains("hemligt"), "{faults}");
    }
}

#[test]
fn an_address_comes_from_a_file_or_the_environment_and_is_never_shown() {
    let folder = Folder::with(&format!("{NODE}[amqp]\nurl_file = \"secret\"\n"));
    folder.write("secret", "amqps://nod:hemligt@mq.example/ssbtek\n");
    let settings = folder.load(&[]).unwrap();
    let url = settings.amqp.url.as_ref().unwrap();
    assert_eq!(url.expose(), "amqps://nod:hemligt@mq.example/ssbtek");
    assert!(!format!("{settings:?}").contains("hemligt"));
    let other = [("SAMSVAR_AMQP__URL", "amqps://other.example")];
    let settings = folder.load(&other).unwrap();
    assert_eq!(settings.amqp.url.unwrap().host(), "other.example");
    folder.write("secret", "hemligt");
    let faults = folder.faults(&[]);
    assert!(
        faults.starts_with("secret: an AMQP address begins with"),
        "{faults}"
    );
    assert!(!faults.contains("hemligt"), "{faults}");
}

#[test]
fn the_register_knows_its_authorities_and_says_where_it_is_wrong() {
    let folder = in_process("");
    folder.write(
        "uppgiftslamnare.toml",
        "[CSN]\nconnected = true\n[XYZ]\nconnected = true\n",
    );
    assert_eq!(
        folder.faults(&[]),
        "uppgiftslamnare.toml:3: XYZ: no authority has this code"
    );
    folder.write("uppgiftslamnare.toml", "[CSN]\nconnected = false\n");
    assert_eq!(
        folder.faults(&[]),
        "uppgiftslamnare.toml: no party is connected"
    );
    folder.write(
        "uppgiftslamnare.toml",
        "[CSN]\nconnected = true\n\nfoo = 1\n",
    );
    assert!(
        folder
            .faults(&[])
            .starts_with("uppgiftslamnare.toml:4: unknown field `foo`")
    );
}

#[test]
fn a_missing_register_and_missing_agreements_are_both_named() {
    let folder = in_process("");
    fs::remove_file(folder.path("uppgiftslamnare.toml")).unwrap();
    fs::remove_dir(folder.path("agreements")).unwrap();
    let faults = folder.faults(&[]);
    assert!(
        faults.contains("uppgiftslamnare.toml: cannot be read"),
        "{faults}"
    );
    assert!(faults.contains("agreements: cannot be read"), "{faults}");
}

#[test]
fn agreements_are_read_in_order_and_bounded() {
    let folder = in_process("");
    let (one, other) = (
        include_str!("../../config/agreements/provstad-ping.xml"),
        include_str!("../../config/agreements/provstad-ssbtek.xml"),
    );
    folder.write("agreements/b.xml", one);
    folder.write("agreements/a.xml", other);
    folder.write("agreements/notes.txt", "not an agreement");
    let settings = folder.load(&[]).unwrap();
    let names: Vec<_> = settings
        .agreements
        .iter()
        .map(|agreement| agreement.file.file_name().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["a.xml", "b.xml"]);
    folder.write("agreements/c.xml", &" ".repeat(AGREEMENT_BYTES_MAX + 1));
    assert_eq!(
        folder.faults(&[]),
        "agreements/c.xml: is larger than 262144 bytes"
    );
}

#[test]
fn an_agreement_that_cannot_be_read_or_stands_twice_is_named() {
    let folder = in_process("");
    let agreement = include_str!("../../config/agreements/provstad-ping.xml");
    folder.write("agreements/a.xml", agreement);
    folder.write("agreements/b.xml", agreement);
    folder.write(
        "agreements/c.xml",
        &agreement.replace("from-customer", "sideways"),
    );
    folder.write("agreements/d.xml", "");
    let faults = folder.faults(&[]);
    let mut lines: Vec<&str> = faults.lines().collect();
    lines.sort_unstable();
    assert!(
        lines[0].starts_with("agreements/b.xml: has the same uuid as "),
        "{faults}"
    );
    assert!(lines[1].starts_with("agreements/c.xml:8: "), "{faults}");
    assert!(lines[2].starts_with("agreements/d.xml:1: "), "{faults}");
    assert!(!faults.contains("sideways"), "{faults}");
}

#[test]
fn a_product_is_a_uuid() {
    for (text, expected) in [
        ("urn:X-shs:x", "neither a UUID nor a special product"),
        ("urn:X-shs:error", "is a special product of SHS"),
    ] {
        let faults = in_process(&format!("[ssbtek]\nproduct = \"{text}\"\n")).faults(&[]);
        assert!(faults.starts_with("samsvar.toml:8: "), "{faults}");
        assert!(faults.contains(expected), "{faults}");
    }
}

#[test]
fn the_ledger_has_its_folder_beside_the_settings_and_none_by_default() {
    let without = in_process("").load(&[]).unwrap();
    assert_eq!(without.ledger.folder, None);
    let folder = in_process("[ledger]\nfolder = \"ledger\"\n");
    let settings = folder.load(&[]).unwrap();
    assert_eq!(settings.ledger.folder, Some(folder.path("ledger")));
    assert!(!folder.path("ledger").exists(), "reading makes nothing");
    fs::create_dir(folder.path("ledger")).unwrap();
    folder.load(&[]).unwrap();
    let left: Vec<_> = fs::read_dir(folder.path("ledger")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn whoever_reads_the_ledger_needs_nothing_else_of_the_node() {
    let folder = in_process("[ledger]\nfolder = \"ledger\"\n[amqp]\nca_file = \"none.pem\"\n");
    assert!(folder.load(&[]).is_err(), "a node does");
    let ledger = Settings::load_ledger(&folder.path("samsvar.toml")).unwrap();
    assert_eq!(ledger.folder, Some(folder.path("ledger")));
    let folder = in_process("[ledger]\nfolder = \"deeper/ledger\"\n");
    let faults = Settings::load_ledger(&folder.path("samsvar.toml")).unwrap_err();
    assert!(
        faults
            .to_string()
            .contains("samsvar.toml:8: ledger.folder: "),
        "{faults}"
    );
}

#[test]
fn a_ledger_that_cannot_be_kept_is_a_fault_with_its_line() {
    let folder = in_process("[ledger]\nfolder = \"deeper/ledger\"\n");
    let expected =
        "samsvar.toml:8: ledger.folder: there is none, and the folder above it cannot be written: ";
    let faults = folder.faults(&[]);
    assert!(faults.starts_with(expected), "{faults}");
    let instead = [("SAMSVAR_LEDGER__FOLDER", "samsvar.toml")];
    assert_eq!(
        folder.faults(&instead),
        "SAMSVAR_LEDGER__FOLDER: ledger.folder: is not a folder"
    );
    folder.write("deeper", "");
    let faults = folder.faults(&[]);
    assert!(
        faults.starts_with("samsvar.toml:8: ledger.folder: cannot be read: "),
        "{faults}"
    );
}

#[test]
fn a_node_for_real_people_is_told_how_long_its_ledger_is_kept() {
    let missing = "ledger.retention_days: a node that asks about real people";
    let terminator = "[listener.terminator]\naddresses = [\"127.0.0.1\"]\n";
    let with = |ledger: &str| format!("[ledger]\nfolder = \"ledger\"\n{ledger}{terminator}");
    let production = in_process(&with(""));
    assert!(production.faults(&[]).contains(missing));
    let kept = in_process(&with("retention_days = 30\n"));
    assert!(!kept.faults(&[]).contains(missing));
    let none = in_process(terminator);
    assert!(!none.faults(&[]).contains(missing), "nothing is kept");
    let development = in_process("[ledger]\nfolder = \"ledger\"\n");
    assert_eq!(development.load(&[]).unwrap().ledger.retention_days, None);
    for days in ["0", "3661"] {
        let faults = in_process(&format!("[ledger]\nretention_days = {days}\n")).faults(&[]);
        assert!(
            faults.starts_with("samsvar.toml:8: ledger.retention_days"),
            "{faults}"
        );
    }
}

#[test]
fn keys_and_checkpoints_are_beside_the_ledger_and_never_in_it() {
    let plain = in_process("[ledger]\nfolder = \"ledger\"\n");
    let custody = |folder: &Folder| {
        let ledger = folder.load(&[]).unwrap().ledger;
        ledger.custody(&folder.path("ledger"))
    };
    assert_eq!(custody(&plain).keys, plain.path("ledger.keys"));
    let set = in_process("[ledger]\nfolder = \"ledger\"\nkeys = \"secret\"\n");
    assert_eq!(custody(&set).keys, set.path("secret"));
    let inside = in_process("[ledger]\nfolder = \"ledger\"\nkeys = \"ledger/keys\"\n");
    assert_eq!(
        inside.faults(&[]),
        "samsvar.toml:9: ledger.keys: may not lie in the folder of the ledger"
    );
    let nowhere = in_process("[ledger]\nfolder = \"ledger\"\nsigning_key = \"no/key\"\n");
    let faults = nowhere.faults(&[]);
    assert!(
        faults.contains("ledger.signing_key: the folder it is in cannot be written"),
        "{faults}"
    );
}

#[test]
fn ledger_and_transfers_have_bounds() {
    let folder = in_process(
        "[ledger]\ngroup_max = 0\nwait_max_ms = 60001\n[transfers]\nremembered_max = 0\nremembered_for_h = 721\n",
    );
    let faults = folder.faults(&[]);
    for setting in [
        "samsvar.toml:8: ledger.group_max",
        "samsvar.toml:9: ledger.wait_max_ms",
        "samsvar.toml:11: transfers.remembered_max",
        "samsvar.toml:12: transfers.remembered_for_h",
    ] {
        assert!(faults.contains(setting), "{faults}");
    }
}

#[test]
fn settings_of_certificates_that_contradict_each_other_are_named() {
    let ca = "client_ca = \"ca.pem\"\n";
    for (more, expected) in [
        (
            "[listener.terminator]\naddresses = [\"127.0.0.1\"]\n",
            "samsvar.toml:7: listener.terminator: client_ca is needed",
        ),
        (
            "[listener.terminator]\naddresses = []\n",
            "samsvar.toml:8: listener.terminator.addresses: length is lower than 1",
        ),
        (
            "[listener.terminator]\naddresses = [\"127.0.0.1\"]\nheader = \"a b\"\n",
            "samsvar.toml:9: listener.terminator.header: is not the name of a header",
        ),
        (
            "[next_node]\ncertificate = \"node.pem\"\n",
            "samsvar.toml:7: next_node: certificate and key are given together",
        ),
        (
            "[next_node]\nanswer_timeout_s = 0\n",
            "samsvar.toml:8: next_node.answer_timeout_s: lower than 1",
        ),
        (
            "[[aktor]]\norganisationsnummer = \"2120009994\"\nnamn = \"A\"\n\
             delivery = \"push\"\naddress = \"https://a.example/\"\n",
            "next_node: ca is needed: an actor has an https address",
        ),
        (
            "[listener.tls]\ncertificate = \"a.pem\"\nkey = \"a.key\"\n",
            "samsvar.toml:7: missing field `client_ca`",
        ),
    ] {
        let faults = in_process(more).faults(&[]);
        assert!(faults.contains(expected), "{more}: {faults}");
    }
    let faults = in_process(&format!(
        "[listener.tls]\ncertificate = \"a.pem\"\nkey = \"a.key\"\nreload_every_s = 0\n{ca}"
    ))
    .faults(&[]);
    for expected in [
        "samsvar.toml:8: listener.tls.certificate: a.pem cannot be read",
        "samsvar.toml:9: listener.tls.key: a.key cannot be read",
        "samsvar.toml:10: listener.tls.reload_every_s: lower than 1",
        "samsvar.toml:11: listener.tls.client_ca: ca.pem cannot be read",
    ] {
        assert!(
            faults.lines().any(|line| line.starts_with(expected)),
            "{faults}"
        );
    }
}

#[test]
fn the_management_api_is_named_by_a_file_by_the_environment_or_not_at_all() {
    let amqp = "[amqp]\nurl = \"amqp://localhost\"\n";
    let folder = Folder::with(&format!("{NODE}{amqp}management_url_file = \"api\"\n"));
    folder.write("api", "https://i:hemligt@mq.example:15671\n");
    let url = folder.load(&[]).unwrap().amqp.management_url.unwrap();
    assert_eq!(url.to_string(), "mq.example:15671");
    let variable = (
        "SAMSVAR_AMQP__MANAGEMENT_URL",
        "http://i:hemligt@[::1]:15672",
    );
    let url = folder
        .load(&[variable])
        .unwrap()
        .amqp
        .management_url
        .unwrap();
    assert_eq!(url.to_string(), "[::1]:15672");
    folder.write("api", "http://i:hemligt@mq.example\n");
    let faults = folder.faults(&[]);
    assert!(
        faults.starts_with("api: plain http:// is for a loopback host only"),
        "{faults}"
    );
    assert!(!faults.contains("hemligt"), "{faults}");
    let both =
        format!("{NODE}{amqp}management_url_file = \"api\"\nmanagement_url = \"https://i:i@b\"\n");
    let faults = Folder::with(&both).faults(&[]);
    assert!(
        faults.contains("give either management_url or management_url_file"),
        "{faults}"
    );
    let neither = Folder::with(&format!("{NODE}{amqp}"));
    assert!(neither.load(&[]).unwrap().amqp.management_url.is_none());
}

/// A folder whose node has this `[sealing]`, and whose CSN has this key.
fn sealing(key_files: &str, seal: &str) -> Folder {
    let folder = Folder::with(&format!(
        "{NODE}[amqp]\nurl = \"amqp://localhost\"\n[sealing]\nkey_files = {key_files}\n"
    ));
    let register = format!("[CSN]\nconnected = true\nseal = \"{seal}\"\n");
    folder.write("uppgiftslamnare.toml", &register);
    folder
}

#[test]
fn bodies_are_sealed_with_keys_that_are_there_and_kept() {
    use samsvar_actors::transport::sealing::{KeyId, KeyPair};

    use crate::seal_keys::{public_line, write};

    let pair = |name: &str| KeyPair::generate(KeyId::parse(name).unwrap());
    let csn = pair("csn-1");
    let line = public_line(csn.public());
    let folder = sealing("[\"nod-2.key\", \"nod-1.key\"]", &line);
    let root = folder.path("");
    write(&root, &pair("nod-1")).unwrap();
    write(&root, &pair("nod-2")).unwrap();
    let settings = folder.load(&[]).unwrap();
    let seal = settings.party(Uppgiftslamnare::CSN).unwrap().seal.as_ref();
    assert_eq!(seal, Some(csn.public()));
    let names: Vec<&str> = settings
        .sealing
        .keys
        .iter()
        .map(|key| key.id().as_str())
        .collect();
    assert_eq!(names, ["nod-2", "nod-1"]);

    let faults = |key_files: &str, seal: &str| {
        let folder = sealing(key_files, seal);
        let root = folder.path("");
        for name in ["a", "b"] {
            std::fs::create_dir(root.join(name)).unwrap();
            write(&root.join(name), &pair("nod-1")).unwrap();
        }
        folder.faults(&[])
    };
    for (key_files, seal, part) in [
        (
            "[]",
            &*line,
            "sealing.key_files: a party has a key (seal), the node has none",
        ),
        (
            "[\"a/nod-1.key\", \"b/nod-1.key\"]",
            &line,
            "two keys have the same name",
        ),
        (
            "[\"a/nod-1.key\", \"a/x\", \"a/y\"]",
            &line,
            "length is greater than 2",
        ),
        ("[\"missing.key\"]", &line, "missing.key: cannot be read"),
        // A key that is sealed to does not open.
        (
            "[\"a/nod-1.pub\"]",
            &line,
            "nod-1.pub: can be read by others than its owner",
        ),
        (
            "[\"a/nod-1.key\"]",
            "csn-1",
            "uppgiftslamnare.toml:3: CSN.seal: is not the name of a key",
        ),
        (
            "[\"a/nod-1.key\"]",
            "csn-1 AAAA",
            "CSN.seal: is not an X25519 key",
        ),
        (
            "[\"a/nod-1.key\"]",
            "å AAAA",
            "CSN.seal: the name of a key is",
        ),
    ] {
        let said = faults(key_files, seal);
        assert!(said.contains(part), "{said} is not {part}");
    }
}

#[test]
fn simulated_authorities_in_the_process_have_no_keys() {
    use samsvar_actors::transport::sealing::{KeyId, KeyPair};

    let pair = KeyPair::generate(KeyId::parse("csn-1").unwrap());
    let seal = crate::seal_keys::public_line(pair.public());
    let folder = in_process("");
    let register = format!("[CSN]\nconnected = true\nseal = \"{seal}\"\n");
    folder.write("uppgiftslamnare.toml", &register);
    let faults = folder.faults(&[]);
    assert!(
        faults.contains("transport.kind: simulated authorities here have no keys"),
        "{faults}"
    );
}
