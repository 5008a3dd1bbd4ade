//! Compares a document with a structure table in one pass of the strict reader: nothing is kept of
//! an element but its place in its parent, and nothing is read twice. Decides as schema validators
//! do; where it is stricter a comment says so, and `tests/answers_follow_their_schema.rs` lists it.

use super::bilaga3;
use super::leaning::Leaning;
use super::structure::{Content, Element, Nil, Open, QName, Type};
use super::{Falt, simple};
use crate::error::{Fault, WireError};
use crate::ssbtek::xsd;
use crate::xml::{self, Attribute, Event, Limits, Options, Reader, Start, XSI_NAMESPACE};

pub(super) const NOT_HERE: Fault =
    Fault::Invalid("a child element that the schema does not have here");

/// What comes next in an element that holds elements.
enum Next<'a> {
    Child(Start<'a>),
    /// The end of the parent; its offset.
    End(usize),
}

/// A walk through one document.
pub(super) struct Walk<'r, 'a> {
    pub(super) reader: &'r mut Reader<'a>,
    limits: &'r Limits,
    /// Whether there is a list of what the party may give out, so that open content is noted.
    pub(super) has_list: bool,
    /// A name that open content may not have.
    pub(super) misplaced: Option<QName>,
    /// Whether open content leans on the elements around what is walked through, if any.
    pub(super) leaning: Option<Leaning>,
    /// Fields with content that the list does not have.
    pub(super) fields: Vec<Falt>,
}

impl Element {
    /// True when `start` begins this element.
    #[inline]
    pub(super) fn is(&self, start: &Start<'_>) -> bool {
        start.local == self.local && start.namespace.as_deref() == self.namespace
    }
}

impl<'r, 'a> Walk<'r, 'a> {
    pub(super) const fn new(reader: &'r mut Reader<'a>, limits: &'r Limits) -> Self {
        Self {
            reader,
            limits,
            has_list: false,
            misplaced: None,
            leaning: None,
            fields: Vec::new(),
        }
    }

    /// Reads the element begun last, to its end; its name is already checked. It began at `at`.
    ///
    /// # Errors
    /// Where the document first is not as the table has it.
    pub(super) fn element(&mut self, element: &Element, at: usize) -> Result<(), WireError> {
        let path = element.path;
        if self.attributes(element, at)? {
            return self.nothing(path);
        }
        let has_value = match &element.of.content {
            Content::Text => self.text(path)?,
            Content::Checked(check) => {
                let text = self.reader.read_text(path)?;
                check(&text.value)
                    .map_err(|rule| WireError::new(path, text.inner.start, Fault::Invalid(rule)))?;
                !xml::trim(&text.value).is_empty()
            }
            Content::Document(namn) => self.document(path, namn)?,
            Content::Sequence(children, open) => return self.sequence(path, children, *open),
            Content::Free => return self.reader.skip_element().map(|_| ()),
        };
        if has_value && !element.allowed {
            bilaga3::note(&mut self.fields, element.local, at);
        }
        Ok(())
    }

    /// The children of `path`, to its end.
    fn sequence(
        &mut self,
        path: &'static str,
        children: &'static [Element],
        open: Open,
    ) -> Result<(), WireError> {
        let (mut place, mut seen) = (0, 0);
        loop {
            let start = match self.next(path)? {
                Next::Child(start) => start,
                Next::End(at) => return still_missing(children, place, seen, at),
            };
            let at = start.span.start;
            loop {
                let Some(child) = children.get(place) else {
                    self.open(path, open, &start)?;
                    break;
                };
                if seen < child.max && child.is(&start) {
                    seen += 1;
                    self.element(child, at)?;
                    break;
                }
                if seen < child.min {
                    return Err(WireError::new(child.path, at, Fault::Missing));
                }
                (place, seen) = (place + 1, 0);
            }
        }
    }

