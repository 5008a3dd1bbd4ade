//! Where the parts of a question stand that are spliced into other documents.

use std::ops::Range;

use crate::ssbtek::versionsbyte::Bindningar;
use crate::ssbtek::{Kontrakt, Svarselement};
use crate::xml::{Declaration, Reader, Start};

/// Where an element stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::ssbtek) struct Plats {
    /// The start tag.
    pub(in crate::ssbtek) tagg: Range<usize>,
    /// The end tag; empty for a self-closing element.
    pub(in crate::ssbtek) slut: Range<usize>,
    /// Length of the prefix with its colon.
    pub(in crate::ssbtek) prefix: usize,
}

impl Plats {
    pub(super) fn new(start: &Start<'_>) -> Self {
        let prefix = if start.prefix.is_empty() {
            0
        } else {
            start.prefix.len() + 1
        };
        Self {
            tagg: start.span.clone(),
            slut: 0..0,
            prefix,
        }
    }

    /// The whole element.
    pub(in crate::ssbtek) fn hela(&self) -> Range<usize> {
        self.tagg.start..self.slut.end
    }

    /// The prefix with its colon, as it stands in the start tag.
    pub(in crate::ssbtek) fn prefix(&self) -> Range<usize> {
        self.tagg.start + 1..self.tagg.start + 1 + self.prefix
    }
}

/// Where the parts of a question stand that are spliced into other documents.
#[derive(Clone, Debug, Default)]
pub(in crate::ssbtek) struct Platser {
    pub(in crate::ssbtek) rot: Plats,
    /// Namespace declarations of the root itself.
    pub(in crate::ssbtek) egna: Vec<Range<usize>>,
    /// Those of the envelope around it that it does not declare anew.
    pub(in crate::ssbtek) arvda: Vec<Range<usize>>,
    /// True when the question binds the prefix `ssbt` to another namespace.
    pub(in crate::ssbtek) ssbt_upptaget: bool,
    pub(in crate::ssbtek) generella: Range<usize>,
    pub(in crate::ssbtek) specifika: Plats,
    pub(in crate::ssbtek) element: [Range<usize>; Svarselement::IN_ORDER.len()],
    /// The element of Skatteverket, whose content differs between versions.
    pub(in crate::ssbtek) skv: Plats,
    /// True when that element holds its block of parameters.
    pub(in crate::ssbtek) skv_fraga: bool,
    /// Content of `frageTidpunkt`.
    pub(in crate::ssbtek) frage_tidpunkt: Option<Range<usize>>,
    /// Content of `korrelationsid`.
    pub(in crate::ssbtek) korrelationsid: Option<Range<usize>>,
    /// Content of `lefiJsonFraga`.
    pub(in crate::ssbtek) lefi_json: Option<Range<usize>>,
    /// Where the namespace of the contract is bound.
    pub(in crate::ssbtek) bindningar: Bindningar,
}

impl Platser {
    /// Notes what is declared at the root: by itself, and by the envelope around it. The subtrees of
    /// the question are spliced into documents without that envelope, so they must bring it along.
    pub(super) fn note_declarations(&mut self, reader: &Reader<'_>, kontrakt: Kontrakt) {
        let own = reader.declarations();
        self.egna = own.iter().map(|declared| declared.span.clone()).collect();
        let mut in_scope: Vec<&Declaration<'_>> = own.iter().collect();
        // From the inside out: what is declared again is out of scope.
        for outer in reader.inherited().iter().rev() {
            if in_scope.iter().any(|inner| inner.prefix == outer.prefix) {
                continue;
            }
            in_scope.push(outer);
            // `xmlns=""` undoes a default of the envelope, which is not there any more.
            if !outer.uri.is_empty() {
                self.arvda.push(outer.span.clone());
            }
        }
        self.ssbt_upptaget = in_scope
            .iter()
            .any(|declared| declared.prefix == "ssbt" && declared.uri != kontrakt.namespace());
    }

    /// Every namespace declaration that holds at the root.
    pub(in crate::ssbtek) fn deklarationer(&self) -> impl Iterator<Item = &Range<usize>> {
        self.egna.iter().chain(&self.arvda)
    }

    /// Length of the start tag of the root with what it inherits.
    pub(in crate::ssbtek) fn rot_bytes(&self) -> usize {
        self.rot.tagg.len() + bytes_of(self.arvda.iter())
    }

    /// Length of what is echoed of the question, without the element around it.
    pub(in crate::ssbtek) fn echo_bytes(&self) -> usize {
        bytes_of(self.deklarationer()) + self.generella.len() + self.specifika.hela().len()
    }
}

/// Length of these declarations, with the blank before each.
fn bytes_of<'a>(declarations: impl Iterator<Item = &'a Range<usize>>) -> usize {
    declarations.map(|declaration| declaration.len() + 1).sum()
}
