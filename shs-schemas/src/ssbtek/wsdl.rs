//! The WSDL of the SOAP door and its schemas, in a formulation of our own from the facts of the
//! contract (ssbtek-10, 0.2, 1 to 4.8).
//!
//! Every text is one template for all versions, filled from the row of the version ([`Kontrakt`])
//! and the address of the service:
//!
//! | In a template | Becomes |
//! |---|---|
//! | `{{version}}`, `{{namespace}}` | those of the version |
//! | `{{address}}` | where the service is |
//! | `{{xsd:name}}` | where the schema of that name is |
//! | `{{#skv_fraga}}` … `{{/skv_fraga}}` | what is between, in versions where Skatteverket has parameters |
//!
//! The texts refer to each other by whole addresses (`<address>?xsd=<name>`): clients do not agree
//! on what a reference that begins with a question mark is relative to.

use super::Kontrakt;
use crate::xml::escape_attribute;

const WSDL: &str = include_str!("../../schemas/ssbtek/ssbt.wsdl");

/// Schemas by the name they are asked for with; the first is the one that the WSDL refers to.
const SCHEMAS: [(&str, &str); 7] = [
    ("ssbt", include_str!("../../schemas/ssbtek/ssbt.xsd")),
    ("af", include_str!("../../schemas/ssbtek/af.xsd")),
    ("miv", include_str!("../../schemas/ssbtek/miv.xsd")),
    ("skv", include_str!("../../schemas/ssbtek/skv.xsd")),
    ("so", include_str!("../../schemas/ssbtek/so.xsd")),
    ("tns", include_str!("../../schemas/ssbtek/tns.xsd")),
    (
        "tns-fordon",
        include_str!("../../schemas/ssbtek/tns-fordon.xsd"),
    ),
];

/// The WSDL of one version, for a service at `address`: an absolute URL without query and
/// fragment, for example `https://shs.example.se/ssbt/10`.
#[must_use]
pub fn wsdl(kontrakt: Kontrakt, address: &str) -> String {
    fill(WSDL, kontrakt, address)
}

/// A schema of one version by its name, for a service at the same address as its WSDL; `None`
/// when there is none of that name.
#[must_use]
pub fn schema(kontrakt: Kontrakt, name: &str, address: &str) -> Option<String> {
    let (_, template) = SCHEMAS.iter().find(|(known, _)| *known == name)?;
    Some(fill(template, kontrakt, address))
}

/// The names of all schemas; the same in every version.
#[must_use]
pub fn schema_names() -> impl ExactSizeIterator<Item = &'static str> + Clone {
    SCHEMAS.iter().map(|(name, _)| *name)
}

/// One pass over the template, so that nothing in an address is taken for a place to fill.
fn fill(template: &str, kontrakt: Kontrakt, address: &str) -> String {
    let address = escape_attribute(address);
    let mut filled = String::with_capacity(template.len() + 512);
    let mut rest = template;
    while let Some((before, (place, after))) = next_place(rest) {
        filled.push_str(before);
        rest = after;
        match place {
            "version" => filled.push_str(&kontrakt.version().to_string()),
            "namespace" => filled.push_str(kontrakt.namespace()),
            "address" => filled.push_str(&address),
            "#skv_fraga" if !kontrakt.has_skv_fraga() => rest = behind(rest, "{{/skv_fraga}}"),
            "#skv_fraga" | "/skv_fraga" => {}
            _ => {
                let name = place.strip_prefix("xsd:").unwrap_or(place);
                filled.push_str(&address);
                filled.push_str("?xsd=");
                filled.push_str(name);
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// What is before the next place to fill, its name, and what is after it.
fn next_place(text: &str) -> Option<(&str, (&str, &str))> {
    let (before, from) = text.split_once("{{")?;
    Some((before, from.split_once("}}")?))
}

fn behind<'a>(text: &'a str, end: &str) -> &'a str {
    text.split_once(end).map_or("", |(_, after)| after)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "https://node.example/ssbt/10";

    fn all(kontrakt: Kontrakt, address: &str) -> Vec<String> {
        schema_names()
            .map(|name| schema(kontrakt, name, address).unwrap())
            .chain([wsdl(kontrakt, address)])
            .collect()
    }

    #[test]
    fn every_place_is_filled_with_something_known() {
        for kontrakt in Kontrakt::all() {
            for text in all(kontrakt, ADDRESS) {
                assert!(!text.contains("{{") && !text.contains("}}"), "{text}");
                for (_, reference) in text.match_indices("?xsd=").map(|(at, _)| text.split_at(at)) {
                    let name = reference["?xsd=".len()..].split('"').next().unwrap();
                    assert!(schema_names().any(|known| known == name), "{name}");
                }
            }
        }
    }

    #[test]
    fn an_address_cannot_break_out_of_its_place() {
        let hostile = "https://h/?a=1&b=\"><x/>'{{namespace}}";
        let written = "https://h/?a=1&amp;b=&quot;&gt;&lt;x/&gt;&apos;{{namespace}}";
        for text in all(Kontrakt::V10, hostile) {
            assert!(!text.contains("<x/>"));
        }
        let text = wsdl(Kontrakt::V10, hostile);
        assert!(text.contains(&format!("<soap:address location=\"{written}\"/>")));
        assert!(text.contains(&format!("schemaLocation=\"{written}?xsd=ssbt\"")));
    }

    #[test]
    fn a_schema_of_no_known_name_is_none() {
        for name in ["", "csn", "SSBT", "ssbt.xsd", "../ssbt", "xsd:ssbt"] {
            assert_eq!(schema(Kontrakt::V10, name, ADDRESS), None, "{name}");
        }
    }

    #[test]
    fn a_block_is_there_only_in_the_versions_that_have_it() {
        for kontrakt in Kontrakt::all() {
            let text = schema(kontrakt, "ssbt", ADDRESS).unwrap();
            assert_eq!(text.contains("skattekonto"), kontrakt.has_skv_fraga());
            assert!(text.contains("name=\"Migrationsverket\""));
        }
    }
}
