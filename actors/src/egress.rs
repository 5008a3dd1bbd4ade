//! Egress: compiles the one reply of a request and sends it.
//!
//! There is one per HTTP worker, on the worker's own arbiter. Compiling runs contained: a panic
//! in it costs one request, not the actor.

use std::sync::Arc;

use actix::{Actor, ActorContext, Context, Handler};
use chrono::{DateTime, Utc};
use shs_schemas::ids::ContentId;
use shs_schemas::mime::{ContentType, TransferEncoding};
use shs_schemas::shs::label::TransferType;
use shs_schemas::shs::{Actor as ShsActor, DataPart, KnownIds, Message};
use shs_schemas::ssbtek::{
    Delfel, Operation, SsbtFelkod, Testutfall, Utfall, fel, sammanstall, write_testsvar,
};
use shs_schemas::{Sensitive, Uppgiftslamnare};

use crate::avvikelse::{Avvikelse, Avvikelser, Slag};
use crate::contained::{ON_ARBITER_BYTES_MAX, contained};
use crate::door::Door;
use crate::failpoint::Failpoints;
use crate::failure::{Failure, Rejection};
use crate::insamling::{Compiled, Person, PersonQuestion};
use crate::ledger::event::Ids;
use crate::mailbox::Envelope;
use crate::messages::Sammanstall;
use crate::observation::Observed;
use crate::reply::Reply;
use crate::supervisor::Halt;

/// Compiles and sends replies.
pub struct Egress {
    /// The node's own actor, which signs where the question named nobody.
    own: Arc<ShsActor>,
    avvikelser: Avvikelser,
    observed: Arc<Observed>,
    failpoints: Failpoints,
}

impl Egress {
    /// An egress with these counters.
    #[must_use]
    pub fn new(
        own: Arc<ShsActor>,
        avvikelser: Avvikelser,
        observed: Arc<Observed>,
        failpoints: Failpoints,
    ) -> Self {
        Self {
            own,
            avvikelser,
            observed,
            failpoints,
        }
    }
}

impl Actor for Egress {
    type Context = Context<Self>;
}

impl Handler<Envelope<Sammanstall>> for Egress {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Sammanstall>, _ctx: &mut Self::Context) {
        #[cfg_attr(
            not(debug_assertions),
            expect(unused_mut, reason = "changed by tests alone")
        )]
        let mut sammanstall = envelope.open();
        self.failpoints.hit("egress");
        #[cfg(debug_assertions)]
        disturb(&mut sammanstall.compiled, &self.failpoints);
        self.observed.count_handled();
        if answer_bytes(&sammanstall.compiled) <= ON_ARBITER_BYTES_MAX {
            send(sammanstall, &self.own, &self.avvikelser);
        } else {
            let (own, avvikelser) = (Arc::clone(&self.own), self.avvikelser.clone());
            crate::stack::off_arbiter(move || send(sammanstall, &own, &avvikelser));
        }
    }
}

impl Handler<Halt> for Egress {
    type Result = ();

