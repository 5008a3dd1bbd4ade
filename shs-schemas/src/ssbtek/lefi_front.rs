//! What stands in the element of Försäkringskassan when Pensionsmyndigheten was asked too: the
//! table of outcomes in ssbtek-10, 4.8.

use super::Uppgiftslamnare;
use super::fel::{Delfel, Kalla, SsbtFelkod};
use super::fraga::Fraga;
use super::lefi::{self, LefiMedlem, LefiUtfall};
use super::sammanstallning::Utfall;
use super::svar::Delsvar;

/// What is written in the element.
pub(super) enum LefiSvar<'a> {
    /// A merged answer, and how many misplaced members were dropped.
    Sammanslaget(Vec<u8>, usize),
    /// One outcome as it is.
    Utfall(&'a Utfall),
    /// An error of ours.
    Fel(Delfel),
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
    /// Nobody answered.
    Silent(SsbtFelkod),
}

/// The table, for the parts that were asked, Försäkringskassan's first; one without outcome counts
/// as not answered.
pub(super) fn answer<'a>(
    fraga: &Fraga,
    asked: &[(Uppgiftslamnare, Option<&'a Utfall>)],
) -> LefiSvar<'a> {
    let mut parts: Vec<_> = asked
        .iter()
        .map(|&(ul, utfall)| (ul, classify(utfall)))
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
            Ok((json, dropped)) => return LefiSvar::Sammanslaget(json, dropped),
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

fn classify(utfall: Option<&Utfall>) -> Part<'_> {
    let Some(utfall) = utfall else {
        return Part::Silent(SsbtFelkod::InterntFel);
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
    match felkod {
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
) -> Result<(Vec<u8>, usize), Uppgiftslamnare> {
    let koder = refused_koder(fraga, parts);
    let seen: Vec<_> = parts
        .iter()
        .map(|(ul, part)| {
            let utfall = match part {
                Part::Json(json) => LefiUtfall::Svar(json),
                Part::Http403(_) => LefiUtfall::Obehorig(&koder),
                Part::Silent(_) => LefiUtfall::Otillganglig,
                Part::Http400(_) | Part::Http500(_) | Part::Unreadable => LefiUtfall::Felande,
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
    let ul = parts.first().map_or(Uppgiftslamnare::FK, |(ul, _)| *ul);
    LefiSvar::Fel(Delfel::ssbt(felkod, ul))
}
