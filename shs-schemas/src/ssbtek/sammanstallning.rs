//! The compiled response: every answer spliced byte for byte into one document (ssbtek-10, 3
//! and 8).

use bytes::Bytes;

use super::anrop::Form;
use super::delfraga::XML_DECLARATION;
use super::fel::{Delfel, SsbtFelkod};
use super::fraga::Fraga;
use super::lefi_front::{self, LefiSvar};
use super::svar::Delsvar;
use super::{Kontrakt, Svarselement, Uppgiftslamnare, soap};

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
#[derive(Clone, Debug)]
pub struct Sammanstallning {
    /// The document `hamtaBastjanstInformationResponse`, in the form asked for: personal data.
    pub document: Bytes,
    /// Members of LEFI answers that were dropped because they stood in the wrong authority's
    /// answer (ssbtek-10, 4.8).
    pub lefi_felplacerade: usize,
    /// Parties whose answer was not the same when it left as when it came; it was withheld, and an
    /// error stands in its place.
    pub andrade: Vec<Uppgiftslamnare>,
}

/// Compiles the response to `fraga` from the outcomes of its sub-questions.
///
/// Each element that the question includes stands in the response exactly once, in the order of
/// the contract. One without outcome, or with one of another party or version, is a fault of the
/// node and answered with `SSBT-INTERNT-FEL`; of several outcomes for one party the first counts.
#[must_use]
pub fn compose(fraga: &Fraga, utfall: &[(Uppgiftslamnare, Utfall)]) -> Bytes {
    sammanstall(fraga, Form::Bar, utfall).document
}

/// As [`compose`], in this form, with what was odd.
#[must_use]
pub fn sammanstall(
    fraga: &Fraga,
    form: Form,
    utfall: &[(Uppgiftslamnare, Utfall)],
) -> Sammanstallning {
    let mut lefi_felplacerade = 0;
    let mut delar = Vec::with_capacity(Svarselement::IN_ORDER.len());
    for &element in Svarselement::IN_ORDER
        .iter()
        .filter(|&&element| fraga.inkluderar(element))
    {
        let del = if element == Svarselement::Fk {
            let (del, dropped) = lefi_del(fraga, utfall);
            lefi_felplacerade += dropped;
            del
        } else {
            plain_del(fraga.kontrakt(), element, utfall)
        };
        delar.push((element, del));
    }
    Sammanstallning {
        document: write(fraga, form, &delar),
        lefi_felplacerade,
        andrade: Vec::new(),
    }
}

/// What is written in the place of one element.
enum Del<'a> {
    /// An answer as it is.
    Svar(&'a Delsvar),
    /// An error of ours, or one given in `fel.v1`.
    Fel(std::borrow::Cow<'a, Delfel>),
    /// JSON put together from two answers.
    Lefi(Vec<u8>),
}

impl Del<'_> {
    fn size_hint(&self) -> usize {
        match self {
            Self::Svar(svar) => svar.element().len(),
            Self::Fel(fel) => fel.size_hint(),
            Self::Lefi(json) => json.len().div_ceil(3) * 4 + 128,
        }
    }
}

/// The outcome of one party, unless it is one that cannot be spliced into this response.
fn outcome(
    kontrakt: Kontrakt,
    ul: Uppgiftslamnare,
    utfall: &[(Uppgiftslamnare, Utfall)],
) -> Option<&Utfall> {
    utfall
        .iter()
        .find(|(given, _)| *given == ul)
        .map(|(_, utfall)| utfall)
        .filter(|utfall| match utfall {
            Utfall::Svar(svar) => svar.uppgiftslamnare() == ul && svar.kontrakt() == kontrakt,
            Utfall::Fel(_) => true,
            Utfall::Svarade => false,
        })
}

fn internal<'a>(ul: Uppgiftslamnare) -> Del<'a> {
    Del::Fel(std::borrow::Cow::Owned(Delfel::ssbt(
        SsbtFelkod::InterntFel,
        ul,
    )))
}

fn splice(ul: Uppgiftslamnare, utfall: &Utfall) -> Del<'_> {
    match utfall {
        Utfall::Svar(svar) => Del::Svar(svar),
        Utfall::Fel(fel) => Del::Fel(std::borrow::Cow::Borrowed(fel)),
        // Never the outcome of a question: `outcome` does not let it through.
        Utfall::Svarade => internal(ul),
    }
}

fn plain_del(
    kontrakt: Kontrakt,
    element: Svarselement,
    utfall: &[(Uppgiftslamnare, Utfall)],
) -> Del<'_> {
    let ul = Uppgiftslamnare::all()
        .find(|ul| ul.element() == element)
        .expect("every element has someone behind it");
    outcome(kontrakt, ul, utfall).map_or_else(|| internal(ul), |utfall| splice(ul, utfall))
}

