//! What a node starts with all the same, and somebody should look at.

use std::path::Path;

use chrono::NaiveDate;
use shs_schemas::shs::Organisationsnummer;
use shs_schemas::shs::agreement::Exchange;
use shs_schemas::shs::label::{SequenceType, TransferType};
use shs_schemas::ssbtek::{Kontrakt, Uppgiftslamnare};

use crate::settings::{AgreementFile, Aktor, Delivery, Fault, Lefi, Party, Settings, Status};

/// Longest time that an idle connection should be kept, in milliseconds (design 8.2).
const KEEP_ALIVE_MS_MAX: u64 = 2_000;

/// Every warning, as of this day.
pub(super) fn of(file: &Path, settings: &Settings, today: NaiveDate) -> Vec<Fault> {
    let mut warnings = of_agreements(settings, today);
    let aktorer = settings.aktorer.iter().enumerate();
    let in_file = aktorer
        .filter_map(|(place, aktor)| {
            Some((format!("aktor[{place}]"), of_aktor(settings, aktor, today)?))
        })
        .chain(of_settings(settings));
    warnings.extend(in_file.map(|(path, message)| Settings::fault_at(file, &path, &message)));
    warnings.extend(of_parties(file, settings));
    warnings
}

/// Agreements that permit nothing here.
fn of_agreements(settings: &Settings, today: NaiveDate) -> Vec<Fault> {
    let mut warnings = Vec::new();
    for AgreementFile { file, agreement } in &settings.agreements {
        let mut warn = |message: &str| warnings.push(Fault::in_file(file, None, message));
        if !is_known(settings, &agreement.principal) {
            warn("the principal is neither this node's actor nor an [[aktor]]");
        }
        if agreement.valid_to.is_some_and(|last| last < today) {
            warn("has ended");
        }
        if agreement.valid_from > today {
            warn("is not valid yet");
        }
    }
    warnings
}

/// An actor that no agreement lets do anything.
fn of_aktor(settings: &Settings, aktor: &Aktor, today: NaiveDate) -> Option<String> {
    if is_agreed_with(settings, aktor, today) {
        return None;
    }
    let number = &aktor.organisationsnummer;
    Some(match aktor.delivery {
        Delivery::Mailbox => format!("{number}: no agreement lets it ask today"),
        Delivery::Push => {
            format!("{number}: no agreement in force names it, so nothing is sent to its node")
        }
    })
}

/// What is seldom meant so outside development.
fn of_settings(settings: &Settings) -> Vec<(String, String)> {
    let listener = &settings.listener;
    let mut pushed = settings.aktorer.iter();
    let https = pushed.any(Aktor::is_pushed_to_over_https);
    let pm = settings.party(Uppgiftslamnare::PM);
    let shows_none = settings.next_node.certificate.is_none() && listener.tls.is_none();
    [
        (
            settings.node.status.len() > 1,
            "node.status",
            "both test and production are taken: a node for real messages takes one",
        ),
        (
            settings.process.dumpable && settings.node.status.contains(&Status::Production),
            "process.dumpable",
            "content of real messages can be read in this process's memory",
        ),
        (
            listener.keep_alive_ms > KEEP_ALIVE_MS_MAX,
            "listener.keep_alive_ms",
            "content may lie in the buffers of connections for longer than 2 s",
        ),
        (
            settings.ledger.folder.is_none(),
            "ledger",
            "no folder: asynchronous messages are refused",
        ),
        (
            listener.terminator.is_some() && listener.tls.is_none(),
            "listener.terminator",
            "the way from the terminator is without TLS: it may not leave this machine",
        ),
        (
            listener.tls.is_none() && listener.terminator.is_none(),
            "listener",
            "plain: whoever reaches it may send as any actor and read every mailbox",
        ),
        (
            https && shows_none,
            "next_node",
            "no certificate is shown to other nodes, and they demand one",
        ),
        (
            settings.ssbtek.lefi == Lefi::Unsplit && pm.is_some_and(|pm| pm.connected),
            "ssbtek.lefi",
            "unsplit: PM is connected and never asked, Försäkringskassan answers for it",
        ),
    ]
    .into_iter()
    .filter(|(is_so, ..)| *is_so)
    .map(|(_, path, message)| (path.to_owned(), message.to_owned()))
    .collect()
}

