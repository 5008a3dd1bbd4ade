//! The parties of these tests, what they have agreed on, and the messages they send. All invented.

use bytes::Bytes;
use chrono::{NaiveDate, Utc};
use samsvar::client::question::{self, Asker};
use samsvar::settings::{AgreementFile, Aktor, Delivery, ProductFile, ServiceUrl, Settings};
use shs_schemas::ids::{AgreementId, ContentId, CorrId, TxId};
use shs_schemas::mime::ContentType;
use shs_schemas::shs::agreement::{AgreedTransfer, Flow};
use shs_schemas::shs::label::{Actor, InnerParty, SequenceType, TransferType};
use shs_schemas::shs::{
    Adress, Agreement, DataPart, Message, Organisationsnummer, ProductType, Produkt,
};
use uuid::Uuid;

use crate::sandbox::{Builder, DEMO, Sandbox};

/// The node's own actor.
pub const OWN: &str = "2021009994";
/// Two municipalities with mailboxes here.
pub const EXEMPELKOPING: &str = "2120009994";
pub const PROVSTAD: &str = "2120009986";
/// An actor that is listed and has agreed on nothing.
pub const STRANGER: &str = "2120000142";
/// An actor with a node of its own.
pub const NEIGHBOUR: &str = "5560000027";
/// Nobody.
pub const NOBODY: &str = "5560000001";

/// Files from one municipality to another.
pub const FILES: &str = "5a1e0000-1111-4222-8333-444455557777";
/// A product that is described, and that they have agreed on too.
pub const DESCRIBED: &str = "5a1e0000-1111-4222-8333-444455556666";
/// A product whose agreements name several receivers.
pub const CIRCULAR: &str = "5a1e0000-1111-4222-8333-444455558888";
/// The connection test.
pub const PING: &str = "00000000-0000-0000-0000-000000000000";
/// The agreement about [`FILES`] between the municipalities, which asks for confirmations.
pub const FILES_AGREED: &str = "9e2d4b60-7a31-4c8e-b5f0-1a2b3c4d5e6f";

pub fn number(text: &str) -> Organisationsnummer {
    Organisationsnummer::parse(text).unwrap()
}

pub fn address(text: &str) -> Adress {
    Adress::parse(text).unwrap()
}

pub fn produkt(text: &str) -> Produkt {
    Produkt::parse(text).unwrap()
}

pub fn actor(text: &str) -> Actor {
    Actor::new(address(text), None)
}

/// An agreement of the principal with a customer about a product, in force for years.
pub fn agreement(principal: &str, customer: &str, product: &str) -> Agreement {
    Agreement {
        id: AgreementId::parse(&Uuid::new_v4().to_string()).unwrap(),
        transfer: AgreedTransfer::Any,
        principal: number(principal),
        products: vec![produkt(product)],
        customer: Some(number(customer)),
        flow: Flow::Any,
        confirm: false,
        valid_from: NaiveDate::from_ymd_opt(2020, 1, 1).unwrap(),
        valid_to: None,
        principal_name: None,
        customer_name: None,
    }
}

/// A description with one part of one role, which is text.
const DESCRIPTION: &str = "<shs.product uuid='5a1e0000-1111-4222-8333-444455556666'>\
    <principal>urn:X-shs:2120009986</principal>\
    <data datapartType='underlag'><mime type='text' subtype='plain'/></data></shs.product>";

fn agree(settings: &mut Settings, agreement: Agreement) {
    settings.agreements.push(AgreementFile {
        file: "agreement.xml".into(),
        agreement,
    });
}

