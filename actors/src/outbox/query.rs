//! [`ListQuery`]: which messages of an outbox are asked for, and in which order (shs-1.2, 5.7.3).
//!
//! How a query is written in a URL is HTTP's affair; here is what it means. Values are compared without
//! URN prefix.

use std::borrow::Cow;
use std::cmp::Ordering;

use chrono::{DateTime, NaiveDateTime, Utc};
use shs_schemas::Sensitive;
use shs_schemas::shs::label::{Actor, InnerParty, SequenceType, Status};
use shs_schemas::shs::urn::without_prefix;
use shs_schemas::shs::{Adress, Label, Produkt, time};

use super::Listed;

/// Messages listed when the query does not say how many.
pub const HITS_DEFAULT: usize = 200;

/// Most messages in one list, whatever the query says.
pub const HITS_MAX: usize = 2000;

/// Which messages. Everything given must match.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// One of these products; nothing means any, an empty list none.
    pub products: Option<Vec<Produkt>>,
    /// Status of the label. There is no value for both.
    pub status: Status,
    /// At most so many; never above [`HITS_MAX`].
    pub hits_max: usize,
    /// Arrived at or after, Swedish local time.
    pub since: Option<NaiveDateTime>,
    /// `corr.id`.
    pub corr_id: Option<String>,
    /// `content.id`.
    pub content_id: Option<String>,
    /// `originator`, or `from`.
    pub originator: Option<Sensitive<String>>,
    /// `end-recipient`.
    pub end_recipient: Option<Sensitive<String>>,
    /// `sequence-type`.
    pub sequence_type: Option<SequenceType>,
    /// `meta` elements by name and value; each must be there.
    pub meta: Vec<(Sensitive<String>, Sensitive<String>)>,
    /// The first sort key.
    pub sort: Option<(SortKey, Order)>,
    /// Order of arrival: the second key, or the only one.
    pub arrival: Order,
}

/// Ascending or descending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The smallest, or the oldest, first.
    #[default]
    Ascending,
    /// The largest, or the newest, first.
    Descending,
}

impl Order {
    fn apply(self, ordering: Ordering) -> Ordering {
        match self {
            Self::Ascending => ordering,
            Self::Descending => ordering.reverse(),
        }
    }
}

/// What a list can be sorted by. A label without the value comes before all that have one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// `originator`.
    Originator,
    /// `from`.
    From,
    /// `end-recipient`.
    EndRecipient,
    /// `product`.
    Product,
    /// `subject`.
    Subject,
    /// `content.id`.
    ContentId,
    /// `corr.id`.
    CorrId,
    /// `sequence-type`.
    SequenceType,
    /// `transfer-type`.
    TransferType,
    /// Value of the first `meta` element with this name.
    Meta(Sensitive<String>),
}

impl SortKey {
    fn of<'a>(&self, label: &'a Label) -> Option<Cow<'a, str>> {
        let inner = |party: &'a Option<InnerParty>| party.as_ref().map(|p| p.bare().into());
        let actor = |actor: &'a Actor| actor.address.bare().into();
        match self {
            Self::Originator => inner(&label.originator),
            Self::From => label.from.as_ref().map(actor),
            Self::EndRecipient => inner(&label.end_recipient),
            Self::Product => Some(label.product.produkt.bare().into()),
            Self::Subject => label.subject.as_ref().map(|s| s.expose().into()),
            Self::ContentId => Some(label.content.id.as_str().into()),
            Self::CorrId => Some(label.corr_id.as_str().into()),
            Self::SequenceType => Some(label.sequence_type.as_str().into()),
            Self::TransferType => Some(label.transfer_type.as_str().into()),
            Self::Meta(name) => {
                let meta = label.meta.iter().find(|meta| meta.name == *name);
                meta.map(|meta| meta.value.expose().into())
            }
        }
    }
}

impl Default for ListQuery {
    /// What a list without parameters shows: production, oldest first, at most [`HITS_DEFAULT`].
    fn default() -> Self {
        Self {
            products: None,
            status: Status::Production,
            hits_max: HITS_DEFAULT,
            since: None,
            corr_id: None,
            content_id: None,
            originator: None,
            end_recipient: None,
            sequence_type: None,
            meta: Vec::new(),
            sort: None,
            arrival: Order::Ascending,
        }
    }
}

