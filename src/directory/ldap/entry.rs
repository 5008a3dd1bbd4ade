//! An entry of the directory as attributes and values. Read here and not by the LDAP library, which
//! panics on what is not an entry and quotes it.

use ldap3::asn1::{PL, StructureTag};

/// Number of a search result entry (RFC 4511, 4.5.2).
const SEARCH_RESULT_ENTRY: u64 = 4;
/// Longest value that is read, in bytes. The schema's own bounds are hints and much lower (8.2).
const VALUE_BYTES_MAX: usize = 1024;
/// Most values of one entry that are read.
const VALUES_MAX: usize = 1024;

/// An entry: where it stands, and its values without blanks around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryEntry {
    dn: String,
    attributes: Vec<(String, String)>,
}

impl DirectoryEntry {
    /// Reads an entry; `None` when it is something else. Values that are empty, too long or not
    /// text are left out.
    pub(super) fn read(tag: StructureTag) -> Option<Self> {
        let fields = tag.match_id(SEARCH_RESULT_ENTRY)?.expect_constructed()?;
        let [dn, attributes]: [StructureTag; 2] = fields.try_into().ok()?;
        let dn = text(dn)?;
        let mut read = Vec::new();
        for attribute in attributes.expect_constructed()? {
            let [name, values] = attribute.expect_constructed()?.try_into().ok()?;
            let name = text(name)?;
            for value in values.expect_constructed()?.into_iter().filter_map(text) {
                let value = value.trim();
                if !value.is_empty() && value.len() <= VALUE_BYTES_MAX && read.len() < VALUES_MAX {
                    read.push((name.clone(), value.to_owned()));
                }
            }
        }
        Some(Self {
            dn,
            attributes: read,
        })
    }

    /// Where the entry stands.
    #[must_use]
    pub fn dn(&self) -> &str {
        &self.dn
    }

    /// Names and values, a name as often as it has values.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        let attributes = self.attributes.iter();
        attributes.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first value of an attribute, whose name counts in any letter case.
    #[must_use]
    pub fn first(&self, attribute: &str) -> Option<&str> {
        let mut attributes = self.attributes();
        let found = attributes.find(|(name, _)| name.eq_ignore_ascii_case(attribute));
        found.map(|(_, value)| value)
    }
}

fn text(tag: StructureTag) -> Option<String> {
    match tag.payload {
        PL::P(bytes) => String::from_utf8(bytes).ok(),
        PL::C(_) => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use ldap3::asn1::TagClass;

    use super::*;

    fn tag(id: u64, payload: PL) -> StructureTag {
        let class = TagClass::Universal;
        StructureTag { class, id, payload }
    }

    fn octets(bytes: &[u8]) -> StructureTag {
        tag(4, PL::P(bytes.to_vec()))
    }

    fn list(of: Vec<StructureTag>) -> StructureTag {
        tag(16, PL::C(of))
    }

    fn attribute(name: &str, values: &[&[u8]]) -> StructureTag {
        let values = values.iter().map(|value| octets(value)).collect();
        list(vec![octets(name.as_bytes()), list(values)])
    }

    fn entry_tag(dn: &[u8], attributes: Vec<StructureTag>) -> StructureTag {
        tag(4, PL::C(vec![octets(dn), list(attributes)]))
    }

    /// An entry for the tests of other modules.
    pub(in super::super) fn entry(dn: &str, attributes: &[(&str, &str)]) -> DirectoryEntry {
        let attributes = attributes
            .iter()
            .map(|(name, value)| attribute(name, &[value.as_bytes()]));
        DirectoryEntry::read(entry_tag(dn.as_bytes(), attributes.collect())).unwrap()
    }

    #[test]
    fn names_count_in_any_letter_case_and_values_without_blanks_around_them() {
        let tag = entry_tag(
            b"o=a,l=SHS",
            vec![attribute("O", &[b" ", b" Namn \n", b"b"])],
        );
        let entry = DirectoryEntry::read(tag).unwrap();
        assert_eq!(entry.dn(), "o=a,l=SHS");
        assert_eq!(entry.first("o"), Some("Namn"));
        assert_eq!(entry.attributes().count(), 2);
        assert_eq!(entry.first("l"), None);
    }

    #[test]
    fn values_that_are_no_text_or_too_long_are_left_out() {
        let long = vec![b'x'; VALUE_BYTES_MAX + 1];
        let values: [&[u8]; 3] = [b"\xff\xfe", &long, b"b"];
        let tag = entry_tag(b"l=SHS", vec![attribute("o", &values)]);
        assert_eq!(DirectoryEntry::read(tag).unwrap().first("o"), Some("b"));
        let many = vec![b"v" as &[u8]; VALUES_MAX + 1];
        let tag = entry_tag(b"l=SHS", vec![attribute("o", &many)]);
        let entry = DirectoryEntry::read(tag).unwrap();
        assert_eq!(entry.attributes().count(), VALUES_MAX);
    }

    #[test]
    fn what_is_no_entry_is_none_and_no_panic() {
        let good = || vec![attribute("o", &[b"a"])];
        for bad in [
            tag(5, PL::C(vec![octets(b"l=SHS"), list(good())])),
            tag(4, PL::P(vec![1, 2, 3])),
            tag(4, PL::C(vec![])),
            tag(4, PL::C(vec![octets(b"l=SHS")])),
            tag(4, PL::C(vec![list(vec![]), list(good())])),
            tag(4, PL::C(vec![octets(b"l=SHS"), octets(b"")])),
            entry_tag(b"\xff", good()),
            entry_tag(b"l=SHS", vec![octets(b"o")]),
            entry_tag(b"l=SHS", vec![list(vec![octets(b"o")])]),
            entry_tag(b"l=SHS", vec![list(vec![octets(b"o"), octets(b"a")])]),
            entry_tag(b"l=SHS", vec![attribute("o", &[]), list(vec![])]),
        ] {
            assert_eq!(DirectoryEntry::read(bad.clone()), None, "{bad:?}");
        }
    }
}
