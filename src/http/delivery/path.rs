//! What a path below [`super::PATH`] names (shs-1.2, 5.7.1).

use shs_schemas::ids::TxId;
use shs_schemas::shs::{Adress, Produkt};
use uuid::Uuid;

use super::parameters::percent_decoded;

/// An outbox, and what of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) outbox: Adress,
    pub(super) rest: Rest,
}

/// What stands after the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// The whole outbox.
    All,
    /// Its messages of one product.
    Product(Produkt),
    /// One message.
    Message(TxId),
    /// What no message can be called.
    Nothing,
}

/// Reads a path as it stands in the request: existing clients send colons plain, others encode them.
///
/// # Errors
/// The reason, when no outbox is named.
pub(super) fn target(path: &str) -> Result<Target, &'static str> {
    let below = path.strip_prefix(super::PATH).unwrap_or_default();
    let below = below.strip_prefix('/').unwrap_or(below);
    let mut segments = below.strip_suffix('/').unwrap_or(below).split('/');
    let outbox = segments.next().unwrap_or_default();
    if outbox.is_empty() {
        return Err("Utkorg saknas i adressen: /shs/ds/{utkorg}");
    }
    let outbox = percent_decoded(outbox, false)
        .and_then(|text| Adress::parse(&text).ok())
        .ok_or("Utkorgen i adressen är inte en SHS-adress")?;
    let rest = match (segments.next(), segments.next()) {
        (None, _) => Rest::All,
        (Some(second), None) => {
            percent_decoded(second, false).map_or(Rest::Nothing, |text| rest(&text))
        }
        (Some(_), Some(_)) => Rest::Nothing,
    };
    Ok(Target { outbox, rest })
}

/// A bare UUID is a `tx.id`; a product has its prefix or is a special one; anything else is an opaque
/// `tx.id` (shs-1.2, 10 row 30).
fn rest(text: &str) -> Rest {
    let is_uuid = text.len() == uuid::fmt::Hyphenated::LENGTH && Uuid::try_parse(text).is_ok();
    if let (false, Ok(produkt)) = (is_uuid, Produkt::parse(text)) {
        return Rest::Product(produkt);
    }
    TxId::parse(text).map_or(Rest::Nothing, Rest::Message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UUID: &str = "c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01";

    fn read(below: &str) -> (String, Rest) {
        let target = target(&format!("/shs/ds/{below}")).unwrap();
        (target.outbox.bare(), target.rest)
    }

    #[test]
    fn an_outbox_is_named_with_and_without_prefix_and_with_encoded_colons() {
        for below in [
            "urn:X-shs:0000000002.ekonomi",
            "urn%3AX-shs%3a0000000002.ekonomi",
            "0000000002.ekonomi",
            "0000000002.ekonomi/",
        ] {
            assert_eq!(
                read(below),
                ("0000000002.ekonomi".into(), Rest::All),
                "{below}"
            );
        }
        assert_eq!(read("0000000002.a%2Fb").0, "0000000002.a/b");
    }

    #[test]
    fn the_second_segment_is_a_message_when_it_is_a_uuid_else_a_product_else_a_message() {
        let message = |text: &str| Rest::Message(TxId::parse(text).unwrap());
        let uuid = Produkt::parse(UUID).unwrap();
        for (second, rest) in [
            (UUID, message(UUID)),
            (
                "C41F7A10-2B6D-4E5C-8F93-0D1E2A3B4C01",
                message("C41F7A10-2B6D-4E5C-8F93-0D1E2A3B4C01"),
            ),
            (
                "urn:X-shs:c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01",
                Rest::Product(uuid),
            ),
            (
                "urn%3aX-shs%3Ac41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01/",
                Rest::Product(uuid),
            ),
            ("confirm", Rest::Product(Produkt::Confirm)),
            ("urn:x-shs:error", Rest::Product(Produkt::Error)),
            ("kvitto-17", message("kvitto-17")),
            ("urn:X-shs:kvitto", message("urn:X-shs:kvitto")),
            ("a%20b", Rest::Nothing),
            ("%zz", Rest::Nothing),
            ("error/more", Rest::Nothing),
        ] {
            assert_eq!(read(&format!("0000000002/{second}")).1, rest, "{second}");
        }
    }

    #[test]
    fn a_path_without_an_outbox_is_refused() {
        for path in ["/shs/ds", "/shs/ds/", "/shs/ds//", "/shs/ds//confirm"] {
            assert!(
                target(path).unwrap_err().starts_with("Utkorg saknas"),
                "{path}"
            );
        }
        for path in ["/shs/ds/ekonomi", "/shs/ds/%", "/shs/ds/0000000002."] {
            assert!(
                target(path).unwrap_err().ends_with("inte en SHS-adress"),
                "{path}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_path_panics(below in "\\PC{0,60}") {
            let _ = target(&format!("/shs/ds/{below}"));
        }
    }
}
