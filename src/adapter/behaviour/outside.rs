//! Fields that the agreement does not let an authority give out, put into its right answer: valid by
//! its schema, and outside Bilaga 3 (R-231, R-232; C-56).

use samsvar_actors::transport::AnswerContent;
use shs_schemas::{Sensitive, Uppgiftslamnare};

/// A field, and the marks in an answer that it may stand before, the first that is there.
struct Field {
    markup: &'static str,
    before: &'static [&'static str],
}

/// Transportstyrelsen: an element of another namespace in the open content of a vehicle, or of the
/// list when there is none.
const OWNER: Field = Field {
    markup: "<extra:agare xmlns:extra=\"urn:samsvar:simulerat:extra\">Exempel Exempelsson\
             </extra:agare>",
    before: &["</fordon:fordon>", "</tns:fordonsinnehav>"],
};

/// Migrationsverket: a field of its schema that no item of the agreement covers.
const COUNTRY: Field = Field {
    markup: "<hemland>Exempelland</hemland>",
    before: &["<inresedatum>", "<personnummer>", "<svarCollection"],
};

/// The field for a party; none for one whose fields the agreement does not list.
fn field(ul: Uppgiftslamnare) -> Option<&'static Field> {
    match ul {
        Uppgiftslamnare::TNS => Some(&OWNER),
        Uppgiftslamnare::MIV => Some(&COUNTRY),
        _ => None,
    }
}

/// Whether there are fields that this party may not give out.
pub(super) fn concerns(ul: Uppgiftslamnare) -> bool {
    field(ul).is_some()
}

/// Puts the field into an answer with data; any other answer stays as it is.
pub(super) fn add(right: AnswerContent, ul: Uppgiftslamnare) -> AnswerContent {
    match (right, field(ul)) {
        (AnswerContent::Svar(svar), Some(field)) => {
            let added = str::from_utf8(svar.expose()).ok().and_then(|text| {
                let mut marks = field.before.iter();
                let place = marks.find_map(|mark| text.find(mark))?;
                Some([&text[..place], field.markup, &text[place..]].concat())
            });
            AnswerContent::Svar(added.map_or(svar, |text| Sensitive::new(text.into())))
        }
        (right, _) => right,
    }
}
