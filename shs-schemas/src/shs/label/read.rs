//! Reading a label: lenient where the installed base needs it, and going on after a fault in a
//! value, so that a refusal can name the identifiers that stand further on.

use chrono::NaiveDateTime;

use super::{
    Actor, Content, Data, History, InnerParty, Label, MessageType, Meta, Product, SequenceType,
    Status, TransferType,
};
use crate::charset;
use crate::error::{Fault, WireError};
use crate::error_code::ErrorCode;
use crate::ids::{AgreementId, ContentId, CorrId, LocalId, NodeId, TxId};
use crate::mime::Limits;
use crate::sensitive::Sensitive;
use crate::shs::document::Document;
use crate::shs::fault::{KnownIds, ReadError};
use crate::shs::time;
use crate::shs::urn::{Adress, Produkt};
use crate::xml::Start;

const ROOT: &str = "shs.label";

impl Label {
    /// Reads a label by shs-1.2, 2.7 (charset), 2.13 (tolerance) and 7.2 step 4 (syntax).
    ///
    /// # Errors
    /// With the code that fits: `IllegalSender`, `IllegalReceiver`, `IllegalProductType`, else
    /// `IllegalMessageStructure`; and with the identifiers that could be read.
    pub fn read(
        bytes: &[u8],
        mime_charset: Option<&str>,
        limits: &Limits,
    ) -> Result<Self, ReadError> {
        let max = limits.label_bytes_max;
        if bytes.len() > max {
            let fault = Fault::Limit("label_bytes_max", max);
            return Err(ReadError::structure(WireError::new(ROOT, max, fault)));
        }
        let text = charset::decode(bytes, mime_charset);
        // ISO-8859-1 grows to at most twice its length in UTF-8.
        let document = Document::open(&text, ROOT, max.saturating_mul(2));
        let mut draft = Draft::default();
        let label = document
            .map_err(structural)
            .and_then(|document| draft.read(document))
            .and_then(|()| std::mem::take(&mut draft.fields).finish(draft.refused.take()));
        label.map_err(|(code, fault)| ReadError {
            code,
            fault,
            known: draft.known,
            without_parts: None,
        })
    }
}

type Refusal = (ErrorCode, WireError);

const fn structural(fault: WireError) -> Refusal {
    (ErrorCode::IllegalMessageStructure, fault)
}

/// The label as far as it has been read.
#[derive(Default)]
struct Draft {
    known: KnownIds,
    /// The first fault in a value.
    refused: Option<Refusal>,
    fields: Fields,
}

#[derive(Default)]
struct Fields {
    tx_id: Option<TxId>,
    corr_id: Option<CorrId>,
    agreement: Option<AgreementId>,
    transfer_type: Option<TransferType>,
    message_type: Option<MessageType>,
    sequence_type: Option<SequenceType>,
    status: Option<Status>,
    originator: Option<InnerParty>,
    from: Option<Actor>,
    to: Option<Actor>,
    end_recipient: Option<InnerParty>,
    product: Option<Product>,
    meta: Vec<Meta>,
    subject: Option<Sensitive<String>>,
    datetime: Option<NaiveDateTime>,
    content: Option<Content>,
    history: Vec<History>,
}

impl Draft {
    fn read(&mut self, mut document: Document<'_>) -> Result<(), Refusal> {
        self.root(&document);
        while let Some(start) = document.child().map_err(structural)? {
            self.element(&mut document, &start).map_err(structural)?;
        }
        document.finish().map_err(structural)
    }

    /// Remembers the first fault in a value and lets reading go on.
    fn refuse(&mut self, code: ErrorCode, element: &'static str, offset: usize, fault: Fault) {
        let refusal = (code, WireError::new(element, offset, fault));
        self.refused.get_or_insert(refusal);
    }

    fn structure(&mut self, element: &'static str, offset: usize, fault: Fault) {
        self.refuse(ErrorCode::IllegalMessageStructure, element, offset, fault);
    }

    fn root(&mut self, document: &Document<'_>) {
        self.fields.tx_id = self.id(document, "tx.id", TxId::parse);
        self.known.tx_id.clone_from(&self.fields.tx_id);
        self.fields.corr_id = self.id(document, "corr.id", CorrId::parse);
        self.known.corr_id.clone_from(&self.fields.corr_id);
        if document.attribute("shs.agreement").is_some() {
            self.fields.agreement = self.id(document, "shs.agreement", AgreementId::parse);
        }
        if let Some(version) = document.attribute("version")
            && !version.text.trim().starts_with("1.")
        {
            self.structure("version", version.offset, Fault::Invalid("not version 1"));
        }
        self.fields.transfer_type = self.keyword(document, "transfer-type", TransferType::parse);
        self.fields.sequence_type = self.keyword(document, "sequence-type", SequenceType::parse);
        self.fields.status = self.keyword(document, "status", Status::parse);
        let new = self.keyword(document, "message-type", MessageType::parse);
        let old = self.keyword(document, "document-type", MessageType::parse);
        let is_compound = [new, old].contains(&Some(MessageType::Compound));
        self.fields.message_type = is_compound.then_some(MessageType::Compound);
    }

