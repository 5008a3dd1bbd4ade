//! Simulated authorities: schema-valid, believable, invented answers, derived from the identity
//! number, a seed and the question, and from nothing else.
//!
//! Each one does what an authority's integration does (ssbtek-10, 4): takes from the question what
//! the authority's own service is asked, and puts that service's answer, without its root, into the
//! party's answer element. A whole refusal becomes an `error` with kalla BT and the authority's own
//! code; a question that cannot be read at all becomes a `fel.v1`.

use std::sync::Arc;

use bytes::Bytes;
use samsvar_actors::transport::QuestionKind;
use samsvar_actors::transport::{Answer, AnswerContent, Bastjanst, BoxFuture, Question};
use shs_schemas::ssbtek::{Fraga, Versioner};
use shs_schemas::xml::Limits;
use shs_schemas::{Sensitive, Uppgiftslamnare};

mod af;
mod csn;
mod fk;
mod fraga;
mod lefi;
mod miv;
mod person;
mod pm;
mod skv;
mod so;
mod tns;
mod xml;

pub use person::{EXEMPELPERSONER, Livssituation};

use fraga::Frageunderlag;
use person::Person;
use xml::Xml;

/// Payments that one answer lists at most per benefit, whatever the period asked for.
const UTBETALNINGAR_MAX: usize = 24;

/// Seed of whoever names none, so that `demo` and `simulate` know the same people.
pub const SEED_DEFAULT: u64 = 1;

/// felkod of a question that the simulator cannot read.
const FELKOD_OLASLIG: &str = "OGILTIG-FRAGA";

/// felkod of a question in a version that the simulator was told not to speak: whoever asked it was
/// led wrong.
const FELKOD_KONTRAKT: &str = "FEL-KONTRAKT";

/// What an authority answers.
enum Utfall {
    /// Attributes of `ssbt:data` (its namespace declarations) and its content.
    Data {
        declarations: &'static [(&'static str, &'static str)],
        content: String,
    },
    /// A refusal of the whole question, in the authority's own terms.
    Fel {
        felkod: String,
        felmeddelande: &'static str,
    },
}

impl Utfall {
    fn fel(felkod: impl Into<String>, felmeddelande: &'static str) -> Self {
        Self::Fel {
            felkod: felkod.into(),
            felmeddelande,
        }
    }
}

/// Every simulated authority, for the in-process transport or the AMQP adapter.
#[must_use]
pub fn alla(seed: u64) -> Vec<(Uppgiftslamnare, Arc<dyn Bastjanst>)> {
    Uppgiftslamnare::all()
        .map(|ul| {
            let bastjanst: Arc<dyn Bastjanst> = Arc::new(Simulerad::new(ul, seed));
            (ul, bastjanst)
        })
        .collect()
}

/// One simulated authority.
#[derive(Clone, Copy, Debug)]
pub struct Simulerad {
    ul: Uppgiftslamnare,
    seed: u64,
    kontrakt: Versioner,
}

/// Why a question gets no answer element: felkod and text of a `fel.v1`.
type Vagran = (&'static str, &'static str);

impl Simulerad {
    /// The simulation of one Uppgiftslämnare. The same seed gives the same people to all of them.
    /// It speaks every version of the contract.
    #[must_use]
    pub fn new(ul: Uppgiftslamnare, seed: u64) -> Self {
        Self {
            ul,
            seed,
            kontrakt: Versioner::alla(),
        }
    }

    /// The same, which speaks only these versions.
    #[must_use]
    pub const fn with_kontrakt(mut self, kontrakt: Versioner) -> Self {
        self.kontrakt = kontrakt;
        self
    }

    /// The answer element to one question: what a `svar.v1` holds.
    fn svarselement(self, question: &Question) -> Result<Bytes, Vagran> {
        const OLASLIG: Vagran = (FELKOD_OLASLIG, "Frågan kunde inte läsas");
        let fraga = Fraga::read(question.body.expose().clone(), &Limits::default());
        let fraga = fraga.map_err(|_| OLASLIG)?;
        if !self.kontrakt.contains(fraga.kontrakt()) {
            let text = "Frågan är ställd i en version av kontraktet som bastjänsten inte talar";
            return Err((FELKOD_KONTRAKT, text));
        }
        let fraga = Frageunderlag::new(&fraga, self.ul.element(), question.deadline);
        let fraga = fraga.ok_or(OLASLIG)?;
        let person = Person::new(fraga.personidentitet(), self.seed, fraga.idag);
        let utfall = match self.ul {
            Uppgiftslamnare::AF => af::svara(&fraga, &person),
            Uppgiftslamnare::CSN => csn::svara(&fraga, &person),
            Uppgiftslamnare::FK => fk::svara(&fraga, &person),
            Uppgiftslamnare::MIV => miv::svara(&fraga, &person),
            Uppgiftslamnare::PM => pm::svara(&fraga, &person),
            Uppgiftslamnare::SKV => skv::svara(&fraga, &person),
            Uppgiftslamnare::SO => so::svara(&fraga, &person),
            Uppgiftslamnare::TNS => tns::svara(&fraga, &person),
            _ => Utfall::fel("EJ-SIMULERAD", "Uppgiftslämnaren har ingen simulator"),
        };
        Ok(self
            .element(fraga.uppgifter.kontrakt.namespace(), utfall)
            .into())
    }

    /// `<ssbt:AF>` … with its `data` or `error`, self-contained in its declarations.
    fn element(self, namnrymd: &str, utfall: Utfall) -> String {
        let name = format!("ssbt:{}", self.ul.element().local_name());
        let mut xml = Xml::new();
        xml.open_with(&name, &[("xmlns:ssbt", namnrymd)]);
        match utfall {
            Utfall::Data {
                declarations,
                content,
            } => {
                xml.open_with("ssbt:data", declarations)
                    .raw(&content)
                    .close("ssbt:data");
            }
            Utfall::Fel {
                felkod,
                felmeddelande,
            } => {
                xml.open("ssbt:error")
                    .text("ssbt:kalla", "BT")
                    .text("ssbt:felkod", &felkod)
                    .text("ssbt:felmeddelande", felmeddelande)
                    .close("ssbt:error");
            }
        }
        xml.close(&name);
        xml.into_string()
    }

    fn content(self, question: &Question) -> AnswerContent {
        if question.kind == QuestionKind::Ping {
            return AnswerContent::Svar(Sensitive::new(Bytes::new()));
        }
        match self.svarselement(question) {
            Ok(element) => AnswerContent::Svar(Sensitive::new(element)),
            Err((felkod, text)) => AnswerContent::Fel {
                felkod: felkod.to_owned(),
                felmeddelande: Sensitive::new(vec![text.to_owned()]),
            },
        }
    }
}

impl Bastjanst for Simulerad {
    fn besvara(&self, question: Question) -> BoxFuture<Vec<Answer>> {
        let simulerad = *self;
        // Lazily: the work is done by whoever awaits the answer, not by whoever asks.
        Box::pin(async move {
            vec![Answer {
                corr_id: question.corr_id,
                content: simulerad.content(&question),
            }]
        })
    }
}
