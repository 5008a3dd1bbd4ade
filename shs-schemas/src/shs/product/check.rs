//! Whether the data parts of a message are those that its product describes.

use std::fmt;

use super::{DataRule, ProductType};
use crate::error::{Fault, WireError};
use crate::error_code::ErrorCode;
use crate::shs::label::SequenceType;
use crate::shs::message::DataPart;

/// Why the data parts of a message are not those of its product. The code is always
/// [`ErrorCode::IllegalDatapartContent`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartFault {
    /// The part, counted from 1; `None` when one is missing.
    pub part: Option<usize>,
    /// The role that is filled too often or not often enough, in the words of the description,
    /// never of the message.
    pub role: Option<String>,
    /// What is wrong; its offset says nothing.
    pub fault: WireError,
}

impl PartFault {
    /// The code to answer with.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::IllegalDatapartContent
    }

    fn at(place: usize, rule: Option<&DataRule>, fault: Fault) -> Self {
        Self {
            part: Some(place + 1),
            role: rule.map(|rule| rule.datapart_type.clone()),
            fault: WireError::new("datapartType", 0, fault),
        }
    }

    fn lacking(rule: &DataRule) -> Self {
        Self {
            part: None,
            role: Some(rule.datapart_type.clone()),
            fault: WireError::new("data part", 0, Fault::Invalid("fewer than minOccurs")),
        }
    }
}

impl fmt::Display for PartFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            Some(part) => write!(f, "data part {part}: ")?,
            None => f.write_str("data parts: ")?,
        }
        write!(f, "{} {}", self.fault.element, self.fault.fault)?;
        match &self.role {
            Some(role) => write!(f, " ({role})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for PartFault {}

impl ProductType {
    /// Checks that every part has a role of the product, and every role as many parts as it must
    /// and may have; of a reply by `reply-data`. Administrative messages are not checked.
    ///
    /// A part without role, of version 1.1 or beyond the `data` elements of its label (shs-1.2,
    /// 2.5), may be any of those that are lacking, and is never too much. MIME types, charsets and
    /// transfer encodings are not enforced: real senders write `*/*` (2.4).
    ///
    /// # Errors
    /// At the first part that has no place, else at the first role that lacks parts.
    pub fn check(&self, sequence_type: SequenceType, parts: &[DataPart]) -> Result<(), PartFault> {
        let rules = match sequence_type {
            SequenceType::Event | SequenceType::Request => &self.data,
            SequenceType::Reply => &self.reply_data,
            SequenceType::Adm => return Ok(()),
        };
        let mut found = vec![0; rules.len()];
        let mut unnamed = 0_u32;
        for (place, part) in parts.iter().enumerate() {
            if part.datapart_type.is_empty() {
                unnamed = unnamed.saturating_add(1);
            } else {
                count(rules, &mut found, place, &part.datapart_type)?;
            }
        }
        for (rule, found) in rules.iter().zip(found) {
            let lacking = rule.min.saturating_sub(found);
            unnamed = unnamed
                .checked_sub(lacking)
                .ok_or_else(|| PartFault::lacking(rule))?;
        }
        Ok(())
    }
}

/// Counts a part, unless it has no place.
fn count(
    rules: &[DataRule],
    found: &mut [u32],
    place: usize,
    datapart_type: &str,
) -> Result<(), PartFault> {
    let mut counted = rules.iter().zip(found);
    let Some((rule, found)) = counted.find(|(rule, _)| rule.datapart_type == datapart_type) else {
        let fault = Fault::Invalid("not one of the product's");
        return Err(PartFault::at(place, None, fault));
    };
    if let Some(max) = rule.max
        && *found >= max
    {
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        let fault = Fault::Limit("maxOccurs", max);
        return Err(PartFault::at(place, Some(rule), fault));
    }
    *found = found.saturating_add(1);
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::mime::ContentType;

    /// One `a`, at most two `b`, at least one `c`; in the reply any number of `r`.
    const PRODUCT: &str = "<shs.product uuid='5a1e0000-1111-4222-8333-444455556666'>\
        <principal>2</principal><data datapartType='a'><mime/></data>\
        <data datapartType='b' minOccurs='0' maxOccurs='2'><mime/></data>\
        <data datapartType='c' maxOccurs='*'><mime/></data>\
        <reply-data datapartType='r' minOccurs='0' maxOccurs='*'><mime/></reply-data></shs.product>";

    fn check(sequence_type: SequenceType, roles: &str) -> Result<(), String> {
        let product = ProductType::read(PRODUCT.as_bytes()).unwrap();
        let part = |role: &str| {
            let role = role.trim_matches('-');
            DataPart::new(role, "f", ContentType::XML_UTF_8, Bytes::from_static(b"x"))
        };
        let parts: Vec<_> = roles.split_whitespace().map(part).collect();
        let checked = product.check(sequence_type, &parts);
        checked.map_err(|fault| {
            assert_eq!(fault.code(), ErrorCode::IllegalDatapartContent);
            fault.to_string()
        })
    }

    #[test]
    fn every_role_has_as_many_parts_as_it_may() {
        use SequenceType::{Event, Request};
        for roles in ["a c", "c a", "a b c", "b c b a c c c"] {
            for kind in [Event, Request] {
                assert_eq!(check(kind, roles), Ok(()), "{roles}");
            }
        }
        for (roles, fault) in [
            (
                "a",
                "data parts: data part is invalid: fewer than minOccurs (c)",
            ),
            (
                "",
                "data parts: data part is invalid: fewer than minOccurs (a)",
            ),
            (
                "b c",
                "data parts: data part is invalid: fewer than minOccurs (a)",
            ),
            (
                "a c a",
                "data part 3: datapartType passes the limit maxOccurs = 1 (a)",
            ),
            (
                "b b b a c",
                "data part 3: datapartType passes the limit maxOccurs = 2 (b)",
            ),
            (
                "a d c",
                "data part 2: datapartType is invalid: not one of the product's",
            ),
            (
                "A c",
                "data part 1: datapartType is invalid: not one of the product's",
            ),
            (
                "a c r",
                "data part 3: datapartType is invalid: not one of the product's",
            ),
        ] {
            assert_eq!(check(Request, roles), Err(fault.to_owned()), "{roles}");
        }
    }

    #[test]
    fn a_reply_keeps_to_the_reply_s_rules() {
        for roles in ["", "r", "r r r"] {
            assert_eq!(check(SequenceType::Reply, roles), Ok(()), "{roles}");
        }
        let fault = "data part 2: datapartType is invalid: not one of the product's";
        assert_eq!(check(SequenceType::Reply, "r a"), Err(fault.to_owned()));
    }

    #[test]
    fn an_administrative_message_is_not_checked() {
        for roles in ["", "error", "a a a"] {
            assert_eq!(check(SequenceType::Adm, roles), Ok(()));
        }
    }

    #[test]
    fn a_part_without_role_is_what_is_lacking_and_never_too_much() {
        for roles in ["- -", "a -", "a c -", "a c - - -", "- c"] {
            assert_eq!(check(SequenceType::Event, roles), Ok(()), "{roles}");
        }
        let fault = "data parts: data part is invalid: fewer than minOccurs (c)";
        assert_eq!(check(SequenceType::Event, "- b"), Err(fault.to_owned()));
        assert_eq!(check(SequenceType::Event, "-"), Err(fault.to_owned()));
    }
}