/// Parties that are connected with older versions of the contract only. Nothing is wrong with that; it
/// passes, and then the setting should too.
fn of_parties(file: &Path, settings: &Settings) -> Vec<Fault> {
    let Some(newest) = Kontrakt::all().last() else {
        return Vec::new();
    };
    let lags = |party: &&Party| party.connected && !party.kontrakt.contains(newest);
    let parties = settings.parties.iter().filter(lags);
    let warning = |party: &Party| {
        let message = format!(
            "without version {}: questions in it are asked in an older one",
            newest.version()
        );
        settings.register_fault_at(file, &format!("{}.kontrakt", party.kod), &message)
    };
    parties.map(warning).collect()
}

/// Whether the configuration knows an actor.
fn is_known(settings: &Settings, number: &Organisationsnummer) -> bool {
    let listed = settings
        .aktorer
        .iter()
        .map(|aktor| &aktor.organisationsnummer);
    let mut known = listed.chain([&settings.node.organisationsnummer]);
    known.any(|known| known == number.as_str())
}

/// Whether some agreement names an actor, or covers its SSBTEK question.
fn is_agreed_with(settings: &Settings, aktor: &Aktor, today: NaiveDate) -> bool {
    let number = &aktor.organisationsnummer;
    let named = settings
        .agreements
        .iter()
        .any(|AgreementFile { agreement, .. }| {
            let customer = agreement.customer.as_ref();
            let ended = agreement.valid_to.is_some_and(|last| last < today);
            let in_force = agreement.valid_from <= today && !ended;
            let is_customer = customer.is_some_and(|customer| customer.as_str() == number);
            in_force
                && (agreement.principal.as_str() == number
                    || (aktor.delivery == Delivery::Push && is_customer))
        });
    named || may_ask(settings, aktor, today)
}

/// Whether some agreement covers this actor's SSBTEK question, synchronous or not.
fn may_ask(settings: &Settings, aktor: &Aktor, today: NaiveDate) -> bool {
    let number = |text: &str| Organisationsnummer::parse(text).ok();
    let (Some(sender), Some(receiver)) = (
        number(&aktor.organisationsnummer),
        number(&settings.node.organisationsnummer),
    ) else {
        return false;
    };
    [TransferType::Synch, TransferType::Asynch]
        .into_iter()
        .any(|transfer_type| {
            let exchange = Exchange {
                sender: sender.clone(),
                receiver: receiver.clone(),
                produkt: settings.ssbtek.product,
                transfer_type,
                sequence_type: SequenceType::Request,
                today,
            };
            settings
                .agreements
                .iter()
                .any(|one| one.agreement.covers(&exchange).is_ok())
        })
}

#[cfg(test)]
mod tests {
    use shs_schemas::ssbtek::Versioner;

    use super::*;
    use crate::settings::ServiceUrl;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn warned(settings: &Settings, today: &str) -> Vec<String> {
        let warnings = of(Path::new("demo.toml"), settings, day(today));
        warnings.iter().map(ToString::to_string).collect()
    }

    /// The demo's settings as nobody needs to be warned of.
    fn settings() -> Settings {
        let mut settings = Settings::demo();
        settings.node.status.truncate(1);
        settings.ledger.folder = Some("ledger".into());
        let tls = "certificate='a'\nkey='b'\nclient_ca='c'";
        settings.listener.tls = Some(toml::from_str(tls).unwrap());
        settings
    }

    #[test]
    fn agreements_that_permit_nothing_and_actors_without_one_are_warned_of() {
        let mut settings = settings();
        assert!(warned(&settings, "2026-11-21").is_empty());
        settings.agreements[1].agreement.valid_to = Some(day("2026-11-20"));
        assert_eq!(
            warned(&settings, "2026-11-21"),
            [
                "agreements/exempelkoping-ssbtek.xml: has ended",
                "demo.toml: aktor[0]: 2120009994: no agreement lets it ask today",
            ]
        );
        assert!(warned(&settings, "2026-11-20").is_empty());
        settings.node.organisationsnummer = "2021009986".into();
        let warnings = warned(&settings, "2026-11-20");
        assert_eq!(warnings.len(), 4 + 2, "{warnings:?}");
    }

