use super::*;
use crate::shs::agreement::Flow;
use crate::shs::agreement::samples::{C, P, X, agreement, exchange, number};
use crate::shs::label::SequenceType;

/// Agreements to index: what a large node may hold.
const MANY: usize = 10_000;

/// Every customer has two agreements with [`P`], about one product.
fn many() -> Agreements {
    let of = |i: usize| {
        let customer = format!("{:010}", 1_000_000 + i / 2);
        let flow = [Flow::FromCustomer, Flow::ToCustomer][i % 2];
        agreement(&format!("Many-{i}"), flow, Some(&customer))
    };
    Agreements::new((0..MANY).map(of).collect())
}

#[test]
fn of_ten_thousand_agreements_a_look_up_touches_those_of_the_two_parties() {
    let store = many();
    assert_eq!(store.len(), MANY);
    for customer in [0, 2_500, MANY / 2 - 1] {
        let customer = format!("{:010}", 1_000_000 + customer);
        let exchange = exchange(&customer, P);
        let touched: Vec<_> = store.candidates(&exchange).collect();
        assert_eq!(touched.len(), 2);
        assert!(
            touched
                .iter()
                .all(|one| one.customer == Some(number(&customer)))
        );
        let found = store.find(None, &exchange).unwrap().unwrap();
        assert_eq!(found.flow, Flow::FromCustomer);
    }
    assert_eq!(store.candidates(&exchange(X, P)).count(), 0);
    assert_eq!(store.find(None, &exchange(X, P)), Err(NoAgreement::None));
}

#[test]
fn the_index_finds_what_a_look_through_all_finds() {
    let parties = [P, C, X];
    let mut all = Vec::new();
    for (i, flow) in [Flow::FromCustomer, Flow::ToCustomer, Flow::Any]
        .into_iter()
        .enumerate()
    {
        for (j, principal) in parties.into_iter().enumerate() {
            for (k, customer) in [Some(P), Some(C), Some(X), None].into_iter().enumerate() {
                let mut one = agreement(&format!("a-{i}{j}{k}"), flow, customer);
                one.principal = number(principal);
                all.push(one);
            }
        }
    }
    let mut found = 0;
    // Each agreement left out once, so that every one is the first that fits for somebody.
    for left_out in 0..all.len() {
        let mut some = all.clone();
        some.remove(left_out);
        some.rotate_left(left_out);
        let store = Agreements::new(some.clone());
        for (sender, receiver) in parties
            .iter()
            .flat_map(|s| parties.iter().map(move |r| (s, r)))
        {
            for kind in [
                SequenceType::Event,
                SequenceType::Request,
                SequenceType::Reply,
            ] {
                let mut exchange = exchange(sender, receiver);
                exchange.sequence_type = kind;
                let first = some.iter().find(|one| one.covers(&exchange).is_ok());
                assert_eq!(store.find(None, &exchange).ok().flatten(), first);
                found += usize::from(first.is_some());
            }
        }
    }
    assert!(found > 100, "{found}");
}

#[test]
fn an_id_is_found_in_any_letter_case_and_the_first_of_twins_counts() {
    let twins = vec![
        agreement("a-1", Flow::FromCustomer, Some(C)),
        agreement("A-1", Flow::FromCustomer, Some(X)),
    ];
    let store = Agreements::new(twins);
    for name in ["a-1", "A-1"] {
        let found = store.get(&AgreementId::parse(name).unwrap()).unwrap();
        assert_eq!(found.customer, Some(number(C)));
    }
    assert!(store.get(&AgreementId::parse("a-2").unwrap()).is_none());
}

#[test]
fn a_named_agreement_alone_decides() {
    let store = Agreements::new(vec![
        agreement("a-2", Flow::ToCustomer, Some(C)),
        agreement("a-1", Flow::FromCustomer, Some(C)),
    ]);
    let exchange = exchange(C, P);
    let by = |name: &str| {
        let name = AgreementId::parse(name).unwrap();
        let found = store.find(Some(&name), &exchange);
        found.map(|found| found.map(|a| a.id.as_str()))
    };
    assert_eq!(by("A-1"), Ok(Some("a-1")));
    assert_eq!(by("a-2"), Err(NoAgreement::NamedMisfit(Mismatch::Parties)));
    assert_eq!(by("a-3"), Err(NoAgreement::Unknown));
    let unnamed = store.find(None, &exchange).unwrap().unwrap();
    assert_eq!(unnamed.id.as_str(), "a-1");
}

#[test]
fn administrative_messages_need_none_and_others_do() {
    let none = Agreements::default();
    assert!(none.is_empty());
    let mut exchange = exchange(C, P);
    assert_eq!(none.find(None, &exchange), Err(NoAgreement::None));
    exchange.sequence_type = SequenceType::Adm;
    assert_eq!(none.find(None, &exchange), Ok(None));
    let permitted = none.permit(None, &exchange, &[]).unwrap();
    assert_eq!(permitted, Permission::Administrative);
    assert!(!permitted.confirm());
}

#[test]
fn the_agreement_that_permits_says_whether_a_confirmation_is_wanted() {
    let mut local = agreement("a-1", Flow::FromCustomer, Some(C));
    local.confirm = true;
    let store = Agreements::new(vec![local]);
    let permitted = store.permit(None, &exchange(C, P), &[]).unwrap();
    assert!(permitted.confirm());
    let public = [PublicAgreement {
        id: None,
        principal: number(P),
        products: vec![Produkt::Uuid(uuid::Uuid::nil())],
        transfer: super::super::AgreedTransfer::Any,
        confirm: false,
    }];
    let permitted = store.permit(None, &exchange(X, P), &public).unwrap();
    assert_eq!(permitted, Permission::Public(&public[0]));
    assert!(!permitted.confirm());
}

#[test]
fn a_product_said_twice_counts_once() {
    let mut twice = agreement("a-1", Flow::FromCustomer, Some(C));
    twice.products = vec![twice.products[0]; 3];
    let store = Agreements::new(vec![twice]);
    assert_eq!(store.candidates(&exchange(C, P)).count(), 1);
    assert_eq!(store.explain(None, &exchange(C, P)).candidates.len(), 1);
}