    /// A required identifier.
    fn id<T>(
        &mut self,
        document: &Document<'_>,
        name: &'static str,
        parse: fn(&str) -> Result<T, WireError>,
    ) -> Option<T> {
        let Some(value) = document.attribute(name) else {
            self.structure(name, 0, Fault::Missing);
            return None;
        };
        match parse(&value.text) {
            Ok(id) => Some(id),
            Err(error) => {
                self.structure(name, value.offset, error.fault);
                None
            }
        }
    }

    fn keyword<T>(
        &mut self,
        document: &Document<'_>,
        name: &'static str,
        parse: fn(&str) -> Option<T>,
    ) -> Option<T> {
        let value = document.attribute(name)?;
        let keyword = parse(&value.text);
        if keyword.is_none() {
            self.structure(name, value.offset, Fault::Invalid("not one of its values"));
        }
        keyword
    }

    fn element(&mut self, document: &mut Document<'_>, start: &Start<'_>) -> Result<(), WireError> {
        let at = start.span.start;
        match start.local {
            "originator" => {
                let party = inner_party(document, "originator")?;
                let twice = self.fields.originator.replace(party).is_some();
                self.once(twice, ErrorCode::IllegalSender, "originator", at);
            }
            "from" => {
                let actor = self.actor(document, "from", at, ErrorCode::IllegalSender)?;
                let twice = self.fields.from.is_some();
                self.fields.from = actor;
                self.once(twice, ErrorCode::IllegalSender, "from", at);
            }
            "to" => {
                let actor = self.actor(document, "to", at, ErrorCode::IllegalReceiver)?;
                let twice = self.fields.to.is_some();
                self.fields.to = actor;
                self.once(twice, ErrorCode::IllegalReceiver, "to", at);
            }
            "end-recipient" => {
                let party = inner_party(document, "end-recipient")?;
                let twice = self.fields.end_recipient.replace(party).is_some();
                self.once(twice, ErrorCode::IllegalEndRecipient, "end-recipient", at);
            }
            "product" => self.product(document, at)?,
            "meta" => self.fields.meta.push(meta(document)?),
            "subject" => {
                let subject = Sensitive::new(document.text("subject")?.into_owned());
                let twice = self.fields.subject.replace(subject).is_some();
                self.once(twice, ErrorCode::IllegalMessageStructure, "subject", at);
            }
            "datetime" => self.datetime(document, at)?,
            "content" => self.content(document, at)?,
            "history" => self.fields.history.extend(history(document)?),
            _ => document.skip()?,
        }
        Ok(())
    }

    /// Refuses an element that came a second time.
    fn once(&mut self, twice: bool, code: ErrorCode, element: &'static str, offset: usize) {
        if twice {
            self.refuse(code, element, offset, Fault::Unexpected);
        }
    }

    fn actor(
        &mut self,
        document: &mut Document<'_>,
        element: &'static str,
        at: usize,
        code: ErrorCode,
    ) -> Result<Option<Actor>, WireError> {
        let common_name = document.attribute_text("commonName");
        let e_mail = document.attribute_text("e-mail").map(Sensitive::new);
        let labeled_uri = document.attribute_text("labeledURI");
        match Adress::parse(&document.text(element)?) {
            Ok(address) => Ok(Some(Actor {
                address,
                common_name,
                e_mail,
                labeled_uri,
            })),
            Err(error) => {
                self.refuse(code, element, at, error.fault);
                Ok(None)
            }
        }
    }

    fn product(&mut self, document: &mut Document<'_>, at: usize) -> Result<(), WireError> {
        let common_name = document.attribute_text("commonName");
        let labeled_uri = document.attribute_text("labeledURI");
        match Produkt::parse(&document.text("product")?) {
            Ok(produkt) => {
                let twice = self.fields.product.is_some();
                self.fields.product = Some(Product {
                    produkt,
                    common_name,
                    labeled_uri,
                });
                self.once(twice, ErrorCode::IllegalProductType, "product", at);
            }
            Err(error) => self.refuse(ErrorCode::IllegalProductType, "product", at, error.fault),
        }
        Ok(())
    }

    fn datetime(&mut self, document: &mut Document<'_>, at: usize) -> Result<(), WireError> {
        match time::read(&document.text("datetime")?) {
            Some(time) => {
                let twice = self.fields.datetime.replace(time).is_some();
                self.once(twice, ErrorCode::IllegalMessageStructure, "datetime", at);
            }
            None => self.structure("datetime", at, Fault::Invalid("not a timestamp")),
        }
        Ok(())
    }

