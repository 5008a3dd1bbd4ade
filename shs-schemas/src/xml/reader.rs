//! The pull reader: quick-xml's events, checked as strictly as XML 1.0 and its namespaces ask.

use std::borrow::Cow;
use std::ops::Range;

use quick_xml::events::Event as Raw;

use super::chars::{find_illegal, is_whitespace, name_len};
use super::prolog::{self, DoctypeName};
use super::reference;
use super::tag::{Attribute, Declaration, Refusal, Tags, split_name};
use super::{Doctype, Limits};
use crate::error::{Fault, WireError};

/// Byte order mark in UTF-8.
const BOM: &str = "\u{FEFF}";

/// Whether names are read with namespaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Namespaces {
    /// Prefixes are resolved; one without declaration is refused.
    #[default]
    Resolve,
    /// A colon is a letter like any other (DTD-based documents).
    Ignore,
}

/// How a document is read.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Our name of the document: the element of every error.
    pub document: &'static str,
    /// What to do with a document type declaration.
    pub doctype: Doctype,
    /// Whether names are read with namespaces.
    pub namespaces: Namespaces,
}

impl Options {
    /// With namespaces, without document type declaration: SSBTEK and SOAP.
    #[must_use]
    pub const fn new(document: &'static str) -> Self {
        Self {
            document,
            doctype: Doctype::Refuse,
            namespaces: Namespaces::Resolve,
        }
    }

    /// Without namespaces, an external document type declaration skipped: SHS documents.
    #[must_use]
    pub const fn shs(document: &'static str) -> Self {
        Self {
            document,
            doctype: Doctype::SkipExternal,
            namespaces: Namespaces::Ignore,
        }
    }
}

/// A start tag. Its attributes are at [`Reader::attributes`] until the next event is read.
#[derive(Clone, Debug)]
pub struct Start<'a> {
    /// Prefix, empty when there is none (always empty with [`Namespaces::Ignore`]).
    pub prefix: &'a str,
    /// Name without prefix.
    pub local: &'a str,
    /// Namespace of the element.
    pub namespace: Option<Cow<'a, str>>,
    /// The whole tag in the document, from `<` to after `>`.
    pub span: Range<usize>,
    /// True for `<a/>`; an end event follows all the same, with an empty span.
    pub self_closing: bool,
}

impl Start<'_> {
    /// True when the element has this namespace and local name.
    #[must_use]
    #[inline]
    pub fn is(&self, namespace: &str, local: &str) -> bool {
        self.local == local && self.namespace.as_deref() == Some(namespace)
    }
}

/// A run of text, or the content of a CDATA section.
#[derive(Clone, Debug)]
pub struct Text<'a> {
    /// As written; in text references are events of their own.
    pub raw: &'a str,
    /// Place in the document (of a CDATA section: with its marks).
    pub span: Range<usize>,
}

impl<'a> Text<'a> {
    /// The text with line ends as XML wants them: LF only.
    #[must_use]
    pub fn value(&self) -> Cow<'a, str> {
        reference::line_ends(self.raw)
    }

    /// True when there is nothing but white space.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.raw.bytes().all(is_whitespace)
    }
}

/// What comes next in a document. Comments and processing instructions are checked and skipped.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// An element begins.
    Start(Start<'a>),
    /// The element opened last ends; the span is that of its end tag.
    End(Range<usize>),
    /// Text without references.
    Text(Text<'a>),
    /// A CDATA section.
    CData(Text<'a>),
    /// A resolved reference (`&amp;`, `&#229;`) and its place.
    Reference(char, Range<usize>),
    /// The end of a document that was well-formed.
    Eof,
}

/// The text of an element without child elements.
#[derive(Clone, Debug)]
pub struct Content<'a> {
    /// Text, references and CDATA sections put together.
    pub value: Cow<'a, str>,
    /// What stands between the start tag and the end tag.
    pub inner: Range<usize>,
    /// The end tag.
    pub end: Range<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Before,
    Inside,
    After,
}

/// Reads one document from beginning to end.
#[derive(Debug)]
pub struct Reader<'a> {
    inner: quick_xml::Reader<&'a [u8]>,
    document: &'a str,
    /// Length of the byte order mark: quick-xml does not see it.
    base: usize,
    options: Options,
    limits: Limits,
    place: Place,
    /// Names of the open elements.
    open: Vec<Range<usize>>,
    tags: Tags<'a>,
    /// Set after a self-closing tag: the end event still to be given.
    pending_end: Option<usize>,
    /// True when `]]>` stands anywhere, so that text must be searched for it.
    has_cdata_end: bool,
    doctype: Option<DoctypeName<'a>>,
}

