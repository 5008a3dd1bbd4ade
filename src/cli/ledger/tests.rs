//! Which lines the filters take.

use clap::Parser;
use serde_json::json;
use shs_schemas::shs::Organisationsnummer;

use super::filters::{Fields, FilterArgs};
use super::namnd::{Anrop, HELD_MAX, Utdrag};

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

/// The rows of a nämnd, from these lines; cut to request and end.
fn rows(namnd: &str, lines: impl IntoIterator<Item = serde_json::Value>) -> Vec<[String; 3]> {
    let given = Given::try_parse_from(["x"]).unwrap();
    let nowhere = std::path::Path::new("no such file");
    let filters = given.filters.with_keys(nowhere).unwrap();
    let mut rows = Vec::new();
    let mut each = |anrop: &Anrop| {
        let [_, _, request, _, _, parts, end] = anrop.cells();
        rows.push([request, parts, end]);
        Ok(())
    };
    let mut utdrag = Utdrag::of(Organisationsnummer::parse(namnd).unwrap(), &filters);
    for value in lines {
        utdrag.take(line(value), &mut each).unwrap();
    }
    utdrag.end(&mut each).unwrap();
    rows
}

const OMBUD: &str = "urn:X-shs:2120000142.system";

fn mottaget(request: &str, from: &str) -> serde_json::Value {
    json!({
        "time": "2026-11-22T10:00:00.000Z", "event": "mottaget", "request_id": request,
        "from": from, "to": "urn:X-shs:2021009994", "transfer_type": "synch",
    })
}

#[test]
fn a_question_is_its_namnds_whoever_sent_it_and_lines_of_many_calls_are_told_apart() {
    let fraga = |request: &str, ingivare: &str| json!({ "event": "fraga", "request_id": request, "ingivare": ingivare });
    let delsvar = |request: &str, bastjanst: &str| {
        let outcome = "svar";
        json!({
            "event": "delsvar", "request_id": request, "bastjanst": bastjanst, "outcome": outcome,
        })
    };
    let end =
        |request: &str| json!({ "event": "besvarat", "request_id": request, "outcome": "partial" });
    let lines = [
        mottaget("1", OMBUD),
        mottaget("2", OMBUD),
        fraga("2", "2120009986"),
        fraga("1", "2120009994"),
        delsvar("2", "AF"),
        delsvar("1", "CSN"),
        mottaget("3", "urn:X-shs:2120009994"),
        delsvar("1", "AF"),
        delsvar("1", "CSN"),
        end("2"),
        json!({ "event": "fel", "request_id": "3", "code": "OtherError" }),
        mottaget("4", OMBUD),
        end("1"),
        // A retry that came too late, and a line about nothing.
        end("5"),
        json!({ "event": "kontrollpunkt" }),
    ];
    let row = |row: [&str; 3]| row.map(str::to_owned);
    assert_eq!(
        rows("2120009994", lines.clone()),
        [
            row(["1", "CSN:svar*2 AF:svar", "besvarat:partial"]),
            row(["3", "", "fel:OtherError"]),
        ]
    );
    assert_eq!(
        rows("162120009986", lines.clone()),
        [row(["2", "AF:svar", "besvarat:partial"])]
    );
    // What holds no question is its sender's; without an end it stands there all the same.
    assert_eq!(rows("2120000142", lines), [row(["4", "", ""])]);
}

#[test]
fn a_question_for_a_namnd_that_nobody_knows_is_not_its_senders() {
    let lines = [
        mottaget("1", OMBUD),
        json!({ "event": "fraga", "request_id": "1", "handlaggare": "someone" }),
        json!({ "event": "besvarat", "request_id": "1", "outcome": "answered" }),
    ];
    assert_eq!(rows("2120000142", lines), [[""; 3]; 0]);
}

#[test]
fn a_call_without_an_end_does_not_hold_the_others_up_for_ever() {
    let many = (0..HELD_MAX + 3).map(|nth| mottaget(&nth.to_string(), OMBUD));
    let rows = rows("2120000142", many);
    let first: Vec<_> = rows
        .iter()
        .take(3)
        .map(|[request, ..]| request.as_str())
        .collect();
    assert_eq!((rows.len(), first), (HELD_MAX + 3, vec!["0", "1", "2"]));
}
