//! What may come: questions, parties, and what each party does with each person's question.

use std::time::Duration;

use proptest::prelude::*;
use shs_schemas::Uppgiftslamnare;
use shs_schemas::ssbtek::{Form, Kontrakt, LefiVag, Versioner};

use crate::answers;
use crate::questions::{Asked, ELEMENTS, IMPOSSIBLE, Lefi, PERSONS, Style};

/// Number of parties.
pub const PARTIES: usize = 8;
/// Answers this near to the deadline could fall on either side of it, by the grain of the timers.
const GRAIN_MS: u64 = 60;
/// How long after the deadline a late answer may come.
pub const LATE_MAX_MS: u64 = 3_000;

/// The door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Shs,
    Soap,
}

/// Whether a party can be asked, and in which versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    Connected {
        ten: bool,
        eleven: bool,
    },
    /// In the register, but its dispatcher is gone.
    Disconnected,
    /// Not in the register.
    Unknown,
}

impl Party {
    /// The versions that it speaks.
    pub fn versions(self) -> Versioner {
        let Self::Connected { ten, eleven } = self else {
            return Versioner::alla();
        };
        let both = [(Kontrakt::V10, ten), (Kontrakt::V11, eleven)];
        let spoken = both.into_iter().filter(|(_, spoken)| *spoken);
        Versioner::of(spoken.map(|(kontrakt, _)| kontrakt)).unwrap()
    }

    pub fn is_connected(self) -> bool {
        matches!(self, Self::Connected { .. })
    }

    /// The version in which it is asked what is asked in this one.
    pub fn asked_in(self, fraga: Kontrakt) -> Kontrakt {
        match self {
            Self::Connected {
                ten: true,
                eleven: false,
            } => Kontrakt::V10,
            Self::Connected { ten: false, .. } => Kontrakt::V11,
            _ => fraga,
        }
    }
}

