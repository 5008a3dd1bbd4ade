//! Which lines the filters take.

use clap::Parser;
use serde_json::json;

use super::filters::{Fields, FilterArgs};

#[derive(Parser)]
struct Given {
    #[command(flatten)]
    filters: FilterArgs,
}

fn line(value: serde_json::Value) -> Fields {
    let serde_json::Value::Object(fields) = value else {
        panic!("an object")
    };
    fields
}

/// Whether these arguments take this line.
fn takes(args: &[&str], value: serde_json::Value) -> bool {
    let given = Given::try_parse_from([&["x"], args].concat()).unwrap();
    let nowhere = std::path::Path::new("no such file");
    let filters = given.filters.with_keys(nowhere).unwrap();
    filters.take(line(value)).is_some()
}

#[test]
fn a_day_is_whole_and_a_time_is_exact() {
    let at = |time: &str| json!({ "time": time });
    for (args, time, expected) in [
        (
            &["--from", "2026-11-22"][..],
            "2026-11-22T00:00:00.000Z",
            true,
        ),
        (&["--from", "2026-11-22"], "2026-11-21T23:59:59.999Z", false),
        (&["--to", "2026-11-22"], "2026-11-22T23:59:59.999Z", true),
        (&["--to", "2026-11-22"], "2026-11-23T00:00:00.000Z", false),
        (
            &["--to", "2026-11-22T10:00:00Z"],
            "2026-11-22T10:00:00.000Z",
            false,
        ),
        (
            &["--from", "2026-11-22T11:00:00+01:00"],
            "2026-11-22T10:00:00.000Z",
            true,
        ),
    ] {
        assert_eq!(takes(args, at(time)), expected, "{args:?} {time}");
    }
    assert!(!takes(&["--from", "2026-11-22"], json!({})), "no time");
    for wrong in ["", "2026-13-01", "yesterday"] {
        assert!(Given::try_parse_from(["x", "--from", wrong]).is_err());
    }
}

#[test]
fn an_actor_is_sender_or_receiver_whatever_its_inner_id() {
    let to = |to: &str| json!({ "to": to });
    assert!(takes(
        &["--aktor", "2120009994"],
        to("urn:X-shs:2120009994")
    ));
    assert!(takes(
        &["--aktor", "2120009994"],
        to("urn:X-shs:2120009994.ekonomi")
    ));
    assert!(!takes(
        &["--aktor", "212000999"],
        to("urn:X-shs:2120009994")
    ));
    assert!(!takes(
        &["--aktor", "2120009994"],
        json!({ "product": "2120009994" })
    ));
    assert!(takes(
        &["--aktor", "2120009994"],
        json!({ "from": "urn:X-shs:2120009994" })
    ));
}

#[test]
fn people_take_a_key_and_the_others_do_not() {
    for args in [["--person", "199503142383"], ["--handlaggare", "prov01"]] {
        let given = Given::try_parse_from([&["x"], &args[..]].concat()).unwrap();
        let nowhere = std::path::Path::new("no such file");
        let refused = given.filters.with_keys(nowhere).err().unwrap();
        assert!(refused.contains("without the keys"), "{refused}");
        assert!(!refused.contains(args[1]), "{refused}");
    }
    assert!(takes(
        &["--event", "besvarat"],
        json!({ "event": "besvarat" })
    ));
    assert!(!takes(&["--event", "besvarat"], json!({ "event": "fel" })));
}
