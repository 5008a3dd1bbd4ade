//! Merging the two answers of LEFI (ssbtek-10, 4.8).

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::koder::{LefiMedlem, beskrivning};
use super::medlemmar::{ANSWER_MEMBERS_MAX, Medlemmar, push_string};
use crate::ssbtek::Uppgiftslamnare;

/// Arrays and objects within each other at most. What LEFI publishes has less than ten.
const DEPTH_MAX: usize = 64;

/// State of a utlämnare that could not be reached.
const OTILLGANGLIG: (&str, &str) = ("OTILLGANGLIG", "Otillgänglig");
/// State of a utlämnare that failed.
const FELANDE: (&str, &str) = ("FELANDE", "Felande");
/// State of a utlämnare that answered.
const OK: (&str, &str) = ("OK", "Tillgänglig");
/// Why a type was not given out.
const OBEHORIG: (&str, &str) = ("OBEHORIG", "Aktören är inte behörig till uppgiften");

/// What became of one part of the question.
#[derive(Clone, Copy)]
pub(in crate::ssbtek) enum LefiUtfall<'a> {
    /// An answer (200), as JSON.
    Svar(&'a str),
    /// The actor may not ask (403) about these.
    Obehorig(&'a [(LefiMedlem, &'static str)]),
    /// It failed (500), or its answer could not be read.
    Felande,
    /// It did not answer, or was not reached.
    Otillganglig,
}

/// A part and what became of it.
type Del<'a> = (Uppgiftslamnare, LefiUtfall<'a>);

struct Last<'a> {
    uppgiftslamnare: Uppgiftslamnare,
    utfall: LefiUtfall<'a>,
    medlemmar: Medlemmar<'a>,
    avvikelser: Vec<(Cow<'a, str>, Vec<&'a RawValue>)>,
}

/// One JSON answer of the parts that were asked, Försäkringskassan's first, and whose answer
/// each member stood in that was dropped because it was the wrong one. `Err` when an answer cannot
/// be read: the caller counts that part as failed and tries again.
pub(in crate::ssbtek) fn merge(
    delar: &[Del<'_>],
) -> Result<(Vec<u8>, Vec<Uppgiftslamnare>), Uppgiftslamnare> {
    let mut lasta = Vec::with_capacity(delar.len());
    for &(uppgiftslamnare, utfall) in delar {
        lasta.push(read(uppgiftslamnare, utfall).ok_or(uppgiftslamnare)?);
    }
    let size = delar.iter().map(|(_, utfall)| match utfall {
        LefiUtfall::Svar(json) => json.len(),
        _ => 512,
    });
    let mut out = Vec::with_capacity(size.sum::<usize>() + 512);
    write_utlamnare(&mut out, &lasta);
    write_avvikelser(&mut out, &lasta);
    let dropped = write_members(&mut out, &lasta);
    out.push(b'}');
    Ok((out, dropped))
}

fn read(uppgiftslamnare: Uppgiftslamnare, utfall: LefiUtfall<'_>) -> Option<Last<'_>> {
    let (medlemmar, avvikelser) = match utfall {
        LefiUtfall::Svar(json) => read_svar(json)?,
        _ => (Medlemmar(Vec::new()), Vec::new()),
    };
    Some(Last {
        uppgiftslamnare,
        utfall,
        medlemmar,
        avvikelser,
    })
}

/// True for an answer that [`merge`] takes: one JSON object without byte order mark, no member
/// twice, no more than [`ANSWER_MEMBERS_MAX`], no deeper than [`DEPTH_MAX`], `avvikelser` in one of the forms that occur. Answers are
/// held to this when they arrive, so that one that was accepted can always be merged or passed on.
pub(in crate::ssbtek) fn is_readable(json: &str) -> bool {
    read_svar(json).is_some()
}

fn read_svar(json: &str) -> Option<(Medlemmar<'_>, Avvikelser<'_>)> {
    if !is_shallow(json) {
        return None;
    }
    let medlemmar = Medlemmar::parse(json)?;
    let avvikelser = read_avvikelser(medlemmar.get("avvikelser"))?;
    let members = medlemmar.0.len().max(avvikelser.len());
    (members <= ANSWER_MEMBERS_MAX).then_some((medlemmar, avvikelser))
}

/// True when no more than [`DEPTH_MAX`] arrays and objects are open at the same time. Raw values
/// are passed over without recursion, so that nothing else bounds them.
fn is_shallow(json: &str) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        if quoted {
            (quoted, escaped) = match byte {
                _ if escaped => (true, false),
                b'\\' => (true, true),
                b'"' => (false, false),
                _ => (true, false),
            };
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'{' | b'[' if depth == DEPTH_MAX => return false,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

pub(super) type Avvikelser<'a> = Vec<(Cow<'a, str>, Vec<&'a RawValue>)>;

/// An object of arrays; `[]`, null and absence mean none (ssbtek-10, 4.3.3).
pub(super) fn read_avvikelser(value: Option<&RawValue>) -> Option<Avvikelser<'_>> {
    let Some(value) = value else {
        return Some(Vec::new());
    };
    if value.get() == "null" {
        return Some(Vec::new());
    }
    if let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(value.get()) {
        return list.is_empty().then(Vec::new);
    }
    let mut arrays = Vec::new();
    for (name, rows) in Medlemmar::parse(value.get())?.0 {
        arrays.push((
            name,
            serde_json::from_str::<Option<Vec<&RawValue>>>(rows.get())
                .ok()?
                .unwrap_or_default(),
        ));
    }
    Some(arrays)
}

fn write_utlamnare(out: &mut Vec<u8>, lasta: &[Last<'_>]) {
    out.extend_from_slice(b"{\"utlamnare\":[");
    for (place, last) in lasta.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        match own_row(&last.medlemmar, last.uppgiftslamnare) {
            Some(row) => out.extend_from_slice(row.get().as_bytes()),
            None => write_row(out, last),
        }
    }
    out.push(b']');
}

/// The row that an answer has about its own authority.
pub(super) fn own_row<'a>(
    medlemmar: &Medlemmar<'a>,
    uppgiftslamnare: Uppgiftslamnare,
) -> Option<&'a RawValue> {
    let rows: Vec<&RawValue> = serde_json::from_str(medlemmar.get("utlamnare")?.get()).ok()?;
    rows.into_iter().find(|row| {
        let kod = || {
            let utlamnare = Medlemmar::parse(row.get())?.get("utlamnare")?;
            let kod = Medlemmar::parse(utlamnare.get())?.get("kod")?;
            serde_json::from_str::<String>(kod.get()).ok()
        };
        kod().as_deref() == Some(uppgiftslamnare.kod())
    })
}

