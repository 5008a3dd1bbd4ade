//! Whatever mix of persons, versions, parties and faults comes through either door: one reply, in time,
//! in which everything that was asked for stands once and nobody else was asked (R-002, R-003, R-005,
//! R-015; ssbtek-10, 3 to 6).
//!
//! `SAMSVAR_MIX_CASES` raises the number of cases. A case that fails is kept, with its seed, in
//! `any_mix_is_answered_once.proptest-regressions` beside this file, and tried first from then on.

mod authority;
mod oracle;
mod plan;
mod reply;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestError, TestRunner};
use samsvar_actors::avvikelse::Klass;
use samsvar_actors::deadline::DeadlineSettings;
use samsvar_actors::dispatcher::DispatcherSettings;
use samsvar_actors::failure::Failure;
use samsvar_actors::node::NodeSettings;
use samsvar_actors::reply::Outcome;
use samsvar_actors::tally::OutcomeClass;
use samsvar_actors::transport::Bastjanst;
use shs_schemas::Uppgiftslamnare;
use shs_schemas::shs::DataPart;
use shs_schemas::shs::label::SequenceType;
use shs_schemas::ssbtek::{
    Anslutning, Fordelning, Fraga, Kontrakt, LefiVag, SsbtFelkod, Svarselement,
};
use shs_schemas::xml::Limits;
use tokio::time::Instant;

use self::authority::{Authority, Log, Put};
use self::plan::{Door, LATE_MAX_MS, Party, Person, Plan, Says};
use crate::contract::Documents;
use crate::node_rig::{self, Rig};
use crate::questions::IMPOSSIBLE;
use crate::{ms, paused, settle};

/// Cases in the ordinary run.
const CASES: u32 = 300;

#[test]
fn any_mix_is_answered_once_in_time_and_with_everything_that_was_asked_for() {
    let cases = std::env::var("SAMSVAR_MIX_CASES").ok();
    let cases = cases.map_or(CASES, |cases| cases.parse().unwrap());
    let config = Config {
        source_file: Some(file!()),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource(
            "proptest-regressions",
        ))),
        max_shrink_iters: 2_000,
        ..Config::with_cases(cases)
    };
    let documents = RefCell::new(Documents::default());
    let outcome = TestRunner::new(config).run(&plan::plan(), |plan| {
        let plan = Arc::new(plan);
        let system = actix_rt::System::new();
        let replied = system.block_on(happens(&plan))?;
        documents.borrow_mut().extend(plan.kontrakt, replied);
        Ok(())
    });
    match outcome {
        Ok(()) => documents.into_inner().assert_valid(),
        Err(TestError::Fail(why, plan)) => panic!("{why}\nsmallest: {plan:#?}"),
        Err(abort) => panic!("{abort}"),
    }
}

type Checked<T> = Result<T, TestCaseError>;

macro_rules! ensure {
    ($held:expr, $($said:tt)+) => {
        if !$held {
            return Err(TestCaseError::fail(format!($($said)+)));
        }
    };
}
pub(crate) use ensure;

/// Lets the plan happen. Returns the documents of the reply.
async fn happens(plan: &Arc<Plan>) -> Checked<Vec<String>> {
    paused();
    let log = Log::default();
    let rig = Rig::start(settings(plan), services(plan, &log)).await;
    let started = Instant::now();
    let outcome = match plan.door {
        Door::Shs => rig.send(node_rig::message(parts(plan))),
        Door::Soap => rig.call(plan.persons[0].asked.document(plan.kontrakt).into()),
    };
    let outcome = outcome.await.unwrap();
    let (took, expected) = (started.elapsed(), oracle::took(plan));
    ensure!(
        took >= expected && took <= expected + ms(5) && took <= plan.stop() + ms(5),
        "took {took:?} and not {expected:?}"
    );
    check_asked(plan, &log.lock().unwrap(), started)?;
    let documents = documents_of(plan, outcome)?;
    for (person, document) in plan.persons.iter().zip(&documents) {
        reply::check(plan, person, document)?;
    }
    // Whatever is late comes now, and changes nothing.
    tokio::time::sleep(plan.stop() + Duration::from_millis(LATE_MAX_MS)).await;
    settle().await;
    check_counted(plan, &rig, log.lock().unwrap().len())?;
    Ok(documents)
}