impl ListQuery {
    /// Leaves only this product of those that were asked for.
    pub fn narrow(&mut self, produkt: Produkt) {
        match &mut self.products {
            Some(products) => products.retain(|other| *other == produkt),
            any => *any = Some(vec![produkt]),
        }
    }

    /// Whether a message with this label, arrived then, is asked for.
    #[must_use]
    pub fn matches(&self, label: &Label, arrived: DateTime<Utc>) -> bool {
        let product = |products: &Vec<Produkt>| products.contains(&label.product.produkt);
        self.status == label.status
            && self.products.as_ref().is_none_or(product)
            && self
                .since
                .is_none_or(|since| time::swedish(arrived) >= since)
            && is_none_or_equal(self.corr_id.as_deref(), label.corr_id.as_str())
            && is_none_or_equal(self.content_id.as_deref(), label.content.id.as_str())
            && self
                .originator
                .as_ref()
                .is_none_or(|value| is_sender(label, value.expose()))
            && self.end_recipient.as_ref().is_none_or(|value| {
                label
                    .end_recipient
                    .as_ref()
                    .is_some_and(|party| is_party(party, value.expose()))
            })
            && self
                .sequence_type
                .is_none_or(|kind| kind == label.sequence_type)
            && self.meta.iter().all(|(name, value)| {
                label
                    .meta
                    .iter()
                    .any(|meta| meta.name == *name && meta.value == *value)
            })
    }

    /// Sorts what was found, given in order of arrival, and cuts it off.
    #[must_use]
    pub(super) fn arrange(&self, mut found: Vec<Listed>) -> Vec<Listed> {
        if self.arrival == Order::Descending {
            found.reverse();
        }
        if let Some((key, order)) = &self.sort {
            // Stable: what is equal stays in order of arrival.
            found.sort_by(|one, other| order.apply(key.of(&one.label).cmp(&key.of(&other.label))));
        }
        found.truncate(self.hits_max.min(HITS_MAX));
        found
    }
}

fn is_none_or_equal(asked: Option<&str>, value: &str) -> bool {
    asked.is_none_or(|asked| asked == value)
}

fn is_party(party: &InnerParty, asked: &str) -> bool {
    party.bare() == without_prefix(asked)
}

/// `originator` in a query means the sender by either of its names (shs-1.2, 5.7.3).
fn is_sender(label: &Label, asked: &str) -> bool {
    let actor = |from: &Actor| Adress::parse(asked).is_ok_and(|asked| asked == from.address);
    label.from.as_ref().is_some_and(actor)
        || label
            .originator
            .as_ref()
            .is_some_and(|party| is_party(party, asked))
}

#[cfg(test)]
mod tests {
    use shs_schemas::shs::label::Meta;

    use super::super::tests::{label, tx};
    use super::*;

    const PRODUCT: &str = "5a1e0000-1111-4222-8333-444455557777";

    /// A label in which every value that can be asked for is set.
    fn full() -> Label {
        let mut label = label(&tx(1));
        label.product = Produkt::parse(PRODUCT).unwrap().into();
        label.originator = Some(InnerParty::new("urn:X-shs:0000000001.lon"));
        label.end_recipient = Some(InnerParty::new("mailto:inkorg"));
        label.meta = [("typ", "månad"), ("typ", "år"), ("period", "2031-02")]
            .map(|(name, value)| Meta {
                name: Sensitive::new(name.to_owned()),
                value: Sensitive::new(value.to_owned()),
            })
            .to_vec();
        label
    }

    fn arrived() -> DateTime<Utc> {
        "2031-03-04T09:00:00.7Z".parse().unwrap()
    }

    fn text(value: &str) -> Sensitive<String> {
        Sensitive::new(value.to_owned())
    }

    fn finds(change: impl FnOnce(&mut ListQuery)) -> bool {
        let mut query = ListQuery::default();
        change(&mut query);
        query.matches(&full(), arrived())
    }

