//! One start tag: its name, its attributes, and the namespaces in scope.

use std::borrow::Cow;
use std::ops::Range;

use super::chars::{is_name, is_ncname, is_whitespace, name_len};
use super::reference;
use super::{Limits, XML_NAMESPACE, XMLNS_NAMESPACE};
use crate::error::Fault;

/// An attribute that is not a namespace declaration.
#[derive(Clone, Debug)]
pub struct Attribute<'a> {
    /// Prefix, empty when there is none.
    pub prefix: &'a str,
    /// Name without prefix.
    pub local: &'a str,
    /// Namespace; an attribute without prefix is in none.
    pub namespace: Option<Cow<'a, str>>,
    /// Value as written, references not resolved.
    pub raw: &'a str,
    /// Offset of the name in the document.
    pub offset: usize,
}

impl<'a> Attribute<'a> {
    /// The value: references resolved, white space made blanks.
    #[must_use]
    pub fn value(&self) -> Cow<'a, str> {
        reference::attribute_value(self.raw)
    }
}

/// A namespace declaration (`xmlns="…"` or `xmlns:p="…"`).
#[derive(Clone, Debug)]
pub struct Declaration<'a> {
    /// The prefix it binds, empty for the default namespace.
    pub prefix: &'a str,
    /// The namespace name; empty undoes the default namespace.
    pub uri: Cow<'a, str>,
    /// Place of the whole attribute in the document, name and quotes included.
    pub span: Range<usize>,
    /// Place of the namespace name between its quotes, where references are not resolved.
    pub uri_span: Range<usize>,
    depth: usize,
}

/// Why a tag is refused: offset in the document, and the fault.
pub(super) type Refusal = (usize, Fault);

const fn bad(offset: usize, rule: &'static str) -> Refusal {
    (offset, Fault::NotWellFormed(rule))
}

/// Splits a qualified name into prefix and local name, and checks both.
pub(super) fn split_name(name: &str, namespaces: bool) -> Option<(&str, &str)> {
    if !namespaces {
        return is_name(name).then_some(("", name));
    }
    let (prefix, local) = match name.as_bytes().iter().position(|&b| b == b':') {
        Some(colon) => (&name[..colon], &name[colon + 1..]),
        None => return is_ncname(name).then_some(("", name)),
    };
    (is_ncname(prefix) && is_ncname(local)).then_some((prefix, local))
}

/// The attributes of the current element and the declarations in scope: two lists that are used
/// again for each element.
#[derive(Debug, Default)]
pub(super) struct Tags<'a> {
    pub(super) attributes: Vec<Attribute<'a>>,
    scope: Vec<Declaration<'a>>,
    /// Where the declarations of the current element begin in `scope`.
    own: usize,
}

impl<'a> Tags<'a> {
    /// Declarations of the current element.
    pub(super) fn declarations(&self) -> &[Declaration<'a>] {
        &self.scope[self.own..]
    }

    /// Declarations of the elements around the current one.
    pub(super) fn inherited(&self) -> &[Declaration<'a>] {
        &self.scope[..self.own]
    }

    /// Forgets the declarations of the element that closes at `depth`.
    pub(super) fn close(&mut self, depth: usize) {
        while self
            .scope
            .last()
            .is_some_and(|declared| declared.depth >= depth)
        {
            self.scope.pop();
        }
        self.own = self.scope.len();
        self.attributes.clear();
    }

    /// Reads the attributes of one tag: `span` is what stands between the element's name and the
    /// end of the tag.
    pub(super) fn read(
        &mut self,
        document: &'a str,
        span: Range<usize>,
        depth: usize,
        namespaces: bool,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        self.attributes.clear();
        self.own = self.scope.len();
        let mut at = span.start;
        while let Some((name, raw)) = next_attribute(document, at..span.end)? {
            if name.len() > limits.name_bytes_max {
                return Err((
                    name.start,
                    Fault::Limit("name_bytes_max", limits.name_bytes_max),
                ));
            }
            at = raw.end + 1;
            self.take(document, name, raw, depth, namespaces)?;
            let count = self.attributes.len() + self.scope.len() - self.own;
            if count > limits.attributes_max {
                return Err((at, Fault::Limit("attributes_max", limits.attributes_max)));
            }
        }
        if self.scope.len() > limits.namespaces_max {
            return Err((
                span.start,
                Fault::Limit("namespaces_max", limits.namespaces_max),
            ));
        }
        self.resolve_attributes()
    }

