//! What the configuration says about spreading a question is what the actors are given.

use shs_schemas::ssbtek::{Kontrakt, LefiVag, Versioner};

use super::*;
use crate::settings::Lefi;

#[test]
fn a_question_is_spread_as_the_settings_say() {
    let mut settings = Settings::demo();
    for party in &mut settings.parties {
        match party.kod {
            Uppgiftslamnare::SKV => party.kontrakt = Versioner::of([Kontrakt::V11]).unwrap(),
            Uppgiftslamnare::MIV => party.connected = false,
            _ => {}
        }
    }
    settings.ssbtek.lefi = Lefi::Unsplit;
    settings.ssbtek.skv.years = 3;
    settings.ssbtek.skv.skattekonto = false;
    let fordelning = rules(&settings).unwrap().fordelning;
    let spoken = |ul| {
        fordelning
            .anslutning(ul)
            .map(|anslutning| anslutning.kontrakt)
    };
    assert_eq!(spoken(Uppgiftslamnare::SKV), Versioner::of([Kontrakt::V11]));
    assert_eq!(spoken(Uppgiftslamnare::AF), Some(Versioner::alla()));
    // Who is connected is told by the dispatchers at each question.
    assert_eq!(spoken(Uppgiftslamnare::MIV), Some(Versioner::alla()));
    assert_eq!(fordelning.lefi, LefiVag::Odelad);
    assert_eq!(
        (fordelning.skv.antal_ar, fordelning.skv.skattekonto),
        (3, false)
    );
    assert!(fordelning.skv.skatteuppgifter);
}
