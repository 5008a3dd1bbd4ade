//! What an authority delivered is what leaves the node, bit for bit; what is not, or must not be given
//! out, is withheld and noted, and costs its own part only (R-015, R-231, R-232; ssbtek-10, 3 and 4.0).

use samsvar_actors::avvikelse::Klass;
use samsvar_actors::deadline::DeadlineSettings;
use samsvar_actors::parter::{Parter, Partvillkor};
use samsvar_actors::tally::OutcomeClass;
use serde_json::Value;
use shs_schemas::Uppgiftslamnare;
use shs_schemas::ssbtek::{Form, Kontrakt, Svarselement};
use tracing::Level;

use crate::node_rig::{self, Rig};
use crate::questions::{Asked, Lefi, PERSONS};
use crate::services::{Services, first_data};
use crate::{answers, base64, logged, paused};

use Uppgiftslamnare as Ul;

/// A question to everybody in one element each, through the SOAP door.
fn question() -> Asked {
    Asked {
        form: Form::Kuvert,
        lefi: Lefi::FkOnly,
        ..Asked::all(1)
    }
}

async fn asked(rig: &Rig, asked: &Asked) -> String {
    rig.called(asked.document(Kontrakt::V10).into()).await
}

/// What stands in `svarsdata` for one element, from its first byte to its last, when it begins and ends so.
fn svarsdata(document: &str) -> &str {
    let (_, rest) = document.split_once("<ssbt:svarsdata>").unwrap();
    rest.split_once("</ssbt:svarsdata>").unwrap().0
}

/// Who of those that are asked answers in an element of its own.
fn parties() -> impl Iterator<Item = Ul> {
    let order = Svarselement::IN_ORDER.iter();
    order.map(|element| Ul::all().find(|ul| ul.element() == *element).unwrap())
}

/// `svarsdata` as it must be when these parties' parts were withheld with this felkod.
fn expected(withheld: &[Ul], felkod: &str, of: impl Fn(Ul) -> String) -> Vec<String> {
    parties()
        .map(|ul| {
            if withheld.contains(&ul) {
                let name = ul.element().local_name();
                format!(
                    "<ssbt:{name}><ssbt:error><ssbt:kalla>SSBT</ssbt:kalla><ssbt:felkod>{felkod}\
                     </ssbt:felkod><ssbt:felmeddelande>"
                )
            } else {
                answers::element(&of(ul)).to_owned()
            }
        })
        .collect()
}

/// Holds `svarsdata` against these beginnings; an error of ours goes on with its text and its end tags.
fn assert_parts(document: &str, parts: &[String]) {
    let mut rest = svarsdata(document);
    for part in parts {
        let Some(after) = rest.strip_prefix(part.as_str()) else {
            panic!("{rest} and not {part}")
        };
        rest = after;
        if part.ends_with("<ssbt:felmeddelande>") {
            let (text, after) = rest.split_once('<').unwrap();
            assert!(!text.is_empty() && !text.contains(PERSONS[0]));
            let after = after.strip_prefix("/ssbt:felmeddelande></ssbt:error>");
            rest = after.unwrap().split_once('>').unwrap().1;
        }
    }
    assert_eq!(rest, "");
}

fn avvikelser(rig: &Rig, ul: Ul, klass: Klass) -> u64 {
    let party = rig.node.tally().party(ul);
    party
        .avvikelser()
        .find(|(of, _)| *of == klass)
        .map_or(0, |(_, count)| count)
}

async fn rig() -> Rig {
    let settings = node_rig::settings(DeadlineSettings::default());
    Rig::start(settings, Services::with_data().all()).await
}

#[actix::test]
async fn nothing_is_changed_on_the_way() {
    paused();
    logged::listen();
    let rig = rig().await;
    let document = asked(&rig, &question()).await;
    assert_parts(&document, &expected(&[], "", first_data));
    assert!(Ul::all().all(|ul| avvikelser(&rig, ul, Klass::AndratSvar) == 0));
    let lines = logged::lines();
    assert!(!lines.iter().any(|(_, line)| line.contains("security")));
}

#[actix::test]
async fn one_bit_that_flips_within_the_node_costs_that_part_and_no_other() {
    paused();
    for ul in parties() {
        logged::listen();
        let rig = rig().await;
        rig.node.failpoints().arm(&format!("passage-{ul}"), 1);
        let document = asked(&rig, &question()).await;
        let parts = expected(&[ul], "SSBT-INTERNT-FEL", first_data);
        assert_parts(&document, &parts);
        for party in Ul::all() {
            let expected = u64::from(party == ul);
            assert_eq!(avvikelser(&rig, party, Klass::AndratSvar), expected);
        }
        let lines = logged::lines();
        let security: Vec<_> = lines
            .iter()
            .filter(|(_, line)| line.contains("security=true"))
            .collect();
        let [(level, line)] = security.as_slice() else {
            panic!("one line: {lines:?}")
        };
        assert_eq!(*level, Level::ERROR);
        assert!(line.contains("avvikelse=\"andrat_svar\""), "{line}");
        assert!(
            line.contains(&format!("bastjanst=\"{}\"", ul.kod())),
            "{line}"
        );
        // The next answer of the same party is whole again.
        let document = asked(&rig, &question()).await;
        assert_parts(&document, &expected(&[], "", first_data));
    }
}