impl<'a> Reader<'a> {
    /// A reader of `document`, which may begin with a byte order mark.
    ///
    /// # Errors
    /// When it is too long, or holds a character that XML does not allow.
    pub fn new(document: &'a str, options: Options, limits: Limits) -> Result<Self, WireError> {
        let fail = |offset, fault| Err(WireError::new(options.document, offset, fault));
        if document.len() > limits.bytes_max {
            return fail(
                limits.bytes_max,
                Fault::Limit("bytes_max", limits.bytes_max),
            );
        }
        if let Some(at) = find_illegal(document) {
            return fail(at, Fault::NotWellFormed("illegal character"));
        }
        let base = if document.starts_with(BOM) {
            BOM.len()
        } else {
            0
        };
        let text = &document[base..];
        if text.starts_with(BOM) {
            return fail(base, Fault::NotWellFormed("text outside the root"));
        }
        let mut inner = quick_xml::Reader::from_str(text);
        let config = inner.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        Ok(Self {
            inner,
            document,
            base,
            options,
            limits,
            place: Place::Before,
            open: Vec::with_capacity(8),
            tags: Tags::default(),
            pending_end: None,
            has_cdata_end: memchr::memmem::find(document.as_bytes(), b"]]>").is_some(),
            doctype: None,
        })
    }

    /// As [`Reader::new`], for bytes that should be UTF-8.
    ///
    /// # Errors
    /// As [`Reader::new`], and when the bytes are not UTF-8.
    pub fn from_bytes(
        bytes: &'a [u8],
        options: Options,
        limits: Limits,
    ) -> Result<Self, WireError> {
        if bytes.len() > limits.bytes_max {
            let fault = Fault::Limit("bytes_max", limits.bytes_max);
            return Err(WireError::new(options.document, limits.bytes_max, fault));
        }
        let document = std::str::from_utf8(bytes).map_err(|error| {
            WireError::new(options.document, error.valid_up_to(), Fault::Encoding)
        })?;
        Self::new(document, options, limits)
    }