    fn content(&mut self, document: &mut Document<'_>, at: usize) -> Result<(), WireError> {
        // Version 1.1 calls the content id `uuid` (shs-1.2, 3.7).
        let old =
            document.attribute("content.id").is_none() && document.attribute("uuid").is_some();
        let name = if old { "uuid" } else { "content.id" };
        let id = self.id(document, name, ContentId::parse);
        self.known.content_id.clone_from(&id);
        let mut data = Vec::new();
        let mut compound = false;
        let mut comment = None;
        while let Some(start) = document.child()? {
            match start.local {
                "data" => {
                    data.push(data_element(document));
                    document.skip()?;
                }
                "compound" => {
                    compound = true;
                    document.skip()?;
                }
                "comment" => {
                    comment = Some(Sensitive::new(document.text("comment")?.into_owned()));
                }
                _ => document.skip()?,
            }
        }
        let content = id.map(|id| Content {
            id,
            data,
            compound,
            comment,
        });
        let twice = self.fields.content.is_some();
        self.fields.content = content;
        self.once(twice, ErrorCode::IllegalMessageStructure, "content", at);
        Ok(())
    }
}

impl Fields {
    /// The label, unless a fault was seen or something required is missing.
    fn finish(self, refused: Option<Refusal>) -> Result<Label, Refusal> {
        if let Some(refusal) = refused {
            return Err(refusal);
        }
        let missing = |code, element| (code, WireError::new(element, 0, Fault::Missing));
        let structure = |element| missing(ErrorCode::IllegalMessageStructure, element);
        if self.from.is_none() && self.originator.is_none() {
            return Err(missing(ErrorCode::IllegalSender, "from"));
        }
        Ok(Label {
            tx_id: self.tx_id.ok_or(structure("tx.id"))?,
            corr_id: self.corr_id.ok_or(structure("corr.id"))?,
            agreement: self.agreement,
            transfer_type: self.transfer_type.unwrap_or(TransferType::Asynch),
            message_type: self.message_type.unwrap_or(MessageType::Simple),
            sequence_type: self.sequence_type.ok_or(structure("sequence-type"))?,
            status: self.status.unwrap_or(Status::Production),
            originator: self.originator,
            from: self.from,
            to: self.to,
            end_recipient: self.end_recipient,
            product: self
                .product
                .ok_or(missing(ErrorCode::IllegalProductType, "product"))?,
            meta: self.meta,
            subject: self.subject,
            datetime: self.datetime.ok_or(structure("datetime"))?,
            content: self.content.ok_or(structure("content"))?,
            history: self.history,
        })
    }
}

fn inner_party(
    document: &mut Document<'_>,
    element: &'static str,
) -> Result<InnerParty, WireError> {
    let name = document.attribute_text("name").map(Sensitive::new);
    let labeled_uri = document.attribute_text("labeledURI").map(Sensitive::new);
    let value = Sensitive::new(document.text(element)?.into_owned());
    Ok(InnerParty {
        value,
        name,
        labeled_uri,
    })
}

/// The `meta` that was entered last, of a label or a message list.
pub(in crate::shs) fn meta(document: &mut Document<'_>) -> Result<Meta, WireError> {
    let name = document.attribute_text("name").unwrap_or_default();
    Ok(Meta {
        name: Sensitive::new(name),
        value: Sensitive::new(document.text("meta")?.into_owned()),
    })
}

/// The `data` that was entered last, of a label or a message list; it must still be passed over.
pub(in crate::shs) fn data_element(document: &Document<'_>) -> Data {
    let number = |name| document.attribute(name)?.text.trim().parse().ok();
    Data {
        datapart_type: document.attribute_text("datapartType").unwrap_or_default(),
        filename: document.attribute_text("filename").map(Sensitive::new),
        no_of_bytes: number("no-of-bytes"),
        no_of_records: number("no-of-records"),
    }
}

/// A history entry; one without readable node or time says nothing and is dropped.
fn history(document: &mut Document<'_>) -> Result<Option<History>, WireError> {
    fn id<T>(
        document: &Document<'_>,
        name: &str,
        parse: fn(&str) -> Result<T, WireError>,
    ) -> Option<T> {
        parse(&document.attribute(name)?.text).ok()
    }
    let node_id = id(document, "node.id", NodeId::parse);
    let content_id = id(document, "content.id", ContentId::parse);
    let tx_id = id(document, "tx.id", TxId::parse);
    let from = document.attribute_text("from");
    let to = document.attribute_text("to");
    let local_id = id(document, "local.id", LocalId::parse);
    let agreement = id(document, "shs.agreement", AgreementId::parse);
    let mut datetime = None;
    let mut comment = None;
    while let Some(start) = document.child()? {
        match start.local {
            "datetime" => datetime = time::read(&document.text("datetime")?),
            "comment" => comment = Some(Sensitive::new(document.text("comment")?.into_owned())),
            _ => document.skip()?,
        }
    }
    let (Some(node_id), Some(datetime)) = (node_id, datetime) else {
        return Ok(None);
    };
    Ok(Some(History {
        node_id,
        content_id,
        tx_id,
        from,
        to,
        local_id,
        agreement,
        datetime,
        comment,
    }))
}
