//! Splitting the question to LEFI (ssbtek-10, 4.8).

use serde_json::value::RawValue;

use super::koder::{LefiMedlem, svarande};
use super::medlemmar::{Medlemmar, has_unique_names, push_string};
use crate::ssbtek::{Datum, Personidentitet, SsbtFelkod, Uppgiftslamnare};

/// Versions of LEFI that can be asked.
pub const LEFI_VERSIONER: &[&str] = &["v9"];

/// Checks the version of LEFI that a question names; none means `v9` (ssbtek-10, 2.3).
///
/// # Errors
/// [`SsbtFelkod::FkVersion`] when it is not in [`LEFI_VERSIONER`].
pub fn check_version(version: Option<&str>) -> Result<(), SsbtFelkod> {
    match version {
        Some(version) if !LEFI_VERSIONER.contains(&version) => Err(SsbtFelkod::FkVersion),
        _ => Ok(()),
    }
}

/// Checks that the actor id can be one segment of a URL path (ssbtek-10, 2.3).
///
/// # Errors
/// [`SsbtFelkod::FkFragaOgiltig`] when it cannot.
pub fn check_aktorsid(aktorsid: &str) -> Result<(), SsbtFelkod> {
    if matches!(aktorsid, "" | "." | "..") || aktorsid.chars().any(char::is_control) {
        Err(SsbtFelkod::FkFragaOgiltig)
    } else {
        Ok(())
    }
}

/// A question to LEFI, split: for each authority its part as JSON, if it has any code.
#[derive(Clone)]
pub struct Delning {
    delar: Vec<(Uppgiftslamnare, Vec<u8>)>,
    koder: Vec<(LefiMedlem, Vec<&'static str>)>,
}

impl Delning {
    /// The part of an authority; `None` when it is not asked.
    #[must_use]
    pub fn del(&self, uppgiftslamnare: Uppgiftslamnare) -> Option<&[u8]> {
        let mut delar = self.delar.iter();
        delar
            .find(|(ul, _)| *ul == uppgiftslamnare)
            .map(|(_, json)| json.as_slice())
    }

