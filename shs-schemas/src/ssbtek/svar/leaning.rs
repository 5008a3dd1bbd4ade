//! Whether inline data leans on the elements of the contract around it.
//!
//! Inline data may use a declaration of the answer's element or of `data`. As long as it does so
//! for the namespaces of the authority, an exchange of the contract's version does nothing to it. A
//! name inside it that is in the *ssbt* namespace because an outer element says so would silently
//! become another name. No authority's schema has such a name, only the open content of some lets
//! it through, and there alone it is looked for: names of elements and attributes. An `xsi:type` of
//! that namespace is refused when the answer is read; whether other text is meant as a qualified
//! name only its author knows.

use crate::error::{Fault, WireError};
use crate::ssbtek::Kontrakt;
use crate::xml::{Reader, Start};

/// A name in open content that an exchange of the contract's version would change.
pub(super) const LEANING: Fault =
    Fault::Invalid("a name of the contract by a declaration outside the data: not to be exchanged");

/// Watches the open content of one answer.
pub(super) struct Leaning {
    namespace: &'static str,
    /// Where the start tag of `data` ends: what is declared before that is outside.
    inside: usize,
    first: Option<WireError>,
}

impl Leaning {
    /// Of inline data in an answer of this version, which begin at the offset `inside`.
    pub(super) fn new(kontrakt: Kontrakt, inside: usize) -> Self {
        Self {
            namespace: kontrakt.namespace(),
            inside,
            first: None,
        }
    }

    /// Looks at an element within `parent`, begun last.
    pub(super) fn look(&mut self, reader: &Reader<'_>, parent: &'static str, start: &Start<'_>) {
        if self.first.is_some() {
            return;
        }
        let leans = |prefix: &str, namespace: Option<&str>| {
            namespace == Some(self.namespace)
                && reader
                    .declaration_of(prefix)
                    .is_some_and(|declared| declared.span.start < self.inside)
        };
        let at = if leans(start.prefix, start.namespace.as_deref()) {
            Some(start.span.start)
        } else {
            // Without prefix an attribute is in no namespace.
            let mut attributes = reader.attributes().iter();
            attributes
                .find(|given| leans(given.prefix, given.namespace.as_deref()))
                .map(|given| given.offset)
        };
        self.first = at.map(|at| WireError::new(parent, at, LEANING));
    }

    /// The first name that leans on them.
    pub(super) const fn first(&self) -> Option<WireError> {
        self.first
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::ssbtek::{Delsvar, Uppgiftslamnare};
    use crate::xml::Limits;

    const NS: &str = "http://schema.forsakringskassan.se/integration/ssbt/10";
    const XSI: &str = "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'";
    const SVAR: &str = include_str!("../../../tests/corpus/spec/svar-af.xml");

    /// An answer of Arbetsförmedlingen with this in its open content.
    fn with(open: &str) -> (String, Result<Delsvar, WireError>) {
        let body = SVAR
            .replacen("<s:data ", &format!("<s:data {XSI} "), 1)
            .replacen("</s:data>", &format!("{open}</s:data>"), 1);
        let bytes = Bytes::from(body.clone());
        let read = Delsvar::read(
            Uppgiftslamnare::AF,
            Kontrakt::V10,
            bytes,
            &Limits::default(),
        );
        (body, read)
    }

    #[test]
    fn a_name_inside_that_leans_on_an_outer_declaration_stops_the_exchange() {
        for (open, first) in [
            ("<s:x/>", "<s:x/>"),
            ("<a:x><s:y/></a:x>", "<s:y/>"),
            ("<a:x s:y=''/>", "s:y=''"),
            ("<a:x><s:y/><s:z/></a:x>", "<s:y/>"),
            (&format!("<s:x xmlns:s='{NS}'/><s:y/>"), "<s:y/>"),
            (
                &format!("<a:x><s:x xmlns:s='{NS}'><a:y/></s:x><s:y/></a:x>"),
                "<s:y/>",
            ),
        ] {
            let (body, svar) = with(open);
            let svar = svar.unwrap();
            assert_eq!(svar.check_exchange(Kontrakt::V10), Ok(()));
            let at = body.find(first).unwrap();
            let error = WireError::new("data", at, LEANING);
            assert_eq!(svar.check_exchange(Kontrakt::V11), Err(error), "{open}");
        }
    }

    #[test]
    fn what_stands_alone_can_be_exchanged() {
        for open in [
            "",
            "<a:x y='s:z'/>",
            "<s:x xmlns:s='urn:x'/>",
            &format!("<s:x xmlns:s='{NS}' s:z=''><s:y/></s:x>"),
            &format!("<x xmlns='{NS}'><y/></x>"),
            "<a:x>s:y</a:x>",
        ] {
            let svar = with(open).1.unwrap();
            assert_eq!(svar.check_exchange(Kontrakt::V11), Ok(()), "{open}");
        }
    }

    #[test]
    fn a_type_of_the_contract_is_refused_as_any_unknown_one() {
        for open in ["<a:x xsi:type='s:T'/>", "<a:x xsi:type=' s:T '/>"] {
            assert!(with(open).1.is_err(), "{open}");
        }
    }

    #[test]
    fn a_default_namespace_leans_until_it_is_undone() {
        let with = |open: &str| {
            let body = SVAR
                .replace("xmlns:s=", "xmlns=")
                .replace("<s:", "<")
                .replace("</s:", "</")
                .replacen("</data>", &format!("{open}</data>"), 1);
            let limits = Limits::default();
            Delsvar::read(
                Uppgiftslamnare::AF,
                Kontrakt::V10,
                Bytes::from(body),
                &limits,
            )
            .unwrap()
            .check_exchange(Kontrakt::V11)
        };
        assert_eq!(with("<a:x y=''/>"), Ok(()));
        assert_eq!(with("<a:x><y/></a:x>").unwrap_err().fault, LEANING);
        assert_eq!(with("<a:x><y xmlns=''/></a:x>"), Ok(()));
    }
}
