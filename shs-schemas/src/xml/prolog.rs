//! What stands before the root: XML declaration, document type declaration; and processing
//! instructions, which may stand anywhere.

use super::chars::{is_name, is_ncname, is_whitespace, name_len};
use crate::error::Fault;

/// A document type declaration that was skipped: what it named, for those who want to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoctypeName<'a> {
    /// Name of the root element that the declaration announces.
    pub name: &'a str,
    /// System identifier (file name or URI of the DTD), if there was one. Never loaded.
    pub system: Option<&'a str>,
}

/// A reader of the few tokens that declarations consist of.
struct Tokens<'a>(&'a str);

impl<'a> Tokens<'a> {
    /// Skips white space; true when there was some.
    fn blank(&mut self) -> bool {
        let rest = self.0.trim_start_matches([' ', '\t', '\n', '\r']);
        let skipped = rest.len() < self.0.len();
        self.0 = rest;
        skipped
    }

    fn word(&mut self, word: &str) -> bool {
        match self.0.strip_prefix(word) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn name(&mut self) -> &'a str {
        let (name, rest) = self.0.split_at(name_len(self.0.as_bytes()));
        self.0 = rest;
        name
    }

    fn quoted(&mut self) -> Option<&'a str> {
        let quote = self.0.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, rest) = self.0[1..].split_once(quote)?;
        self.0 = rest;
        Some(value)
    }

    /// `S name S? = S? "value"`, the form of each part of an XML declaration.
    fn part(&mut self, name: &str) -> Option<&'a str> {
        let before = self.0;
        if !(self.blank() && self.word(name)) {
            self.0 = before;
            return None;
        }
        self.blank();
        if !self.word("=") {
            return None;
        }
        self.blank();
        self.quoted()
    }
}

/// Checks an XML declaration; `content` is what stands between `<?xml` and `?>`. Returns the
/// encoding that it names.
pub(super) fn declaration(content: &str) -> Result<Option<&str>, Fault> {
    const BAD: Fault = Fault::NotWellFormed("XML declaration");
    let mut tokens = Tokens(content);
    let version = tokens.part("version").ok_or(BAD)?;
    let minor = version.strip_prefix("1.").ok_or(BAD)?;
    if minor.is_empty() || !minor.bytes().all(|b| b.is_ascii_digit()) {
        return Err(BAD);
    }
    let encoding = tokens.part("encoding");
    if encoding.is_some_and(|name| !is_encoding_name(name)) {
        return Err(BAD);
    }
    if tokens
        .part("standalone")
        .is_some_and(|value| !matches!(value, "yes" | "no"))
    {
        return Err(BAD);
    }
    tokens.blank();
    if tokens.0.is_empty() {
        Ok(encoding)
    } else {
        Err(BAD)
    }
}

fn is_encoding_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// Checks a document type declaration without internal subset; `content` is what stands between
/// `<!DOCTYPE` and `>`.
pub(super) fn doctype(content: &str) -> Result<DoctypeName<'_>, Fault> {
    const BAD: Fault = Fault::Doctype;
    let mut tokens = Tokens(content);
    let name = tokens
        .blank()
        .then(|| tokens.name())
        .filter(|name| is_name(name))
        .ok_or(BAD)?;
    let separated = tokens.blank();
    let system = if separated && tokens.word("SYSTEM") {
        Some(
            tokens
                .blank()
                .then(|| tokens.quoted())
                .flatten()
                .ok_or(BAD)?,
        )
    } else if separated && tokens.word("PUBLIC") {
        let public = tokens
            .blank()
            .then(|| tokens.quoted())
            .flatten()
            .ok_or(BAD)?;
        if !public.bytes().all(is_public_id_byte) {
            return Err(BAD);
        }
        Some(
            tokens
                .blank()
                .then(|| tokens.quoted())
                .flatten()
                .ok_or(BAD)?,
        )
    } else {
        None
    };
    tokens.blank();
    if tokens.0.is_empty() {
        Ok(DoctypeName { name, system })
    } else {
        Err(BAD)
    }
}

fn is_public_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" \r\n-'()+,./:=?;!*#@$_%".contains(&byte)
}

/// Checks a processing instruction; `content` is what stands between `<?` and `?>`.
pub(super) fn processing_instruction(content: &str) -> Result<(), Fault> {
    let (target, rest) = content.split_at(name_len(content.as_bytes()));
    if target.eq_ignore_ascii_case("xml") {
        return Err(Fault::NotWellFormed("XML declaration not at the start"));
    }
    if is_ncname(target) && rest.bytes().next().is_none_or(is_whitespace) {
        Ok(())
    } else {
        Err(Fault::NotWellFormed("processing instruction"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_xml_declaration_has_its_parts_in_order() {
        assert_eq!(declaration(" version=\"1.0\""), Ok(None));
        assert_eq!(
            declaration(" version='1.0' encoding='UTF-8' standalone=\"yes\" "),
            Ok(Some("UTF-8"))
        );
        for bad in [
            "",
            " encoding='UTF-8'",
            " version='2.0'",
            " version='1.'",
            " version='1.0'encoding='UTF-8'",
            " version='1.0' standalone='yes' encoding='UTF-8'",
            " version='1.0' encoding='ÅÄÖ'",
            " version='1.0' standalone='maybe'",
            " version='1.0' x='y'",
            "version='1.0'",
            " version=1.0",
        ] {
            assert!(declaration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_an_external_doctype_is_read() {
        assert_eq!(
            doctype(" shs.label SYSTEM \"shs-label-1.2.dtd\""),
            Ok(DoctypeName {
                name: "shs.label",
                system: Some("shs-label-1.2.dtd")
            })
        );
        assert!(doctype(" a PUBLIC '-//X//EN' 'x.dtd' ").is_ok());
        assert!(doctype(" a").is_ok());
        for bad in [
            "",
            "a",
            " a SYSTEM",
            " a SYSTEM x",
            " a SYSTEM 'x' [<!ENTITY b 'c'>]",
            " a []",
            " a PUBLIC 'x'",
            " a PUBLIC '<' 'x'",
            " a SYSTEM 'x' 'y'",
            " 1a",
        ] {
            assert_eq!(doctype(bad), Err(Fault::Doctype), "{bad}");
        }
    }

    #[test]
    fn processing_instructions_have_a_name_that_is_not_xml() {
        for good in ["a", "a b?c", "xml-stylesheet href='x'"] {
            assert!(processing_instruction(good).is_ok(), "{good}");
        }
        for bad in ["", " a", "xml version='1.0'", "XML", "a:b", "1", "a'"] {
            assert!(processing_instruction(bad).is_err(), "{bad}");
        }
    }
}