    fn take(
        &mut self,
        document: &'a str,
        name: Range<usize>,
        raw: Range<usize>,
        depth: usize,
        namespaces: bool,
    ) -> Result<(), Refusal> {
        let offset = name.start;
        let (prefix, local) =
            split_name(&document[name], namespaces).ok_or(bad(offset, "name of an attribute"))?;
        let raw_value = &document[raw.clone()];
        check_value(raw_value).map_err(|(inner, fault)| (raw.start + inner, fault))?;
        let declares = match (namespaces, prefix, local) {
            (true, "", "xmlns") => Some(""),
            (true, "xmlns", declared) => Some(declared),
            _ => None,
        };
        if let Some(prefix) = declares {
            let uri = reference::attribute_value(raw_value);
            check_declaration(prefix, &uri).map_err(|fault| (offset, fault))?;
            if self
                .declarations()
                .iter()
                .any(|other| other.prefix == prefix)
            {
                return Err(bad(offset, "attribute given twice"));
            }
            self.scope.push(Declaration {
                prefix,
                uri,
                span: offset..raw.end + 1,
                uri_span: raw,
                depth,
            });
        } else {
            let twin = |other: &Attribute<'_>| other.local == local && other.prefix == prefix;
            if self.attributes.iter().any(twin) {
                return Err(bad(offset, "attribute given twice"));
            }
            self.attributes.push(Attribute {
                prefix,
                local,
                namespace: None,
                raw: raw_value,
                offset,
            });
        }
        Ok(())
    }

    /// Gives each prefixed attribute its namespace, and refuses twins with different prefixes.
    fn resolve_attributes(&mut self) -> Result<(), Refusal> {
        for n in 0..self.attributes.len() {
            let Attribute {
                prefix,
                local,
                offset,
                ..
            } = self.attributes[n];
            if prefix.is_empty() {
                continue;
            }
            let namespace = self.namespace(prefix).map_err(|fault| (offset, fault))?;
            let twin = |other: &Attribute<'_>| other.local == local && other.namespace == namespace;
            if self.attributes[..n]
                .iter()
                .any(|other| !other.prefix.is_empty() && twin(other))
            {
                return Err(bad(offset, "attribute given twice"));
            }
            self.attributes[n].namespace = namespace;
        }
        Ok(())
    }

    /// The declaration that binds a prefix (empty: the default namespace) here.
    pub(super) fn declaration_of(&self, prefix: &str) -> Option<&Declaration<'a>> {
        let mut innermost_first = self.scope.iter().rev();
        innermost_first.find(|declared| declared.prefix == prefix)
    }

    /// The namespace that a prefix (empty: the default one) is bound to here.
    pub(super) fn namespace(&self, prefix: &str) -> Result<Option<Cow<'a, str>>, Fault> {
        match self.declaration_of(prefix) {
            Some(declared) if declared.uri.is_empty() => Ok(None),
            Some(declared) => Ok(Some(declared.uri.clone())),
            None if prefix.is_empty() => Ok(None),
            None if prefix == "xml" => Ok(Some(Cow::Borrowed(XML_NAMESPACE))),
            None => Err(Fault::NotWellFormed("prefix without declaration")),
        }
    }
}

/// Where the name of an attribute stands, and its value without quotes.
type NameAndValue = (Range<usize>, Range<usize>);

/// Finds the next attribute in `span`.
#[inline]
fn next_attribute(document: &str, span: Range<usize>) -> Result<Option<NameAndValue>, Refusal> {
    let bytes = &document.as_bytes()[..span.end];
    let skip_blank = |mut at: usize| {
        while bytes.get(at).is_some_and(|&b| is_whitespace(b)) {
            at += 1;
        }
        at
    };
    let start = skip_blank(span.start);
    if start == span.end {
        return Ok(None);
    }
    let name = start..start + name_len(&bytes[start..]);
    if start == span.start || name.is_empty() {
        return Err(bad(start, "start tag"));
    }
    let equals = skip_blank(name.end);
    if bytes.get(equals) != Some(&b'=') {
        return Err(bad(name.start, "attribute without value"));
    }
    let quote = skip_blank(equals + 1);
    let Some(&mark @ (b'"' | b'\'')) = bytes.get(quote) else {
        return Err(bad(name.start, "attribute value without quotes"));
    };
    let length = memchr::memchr(mark, &bytes[quote + 1..])
        .ok_or(bad(quote, "attribute value without end"))?;
    Ok(Some((name, quote + 1..quote + 1 + length)))
}

fn check_value(raw: &str) -> Result<(), Refusal> {
    match memchr::memchr2(b'<', b'&', raw.as_bytes()) {
        None => Ok(()),
        Some(_) => match memchr::memchr(b'<', raw.as_bytes()) {
            Some(at) => Err(bad(at, "< in an attribute value")),
            None => reference::check(raw),
        },
    }
}

/// The rules of Namespaces in XML 1.0, section 3.
fn check_declaration(prefix: &str, uri: &str) -> Result<(), Fault> {
    let allowed = match prefix {
        "xml" => uri == XML_NAMESPACE,
        "xmlns" => false,
        _ => {
            uri != XML_NAMESPACE && uri != XMLNS_NAMESPACE && (prefix.is_empty() || !uri.is_empty())
        }
    };
    if !allowed {
        return Err(Fault::NotWellFormed("namespace declaration"));
    }
    if uri.bytes().all(may_stand_in_uri) {
        Ok(())
    } else {
        Err(Fault::NotWellFormed("a namespace name that is no URI"))
    }
}

/// The characters of a URI reference (RFC 3986, appendix A), which a namespace name is. Other readers
/// refuse the whole document for one that is none: spliced into a reply, it would take everybody's
/// answers with it.
const fn may_stand_in_uri(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b':'
                | b'/'
                | b'?'
                | b'#'
                | b'['
                | b']'
                | b'@'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b'%'
        )
}
