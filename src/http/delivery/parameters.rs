//! Query parameters of a list, read by their meaning (shs-1.2, 5.7.3): every spelling is taken, what is
//! not known is passed over, what cannot be understood is named and never quoted.

use chrono::NaiveDateTime;
use samsvar_actors::outbox::{HITS_DEFAULT, HITS_MAX, ListQuery, Order, SortKey};
use shs_schemas::Sensitive;
use shs_schemas::shs::label::{SequenceType, Status};
use shs_schemas::shs::{Produkt, time};

/// Most parameters in one query: each costs a comparison with every message.
pub(super) const PARAMETERS_MAX: usize = 64;

/// Prefix of parameters and sort keys that name a `meta` element.
const META: &str = "meta-";

/// Why a query cannot be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadParameter {
    /// A value that means nothing.
    #[error("Parametern {0} har ett värde som inte finns")]
    Value(&'static str),
    /// Two values where one can be meant.
    #[error("Parametern {0} förekommer med olika värden")]
    Twice(&'static str),
    /// An encoding that cannot be undone.
    #[error("En parameter är felaktigt procentkodad")]
    Encoding,
    /// Too many.
    #[error("Frågan har fler parametrar än {PARAMETERS_MAX}")]
    TooMany,
}

/// The parameters of a request, decoded, in order.
#[derive(Clone)]
pub(super) struct Parameters(Vec<(String, Sensitive<String>)>);

impl Parameters {
    /// Reads a query string.
    ///
    /// # Errors
    /// [`BadParameter::Encoding`], [`BadParameter::TooMany`].
    pub(super) fn of(query: &str) -> Result<Self, BadParameter> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        if pairs.clone().count() > PARAMETERS_MAX {
            return Err(BadParameter::TooMany);
        }
        let decoded = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = Sensitive::new(percent_decoded(value, true)?);
            Some((percent_decoded(name, true)?, value))
        });
        decoded
            .collect::<Option<_>>()
            .map(Self)
            .ok_or(BadParameter::Encoding)
    }

    /// Whether `action=ack` is among them.
    pub(super) fn is_acknowledgement(&self) -> bool {
        self.one("action").is_ok_and(|action| action == Some("ack"))
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(other, _)| other == name);
        named
            .map(|(_, value)| value.expose().trim())
            .filter(|value| !value.is_empty())
    }

    /// The one value of a parameter. An empty one counts as not given, a repeated one once.
    fn one<'a>(&'a self, name: &'static str) -> Result<Option<&'a str>, BadParameter> {
        let mut values = self.values(name);
        let first = values.next();
        if values.all(|other| Some(other) == first) {
            Ok(first)
        } else {
            Err(BadParameter::Twice(name))
        }
    }

    /// The same, read.
    fn read<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, BadParameter> {
        let value = self.one(name)?;
        value
            .map(|value| read(value).ok_or(BadParameter::Value(name)))
            .transpose()
    }

    fn text(&self, name: &'static str) -> Result<Option<String>, BadParameter> {
        Ok(self.one(name)?.map(str::to_owned))
    }

    fn meta(&self) -> Vec<(Sensitive<String>, Sensitive<String>)> {
        let named = |(name, value): &(String, Sensitive<String>)| {
            let name = name.strip_prefix(META).filter(|name| !name.is_empty())?;
            Some((Sensitive::new(name.to_owned()), value.clone()))
        };
        self.0.iter().filter_map(named).collect()
    }
}

/// What a list is asked for. `filter=noack` changes nothing: an acknowledged message is not kept, so
/// none is ever listed.
///
/// # Errors
/// [`BadParameter`] for the first that means nothing.
pub(super) fn list_query(parameters: &Parameters) -> Result<ListQuery, BadParameter> {
    let defaults = ListQuery::default();
    let sort = parameters.read("sortattribute", sort_key)?;
    let order = parameters.read("sortorder", order)?.unwrap_or_default();
    Ok(ListQuery {
        products: products(parameters)?,
        status: parameters
            .read("status", status)?
            .unwrap_or(defaults.status),
        hits_max: parameters
            .read("maxhits", hits)?
            .unwrap_or(defaults.hits_max),
        since: parameters.read::<NaiveDateTime>("since", time::read)?,
        corr_id: parameters.text("corrid")?,
        content_id: parameters.text("contentid")?,
        originator: parameters.text("originator")?.map(Sensitive::new),
        end_recipient: parameters.text("endrecipient")?.map(Sensitive::new),
        sequence_type: parameters.read("sequencetype", sequence_type)?,
        meta: parameters.meta(),
        sort: sort.map(|key| (key, order)),
        arrival: parameters
            .read("arrivalorder", self::order)?
            .unwrap_or_default(),
    })
}