/// The element of Försäkringskassan. As soon as Pensionsmyndigheten was asked it is put together
/// anew; without it Försäkringskassan's answer is spliced like any other.
fn lefi_del<'a>(fraga: &Fraga, utfall: &'a [(Uppgiftslamnare, Utfall)]) -> (Del<'a>, usize) {
    let asked: Vec<_> = [Uppgiftslamnare::FK, Uppgiftslamnare::PM]
        .into_iter()
        .filter(|ul| utfall.iter().any(|(given, _)| given == ul))
        .map(|ul| (ul, outcome(fraga.kontrakt(), ul, utfall)))
        .collect();
    match asked.as_slice() {
        [] | [(_, None)] => (internal(Uppgiftslamnare::FK), 0),
        [(Uppgiftslamnare::FK, Some(fk))] => (splice(Uppgiftslamnare::FK, fk), 0),
        asked => match lefi_front::answer(fraga, asked) {
            LefiSvar::Sammanslaget(json, dropped) => (Del::Lefi(json), dropped),
            LefiSvar::Utfall(utfall) => (splice(Uppgiftslamnare::FK, utfall), 0),
            LefiSvar::Fel(fel) => (Del::Fel(std::borrow::Cow::Owned(fel)), 0),
        },
    }
}

fn write(fraga: &Fraga, form: Form, delar: &[(Svarselement, Del<'_>)]) -> Bytes {
    const FRAME_BYTES: usize = 1024;
    const ELEMENT_BYTES: usize = 64;
    let platser = fraga.platser();
    let echo = if fraga.fragan_skall_inkluderas() {
        platser.echo_bytes()
    } else {
        0
    };
    let repeated = [&platser.frage_tidpunkt, &platser.korrelationsid];
    let size = FRAME_BYTES
        + echo
        + repeated
            .into_iter()
            .flatten()
            .map(ExactSizeIterator::len)
            .sum::<usize>()
        + delar
            .iter()
            .map(|(_, del)| del.size_hint() + ELEMENT_BYTES)
            .sum::<usize>();
    let mut out = Vec::with_capacity(size);
    let (before, after) = soap::around(form);
    out.extend_from_slice(XML_DECLARATION);
    out.extend_from_slice(before);
    out.extend_from_slice(b"<ssbt:hamtaBastjanstInformationResponse xmlns:ssbt=\"");
    out.extend_from_slice(fraga.kontrakt().namespace().as_bytes());
    out.extend_from_slice(b"\">");
    if fraga.fragan_skall_inkluderas() {
        write_echo(&mut out, fraga);
    }
    write_repeated(
        &mut out,
        fraga,
        "frageTidpunkt",
        platser.frage_tidpunkt.as_ref(),
    );
    write_repeated(
        &mut out,
        fraga,
        "korrelationsid",
        platser.korrelationsid.as_ref(),
    );
    out.extend_from_slice(b"<ssbt:svarsdata>");
    for (element, del) in delar {
        write_del(&mut out, *element, del);
    }
    out.extend_from_slice(b"</ssbt:svarsdata></ssbt:hamtaBastjanstInformationResponse>");
    out.extend_from_slice(after);
    Bytes::from(out)
}

/// The two subtrees of the question as they are, in an element that has the declarations in scope at
/// the question's root. When the question uses the prefix `ssbt` for something else, that element
/// takes the prefix of the question's own root instead.
fn write_echo(out: &mut Vec<u8>, fraga: &Fraga) {
    let platser = fraga.platser();
    let prefix = if platser.ssbt_upptaget {
        fraga.del(platser.rot.prefix())
    } else {
        b"ssbt:"
    };
    out.push(b'<');
    out.extend_from_slice(prefix);
    out.extend_from_slice(b"fraga");
    for declaration in platser.deklarationer() {
        out.push(b' ');
        out.extend_from_slice(fraga.del(declaration.clone()));
    }
    out.push(b'>');
    out.extend_from_slice(fraga.del(platser.generella.clone()));
    out.extend_from_slice(fraga.del(platser.specifika.hela()));
    out.extend_from_slice(b"</");
    out.extend_from_slice(prefix);
    out.extend_from_slice(b"fraga>");
}

/// A value of the question exactly as it was written there.
fn write_repeated(
    out: &mut Vec<u8>,
    fraga: &Fraga,
    name: &str,
    at: Option<&std::ops::Range<usize>>,
) {
    if let Some(at) = at {
        out.extend_from_slice(b"<ssbt:");
        out.extend_from_slice(name.as_bytes());
        out.push(b'>');
        out.extend_from_slice(fraga.del(at.clone()));
        out.extend_from_slice(b"</ssbt:");
        out.extend_from_slice(name.as_bytes());
        out.push(b'>');
    }
}

fn write_del(out: &mut Vec<u8>, element: Svarselement, del: &Del<'_>) {
    if let Del::Svar(svar) = del {
        out.extend_from_slice(svar.element());
        return;
    }
    let name = element.local_name().as_bytes();
    out.extend_from_slice(b"<ssbt:");
    out.extend_from_slice(name);
    out.push(b'>');
    match del {
        Del::Fel(fel) => fel.write(out),
        Del::Lefi(json) => {
            out.extend_from_slice(b"<ssbt:data><ssbt:lefiJsonSvar>");
            base64_simd::STANDARD.encode_append(json, out);
            out.extend_from_slice(b"</ssbt:lefiJsonSvar></ssbt:data>");
        }
        Del::Svar(_) => {}
    }
    out.extend_from_slice(b"</ssbt:");
    out.extend_from_slice(name);
    out.push(b'>');
}

#[cfg(test)]
#[path = "sammanstallning_tests.rs"]
mod tests;
