//! What stands in the element of Försäkringskassan when Pensionsmyndigheten was asked too: the
//! table of outcomes in ssbtek-10, 4.8.

use super::Uppgiftslamnare;
use super::fel::{Delfel, Kalla, SsbtFelkod};
use super::fraga::Fraga;
use super::lefi::{self, LefiMedlem, LefiUtfall};
use super::sammanstallning::Utfall;
use super::svar::Delsvar;
use crate::xml;

/// What stands before the base64 of a merged answer, within the element.
pub(super) const BEFORE_BASE64: &[u8] = b"<ssbt:data><ssbt:lefiJsonSvar>";
/// What stands after it.
pub(super) const AFTER_BASE64: &[u8] = b"</ssbt:lefiJsonSvar></ssbt:data>";

/// What is known of a party that was asked.
#[derive(Clone, Copy)]
pub(super) enum Asked<'a> {
    /// Its outcome.
    Utfall(&'a Utfall),
    /// It has no outcome, or one that is not its own.
    Utan,
    /// Its answer is not what arrived, and is withheld.
    Andrad,
}

/// What is written in the element.
pub(super) enum LefiSvar<'a> {
    /// A merged answer.
    Sammanslaget(Sammanslaget),
    /// One outcome as it is.
    Utfall(&'a Utfall),
    /// An error of ours.
    Fel(Delfel),
}

/// A merged answer and what it was merged from: personal data.
pub(super) struct Sammanslaget {
    /// The answer.
    pub(super) json: Vec<u8>,
    /// How many members were dropped because they stood in the wrong answer.
    pub(super) felplacerade: Vec<Uppgiftslamnare>,
    kallor: Vec<(Uppgiftslamnare, String)>,
}

impl Sammanslaget {
    /// Whose values are not what they were in their own answer, when `written` is the content of
    /// the element as it stands in the compiled document. When what differs belongs to nobody,
    /// everybody who has a part in it.
    pub(super) fn changed(&self, written: &[u8]) -> Vec<Uppgiftslamnare> {
        let json = base64_of(written)
            .and_then(|base64| base64_simd::STANDARD.decode_to_vec(base64).ok())
            .unwrap_or_default();
        let changed = lefi::changed(&json, &self.kallor);
        if changed.is_empty() && json != self.json {
            self.kallor.iter().map(|(ul, _)| *ul).collect()
        } else {
            changed
        }
    }
}

fn base64_of(written: &[u8]) -> Option<&[u8]> {
    written
        .strip_prefix(b"<ssbt:FK>")?
        .strip_prefix(BEFORE_BASE64)?
        .strip_suffix(b"</ssbt:FK>")?
        .strip_suffix(AFTER_BASE64)
}

/// One part that was asked, seen as LEFI would have answered.
enum Part<'a> {
    /// 200 with this JSON.
    Json(String),
    /// The asker's fault: refuses the whole call.
    Http400(&'a Utfall),
    /// The actor may not ask.
    Http403(&'a Utfall),
    /// Any other reported failure.
    Http500(&'a Utfall),
    /// An answer that cannot be read.
    Unreadable,
    /// An answer that is not what arrived.
    Andrad,
    /// Nobody answered.
    Silent(SsbtFelkod),
}

/// The table, for the parts that were asked, Försäkringskassan's first; one without outcome counts
/// as not answered.
pub(super) fn answer<'a>(fraga: &Fraga, asked: &[(Uppgiftslamnare, Asked<'a>)]) -> LefiSvar<'a> {
    let mut parts: Vec<_> = asked
        .iter()
        .map(|&(ul, asked)| (ul, classify(asked)))
        .collect();
    // Reading may show that a part is unreadable, which is known only then: once per part.
    loop {
        if let Some(refused) = parts.iter().find_map(|(_, part)| match part {
            Part::Http400(utfall) => Some(*utfall),
            _ => None,
        }) {
            return LefiSvar::Utfall(refused);
        }
        if !parts.iter().any(|(_, part)| matches!(part, Part::Json(_))) {
            return failure(&parts);
        }
        match merge(fraga, &parts) {
            Ok((json, felplacerade)) => {
                return LefiSvar::Sammanslaget(Sammanslaget {
                    json,
                    felplacerade,
                    kallor: parts.into_iter().filter_map(kalla).collect(),
                });
            }
            Err(unreadable) => {
                for (ul, part) in &mut parts {
                    if *ul == unreadable {
                        *part = Part::Unreadable;
                    }
                }
            }
        }
    }
}

