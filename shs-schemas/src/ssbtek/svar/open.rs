//! Open content: elements that the schema lets in without knowing them (`xs:any`, lax). They are
//! only well-formed, with two exceptions that a schema validator makes too: an element that says
//! its type must be of it, and one that the contract knows must be as the contract has it.

use super::bilaga3;
use super::structure::{Element, Open, QName};
use super::walk::{NOT_HERE, Walk};
use crate::error::{Fault, WireError};
use crate::ssbtek::{Kontrakt, Operation};
use crate::xml::{Event, Start, XML_NAMESPACE};

const fn message(namespace: &'static str, local: &'static str) -> QName {
    QName { namespace, local }
}

const AF: &str = "http://api.arbetsformedlingen.se/arbetssokande/ersattningsstod/v2";
const MIV: &str = "http://schema.migrationsverket.se/ssbtek/1/";
const SKV: &str = "http://beskattningws.ws.service.bs.zg.rsv.se/";
const SO: &str = "http://INT014.UBPService.Schemas";
const TNS: &str = "http://schema.transportstyrelsen.se/ssbtek/hamtauppgifterresponder/1";

/// The messages of the contract's schemas. Stricter than a validator, which would compare them with
/// their declarations: no answer has a reason to carry another whole message within itself.
static MESSAGES: &[QName] = &[
    message(AF, "FragaMeddelande"),
    message(AF, "SvarMeddelande"),
    message(MIV, "SSBTEKSoapException"),
    message(MIV, "findByPersonnummer"),
    message(MIV, "findByPersonnummerResponse"),
    message(SKV, "BeskattningsuppgifterRequest"),
    message(SKV, "BeskattningsuppgifterResponse"),
    message(SKV, "Exception"),
    message(SO, "GetUnemploymentBenefitPaymentRequest"),
    message(SO, "GetUnemploymentBenefitPaymentResponse"),
    message(TNS, "HamtaUppgifter"),
    message(TNS, "HamtaUppgifterResponse"),
];

/// True for a message of the contract, in any of its versions. Local names are compared first: hardly
/// any element gets past that.
fn is_message(start: &Start<'_>) -> bool {
    let mut operations = Operation::ALL.iter();
    let is_ssbt = operations.any(|operation| start.local.starts_with(operation.element()))
        && start
            .namespace
            .as_deref()
            .is_some_and(|namespace| Kontrakt::from_namespace(namespace).is_some());
    is_ssbt
        || MESSAGES
            .iter()
            .any(|message| start.is(message.namespace, message.local))
}

impl Walk<'_, '_> {
    /// Reads an element that the table of `parent` does not have, begun last, to its end.
    ///
    /// # Errors
    /// When the wildcard of `parent` does not let it in, and as above.
    pub(super) fn open(
        &mut self,
        parent: &'static str,
        wildcard: Open,
        start: &Start<'_>,
    ) -> Result<(), WireError> {
        let namespace = start.namespace.as_deref();
        let fits = match wildcard {
            Open::Closed => false,
            Open::Any => true,
            Open::Other(own) => namespace.is_some_and(|namespace| namespace != own),
        };
        let misplaced = |namn: QName| start.is(namn.namespace, namn.local);
        if !fits || self.misplaced.is_some_and(misplaced) {
            return Err(WireError::new(parent, start.span.start, NOT_HERE));
        }
        let outside = self.reader.depth().saturating_sub(1);
        self.unknown(parent, start)?;
        while self.reader.depth() > outside {
            match self.reader.next_event()? {
                Event::Start(start) => self.unknown(parent, &start)?,
                // Before its end the reader has closed everything.
                Event::Eof => break,
                _ => {}
            }
        }
        Ok(())
    }

    /// Checks one element of open content; one that says its type is read to its end.
    fn unknown(&mut self, parent: &'static str, start: &Start<'_>) -> Result<(), WireError> {
        let at = start.span.start;
        if is_message(start) {
            let fault = Fault::Invalid("a whole message of the contract within open content");
            return Err(WireError::new(parent, at, fault));
        }
        if let Some(leaning) = &mut self.leaning {
            leaning.look(self.reader, parent, start);
        }
        if self.has_list {
            bilaga3::note_foreign(&mut self.fields, start.local, at);
        }
        if self.reader.attributes().is_empty() {
            return Ok(());
        }
        self.no_id(parent)?;
        match self.own_type() {
            None => Ok(()),
            // Its text is noted already.
            Some((_, Some(of))) => self.element(&Element::one(None, parent, of).undeclared(), at),
            // Stricter: a validator also knows the other types of XML Schema and of the contract.
            Some((offset, None)) => {
                let fault = Fault::Invalid("says it has a type that is not known");
                Err(WireError::new(parent, offset, fault))
            }
        }
    }

    /// Refuses `xml:id`: it is unique in its document, which for an answer becomes that of all parties.
    /// Two that are the same, or one that is no name, make readers refuse the whole reply.
    fn no_id(&self, parent: &'static str) -> Result<(), WireError> {
        let mut attributes = self.reader.attributes().iter();
        let id = attributes
            .find(|given| given.local == "id" && given.namespace.as_deref() == Some(XML_NAMESPACE));
        id.map_or(Ok(()), |id| {
            let fault = Fault::Invalid("an identifier of its own in a document that it shares");
            Err(WireError::new(parent, id.offset, fault))
        })
    }
}