    /// The codes that an authority is asked about, with the member they stand in.
    pub fn koder(
        &self,
        uppgiftslamnare: Uppgiftslamnare,
    ) -> impl Iterator<Item = (LefiMedlem, &'static str)> {
        self.koder
            .iter()
            .flat_map(|(medlem, koder)| koder.iter().map(|&kod| (*medlem, kod)))
            .filter(move |(_, kod)| svarande(kod) == Some(uppgiftslamnare))
    }
}

/// Splits the question `json` about `person`.
///
/// # Errors
/// [`SsbtFelkod::FkFragaOgiltig`] when it breaks a rule of steps 1 and 2,
/// [`SsbtFelkod::FkPersonAvviker`] when it names somebody else.
pub fn split(json: &[u8], person: &Personidentitet) -> Result<Delning, SsbtFelkod> {
    let (members, koder) = read(json).ok_or(SsbtFelkod::FkFragaOgiltig)?;
    if !names(&members, person).ok_or(SsbtFelkod::FkFragaOgiltig)? {
        return Err(SsbtFelkod::FkPersonAvviker);
    }
    let mut delning = Delning {
        delar: Vec::with_capacity(2),
        koder,
    };
    for uppgiftslamnare in [Uppgiftslamnare::FK, Uppgiftslamnare::PM] {
        if delning.koder(uppgiftslamnare).next().is_some() {
            let del = write(&members, &delning.koder, uppgiftslamnare, json.len());
            delning.delar.push((uppgiftslamnare, del));
        }
    }
    Ok(delning)
}

type Koder = Vec<(LefiMedlem, Vec<&'static str>)>;

fn read(json: &[u8]) -> Option<(Medlemmar<'_>, Koder)> {
    let json = std::str::from_utf8(json).ok()?;
    let members = Medlemmar::parse(json).filter(|_| has_unique_names(json))?;
    check_period(members.get("period")?)?;
    let mut koder = Koder::new();
    for (name, value) in &members.0 {
        if let Some(medlem) = LefiMedlem::from_namn(name) {
            koder.push((medlem, read_koder(medlem, value)?));
        }
    }
    koder
        .iter()
        .any(|(_, koder)| !koder.is_empty())
        .then_some((members, koder))
}

fn read_koder(medlem: LefiMedlem, value: &RawValue) -> Option<Vec<&'static str>> {
    let given: Vec<String> = serde_json::from_str(value.get()).ok()?;
    let mut koder = Vec::with_capacity(given.len().min(64));
    for kod in &given {
        let kod = medlem.find_kod(kod).filter(|kod| !koder.contains(kod))?;
        koder.push(kod);
    }
    Some(koder)
}

fn check_period(value: &RawValue) -> Option<()> {
    let period = Medlemmar::parse(value.get())?;
    let day = |name: &str| {
        let text: String = serde_json::from_str(period.get(name)?.get()).ok()?;
        // JSON has a plain date, without zone.
        (text.len() == "YYYY-MM-DD".len()).then(|| Datum::parse(&text).ok())?
    };
    (day("from")? <= day("tom")?).then_some(())
}

/// True when the question is about `person`: the last ten digits, and the century when given.
fn names(members: &Medlemmar<'_>, person: &Personidentitet) -> Option<bool> {
    let number: String = serde_json::from_str(members.get("personnummer")?.get()).ok()?;
    if !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    match number.len() {
        12 => Some(number == person.as_str()),
        10 => Some(number == person.as_str()[2..]),
        _ => None,
    }
}

fn write(
    members: &Medlemmar<'_>,
    koder: &Koder,
    uppgiftslamnare: Uppgiftslamnare,
    size: usize,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(size);
    out.push(b'{');
    let mut lists = koder.iter();
    for (name, value) in &members.0 {
        let value = if LefiMedlem::from_namn(name).is_some() {
            let list = lists.next().map_or(&[][..], |(_, koder)| koder);
            let mut own = list
                .iter()
                .filter(|kod| svarande(kod) == Some(uppgiftslamnare))
                .peekable();
            if own.peek().is_none() {
                continue;
            }
            // Codes of the table need no escaping.
            let list: Vec<String> = own.map(|kod| format!("\"{kod}\"")).collect();
            std::borrow::Cow::Owned(format!("[{}]", list.join(",")))
        } else {
            std::borrow::Cow::Borrowed(value.get())
        };
        if out.len() > 1 {
            out.push(b',');
        }
        push_string(&mut out, name);
        out.push(b':');
        out.extend_from_slice(value.as_bytes());
    }
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: &str = r#""period":{"from":"2026-01-01","tom":"2026-03-31"}"#;

    fn person() -> Personidentitet {
        Personidentitet::parse("199503142383").unwrap()
    }

    fn split_text(json: &str) -> Result<(Option<String>, Option<String>), SsbtFelkod> {
        let delning = split(json.as_bytes(), &person())?;
        let part = |ul| {
            delning
                .del(ul)
                .map(|del| String::from_utf8(del.to_vec()).unwrap())
        };
        Ok((part(Uppgiftslamnare::FK), part(Uppgiftslamnare::PM)))
    }

    #[test]
    fn each_authority_gets_its_own_codes_and_all_that_is_unknown() {
        let json = format!(
            r#"{{ "personnummer":"9503142383", {PERIOD},"x":{{"n": 1.50}},
              "formansinformation":["FK:FP"],"ansprak":["PM:EF"],"beslut":[],
              "utbetalningar":["PM:AP","FK:AP","PM:EF"] }}"#
        );
        let (fk, pm) = split_text(&json).unwrap();
        let common = format!(r#"{{"personnummer":"9503142383",{PERIOD},"x":{{"n": 1.50}}"#);
        assert_eq!(
            fk.unwrap(),
            format!(r#"{common},"formansinformation":["FK:FP"],"utbetalningar":["FK:AP"]}}"#)
        );
        assert_eq!(
            pm.unwrap(),
            format!(r#"{common},"ansprak":["PM:EF"],"utbetalningar":["PM:AP","PM:EF"]}}"#)
        );
    }

    #[test]
    fn who_has_no_code_is_not_asked() {
        let only = |codes| {
            split_text(&format!(
                r#"{{"personnummer":"199503142383",{PERIOD},{codes}}}"#
            ))
            .unwrap()
        };
        assert!(matches!(only(r#""ansprak":["PM:AP"]"#), (None, Some(_))));
        assert!(matches!(
            only(r#""ovrigInformation":["FK:SGI"]"#),
            (Some(_), None)
        ));
    }

    #[test]
    fn a_question_that_breaks_a_rule_is_refused() {
        let with = |person: &str, period: &str, codes: &str| {
            split_text(&format!(r#"{{"personnummer":{person},{period}{codes}}}"#)).unwrap_err()
        };
        let good = "\"199503142383\"";
        let fk = r#","formansinformation":["FK:FP"]"#;
        for error in [
            with("\"19950314-2383\"", PERIOD, fk),
            with("199503142383", PERIOD, fk),
            with("\"503142383\"", PERIOD, fk),
            with(
                good,
                r#""period":{"from":"2026-04-01","tom":"2026-03-31"}"#,
                fk,
            ),
            with(good, r#""period":{"from":"2026-01-01"}"#, fk),
            with(
                good,
                r#""period":{"from":"2026-01-01Z","tom":"2026-03-31Z"}"#,
                fk,
            ),
            with(good, r#""period":null"#, fk),
            with(good, r#""x":1"#, fk),
            with(good, PERIOD, ""),
            with(good, PERIOD, r#","ansprak":[]"#),
            with(good, PERIOD, r#","ansprak":null"#),
            with(good, PERIOD, r#","ansprak":["FK:AP"]"#),
            with(good, PERIOD, r#","formansinformation":["FK:XX"]"#),
            with(good, PERIOD, r#","formansinformation":["FK:FP","FK:FP"]"#),
            with(good, PERIOD, r#","formansinformation":["FK:FP",1]"#),
            with(
                good,
                PERIOD,
                r#","formansinformation":["FK:FP"],"formansinformation":[]"#,
            ),
            with(
                good,
                PERIOD,
                r#","formansinformation":["FK:FP"],"x":{"a":1,"a":2}"#,
            ),
            split_text("").unwrap_err(),
            split_text("[]").unwrap_err(),
        ] {
            assert_eq!(error, SsbtFelkod::FkFragaOgiltig);
        }
        assert!(split(b"{\"a\":\"\xE5\"}", &person()).is_err());
    }

    #[test]
    fn another_person_is_found_by_number_and_by_century() {
        for other in ["199503022387", "9503022387", "189503142383"] {
            let json = format!(r#"{{"personnummer":"{other}",{PERIOD},"ansprak":["PM:AP"]}}"#);
            assert_eq!(split_text(&json).unwrap_err(), SsbtFelkod::FkPersonAvviker);
        }
    }

    #[test]
    fn version_and_actor_must_fit_into_a_path() {
        assert!(check_version(None).is_ok() && check_version(Some("v9")).is_ok());
        for bad in ["", "9", "V9", "v10", "v9/..", " v9"] {
            assert_eq!(
                check_version(Some(bad)),
                Err(SsbtFelkod::FkVersion),
                "{bad}"
            );
        }
        assert!(check_aktorsid("EXK-01").is_ok() && check_aktorsid("a/b å").is_ok());
        for bad in ["", ".", "..", "a\n", "\u{85}"] {
            assert_eq!(
                check_aktorsid(bad),
                Err(SsbtFelkod::FkFragaOgiltig),
                "{bad}"
            );
        }
    }
}