fn kalla((ul, part): (Uppgiftslamnare, Part<'_>)) -> Option<(Uppgiftslamnare, String)> {
    match part {
        Part::Json(json) => Some((ul, json)),
        _ => None,
    }
}

fn classify(asked: Asked<'_>) -> Part<'_> {
    let utfall = match asked {
        Asked::Utfall(utfall) => utfall,
        Asked::Utan => return Part::Silent(SsbtFelkod::InterntFel),
        Asked::Andrad => return Part::Andrad,
    };
    match utfall {
        Utfall::Svar(svar) => match svar.felkod() {
            Some(felkod) => reported(felkod, utfall),
            None => json(svar).map_or(Part::Unreadable, Part::Json),
        },
        Utfall::Fel(fel) => match (fel.kalla(), fel.ssbt_felkod()) {
            (Kalla::Ssbt, Some(SsbtFelkod::OgiltigtSvar | SsbtFelkod::OtillatetFalt)) => {
                Part::Unreadable
            }
            (Kalla::Ssbt, Some(felkod)) => Part::Silent(felkod),
            _ => reported(fel.felkod(), utfall),
        },
        Utfall::Svarade => Part::Silent(SsbtFelkod::InterntFel),
    }
}

fn reported<'a>(felkod: &str, utfall: &'a Utfall) -> Part<'a> {
    // In `fel.v1` a code comes without blanks; in `svar.v1` it is kept as it was written.
    match xml::trim(felkod) {
        "400" => Part::Http400(utfall),
        "403" => Part::Http403(utfall),
        _ => Part::Http500(utfall),
    }
}

fn json(svar: &Delsvar) -> Option<String> {
    String::from_utf8(svar.base64_content()?).ok()
}

fn merge(
    fraga: &Fraga,
    parts: &[(Uppgiftslamnare, Part<'_>)],
) -> Result<(Vec<u8>, Vec<Uppgiftslamnare>), Uppgiftslamnare> {
    let koder = refused_koder(fraga, parts);
    let seen: Vec<_> = parts
        .iter()
        .map(|(ul, part)| {
            let utfall = match part {
                Part::Json(json) => LefiUtfall::Svar(json),
                Part::Http403(_) => LefiUtfall::Obehorig(&koder),
                Part::Silent(_) => LefiUtfall::Otillganglig,
                Part::Http400(_) | Part::Http500(_) | Part::Unreadable | Part::Andrad => {
                    LefiUtfall::Felande
                }
            };
            (*ul, utfall)
        })
        .collect();
    lefi::merge(&seen)
}

/// The codes that the part answered with 403 was asked about; at most one part can be that when
/// another has data.
fn refused_koder(
    fraga: &Fraga,
    parts: &[(Uppgiftslamnare, Part<'_>)],
) -> Vec<(LefiMedlem, &'static str)> {
    let refused = parts
        .iter()
        .find(|(_, part)| matches!(part, Part::Http403(_)));
    match (refused, fraga.lefi_delning()) {
        (Some((ul, _)), Ok((delning, _))) => delning.koder(*ul).collect(),
        _ => Vec::new(),
    }
}

/// Nobody gave data: the first reported code, Försäkringskassan's before Pensionsmyndigheten's;
/// else a code of ours.
fn failure<'a>(parts: &[(Uppgiftslamnare, Part<'a>)]) -> LefiSvar<'a> {
    let reported = parts.iter().find_map(|(_, part)| match part {
        Part::Http403(utfall) | Part::Http500(utfall) => Some(*utfall),
        _ => None,
    });
    if let Some(utfall) = reported {
        return LefiSvar::Utfall(utfall);
    }
    let ul = parts.first().map_or(Uppgiftslamnare::FK, |(ul, _)| *ul);
    if parts.iter().any(|(_, part)| matches!(part, Part::Andrad)) {
        return LefiSvar::Fel(Delfel::ssbt(SsbtFelkod::InterntFel, ul));
    }
    let codes = parts.iter().map(|(_, part)| match part {
        Part::Silent(felkod) => Some(*felkod),
        _ => None,
    });
    let shared = codes.reduce(|one, other| match (one, other) {
        (Some(one), Some(other)) if one == other => Some(one),
        (Some(_), Some(_)) => Some(SsbtFelkod::IngenKontakt),
        _ => None,
    });
    let felkod = shared.flatten().unwrap_or(SsbtFelkod::OgiltigtSvar);
    LefiSvar::Fel(Delfel::ssbt(felkod, ul))
}
