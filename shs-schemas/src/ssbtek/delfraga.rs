//! Sub-questions: for each Uppgiftslämnare a question of the contract in which only it is asked
//! (ssbtek-10, 4.0). Its common part is spliced from the question; nothing is parsed again.

use std::ops::Range;

use bytes::Bytes;

use super::fel::{Delfel, SsbtFelkod};
use super::fordelning::{Delfraga, Fordelning};
use super::fraga::Fraga;
use super::lefi::{self, Delning};
use super::{Datum, Svarselement, Uppgiftslamnare};

/// What every document that we write begins with.
pub(super) const XML_DECLARATION: &[u8] = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

/// Content of `lefiJsonFraga` that replaces what stands at a place in the question.
struct Utbyte {
    at: Range<usize>,
    base64: String,
}

impl Fraga {
    /// One entry for each Uppgiftslämnare that the question asks, in the order of the elements:
    /// its sub-question, or the error that takes the place of its answer.
    ///
    /// The question to LEFI is split: Försäkringskassan and Pensionsmyndigheten get their own codes
    /// only, and who has none is not asked. A fault in it is an error of Försäkringskassan alone
    /// (ssbtek-10, 2.3).
    #[must_use]
    pub fn delfragor(&self, fordelning: &Fordelning, idag: Datum) -> Vec<Delfraga> {
        let _ = idag;
        let ansluten = |ul| fordelning.anslutning(ul).is_some();
        let mut delfragor = Vec::with_capacity(Uppgiftslamnare::all().len());
        for &element in Svarselement::IN_ORDER {
            if !self.inkluderar(element) {
                continue;
            }
            if element == Svarselement::Fk {
                self.lefi_delfragor(&ansluten, &mut delfragor);
                continue;
            }
            for ul in Uppgiftslamnare::all().filter(|ul| ul.element() == element) {
                let delfraga = if ansluten(ul) {
                    Ok(self.delfraga(element, None))
                } else {
                    Err(Delfel::ssbt(SsbtFelkod::EjAnsluten, ul))
                };
                delfragor.push(self.till(ul, delfraga));
            }
        }
        delfragor
    }

    fn lefi_delfragor(
        &self,
        ansluten: &impl Fn(Uppgiftslamnare) -> bool,
        delfragor: &mut Vec<Delfraga>,
    ) {
        let (delning, at) = match self.lefi_delning() {
            Ok(split) => split,
            Err(felkod) => {
                let ul = Uppgiftslamnare::FK;
                delfragor.push(self.till(ul, Err(Delfel::ssbt(felkod, ul))));
                return;
            }
        };
        for ul in [Uppgiftslamnare::FK, Uppgiftslamnare::PM] {
            let Some(json) = delning.del(ul) else {
                continue;
            };
            let delfraga = if ansluten(ul) {
                let base64 = base64_simd::STANDARD.encode_to_string(json);
                let utbyte = Utbyte {
                    at: at.clone(),
                    base64,
                };
                Ok(self.delfraga(Svarselement::Fk, Some(&utbyte)))
            } else {
                Err(Delfel::ssbt(SsbtFelkod::EjAnsluten, ul))
            };
            delfragor.push(self.till(ul, delfraga));
        }
    }

    fn till(&self, uppgiftslamnare: Uppgiftslamnare, body: Result<Bytes, Delfel>) -> Delfraga {
        Delfraga {
            uppgiftslamnare,
            kontrakt: self.kontrakt(),
            body,
            skv_standard: false,
        }
    }

    /// The question to LEFI, split, and where it stands in the document.
    pub(super) fn lefi_delning(&self) -> Result<(Delning, Range<usize>), SsbtFelkod> {
        let at = self.lefi_plats()?;
        let json = self.lefi_json()?;
        lefi::split(&json, self.personidentitet().expose()).map(|delning| (delning, at))
    }

    fn delfraga(&self, element: Svarselement, utbyte: Option<&Utbyte>) -> Bytes {
        let platser = self.platser();
        let prefix = self.del(platser.specifika.prefix());
        let own = platser.element[element.index()].clone();
        let size = XML_DECLARATION.len()
            + platser.rot_bytes()
            + platser.generella.len()
            + platser.specifika.tagg.len()
            + own.len()
            + utbyte.map_or(0, |utbyte| utbyte.base64.len())
            + Svarselement::IN_ORDER.len() * (prefix.len() + "<XXX inkludera=\"false\"/>".len())
            + platser.specifika.slut.len()
            + platser.rot.slut.len();
        let mut out = Vec::with_capacity(size);
        out.extend_from_slice(XML_DECLARATION);
        self.push_rot(&mut out);
        out.extend_from_slice(self.del(platser.generella.clone()));
        out.extend_from_slice(self.del(platser.specifika.tagg.clone()));
        for &other in Svarselement::IN_ORDER {
            if other != element {
                out.push(b'<');
                out.extend_from_slice(prefix);
                out.extend_from_slice(other.local_name().as_bytes());
                out.extend_from_slice(b" inkludera=\"false\"/>");
            } else if let Some(Utbyte { at, base64 }) = utbyte {
                out.extend_from_slice(self.del(own.start..at.start));
                out.extend_from_slice(base64.as_bytes());
                out.extend_from_slice(self.del(at.end..own.end));
            } else {
                out.extend_from_slice(self.del(own.clone()));
            }
        }
        out.extend_from_slice(self.del(platser.specifika.slut.clone()));
        out.extend_from_slice(self.del(platser.rot.slut.clone()));
        debug_assert!(out.len() <= size, "one allocation was enough");
        Bytes::from(out)
    }
}