/// The demo's node, with what the messages here need; for asynchronous messages too.
pub fn node() -> Builder {
    Sandbox::new().asynch().with(|settings| {
        let template = settings.aktorer[0].clone();
        settings.aktorer.push(Aktor {
            organisationsnummer: STRANGER.to_owned(),
            namn: "Främlingens kommun".to_owned(),
            ..template
        });
        agree(
            settings,
            Agreement {
                id: AgreementId::parse(FILES_AGREED).unwrap(),
                confirm: true,
                ..agreement(PROVSTAD, EXEMPELKOPING, FILES)
            },
        );
        agree(settings, agreement(PROVSTAD, EXEMPELKOPING, DESCRIBED));
        agree(settings, agreement(OWN, EXEMPELKOPING, FILES));
        for customer in [PROVSTAD, OWN] {
            let one = Agreement {
                flow: Flow::ToCustomer,
                ..agreement(EXEMPELKOPING, customer, CIRCULAR)
            };
            agree(settings, one);
        }
        settings.products.push(ProductFile {
            file: "product.xml".into(),
            product: ProductType::read(DESCRIPTION.as_bytes()).unwrap(),
        });
    })
}

/// What a test adds to the node.
pub trait Further {
    /// An actor whose node receives there; without an address it has agreed, and cannot be reached.
    fn neighbour(self, url: Option<ServiceUrl>) -> Self;
    /// One more agreement.
    fn agreed(self, agreement: Agreement) -> Self;
}

impl Further for Builder {
    fn neighbour(self, url: Option<ServiceUrl>) -> Self {
        self.with(|settings| {
            let template = settings.aktorer[0].clone();
            settings.aktorer.push(Aktor {
                organisationsnummer: NEIGHBOUR.to_owned(),
                namn: "Grannbolaget".to_owned(),
                delivery: Delivery::Push,
                address: url,
                ..template
            });
            agree(settings, agreement(NEIGHBOUR, EXEMPELKOPING, FILES));
            agree(settings, agreement(NEIGHBOUR, EXEMPELKOPING, PING));
        })
    }

    fn agreed(self, agreement: Agreement) -> Self {
        self.with(|settings| agree(settings, agreement))
    }
}

/// A good synchronous question of SSBTEK.
pub fn question() -> Message {
    question::message(&Asker::default(), &[DEMO.to_owned()], Utc::now()).unwrap()
}

/// The same, asynchronous.
pub fn asynch_question() -> Message {
    let mut message = question();
    message.label.transfer_type = TransferType::Asynch;
    message
}

/// An asynchronous file from a municipality to another.
pub fn file() -> Message {
    file_to(Some(PROVSTAD))
}

/// The same to somebody else, or to whom it may concern.
pub fn file_to(to: Option<&str>) -> Message {
    let mut message = asynch_question();
    let label = &mut message.label;
    label.corr_id = CorrId::parse(&Uuid::new_v4().to_string()).unwrap();
    label.sequence_type = SequenceType::Event;
    label.to = to.map(actor);
    label.product.produkt = produkt(FILES);
    label.originator = Some(InnerParty::new("urn:X-shs:2120009994.expeditionen"));
    label.end_recipient = Some(InnerParty::new("registrator"));
    message.parts = vec![text_part("underlag")];
    message
}

/// A good ping, synchronous, to the node.
pub fn ping() -> Message {
    let mut message = question();
    message.label.product.produkt = produkt(PING);
    message.parts = vec![text_part("ping")];
    message
}

pub fn text_part(role: &str) -> DataPart {
    let text = Bytes::from_static(b"rad 1\r\nrad 2\r\n");
    DataPart::new(role, "underlag.txt", ContentType::TEXT, text)
}

/// Another message with the same content: a fresh `tx.id`.
pub fn again(message: &Message) -> Message {
    let mut again = message.clone();
    again.label.tx_id = TxId::fresh();
    again
}

/// Something exchanged in the bytes of a message: label and MIME are plain text.
pub fn exchanged(message: &Message, from: &str, to: &str) -> Bytes {
    let written = String::from_utf8(message.write().to_vec()).unwrap();
    assert!(written.contains(from), "{from} is there to be exchanged");
    Bytes::from(written.replacen(from, to, 1))
}

pub fn fresh_content(message: &mut Message) {
    message.label.content.id = ContentId::fresh();
}
