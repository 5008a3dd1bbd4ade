//! Writing a label: valid against the DTD, ASCII only, small.

use super::{Actor, Content, Data, History, InnerParty, Label, Meta, Product};
use crate::ids::{AgreementId, ContentId, LocalId, TxId};
use crate::sensitive::Sensitive;
use crate::shs::document::Output;
use crate::shs::time;

const ROOT: &str = "shs.label";
const DTD: &str = "shs-label-1.2.dtd";

/// Longest label, in bytes, that surely ends within the first 4,096 bytes of a message: some
/// receivers look no further (shs-1.2, 2.11). The rest is for the MIME headers before it.
pub const LABEL_BYTES_SAFE: usize = 4096 - 320;

impl Label {
    /// The label as bytes of XML. Each element has a line of its own, unless the label is only
    /// without them short enough for [`LABEL_BYTES_SAFE`].
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        self.write_with(&self.content.data)
    }

    /// The same with other `data` elements than the label's own.
    pub(in crate::shs) fn write_with(&self, data: &[Data]) -> Vec<u8> {
        let readable = self.render(data, true);
        let text = if readable.len() <= LABEL_BYTES_SAFE {
            readable
        } else {
            self.render(data, false)
        };
        text.into_bytes()
    }

    fn render(&self, data: &[Data], pretty: bool) -> String {
        let mut out = Output::new(ROOT, DTD, pretty);
        self.root_attributes(&mut out);
        out.children();
        if let Some(originator) = &self.originator {
            inner_party(&mut out, "originator", originator);
        }
        if let Some(from) = &self.from {
            sender(&mut out, from);
        }
        if let Some(to) = &self.to {
            out.open("to");
            out.attribute_if("commonName", to.common_name.as_deref());
            out.text("to", &to.address.to_string());
        }
        if let Some(end_recipient) = &self.end_recipient {
            inner_party(&mut out, "end-recipient", end_recipient);
        }
        product(&mut out, &self.product);
        meta_elements(&mut out, &self.meta);
        if let Some(subject) = &self.subject {
            out.leaf("subject", subject.expose());
        }
        out.leaf("datetime", &time::write(self.datetime));
        content(&mut out, &self.content, data);
        for entry in &self.history {
            history(&mut out, entry);
        }
        out.close(ROOT);
        out.finish()
    }

    fn root_attributes(&self, out: &mut Output) {
        let message_type = self.message_type.as_str();
        out.attribute("version", "1.2");
        out.attribute("tx.id", self.tx_id.as_str());
        out.attribute("corr.id", self.corr_id.as_str());
        let agreement = self.agreement.as_ref();
        out.attribute_if("shs.agreement", agreement.map(AgreementId::as_str));
        out.attribute("transfer-type", self.transfer_type.as_str());
        out.attribute("message-type", message_type);
        out.attribute("document-type", message_type);
        out.attribute("sequence-type", self.sequence_type.as_str());
        out.attribute("status", self.status.as_str());
    }
}

fn exposed(value: Option<&Sensitive<String>>) -> Option<&str> {
    value.map(|value| value.expose().as_str())
}

fn inner_party(out: &mut Output, element: &str, party: &InnerParty) {
    out.open(element);
    out.attribute_if("name", exposed(party.name.as_ref()));
    out.attribute_if("labeledURI", exposed(party.labeled_uri.as_ref()));
    out.text(element, party.value.expose());
}

/// `commonName` is required here; the number stands in for a name that is not known or blank
/// (shs-1.2, 10 row 13).
fn sender(out: &mut Output, from: &Actor) {
    let number = from.address.organisation().as_str();
    let name = from.common_name.as_deref();
    let name = name.filter(|name| !name.trim().is_empty());
    out.open("from");
    out.attribute("commonName", name.unwrap_or(number));
    out.attribute_if("e-mail", exposed(from.e_mail.as_ref()));
    out.attribute_if("labeledURI", from.labeled_uri.as_deref());
    out.text("from", &from.address.to_string());
}

fn product(out: &mut Output, product: &Product) {
    out.open("product");
    out.attribute_if("commonName", product.common_name.as_deref());
    out.attribute_if("labeledURI", product.labeled_uri.as_deref());
    out.text("product", &product.produkt.to_string());
}

fn content(out: &mut Output, content: &Content, data: &[Data]) {
    out.open("content");
    out.attribute("content.id", content.id.as_str());
    out.children();
    data_elements(out, data);
    if let Some(comment) = &content.comment {
        out.leaf("comment", comment.expose());
    }
    out.close("content");
}

/// `meta`, as a label and a message list have it.
pub(in crate::shs) fn meta_elements(out: &mut Output, meta: &[Meta]) {
    for meta in meta {
        out.open("meta");
        out.attribute("name", meta.name.expose());
        out.text("meta", meta.value.expose());
    }
}

/// `data`, as a label and a message list have it.
pub(in crate::shs) fn data_elements(out: &mut Output, data: &[Data]) {
    for data in data {
        out.open("data");
        out.attribute("datapartType", &data.datapart_type);
        out.attribute_if("filename", exposed(data.filename.as_ref()));
        if let Some(number) = data.no_of_bytes {
            out.attribute_shown("no-of-bytes", number);
        }
        if let Some(number) = data.no_of_records {
            out.attribute_shown("no-of-records", number);
        }
        out.empty();
    }
}

fn history(out: &mut Output, entry: &History) {
    out.open("history");
    out.attribute("node.id", entry.node_id.as_str());
    out.attribute_if(
        "content.id",
        entry.content_id.as_ref().map(ContentId::as_str),
    );
    out.attribute_if("tx.id", entry.tx_id.as_ref().map(TxId::as_str));
    out.attribute_if("from", entry.from.as_deref());
    out.attribute_if("to", entry.to.as_deref());
    out.attribute_if("local.id", entry.local_id.as_ref().map(LocalId::as_str));
    out.attribute_if(
        "shs.agreement",
        entry.agreement.as_ref().map(AgreementId::as_str),
    );
    out.children();
    out.leaf("datetime", &time::write(entry.datetime));
    if let Some(comment) = &entry.comment {
        out.leaf("comment", comment.expose());
    }
    out.close("history");
}
