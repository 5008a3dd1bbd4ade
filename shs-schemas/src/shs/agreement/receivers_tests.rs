use super::*;
use crate::shs::agreement::AgreedTransfer;
use crate::shs::agreement::samples::{C, P, X, agreement, day, number};

/// An asynchronous agreement with `principal`.
fn asynch(id: &str, principal: &str, flow: Flow, customer: Option<&str>) -> Agreement {
    Agreement {
        principal: number(principal),
        transfer: AgreedTransfer::Asynch,
        ..agreement(id, flow, customer)
    }
}

/// Makes a message another one.
type Change = fn(&mut Unaddressed);

fn public(principal: &str, transfer: AgreedTransfer) -> PublicAgreement {
    PublicAgreement {
        id: None,
        principal: number(principal),
        products: vec![Produkt::Uuid(uuid::Uuid::nil())],
        transfer,
        confirm: false,
    }
}

fn message(sender: &str, sequence_type: SequenceType) -> Unaddressed {
    Unaddressed {
        sender: number(sender),
        produkt: Produkt::Uuid(uuid::Uuid::nil()),
        transfer_type: TransferType::Asynch,
        sequence_type,
        today: day("2031-06-15"),
    }
}

fn numbers(found: &[Organisationsnummer]) -> Vec<&str> {
    found.iter().map(Organisationsnummer::as_str).collect()
}

/// The receivers of an asynchronous event and of an asynchronous reply under one agreement.
fn event_and_reply(agreement: Agreement, sender: &str) -> [Option<String>; 2] {
    let store = Agreements::new(vec![agreement]);
    [SequenceType::Event, SequenceType::Reply].map(|kind| {
        let found = store.receivers(None, &message(sender, kind), &[]).ok()?;
        assert_eq!(found.len(), 1);
        Some(found[0].to_string())
    })
}

#[test]
fn the_flow_tells_the_receiver_and_a_reply_turns_it_round() {
    use Flow::{Any, FromCustomer, ToCustomer};
    // flow, customer, sender; receiver of an event, of a reply
    let table = [
        (ToCustomer, Some(C), P, Some(C), Some(P)),
        (ToCustomer, Some(C), C, Some(C), Some(P)),
        (ToCustomer, Some(C), X, None, None),
        (FromCustomer, Some(C), C, Some(P), Some(C)),
        (FromCustomer, Some(C), P, Some(P), Some(C)),
        (FromCustomer, Some(C), X, None, None),
        // Anyone is the customer; as a receiver that is nobody.
        (FromCustomer, None, X, Some(P), None),
        (FromCustomer, None, P, Some(P), None),
        (Any, Some(C), C, Some(P), Some(P)),
        (Any, Some(C), P, Some(C), Some(C)),
        (Any, Some(C), X, None, None),
        (Any, None, X, Some(P), Some(P)),
        (Any, None, P, Some(P), Some(P)),
    ];
    for (row, (flow, customer, sender, event, reply)) in table.into_iter().enumerate() {
        let found = event_and_reply(asynch("a-1", P, flow, customer), sender);
        assert_eq!(
            found,
            [event, reply].map(|r| r.map(str::to_owned)),
            "row {row}"
        );
    }
}

#[test]
fn a_synchronous_reply_is_not_turned_round() {
    let one = Agreement {
        transfer: AgreedTransfer::Any,
        ..asynch("a-1", P, Flow::FromCustomer, Some(C))
    };
    let store = Agreements::new(vec![one]);
    let mut reply = message(C, SequenceType::Reply);
    reply.transfer_type = TransferType::Synch;
    assert_eq!(numbers(&store.receivers(None, &reply, &[]).unwrap()), [P]);
}

#[test]
fn several_receivers_come_once_each_in_the_order_of_the_agreements() {
    let store = Agreements::new(vec![
        asynch("a-1", X, Flow::FromCustomer, Some(C)),
        asynch("a-2", P, Flow::FromCustomer, None),
        asynch("a-3", X, Flow::Any, Some(C)),
        asynch("a-4", "7", Flow::FromCustomer, Some(C)),
        asynch("a-5", P, Flow::FromCustomer, Some(C)),
    ]);
    let mut event = message(C, SequenceType::Event);
    assert_eq!(
        numbers(&store.receivers(None, &event, &[]).unwrap()),
        [X, P, "7"]
    );
    // None of them is for synchronous messages.
    event.transfer_type = TransferType::Synch;
    assert_eq!(store.receivers(None, &event, &[]), Err(NoReceiver::Nobody));
}

