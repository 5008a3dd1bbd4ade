//! Writing the compiled response: what the contract has around the parts, and each part in its place
//! (ssbtek-10, 3).

use std::borrow::Cow;
use std::ops::Range;

use crate::ssbtek::anrop::Form;
use crate::ssbtek::fel::Delfel;
use crate::ssbtek::fraga::Fraga;
use crate::ssbtek::svar::Delsvar;
use crate::ssbtek::{Kontrakt, Svarselement, lefi_front, soap};
use crate::xml::XML_DECLARATION;

/// What is written in the place of one element.
pub(super) enum Del<'a> {
    /// An answer as it is, but for its version.
    Svar(&'a Delsvar),
    /// An error of ours, or one given in `fel.v1`.
    Fel(Cow<'a, Delfel>),
    /// JSON put together from two answers.
    Lefi(lefi_front::Sammanslaget),
}

impl Del<'_> {
    fn size_hint(&self, kontrakt: Kontrakt) -> usize {
        match self {
            Self::Svar(svar) => svar.element().len() + svar.bindningar().growth(kontrakt),
            Self::Fel(fel) => fel.size_hint(),
            Self::Lefi(lefi) => lefi.json.len().div_ceil(3) * 4 + 128,
        }
    }
}

/// The document, and where each part stands in it.
pub(super) fn write(
    fraga: &Fraga,
    form: Form,
    delar: &[(Svarselement, Del<'_>)],
) -> (Vec<u8>, Vec<Range<usize>>) {
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
            .map(|(_, del)| del.size_hint(fraga.kontrakt()) + ELEMENT_BYTES)
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
    let mut places = Vec::with_capacity(delar.len());
    for (element, del) in delar {
        let start = out.len();
        write_del(&mut out, fraga.kontrakt(), *element, del);
        places.push(start..out.len());
    }
    out.extend_from_slice(b"</ssbt:svarsdata></ssbt:hamtaBastjanstInformationResponse>");
    out.extend_from_slice(after);
    (out, places)
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
fn write_repeated(out: &mut Vec<u8>, fraga: &Fraga, name: &str, at: Option<&Range<usize>>) {
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

fn write_del(out: &mut Vec<u8>, kontrakt: Kontrakt, element: Svarselement, del: &Del<'_>) {
    if let Del::Svar(svar) = del {
        let element = svar.element();
        if svar.kontrakt() == kontrakt {
            out.extend_from_slice(element);
        } else {
            svar.bindningar()
                .splice(out, element, 0..element.len(), kontrakt);
        }
        return;
    }
    let name = element.local_name().as_bytes();
    out.extend_from_slice(b"<ssbt:");
    out.extend_from_slice(name);
    out.push(b'>');
    match del {
        Del::Fel(fel) => fel.write(out),
        Del::Lefi(lefi) => {
            out.extend_from_slice(lefi_front::BEFORE_BASE64);
            base64_simd::STANDARD.encode_append(&lefi.json, out);
            out.extend_from_slice(lefi_front::AFTER_BASE64);
        }
        Del::Svar(_) => {}
    }
    out.extend_from_slice(b"</ssbt:");
    out.extend_from_slice(name);
    out.push(b'>');
}
