//! zeep, which knows the service from its WSDL alone, over TLS with a client certificate: it reads what
//! every authority says, in every version, by our WSDL and by the original one (ssbtek-10, 1 to 3).

use std::time::{Duration, Instant};

use samsvar_actors::transport::in_process::Reach;
use serde_json::{Value, json};
use shs_schemas::ssbtek::Kontrakt;
use shs_schemas::{Svarselement, Uppgiftslamnare};

use crate::pki::Pki;
use crate::read_by_zeep::{Answers, assert_same, json_in, lefi_json};
use crate::sandbox::{Gate, Sandbox, eventually};
use crate::soap::{self, files_of};
use crate::zeep::{Zeep, changed, connection_test, original_wsdl, question};

const CSN: Uppgiftslamnare = Uppgiftslamnare::CSN;
const TNS: Uppgiftslamnare = Uppgiftslamnare::TNS;

struct Scene {
    pki: Pki,
    answers: Answers,
    sandbox: Sandbox,
}

impl Scene {
    async fn open() -> Self {
        let (pki, answers) = (Pki::new(), Answers::default());
        let builder = Sandbox::new().with(|settings| pki.guard(settings));
        let sandbox = answers.of_all(builder).start().await;
        Self {
            pki,
            answers,
            sandbox,
        }
    }

    fn address(&self, kontrakt: Kontrakt) -> String {
        let port = self.sandbox.service().port();
        format!("https://localhost:{port}/ssbt/{}", kontrakt.version())
    }

    fn zeep(&self, wsdl: &str, kontrakt: Kontrakt) -> Option<Zeep> {
        let files = files_of(&self.pki, "exempelkoping");
        Zeep::load(wsdl, &self.address(kontrakt), Some(&files))
    }

    /// The whole conversation of one version with one description of it.
    fn converse(&self, kontrakt: Kontrakt, mut zeep: Zeep) {
        self.every_authority_is_read(kontrakt, &mut zeep);
        errors_are_read(&self.sandbox, kontrakt, &mut zeep);
        faults_are_read(kontrakt, &mut zeep);
        self.tests_are_read(&mut zeep);
    }

    fn every_authority_is_read(&self, kontrakt: Kontrakt, zeep: &mut Zeep) {
        let bitraden = json!([
            {"ordningsnummer": 1, "organisationsnummer": "165599991113", "namn": "Exempeldrift & Co"},
        ]);
        let asked = changed(
            question(kontrakt),
            &json!({"echo": true, "bitraden": bitraden}),
        );
        let svar = until(zeep, &asked, |svar| {
            let parts = svar["svarsdata"].as_object().unwrap();
            parts.values().all(|part| part["data"].is_object())
        });
        assert_eq!(svar["korrelationsid"], " prov 1 ");
        assert_eq!(svar["frageTidpunkt"], "2026-11-20T10:00:00");
        let echo = &svar["fraga"]["generellaFrageparametrar"];
        assert_eq!(echo["personuppgiftsbitrade"], bitraden);
        assert_eq!(echo["personidentitet"], "199503142383");
        let echo = &svar["fraga"]["specifikaFrageparametrar"];
        assert_eq!(echo["CSN"]["tidsperiod"]["fromDatum"], "2026-10-01");
        assert_eq!(echo["SKV"].get("fraga"), asked.get("skv"));
        assert_eq!(
            json_in(&echo["FK"]["fraga"]["lefiJsonFraga"]),
            asked["lefi"]
        );

        let data = |name: &str| &svar["svarsdata"][name]["data"];
        for ul in Uppgiftslamnare::all().filter(|ul| ul.element() != Svarselement::Fk) {
            assert_same(&self.answers.last(ul), data(ul.kod()));
        }
        let lefi = json_in(&data("FK")["lefiJsonSvar"]);
        let fk = lefi_json(&self.answers.last(Uppgiftslamnare::FK));
        let pm = lefi_json(&self.answers.last(Uppgiftslamnare::PM));
        assert!(fk["formansinformation"].is_object());
        assert_eq!(lefi["formansinformation"], fk["formansinformation"]);
        assert!(pm["utbetalningar"].is_array());
        assert_eq!(lefi["utbetalningar"], pm["utbetalningar"]);
        // What only version 11 can ask for has come through.
        let skv = data("SKV")["svar"].as_str().unwrap();
        assert_eq!(skv.contains(">2023<"), kontrakt.has_skv_fraga(), "{skv}");
    }

    fn tests_are_read(&self, zeep: &mut Zeep) {
        self.sandbox.set_reach(CSN, Reach::NoQueue);
        let svar = until(zeep, &connection_test(), |svar| {
            svar["CSN"]["error"].is_object()
        });
        self.sandbox.set_reach(CSN, Reach::Consuming);
        for element in Svarselement::IN_ORDER {
            let tested = &svar[element.local_name()];
            // Who could not be called was not called; why, is told all the same.
            let is_there = *element != Svarselement::Csn;
            assert_eq!(tested["anropad"], is_there, "{svar}");
            if *element == Svarselement::Csn {
                assert_eq!(tested["error"]["kalla"], "SSBT");
                assert_eq!(tested["error"]["felkod"], "SSBT-INGEN-KONTAKT");
            } else {
                assert_eq!(tested.get("error"), None, "{svar}");
            }
        }
    }
}