#[test]
fn a_synchronous_message_has_one_receiver() {
    let both = |id, principal| Agreement {
        transfer: AgreedTransfer::Any,
        ..asynch(id, principal, Flow::FromCustomer, Some(C))
    };
    let store = Agreements::new(vec![both("a-1", P), both("a-2", X), both("a-3", P)]);
    let mut request = message(C, SequenceType::Request);
    assert_eq!(
        numbers(&store.receivers(None, &request, &[]).unwrap()),
        [P, X]
    );
    request.transfer_type = TransferType::Synch;
    let refused = store.receivers(None, &request, &[]).unwrap_err();
    assert_eq!(refused, NoReceiver::Several(2));
    assert_eq!(refused.code(), ErrorCode::IllegalReceiver);
    // The same receiver by two agreements is one.
    let store = Agreements::new(vec![both("a-1", P), both("a-3", P)]);
    assert_eq!(numbers(&store.receivers(None, &request, &[]).unwrap()), [P]);
}

#[test]
fn a_named_agreement_alone_tells_the_receiver() {
    let store = Agreements::new(vec![
        asynch("a-1", P, Flow::FromCustomer, Some(C)),
        asynch("a-2", X, Flow::FromCustomer, Some(C)),
        asynch("a-3", P, Flow::FromCustomer, Some(X)),
    ]);
    let public = [public("7", AgreedTransfer::Any)];
    let by = |name: &str, change: Change| {
        let mut event = message(C, SequenceType::Event);
        change(&mut event);
        store.receivers(Some(&AgreementId::parse(name).unwrap()), &event, &public)
    };
    assert_eq!(numbers(&by("A-2", |_| {}).unwrap()), [X]);
    let unknown = by("a-9", |_| {}).unwrap_err();
    assert_eq!(unknown, NoReceiver::NamedUnknown);
    assert_eq!(unknown.code(), ErrorCode::MissingAgreement);
    let misfits: [(&str, Change, Mismatch); 4] = [
        ("a-1", |e| e.produkt = Produkt::Agreement, Mismatch::Product),
        ("a-3", |_| {}, Mismatch::Parties),
        (
            "a-1",
            |e| e.transfer_type = TransferType::Synch,
            Mismatch::TransferType,
        ),
        ("a-1", |e| e.today = day("2032-01-01"), Mismatch::Expired),
    ];
    for (name, change, mismatch) in misfits {
        let refused = by(name, change).unwrap_err();
        assert_eq!(refused, NoReceiver::NamedMisfit(mismatch));
        assert_eq!(refused.code(), ErrorCode::MissingAgreement);
    }
}

#[test]
fn a_named_agreement_whose_customer_is_anyone_tells_the_principal_only() {
    let store = Agreements::new(vec![asynch("a-1", P, Flow::FromCustomer, None)]);
    let name = AgreementId::parse("a-1").unwrap();
    let by = |kind| store.receivers(Some(&name), &message(X, kind), &[]);
    assert_eq!(numbers(&by(SequenceType::Event).unwrap()), [P]);
    assert_eq!(by(SequenceType::Reply), Err(NoReceiver::Nobody));
}

#[test]
fn public_agreements_count_when_no_local_one_does() {
    let local = asynch("a-1", X, Flow::FromCustomer, Some(C));
    let store = Agreements::new(vec![local]);
    let open = [
        public(P, AgreedTransfer::Any),
        public("7", AgreedTransfer::Synch),
        public("8", AgreedTransfer::Asynch),
        PublicAgreement {
            products: vec![Produkt::Uuid(uuid::Uuid::max())],
            ..public("9", AgreedTransfer::Any)
        },
        public(P, AgreedTransfer::Asynch),
    ];
    let mut event = message(C, SequenceType::Event);
    assert_eq!(numbers(&store.receivers(None, &event, &open).unwrap()), [X]);
    // A local agreement that has ended does not count.
    event.today = day("2032-01-01");
    assert_eq!(
        numbers(&store.receivers(None, &event, &open).unwrap()),
        [P, "8"]
    );
    assert_eq!(store.receivers(None, &event, &[]), Err(NoReceiver::Nobody));
    // The customer of a public agreement is anyone: a reply has nobody to go to.
    event.sequence_type = SequenceType::Reply;
    assert_eq!(
        store.receivers(None, &event, &open),
        Err(NoReceiver::Nobody)
    );
}

#[test]
fn no_agreement_tells_where_an_administrative_message_goes() {
    let store = Agreements::new(vec![asynch("a-1", P, Flow::Any, Some(C))]);
    let mut error = message(C, SequenceType::Adm);
    error.produkt = Produkt::Error;
    let name = AgreementId::parse("a-1").unwrap();
    for named in [None, Some(&name)] {
        let refused = store.receivers(named, &error, &[]).unwrap_err();
        assert_eq!(refused, NoReceiver::Nobody);
        assert_eq!(refused.code(), ErrorCode::UnresolvedReceiver);
    }
}
