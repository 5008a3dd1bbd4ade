//! Sub-questions: for each Uppgiftslämnare a question of the contract in which only it is asked
//! (ssbtek-10, 4.0; R-002). Its common part is spliced from the question; nothing is parsed again.
//!
//! A party that does not speak the version of the question is asked in its own: the ssbt namespace
//! is exchanged, and the block that Skatteverket needs in one version and must not have in another
//! (ssbtek-10, 0.2). Everything else stays as the asker wrote it.

use std::ops::Range;

use bytes::Bytes;

use super::fel::{Delfel, SsbtFelkod};
use super::fordelning::{Anslutning, Delfraga, Fordelning, LefiVag, SkvStandard};
use super::fraga::{Fraga, ROT};
use super::lefi::{self, Delning};
use super::{Datum, Kontrakt, Svarselement, Uppgiftslamnare};
use crate::xml::XML_DECLARATION;

/// How one party is asked.
struct Template {
    element: Svarselement,
    kontrakt: Kontrakt,
    innehall: Innehall,
}

/// What stands in the element of the party that is asked.
enum Innehall {
    /// What the asker wrote.
    SomFragat,
    /// The same with another question to LEFI, in base64.
    Lefi { at: Range<usize>, base64: String },
    /// Nothing: this version has no parameters.
    Tomt,
    /// Skatteverket's block, filled with what is usual.
    SkvStandard(SkvStandard, Datum),
}

impl Fraga {
    /// One entry for each Uppgiftslämnare that the question asks, in the order of the elements:
    /// its sub-question in a version that it speaks, or the error that takes the place of its
    /// answer.
    ///
    /// The question to LEFI is split: Försäkringskassan and Pensionsmyndigheten get their own codes
    /// only, and who has none is not asked. A fault in it is an error of Försäkringskassan alone
    /// (ssbtek-10, 2.3). With [`LefiVag::Odelad`] it is checked in the same way, and goes to
    /// Försäkringskassan alone as it was asked.
    ///
    /// `idag` is the day in Sweden, from which Skatteverket's usual years are counted.
    #[must_use]
    pub fn delfragor(&self, fordelning: &Fordelning, idag: Datum) -> Vec<Delfraga> {
        let mut delfragor = Vec::with_capacity(Uppgiftslamnare::all().len());
        for &element in Svarselement::IN_ORDER {
            if !self.inkluderar(element) {
                continue;
            }
            if element == Svarselement::Fk {
                self.lefi_delfragor(fordelning, &mut delfragor);
                continue;
            }
            for ul in Uppgiftslamnare::all().filter(|ul| ul.element() == element) {
                delfragor.push(self.delfraga(ul, fordelning, |kontrakt| {
                    self.innehall(element, kontrakt, fordelning.skv, idag)
                }));
            }
        }
        delfragor
    }

    fn lefi_delfragor(&self, fordelning: &Fordelning, delfragor: &mut Vec<Delfraga>) {
        let (delning, at) = match self.lefi_delning() {
            Ok(split) => split,
            Err(felkod) => {
                let ul = Uppgiftslamnare::FK;
                let fel = Delfel::ssbt(felkod, ul);
                delfragor.push(Delfraga {
                    uppgiftslamnare: ul,
                    kontrakt: self.kontrakt(),
                    body: Err(fel),
                    skv_standard: false,
                });
                return;
            }
        };
        if fordelning.lefi == LefiVag::Odelad {
            let ul = Uppgiftslamnare::FK;
            delfragor.push(self.delfraga(ul, fordelning, |_| Innehall::SomFragat));
            return;
        }
        for ul in [Uppgiftslamnare::FK, Uppgiftslamnare::PM] {
            if let Some(json) = delning.del(ul) {
                delfragor.push(self.delfraga(ul, fordelning, |_| Innehall::Lefi {
                    at: at.clone(),
                    base64: base64_simd::STANDARD.encode_to_string(json),
                }));
            }
        }
    }

