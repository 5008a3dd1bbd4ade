//! What an authority's schema says of its elements, as static tables: which children, in which
//! order, how often, with which text. One table per party stands beside this file; [`super::walk`]
//! compares a document with it.

use super::bilaga3::Bilaga3;
use crate::ssbtek::xsd::Rule;

/// Checks a text against a simple type.
pub(super) type Check = fn(&str) -> Result<(), Rule>;

/// As often as it likes.
pub(super) const UNBOUNDED: u32 = u32::MAX;

/// A name with its namespace.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct QName {
    pub namespace: &'static str,
    pub local: &'static str,
}

/// Wildcard at the end of a sequence.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    /// No more children.
    Closed,
    /// Any elements (`##any`, lax).
    Any,
    /// Elements of other namespaces than this one; those in none are not others (`##other`, lax).
    Other(&'static str),
}

/// What stands between start tag and end tag.
pub(super) enum Content {
    /// Text, any.
    Text,
    /// Text that follows a rule.
    Checked(Check),
    /// These children in this order, then what the wildcard lets in. All sequences of the contract
    /// can be read without looking back.
    Sequence(&'static [Element], Open),
    /// Text that is a document of its own, unless blank; our name of that document.
    Document(&'static str),
    /// Anything: a type whose schema nobody has.
    Free,
}

/// An attribute in no namespace.
pub(super) struct Attribute {
    pub namn: &'static str,
    pub required: bool,
    pub check: Check,
}

/// What `xsi:nil` means on an element.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Nil {
    /// It may not be there.
    Refused,
    /// It may be there; if true the element is empty.
    Allowed,
    /// Nothing: the element is not declared.
    Ignored,
}

/// A type of the schema.
pub(super) struct Type {
    /// Its name, for `xsi:type`; anonymous types have none.
    pub namn: Option<QName>,
    pub attributes: &'static [Attribute],
    pub content: Content,
}

/// An element and how often it may come.
pub(super) struct Element {
    /// Path in errors, without anything of the document (`Svar/Fornamn`).
    pub path: &'static str,
    /// The last part of the path.
    pub local: &'static str,
    pub namespace: Option<&'static str>,
    pub min: u32,
    pub max: u32,
    pub nil: Nil,
    /// Whether the party may give out a value here; true where nobody has a list.
    pub allowed: bool,
    pub of: &'static Type,
}

impl Type {
    /// A simple type.
    pub(super) const fn simple(namespace: &'static str, local: &'static str, check: Check) -> Self {
        Self {
            namn: Some(QName { namespace, local }),
            attributes: &[],
            content: Content::Checked(check),
        }
    }

    /// A type with a name and with children.
    pub(super) const fn named(
        namespace: &'static str,
        local: &'static str,
        children: &'static [Element],
        open: Open,
    ) -> Self {
        Self {
            namn: Some(QName { namespace, local }),
            attributes: &[],
            content: Content::Sequence(children, open),
        }
    }

    /// A type without name, with children and no wildcard.
    pub(super) const fn of(children: &'static [Element]) -> Self {
        Self::anonymous(Content::Sequence(children, Open::Closed))
    }

    /// A type without name.
    pub(super) const fn anonymous(content: Content) -> Self {
        Self {
            namn: None,
            attributes: &[],
            content,
        }
    }

    /// The same with attributes.
    pub(super) const fn with(mut self, attributes: &'static [Attribute]) -> Self {
        self.attributes = attributes;
        self
    }
}

impl Element {
    /// An element that must come exactly once.
    pub(super) const fn one(
        namespace: Option<&'static str>,
        path: &'static str,
        of: &'static Type,
    ) -> Self {
        Self {
            path,
            local: last(path),
            namespace,
            min: 1,
            max: 1,
            nil: Nil::Refused,
            allowed: true,
            of,
        }
    }

    /// It may be absent.
    pub(super) const fn optional(mut self) -> Self {
        self.min = 0;
        self
    }

    /// It may be absent or come up to `max` times.
    pub(super) const fn up_to(mut self, max: u32) -> Self {
        self.min = 0;
        self.max = max;
        self
    }

    /// It may have a value if `list` allows that.
    pub(super) const fn listed(mut self, list: &Bilaga3) -> Self {
        self.allowed = list.allows(self.path);
        self
    }

    /// It may be nil.
    pub(super) const fn nillable(mut self) -> Self {
        self.nil = Nil::Allowed;
        self
    }

    /// It is not declared: it only says that it has this type.
    pub(super) const fn undeclared(mut self) -> Self {
        self.nil = Nil::Ignored;
        self
    }
}

/// The part of a path after its last slash.
const fn last(path: &'static str) -> &'static str {
    let bytes = path.as_bytes();
    let mut at = bytes.len();
    while at > 0 && bytes[at - 1] != b'/' {
        at -= 1;
    }
    path.split_at(at).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_in_the_document_is_the_last_part_of_the_path() {
        assert_eq!((last("data"), last("a/b/c"), last("a/")), ("data", "c", ""));
    }
}
