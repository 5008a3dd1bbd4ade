//! Reading and writing the small XML documents of SHS: no namespaces, a DOCTYPE that is never
//! loaded, lenient in and strict out (shs-1.2, 3.1).

use std::borrow::Cow;
use std::fmt::{self, Display, Write};

use crate::error::{Fault, WireError};
use crate::xml::{self, Event, Options, Reader, Start};

/// Deepest nesting of an SHS document; the agreement needs seven.
const DEPTH_MAX: usize = 16;
/// Most attributes of one element; the label needs nine.
const ATTRIBUTES_MAX: usize = 24;

/// A document being read, element by element.
pub(super) struct Document<'a> {
    reader: Reader<'a>,
}

/// An attribute value and where it stands.
#[derive(Clone)]
pub(super) struct Value<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) offset: usize,
}

impl<'a> Document<'a> {
    /// Opens a document and enters its root, which must be called `root`.
    pub(super) fn open(
        text: &'a str,
        root: &'static str,
        bytes_max: usize,
    ) -> Result<Self, WireError> {
        Self::open_one_of(text, root, &[root], bytes_max)
    }

    /// The same for a document whose root has several names; `document` is ours, for errors.
    pub(super) fn open_one_of(
        text: &'a str,
        document: &'static str,
        roots: &[&str],
        bytes_max: usize,
    ) -> Result<Self, WireError> {
        let limits = xml::Limits {
            bytes_max,
            depth_max: DEPTH_MAX,
            attributes_max: ATTRIBUTES_MAX,
            ..xml::Limits::default()
        };
        let reader = Reader::new(text, Options::shs(document), limits)?;
        let mut opened = Self { reader };
        match opened.child()? {
            Some(start) if roots.contains(&start.local) => Ok(opened),
            start => {
                let offset = start.map_or(0, |start| start.span.start);
                Err(WireError::new(document, offset, Fault::Missing))
            }
        }
    }

    /// The next child of the element that was entered last; `None` at its end. Every child that
    /// is returned must be read to its end, with `child`, `text` or `skip`.
    pub(super) fn child(&mut self) -> Result<Option<Start<'a>>, WireError> {
        loop {
            match self.reader.next_event()? {
                Event::Start(start) => return Ok(Some(start)),
                Event::End(_) | Event::Eof => return Ok(None),
                Event::Text(_) | Event::CData(_) | Event::Reference(..) => {}
            }
        }
    }

    /// Passes over an element that does not matter.
    pub(super) fn skip(&mut self) -> Result<(), WireError> {
        self.reader.skip_element().map(|_| ())
    }

    /// The text of the element that was entered last.
    pub(super) fn text(&mut self, element: &'static str) -> Result<Cow<'a, str>, WireError> {
        self.reader.read_text(element).map(|content| content.value)
    }

    /// An attribute of the element that was entered last. Read attributes before content.
    pub(super) fn attribute(&self, name: &str) -> Option<Value<'a>> {
        let found = self.reader.attributes().iter().find(|a| a.local == name)?;
        Some(Value {
            text: found.value(),
            offset: found.offset,
        })
    }

    /// The same, its text alone.
    pub(super) fn attribute_text(&self, name: &str) -> Option<String> {
        self.attribute(name).map(|value| value.text.into_owned())
    }

    /// Reads to the end, so that all of the document is known to be well-formed.
    pub(super) fn finish(mut self) -> Result<(), WireError> {
        while !matches!(self.reader.next_event()?, Event::Eof) {}
        Ok(())
    }
}

/// A document being written: ASCII only, every other character as a numeric reference, so that no
/// mix-up of charsets on the way can harm it (shs-1.2, 2.7).
pub(super) struct Output {
    text: String,
    pretty: bool,
    depth: usize,
}

impl Output {
    /// Begins with declaration and DOCTYPE. `pretty` puts each element on a line of its own.
    pub(super) fn new(root: &str, dtd: &str, pretty: bool) -> Self {
        let mut text = String::with_capacity(2048);
        text.push_str("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<!DOCTYPE ");
        text.push_str(root);
        text.push_str(" SYSTEM \"");
        text.push_str(dtd);
        text.push_str("\">\n<");
        text.push_str(root);
        Self {
            text,
            pretty,
            depth: 0,
        }
    }

    /// Begins a child; attributes may follow, then `text`, `children` or `empty`.
    pub(super) fn open(&mut self, name: &str) {
        self.line();
        self.text.push('<');
        self.text.push_str(name);
    }

    pub(super) fn attribute(&mut self, name: &str, value: &str) {
        self.text.push(' ');
        self.text.push_str(name);
        self.text.push_str("=\"");
        self.escaped(value, true);
        self.text.push('"');
    }

    /// An attribute of whatever can be shown, without a text of its own being made.
    pub(super) fn attribute_shown(&mut self, name: &str, value: impl Display) {
        self.text.push(' ');
        self.text.push_str(name);
        self.text.push_str("=\"");
        // Writing to a String cannot fail.
        let _ = write!(AttributeValue(self), "{value}");
        self.text.push('"');
    }

    pub(super) fn attribute_if(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.attribute(name, value);
        }
    }

    /// Ends the start tag; children follow, then `close`.
    pub(super) fn children(&mut self) {
        self.text.push('>');
        self.depth += 1;
    }

    pub(super) fn close(&mut self, name: &str) {
        self.depth -= 1;
        self.line();
        self.end_tag(name);
    }

    /// Ends the start tag, and the element with its text.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.text.push('>');
        self.escaped(value, false);
        self.end_tag(name);
    }

    /// Ends an element without content.
    pub(super) fn empty(&mut self) {
        self.text.push_str("/>");
    }

    /// Writes an element without attributes.
    pub(super) fn leaf(&mut self, name: &str, value: &str) {
        self.open(name);
        self.text(name, value);
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    fn end_tag(&mut self, name: &str) {
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }

    fn line(&mut self) {
        if self.pretty {
            self.text.push('\n');
            for _ in 0..self.depth {
                self.text.push_str("  ");
            }
        }
    }

    /// Plain text is copied run by run. Characters that XML cannot hold at all are left out.
    fn escaped(&mut self, value: &str, attribute: bool) {
        let mut rest = value;
        while let Some(at) = rest.bytes().position(|byte| !is_plain(byte)) {
            let (plain, more) = rest.split_at(at);
            self.text.push_str(plain);
            let mut more = more.chars();
            if let Some(c) = more.next() {
                self.escaped_char(c, attribute);
            }
            rest = more.as_str();
        }
        self.text.push_str(rest);
    }

    fn escaped_char(&mut self, c: char, attribute: bool) {
        match c {
            '&' => self.text.push_str("&amp;"),
            '<' => self.text.push_str("&lt;"),
            '>' => self.text.push_str("&gt;"),
            '"' if attribute => self.text.push_str("&quot;"),
            '"' => self.text.push(c),
            '\n' | '\t' if !attribute => self.text.push(c),
            '\t' | '\n' | '\r' | '\u{7F}'.. if !matches!(c, '\u{FFFE}' | '\u{FFFF}') => {
                // Writing to a String cannot fail.
                let _ = write!(self.text, "&#{};", u32::from(c));
            }
            _ => {}
        }
    }
}

/// True for ASCII that is written as it is, in text and in attributes.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'&' | b'<' | b'>' | b'"')
}

/// Escapes what is written to it as an attribute's value.
struct AttributeValue<'a>(&'a mut Output);

impl Write for AttributeValue<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.escaped(text, true);
        Ok(())
    }
}