    /// What a party other than those of LEFI is asked.
    fn innehall(
        &self,
        element: Svarselement,
        kontrakt: Kontrakt,
        skv: SkvStandard,
        idag: Datum,
    ) -> Innehall {
        let has_block = self.platser().skv_fraga;
        if element != Svarselement::Skv || kontrakt.has_skv_fraga() == has_block {
            Innehall::SomFragat
        } else if has_block {
            Innehall::Tomt
        } else {
            Innehall::SkvStandard(skv, idag)
        }
    }

    fn delfraga(
        &self,
        uppgiftslamnare: Uppgiftslamnare,
        fordelning: &Fordelning,
        innehall: impl FnOnce(Kontrakt) -> Innehall,
    ) -> Delfraga {
        let Some(Anslutning { kontrakt }) = fordelning.anslutning(uppgiftslamnare) else {
            return Delfraga {
                uppgiftslamnare,
                kontrakt: self.kontrakt(),
                body: Err(Delfel::ssbt(SsbtFelkod::EjAnsluten, uppgiftslamnare)),
                skv_standard: false,
            };
        };
        let kontrakt = kontrakt.for_fraga(self.kontrakt());
        let template = Template {
            element: uppgiftslamnare.element(),
            kontrakt,
            innehall: innehall(kontrakt),
        };
        Delfraga {
            uppgiftslamnare,
            kontrakt,
            skv_standard: matches!(template.innehall, Innehall::SkvStandard(..)),
            body: Ok(self.write_delfraga(&template)),
        }
    }

    /// The question to LEFI, split, and where it stands in the document.
    pub(super) fn lefi_delning(&self) -> Result<(Delning, Range<usize>), SsbtFelkod> {
        let at = self.lefi_plats()?;
        let json = self.lefi_json()?;
        lefi::split(&json, self.personidentitet().expose()).map(|delning| (delning, at))
    }

    fn write_delfraga(&self, template: &Template) -> Bytes {
        let platser = self.platser();
        let prefix = self.del(platser.specifika.prefix());
        let size = XML_DECLARATION.len()
            + platser.rot_bytes()
            + platser.generella.len()
            + platser.specifika.tagg.len()
            + self.size_of_own(template)
            + Svarselement::IN_ORDER.len() * (prefix.len() + "<XXX inkludera=\"false\"/>".len())
            + platser.specifika.slut.len()
            + platser.rot.slut.len()
            + platser.bindningar.growth(template.kontrakt);
        let mut out = Vec::with_capacity(size);
        out.extend_from_slice(XML_DECLARATION);
        self.write_rot(&mut out, template);
        self.splice(&mut out, template, platser.generella.clone());
        self.splice(&mut out, template, platser.specifika.tagg.clone());
        for &element in Svarselement::IN_ORDER {
            if element == template.element {
                self.write_own(&mut out, template);
            } else {
                out.push(b'<');
                out.extend_from_slice(prefix);
                out.extend_from_slice(element.local_name().as_bytes());
                out.extend_from_slice(b" inkludera=\"false\"/>");
            }
        }
        out.extend_from_slice(self.del(platser.specifika.slut.clone()));
        out.extend_from_slice(self.del(platser.rot.slut.clone()));
        debug_assert!(out.len() <= size, "one allocation was enough");
        Bytes::from(out)
    }

    /// Appends the start tag of the root as it is in a document of its own: with what it inherits
    /// from an envelope declared by itself.
    fn write_rot(&self, out: &mut Vec<u8>, template: &Template) {
        let platser = self.platser();
        let rot = &platser.rot;
        let name = rot.prefix().end + ROT.len();
        self.splice(out, template, rot.tagg.start..name);
        for declaration in &platser.arvda {
            out.push(b' ');
            self.splice(out, template, declaration.clone());
        }
        self.splice(out, template, name..rot.tagg.end);
    }

