//! From a question that may be asked to its aggregator, whichever door it came through.

use std::sync::Arc;

use actix::Context;
use bytes::Bytes;
use chrono::Utc;
use shs_schemas::Sensitive;
use shs_schemas::shs::{DataPart, time};
use shs_schemas::ssbtek::{Delfraga, Kontrakt, LefiVag};
use shs_schemas::{Uppgiftslamnare, shs};
use tokio::time::Instant;
use uuid::Uuid;

use super::examination::{Asker, datum, fragor};
use super::rules::Rules;
use super::{ELSEWHERE_MAX, Ingress, noting, overload_failure};
use crate::aggregator::{Aggregator, Dispatchers, Outgoing, Request};
use crate::contained::{ON_ARBITER_BYTES_MAX, contained};
use crate::door::Door;
use crate::failure::Rejection;
use crate::insamling::{Insamling, Person, PersonQuestion};
use crate::load::{Admission, Overload};
use crate::messages::Inkommande;
use crate::reply::ReplyPort;
use crate::transport::{QuestionKind, Traffic};

/// A request that may be asked.
pub(super) struct Asking {
    pub(super) door: Door,
    pub(super) asker: Asker,
    /// Whether it was accepted before: then a node that drains still asks it.
    pub(super) accepted: bool,
    pub(super) traffic: Traffic,
    /// Size of the message.
    pub(super) bytes: u64,
    pub(super) received: Instant,
    pub(super) traceparent: Option<String>,
    pub(super) port: ReplyPort,
}

impl Asking {
    /// The request of a message that was examined, and its unread questions.
    pub(super) fn of(
        inkommande: Inkommande,
        message: shs::Message,
        sender: shs::Organisationsnummer,
    ) -> (Self, Vec<DataPart>) {
        let asking = Self {
            traffic: super::traffic_of(message.label.status),
            door: Door::Shs(Box::new(message.label)),
            asker: Asker {
                sender,
                caller: inkommande.caller,
            },
            accepted: false,
            bytes: inkommande.body.expose().len() as u64,
            received: inkommande.received,
            traceparent: inkommande.traceparent,
            port: inkommande.port,
        };
        (asking, message.parts)
    }
}

impl Ingress {
    /// Reads the questions, here or on the blocking pool, and starts the request.
    pub(super) fn ask(&mut self, asking: Asking, parts: Vec<DataPart>, ctx: &mut Context<Self>) {
        let bytes: usize = parts.iter().map(DataPart::bytes).sum();
        let rules = Arc::clone(&self.context.rules);
        if bytes <= ON_ARBITER_BYTES_MAX {
            let read = read_questions(&rules, &asking, parts);
            return self.begin(asking, read);
        }
        if self.elsewhere >= ELSEWHERE_MAX {
            return self.refuse_overload(asking.port, Overload::Node);
        }
        let reading = move || {
            let read = read_questions(&rules, &asking, parts);
            (asking, read)
        };
        self.go_elsewhere(reading, ctx, |ingress, (asking, read), _| {
            ingress.begin(asking, read);
        });
    }

    /// Admits the request, opens its slots and starts its aggregator, on this arbiter.
    pub(super) fn begin(&self, asking: Asking, read: Result<Vec<Person>, Rejection>) {
        let ids = asking.door.known_ids();
        let admitted = read.and_then(|persons| {
            let refused = |overload| Rejection::new(overload_failure(overload), ids);
            let load = &self.context.load;
            let admission = if asking.accepted {
                load.admit_accepted(&asking.asker.sender)
            } else {
                load.admit(&asking.asker.sender)
            };
            Ok((persons, admission.map_err(refused)?))
        });
        match admitted {
            Ok((persons, admission)) => self.aggregate(asking, persons, admission),
            Err(rejection) => self.refuse(asking.port, rejection),
        }
    }

    fn aggregate(&self, asking: Asking, persons: Vec<Person>, admission: Admission) {
        if let Some(book) = &self.context.book {
            noting::begin(book, &asking, &persons, &self.context.rules);
        }
        let mut port = asking.port;
        let request_id = port.request_id();
        let ids = asking.door.known_ids();
        let (door, rules) = (asking.door, Arc::clone(&self.context.rules));
        let dispatchers = self.context.dispatchers.load_full();
        let split = || open_slots(door, persons, &rules, &dispatchers);
        let (insamling, outgoing) = match contained(request_id, "splitting", split) {
            Ok(slots) => slots,
            Err(failure) => return port.reject(Rejection::new(failure, ids)),
        };
        let (slots, _) = insamling.progress();
        port.admit(ids, insamling.persons(), slots);
        let request = Request {
            insamling,
            outgoing,
            dispatchers,
            traffic: asking.traffic,
            trace_id: trace_id(asking.traceparent.as_deref(), request_id),
            received: asking.received,
            admission,
            visible: self.context.open.open(request_id, slots),
            port,
        };
        Aggregator::start_for(request, self.context.aggregators.clone());
    }
}

