//! The message of `samsvar send`, made from its arguments.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use chrono::Utc;
use shs_schemas::ids::{AgreementId, ContentId, CorrId, TxId};
use shs_schemas::mime::{ContentType, TransferEncoding, safe_filename};
use shs_schemas::shs::label::{
    Actor, Content, InnerParty, Label, MessageType, Meta, Product, SequenceType, Status,
    TransferType,
};
use shs_schemas::shs::{Adress, DataPart, Message, Produkt, time};
use shs_schemas::{Sensitive, WireError};

use super::SendArgs;
use crate::cli::file_types;

/// Why there is no message to send.
#[derive(Debug, thiserror::Error)]
pub(super) enum MessageError {
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    #[error("--{0}: {1}")]
    Value(&'static str, WireError),
    #[error("--content-type is no content type")]
    ContentType,
    #[error("--{0} is missing")]
    Missing(&'static str),
}

impl SendArgs {
    /// The message to send.
    pub(super) fn bytes(&self) -> Result<Bytes, MessageError> {
        if let Some(path) = &self.message {
            return read(path);
        }
        let parts = self.datapart.iter();
        let parts = parts.map(|(kind, file)| self.part(kind, Path::new(file)));
        let message = Message {
            label: self.label()?,
            parts: parts.collect::<Result<_, _>>()?,
        };
        Ok(message.write())
    }

    fn part(&self, kind: &str, path: &Path) -> Result<DataPart, MessageError> {
        let data = read(path)?;
        let content_type = match &self.content_type {
            Some(text) => ContentType::parse(text).ok_or(MessageError::ContentType)?,
            None => file_types::content_type(path, &data),
        };
        let name = path
            .file_name()
            .and_then(|name| safe_filename(&name.to_string_lossy()));
        let encoding = if self.binary {
            TransferEncoding::Binary
        } else {
            TransferEncoding::Base64
        };
        Ok(DataPart {
            encoding,
            ..DataPart::new(
                kind,
                name.unwrap_or_else(|| "part".to_owned()),
                content_type,
                data,
            )
        })
    }

    fn label(&self) -> Result<Label, MessageError> {
        let tx_id = TxId::fresh();
        let corr_id = self.corr_id.as_deref().unwrap_or(tx_id.as_str());
        let (transfer_type, usual) = if self.synch {
            (TransferType::Synch, SequenceType::Request)
        } else {
            (TransferType::Asynch, SequenceType::Event)
        };
        let sequence_type = self.sequence_type.as_deref().and_then(SequenceType::parse);
        let agreement = self
            .agreement
            .as_deref()
            .map(AgreementId::parse)
            .transpose();
        let to = self.to_actor.as_deref().map(Adress::parse).transpose();
        Ok(Label {
            corr_id: CorrId::parse(corr_id).map_err(value("corr-id"))?,
            tx_id,
            agreement: agreement.map_err(value("agreement"))?,
            transfer_type,
            message_type: MessageType::Simple,
            sequence_type: sequence_type.unwrap_or(usual),
            status: Status::parse(&self.status).unwrap_or(Status::Production),
            originator: self.originator.clone().map(InnerParty::new),
            from: Some(self.sender()?),
            to: to
                .map_err(value("to-actor"))?
                .map(|to| Actor::new(to, None)),
            end_recipient: self.end_recipient.clone().map(InnerParty::new),
            product: Product::from(self.produkt()?),
            meta: self.meta.iter().map(meta).collect(),
            subject: self.subject.clone().map(Sensitive::new),
            datetime: time::swedish(Utc::now()),
            content: Content {
                id: ContentId::fresh(),
                data: Vec::new(),
                compound: false,
                comment: None,
            },
            history: Vec::new(),
        })
    }

    fn sender(&self) -> Result<Actor, MessageError> {
        let text = self
            .from_actor
            .as_deref()
            .ok_or(MessageError::Missing("from-actor"))?;
        let address = Adress::parse(text).map_err(value("from-actor"))?;
        Ok(Actor::new(address, self.from_name.clone()))
    }

    fn produkt(&self) -> Result<Produkt, MessageError> {
        let text = self
            .product
            .as_deref()
            .ok_or(MessageError::Missing("product"))?;
        Produkt::parse(text).map_err(value("product"))
    }
}

fn meta((name, value): &(String, String)) -> Meta {
    Meta {
        name: Sensitive::new(name.clone()),
        value: Sensitive::new(value.clone()),
    }
}

fn value(argument: &'static str) -> impl FnOnce(WireError) -> MessageError {
    move |fault| MessageError::Value(argument, fault)
}

fn read(path: &Path) -> Result<Bytes, MessageError> {
    let bytes = fs::read(path).map_err(|error| MessageError::File(path.to_owned(), error))?;
    Ok(Bytes::from(bytes))
}
