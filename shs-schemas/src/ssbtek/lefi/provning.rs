//! A merged answer, compared with what it was merged from (R-015): an independent reading of what
//! was written, which shares nothing with the writing but the table of members.

use serde_json::value::RawValue;

use super::koder::LefiMedlem;
use super::medlemmar::Medlemmar;
use super::sammanslagning::{Avvikelser, own_row, read_avvikelser};
use crate::ssbtek::Uppgiftslamnare;

/// Whose values are not, as raw text, what they were in their own answer. `kallor` are the answers
/// that were merged, Försäkringskassan's first. Everybody when `merged` cannot be read. Each text is
/// read once, and each row compared twice at most.
pub(in crate::ssbtek) fn changed(
    merged: &[u8],
    kallor: &[(Uppgiftslamnare, String)],
) -> Vec<Uppgiftslamnare> {
    let merged = std::str::from_utf8(merged).ok().and_then(Lasning::parse);
    let own: Vec<_> = kallor
        .iter()
        .map(|(_, json)| Lasning::parse(json))
        .collect();
    let is_same = |place: usize| -> bool {
        let (Some(merged), Some(Some(svar))) = (&merged, own.get(place)) else {
            return false;
        };
        let earlier = &own[..place];
        has_members(merged, svar, kallor[place].0, earlier) && has_avvikelser(merged, svar, earlier)
    };
    (0..kallor.len())
        .filter(|place| !is_same(*place))
        .map(|place| kallor[place].0)
        .collect()
}

/// One answer, read.
struct Lasning<'a> {
    medlemmar: Medlemmar<'a>,
    avvikelser: Avvikelser<'a>,
}

impl<'a> Lasning<'a> {
    fn parse(json: &'a str) -> Option<Self> {
        let medlemmar = Medlemmar::parse(json)?;
        let avvikelser = read_avvikelser(medlemmar.get("avvikelser"))?;
        Some(Self {
            medlemmar,
            avvikelser,
        })
    }

    /// The rows of one array of `avvikelser`.
    fn rows(&self, namn: &str) -> &[&'a RawValue] {
        let mut arrays = self.avvikelser.iter();
        arrays
            .find(|(given, _)| given == namn)
            .map_or(&[], |(_, rows)| rows)
    }
}

