//! The parties of this test, what they have agreed on, and what they send. All invented.

use bytes::Bytes;
use chrono::Utc;
use samsvar::client::question::{self, Asker};
use shs_schemas::ids::{ContentId, CorrId, TxId};
use shs_schemas::mime::ContentType;
use shs_schemas::shs::label::{
    Actor, Content, Label, MessageType, Product, SequenceType, Status, TransferType,
};
use shs_schemas::shs::{Adress, DataPart, Message, Produkt, time};

use crate::avtal::Avtal;
use crate::draw::Draw;
use crate::record::{Kind, Sent};

/// The node's own actor, which has the services.
pub const OWN: &str = "2021009994";
/// Three municipalities with mailboxes here.
pub const EXEMPELKOPING: &str = "2120009994";
pub const PROVSTAD: &str = "2120009986";
pub const TREDJEBY: &str = "2120009978";
/// Two actors with nodes of their own; the node of the second is slow and often busy.
pub const NEIGHBOUR: &str = "5560000027";
pub const FAR_AWAY: &str = "5560000001";

const SSBTEK: &str = "55b7e000-0010-4000-8000-000000000010";
const PING: &str = "00000000-0000-0000-0000-000000000000";
/// Letters that are confirmed.
const CONFIRMED: &str = "5a1e0000-1111-4222-8333-444455557777";
/// Letters that are not.
const QUIET: &str = "5a1e0000-1111-4222-8333-444455558888";
/// Letters to everybody who has agreed on them.
const CIRCULAR: &str = "5a1e0000-1111-4222-8333-444455556666";
/// A product that no agreement names.
const UNAGREED: &str = "5a1e0000-1111-4222-8333-444455559999";

/// The person whom the questions are about.
const PERSON: &str = "199503142383";

/// Who gets a circular of Exempelköping.
pub const CIRCULAR_TO: [&str; 2] = [PROVSTAD, NEIGHBOUR];

/// All agreements.
pub fn agreements() -> Vec<Avtal> {
    let everybody = [EXEMPELKOPING, PROVSTAD, TREDJEBY, NEIGHBOUR, FAR_AWAY];
    let mut number = 0;
    let mut next = move || {
        number += 1;
        number
    };
    let mut agreed = Vec::new();
    for customer in everybody {
        agreed.push(Avtal::between(next(), OWN, customer, SSBTEK));
        agreed.push(Avtal::between(next(), OWN, customer, PING));
    }
    for (principal, customer) in [
        (PROVSTAD, EXEMPELKOPING),
        (NEIGHBOUR, EXEMPELKOPING),
        (FAR_AWAY, EXEMPELKOPING),
        (FAR_AWAY, PROVSTAD),
        (NEIGHBOUR, PROVSTAD),
    ] {
        agreed.push(Avtal::between(next(), principal, customer, CONFIRMED).confirmed());
        agreed.push(Avtal::between(next(), principal, customer, QUIET));
    }
    for customer in CIRCULAR_TO {
        agreed.push(Avtal {
            flow: "to-customer",
            ..Avtal::between(next(), EXEMPELKOPING, customer, CIRCULAR)
        });
    }
    agreed
}

/// A question about a person.
pub fn question(from: &str) -> Sent {
    let asker = Asker {
        from: from[..10].to_owned(),
        product: format!("urn:X-shs:{SSBTEK}"),
        ..Asker::default()
    };
    let mut message = question::message(&asker, &[PERSON.to_owned()], Utc::now()).unwrap();
    message.label.transfer_type = TransferType::Asynch;
    message.label.from = Some(actor(from));
    Sent::new(Kind::Question, message, Vec::new())
}

/// A connection test.
pub fn ping(from: &str) -> Sent {
    let message = message(from, Some(OWN), PING, SequenceType::Request);
    Sent::new(Kind::Ping, message, Vec::new())
}

/// A letter from one address to another.
pub fn letter(from: &str, to: &str, draw: &mut Draw) -> Sent {
    let product = draw.pick(&[CONFIRMED, QUIET]);
    let message = message(from, Some(to), product, SequenceType::Event);
    Sent::new(Kind::Letter, message, vec![to.to_owned()])
}

/// A letter to everybody who has agreed.
pub fn circular(from: &str) -> Sent {
    let message = message(from, None, CIRCULAR, SequenceType::Event);
    let receivers = CIRCULAR_TO.map(str::to_owned).to_vec();
    Sent::new(Kind::Circular, message, receivers)
}

/// A letter that nobody has agreed to.
pub fn unagreed(from: &str, to: &str) -> Sent {
    let message = message(from, Some(to), UNAGREED, SequenceType::Event);
    Sent::new(Kind::Unagreed, message, Vec::new())
}

/// The same message under identifiers that are no UUIDs: the ledger has them only encrypted.
pub fn under_odd_ids(mut sent: Sent) -> Sent {
    let odd = format!("ARENDE-{}", sent.message.label.tx_id);
    let label = &mut sent.message.label;
    label.tx_id = TxId::parse(&odd).unwrap();
    label.corr_id = CorrId::parse(&odd).unwrap();
    sent
}

fn actor(address: &str) -> Actor {
    Actor::new(Adress::parse(address).unwrap(), None)
}

fn message(from: &str, to: Option<&str>, product: &str, sequence_type: SequenceType) -> Message {
    let tx_id = TxId::fresh();
    let label = Label {
        corr_id: CorrId::parse(tx_id.as_str()).unwrap(),
        tx_id,
        agreement: None,
        transfer_type: TransferType::Asynch,
        message_type: MessageType::Simple,
        sequence_type,
        status: Status::Production,
        originator: None,
        from: Some(actor(from)),
        to: to.map(actor),
        end_recipient: None,
        product: Product::from(Produkt::parse(product).unwrap()),
        meta: Vec::new(),
        subject: None,
        datetime: time::swedish(Utc::now()),
        content: Content {
            id: ContentId::fresh(),
            data: Vec::new(),
            compound: false,
            comment: None,
        },
        history: Vec::new(),
    };
    let text = Bytes::from_static(b"rad 1\r\nrad 2\r\n");
    Message {
        label,
        parts: vec![DataPart::new(
            "underlag",
            "underlag.txt",
            ContentType::TEXT,
            text,
        )],
    }
}
