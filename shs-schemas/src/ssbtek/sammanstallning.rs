//! The compiled response: every answer spliced byte for byte into one document (ssbtek-10, 3
//! and 8), and looked at again where it stands before the document leaves.

mod writing;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;

use super::anrop::Form;
use super::fel::{Delfel, SsbtFelkod};
use super::fraga::Fraga;
use super::lefi_front::{self, Asked, LefiSvar};
use super::passage;
use super::svar::Delsvar;
use super::{Kontrakt, Svarselement, Uppgiftslamnare};
use writing::{Del, write};

/// What became of one sub-question.
#[derive(Clone, Debug)]
pub enum Utfall {
    /// A usable answer (which may itself report an error).
    Svar(Delsvar),
    /// No usable answer.
    Fel(Delfel),
    /// A ping was answered: it has no content, and is the outcome of a test only.
    Svarade,
}

impl From<Delsvar> for Utfall {
    fn from(svar: Delsvar) -> Self {
        Self::Svar(svar)
    }
}

impl From<Delfel> for Utfall {
    fn from(fel: Delfel) -> Self {
        Self::Fel(fel)
    }
}

/// A compiled response, and what was odd about it.
#[derive(Clone)]
pub struct Sammanstallning {
    /// The document `hamtaBastjanstInformationResponse`, in the form asked for: personal data.
    pub document: Bytes,
    /// For each member of a LEFI answer that was dropped because it stood in the wrong authority's
    /// answer (ssbtek-10, 4.8): in whose.
    pub lefi_felplacerade: Vec<Uppgiftslamnare>,
    /// Parties whose answer was not the same when it left as when it came; it was withheld, and an
    /// error stands in its place.
    pub andrade: Vec<Uppgiftslamnare>,
}

impl fmt::Debug for Sammanstallning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sammanstallning")
            .field("bytes", &self.document.len())
            .field("lefi_felplacerade", &self.lefi_felplacerade)
            .field("andrade", &self.andrade)
            .finish_non_exhaustive()
    }
}

/// Compiles the response to `fraga`, in this form, from the outcomes of its sub-questions.
///
/// Each element that the question includes stands in the response exactly once, in the order of
/// the contract. One without outcome, or with one of another party, is a fault of the node and
/// answered with `SSBT-INTERNT-FEL`; of several outcomes for one party the first counts.
///
/// An answer in another version than the question gets the namespace of the question's version in
/// the elements of the contract; what is the authority's own stays (ssbtek-10, 0.2). An answer that
/// is no longer what arrived is withheld and counts as a fault of the node, as does one that
/// [`Delsvar::check_exchange`] refuses.
#[must_use]
pub fn sammanstall(
    fraga: &Fraga,
    form: Form,
    utfall: &[(Uppgiftslamnare, Utfall)],
) -> Sammanstallning {
    compile(fraga, form, utfall, |_, _| ())
}

/// As [`sammanstall`]; `between` gets each document that has been written, and where the parts stand
/// in it, before it is looked at.
fn compile(
    fraga: &Fraga,
    form: Form,
    utfall: &[(Uppgiftslamnare, Utfall)],
    mut between: impl FnMut(&mut [u8], &[Range<usize>]),
) -> Sammanstallning {
    let mut andrade = passage::changed_before(utfall);
    // Each turn withholds one party more, so there are no more turns than parties.
    loop {
        let (delar, lefi_felplacerade) = delar(fraga, utfall, &andrade);
        let (mut document, platser) = write(fraga, form, &delar);
        between(&mut document, &platser);
        let changed = changed_after(fraga.kontrakt(), &document, &delar, &platser);
        if changed.is_empty() {
            return Sammanstallning {
                document: Bytes::from(document),
                lefi_felplacerade,
                andrade,
            };
        }
        andrade.extend(changed);
    }
}

