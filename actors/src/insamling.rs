//! The slots of one request: person × Uppgiftslämnare. Pure rules, tested without actors; the
//! aggregator only receives, delegates and passes on.

use shs_schemas::shs::KnownIds;
use shs_schemas::ssbtek::{Avvisning, Delfel, Form, Fraga, Kontrakt, SsbtFelkod, Utfall};
use shs_schemas::{Sensitive, Uppgiftslamnare};
use uuid::Uuid;

use crate::door::Door;

/// One slot of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SlotId(u16);

/// A data part of the message: one person's question. A SOAP call has one, without names.
#[derive(Debug)]
pub struct Person {
    /// Name of the part's role, repeated in the reply.
    pub datapart_type: String,
    /// File name of the part, if it has one.
    pub filename: Option<Sensitive<String>>,
    /// The form it came in, in which it is answered.
    pub form: Form,
    /// The question, or why nobody is asked.
    pub question: PersonQuestion,
}

/// What is to be answered for one person.
#[derive(Debug)]
pub enum PersonQuestion {
    /// A question to put.
    Fraga(Box<Fraga>),
    /// No person: the bastjänster are tested (ssbtek-10, 1.3).
    Test(Kontrakt),
    /// A valid question that nobody is asked: it is answered with a fault document (ssbtek-10, 6.2).
    Avvisad {
        /// Version that the fault is written in.
        kontrakt: Kontrakt,
        /// Why.
        avvisning: Avvisning,
    },
}

/// What became of a `fill`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// The slot has its outcome now.
    First,
    /// It had one already; nothing changed.
    Already,
}

#[derive(Debug)]
struct Slot {
    person: usize,
    ul: Uppgiftslamnare,
    kontrakt: Kontrakt,
    corr_id: Uuid,
    utfall: Option<Utfall>,
}

/// The slots of one request, opened before anything is asked.
#[derive(Debug)]
pub struct Insamling {
    door: Door,
    persons: Vec<Person>,
    slots: Vec<Slot>,
    open: usize,
}

impl Insamling {
    /// A request without slots yet.
    #[must_use]
    pub fn new(door: Door, persons: Vec<Person>) -> Self {
        Self {
            door,
            persons,
            slots: Vec::new(),
            open: 0,
        }
    }

    /// Opens a slot for this person (a place among the parts) and party, asked in this version.
    pub fn open_slot(
        &mut self,
        person: usize,
        ul: Uppgiftslamnare,
        kontrakt: Kontrakt,
        corr_id: Uuid,
    ) -> SlotId {
        let id = u16::try_from(self.slots.len()).unwrap_or(u16::MAX);
        self.slots.push(Slot {
            person,
            ul,
            kontrakt,
            corr_id,
            utfall: None,
        });
        self.open += 1;
        SlotId(id)
    }

    /// Fills a slot. What comes second changes nothing.
    pub fn fill(&mut self, SlotId(place): SlotId, utfall: Utfall) -> Filled {
        match self.slots.get_mut(usize::from(place)) {
            Some(slot) if slot.utfall.is_none() => {
                slot.utfall = Some(utfall);
                self.open -= 1;
                Filled::First
            }
            _ => Filled::Already,
        }
    }

    /// Whose slot it is, and in which version it was asked.
    #[must_use]
    pub fn slot(&self, SlotId(place): SlotId) -> Option<(Uppgiftslamnare, Kontrakt)> {
        let slot = self.slots.get(usize::from(place))?;
        Some((slot.ul, slot.kontrakt))
    }

    /// The version of the question that the slot belongs to, in which its answer is given on.
    #[must_use]
    pub fn given_in(&self, SlotId(place): SlotId) -> Option<Kontrakt> {
        let slot = self.slots.get(usize::from(place))?;
        match &self.persons.get(slot.person)?.question {
            PersonQuestion::Fraga(fraga) => Some(fraga.kontrakt()),
            PersonQuestion::Test(kontrakt) | PersonQuestion::Avvisad { kontrakt, .. } => {
                Some(*kontrakt)
            }
        }
    }

    /// The slot's party, when it is tested and not asked.
    #[must_use]
    pub fn tested(&self, SlotId(place): SlotId) -> Option<Uppgiftslamnare> {
        let slot = self.slots.get(usize::from(place))?;
        let person = self.persons.get(slot.person)?;
        matches!(person.question, PersonQuestion::Test(_)).then_some(slot.ul)
    }

    /// Whether the bastjänster are tested and nobody is asked about.
    #[must_use]
    pub fn is_test(&self) -> bool {
        let mut persons = self.persons.iter();
        persons.any(|person| matches!(person.question, PersonQuestion::Test(_)))
    }

    /// The identifiers of the message.
    #[must_use]
    pub fn known_ids(&self) -> KnownIds {
        self.door.known_ids()
    }

    /// True when every slot has its outcome.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.open == 0
    }

    /// Slots, and how many of them have their outcome.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        (self.slots.len(), self.slots.len() - self.open)
    }

    /// Persons in the request, asked about or not.
    #[must_use]
    pub fn persons(&self) -> usize {
        self.persons.len()
    }

    /// Sub-questions without an outcome.
    pub fn open_slots(&self) -> impl Iterator<Item = (Uppgiftslamnare, Uuid)> + '_ {
        self.slots
            .iter()
            .filter(|slot| slot.utfall.is_none())
            .map(|slot| (slot.ul, slot.corr_id))
    }

    /// Closes the request: slots without an outcome get this felkod. Every party that was asked
    /// stands exactly once under its person.
    #[must_use]
    pub fn close(self, missing: SsbtFelkod) -> Compiled {
        let mut complete = true;
        let mut persons: Vec<_> = self
            .persons
            .into_iter()
            .map(|person| (person, Vec::new()))
            .collect();
        for slot in self.slots {
            let utfall = slot
                .utfall
                .unwrap_or_else(|| Utfall::Fel(Delfel::ssbt(missing, slot.ul)));
            complete &= !matches!(&utfall, Utfall::Fel(fel) if fel.ssbt_felkod().is_some());
            if let Some((_, outcomes)) = persons.get_mut(slot.person) {
                outcomes.push((slot.ul, utfall));
            }
        }
        Compiled {
            door: self.door,
            persons,
            complete,
        }
    }
}

/// A closed request on its way to egress.
#[derive(Debug)]
pub struct Compiled {
    /// The door it is answered by.
    pub door: Door,
    /// Persons in the order of the question, each with the outcome of every party that was asked.
    pub persons: Vec<(Person, Vec<(Uppgiftslamnare, Utfall)>)>,
    /// True when no party was failed by us or by silence.
    pub complete: bool,
}

impl Compiled {
    /// Every felkod of ours in the request, with the party in whose place it stands. Those of a test
    /// are not among them: nobody was to get an answer.
    pub fn ssbt_felkoder(&self) -> impl Iterator<Item = (Uppgiftslamnare, SsbtFelkod)> + '_ {
        let asked = |person: &Person| !matches!(person.question, PersonQuestion::Test(_));
        let persons = self.persons.iter().filter(move |(person, _)| asked(person));
        let outcomes = persons.flat_map(|(_, outcomes)| outcomes);
        outcomes.filter_map(|(ul, utfall)| match utfall {
            Utfall::Fel(fel) => fel.ssbt_felkod().map(|felkod| (*ul, felkod)),
            Utfall::Svar(_) | Utfall::Svarade => None,
        })
    }
}
