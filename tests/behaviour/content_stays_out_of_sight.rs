//! Nothing of questions and answers gets into the log at its most talkative, the metrics or the tree
//! (R-009; design 8). Every test of this binary writes to the same log.

use bytes::Bytes;
use samsvar::client::question::{self, Asker};
use samsvar_actors::transport::AnswerContent;
use shs_schemas::ssbtek::Kontrakt;
use shs_schemas::{Sensitive, Uppgiftslamnare};

use crate::log::{self, MARK, holds_content};
use crate::sandbox::{DEMO, Sandbox, Says, eventually};

/// A question with the mark in every field that takes text.
fn marked() -> shs_schemas::shs::Message {
    let asker = Asker {
        namn: format!("{MARK} kommun"),
        handlaggare: MARK.to_owned(),
        arendeidentitet: MARK.to_owned(),
        ..Asker::default()
    };
    let persons = [DEMO.to_owned(), "199503022387".to_owned()];
    let mut message = question::message(&asker, &persons, chrono::Utc::now()).unwrap();
    message.label.subject = Some(Sensitive::new(MARK.to_owned()));
    message.label.content.comment = Some(Sensitive::new(MARK.to_owned()));
    for part in &mut message.parts {
        part.filename = Some(Sensitive::new(format!("{MARK}.xml")));
        let text = String::from_utf8(part.data.expose().to_vec()).unwrap();
        let start = text.find("<ssbt:korrelationsid>").unwrap() + "<ssbt:korrelationsid>".len();
        let end = text.find("</ssbt:korrelationsid>").unwrap();
        let text = format!("{}{MARK}{}", &text[..start], &text[end..])
            .replace("Handläggning av", MARK)
            .replace("Förordning (2008:975)", MARK);
        part.data = Sensitive::new(Bytes::from(text));
    }
    message
}

fn svar(element: &str, content: &str) -> AnswerContent {
    let namespace = Kontrakt::V10.namespace();
    let text = format!("<ssbt:{element} xmlns:ssbt=\"{namespace}\">{content}</ssbt:{element}>");
    AnswerContent::Svar(Sensitive::new(Bytes::from(text)))
}

/// Every form of answer, right and wrong, with the mark wherever a text can stand.
fn answers(ul: Uppgiftslamnare) -> AnswerContent {
    match ul {
        Uppgiftslamnare::AF => {
            let extra = format!("<{MARK} b=\"{MARK}\">{MARK}</{MARK}></s:data>");
            let text = include_str!("../../shs-schemas/tests/corpus/spec/svar-af.xml")
                .replace("Klart", MARK)
                .replace("</s:data>", &extra);
            AnswerContent::Svar(Sensitive::new(Bytes::from(text)))
        }
        Uppgiftslamnare::CSN => AnswerContent::Fel {
            felkod: "-1005".to_owned(),
            felmeddelande: Sensitive::new(vec![MARK.to_owned()]),
        },
        Uppgiftslamnare::FK => svar("FK", &format!("<ssbt:data><{MARK}></ssbt:data>")),
        Uppgiftslamnare::MIV => svar(
            "MIV",
            &format!(
                "<ssbt:error><ssbt:kalla>BT</ssbt:kalla><ssbt:felkod>1</ssbt:felkod>\
                 <ssbt:felmeddelande>{MARK} {DEMO}</ssbt:felmeddelande></ssbt:error>"
            ),
        ),
        Uppgiftslamnare::PM => svar("FK", MARK),
        Uppgiftslamnare::SKV => {
            AnswerContent::Svar(Sensitive::new(Bytes::from_static(MARK.as_bytes())))
        }
        Uppgiftslamnare::SO => svar(MARK, ""),
        _ => AnswerContent::Fel {
            felkod: format!("{MARK} {DEMO}"),
            felmeddelande: Sensitive::new(vec![DEMO.to_owned()]),
        },
    }
}

async fn assert_nothing_is_seen(sandbox: &Sandbox) {
    for path in ["/metrics", "/api/v1/tree", "/health/ready", "/health/live"] {
        let text = sandbox.admin(path).await;
        assert!(!holds_content(text.as_bytes()), "{path} holds content");
    }
    assert!(log::lines() > 0, "there is a log");
    assert_eq!(log::leaks(), Vec::<String>::new());
}

#[tokio::test]
async fn of_questions_and_answers_right_and_wrong() {
    let builder = Uppgiftslamnare::all().fold(Sandbox::new(), |builder, ul| {
        builder.played_by(ul, Says(move |_: &_| Some(answers(ul))))
    });
    let sandbox = builder.start().await;
    let answered = sandbox.send(marked().write()).await.unwrap();
    let whole = answered.message.parts[0].data.expose();
    assert!(holds_content(whole), "the caller gets what was said");
    assert_nothing_is_seen(&sandbox).await;
}

#[tokio::test]
async fn of_messages_that_are_refused() {
    let sandbox = Sandbox::new().start().await;
    let whole = marked().write();
    let text = String::from_utf8(whole.to_vec()).unwrap();
    for (from, to) in [
        ("<subject>", "<subject>&mark;"),
        ("</shs.label>", "</shs.lebal>"),
        ("urn:X-shs:2120009994", MARK),
        ("synch", MARK),
        ("--\r\n", MARK),
        ("text/xml", MARK),
    ] {
        let broken = Bytes::from(text.replace(from, to));
        let Err(refused) = sandbox.send(broken).await else {
            continue;
        };
        assert!(!holds_content(refused.to_string().as_bytes()), "{from}");
    }
    let mut message = marked();
    message.parts[0].data = Sensitive::new(Bytes::from(format!("<{MARK}>{DEMO}</{MARK}>")));
    let refused = sandbox.send(message.write()).await.err().unwrap();
    assert!(!holds_content(refused.to_string().as_bytes()));
    assert_nothing_is_seen(&sandbox).await;
}

#[cfg(debug_assertions)]
#[tokio::test]
async fn of_what_an_actor_held_when_it_panicked() {
    let sandbox = Sandbox::new().start().await;
    for place in ["ingress", "aggregator", "egress", "dispatcher-CSN"] {
        sandbox.failpoints().arm(place, 1);
        let _ = sandbox.send(marked().write()).await;
        eventually("it has fallen", || sandbox.failpoints().left(place) == 0).await;
    }
    assert_nothing_is_seen(&sandbox).await;
}
