//! Parts of several megabytes, inline and in base64, come out of both doors as they went in. They are read
//! and compiled away from the actors (design 4.1), which shows only in that all of it ends well.

use samsvar_actors::deadline::DeadlineSettings;
use samsvar_actors::tally::OutcomeClass;
use shs_schemas::Uppgiftslamnare;
use shs_schemas::ssbtek::{Form, Kontrakt};

use crate::node_rig::{self, Rig};
use crate::questions::{Asked, Lefi};
use crate::services::{Services, first_data};
use crate::{answers, paused};

use Uppgiftslamnare as Ul;

/// Least size of a large part.
const BYTES: usize = 5 * 1024 * 1024;

/// Sveriges a-kassor with thousands of rows inline, CSN with as much in base64.
fn large(ul: Ul) -> String {
    let text = first_data(ul);
    let row_of = |name: &str| {
        let start = text.find(&format!("<{name}>")).unwrap();
        let end_tag = format!("</{name}>");
        let end = text[start..].find(&end_tag).unwrap() + start + end_tag.len();
        &text[start..end]
    };
    match ul {
        Ul::SO => {
            let row = row_of("Arbetsloshetsersattning");
            text.replace(row, &row.repeat(BYTES.div_ceil(row.len())))
        }
        Ul::CSN => answers::csn_with(&"Prov å ".repeat(BYTES / 9)),
        _ => text,
    }
}

/// Where the part stands in the reply: whole, and once.
fn assert_stands_in(document: &str, ul: Ul) {
    let sent = large(ul);
    let element = answers::element(&sent);
    assert!(document.contains(element), "{ul}: not as it was sent");
    let large = [Ul::SO, Ul::CSN].contains(&ul);
    assert!(!large || element.len() >= BYTES, "{ul}: {}", element.len());
}

async fn check(door: impl AsyncFnOnce(&Rig) -> String) {
    paused();
    let settings = node_rig::settings(DeadlineSettings::default());
    let rig = Rig::start(settings, Services::saying(large).all()).await;
    let document = door(&rig).await;
    assert!(document.len() > 2 * BYTES);
    for ul in Ul::all().filter(|ul| *ul != Ul::PM) {
        assert_stands_in(&document, ul);
    }
    assert!(!document.contains("<ssbt:error>"));
    assert_eq!(rig.node.tally().outcome(OutcomeClass::Answered), 1);
}

fn asked(form: Form) -> Asked {
    Asked {
        form,
        lefi: Lefi::FkOnly,
        ..Asked::all(1)
    }
}

#[actix::test]
async fn through_the_soap_door() {
    let document = asked(Form::Kuvert).document(Kontrakt::V10);
    check(async |rig| rig.called(document.into()).await).await;
}

#[actix::test]
async fn through_the_shs_door() {
    let body = node_rig::message(vec![asked(Form::Bar).part(Kontrakt::V10)]);
    check(async |rig| rig.reply_to(body).await.documents.remove(0)).await;
}
