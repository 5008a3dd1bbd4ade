//! What is made of one answer: the outcome of its slot, and what was odd about it (ssbtek-10, 3 and 4;
//!

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use shs_schemas::ssbtek::{Delfel, Delsvar, Kontrakt, SsbtFelkod, Utfall};
use shs_schemas::{Sensitive, Uppgiftslamnare, xml};

use crate::avvikelse::Slag;

/// What an answer is held to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnswerChecks {
    /// Whose answer it is.
    pub(crate) ul: Uppgiftslamnare,
    /// The version that was asked in.
    pub(crate) kontrakt: Kontrakt,
    /// The version of the question, in which the answer is given on.
    pub(crate) given_in: Kontrakt,
    /// Its bounds.
    pub(crate) limits: xml::Limits,
    /// Whether it is withheld for a field that the party may not give out.
    pub(crate) withhold: bool,
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct ReadAnswer {
    /// Outcome of its slot.
    pub(crate) utfall: Utfall,
    /// What was odd.
    pub(crate) avvikelser: Vec<Slag>,
}

impl ReadAnswer {
    /// Reading it failed in a way that should be impossible.
    pub(crate) fn lost(ul: Uppgiftslamnare) -> Self {
        Self {
            utfall: Utfall::Fel(Delfel::ssbt(SsbtFelkod::InterntFel, ul)),
            avvikelser: Vec::new(),
        }
    }
}

impl AnswerChecks {
    /// Reads an answer, contained: a panic in it costs this one slot.
    pub(crate) fn read(self, body: Sensitive<Bytes>) -> ReadAnswer {
        let reading = AssertUnwindSafe(|| {
            let delsvar = Delsvar::read(self.ul, self.kontrakt, body.into_exposed(), &self.limits)?;
            delsvar.check_exchange(self.given_in).map(|()| delsvar)
        });
        match catch_unwind(reading) {
            Ok(Ok(delsvar)) => self.judge(delsvar),
            Ok(Err(fault)) => ReadAnswer {
                utfall: Utfall::Fel(Delfel::ssbt(SsbtFelkod::OgiltigtSvar, self.ul)),
                avvikelser: vec![Slag::OgiltigtSvar(fault)],
            },
            Err(_) => {
                tracing::error!(bastjanst = %self.ul, "panic while an answer was read");
                ReadAnswer::lost(self.ul)
            }
        }
    }

    fn judge(self, delsvar: Delsvar) -> ReadAnswer {
        let falt = delsvar.utanfor_bilaga3().iter();
        let avvikelser: Vec<_> = falt
            .map(|falt| Slag::otillatet_falt(falt.namn.clone(), falt.offset, self.withhold))
            .collect();
        let utfall = if self.withhold && !avvikelser.is_empty() {
            Utfall::Fel(Delfel::ssbt(SsbtFelkod::OtillatetFalt, self.ul))
        } else {
            Utfall::Svar(delsvar)
        };
        ReadAnswer { utfall, avvikelser }
    }
}