    /// The document that is read; spans are ranges of it.
    #[must_use]
    pub const fn document(&self) -> &'a str {
        self.document
    }

    /// Attributes of the start tag read last, namespace declarations excluded.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute<'a>] {
        &self.tags.attributes
    }

    /// Namespace declarations of the start tag read last.
    #[must_use]
    pub fn declarations(&self) -> &[Declaration<'a>] {
        self.tags.declarations()
    }

    /// Namespace declarations of the elements around the one begun last, outermost first; one may
    /// be undone by a later one.
    #[must_use]
    pub fn inherited(&self) -> &[Declaration<'a>] {
        self.tags.inherited()
    }

    /// The namespace that a prefix (empty: the default one) is bound to in the start tag read last,
    /// for names that stand in values.
    #[must_use]
    pub fn namespace_of(&self, prefix: &str) -> Option<Cow<'a, str>> {
        self.tags.namespace(prefix).ok().flatten()
    }

    /// The declaration that binds a prefix (empty: the default namespace) in the start tag read
    /// last.
    #[must_use]
    pub fn declaration_of(&self, prefix: &str) -> Option<&Declaration<'a>> {
        self.tags.declaration_of(prefix)
    }

    /// Number of elements that are open.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// The document type declaration that was skipped, once the root has begun.
    #[must_use]
    pub const fn doctype(&self) -> Option<DoctypeName<'a>> {
        self.doctype
    }

    /// An error of the element `element` (one of our names) at `offset`.
    #[must_use]
    pub const fn error(&self, element: &'static str, offset: usize, fault: Fault) -> WireError {
        WireError::new(element, offset, fault)
    }

    /// The next event.
    ///
    /// # Errors
    /// At the first thing that is not well-formed, not allowed, or beyond a limit. The reader is
    /// of no use after that.
    pub fn next_event(&mut self) -> Result<Event<'a>, WireError> {
        self.advance()
            .map_err(|(offset, fault)| WireError::new(self.options.document, offset, fault))
    }

    fn advance(&mut self) -> Result<Event<'a>, Refusal> {
        if let Some(at) = self.pending_end.take() {
            return Ok(self.close(at..at));
        }
        loop {
            let start = self.position();
            let raw = self.inner.read_event().map_err(|error| {
                (
                    self.base + offset(self.inner.error_position()),
                    fault_of(&error),
                )
            })?;
            let span = start..self.position();
            match raw {
                Raw::Start(_) => return self.start(span, false),
                Raw::Empty(_) => return self.start(span, true),
                Raw::End(_) => return self.end(span),
                Raw::Text(_) => {
                    if let Some(event) = self.text(span)? {
                        return Ok(event);
                    }
                }
                Raw::CData(_) => return self.cdata(span),
                Raw::GeneralRef(_) => return self.reference(span),
                Raw::Comment(_) => self.comment(span)?,
                Raw::PI(_) => self.instruction(span)?,
                Raw::Decl(_) => self.declaration(span)?,
                Raw::DocType(_) => self.skip_doctype(span)?,
                Raw::Eof => return self.eof(start),
            }
        }
    }

    fn position(&self) -> usize {
        self.base + offset(self.inner.buffer_position())
    }

    fn start(&mut self, span: Range<usize>, self_closing: bool) -> Result<Event<'a>, Refusal> {
        if self.place == Place::After {
            return Err((span.start, Fault::NotWellFormed("second root")));
        }
        if self.open.len() == self.limits.depth_max {
            return Err((span.start, Fault::Limit("depth_max", self.limits.depth_max)));
        }
        self.place = Place::Inside;
        let tail = if self_closing { 2 } else { 1 };
        let name = span.start + 1;
        let name = name..name + name_len(&self.document.as_bytes()[name..span.end - tail]);
        if name.len() > self.limits.name_bytes_max {
            let limit = Fault::Limit("name_bytes_max", self.limits.name_bytes_max);
            return Err((name.start, limit));
        }
        let namespaces = self.options.namespaces == Namespaces::Resolve;
        let (prefix, local) = split_name(&self.document[name.clone()], namespaces)
            .filter(|&(prefix, _)| prefix != "xmlns")
            .ok_or((name.start, Fault::NotWellFormed("name of an element")))?;
        let depth = self.open.len() + 1;
        let attributes = name.end..span.end - tail;
        self.tags
            .read(self.document, attributes, depth, namespaces, &self.limits)?;
        let namespace = if namespaces {
            self.tags
                .namespace(prefix)
                .map_err(|fault| (name.start, fault))?
        } else {
            None
        };
        self.open.push(name);
        if self_closing {
            self.pending_end = Some(span.end);
        }
        Ok(Event::Start(Start {
            prefix,
            local,
            namespace,
            span,
            self_closing,
        }))
    }

    fn end(&mut self, span: Range<usize>) -> Result<Event<'a>, Refusal> {
        let bytes = self.document.as_bytes();
        let closes = self.open.last().is_some_and(|open| {
            let tag = &bytes[span.start + 2..span.end - 1];
            tag.strip_prefix(&bytes[open.clone()])
                .is_some_and(|rest| rest.iter().all(|&b| is_whitespace(b)))
        });
        if closes {
            Ok(self.close(span))
        } else {
            Err((
                span.start,
                Fault::NotWellFormed("end tag that closes nothing"),
            ))
        }
    }

    fn close(&mut self, span: Range<usize>) -> Event<'a> {
        self.tags.close(self.open.len());
        self.open.pop();
        if self.open.is_empty() {
            self.place = Place::After;
        }
        Event::End(span)
    }

    fn inside(&self, span: &Range<usize>) -> Result<(), Refusal> {
        if self.place == Place::Inside {
            Ok(())
        } else {
            Err((span.start, Fault::NotWellFormed("text outside the root")))
        }
    }

    fn text(&mut self, span: Range<usize>) -> Result<Option<Event<'a>>, Refusal> {
        let text = Text {
            raw: &self.document[span.clone()],
            span,
        };
        if self.place != Place::Inside {
            if text.is_blank() {
                return Ok(None);
            }
            self.inside(&text.span)?;
        }
        if self.has_cdata_end
            && let Some(at) = memchr::memmem::find(text.raw.as_bytes(), b"]]>")
        {
            return Err((text.span.start + at, Fault::NotWellFormed("]]> in text")));
        }
        Ok(Some(Event::Text(text)))
    }

    fn cdata(&mut self, span: Range<usize>) -> Result<Event<'a>, Refusal> {
        self.inside(&span)?;
        let content = span.start + "<![CDATA[".len()..span.end - "]]>".len();
        Ok(Event::CData(Text {
            raw: &self.document[content],
            span,
        }))
    }

    fn reference(&mut self, span: Range<usize>) -> Result<Event<'a>, Refusal> {
        self.inside(&span)?;
        let body = &self.document[span.start + 1..span.end - 1];
        let c = reference::resolve(body).map_err(|fault| (span.start, fault))?;
        Ok(Event::Reference(c, span))
    }

    fn comment(&self, span: Range<usize>) -> Result<(), Refusal> {
        const BAD: Fault = Fault::NotWellFormed("comment");
        let content = span.start + "<!--".len()..span.end.saturating_sub("-->".len());
        let content = self.document.get(content).ok_or((span.start, BAD))?;
        if content.ends_with('-') || memchr::memmem::find(content.as_bytes(), b"--").is_some() {
            return Err((span.start, BAD));
        }
        Ok(())
    }

    fn instruction(&self, span: Range<usize>) -> Result<(), Refusal> {
        prolog::processing_instruction(&self.document[span.start + 2..span.end - 2])
            .map_err(|fault| (span.start, fault))
    }

    fn declaration(&self, span: Range<usize>) -> Result<(), Refusal> {
        let fault = if span.start == self.base {
            let content = &self.document[span.start + "<?xml".len()..span.end - 2];
            prolog::declaration(content).err()
        } else {
            Some(Fault::NotWellFormed("XML declaration not at the start"))
        };
        fault.map_or(Ok(()), |fault| Err((span.start, fault)))
    }

    fn skip_doctype(&mut self, span: Range<usize>) -> Result<(), Refusal> {
        let expected = self.options.doctype == Doctype::SkipExternal
            && self.place == Place::Before
            && self.doctype.is_none();
        let content = self.document[span.clone()].strip_prefix("<!DOCTYPE");
        match content
            .and_then(|content| content.strip_suffix('>'))
            .filter(|_| expected)
        {
            Some(content) => {
                let named = prolog::doctype(content).map_err(|fault| (span.start, fault))?;
                self.doctype = Some(named);
                Ok(())
            }
            None => Err((span.start, Fault::Doctype)),
        }
    }

    fn eof(&self, at: usize) -> Result<Event<'a>, Refusal> {
        match self.place {
            Place::After => Ok(Event::Eof),
            Place::Inside => Err((at, Fault::NotWellFormed("element without end"))),
            Place::Before => Err((at, Fault::NotWellFormed("no root"))),
        }
    }

    /// Reads to the end of the element that began last, checking all within it, and returns its
    /// end tag.
    ///
    /// # Errors
    /// As [`Reader::next_event`].
    pub fn skip_element(&mut self) -> Result<Range<usize>, WireError> {
        let outside = self.open.len().saturating_sub(1);
        loop {
            if let Event::End(span) = self.next_event()?
                && self.open.len() == outside
            {
                return Ok(span);
            }
        }
    }

    /// Reads the text of the element that began last, to its end; `element` is our name of it.
    ///
    /// # Errors
    /// As [`Reader::next_event`], and [`Fault::Unexpected`] at a child element.
    pub fn read_text(&mut self, element: &'static str) -> Result<Content<'a>, WireError> {
        let start = self.pending_end.unwrap_or_else(|| self.position());
        let mut value = Cow::Borrowed("");
        loop {
            match self.next_event()? {
                Event::Text(text) | Event::CData(text) => append(&mut value, text.value()),
                Event::Reference(c, _) => value.to_mut().push(c),
                Event::End(end) => {
                    return Ok(Content {
                        value,
                        inner: start..end.start,
                        end,
                    });
                }
                Event::Start(child) => {
                    return Err(WireError::new(element, child.span.start, Fault::Unexpected));
                }
                Event::Eof => {
                    let fault = Fault::NotWellFormed("element without end");
                    return Err(WireError::new(element, self.position(), fault));
                }
            }
        }
    }
}

fn append<'a>(value: &mut Cow<'a, str>, more: Cow<'a, str>) {
    if value.is_empty() {
        *value = more;
    } else if !more.is_empty() {
        value.to_mut().push_str(&more);
    }
}

/// quick-xml counts in `u64`; the document is in memory, so the offset fits.
fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

/// What quick-xml itself refuses. Its message is not kept: it may quote the input.
fn fault_of(error: &quick_xml::Error) -> Fault {
    match error {
        quick_xml::Error::Encoding(_) => Fault::Encoding,
        quick_xml::Error::Escape(_) => Fault::Entity,
        quick_xml::Error::IllFormed(quick_xml::errors::IllFormedError::UnclosedReference) => {
            Fault::NotWellFormed("reference without end")
        }
        _ => Fault::NotWellFormed("markup without end"),
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
