//! Brings a simulated answer to a given size: its own records, repeated, and white space for what
//! is left. So its markup is as dense as that of a real answer.

use base64_simd::STANDARD;
use bytes::Bytes;
use serde_json::Value;
use shs_schemas::Uppgiftslamnare;

use crate::measure::Failed;

/// Members of LEFI's answer that are not records.
const NOT_RECORDS: &str = "utlamnare";

/// The answer of `ul`, about `bytes` long.
///
/// # Errors
/// When the answer is not of the shape that the simulators give.
pub(crate) fn stretch(ul: Uppgiftslamnare, answer: &Bytes, bytes: usize) -> Result<Bytes, Failed> {
    let answer = std::str::from_utf8(answer)?;
    let stretched = match ul {
        Uppgiftslamnare::CSN => within_base64(answer, "ssbt:svar", bytes, |document, room| {
            between(&document, "k:Personer", |inner| Some(repeated(inner, room)))
        }),
        Uppgiftslamnare::FK | Uppgiftslamnare::PM => {
            within_base64(answer, "ssbt:lefiJsonSvar", bytes, |json, room| {
                more_records(&json, json.len() + room)
            })
        }
        _ => {
            let room = bytes.saturating_sub(answer.len());
            between(answer, records_of(ul), |inner| Some(repeated(inner, room))).or_else(|| {
                between(answer, "ssbt:data", |inner| {
                    Some(inner.to_owned() + &" ".repeat(room))
                })
            })
        }
    };
    let stretched = stretched.ok_or_else(|| format!("the answer of {ul} has another shape"))?;
    Ok(Bytes::from(stretched))
}

/// The element that holds the records of a party: its children may come any number of times.
fn records_of(ul: Uppgiftslamnare) -> &'static str {
    match ul {
        Uppgiftslamnare::SO => "so:ArbetsloshetsersattningLista",
        Uppgiftslamnare::TNS => "tns:fordonsinnehav",
        Uppgiftslamnare::MIV => "svarCollection",
        Uppgiftslamnare::SKV => "PersonuppgiftLista",
        // Arbetsförmedlingen's schema takes anything after the answer.
        _ => "ssbt:data",
    }
}

/// The text with what stands between the tags of an element changed.
fn between(text: &str, element: &str, change: impl Fn(&str) -> Option<String>) -> Option<String> {
    let begins = text.find(&format!("<{element}"))?;
    let begins = begins + text[begins..].find('>')? + 1;
    let ends = text.rfind(&format!("</{element}>"))?;
    let inner = change(text.get(begins..ends)?)?;
    Some([&text[..begins], &inner, &text[ends..]].concat())
}

/// Changes what an element holds as base64. `change` is told how many bytes there is room for.
fn within_base64(
    answer: &str,
    element: &str,
    bytes: usize,
    change: impl Fn(String, usize) -> Option<String>,
) -> Option<String> {
    let missing = bytes.saturating_sub(answer.len());
    between(answer, element, |base64| {
        let inner = String::from_utf8(STANDARD.decode_to_vec(base64).ok()?).ok()?;
        let room = missing / 4 * 3;
        Some(STANDARD.encode_to_string(change(inner, room)?))
    })
}

/// The same again, as often as there is room, and spaces; of nothing, spaces.
fn repeated(inner: &str, room: usize) -> String {
    let again = room.checked_div(inner.len()).unwrap_or(0);
    let spaces = room - again * inner.len();
    inner.repeat(again + 1) + &" ".repeat(spaces)
}

/// The JSON with its first list of records made longer, and spaces.
fn more_records(json: &str, bytes: usize) -> Option<String> {
    let mut value: Value = serde_json::from_str(json).ok()?;
    loop {
        let records = records(&mut value)?;
        let one = records.first()?.clone();
        records.push(one);
        let longer = value.to_string();
        if longer.len() > bytes {
            let records = self::records(&mut value)?;
            records.pop();
            let text = value.to_string();
            let spaces = bytes.saturating_sub(text.len());
            return Some(text + &" ".repeat(spaces));
        }
    }
}

/// The first list that holds objects.
fn records(value: &mut Value) -> Option<&mut Vec<Value>> {
    match value {
        Value::Array(rows) if rows.first().is_some_and(Value::is_object) => Some(rows),
        Value::Object(members) => members
            .iter_mut()
            .filter(|(name, _)| name.as_str() != NOT_RECORDS)
            .find_map(|(_, member)| records(member)),
        _ => None,
    }
}