/// Parties whose answer is not what it was, where it stands in the document.
fn changed_after(
    kontrakt: Kontrakt,
    document: &[u8],
    delar: &[(Svarselement, Del<'_>)],
    platser: &[Range<usize>],
) -> Vec<Uppgiftslamnare> {
    let mut changed = Vec::new();
    for ((_, del), plats) in delar.iter().zip(platser) {
        let written = document.get(plats.clone()).unwrap_or_default();
        match del {
            Del::Svar(svar) if !passage::is_same(kontrakt, svar, written) => {
                changed.push(svar.uppgiftslamnare());
            }
            Del::Lefi(lefi) => changed.extend(lefi.changed(written)),
            Del::Svar(_) | Del::Fel(_) => {}
        }
    }
    changed
}

/// What is written for each element, and the number of misplaced members of LEFI. Parties that are
/// in `andrade` are withheld.
fn delar<'a>(
    fraga: &Fraga,
    utfall: &'a [(Uppgiftslamnare, Utfall)],
    andrade: &[Uppgiftslamnare],
) -> (Vec<(Svarselement, Del<'a>)>, Vec<Uppgiftslamnare>) {
    let mut lefi_felplacerade = Vec::new();
    let mut delar = Vec::with_capacity(Svarselement::IN_ORDER.len());
    for &element in Svarselement::IN_ORDER
        .iter()
        .filter(|&&element| fraga.inkluderar(element))
    {
        let del = if element == Svarselement::Fk {
            let (del, dropped) = lefi_del(fraga, utfall, andrade);
            lefi_felplacerade.extend(dropped);
            del
        } else {
            plain_del(fraga.kontrakt(), element, utfall, andrade)
        };
        delar.push((element, del));
    }
    (delar, lefi_felplacerade)
}

/// The outcome of one party, unless it is one that cannot be spliced into this response.
fn outcome<'a>(
    ul: Uppgiftslamnare,
    utfall: &'a [(Uppgiftslamnare, Utfall)],
    andrade: &[Uppgiftslamnare],
) -> Asked<'a> {
    if andrade.contains(&ul) {
        return Asked::Andrad;
    }
    let given = utfall
        .iter()
        .find(|(given, _)| *given == ul)
        .map(|(_, utfall)| utfall)
        .filter(|utfall| match utfall {
            Utfall::Svar(svar) => svar.uppgiftslamnare() == ul,
            Utfall::Fel(_) => true,
            Utfall::Svarade => false,
        });
    given.map_or(Asked::Utan, Asked::Utfall)
}

fn ours<'a>(felkod: SsbtFelkod, ul: Uppgiftslamnare) -> Del<'a> {
    Del::Fel(Cow::Owned(Delfel::ssbt(felkod, ul)))
}

fn internal<'a>(ul: Uppgiftslamnare) -> Del<'a> {
    ours(SsbtFelkod::InterntFel, ul)
}

fn splice(kontrakt: Kontrakt, ul: Uppgiftslamnare, utfall: &Utfall) -> Del<'_> {
    match utfall {
        Utfall::Svar(svar) if let Some(fel) = svar.utan_kod() => Del::Fel(Cow::Borrowed(fel)),
        Utfall::Svar(svar) if svar.check_exchange(kontrakt).is_ok() => Del::Svar(svar),
        Utfall::Fel(fel) => Del::Fel(Cow::Borrowed(fel)),
        // An answer that cannot be exchanged is refused when it comes, and that a ping was answered
        // is never the outcome of a question: `outcome` does not let it through.
        Utfall::Svar(_) | Utfall::Svarade => internal(ul),
    }
}

fn plain_del<'a>(
    kontrakt: Kontrakt,
    element: Svarselement,
    utfall: &'a [(Uppgiftslamnare, Utfall)],
    andrade: &[Uppgiftslamnare],
) -> Del<'a> {
    let ul = Uppgiftslamnare::all()
        .find(|ul| ul.element() == element)
        .expect("every element has someone behind it");
    match outcome(ul, utfall, andrade) {
        Asked::Utfall(utfall) => splice(kontrakt, ul, utfall),
        Asked::Andrad | Asked::Utan => internal(ul),
    }
}

/// The element of Försäkringskassan. As soon as Pensionsmyndigheten was asked it is put together
/// anew; without it Försäkringskassan's answer is spliced like any other.
fn lefi_del<'a>(
    fraga: &Fraga,
    utfall: &'a [(Uppgiftslamnare, Utfall)],
    andrade: &[Uppgiftslamnare],
) -> (Del<'a>, Vec<Uppgiftslamnare>) {
    const FK: Uppgiftslamnare = Uppgiftslamnare::FK;
    let asked: Vec<_> = [FK, Uppgiftslamnare::PM]
        .into_iter()
        .filter(|ul| utfall.iter().any(|(given, _)| given == ul))
        .map(|ul| (ul, outcome(ul, utfall, andrade)))
        .collect();
    match asked.as_slice() {
        [] | [(_, Asked::Utan | Asked::Andrad)] => (internal(FK), Vec::new()),
        [(FK, Asked::Utfall(fk))] => (splice(fraga.kontrakt(), FK, fk), Vec::new()),
        asked => match lefi_front::answer(fraga, asked) {
            LefiSvar::Sammanslaget(mut lefi) => {
                let dropped = std::mem::take(&mut lefi.felplacerade);
                (Del::Lefi(lefi), dropped)
            }
            LefiSvar::Utfall(utfall) => (splice(fraga.kontrakt(), FK, utfall), Vec::new()),
            LefiSvar::Fel(fel) => (Del::Fel(Cow::Owned(fel)), Vec::new()),
        },
    }
}

#[cfg(test)]
#[path = "sammanstallning_tests.rs"]
mod tests;
