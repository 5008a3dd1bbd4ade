//! Exchange of the contract's version: a party that speaks another version than the question is in
//! gets, and gives, its own (ssbtek-10, 0.2; R-002).
//!
//! A version is carried only by the namespace URI. So only the places where that URI is bound to a
//! prefix are exchanged, in the elements of the contract; every other byte stays as it is.

use std::ops::Range;

use super::Kontrakt;
use crate::xml::{Declaration, Reader};

/// Places in one document, in their order, where the ssbt namespace is written in a declaration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bindningar(Vec<Range<usize>>);

impl Bindningar {
    /// Notes the declarations of the start tag read last that bind `namespace`. What is noted is
    /// the value as written: it may hold character references.
    pub(super) fn note(&mut self, reader: &Reader<'_>, namespace: &str) {
        self.note_among(reader.declarations(), namespace);
    }

    /// The same of the elements around it; before [`Bindningar::note`], as they stand before it.
    pub(super) fn note_inherited(&mut self, reader: &Reader<'_>, namespace: &str) {
        self.note_among(reader.inherited(), namespace);
    }

    fn note_among(&mut self, declarations: &[Declaration<'_>], namespace: &str) {
        let binding = |declaration: &&Declaration<'_>| declaration.uri == namespace;
        let bindings = declarations.iter().filter(binding);
        self.0
            .extend(bindings.map(|declaration| declaration.uri_span.clone()));
    }

    /// The same places, counted from the offset `base`, before which there is none.
    pub(super) fn counted_from(mut self, base: usize) -> Self {
        for binding in &mut self.0 {
            *binding = binding.start.saturating_sub(base)..binding.end.saturating_sub(base);
        }
        self
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

#[cfg(test)]
#[path = "versionsbyte_tests.rs"]
mod tests;