/// Products of all `producttype` parameters together; blanks around commas are common.
fn products(parameters: &Parameters) -> Result<Option<Vec<Produkt>>, BadParameter> {
    let listed = parameters
        .values("producttype")
        .flat_map(|list| list.split(','));
    let texts = listed.map(str::trim).filter(|text| !text.is_empty());
    let products: Result<Vec<_>, _> = texts.map(Produkt::parse).collect();
    let products = products.map_err(|_| BadParameter::Value("producttype"))?;
    Ok(Some(products).filter(|products| !products.is_empty()))
}

fn status(text: &str) -> Option<Status> {
    Status::parse(&text.to_ascii_lowercase())
}

fn sequence_type(text: &str) -> Option<SequenceType> {
    SequenceType::parse(&text.to_ascii_lowercase())
}

/// Any integer: zero and less mean the default, more than can be given means as many as can be given.
fn hits(text: &str) -> Option<usize> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hits = if text.starts_with('-') {
        0
    } else {
        digits.parse().unwrap_or(HITS_MAX)
    };
    Some(if hits == 0 {
        HITS_DEFAULT
    } else {
        hits.min(HITS_MAX)
    })
}

fn order(text: &str) -> Option<Order> {
    match text.to_ascii_lowercase().as_str() {
        "ascending" | "asc" => Some(Order::Ascending),
        "descending" | "desc" => Some(Order::Descending),
        _ => None,
    }
}

fn sort_key(text: &str) -> Option<SortKey> {
    if let Some(name) = text.strip_prefix(META).filter(|name| !name.is_empty()) {
        return Some(SortKey::Meta(Sensitive::new(name.to_owned())));
    }
    Some(match text.to_ascii_lowercase().as_str() {
        "originator" => SortKey::Originator,
        "from" => SortKey::From,
        "endrecipient" => SortKey::EndRecipient,
        "producttype" => SortKey::Product,
        "subject" => SortKey::Subject,
        "contentid" => SortKey::ContentId,
        // With the hyphen by a mistake that clients have learned (shs-1.2, 5.7.3).
        "corrid" | "-corrid" => SortKey::CorrId,
        "sequencetype" => SortKey::SequenceType,
        "transfertype" => SortKey::TransferType,
        _ => return None,
    })
}