fn parts(plan: &Plan) -> Vec<DataPart> {
    let persons = plan.persons.iter();
    persons
        .map(|person| person.asked.part(plan.kontrakt))
        .collect()
}

fn settings(plan: &Plan) -> NodeSettings {
    let mut settings = node_rig::settings(DeadlineSettings::default());
    let all = Uppgiftslamnare::all();
    let registered = all.clone().filter(|ul| plan.party(*ul) != Party::Unknown);
    settings.rules.fordelning = Fordelning::new(registered.map(|ul| {
        let kontrakt = plan.party(ul).versions();
        (ul, Anslutning { kontrakt })
    }));
    settings.rules.fordelning.lefi = plan.lefi;
    let connected = all.filter(|ul| plan.party(*ul).is_connected());
    settings.parties = connected
        .map(|ul| (ul, DispatcherSettings::default()))
        .collect();
    settings
}

fn services(plan: &Arc<Plan>, log: &Log) -> Vec<(Uppgiftslamnare, Arc<dyn Bastjanst>)> {
    let service = |ul| {
        let (plan, log) = (Arc::clone(plan), Arc::clone(log));
        let authority: Arc<dyn Bastjanst> = Arc::new(Authority { ul, plan, log });
        (ul, authority)
    };
    Uppgiftslamnare::all().map(service).collect()
}

/// Each addressed and connected party was asked once for each person, nobody else was, and all at once.
fn check_asked(plan: &Plan, log: &[Put], started: Instant) -> Checked<()> {
    for person in &plan.persons {
        for ul in Uppgiftslamnare::all() {
            let place = person.asked.place;
            let put = log.iter().filter(|put| put.ul == ul && put.place == place);
            let put: Vec<_> = put.collect();
            let expected = usize::from(oracle::is_asked(plan, person, ul));
            ensure!(put.len() == expected, "{ul} got {} for {place}", put.len());
            for put in put {
                ensure!(put.at <= started + ms(1), "{ul} was asked later");
                check_sub_question(plan, person, put)?;
            }
        }
    }
    Ok(())
}

/// The right person, the right version, and no other party in it.
fn check_sub_question(plan: &Plan, person: &Person, put: &Put) -> Checked<()> {
    let (ul, asked) = (put.ul, &person.asked);
    let text = std::str::from_utf8(&put.body).unwrap();
    let fraga = Fraga::read(put.body.clone(), &Limits::default());
    let fraga = fraga.map_err(|error| TestCaseError::fail(format!("{ul}: {error}")))?;
    let kontrakt = plan.party(ul).asked_in(plan.kontrakt);
    ensure!(fraga.kontrakt() == kontrakt, "{ul}: {}", fraga.kontrakt());
    let number = fraga.personidentitet().expose().as_str().to_owned();
    ensure!(number == asked.number, "{ul} was asked about {number}");
    for &element in Svarselement::IN_ORDER {
        let own = element == ul.element();
        ensure!(fraga.inkluderar(element) == own, "{ul}: {element:?}");
    }
    let others = text.matches(" inkludera=\"false\"/>").count();
    ensure!(others == Svarselement::IN_ORDER.len() - 1, "{ul}: {text}");
    ensure!(text.matches("ARENDE-").count() == 1, "{ul}: {text}");
    if ul.element() == Svarselement::Fk {
        let json = String::from_utf8(fraga.lefi_json().unwrap()).unwrap();
        let foreign = if ul == Uppgiftslamnare::FK {
            "\"PM:"
        } else {
            "\"FK:"
        };
        let split = plan.lefi == LefiVag::Delad;
        ensure!(!split || !json.contains(foreign), "{ul}: {json}");
    }
    Ok(())
}