#[actix::test]
async fn the_same_at_the_shs_door_for_one_of_two_persons() {
    paused();
    let rig = rig().await;
    rig.node.failpoints().arm("passage-SO", 1);
    let [first, second] = [1, 2].map(|place| Asked {
        lefi: Lefi::FkOnly,
        ..Asked::all(place)
    });
    let parts = vec![first.part(Kontrakt::V10), second.part(Kontrakt::V10)];
    let reply = rig.reply_to(node_rig::message(parts)).await;
    let changed = expected(&[Ul::SO], "SSBT-INTERNT-FEL", first_data);
    assert_parts(&reply.documents[0], &changed);
    assert_parts(&reply.documents[1], &expected(&[], "", first_data));
    assert_eq!(avvikelser(&rig, Ul::SO, Klass::AndratSvar), 1);
    assert_eq!(rig.node.tally().outcome(OutcomeClass::Failed), 0);
}

#[actix::test]
async fn a_bit_of_pensionsmyndigheten_costs_its_share_of_the_common_answer() {
    paused();
    let rig = rig().await;
    rig.node.failpoints().arm("passage-PM", 1);
    let both = Asked {
        lefi: Lefi::Both,
        ..question()
    };
    let document = asked(&rig, &both).await;
    let (_, content) = document.split_once("<ssbt:lefiJsonSvar>").unwrap();
    let (content, _) = content.split_once('<').unwrap();
    let json: Value = serde_json::from_slice(&base64::decode(content)).unwrap();
    let state = |place: usize| json["utlamnare"][place]["tillstand"]["kod"].as_str();
    assert_eq!((state(0), state(1)), (Some("OK"), Some("FELANDE")));
    assert!(json["formansinformation"].is_object() && json.get("beslut").is_none());
    assert_eq!(avvikelser(&rig, Ul::PM, Klass::AndratSvar), 1);
    assert_eq!(avvikelser(&rig, Ul::FK, Klass::AndratSvar), 0);
}

/// Transportstyrelsen and Migrationsverket give out more than the agreement lists.
fn with_surplus(ul: Ul) -> String {
    let surplus = [Ul::TNS, Ul::MIV].contains(&ul);
    answers::data(ul, Kontrakt::V10, 1, PERSONS[0], surplus)
}

async fn rig_with_surplus(parter: Parter) -> Rig {
    logged::listen();
    let mut settings = node_rig::settings(DeadlineSettings::default());
    settings.rules.parter = parter;
    Rig::start(settings, Services::saying(with_surplus).all()).await
}

/// The lines about fields of this party that the agreement does not list.
fn lines_about(lines: &[(Level, String)], ul: Ul) -> Vec<&str> {
    let party = format!("bastjanst=\"{}\"", ul.kod());
    let about = lines
        .iter()
        .map(|(_, line)| line.as_str())
        .filter(|line| line.contains("avvikelse=\"otillatet_falt\"") && line.contains(&party));
    about.collect()
}

#[actix::test]
async fn a_field_that_the_agreement_does_not_list_is_noted_and_forwarded_as_it_is() {
    paused();
    let rig = rig_with_surplus(Parter::default()).await;
    let document = asked(&rig, &question()).await;
    assert_parts(&document, &expected(&[], "", with_surplus));
    let lines = logged::lines();
    for ul in [Ul::TNS, Ul::MIV] {
        assert!(avvikelser(&rig, ul, Klass::OtillatetFalt) > 0, "{ul}");
        let about = lines_about(&lines, ul);
        assert!(!about.is_empty(), "{ul}: {lines:?}");
        for line in about {
            assert!(line.contains("withheld=false"), "{line}");
            assert!(!line.contains(PERSONS[0]), "{line}");
        }
    }
}

#[actix::test]
async fn where_the_register_says_so_such_an_answer_is_withheld() {
    paused();
    for ul in [Ul::TNS, Ul::MIV] {
        let withheld = Partvillkor {
            withhold: true,
            ..Partvillkor::default()
        };
        let rig = rig_with_surplus(Parter::new([(ul, withheld)])).await;
        let document = asked(&rig, &question()).await;
        let parts = expected(&[ul], "SSBT-OTILLATET-FALT", with_surplus);
        assert_parts(&document, &parts);
        let lines = logged::lines();
        let about = lines_about(&lines, ul);
        assert!(!about.is_empty(), "{ul}: {lines:?}");
        assert!(about.iter().all(|line| line.contains("withheld=true")));
        let other = if ul == Ul::TNS { Ul::MIV } else { Ul::TNS };
        let about = lines_about(&lines, other);
        assert!(about.iter().all(|line| line.contains("withheld=false")));
    }
}

#[actix::test]
async fn an_answer_that_keeps_to_the_agreement_is_not_withheld() {
    paused();
    let mut settings = node_rig::settings(DeadlineSettings::default());
    let withhold = Partvillkor {
        withhold: true,
        ..Partvillkor::default()
    };
    settings.rules.parter = Parter::new(Ul::all().map(|ul| (ul, withhold)));
    let kept = |ul| {
        let text = first_data(ul);
        // The sample names the person, which the agreement does not list.
        let number = format!("<personnummer>{}</personnummer>", PERSONS[0]);
        text.replace(&number, "")
    };
    let rig = Rig::start(settings, Services::saying(kept).all()).await;
    let document = asked(&rig, &question()).await;
    assert_parts(&document, &expected(&[], "", kept));
    assert!(Ul::all().all(|ul| avvikelser(&rig, ul, Klass::OtillatetFalt) == 0));
}