/// Undoes percent-encoding, in a query also `+` for a blank. Bytes that are not UTF-8 are read as
/// ISO-8859-1, which older clients encode. Nothing when a `%` is not followed by two digits.
pub(super) fn percent_decoded(text: &str, is_query: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' => {
                let digit = |place: usize| char::from(*after.get(place)?).to_digit(16);
                bytes.push(u8::try_from(digit(0)? * 16 + digit(1)?).ok()?);
                rest = &after[2..];
            }
            b'+' if is_query => bytes.push(b' '),
            plain => bytes.push(plain),
        }
    }
    let latin1 = |error: std::string::FromUtf8Error| {
        error.into_bytes().into_iter().map(char::from).collect()
    };
    Some(String::from_utf8(bytes).unwrap_or_else(latin1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn query(text: &str) -> Result<ListQuery, BadParameter> {
        list_query(&Parameters::of(text)?)
    }

    fn exposed(value: Option<Sensitive<String>>) -> Option<String> {
        value.map(Sensitive::into_exposed)
    }

    #[test]
    fn without_parameters_a_list_shows_the_oldest_production_messages() {
        for text in [
            "",
            "&&",
            "filter=noack",
            "filter=all",
            "unknown=1&x",
            "status=&since=",
        ] {
            let query = query(text).unwrap();
            assert_eq!(
                format!("{query:?}"),
                format!("{:?}", ListQuery::default()),
                "{text}"
            );
        }
    }

    #[test]
    fn products_are_listed_with_commas_blanks_prefixes_or_repeated_parameters() {
        let uuid = Produkt::parse("5a1e0000-1111-4222-8333-444455556666").unwrap();
        for text in [
            "producttype=urn:X-shs:5A1E0000-1111-4222-8333-444455556666,confirm",
            "producttype=5a1e0000-1111-4222-8333-444455556666,+confirm+,",
            "producttype=urn%3AX-shs%3A5a1e0000-1111-4222-8333-444455556666%2C%20urn:x-shs:confirm",
            "producttype=5a1e0000-1111-4222-8333-444455556666&producttype=confirm",
        ] {
            assert_eq!(
                query(text).unwrap().products,
                Some(vec![uuid, Produkt::Confirm]),
                "{text}"
            );
        }
        assert_eq!(query("producttype=,").unwrap().products, None);
    }

    #[test]
    fn keywords_are_read_in_any_letter_case() {
        let query = query("status=Test&sequencetype=REPLY&arrivalorder=DESC").unwrap();
        assert_eq!(query.status, Status::Test);
        assert_eq!(query.sequence_type, Some(SequenceType::Reply));
        assert_eq!(query.arrival, Order::Descending);
    }

    #[test]
    fn hits_are_bounded_and_zero_or_less_means_the_default() {
        for (text, hits) in [
            ("7", 7),
            ("+7", 7),
            ("0", HITS_DEFAULT),
            ("-1", HITS_DEFAULT),
            ("-99999999999999999999999", HITS_DEFAULT),
            ("2001", HITS_MAX),
            ("99999999999999999999999", HITS_MAX),
        ] {
            let text = text.replace('+', "%2B");
            assert_eq!(
                query(&format!("maxhits={text}")).unwrap().hits_max,
                hits,
                "{text}"
            );
        }
    }

    #[test]
    fn texts_are_decoded_as_utf_8_or_iso_8859_1() {
        let read =
            query("originator=urn%3aX-shs:1&endrecipient=a+b&corrid=c%2D1&contentid=d").unwrap();
        assert_eq!(exposed(read.originator).as_deref(), Some("urn:X-shs:1"));
        assert_eq!(exposed(read.end_recipient).as_deref(), Some("a b"));
        assert_eq!(
            (read.corr_id.as_deref(), read.content_id.as_deref()),
            (Some("c-1"), Some("d"))
        );
        for text in [
            "meta-%C3%A5r=m%C3%A5nad",
            "meta-%E5r=m%E5nad",
            "meta-år=månad",
        ] {
            let meta = query(text).unwrap().meta.pop().unwrap();
            assert_eq!(
                (meta.0.into_exposed(), meta.1.into_exposed()),
                ("år".into(), "månad".into())
            );
        }
        assert_eq!(query("meta-a=1&meta-a=2&meta-=3").unwrap().meta.len(), 2);
    }

    #[test]
    fn every_sort_key_is_read_with_its_order() {
        let meta = SortKey::Meta(Sensitive::new("Typ".into()));
        for (text, key) in [
            ("originator", SortKey::Originator),
            ("from", SortKey::From),
            ("endrecipient", SortKey::EndRecipient),
            ("producttype", SortKey::Product),
            ("subject", SortKey::Subject),
            ("contentid", SortKey::ContentId),
            ("corrid", SortKey::CorrId),
            ("-corrid", SortKey::CorrId),
            ("sequencetype", SortKey::SequenceType),
            ("transfertype", SortKey::TransferType),
            ("meta-Typ", meta),
        ] {
            let sort = query(&format!("sortattribute={text}&sortorder=Desc"))
                .unwrap()
                .sort;
            assert_eq!(sort, Some((key.clone(), Order::Descending)), "{text}");
            let sort = query(&format!("sortattribute={text}")).unwrap().sort;
            assert_eq!(sort, Some((key, Order::Ascending)), "{text}");
        }
    }

    #[test]
    fn a_value_that_means_nothing_is_named_and_never_quoted() {
        for (text, name) in [
            ("status=hemligt", "status"),
            ("maxhits=hemligt", "maxhits"),
            ("maxhits=1.5", "maxhits"),
            ("maxhits=-", "maxhits"),
            ("since=hemligt", "since"),
            ("since=20310304", "since"),
            ("producttype=confirm,hemligt", "producttype"),
            ("sequencetype=hemligt", "sequencetype"),
            ("sortattribute=hemligt", "sortattribute"),
            ("sortattribute=meta-", "sortattribute"),
            ("sortorder=hemligt", "sortorder"),
            ("arrivalorder=hemligt", "arrivalorder"),
        ] {
            let bad = query(text).unwrap_err();
            assert_eq!(bad, BadParameter::Value(name), "{text}");
            assert!(!bad.to_string().contains("hemligt"));
        }
    }

    #[test]
    fn a_repeated_parameter_counts_once_and_must_not_contradict_itself() {
        assert_eq!(
            query("status=test&status=test").unwrap().status,
            Status::Test
        );
        let bad = query("status=test&status=production").unwrap_err();
        assert_eq!(bad, BadParameter::Twice("status"));
        assert_eq!(
            query("corrid=a&corrid=b").unwrap_err(),
            BadParameter::Twice("corrid")
        );
    }

    #[test]
    fn what_cannot_be_decoded_and_what_is_too_much_is_refused() {
        for text in ["a=%", "a=%4", "a=%zz", "%=a"] {
            assert_eq!(query(text).unwrap_err(), BadParameter::Encoding, "{text}");
        }
        let many = "meta-a=b&".repeat(PARAMETERS_MAX);
        assert!(query(&many).is_ok());
        assert_eq!(
            query(&format!("{many}x=y")).unwrap_err(),
            BadParameter::TooMany
        );
    }

    #[test]
    fn only_action_ack_acknowledges() {
        let is = |text| Parameters::of(text).unwrap().is_acknowledgement();
        assert!(is("action=ack") && is("x=y&action=ack"));
        assert!(!is("") && !is("action=ACK") && !is("action=ack&action=del") && !is("ack"));
    }

    proptest! {
        #[test]
        fn no_query_panics_and_no_fault_quotes_it(
            name in "(status|maxhits|since|producttype|sequencetype|sortattribute|meta-)",
            value in "\\PC{1,40}",
        ) {
            if let Err(bad) = query(&format!("{name}={value}")) {
                let text = bad.to_string();
                prop_assert!(value.chars().count() < 6 || !text.contains(&value), "{}", text);
            }
        }
    }
}
