//! Every kind of line, for tests.

use std::time::Duration;

use chrono::Utc;
use shs_schemas::shs::label::{SequenceType, Status, TransferType};
use shs_schemas::shs::{Adress, Produkt};
use shs_schemas::{ErrorCode, Sensitive, Uppgiftslamnare};

use super::super::event::{
    Aterupptaget, Avbrott, Avlast, AvvikelseLine, AvvisatLine, Command, DelsvarLine, Direction,
    Dorr, Filter, Forra, FragaLine, Gallring, Klocksteg, Loften, Mottaget, Omstart, Place,
    Resultat, Slag, Startat, Stoppat, Uppehall, Way, What,
};
use crate::avvikelse::Klass;
use crate::child::Decision;
use crate::failure::Source;
use crate::tally::OutcomeClass;

// Never called: it only has to cover everything, so that a new event does not compile until it stands
// here, and below.
#[expect(dead_code, reason = "checked when it is compiled")]
const fn all(what: &What) {
    match what {
        What::Mottaget(_)
        | What::Besvarat { .. }
        | What::Levererat { .. }
        | What::Delat { .. }
        | What::Fel { .. }
        | What::Kvitterat { .. }
        | What::Bekraftelse { .. }
        | What::Duplett
        | What::Avbrutet { .. }
        | What::Gallrat { .. }
        | What::Avvikelse(_)
        | What::Avvisat(_)
        | What::Fraga(_)
        | What::Delsvar(_)
        | What::Startat(_)
        | What::Stoppat(_)
        | What::Omstart(_)
        | What::Klocksteg(_)
        | What::Uppehall(_)
        | What::Avlast(_)
        | What::Aterupptaget(_)
        | What::Loften(_)
        // The writer's own, which it writes itself.
        | What::Lagat(_)
        | What::Kontrollpunkt(_)
        | What::GallradDag(_) => {}
    }
}

/// One of each that others have the ledger note.
pub(super) fn every_what() -> Vec<What> {
    let adress = Adress::parse("2120009994.ek").unwrap();
    let mut all = of_messages(&adress);
    all.extend(of_the_node(&adress));
    all
}

fn of_messages(adress: &Adress) -> Vec<What> {
    vec![
        What::Mottaget(Mottaget {
            from: adress.clone(),
            to: None,
            product: Produkt::Error,
            status: Status::Test,
            transfer_type: TransferType::Synch,
            sequence_type: SequenceType::Request,
            bytes: 12,
            parts: 1,
        }),
        What::Fraga(FragaLine {
            handlaggare: Sensitive::new("prov01".into()),
            ingivare: Some(adress.organisation().clone()),
            personer: 1,
            person: Vec::new(),
        }),
        What::Delsvar(DelsvarLine::recalled(Uppgiftslamnare::CSN, Duration::ZERO)),
        What::Besvarat {
            outcome: OutcomeClass::Answered,
            ms: 3,
            bytes: 4,
        },
        What::Levererat {
            slag: Slag::Meddelande,
            way: Way::Push,
            attempts: 1,
            ms: 7,
        },
        What::Delat { copies: 2 },
        What::Fel {
            code: ErrorCode::OtherError,
            class: Source::Us,
            place: Place::Leverans,
        },
        What::Kvitterat { slag: Slag::Svar },
        What::Bekraftelse {
            direction: Direction::Skickad,
        },
        What::Duplett,
        What::Avbrutet {
            reason: Avbrott::Nedstangning,
        },
        What::Gallrat {
            slag: Some(Slag::Fel),
            reason: Gallring::Levererat,
            ms: 9,
        },
    ]
}

fn of_the_node(adress: &Adress) -> Vec<What> {
    vec![
        What::Startat(Startat {
            version: "1.0.0",
            forra: Forra::Ingen,
        }),
        What::Avvikelse(AvvikelseLine {
            bastjanst: Uppgiftslamnare::AF,
            slag: Klass::SkvStandard,
            element: None,
            position: None,
            fault: None,
            antal: Some(2),
            withheld: false,
        }),
        What::Avvisat(AvvisatLine {
            door: Dorr::Tls,
            skal: "revoked",
            code: None,
            class: None,
            anropare: None,
            from: None,
            certifikat: vec![adress.clone()],
            bytes: None,
            antal: None,
        }),
        What::Omstart(Omstart {
            aktor: "egress-0".into(),
            generation: 1,
            class: "panic",
            beslut: Decision::Escalate,
        }),
        What::Klocksteg(Klocksteg { bakat_ms: 90_000 }),
        What::Uppehall(Uppehall {
            since: Utc::now(),
            class: "disk full",
            lost: 5,
        }),
        What::Aterupptaget(Aterupptaget {
            from: adress.clone(),
            to: None,
            product: Produkt::Error,
            status: Status::Test,
            sequence_type: SequenceType::Request,
            received: Utc::now(),
        }),
        What::Loften(Loften {
            owed: 1,
            ..Loften::default()
        }),
        What::Avlast(Avlast {
            uid: 1000,
            sudo_uid: None,
            command: Command::Show,
            filters: vec![Filter::Namnd],
            result: Some(Resultat::Utlamnat),
        }),
        What::Stoppat(Stoppat {
            kvar: 0,
            aktor: None,
        }),
    ]
}