    #[test]
    fn an_actor_with_a_node_of_its_own_needs_an_agreement_that_names_it() {
        let mut settings = settings();
        let aktor = &mut settings.aktorer[1];
        aktor.delivery = Delivery::Push;
        aktor.address = Some(ServiceUrl::try_from("https://b.example/rs".to_owned()).unwrap());
        assert!(warned(&settings, "2026-11-21").is_empty());
        for agreement in &mut settings.agreements[2..] {
            agreement.agreement.valid_to = Some(day("2026-11-20"));
        }
        let warnings = warned(&settings, "2026-11-21");
        assert!(
            warnings[2].contains("nothing is sent to its node"),
            "{warnings:?}"
        );
        settings.listener.tls = None;
        let warnings = warned(&settings, "2026-11-20");
        assert!(
            warnings
                .iter()
                .any(|text| text.contains("no certificate is shown"))
        );
    }

    #[test]
    fn what_is_for_development_is_warned_of() {
        let mut settings = settings();
        let terminator = "addresses=['127.0.0.1']\nheader='X-Client-Cert'\nclient_ca='c'";
        settings.listener.tls = None;
        settings.listener.terminator = Some(toml::from_str(terminator).unwrap());
        assert_eq!(
            warned(&settings, "2026-11-21"),
            [
                "demo.toml: listener.terminator: the way from the terminator is without TLS: it may \
              not leave this machine"
            ]
        );
        settings.listener.terminator = None;
        settings.ledger.folder = None;
        settings.node.status = Settings::demo().node.status;
        let warnings = warned(&settings, "2026-11-21").join("\n");
        for part in ["node.status", "ledger: no folder", "listener: plain"] {
            assert!(warnings.contains(part), "{warnings}");
        }
    }

    #[test]
    fn what_nobody_is_asked_for_and_older_versions_are_warned_of() {
        let mut settings = settings();
        settings.ssbtek.lefi = Lefi::Unsplit;
        let pm = "demo.toml: ssbtek.lefi: unsplit: PM is connected and never asked, \
                  Försäkringskassan answers for it";
        assert_eq!(warned(&settings, "2026-11-21"), [pm]);
        for party in &mut settings.parties {
            match party.kod {
                Uppgiftslamnare::PM => party.connected = false,
                Uppgiftslamnare::SKV => party.kontrakt = only(Kontrakt::V10),
                Uppgiftslamnare::CSN => party.kontrakt = only(Kontrakt::V11),
                _ => {}
            }
        }
        let skv = "uppgiftslamnare.toml: SKV.kontrakt: without version 11: questions in it are \
                   asked in an older one";
        assert_eq!(warned(&settings, "2026-11-21"), [skv]);
        // Nobody asks it anyway.
        for party in &mut settings.parties {
            party.connected &= party.kod != Uppgiftslamnare::SKV;
        }
        assert!(warned(&settings, "2026-11-21").is_empty());
    }

    #[test]
    fn content_that_can_be_read_or_lies_about_is_warned_of() {
        let mut settings = settings();
        settings.node.status = vec![Status::Production];
        settings.process.dumpable = true;
        settings.listener.keep_alive_ms = 2_001;
        let warnings = warned(&settings, "2026-11-21");
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[0].contains("process.dumpable: content of real messages"));
        assert!(warnings[1].contains("listener.keep_alive_ms: content may lie"));
        settings.node.status = vec![Status::Test];
        settings.listener.keep_alive_ms = 2_000;
        assert!(warned(&settings, "2026-11-21").is_empty());
    }

    fn only(kontrakt: Kontrakt) -> Versioner {
        Versioner::of([kontrakt]).unwrap()
    }
}