    #[test]
    fn a_query_without_parameters_finds_production_and_no_test() {
        assert!(finds(|_| ()));
        assert!(!finds(|query| query.status = Status::Test));
        let mut test = full();
        test.status = Status::Test;
        assert!(!ListQuery::default().matches(&test, arrived()));
    }

    #[test]
    fn one_of_several_products_is_enough_and_a_narrowed_query_knows_only_one() {
        let (this, other) = (Produkt::parse(PRODUCT).unwrap(), Produkt::Confirm);
        assert!(finds(|query| query.products = Some(vec![other, this])));
        assert!(!finds(|query| query.products = Some(vec![other])));
        assert!(finds(|query| query.narrow(this)));
        let both = |query: &mut ListQuery| query.products = Some(vec![other, this]);
        assert!(finds(|query| (both(query), query.narrow(this)).1));
        assert!(!finds(|query| (both(query), query.narrow(other)).1));
        let contradiction = |query: &mut ListQuery| query.products = Some(vec![other]);
        assert!(!finds(|query| (contradiction(query), query.narrow(this)).1));
    }

    #[test]
    fn since_means_arrived_then_or_later_in_swedish_time() {
        for (since, found) in [
            ("2031-03-04T09:59:59", true),
            ("2031-03-04T10:00:00", true),
            ("2031-03-04T10:00:01", false),
        ] {
            assert_eq!(
                finds(|query| query.since = time::read(since)),
                found,
                "{since}"
            );
        }
    }

    #[test]
    fn the_sender_is_found_by_originator_and_by_from_with_or_without_prefix() {
        for (asked, found) in [
            ("0000000001.lon", true),
            ("urn:x-shs:0000000001.lon", true),
            ("2120009994", true),
            ("URN:X-SHS:2120009994", true),
            ("162120009994", true),
            ("0000000001", false),
            ("2120009994.x", false),
            ("mailto:inkorg", false),
        ] {
            assert_eq!(
                finds(|query| query.originator = Some(text(asked))),
                found,
                "{asked}"
            );
        }
        assert!(finds(
            |query| query.end_recipient = Some(text("mailto:inkorg"))
        ));
        assert!(finds(
            |query| query.end_recipient = Some(text("urn:X-shs:mailto:inkorg"))
        ));
        assert!(!finds(|query| query.end_recipient = Some(text("inkorg"))));
    }

    #[test]
    fn identities_and_the_sequence_type_are_compared_exactly() {
        let label = full();
        let corr_id = label.corr_id.to_string();
        assert!(finds(|query| query.corr_id = Some(corr_id.clone())));
        assert!(!finds(|query| query.corr_id = Some(corr_id[1..].to_owned())));
        let content_id = label.content.id.to_string();
        assert!(finds(|query| query.content_id = Some(content_id.clone())));
        assert!(!finds(
            |query| query.content_id = Some(String::from("other"))
        ));
        assert!(finds(
            |query| query.sequence_type = Some(label.sequence_type)
        ));
        assert!(!finds(|query| query.sequence_type = Some(SequenceType::Adm)));
    }

    #[test]
    fn every_meta_asked_for_must_be_there_and_names_may_repeat() {
        let meta = |pairs: &[(&str, &str)]| {
            let pair = |(name, value): &(&str, &str)| {
                (
                    Sensitive::new((*name).to_owned()),
                    Sensitive::new((*value).to_owned()),
                )
            };
            let pairs = pairs.iter().map(pair).collect();
            finds(|query| query.meta = pairs)
        };
        assert!(meta(&[
            ("typ", "år"),
            ("typ", "månad"),
            ("period", "2031-02")
        ]));
        assert!(!meta(&[("typ", "år"), ("period", "2031-03")]));
        assert!(!meta(&[("Typ", "år")]));
    }

    /// The `tx.id`s of three messages in the order the query gives.
    fn arranged(
        set: impl Fn(&mut Label, u32),
        sort: Option<(SortKey, Order)>,
        arrival: Order,
    ) -> String {
        let listed = [1, 2, 3].map(|number| {
            let mut label = full();
            label.tx_id = tx(number);
            set(&mut label, number);
            Listed {
                label: label.into(),
                size: 1,
                arrived: arrived(),
            }
        });
        let query = ListQuery {
            sort,
            arrival,
            ..ListQuery::default()
        };
        let arranged = query.arrange(listed.to_vec());
        arranged
            .iter()
            .filter_map(|l| l.label.tx_id.as_str().chars().last())
            .collect()
    }