/// The documents of the reply, one for each part of the question, in order, under its names.
fn documents_of(plan: &Plan, outcome: Outcome) -> Checked<Vec<String>> {
    if plan.door == Door::Soap {
        return called(plan, outcome);
    }
    let reply = node_rig::message_of(outcome);
    let question = node_rig::a_label();
    let sequence = reply.label.sequence_type;
    ensure!(sequence == SequenceType::Reply, "{sequence:?}");
    let same = reply.label.corr_id == question.corr_id && reply.label.tx_id == question.tx_id;
    ensure!(same, "it answers another message");
    let names = |part: &DataPart| {
        let filename = part.filename.as_ref().map(|name| name.expose().clone());
        (part.datapart_type.clone(), filename)
    };
    let given: Vec<_> = reply.parts.iter().map(names).collect();
    let asked: Vec<_> = parts(plan).iter().map(names).collect();
    ensure!(given == asked, "{given:?} and not {asked:?}");
    let text = |part: &DataPart| String::from_utf8(part.data.expose().to_vec()).unwrap();
    Ok(reply.parts.iter().map(text).collect())
}

fn called(plan: &Plan, outcome: Outcome) -> Checked<Vec<String>> {
    let refused = plan.persons[0].asked.number == IMPOSSIBLE;
    match outcome {
        Outcome::Rejected(rejection) if refused => {
            let failure = rejection.failure;
            ensure!(failure == Failure::Personidentitet, "{failure:?}");
            Ok(Vec::new())
        }
        outcome if !refused => Ok(vec![node_rig::text_of(&outcome)]),
        outcome => Err(TestCaseError::fail(format!("{outcome:?}"))),
    }
}

/// One outcome, and every odd thing counted where it belongs.
fn check_counted(plan: &Plan, rig: &Rig, asked: usize) -> Checked<()> {
    let tally = rig.node.tally();
    let outcomes = OutcomeClass::ALL.map(|class| tally.outcome(class));
    ensure!(outcomes.iter().sum::<u64>() == 1, "{outcomes:?}");
    ensure!(rig.node.load().open() == 0, "it is still open");
    let mut put = 0;
    for ul in Uppgiftslamnare::all() {
        let persons = plan.persons.iter();
        let asked: Vec<_> = persons
            .filter(|person| oracle::is_asked(plan, person, ul))
            .collect();
        put += asked.len();
        for (klass, count) in tally.party(ul).avvikelser() {
            let Some(expected) = expected_avvikelser(plan, ul, klass, &asked) else {
                continue;
            };
            ensure!(count == expected, "{ul} {klass:?}: {count}, not {expected}");
        }
        for (felkod, count) in tally.party(ul).felkoder() {
            let expected = expected_felkoder(plan, ul, felkod);
            ensure!(
                count == expected,
                "{ul} {felkod:?}: {count}, not {expected}"
            );
        }
    }
    ensure!(asked == put, "{asked} questions in all, not {put}");
    Ok(())
}

/// How often something of this class is odd; none for what the agreement does not list, which the
/// samples say.
fn expected_avvikelser(
    plan: &Plan,
    ul: Uppgiftslamnare,
    klass: Klass,
    asked: &[&Person],
) -> Option<u64> {
    let behaviours = || asked.iter().map(|person| person.behaviours[ul.index()]);
    let in_time = || behaviours().filter(|behaviour| behaviour.delay < plan.stop());
    let late = || behaviours().filter(|behaviour| behaviour.delay > plan.stop());
    let standard = plan.kontrakt == Kontrakt::V10
        && plan.party(ul).asked_in(plan.kontrakt) == Kontrakt::V11
        && ul == Uppgiftslamnare::SKV;
    Some(match klass {
        Klass::OgiltigtSvar => {
            let usable = |says| {
                let reports = matches!(says, Says::Error(_) | Says::Fel(_));
                reports || matches!(says, Says::Data { .. } | Says::Nothing)
            };
            in_time()
                .filter(|behaviour| !usable(behaviour.says))
                .count() as u64
        }
        Klass::UpprepatSvar => in_time().map(|behaviour| behaviour.answers() / 2).sum(),
        Klass::SentSvar => late().map(plan::Behaviour::answers).sum(),
        Klass::OkantSvar | Klass::AndratSvar | Klass::LefiFelplacerad => 0,
        Klass::SkvStandard => asked.len() as u64 * u64::from(standard),
        Klass::OtillatetFalt => return None,
    })
}

fn expected_felkoder(plan: &Plan, ul: Uppgiftslamnare, felkod: SsbtFelkod) -> u64 {
    let persons = plan.persons.iter();
    let slots = persons.filter(|person| oracle::slots(plan, person).contains(&ul));
    slots
        .filter(|person| oracle::felkod(plan, person, ul) == Some(felkod))
        .count() as u64
}