/// What a party says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// Data; with every field of its schema.
    Data {
        full: bool,
    },
    /// `error` in an answer of its own.
    Error(&'static str),
    /// `fel.v1`.
    Fel(&'static str),
    /// A message of no type.
    Unreadable,
    /// No XML.
    NoXml,
    /// XML that is not as the schema has it.
    Invalid,
    /// An answer in the version that it was not asked in.
    WrongVersion,
    /// The answer of another party.
    WrongElement,
    Nothing,
}

/// What a party does with one question.
#[derive(Clone, Copy, Debug)]
pub struct Behaviour {
    pub says: Says,
    /// From question to answer.
    pub delay: Duration,
    /// Whether another answer follows at once.
    pub twice: bool,
}

impl Behaviour {
    /// How many answers come in all.
    pub fn answers(self) -> u64 {
        match self.says {
            Says::Nothing => 0,
            _ => 1 + u64::from(self.twice),
        }
    }
}

/// One person: the question, and what each party does with it.
#[derive(Clone, Debug)]
pub struct Person {
    pub asked: Asked,
    pub behaviours: [Behaviour; PARTIES],
}

/// One request to one node.
#[derive(Clone, Debug)]
pub struct Plan {
    pub door: Door,
    pub kontrakt: Kontrakt,
    pub lefi: LefiVag,
    pub parties: [Party; PARTIES],
    pub persons: Vec<Person>,
}

impl Plan {
    /// How a party is connected.
    pub fn party(&self, ul: Uppgiftslamnare) -> Party {
        self.parties[ul.index()]
    }

    /// D(n) less one second.
    pub fn stop(&self) -> Duration {
        stop(self.persons.len())
    }

    /// What a party sends for one person, in the version in which it is asked.
    pub fn says(&self, ul: Uppgiftslamnare, person: &Person) -> Option<String> {
        let (place, number) = (person.asked.place, person.asked.number);
        let kontrakt = self.party(ul).asked_in(self.kontrakt);
        let data = |ul, kontrakt, full| answers::data(ul, kontrakt, place, number, full);
        let other = if kontrakt == Kontrakt::V10 {
            Kontrakt::V11
        } else {
            Kontrakt::V10
        };
        match person.behaviours[ul.index()].says {
            Says::Data { full } => Some(data(ul, kontrakt, full)),
            Says::Error(felkod) => Some(answers::error(ul, kontrakt, place, felkod)),
            Says::NoXml => Some("{\"svar\": null}".to_owned()),
            Says::Invalid => {
                let whole = data(ul, kontrakt, false);
                let end = whole.rfind("</").unwrap();
                Some(format!("{}<extra/>{}", &whole[..end], &whole[end..]))
            }
            Says::WrongVersion => Some(data(ul, other, false)),
            Says::WrongElement => {
                let other = if ul == Uppgiftslamnare::AF {
                    Uppgiftslamnare::SO
                } else {
                    Uppgiftslamnare::AF
                };
                Some(data(other, kontrakt, false))
            }
            Says::Fel(_) | Says::Unreadable | Says::Nothing => None,
        }
    }
}

fn stop(persons: usize) -> Duration {
    let further = u64::try_from(persons - 1).unwrap();
    Duration::from_millis(11_000 + 1_500 * further)
}

/// Any plan.
pub fn plan() -> impl Strategy<Value = Plan> {
    let door = prop_oneof![4 => Just(Door::Shs), 1 => Just(Door::Soap)];
    let persons = prop_oneof![3 => 1_usize..=2, 2 => 3_usize..=9, 1 => Just(10)];
    (door, persons).prop_flat_map(|(door, persons)| {
        let persons = if door == Door::Soap { 1 } else { persons };
        let each: Vec<_> = (1..=persons)
            .map(|place| person(door, place, stop(persons)))
            .collect();
        let kontrakt = prop_oneof![Just(Kontrakt::V10), Just(Kontrakt::V11)];
        let lefi = prop_oneof![3 => Just(LefiVag::Delad), 1 => Just(LefiVag::Odelad)];
        let parties = prop::array::uniform8(party());
        (kontrakt, lefi, parties, each).prop_map(move |(kontrakt, lefi, parties, persons)| Plan {
            door,
            kontrakt,
            lefi,
            parties,
            persons,
        })
    })
}

fn party() -> impl Strategy<Value = Party> {
    let speaks = |ten, eleven| Just(Party::Connected { ten, eleven });
    prop_oneof![
        6 => speaks(true, true),
        2 => speaks(true, false),
        2 => speaks(false, true),
        1 => Just(Party::Disconnected),
        1 => Just(Party::Unknown),
    ]
}

prop_compose! {
    fn person(door: Door, place: usize, stop: Duration)(
        number in prop_oneof![9 => prop::sample::select(&PERSONS[..]), 1 => Just(IMPOSSIBLE)],
        enveloped in any::<bool>(),
        style in style(),
        flags in prop::array::uniform5(any::<bool>()),
        inkludera in inkludera(),
        lefi in lefi(),
        behaviours in prop::array::uniform8(behaviour(stop)),
    ) -> Person {
        let form = if enveloped || door == Door::Soap { Form::Kuvert } else { Form::Bar };
        let [echo, frage_tidpunkt, korrelationsid, surplus, named] = flags;
        Person {
            asked: Asked {
                place,
                number,
                form,
                style,
                echo,
                frage_tidpunkt,
                korrelationsid,
                inkludera,
                surplus,
                lefi,
                named,
            },
            behaviours,
        }
    }
}

fn inkludera() -> impl Strategy<Value = [bool; ELEMENTS]> {
    prop_oneof![
        3 => Just([true; ELEMENTS]),
        1 => Just([false; ELEMENTS]),
        6 => prop::array::uniform7(prop::bool::weighted(0.7)),
    ]
}

fn style() -> impl Strategy<Value = Style> {
    prop_oneof![
        Just(Style::Prefix("b")),
        Just(Style::Prefix("ssbt")),
        Just(Style::Default),
        Just(Style::Inherited),
    ]
}

fn lefi() -> impl Strategy<Value = Lefi> {
    prop_oneof![
        6 => Just(Lefi::Both),
        1 => Just(Lefi::FkOnly),
        1 => Just(Lefi::PmOnly),
        1 => Just(Lefi::Absent),
        1 => Just(Lefi::OtherPerson),
    ]
}

fn behaviour(stop: Duration) -> impl Strategy<Value = Behaviour> {
    let stop_ms = u64::try_from(stop.as_millis()).unwrap();
    let delay = prop_oneof![
        1 => Just(0),
        4 => 1..2_000_u64,
        3 => 0..stop_ms - GRAIN_MS,
        1 => stop_ms + GRAIN_MS..stop_ms + LATE_MAX_MS,
    ];
    let twice = prop::bool::weighted(0.1);
    (says(), delay, twice).prop_map(|(says, delay, twice)| Behaviour {
        says,
        delay: Duration::from_millis(delay),
        twice,
    })
}

fn says() -> impl Strategy<Value = Says> {
    let felkod = prop::sample::select(&["BT-7", "400", "403", "500"][..]);
    prop_oneof![
        8 => any::<bool>().prop_map(|full| Says::Data { full }),
        1 => felkod.clone().prop_map(Says::Error),
        1 => felkod.prop_map(Says::Fel),
        1 => prop::sample::select(&[
            Says::Unreadable,
            Says::NoXml,
            Says::Invalid,
            Says::WrongVersion,
            Says::WrongElement,
        ][..]),
        1 => Just(Says::Nothing),
    ]
}