    #[test]
    fn a_list_is_sorted_by_arrival_unless_something_else_comes_first() {
        let nothing = |_: &mut Label, _| ();
        assert_eq!(arranged(nothing, None, Order::Ascending), "123");
        assert_eq!(arranged(nothing, None, Order::Descending), "321");
        let key = |order| Some((SortKey::Originator, order));
        assert_eq!(
            arranged(nothing, key(Order::Descending), Order::Ascending),
            "123"
        );
        assert_eq!(
            arranged(nothing, key(Order::Ascending), Order::Descending),
            "321"
        );
    }

    #[test]
    fn a_list_is_sorted_by_every_key_there_is() {
        /// Gives a label the value that a letter stands for.
        type Set = fn(&mut Label, &str);
        let keys: [(SortKey, Set); 8] = [
            (SortKey::Originator, |l, v| {
                l.originator = Some(InnerParty::new(v));
            }),
            (SortKey::From, |l, v| {
                let number = if v == "a" { "0000000001" } else { "0000000002" };
                l.from = Some(Actor::new(Adress::parse(number).unwrap(), None));
            }),
            (SortKey::EndRecipient, |l, v| {
                l.end_recipient = Some(InnerParty::new(v));
            }),
            (SortKey::Product, |l, v| {
                let product = if v == "a" {
                    Produkt::Confirm
                } else {
                    Produkt::Error
                };
                l.product = product.into();
            }),
            (SortKey::Subject, |l, v| {
                l.subject = Some(Sensitive::new(v.to_owned()));
            }),
            (SortKey::ContentId, |l, v| {
                l.content.id = shs_schemas::ids::ContentId::parse(v).unwrap();
            }),
            (SortKey::CorrId, |l, v| {
                l.corr_id = shs_schemas::ids::CorrId::parse(v).unwrap();
            }),
            (SortKey::Meta(Sensitive::new("typ".into())), |l, v| {
                l.meta[0].value = Sensitive::new(v.to_owned());
            }),
        ];
        for (key, set) in keys {
            // The second to arrive has the smaller value, the others are equal.
            let set = |label: &mut Label, number: u32| {
                set(label, if number == 2 { "a" } else { "b" });
            };
            let sort = |order| Some((key.clone(), order));
            assert_eq!(
                arranged(set, sort(Order::Ascending), Order::Ascending),
                "213",
                "{key:?}"
            );
            assert_eq!(
                arranged(set, sort(Order::Descending), Order::Ascending),
                "132",
                "{key:?}"
            );
            assert_eq!(
                arranged(set, sort(Order::Ascending), Order::Descending),
                "231",
                "{key:?}"
            );
        }
        let kind = |label: &mut Label, number: u32| {
            label.sequence_type = if number == 2 {
                SequenceType::Adm
            } else {
                SequenceType::Reply
            };
        };
        let sort = Some((SortKey::SequenceType, Order::Ascending));
        assert_eq!(arranged(kind, sort, Order::Ascending), "213");
        let without = |label: &mut Label, number: u32| {
            label.subject = (number != 3).then(|| Sensitive::new("a".into()));
        };
        let sort = Some((SortKey::Subject, Order::Ascending));
        assert_eq!(arranged(without, sort, Order::Ascending), "312");
    }

    #[test]
    fn a_list_is_cut_off_after_sorting_and_never_longer_than_the_bound() {
        let one = Listed {
            label: full().into(),
            size: 1,
            arrived: arrived(),
        };
        let many = vec![one; HITS_MAX + 1];
        let hits = |hits_max| {
            let query = ListQuery {
                hits_max,
                ..ListQuery::default()
            };
            query.arrange(many.clone()).len()
        };
        assert_eq!(hits(7), 7);
        assert_eq!(hits(usize::MAX), HITS_MAX);
    }
}
