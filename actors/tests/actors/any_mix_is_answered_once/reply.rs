//! One document of the reply, held against what must come of the plan.

use proptest::test_runner::TestCaseError;
use serde_json::Value;
use shs_schemas::Uppgiftslamnare;
use shs_schemas::ssbtek::Form;

use super::oracle::{self, Expected};
use super::plan::{Person, Plan};
use super::{Checked, ensure};
use crate::questions::{FRAGE_TIDPUNKT, IMPOSSIBLE};
use crate::{answers, base64};

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
const ENVELOPE: (&str, &str) = (
    "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>",
    "</soap:Body></soap:Envelope>",
);

/// What is left of the text after this, which it must begin with.
fn after<'a>(text: &'a str, expected: &str) -> Checked<&'a str> {
    let rest = text.strip_prefix(expected);
    rest.ok_or_else(|| TestCaseError::fail(format!("\n{text}\nand not\n{expected}")))
}

/// The document without declaration, and without the envelope if it has one.
fn inner(form: Form, document: &str) -> Checked<&str> {
    let document = after(document, DECLARATION)?;
    if form == Form::Bar {
        return Ok(document);
    }
    let inner = after(document, ENVELOPE.0)?.strip_suffix(ENVELOPE.1);
    inner.ok_or_else(|| TestCaseError::fail("the envelope does not end"))
}

/// Holds one document against the plan.
pub fn check(plan: &Plan, person: &Person, document: &str) -> Checked<()> {
    let rest = inner(person.asked.form, document)?;
    if person.asked.number == IMPOSSIBLE {
        return check_fault(plan, person, rest);
    }
    let root = format!(
        "<ssbt:hamtaBastjanstInformationResponse xmlns:ssbt=\"{}\">",
        plan.kontrakt.namespace()
    );
    let mut rest = after(rest, &root)?;
    if person.asked.echo {
        rest = check_echo(plan, person, rest)?;
    }
    if person.asked.frage_tidpunkt {
        let text = format!("<ssbt:frageTidpunkt>{FRAGE_TIDPUNKT}</ssbt:frageTidpunkt>");
        rest = after(rest, &text)?;
    }
    if person.asked.korrelationsid {
        let id = person.asked.korrelationsid();
        let text = format!("<ssbt:korrelationsid>{id}</ssbt:korrelationsid>");
        rest = after(rest, &text)?;
    }
    rest = after(rest, "<ssbt:svarsdata>")?;
    for expected in oracle::elements(plan, person) {
        rest = match expected {
            Expected::Exactly(element) => after(rest, &element)?,
            Expected::Merged(parts) => check_merged(person, &parts, rest)?,
        };
    }
    let rest = after(
        rest,
        "</ssbt:svarsdata></ssbt:hamtaBastjanstInformationResponse>",
    )?;
    ensure!(rest.is_empty(), "more follows: {rest}");
    Ok(())
}

/// A question about a person that cannot be: a fault document, or in an envelope the fault of SOAP.
fn check_fault(plan: &Plan, person: &Person, inner: &str) -> Checked<()> {
    let fault = format!(
        "<ssbt:hamtaBastjanstInformationFault xmlns:ssbt=\"{}\">\
         <ssbt:felkod>SSBT-PERSONIDENTITET</ssbt:felkod><ssbt:felmeddelande>",
        plan.kontrakt.namespace()
    );
    let end = "</ssbt:felmeddelande></ssbt:hamtaBastjanstInformationFault>";
    let inner = if person.asked.form == Form::Kuvert {
        let start = "<soap:Fault><faultcode>soap:Client</faultcode><faultstring>";
        let detail = after(inner, start)?.split_once("<detail>");
        let detail = detail.and_then(|(_, rest)| rest.strip_suffix("</detail></soap:Fault>"));
        detail.ok_or_else(|| TestCaseError::fail("no detail"))?
    } else {
        inner
    };
    ensure!(after(inner, &fault)?.ends_with(end), "{inner}");
    ensure!(!inner.contains(IMPOSSIBLE), "it quotes the number");
    Ok(())
}

/// The two subtrees of the question as they were written.
fn check_echo<'a>(plan: &Plan, person: &Person, text: &'a str) -> Checked<&'a str> {
    let (start, rest) = text.split_once('>').unwrap();
    let name = start.split([' ', '>']).next().unwrap();
    ensure!(name.ends_with("fraga"), "no echo: {name}");
    let rest = after(rest, &person.asked.generella())?;
    let rest = after(rest, &person.asked.specifika(plan.kontrakt))?;
    after(rest, &format!("</{}>", &name[1..]))
}

/// Whose state the merged answer tells, and whose data are in it.
fn check_merged<'a>(
    person: &Person,
    parts: &[(Uppgiftslamnare, &'static str, bool)],
    text: &'a str,
) -> Checked<&'a str> {
    let text = after(text, "<ssbt:FK><ssbt:data><ssbt:lefiJsonSvar>")?;
    let (content, rest) = text.split_once('<').unwrap();
    let json = String::from_utf8(base64::decode(content)).unwrap();
    let value: Value = serde_json::from_str(&json).unwrap();
    let told = value["utlamnare"].as_array().unwrap().iter();
    let told: Vec<_> = told
        .map(|row| {
            let kod = |of: &str| row[of]["kod"].as_str().unwrap().to_owned();
            (kod("utlamnare"), kod("tillstand"))
        })
        .collect();
    let expected = parts
        .iter()
        .map(|(ul, state, _)| (ul.to_string(), (*state).to_owned()));
    let expected: Vec<_> = expected.collect();
    ensure!(told == expected, "{told:?} and not {expected:?}");
    for (ul, _, has_data) in parts {
        let marker = answers::marker(*ul, person.asked.place);
        let found = json.matches(&marker).count();
        ensure!(
            found == usize::from(*has_data),
            "{ul} {found} times: {json}"
        );
        let raw = if *ul == Uppgiftslamnare::FK {
            "\"belopp\": 11340.50"
        } else {
            "\"grad\": 1.0"
        };
        ensure!(!has_data || json.contains(raw), "{ul} is rewritten: {json}");
    }
    ensure!(json.matches("SVAR-").count() <= parts.len(), "{json}");
    after(rest, "/ssbt:lefiJsonSvar></ssbt:data></ssbt:FK>")
}
