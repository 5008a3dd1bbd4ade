//! Writing a message list: valid against the DTD, ASCII only, into one buffer.

use super::Entry;
use crate::shs::document::Output;
use crate::shs::label::{InnerParty, data_elements, meta_elements};
use crate::shs::time;

const ROOT: &str = "shs.message-list";
const DTD: &str = "shs-message-list-1.2.01.dtd";

/// Writes a list, in the order of the entries. No message at all is a list without children.
#[must_use]
pub fn write<'a>(entries: impl IntoIterator<Item = Entry<'a>>) -> Vec<u8> {
    let mut out = Output::new(ROOT, DTD, true);
    out.attribute("version", "1.2");
    let mut entries = entries.into_iter().peekable();
    if entries.peek().is_none() {
        out.empty();
        return out.finish().into_bytes();
    }
    out.children();
    for entry in entries {
        message(&mut out, entry);
    }
    out.close(ROOT);
    out.finish().into_bytes()
}

fn message(out: &mut Output, entry: Entry<'_>) {
    let label = entry.label;
    out.open("message");
    attributes(out, entry);
    let data = &label.content.data;
    if label.meta.is_empty() && label.subject.is_none() && data.is_empty() {
        out.empty();
        return;
    }
    out.children();
    meta_elements(out, &label.meta);
    if let Some(subject) = &label.subject {
        out.leaf("subject", subject.expose());
    }
    data_elements(out, data);
    out.close("message");
}

fn attributes(out: &mut Output, entry: Entry<'_>) {
    let label = entry.label;
    out.attribute("tx.id", label.tx_id.as_str());
    out.attribute("timestamp", &time::write(entry.timestamp));
    out.attribute("corr.id", label.corr_id.as_str());
    out.attribute("content.id", label.content.id.as_str());
    out.attribute_shown("size", entry.size);
    // The inner parties without prefix, the others with: so other nodes list them.
    let originator = label.originator.as_ref();
    out.attribute_if("originator", originator.map(InnerParty::bare));
    if let Some(from) = &label.from {
        out.attribute_shown("from", &from.address);
    }
    if let Some(to) = &label.to {
        out.attribute_shown("to", &to.address);
    }
    let end_recipient = label.end_recipient.as_ref();
    out.attribute_if("end-recipient", end_recipient.map(InnerParty::bare));
    out.attribute_shown("product", label.product.produkt);
    out.attribute("sequence-type", label.sequence_type.as_str());
    out.attribute("status", label.status.as_str());
}