    fn handle(&mut self, _: Halt, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

/// Flips a bit in the middle of answers, as faulty memory would between arrival and departure:
/// of those whose party's place `passage-AF` … a test has armed.
#[cfg(debug_assertions)]
fn disturb(compiled: &mut Compiled, failpoints: &Failpoints) {
    let outcomes = compiled
        .persons
        .iter_mut()
        .flat_map(|(_, outcomes)| outcomes);
    for (ul, utfall) in outcomes {
        if let Utfall::Svar(svar) = utfall
            && failpoints.is_due(&format!("passage-{ul}"))
        {
            svar.flip_a_bit(svar.element().len() / 2);
        }
    }
}

fn answer_bytes(compiled: &Compiled) -> usize {
    let outcomes = compiled.persons.iter().flat_map(|(_, outcomes)| outcomes);
    outcomes
        .map(|(_, utfall)| {
            if let Utfall::Svar(svar) = utfall {
                svar.element().len()
            } else {
                0
            }
        })
        .sum()
}

/// Compiles the reply and gives it to the caller. What was odd about answers is noted.
fn send(sammanstall: Sammanstall, own: &ShsActor, avvikelser: &Avvikelser) {
    let Sammanstall { compiled, port, .. } = sammanstall;
    let (now, request_id) = (Utc::now(), port.request_id());
    let ids = Ids::from(&compiled.door.known_ids());
    let compiling = move || compile(compiled, own, now);
    match contained(request_id, "compiling", compiling).and_then(|compiled| compiled) {
        Ok((reply, odd)) => {
            for avvikelse in odd {
                avvikelser.note(request_id, &ids, avvikelse);
            }
            port.reply(reply);
        }
        Err(failure) => port.reject(Rejection::new(failure, KnownIds::default())),
    }
}

/// The reply: at the SHS door the question's label turned around, and one part for each of its parts, in
/// the same order under the same names (ssbtek-10, 6.2); at the SOAP door the one document. And what
/// was odd.
fn compile(
    compiled: Compiled,
    own: &ShsActor,
    now: DateTime<Utc>,
) -> Result<(Reply, Vec<Avvikelse>), Failure> {
    let mut odd = Vec::new();
    let mut parts: Vec<DataPart> = compiled
        .persons
        .into_iter()
        .map(|(person, outcomes)| part(person, &outcomes, &mut odd))
        .collect();
    // A part that was withheld is one that we failed.
    let withheld = odd.iter().any(|odd| odd.slag == Slag::AndratSvar);
    let complete = compiled.complete && !withheld;
    let (body, label) = match compiled.door {
        // A call has exactly one question.
        Door::Soap => (parts.pop().ok_or(Failure::Content)?.data, None),
        Door::Shs(label) => {
            let label = label.reply(ContentId::fresh(), own, now);
            let message = Message { label, parts };
            // Whoever waits for the reply reads it from the message itself.
            let kept = message.label.transfer_type == TransferType::Asynch;
            let label = kept.then(|| Box::new(message.label_as_written()));
            (Sensitive::new(message.write()), label)
        }
    };
    let reply = Reply {
        body,
        label,
        complete,
    };
    Ok((reply, odd))
}

/// One part of the reply; what was odd about answers is added to `odd`.
fn part(
    person: Person,
    outcomes: &[(Uppgiftslamnare, Utfall)],
    odd: &mut Vec<Avvikelse>,
) -> DataPart {
    let document = match &person.question {
        PersonQuestion::Test(kontrakt) => {
            write_testsvar(*kontrakt, person.form, &testutfall(outcomes))
        }
        PersonQuestion::Fraga(fraga) => {
            let sammanstallning = sammanstall(fraga, person.form, outcomes);
            let changed = sammanstallning.andrade.into_iter();
            odd.extend(changed.map(|ul| Avvikelse::new(ul, Slag::AndratSvar)));
            let dropped = &sammanstallning.lefi_felplacerade;
            for ul in [Uppgiftslamnare::FK, Uppgiftslamnare::PM] {
                let antal = dropped.iter().filter(|of| **of == ul).count();
                if antal > 0 {
                    odd.push(Avvikelse::new(ul, Slag::LefiFelplacerad { antal }));
                }
            }
            sammanstallning.document
        }
        PersonQuestion::Avvisad {
            kontrakt,
            avvisning,
        } => fel::write_fault(
            *kontrakt,
            Operation::Hamta,
            person.form,
            avvisning.felkod(),
            &[avvisning.felmeddelande()],
        ),
    };
    DataPart {
        datapart_type: person.datapart_type,
        filename: person.filename,
        content_type: ContentType::XML_UTF_8,
        encoding: TransferEncoding::Base64,
        no_of_records: None,
        data: Sensitive::new(document),
    }
}

/// What became of the pings (ssbtek-10, 1.3).
fn testutfall(outcomes: &[(Uppgiftslamnare, Utfall)]) -> Vec<(Uppgiftslamnare, Testutfall)> {
    let tested = outcomes.iter().map(|(ul, utfall)| {
        let utfall = match utfall {
            Utfall::Svarade => Testutfall::Svarade,
            Utfall::Fel(fel) if fel.ssbt_felkod() == Some(SsbtFelkod::EjAnsluten) => {
                Testutfall::EjAnropad
            }
            Utfall::Fel(fel) => Testutfall::Fel(fel.clone()),
            // The aggregator makes no answer of a ping.
            Utfall::Svar(_) => Testutfall::Fel(Delfel::ssbt(SsbtFelkod::InterntFel, *ul)),
        };
        (*ul, utfall)
    });
    tested.collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use shs_schemas::ssbtek::{Delsvar, Form, Fraga, Kontrakt};
    use shs_schemas::xml::Limits;

    use super::*;

    const FRAGA: &[u8] = include_bytes!("../../shs-schemas/tests/corpus/spec/fraga-alla-10.xml");

    /// A LEFI answer of this JSON, in base64.
    fn lefi(ul: Uppgiftslamnare, base64: &str) -> (Uppgiftslamnare, Utfall) {
        let (name, limits) = (ul.element().local_name(), Limits::default());
        let body = format!(
            "<x:{name} xmlns:x='http://schema.forsakringskassan.se/integration/ssbt/10'><x:data>\
             <x:lefiJsonSvar>{base64}</x:lefiJsonSvar></x:data></x:{name}>"
        );
        let svar = Delsvar::read(ul, Kontrakt::V10, Bytes::from(body), &limits).unwrap();
        (ul, svar.into())
    }

    #[test]
    fn members_in_the_wrong_answer_are_counted() {
        let fraga = Fraga::read(Bytes::from_static(FRAGA), &Limits::default()).unwrap();
        let person = Person {
            datapart_type: "fraga".to_owned(),
            filename: None,
            form: Form::Bar,
            question: PersonQuestion::Fraga(Box::new(fraga)),
        };
        // `{"beslut":[]}` belongs to PM and stands in the answer of FK; PM answers `{}`.
        let outcomes = [
            lefi(Uppgiftslamnare::FK, "eyJiZXNsdXQiOltdfQ=="),
            lefi(Uppgiftslamnare::PM, "e30="),
        ];
        let mut odd = Vec::new();
        let _ = part(person, &outcomes, &mut odd);
        let expected = Avvikelse::new(Uppgiftslamnare::FK, Slag::LefiFelplacerad { antal: 1 });
        assert_eq!(odd, [expected]);
    }
}