    /// Appends a range of the question in the version that is asked.
    fn splice(&self, out: &mut Vec<u8>, template: &Template, range: Range<usize>) {
        if template.kontrakt == self.kontrakt() {
            out.extend_from_slice(self.del(range));
        } else {
            let bindningar = &self.platser().bindningar;
            bindningar.splice(out, self.document(), range, template.kontrakt);
        }
    }

    fn size_of_own(&self, template: &Template) -> usize {
        let own = self.platser().element[template.element.index()].len();
        match &template.innehall {
            Innehall::SomFragat => own,
            Innehall::Lefi { base64, .. } => own + base64.len(),
            Innehall::Tomt => own + 1,
            Innehall::SkvStandard(skv, _) => {
                let prefix = self.platser().skv.prefix;
                let element = 2 * ("<beskattningsbilagor></>false".len() + prefix);
                own + (usize::from(skv.antal_ar) + SKV_ELEMENTS) * element
            }
        }
    }

    /// Appends the element of the party that is asked.
    fn write_own(&self, out: &mut Vec<u8>, template: &Template) {
        let own = self.platser().element[template.element.index()].clone();
        match &template.innehall {
            Innehall::SomFragat => self.splice(out, template, own),
            Innehall::Lefi { at, base64 } => {
                self.splice(out, template, own.start..at.start);
                out.extend_from_slice(base64.as_bytes());
                self.splice(out, template, at.end..own.end);
            }
            Innehall::Tomt => {
                self.open_skv(out, template);
                out.extend_from_slice(b"/>");
            }
            Innehall::SkvStandard(skv, idag) => {
                self.open_skv(out, template);
                out.push(b'>');
                // The prefix of the element itself: whatever it declares, that one is ssbt's.
                let prefix = self.del(self.platser().skv.prefix());
                write_skv_fraga(out, prefix, *skv, *idag);
                push_tag(out, b"</", prefix, "SKV");
            }
        }
    }

    /// Appends the start tag of Skatteverket's element up to where it is closed.
    fn open_skv(&self, out: &mut Vec<u8>, template: &Template) {
        let tagg = self.platser().skv.tagg.clone();
        let end = if self.del(tagg.clone()).ends_with(b"/>") {
            tagg.end - 2
        } else {
            tagg.end - 1
        };
        self.splice(out, template, tagg.start..end);
    }
}

/// Elements of Skatteverket's block that do not depend on the number of years, with the element
/// around them and the end of the party's own.
const SKV_ELEMENTS: usize = 8;

/// Appends the block of version 11 (ssbtek-10, 0.2): the latest whole years, the oldest first, and
/// the flags.
fn write_skv_fraga(out: &mut Vec<u8>, prefix: &[u8], skv: SkvStandard, idag: Datum) {
    push_tag(out, b"<", prefix, "fraga");
    // The schema has at least one year.
    let antal = i32::from(skv.antal_ar.max(1));
    for ar in idag.ar.saturating_sub(antal)..idag.ar {
        push_element(out, prefix, "ar", &ar.to_string());
    }
    for (name, flag) in [
        ("foretagsinformation", skv.foretagsinformation),
        ("individuppgifter", skv.individuppgifter),
        ("skattekonto", skv.skattekonto),
        ("skatteuppgifter", skv.skatteuppgifter),
        ("beskattningsbilagor", skv.beskattningsbilagor),
    ] {
        push_element(out, prefix, name, if flag { "true" } else { "false" });
    }
    push_tag(out, b"</", prefix, "fraga");
}

fn push_element(out: &mut Vec<u8>, prefix: &[u8], name: &str, value: &str) {
    push_tag(out, b"<", prefix, name);
    out.extend_from_slice(value.as_bytes());
    push_tag(out, b"</", prefix, name);
}

fn push_tag(out: &mut Vec<u8>, begin: &[u8], prefix: &[u8], name: &str) {
    out.extend_from_slice(begin);
    out.extend_from_slice(prefix);
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

#[cfg(test)]
#[path = "delfraga_tests.rs"]
mod tests;