/// Reads the questions, contained.
fn read_questions(
    rules: &Rules,
    asking: &Asking,
    parts: Vec<DataPart>,
) -> Result<Vec<Person>, Rejection> {
    let ids = asking.door.known_ids();
    let reading = || fragor(rules, parts, &ids, &asking.asker, Utc::now());
    contained(asking.port.request_id(), "reading", reading)
        .unwrap_or_else(|failure| Err(Rejection::new(failure, ids.clone())))
}

/// One slot for each person and party that is asked, in the order of the question.
fn open_slots(
    door: Door,
    persons: Vec<Person>,
    rules: &Rules,
    dispatchers: &Dispatchers,
) -> (Insamling, Vec<Outgoing>) {
    let idag = datum(time::swedish(Utc::now()).date());
    let mut asked = Vec::new();
    for (person, part) in persons.iter().enumerate() {
        let (kind, delfragor) = match &part.question {
            PersonQuestion::Fraga(fraga) => {
                let delfragor = fraga.delfragor(&rules.fordelning, idag);
                (QuestionKind::Fraga, delfragor)
            }
            PersonQuestion::Test(kontrakt) => {
                (QuestionKind::Ping, pings(rules, dispatchers, *kontrakt))
            }
            PersonQuestion::Avvisad { .. } => continue,
        };
        let delfragor = delfragor.into_iter();
        asked.extend(delfragor.map(|delfraga| (person, kind, delfraga)));
    }
    let mut insamling = Insamling::new(door, persons);
    let outgoing = asked.into_iter().map(|(person, kind, delfraga)| {
        let corr_id = Uuid::new_v4();
        let ul = delfraga.uppgiftslamnare;
        Outgoing {
            slot: insamling.open_slot(person, ul, delfraga.kontrakt, corr_id),
            ul,
            kind,
            corr_id,
            body: delfraga.body.map(Sensitive::new),
            skv_standard: delfraga.skv_standard,
        }
    });
    let outgoing = outgoing.collect();
    (insamling, outgoing)
}

/// A ping for each connected party that is asked and has a test service (ssbtek-10, 1.3).
fn pings(rules: &Rules, dispatchers: &Dispatchers, kontrakt: Kontrakt) -> Vec<Delfraga> {
    let fordelning = &rules.fordelning;
    let asked = |ul| fordelning.lefi == LefiVag::Delad || ul != Uppgiftslamnare::PM;
    let tested = Uppgiftslamnare::all()
        .filter(|ul| asked(*ul) && dispatchers.contains_key(ul) && rules.parter.of(*ul).ping);
    let ping = |uppgiftslamnare| Delfraga {
        uppgiftslamnare,
        kontrakt,
        body: Ok(Bytes::new()),
        skv_standard: false,
    };
    tested.map(ping).collect()
}

/// The caller's trace id when it sent a W3C trace context, else the request's own.
fn trace_id(traceparent: Option<&str>, request_id: Uuid) -> String {
    let given = traceparent.and_then(|value| value.split('-').nth(1));
    let usable = given.filter(|id| {
        id.len() == 32
            && id
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            && id.bytes().any(|b| b != b'0')
    });
    usable.map_or_else(|| request_id.simple().to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usable_trace_id_of_the_caller_is_kept_and_any_other_is_replaced() {
        let own = Uuid::from_u128(0xABC);
        let given = "4bf92f3577b34da6a3ce929d0e0e4736";
        let header = format!("00-{given}-00f067aa0ba902b7-01");
        assert_eq!(trace_id(Some(&header), own), given);
        for bad in [
            "",
            "00-xyz-1-01",
            "00-00000000000000000000000000000000-1-01",
            "00--",
            "ÅÄÖ",
        ] {
            assert_eq!(trace_id(Some(bad), own), own.simple().to_string());
        }
        assert_eq!(trace_id(None, own), own.simple().to_string());
    }
}