/// Each member of the answer that is taken over is there, `avvikelser` excepted.
fn has_members(
    merged: &Lasning<'_>,
    own: &Lasning<'_>,
    ul: Uppgiftslamnare,
    earlier: &[Option<Lasning<'_>>],
) -> bool {
    let is_earlier = |namn: &str| {
        let mut earlier = earlier.iter().flatten();
        earlier.any(|earlier| earlier.medlemmar.get(namn).is_some())
    };
    own.medlemmar
        .0
        .iter()
        .all(|(namn, value)| match namn.as_ref() {
            "avvikelser" => true,
            "utlamnare" => has_row(&merged.medlemmar, &own.medlemmar, ul),
            namn => match LefiMedlem::from_namn(namn) {
                Some(medlem) if medlem.svarande() != ul => true,
                None if is_earlier(namn) => true,
                _ => {
                    let kept = merged.medlemmar.get(namn);
                    kept.is_some_and(|kept| is_equal(kept, value))
                }
            },
        })
}

fn is_equal(one: &RawValue, other: &RawValue) -> bool {
    one.get() == other.get()
}

/// The authority's row about itself is the one that it wrote, if it wrote one.
fn has_row(merged: &Medlemmar<'_>, own: &Medlemmar<'_>, ul: Uppgiftslamnare) -> bool {
    own_row(own, ul).is_none_or(|row| own_row(merged, ul).is_some_and(|kept| is_equal(kept, row)))
}

/// Each array has the rows of this answer, next to each other and in their order: after those of
/// the answers before it, or at the end, when our own rows stand before them.
fn has_avvikelser(
    merged: &Lasning<'_>,
    own: &Lasning<'_>,
    earlier: &[Option<Lasning<'_>>],
) -> bool {
    own.avvikelser.iter().all(|(namn, rows)| {
        let before = earlier.iter().flatten();
        let before: usize = before.map(|earlier| earlier.rows(namn).len()).sum();
        let Some(rest) = merged.rows(namn).get(before..) else {
            return false;
        };
        let Some(surplus) = rest.len().checked_sub(rows.len()) else {
            return false;
        };
        are_equal(&rest[..rows.len()], rows) || are_equal(&rest[surplus..], rows)
    })
}

fn are_equal(some: &[&RawValue], others: &[&RawValue]) -> bool {
    let mut pairs = some.iter().zip(others);
    some.len() == others.len() && pairs.all(|(one, other)| is_equal(one, other))
}

#[cfg(test)]
mod tests {
    use super::super::sammanslagning::{LefiUtfall, merge};
    use super::*;

    const FK: Uppgiftslamnare = Uppgiftslamnare::FK;
    const PM: Uppgiftslamnare = Uppgiftslamnare::PM;
    const FK_JSON: &str = r#"{"utlamnare":[{"utlamnare":{"kod":"FK"},"z":"fk"}],"x":1e400,"formansinformation":{"a":11340.50},"beslut":["dropped"],"avvikelser":{"utbetalningar":[{"r":1},{"r":2}],"ansprak":[]}}"#;
    const PM_JSON: &str =
        r#"{"x":"hidden","y":[ ],"utbetalningar":[1.10],"avvikelser":{"utbetalningar":[{"r":3}]}}"#;

    fn kallor() -> [(Uppgiftslamnare, String); 2] {
        [(FK, FK_JSON.to_owned()), (PM, PM_JSON.to_owned())]
    }

    fn merged() -> String {
        let delar = [
            (FK, LefiUtfall::Svar(FK_JSON)),
            (PM, LefiUtfall::Svar(PM_JSON)),
        ];
        String::from_utf8(merge(&delar).unwrap().0).unwrap()
    }

    #[test]
    fn what_was_merged_is_what_was_there() {
        assert_eq!(changed(merged().as_bytes(), &kallor()), []);
        let obehorig = [(LefiMedlem::from_namn("utbetalningar").unwrap(), "FK:FP")];
        let delar = [
            (FK, LefiUtfall::Obehorig(&obehorig)),
            (PM, LefiUtfall::Svar(PM_JSON)),
        ];
        let (json, _) = merge(&delar).unwrap();
        assert_eq!(changed(&json, &kallor()[1..]), []);
    }

    #[test]
    fn a_changed_value_names_whose_it_is() {
        for (from, to, whose) in [
            ("11340.50", "11340.5", FK),
            ("11340.50", "11340.51", FK),
            ("1e400", "1e401", FK),
            ("\"x\":", "\"w\":", FK),
            ("\"z\":\"fk\"", "\"z\":\"fj\"", FK),
            ("{\"r\":1}", "{\"r\":0}", FK),
            ("{\"r\":1},{\"r\":2}", "{\"r\":2},{\"r\":1}", FK),
            ("{\"r\":3}", "{\"r\": 3}", PM),
            ("[1.10]", "[1.1]", PM),
            ("\"y\":[ ]", "\"y\":[]", PM),
            (",\"y\":[ ]", "", PM),
        ] {
            let json = merged();
            assert!(json.contains(from), "{from} in {json}");
            let json = json.replacen(from, to, 1);
            assert_eq!(changed(json.as_bytes(), &kallor()), [whose], "{json}");
        }
        assert_eq!(changed(b"", &kallor()), [FK, PM]);
        assert_eq!(changed(b"{\"a\":\"\xE5\"}", &kallor()), [FK, PM]);
    }

    #[test]
    fn rows_of_ours_may_stand_before_or_after_those_of_an_answer() {
        let obehorig = [(LefiMedlem::from_namn("utbetalningar").unwrap(), "FK:FP")];
        for (place, ul, json) in [(0, FK, FK_JSON), (1, PM, PM_JSON)] {
            let mut delar = [(FK, LefiUtfall::Obehorig(&obehorig)); 2];
            delar[1].0 = PM;
            delar[place].1 = LefiUtfall::Svar(json);
            let merged = String::from_utf8(merge(&delar).unwrap().0).unwrap();
            let kallor = [(ul, json.to_owned())];
            assert_eq!(changed(merged.as_bytes(), &kallor), []);
            let merged = merged.replace("{\"r\":", "{\"s\":");
            assert_eq!(changed(merged.as_bytes(), &kallor), [ul], "{merged}");
        }
    }

    /// Rows and names that a comparison of each with each would not get through while the suite
    /// waits: five megabytes, of which every part could be taken for every other.
    #[test]
    fn a_large_answer_of_equal_rows_is_compared_in_one_pass() {
        const ROWS: usize = 100_000;
        const ROW: &str = r#"{"avvikelse":{"kod":"OBEHORIG"},"typ":{"kod":"FK:FP"}},"#;
        let answer = |last: &str, unknown: &str| {
            let rows = ROW.repeat(ROWS);
            let others = (0..200).map(|n| format!(r#","{unknown}{n}":1"#));
            let others: String = others.collect();
            format!(r#"{{"avvikelser":{{"utbetalningar":[{rows}{last}]}}{others}}}"#)
        };
        let (fk, pm) = (answer(r#"{"sist":1}"#, "f"), answer(r#"{"sist":2}"#, "p"));
        assert!(fk.len() > 5_000_000);
        let delar = [(FK, LefiUtfall::Svar(&fk)), (PM, LefiUtfall::Svar(&pm))];
        let (merged, _) = merge(&delar).unwrap();
        let other = String::from_utf8(merged.clone()).unwrap();
        let other = other.replace(r#""sist":2"#, r#""sist":3"#);
        let kallor = [(FK, fk), (PM, pm)];
        assert_eq!(changed(&merged, &kallor), []);
        assert_eq!(changed(other.as_bytes(), &kallor), [PM]);
    }
}