/// Calls until the answer is so: a dispatcher hears a moment later how its party can be reached.
fn until(zeep: &mut Zeep, call: &Value, enough: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let svar = zeep.svar(call);
        if enough(&svar) {
            return svar;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{svar}");
    }
}

/// One that the authority reports, and one that the node has found, beside data of the others.
fn errors_are_read(sandbox: &Sandbox, kontrakt: Kontrakt, zeep: &mut Zeep) {
    sandbox.set_reach(TNS, Reach::NoQueue);
    let long = json!({"arendeidentitet": "EB-2026-0047110047110047110047114"});
    let call = changed(question(kontrakt), &long);
    let svar = until(zeep, &call, |svar| {
        svar["svarsdata"]["TNS"]["error"].is_object()
    });
    sandbox.set_reach(TNS, Reach::Consuming);
    let parts = &svar["svarsdata"];
    for (name, kalla, felkod) in [
        ("CSN", "BT", "-1005"),
        ("TNS", "SSBT", "SSBT-INGEN-KONTAKT"),
    ] {
        let error = &parts[name]["error"];
        assert_eq!(error["kalla"], kalla, "{svar}");
        assert_eq!(error["felkod"], felkod);
        assert!(error["felmeddelande"][0].is_string());
        assert_eq!(parts[name].get("data"), None);
    }
    for name in ["AF", "FK", "SKV", "SO", "MIV"] {
        assert!(parts[name]["data"].is_object(), "{svar}");
    }
    // Who was not asked is not there.
    let svar = zeep.svar(&changed(question(kontrakt), &json!({"inkludera": ["AF"]})));
    let parts = svar["svarsdata"].as_object().unwrap();
    assert_eq!(parts.keys().collect::<Vec<_>>(), ["AF"]);
    // Nobody at all: an empty `svarsdata`, which zeep shows as nothing.
    let svar = zeep.svar(&changed(question(kontrakt), &json!({"inkludera": []})));
    let nothing = |parts: &Value| parts.as_object().is_none_or(serde_json::Map::is_empty);
    assert!(nothing(&svar["svarsdata"]), "{svar}");
}

fn faults_are_read(kontrakt: Kontrakt, zeep: &mut Zeep) {
    for (fields, felkod) in [
        (
            json!({"personidentitet": "199503142384"}),
            "SSBT-PERSONIDENTITET",
        ),
        (
            json!({"from": "2026-12-01", "tom": "2026-11-30"}),
            "SSBT-TIDSPERIOD",
        ),
        (
            json!({"perioder": {"AF": ["2026-11-02", "2026-11-01"]}}),
            "SSBT-TIDSPERIOD",
        ),
        (
            json!({"organisationsnummer": "162120009986"}),
            "SSBT-OBEHORIG",
        ),
    ] {
        let expected = (500, "soap:Client".to_owned(), felkod.to_owned());
        assert_eq!(zeep.fault(&changed(question(kontrakt), &fields)), expected);
    }
}

#[tokio::test]
async fn by_our_wsdl_in_every_version() {
    let scene = Scene::open().await;
    for kontrakt in Kontrakt::all() {
        let wsdl = format!("{}?wsdl", scene.address(kontrakt));
        let Some(zeep) = scene.zeep(&wsdl, kontrakt) else {
            return;
        };
        scene.converse(kontrakt, zeep);
    }
}

#[tokio::test]
async fn by_the_original_wsdl_in_every_version() {
    let scene = Scene::open().await;
    for kontrakt in Kontrakt::all() {
        let Some(wsdl) = original_wsdl(kontrakt) else {
            continue;
        };
        let Some(zeep) = scene.zeep(&wsdl, kontrakt) else {
            return;
        };
        scene.converse(kontrakt, zeep);
    }
}

#[tokio::test]
async fn and_is_told_that_there_is_too_much_to_do() {
    let gate = Gate::closed();
    let sandbox = Sandbox::new()
        .with(|settings| settings.load.open_requests_max = 1)
        .held_by(&gate)
        .start()
        .await;
    let address = format!("http://{}/ssbt/11", sandbox.service());
    let Some(mut zeep) = Zeep::load(&format!("{address}?wsdl"), &address, None) else {
        return;
    };
    let mut first = soap::Door::to(&sandbox).await;
    first
        .begin(Kontrakt::V11, &soap::question(Kontrakt::V11))
        .await;
    eventually("it is open", || sandbox.node().load().open() == 1).await;
    for call in [question(Kontrakt::V11), connection_test()] {
        let expected = (503, "soap:Server".to_owned(), "SSBT-OVERLAST".to_owned());
        assert_eq!(zeep.fault(&call), expected);
    }
    gate.open();
    assert_eq!(first.answer().await.status, 200);
    assert!(zeep.svar(&question(Kontrakt::V11))["svarsdata"]["MIV"]["data"].is_object());
}
