//! Exchange of the contract's version: a party that speaks another version than the question is in
//! gets, and gives, its own (ssbtek-10, 0.2; R-002).
//!
//! A version is carried only by the namespace URI. So only the places where that URI is bound to a
//! prefix are exchanged, in the elements of the contract; every other byte stays as it is.

use std::ops::Range;

use super::{Kontrakt, Svarselement};
use crate::xml::{Declaration, Event, Limits, Options, Reader, Start, XSI_NAMESPACE};

/// Places in one document, in their order, where the ssbt namespace is written in a declaration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bindningar(Vec<Range<usize>>);

impl Bindningar {
    /// Notes the declarations of the start tag read last that bind `namespace`. What is noted is
    /// the value as written: it may hold character references.
    pub(super) fn note(&mut self, reader: &Reader<'_>, namespace: &str) {
        self.note_among(reader.declarations(), reader.document(), namespace);
    }

    /// The same of the elements around it; before [`Bindningar::note`], as they stand before it.
    pub(super) fn note_inherited(&mut self, reader: &Reader<'_>, namespace: &str) {
        self.note_among(reader.inherited(), reader.document(), namespace);
    }

    fn note_among(&mut self, declarations: &[Declaration<'_>], document: &str, namespace: &str) {
        for declaration in declarations {
            if declaration.uri == namespace {
                let raw = declaration.raw_uri();
                // The value is a slice of the document; its offset is the distance between the two.
                let at = raw.as_ptr() as usize - document.as_ptr() as usize;
                self.0.push(at..at + raw.len());
            }
        }
    }

    /// Appends a range of the document, with the namespace of `kontrakt` bound where it binds the
    /// one that was noted.
    pub(super) fn splice(
        &self,
        out: &mut Vec<u8>,
        document: &[u8],
        range: Range<usize>,
        kontrakt: Kontrakt,
    ) {
        let mut at = range.start;
        for binding in self.within(&range) {
            out.extend_from_slice(&document[at..binding.start]);
            out.extend_from_slice(kontrakt.namespace().as_bytes());
            at = binding.end;
        }
        out.extend_from_slice(&document[at..range.end]);
    }

    /// How many bytes [`Bindningar::splice`] of a whole document may add.
    pub(super) fn growth(&self, kontrakt: Kontrakt) -> usize {
        self.0.len() * kontrakt.namespace().len()
    }

    fn within(&self, range: &Range<usize>) -> &[Range<usize>] {
        let first = self.0.partition_point(|noted| noted.start < range.start);
        let last = self.0.partition_point(|noted| noted.end <= range.end);
        self.0.get(first..last).unwrap_or_default()
    }

    /// What [`Bindningar::splice`] has written of the whole `document`, in pieces, with the
    /// exchange undone: put together they are the document, unless `written` was changed. `None`
    /// when something else than the exchange stands in its place, or the lengths do not fit.
    pub(super) fn undo<'a>(
        &self,
        document: &'a [u8],
        written: &'a [u8],
        kontrakt: Kontrakt,
    ) -> Option<Vec<&'a [u8]>> {
        let namespace = kontrakt.namespace().as_bytes();
        let mut pieces = Vec::with_capacity(self.0.len() * 2 + 1);
        let (mut at, mut rest) = (0, written);
        for binding in &self.0 {
            let (piece, after) = rest.split_at_checked(binding.start - at)?;
            rest = after.strip_prefix(namespace)?;
            pieces.extend([piece, &document[binding.clone()]]);
            at = binding.end;
        }
        pieces.push(rest);
        (rest.len() == document.len() - at).then_some(pieces)
    }
}

/// Depth of the contract's own elements in an answer whose data stands inline: the answer's element
/// and `data`. What is deeper belongs to the authority.
const OUTER_DEPTH: usize = 2;

/// Where the outer elements of the answer `element` bind the namespace of `kontrakt`; `None` when
/// exchanging it there would change what the authority said.
///
/// Inline data may lean on a declaration of the outer elements. As long as it does so for the
/// namespaces of the authority nothing happens to it. A name inside it that is in the *ssbt*
/// namespace because an outer element says so would silently become another name; no authority's
/// schema has such a name, only the open content of some lets it through. Such a part is not
/// exchanged, and so cannot be given out: better an error than something else than was delivered
/// . Names of elements and attributes and the value of `xsi:type` are looked at; whether
/// other text is meant as a qualified name only its author knows.
///
/// The element was read before: this second reading happens only when versions differ.
pub(super) fn yttre_bindningar(
    element: &[u8],
    of: Svarselement,
    kontrakt: Kontrakt,
) -> Option<Bindningar> {
    let mut inline = !matches!(of, Svarselement::Csn | Svarselement::Fk);
    let limits = Limits {
        bytes_max: element.len(),
        depth_max: usize::MAX,
        attributes_max: usize::MAX,
        namespaces_max: usize::MAX,
        name_bytes_max: usize::MAX,
    };
    let mut reader = Reader::from_bytes(element, Options::new(of.local_name()), limits).ok()?;
    let namespace = kontrakt.namespace();
    let mut bindningar = Bindningar::default();
    let mut inre = Inre::default();
    loop {
        match reader.next_event().ok()? {
            Event::Start(start) if !inline || reader.depth() <= OUTER_DEPTH => {
                bindningar.note(&reader, namespace);
                // An error holds nothing but elements of the contract.
                inline &= start.local != "error";
                inre.outer(&reader, namespace);
            }
            Event::Start(start) if inre.leans_on_outer(&reader, &start) => return None,
            Event::Eof => return Some(bindningar),
            _ => {}
        }
    }
}

/// Follows which prefixes within inline data are still those of the outer elements.
#[derive(Default)]
struct Inre<'a> {
    /// Prefixes that an outer element binds to the ssbt namespace.
    outer: Vec<&'a str>,
    /// Depths and prefixes of inner declarations that hide one of them.
    hidden: Vec<(usize, &'a str)>,
}

impl<'a> Inre<'a> {
    fn outer(&mut self, reader: &Reader<'a>, namespace: &str) {
        for declaration in reader.declarations() {
            self.outer.retain(|prefix| *prefix != declaration.prefix);
            if declaration.uri == namespace {
                self.outer.push(declaration.prefix);
            }
        }
    }

    fn leans_on_outer(&mut self, reader: &Reader<'a>, start: &Start<'a>) -> bool {
        let depth = reader.depth();
        self.hidden.retain(|(hidden_at, _)| *hidden_at < depth);
        for declaration in reader.declarations() {
            if self.outer.contains(&declaration.prefix) {
                self.hidden.push((depth, declaration.prefix));
            }
        }
        let is_outer = |prefix: &str| {
            self.outer.contains(&prefix) && !self.hidden.iter().any(|(_, hidden)| *hidden == prefix)
        };
        // Without prefix an attribute is in no namespace.
        is_outer(start.prefix)
            || reader.attributes().iter().any(|attribute| {
                !attribute.prefix.is_empty() && is_outer(attribute.prefix)
                    || attribute.namespace.as_deref() == Some(XSI_NAMESPACE)
                        && attribute.local == "type"
                        && is_outer(prefix_of(&attribute.value()))
            })
    }
}

/// The prefix of a qualified name, empty when it has none.
fn prefix_of(name: &str) -> &str {
    crate::xml::trim(name)
        .split_once(':')
        .map_or("", |(prefix, _)| prefix)
}

#[cfg(test)]
#[path = "versionsbyte_tests.rs"]
mod tests;
