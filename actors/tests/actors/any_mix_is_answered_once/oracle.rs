//! What must come of a plan: said from the specification alone (ssbtek-10, 2 to 6), without the code
//! that does it.

use std::time::Duration;

use shs_schemas::Uppgiftslamnare;
use shs_schemas::ssbtek::{LefiVag, SsbtFelkod, Svarselement};

use super::plan::{Person, Plan, Says};
use crate::answers;
use crate::questions::{IMPOSSIBLE, Lefi};

const FK: Uppgiftslamnare = Uppgiftslamnare::FK;
const PM: Uppgiftslamnare = Uppgiftslamnare::PM;

/// What stands in the place of one element.
#[derive(Debug, PartialEq, Eq)]
pub enum Expected {
    /// These bytes.
    Exactly(String),
    /// A merged answer of LEFI: the state of each party, and whose data are in it.
    Merged(Vec<(Uppgiftslamnare, &'static str, bool)>),
}

/// What became of one sub-question.
enum Part {
    /// Data.
    Data(String),
    /// The party's own error: its code, and the element that says it.
    Reported(&'static str, String),
    /// A felkod of ours.
    Ours(SsbtFelkod),
}

/// Every party that has a slot for this person: asked, or failed without being asked.
pub fn slots(plan: &Plan, person: &Person) -> Vec<Uppgiftslamnare> {
    if person.asked.number == IMPOSSIBLE {
        return Vec::new();
    }
    let included = |ul: &Uppgiftslamnare| person.asked.inkludera[ul.element().index()];
    let (lefi, split) = (person.asked.lefi, plan.lefi == LefiVag::Delad);
    let has_part = |ul: &Uppgiftslamnare| match (*ul, lefi) {
        (FK, Lefi::Absent | Lefi::OtherPerson) => true,
        (PM, Lefi::Absent | Lefi::OtherPerson) => false,
        (FK, _) => !split || lefi != Lefi::PmOnly,
        (PM, _) => split && lefi != Lefi::FkOnly,
        _ => true,
    };
    Uppgiftslamnare::all()
        .filter(included)
        .filter(has_part)
        .collect()
}

/// The error about a question to LEFI that nobody is asked.
fn lefi_fault(ul: Uppgiftslamnare, person: &Person) -> Option<SsbtFelkod> {
    match person.asked.lefi {
        _ if ul != FK => None,
        Lefi::Absent => Some(SsbtFelkod::FkFragaSaknas),
        Lefi::OtherPerson => Some(SsbtFelkod::FkPersonAvviker),
        _ => None,
    }
}

/// Whether this party is asked about this person.
pub fn is_asked(plan: &Plan, person: &Person, ul: Uppgiftslamnare) -> bool {
    slots(plan, person).contains(&ul)
        && plan.party(ul).is_connected()
        && lefi_fault(ul, person).is_none()
}

/// The felkod of ours in a slot, if any.
pub fn felkod(plan: &Plan, person: &Person, ul: Uppgiftslamnare) -> Option<SsbtFelkod> {
    match part(plan, person, ul) {
        Part::Ours(felkod) => Some(felkod),
        _ => None,
    }
}

fn part(plan: &Plan, person: &Person, ul: Uppgiftslamnare) -> Part {
    if let Some(felkod) = lefi_fault(ul, person) {
        return Part::Ours(felkod);
    }
    if !plan.party(ul).is_connected() {
        return Part::Ours(SsbtFelkod::EjAnsluten);
    }
    let behaviour = person.behaviours[ul.index()];
    if behaviour.answers() == 0 || behaviour.delay > plan.stop() {
        return Part::Ours(SsbtFelkod::Timeout);
    }
    // The answer in the version of the question: what is exchanged is the namespace of the contract.
    let text = || {
        let said = plan.says(ul, person).unwrap();
        answers::in_version(answers::element(&said), plan.kontrakt)
    };
    match behaviour.says {
        Says::Data { .. } => Part::Data(text()),
        Says::Error(felkod) => Part::Reported(felkod, text()),
        Says::Fel(felkod) => {
            let texter = answers::marker(ul, person.asked.place);
            Part::Reported(felkod, written(ul.element(), "BT", felkod, &texter))
        }
        _ => Part::Ours(SsbtFelkod::OgiltigtSvar),
    }
}

/// An element with an error that the node writes.
fn written(element: Svarselement, kalla: &str, felkod: &str, text: &str) -> String {
    let name = element.local_name();
    format!(
        "<ssbt:{name}><ssbt:error><ssbt:kalla>{kalla}</ssbt:kalla><ssbt:felkod>{felkod}\
         </ssbt:felkod><ssbt:felmeddelande>{text}</ssbt:felmeddelande></ssbt:error></ssbt:{name}>"
    )
}

fn ours(ul: Uppgiftslamnare, felkod: SsbtFelkod) -> Expected {
    let text = felkod.felmeddelande(ul);
    Expected::Exactly(written(ul.element(), "SSBT", felkod.kod(), &text))
}

fn plain(ul: Uppgiftslamnare, part: Part) -> Expected {
    match part {
        Part::Data(element) | Part::Reported(_, element) => Expected::Exactly(element),
        Part::Ours(felkod) => ours(ul, felkod),
    }
}

/// What stands in the response, element by element.
pub fn elements(plan: &Plan, person: &Person) -> Vec<Expected> {
    let slots = slots(plan, person);
    let included = Svarselement::IN_ORDER
        .iter()
        .filter(|element| person.asked.inkludera[element.index()]);
    let expected = included.map(|&element| {
        let mut parts: Vec<_> = slots
            .iter()
            .filter(|ul| ul.element() == element)
            .map(|&ul| (ul, part(plan, person, ul)))
            .collect();
        if parts.iter().any(|(ul, _)| *ul == PM) {
            return lefi(&parts);
        }
        let (ul, part) = parts.pop().unwrap();
        plain(ul, part)
    });
    expected.collect()
}

/// The table of ssbtek-10, 4.8, for when Pensionsmyndigheten has a part.
fn lefi(parts: &[(Uppgiftslamnare, Part)]) -> Expected {
    let reported = |wanted: fn(&str) -> bool| {
        parts.iter().find_map(|(_, part)| match part {
            Part::Reported(felkod, element) if wanted(felkod) => {
                Some(Expected::Exactly(element.clone()))
            }
            _ => None,
        })
    };
    if let Some(refused) = reported(|felkod| felkod == "400") {
        return refused;
    }
    let has_data = parts.iter().any(|(_, part)| matches!(part, Part::Data(_)));
    if has_data {
        return Expected::Merged(parts.iter().map(|(ul, part)| state(*ul, part)).collect());
    }
    if let Some(first) = reported(|_| true) {
        return first;
    }
    let felkoder: Vec<_> = parts
        .iter()
        .filter_map(|(_, part)| match part {
            Part::Ours(felkod) => Some(*felkod),
            _ => None,
        })
        .collect();
    let felkod = if felkoder.contains(&SsbtFelkod::OgiltigtSvar) {
        SsbtFelkod::OgiltigtSvar
    } else if felkoder.iter().all(|felkod| *felkod == felkoder[0]) {
        felkoder[0]
    } else {
        SsbtFelkod::IngenKontakt
    };
    ours(parts[0].0, felkod)
}

fn state(ul: Uppgiftslamnare, part: &Part) -> (Uppgiftslamnare, &'static str, bool) {
    match part {
        Part::Data(_) => (ul, "OK", true),
        Part::Reported("403", _) => (ul, "OK", false),
        Part::Reported(..) | Part::Ours(SsbtFelkod::OgiltigtSvar) => (ul, "FELANDE", false),
        Part::Ours(_) => (ul, "OTILLGANGLIG", false),
    }
}

/// When the reply leaves: with the last answer, or at the stop.
pub fn took(plan: &Plan) -> Duration {
    let delays = plan.persons.iter().flat_map(|person| {
        let asked = Uppgiftslamnare::all().filter(|ul| is_asked(plan, person, *ul));
        asked.map(|ul| match person.behaviours[ul.index()] {
            behaviour if behaviour.answers() == 0 => plan.stop(),
            behaviour => behaviour.delay.min(plan.stop()),
        })
    });
    delays.max().unwrap_or_default()
}
