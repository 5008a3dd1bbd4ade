//! Walks through a document of the contract element by element, and refuses what the schema does
//! not have: other elements, other order, other attributes, text between elements.

use std::ops::Range;

use super::Kontrakt;
use super::versionsbyte::Bindningar;
use crate::error::{Fault, WireError};
use crate::xml::{Content, Event, Limits, Options, Reader, Start, XSI_NAMESPACE};

/// Attributes of any element that say something about schemas and nothing about content.
/// `xsi:type` and `xsi:nil` are refused: no element of the contract may be nil or of another type.
const XSI_ATTRIBUTES: &[&str] = &["schemaLocation", "noNamespaceSchemaLocation"];

/// Where a cursor stands within its parent.
enum Ahead<'a> {
    Unknown,
    Child(Start<'a>),
    End(Range<usize>),
}

/// A cursor over elements in one namespace.
///
/// Names of elements are given as paths (`ingivare/namn`): errors show the path, the last part is
/// the name in the document.
pub(super) struct Cursor<'a> {
    reader: Reader<'a>,
    namespace: &'static str,
    ahead: Ahead<'a>,
    bindningar: Bindningar,
}

/// The name in the document of an element known by its path.
fn local(path: &'static str) -> &'static str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

impl<'a> Cursor<'a> {
    /// Opens `document` and returns its root, whatever its name is.
    pub(super) fn open(
        document: &'a str,
        name: &'static str,
        limits: &Limits,
    ) -> Result<(Self, Start<'a>), WireError> {
        let mut reader = Reader::new(document, Options::new(name), *limits)?;
        match reader.next_event()? {
            Event::Start(root) => {
                let cursor = Self {
                    reader,
                    namespace: "",
                    ahead: Ahead::Unknown,
                    bindningar: Bindningar::default(),
                };
                Ok((cursor, root))
            }
            // The reader gives no other event before the root.
            _ => Err(WireError::new(name, 0, Fault::Missing)),
        }
    }

    /// From here on elements are those of `kontrakt`.
    pub(super) fn set_kontrakt(&mut self, kontrakt: Kontrakt) {
        self.set_namespace(kontrakt.namespace());
        self.bindningar = Bindningar::default();
        self.bindningar.note_inherited(&self.reader, self.namespace);
        self.bindningar.note(&self.reader, self.namespace);
    }

    /// From here on elements are those of this namespace.
    pub(super) fn set_namespace(&mut self, namespace: &'static str) {
        self.namespace = namespace;
    }

    /// Where the elements that were walked through bind the namespace of the contract.
    pub(super) fn take_bindningar(&mut self) -> Bindningar {
        std::mem::take(&mut self.bindningar)
    }

    pub(super) fn reader(&self) -> &Reader<'a> {
        &self.reader
    }

    /// Lends the reader just after the start of an element, to whoever reads that element to its
    /// end. Call it only then: the cursor must not have looked further.
    pub(super) fn reader_mut(&mut self) -> &mut Reader<'a> {
        debug_assert!(matches!(self.ahead, Ahead::Unknown), "looked further");
        &mut self.reader
    }

    /// Refuses attributes of the element begun last that are in no schema; those without
    /// namespace named in `own` are left to the caller.
    pub(super) fn check_attributes(
        &self,
        element: &'static str,
        own: &[&str],
    ) -> Result<(), WireError> {
        for attribute in self.reader.attributes() {
            let known = match attribute.namespace.as_deref() {
                None => own.contains(&attribute.local),
                Some(XSI_NAMESPACE) => XSI_ATTRIBUTES.contains(&attribute.local),
                Some(_) => false,
            };
            if !known {
                let fault = Fault::Invalid("an attribute that the schema does not know");
                return Err(WireError::new(element, attribute.offset, fault));
            }
        }
        Ok(())
    }

    fn look(&mut self, parent: &'static str) -> Result<(), WireError> {
        if !matches!(self.ahead, Ahead::Unknown) {
            return Ok(());
        }
        self.ahead = loop {
            let at = match self.reader.next_event()? {
                Event::Start(start) => {
                    self.bindningar.note(&self.reader, self.namespace);
                    break Ahead::Child(start);
                }
                Event::End(span) => break Ahead::End(span),
                Event::Text(text) if text.is_blank() => continue,
                Event::Text(text) | Event::CData(text) => text.span.start,
                // White space is white space however it is written; in CDATA it is refused, as by
                // schema validators.
                Event::Reference(' ' | '\t' | '\n' | '\r', _) => continue,
                Event::Reference(_, span) => span.start,
                Event::Eof => self.reader.document().len(),
            };
            return Err(WireError::new(
                parent,
                at,
                Fault::Invalid("text between elements"),
            ));
        };
        Ok(())
    }

    /// The next child of `parent`, whatever it is; `None` at its end.
    pub(super) fn any_child(
        &mut self,
        parent: &'static str,
    ) -> Result<Option<Start<'a>>, WireError> {
        self.look(parent)?;
        match std::mem::replace(&mut self.ahead, Ahead::Unknown) {
            Ahead::Child(start) => Ok(Some(start)),
            other => {
                self.ahead = other;
                Ok(None)
            }
        }
    }

    /// The child `path` of `parent`, if it comes next; its attributes are not checked.
    pub(super) fn optional_raw(
        &mut self,
        parent: &'static str,
        path: &'static str,
    ) -> Result<Option<Start<'a>>, WireError> {
        self.look(parent)?;
        let named = match &self.ahead {
            Ahead::Child(start) => start.is(self.namespace, local(path)),
            _ => false,
        };
        if named {
            self.any_child(parent)
        } else {
            Ok(None)
        }
    }

    /// The child `path` of `parent`, if it comes next.
    pub(super) fn optional(
        &mut self,
        parent: &'static str,
        path: &'static str,
    ) -> Result<Option<Start<'a>>, WireError> {
        let start = self.optional_raw(parent, path)?;
        if start.is_some() {
            self.check_attributes(path, &[])?;
        }
        Ok(start)
    }

    /// The child `path` of `parent`, which must come next.
    pub(super) fn required(
        &mut self,
        parent: &'static str,
        path: &'static str,
    ) -> Result<Start<'a>, WireError> {
        match self.optional(parent, path)? {
            Some(start) => Ok(start),
            None => Err(self.missing(path)),
        }
    }

    /// The error that `path` does not stand here.
    pub(super) fn missing(&self, path: &'static str) -> WireError {
        let at = match &self.ahead {
            Ahead::Child(start) => start.span.start,
            Ahead::End(span) => span.start,
            Ahead::Unknown => 0,
        };
        WireError::new(path, at, Fault::Missing)
    }

    /// The end of `parent`, which must have no more children.
    pub(super) fn end(&mut self, parent: &'static str) -> Result<Range<usize>, WireError> {
        self.look(parent)?;
        match std::mem::replace(&mut self.ahead, Ahead::Unknown) {
            Ahead::End(span) => Ok(span),
            Ahead::Child(start) => {
                let fault = Fault::Invalid("a child element that the schema does not have here");
                Err(WireError::new(parent, start.span.start, fault))
            }
            Ahead::Unknown => Err(WireError::new(parent, 0, Fault::Missing)),
        }
    }

    /// The end of an element that may hold nothing, not even white space.
    pub(super) fn end_of_empty(&mut self, path: &'static str) -> Result<Range<usize>, WireError> {
        let content = self.reader.read_text(path)?;
        if content.value.is_empty() {
            Ok(content.end)
        } else {
            let fault = Fault::Invalid("must be empty, without white space");
            Err(WireError::new(path, content.inner.start, fault))
        }
    }

    /// The text of the element begun last.
    pub(super) fn text(&mut self, path: &'static str) -> Result<Content<'a>, WireError> {
        self.reader.read_text(path)
    }

    /// Reads the element begun last to its end; only its form is checked.
    pub(super) fn skip(&mut self) -> Result<Range<usize>, WireError> {
        self.reader.skip_element()
    }

    /// Text of the required child `path`, put through `check`.
    pub(super) fn required_text<T>(
        &mut self,
        parent: &'static str,
        path: &'static str,
        check: impl FnOnce(&Content<'a>) -> Result<T, &'static str>,
    ) -> Result<T, WireError> {
        self.required(parent, path)?;
        self.checked_text(path, check)
    }

    /// Text of the element begun last, put through `check`.
    pub(super) fn checked_text<T>(
        &mut self,
        path: &'static str,
        check: impl FnOnce(&Content<'a>) -> Result<T, &'static str>,
    ) -> Result<T, WireError> {
        let content = self.text(path)?;
        check(&content)
            .map_err(|rule| WireError::new(path, content.inner.start, Fault::Invalid(rule)))
    }

    /// Text of the optional child `path`, put through `check`.
    pub(super) fn optional_text<T>(
        &mut self,
        parent: &'static str,
        path: &'static str,
        check: impl FnOnce(&Content<'a>) -> Result<T, &'static str>,
    ) -> Result<Option<T>, WireError> {
        match self.optional(parent, path)? {
            Some(_) => self.checked_text(path, check).map(Some),
            None => Ok(None),
        }
    }

    /// Checks that the document ends after its root.
    pub(super) fn finish(mut self) -> Result<(), WireError> {
        // After the root the reader gives nothing but the end or an error.
        self.reader.next_event().map(|_| ())
    }
}
