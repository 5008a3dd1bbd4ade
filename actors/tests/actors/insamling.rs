//! Whatever order outcomes come in, however often: every party stands exactly once under its person
//!

use proptest::prelude::*;
use samsvar_actors::door::Door;
use samsvar_actors::insamling::{Filled, Insamling, Person, PersonQuestion};
use shs_schemas::Uppgiftslamnare;
use shs_schemas::ssbtek::{Avvisning, Delfel, Form, Kontrakt, SsbtFelkod, Utfall};
use uuid::Uuid;

use crate::node_rig::a_label;

/// A person of the request. What is asked about it plays no part in the slots.
fn person() -> Person {
    Person {
        form: Form::Bar,
        datapart_type: "fraga".to_owned(),
        filename: None,
        question: PersonQuestion::Avvisad {
            kontrakt: Kontrakt::V10,
            avvisning: Avvisning::Personidentitet,
        },
    }
}

/// A felkod of its own for each arrival, so that it shows which one a slot has kept.
fn bt(arrival: usize, ul: Uppgiftslamnare) -> Utfall {
    Utfall::Fel(Delfel::bt(
        &arrival.to_string(),
        vec!["text".to_owned()],
        ul,
    ))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn every_party_stands_once_with_the_first_outcome_that_came(
        persons in 1_usize..=3,
        arrivals in prop::collection::vec(0_usize..24, 0..60),
    ) {
        let parties: Vec<_> = Uppgiftslamnare::all().collect();
        let people = (0..persons).map(|_| person()).collect();
        let mut insamling = Insamling::new(Door::Shs(Box::new(a_label())), people);
        let mut slots = Vec::new();
        for place in 0..persons {
            for ul in &parties {
                slots.push((insamling.open_slot(place, *ul, Kontrakt::V10, Uuid::nil()), *ul));
            }
        }
        let mut first = vec![None; slots.len()];
        for (arrival, slot) in arrivals.into_iter().map(|slot| slot % slots.len()).enumerate() {
            let (id, ul) = slots[slot];
            let filled = insamling.fill(id, bt(arrival, ul));
            prop_assert_eq!(filled == Filled::First, first[slot].is_none());
            first[slot].get_or_insert(arrival);
        }
        let answered = first.iter().flatten().count();
        prop_assert_eq!(insamling.is_complete(), answered == slots.len());
        prop_assert_eq!(insamling.progress(), (slots.len(), answered));
        prop_assert_eq!(insamling.open_slots().count(), slots.len() - answered);

        let compiled = insamling.close(SsbtFelkod::Timeout);
        prop_assert_eq!(compiled.complete, answered == slots.len());
        prop_assert_eq!(compiled.ssbt_felkoder().count(), slots.len() - answered);
        let outcomes = compiled.persons.iter().flat_map(|(_, outcomes)| outcomes);
        for ((_, utfall), first) in outcomes.zip(&first) {
            let Utfall::Fel(fel) = utfall else { panic!("only errors came") };
            let expected = first.map_or_else(|| "SSBT-TIMEOUT".to_owned(), |arrival| arrival.to_string());
            prop_assert_eq!(fel.felkod(), expected);
        }
        for (_, outcomes) in &compiled.persons {
            let order: Vec<_> = outcomes.iter().map(|(ul, _)| *ul).collect();
            prop_assert_eq!(&order, &parties);
        }
    }
}