    fn next(&mut self, parent: &'static str) -> Result<Next<'a>, WireError> {
        loop {
            let at = match self.reader.next_event()? {
                Event::Start(start) => return Ok(Next::Child(start)),
                Event::End(span) => return Ok(Next::End(span.start)),
                Event::Text(text) if text.is_blank() => continue,
                // White space is white space however it is written; in CDATA it is refused, even
                // an empty one, as by schema validators.
                Event::Reference(' ' | '\t' | '\n' | '\r', _) => continue,
                Event::Text(text) | Event::CData(text) => text.span.start,
                Event::Reference(_, span) => span.start,
                Event::Eof => self.reader.document().len(),
            };
            let fault = Fault::Invalid("text between elements");
            return Err(WireError::new(parent, at, fault));
        }
    }

    /// Text of any kind, not put together; true when there is more than white space.
    fn text(&mut self, path: &'static str) -> Result<bool, WireError> {
        let mut has_value = false;
        loop {
            match self.reader.next_event()? {
                Event::Text(text) | Event::CData(text) => has_value |= !text.is_blank(),
                Event::Reference(c, _) => has_value |= !c.is_ascii_whitespace(),
                Event::End(_) => return Ok(has_value),
                Event::Start(child) => {
                    return Err(WireError::new(path, child.span.start, Fault::Unexpected));
                }
                Event::Eof => {
                    let fault = Fault::NotWellFormed("element without end");
                    return Err(WireError::new(path, self.reader.document().len(), fault));
                }
            }
        }
    }

    /// Text that is blank, or a document. White space around it is let through: it says nothing,
    /// and whoever lays out the text around a CDATA section adds it. Errors have offsets of the
    /// inner document.
    fn document(&mut self, path: &'static str, namn: &'static str) -> Result<bool, WireError> {
        let text = self.reader.read_text(path)?;
        let document = xml::trim(&text.value);
        if document.is_empty() {
            return Ok(false);
        }
        let mut inner = Reader::new(document, Options::new(namn), *self.limits)?;
        while !matches!(inner.next_event()?, Event::Eof) {}
        Ok(true)
    }

    /// Nothing at all, as in an element that is nil.
    fn nothing(&mut self, path: &'static str) -> Result<(), WireError> {
        match self.reader.next_event()? {
            Event::End(_) => Ok(()),
            Event::Text(text) | Event::CData(text) => Err(text.span.start),
            Event::Reference(_, span) => Err(span.start),
            Event::Start(child) => Err(child.span.start),
            Event::Eof => Err(self.reader.document().len()),
        }
        .map_err(|at| WireError::new(path, at, Fault::Invalid("nil with content")))
    }

    /// Checks the attributes of the element begun last; true when it is nil.
    fn attributes(&self, element: &Element, at: usize) -> Result<bool, WireError> {
        let mut nil = false;
        for attribute in self.reader.attributes() {
            nil |= self
                .attribute(element, attribute)
                .map_err(|fault| WireError::new(element.path, attribute.offset, fault))?;
        }
        let missing = element.of.attributes.iter().any(|known| {
            known.required
                && !self
                    .reader
                    .attributes()
                    .iter()
                    .any(|given| given.prefix.is_empty() && given.local == known.namn)
        });
        if missing {
            let fault = Fault::Invalid("without an attribute that the schema requires");
            return Err(WireError::new(element.path, at, fault));
        }
        Ok(nil)
    }

    fn attribute(&self, element: &Element, given: &Attribute<'_>) -> Result<bool, Fault> {
        const UNKNOWN: Fault = Fault::Invalid("an attribute that the schema does not know");
        match (given.namespace.as_deref(), given.local) {
            (Some(XSI_NAMESPACE), "schemaLocation" | "noNamespaceSchemaLocation") => Ok(false),
            (Some(XSI_NAMESPACE), "nil") => match element.nil {
                Nil::Allowed => xsd::boolean(&given.value()).map_err(Fault::Invalid),
                Nil::Ignored => Ok(false),
                Nil::Refused => Err(Fault::Invalid("may not be nil")),
            },
            _ if matches!(element.of.content, Content::Free) => Ok(false),
            (None, local) => {
                let mut known = element.of.attributes.iter();
                let check = known
                    .find(|known| known.namn == local)
                    .ok_or(UNKNOWN)?
                    .check;
                check(&given.value())
                    .map_err(Fault::Invalid)
                    .map(|()| false)
            }
            // Stricter: a validator also takes types derived from it.
            (Some(XSI_NAMESPACE), "type") if self.names(given, element.of) => Ok(false),
            (Some(XSI_NAMESPACE), "type") => Err(Fault::Invalid("says it has another type")),
            (Some(_), _) => Err(UNKNOWN),
        }
    }

    /// True when the value of this `xsi:type` is the name of `of`.
    fn names(&self, given: &Attribute<'_>, of: &Type) -> bool {
        let value = given.value();
        let value = xml::trim(&value);
        let (prefix, local) = value.split_once(':').unwrap_or(("", value));
        of.namn.is_some_and(|namn| {
            namn.local == local
                && self.reader.namespace_of(prefix).as_deref() == Some(namn.namespace)
        })
    }

    /// The built-in type that the element begun last says it has, if it says anything but that it
    /// may be anything.
    pub(super) fn own_type(&self) -> Option<(usize, Option<&'static Type>)> {
        let given = self.reader.attributes().iter().find(|given| {
            given.local == "type"
                && given.namespace.as_deref() == Some(XSI_NAMESPACE)
                && !self.names(given, &simple::ANY)
        })?;
        let known = simple::BUILTIN.iter().find(|of| self.names(given, of));
        Some((given.offset, known.copied()))
    }
}

/// At the end of a parent: which required child has not come.
fn still_missing(
    children: &[Element],
    place: usize,
    seen: u32,
    at: usize,
) -> Result<(), WireError> {
    let mut seen = seen;
    for child in children.iter().skip(place) {
        if seen < child.min {
            return Err(WireError::new(child.path, at, Fault::Missing));
        }
        seen = 0;
    }
    Ok(())
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
