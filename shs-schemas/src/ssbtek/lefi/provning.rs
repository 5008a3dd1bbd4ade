//! A merged answer, compared with what it was merged from (R-015): an independent reading of what
//! was written, which shares nothing with the writing but the table of members.

use serde_json::value::RawValue;

use super::koder::LefiMedlem;
use super::medlemmar::Medlemmar;
use super::sammanslagning::{own_row, read_avvikelser};
use crate::ssbtek::Uppgiftslamnare;

/// Whose values are not, as raw text, what they were in their own answer. `kallor` are the answers
/// that were merged, Försäkringskassan's first. Everybody when `merged` cannot be read.
pub(in crate::ssbtek) fn changed(
    merged: &[u8],
    kallor: &[(Uppgiftslamnare, String)],
) -> Vec<Uppgiftslamnare> {
    let merged = std::str::from_utf8(merged).ok().and_then(Medlemmar::parse);
    let is_same = |place: usize| -> bool {
        let (ul, json) = &kallor[place];
        let (Some(merged), Some(own)) = (&merged, Medlemmar::parse(json)) else {
            return false;
        };
        let is_earlier = |namn: &str| {
            kallor[..place].iter().any(|(_, earlier)| {
                Medlemmar::parse(earlier).is_some_and(|earlier| earlier.get(namn).is_some())
            })
        };
        own.0.iter().all(|(namn, value)| match namn.as_ref() {
            "utlamnare" => has_row(merged, &own, *ul),
            "avvikelser" => has_avvikelser(merged, value),
            namn => match LefiMedlem::from_namn(namn) {
                Some(medlem) if medlem.svarande() != *ul => true,
                None if is_earlier(namn) => true,
                _ => merged.get(namn).is_some_and(|kept| is_equal(kept, value)),
            },
        })
    };
    (0..kallor.len())
        .filter(|place| !is_same(*place))
        .map(|place| kallor[place].0)
        .collect()
}

fn is_equal(one: &RawValue, other: &RawValue) -> bool {
    one.get() == other.get()
}

/// The authority's row about itself is the one that it wrote, if it wrote one.
fn has_row(merged: &Medlemmar<'_>, own: &Medlemmar<'_>, ul: Uppgiftslamnare) -> bool {
    own_row(own, ul).is_none_or(|row| own_row(merged, ul).is_some_and(|kept| is_equal(kept, row)))
}

/// Each array has the rows of this answer, next to each other and in their order.
fn has_avvikelser(merged: &Medlemmar<'_>, own: &RawValue) -> bool {
    let (Some(kept), Some(own)) = (
        read_avvikelser(merged.get("avvikelser")),
        read_avvikelser(Some(own)),
    ) else {
        return false;
    };
    own.iter()
        .filter(|(_, rows)| !rows.is_empty())
        .all(|(namn, rows)| {
            kept.iter()
                .filter(|(kept, _)| kept == namn)
                .flat_map(|(_, kept)| kept.windows(rows.len()))
                .any(|kept| {
                    kept.iter()
                        .zip(rows)
                        .all(|(one, other)| is_equal(one, other))
                })
        })
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
}