fn write_row(out: &mut Vec<u8>, last: &Last<'_>) {
    let tillstand = match last.utfall {
        LefiUtfall::Svar(_) | LefiUtfall::Obehorig(_) => OK,
        LefiUtfall::Felande => FELANDE,
        LefiUtfall::Otillganglig => OTILLGANGLIG,
    };
    out.extend_from_slice(b"{\"utlamnare\":{\"kod\":");
    push_string(out, last.uppgiftslamnare.kod());
    out.extend_from_slice(b",\"namn\":");
    push_string(out, last.uppgiftslamnare.namn());
    out.extend_from_slice(b"},\"tillstand\":");
    write_kod(out, tillstand);
    out.push(b'}');
}

fn write_kod(out: &mut Vec<u8>, (kod, beskrivning): (&str, &str)) {
    out.extend_from_slice(b"{\"kod\":");
    push_string(out, kod);
    out.extend_from_slice(b",\"beskrivning\":");
    push_string(out, beskrivning);
    out.push(b'}');
}

/// Per array Försäkringskassan's rows, then Pensionsmyndigheten's; nothing that is empty.
fn write_avvikelser(out: &mut Vec<u8>, lasta: &[Last<'_>]) {
    let mut names: Vec<&str> = LefiMedlem::all().map(LefiMedlem::namn).collect();
    for (name, _) in lasta.iter().flat_map(|last| &last.avvikelser) {
        if !names.contains(&name.as_ref()) {
            names.push(name);
        }
    }
    let mut object = Vec::new();
    for name in names {
        let mut rows = Vec::new();
        for last in lasta {
            collect_rows(&mut rows, last, name);
        }
        if !rows.is_empty() {
            object.push(if object.is_empty() { b'{' } else { b',' });
            push_string(&mut object, name);
            object.push(b':');
            object.extend_from_slice(&rows);
            object.push(b']');
        }
    }
    if !object.is_empty() {
        out.extend_from_slice(b",\"avvikelser\":");
        out.extend_from_slice(&object);
        out.push(b'}');
    }
}

/// Appends the rows of one answer to an array that is begun with its first row.
fn collect_rows(rows: &mut Vec<u8>, last: &Last<'_>, name: &str) {
    let given = last.avvikelser.iter().filter(|(given, _)| given == name);
    for row in given.flat_map(|(_, given)| given) {
        rows.push(if rows.is_empty() { b'[' } else { b',' });
        rows.extend_from_slice(row.get().as_bytes());
    }
    if let LefiUtfall::Obehorig(koder) = last.utfall {
        for (medlem, kod) in koder.iter().filter(|(medlem, _)| medlem.namn() == name) {
            rows.push(if rows.is_empty() { b'[' } else { b',' });
            rows.extend_from_slice(b"{\"avvikelse\":");
            write_kod(rows, OBEHORIG);
            rows.push(b',');
            push_string(rows, medlem.typ());
            rows.push(b':');
            write_kod(rows, (kod, beskrivning(kod)));
            rows.push(b'}');
        }
    }
}

/// Members that are taken from answers, in their order; returns whose answer each stood in that stood in
/// the wrong one.
fn write_members(out: &mut Vec<u8>, lasta: &[Last<'_>]) -> Vec<Uppgiftslamnare> {
    let mut dropped = Vec::new();
    for medlem in LefiMedlem::all() {
        for last in lasta {
            let Some(value) = last.medlemmar.get(medlem.namn()) else {
                continue;
            };
            if medlem.svarande() == last.uppgiftslamnare {
                write_member(out, medlem.namn(), value);
            } else {
                dropped.push(last.uppgiftslamnare);
            }
        }
    }
    for (place, last) in lasta.iter().enumerate() {
        for (name, value) in &last.medlemmar.0 {
            let known = matches!(name.as_ref(), "utlamnare" | "avvikelser")
                || LefiMedlem::from_namn(name).is_some();
            let earlier = lasta[..place]
                .iter()
                .any(|other| other.medlemmar.get(name).is_some());
            if !known && !earlier {
                write_member(out, name, value);
            }
        }
    }
    dropped
}

fn write_member(out: &mut Vec<u8>, name: &str, value: &RawValue) {
    out.push(b',');
    push_string(out, name);
    out.push(b':');
    out.extend_from_slice(value.get().as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    const FK: Uppgiftslamnare = Uppgiftslamnare::FK;
    const PM: Uppgiftslamnare = Uppgiftslamnare::PM;
    const FK_OK: &str = r#"{"utlamnare":{"kod":"FK","namn":"Försäkringskassan"},"tillstand":{"kod":"OK","beskrivning":"Tillgänglig"}}"#;
    const PM_OK: &str = r#"{"utlamnare":{"kod":"PM","namn":"Pensionsmyndigheten"},"tillstand":{"kod":"OK","beskrivning":"Tillgänglig"}}"#;

    fn merged(delar: &[Del<'_>]) -> String {
        String::from_utf8(merge(delar).unwrap().0).unwrap()
    }

    #[test]
    fn two_answers_become_one_in_fixed_order_with_raw_values() {
        let fk = r#"{"x":1,"formansinformation":{"a":11340.50,"b" : []},"avvikelser":{"utbetalningar":[{"r":1}]}}"#;
        let pm = r#"{"x":2,"y":3,"utbetalningar":[],"ansprak":[{"belopp":100}],"avvikelser":{"ansprak":[],"utbetalningar":[{"r":2}]}}"#;
        assert_eq!(
            merged(&[(FK, LefiUtfall::Svar(fk)), (PM, LefiUtfall::Svar(pm))]),
            format!(
                r#"{{"utlamnare":[{FK_OK},{PM_OK}],"avvikelser":{{"utbetalningar":[{{"r":1}},{{"r":2}}]}},"formansinformation":{{"a":11340.50,"b" : []}},"ansprak":[{{"belopp":100}}],"utbetalningar":[],"x":1,"y":3}}"#
            )
        );
    }

    #[test]
    fn an_answers_own_row_is_kept_as_it_is() {
        let fk = r#"{"utlamnare":[{"utlamnare":{"kod":"PM"}},{"utlamnare":{"kod":"FK" },"z":1}]}"#;
        assert_eq!(
            merged(&[(FK, LefiUtfall::Svar(fk)), (PM, LefiUtfall::Otillganglig)]),
            r#"{"utlamnare":[{"utlamnare":{"kod":"FK" },"z":1},{"utlamnare":{"kod":"PM","namn":"Pensionsmyndigheten"},"tillstand":{"kod":"OTILLGANGLIG","beskrivning":"Otillgänglig"}}]}"#
        );
    }

    #[test]
    fn a_part_that_failed_has_a_state_and_no_rows() {
        let text = merged(&[(FK, LefiUtfall::Felande), (PM, LefiUtfall::Svar("{}"))]);
        assert_eq!(
            text,
            format!(
                r#"{{"utlamnare":[{{"utlamnare":{{"kod":"FK","namn":"Försäkringskassan"}},"tillstand":{{"kod":"FELANDE","beskrivning":"Felande"}}}},{PM_OK}]}}"#
            )
        );
    }

    #[test]
    fn a_part_that_may_not_be_asked_has_a_row_per_type() {
        let medlem = |namn| LefiMedlem::from_namn(namn).unwrap();
        let koder = [
            (medlem("utbetalningar"), "PM:EF"),
            (medlem("ovrigInformation"), "PM:PU"),
        ];
        assert_eq!(
            merged(&[
                (FK, LefiUtfall::Svar("{}")),
                (PM, LefiUtfall::Obehorig(&koder))
            ]),
            format!(
                r#"{{"utlamnare":[{FK_OK},{PM_OK}],"avvikelser":{{"utbetalningar":[{{"avvikelse":{{"kod":"OBEHORIG","beskrivning":"Aktören är inte behörig till uppgiften"}},"formansgrupp":{{"kod":"PM:EF","beskrivning":"Efterlevandeförmåner"}}}}],"ovrigInformation":[{{"avvikelse":{{"kod":"OBEHORIG","beskrivning":"Aktören är inte behörig till uppgiften"}},"ovrigInformationstyp":{{"kod":"PM:PU","beskrivning":"Pensionsunderlag"}}}}]}}}}"#
            )
        );
    }

    #[test]
    fn members_in_the_wrong_answer_are_dropped_and_counted() {
        let fk = r#"{"ansprak":[1],"utbetalningar":[2]}"#;
        let pm = r#"{"formansinformation":{},"beslut":[3]}"#;
        let (out, dropped) =
            merge(&[(FK, LefiUtfall::Svar(fk)), (PM, LefiUtfall::Svar(pm))]).unwrap();
        assert_eq!(dropped, [PM, FK, FK]);
        assert!(
            String::from_utf8(out)
                .unwrap()
                .ends_with(r#"],"beslut":[3]}"#)
        );
    }

    #[test]
    fn members_are_bounded_so_that_two_answers_can_be_merged() {
        let members = |name: &str, count: usize| {
            let members: Vec<_> = (0..count).map(|n| format!(r#""{name}{n}":[]"#)).collect();
            format!("{{{}}}", members.join(","))
        };
        let with = |count| [members("a", count), members("b", count)];
        let [fk, pm] = with(ANSWER_MEMBERS_MAX);
        let text = merged(&[(FK, LefiUtfall::Svar(&fk)), (PM, LefiUtfall::Svar(&pm))]);
        let read = Medlemmar::parse(&text).unwrap();
        assert_eq!(read.0.len(), 2 * ANSWER_MEMBERS_MAX + 1);
        let [fk, pm] = with(ANSWER_MEMBERS_MAX + 1);
        assert!(!is_readable(&fk));
        assert!(!is_readable(&format!(r#"{{"avvikelser":{pm}}}"#)));
    }

    #[test]
    fn lenient_forms_of_avvikelser_are_read_and_others_are_not() {
        for avvikelser in ["null", "[]", "[ ]", "{}", r#"{"ansprak":null}"#] {
            let fk = format!(r#"{{"avvikelser":{avvikelser}}}"#);
            let text = merged(&[(FK, LefiUtfall::Svar(&fk))]);
            assert_eq!(text, format!(r#"{{"utlamnare":[{FK_OK}]}}"#));
        }
        for unreadable in [
            "",
            "[]",
            "{\"a\":1,\"a\":2}",
            r#"{"avvikelser":[1]}"#,
            r#"{"avvikelser":3}"#,
        ] {
            let delar = [
                (FK, LefiUtfall::Svar("{}")),
                (PM, LefiUtfall::Svar(unreadable)),
            ];
            assert_eq!(merge(&delar).unwrap_err(), PM, "{unreadable}");
        }
    }
}
