//! What we write is valid: against our own DTDs, and against the original ones when they are at
//! hand. And ours judge like the originals, about right and wrong documents.

mod support;

use std::path::PathBuf;

use bytes::Bytes;
use shs_schemas::ErrorCode;
use shs_schemas::ids::{ContentId, LocalId, NodeId};
use shs_schemas::mime::Limits;
use shs_schemas::shs::management::AppInfo;
use shs_schemas::shs::{
    Actor, Administrative, Adress, KnownIds, Label, Management, Message, WriteOptions,
};

const LABEL: &str = "shs-label-1.2.dtd";
const MANAGEMENT: &str = "shs-management-1.2.dtd";
const AGREEMENT: &str = "shs-agreement-1.2.dtd";

fn ours(dtd: &str) -> PathBuf {
    support::here().join("schemas").join(dtd)
}

/// Our DTD, and the original when it is at hand.
fn both(dtd: &str) -> Vec<PathBuf> {
    let original = support::contract().map(|contract| contract.join("shs").join(dtd));
    [Some(ours(dtd)), original].into_iter().flatten().collect()
}

/// Every document that we write from the corpus: labels as they came, replies, errors; and what
/// goes with a refusal.
fn written() -> Vec<(String, Vec<u8>, &'static str)> {
    let address = Adress::parse("2021009994").expect("an address");
    let own = Actor::new(address, Some("Exempelkassan".to_owned()));
    let now = "2031-03-04T08:15:01Z".parse().expect("a time");
    let mut documents = Vec::new();
    for (name, bytes) in [support::corpus("spec"), support::corpus("legacy")].concat() {
        let message = Message::read(Bytes::from(bytes), None, &Limits::default())
            .expect("the corpus is readable");
        let label = message.label;
        let reply = label.reply(ContentId::fresh(), &own, now);
        let error = label.administrative(Administrative::Error, &own, now);
        let refusal = Management::refusal(
            &label.known_ids(),
            ErrorCode::MissingAgreement,
            "å <&>",
            now,
        );
        documents.push((name.clone(), label.write(), LABEL));
        documents.push((format!("{name}: reply"), reply.write(), LABEL));
        documents.push((format!("{name}: error"), error.write(), LABEL));
        documents.push((format!("{name}: refusal"), refusal.write(), MANAGEMENT));
        documents.push((
            format!("{name}: relayed"),
            relayed(&label, &own).write(),
            LABEL,
        ));
        for (kind, told) in told(&label, &own) {
            let document = told.parts[0].data.expose().to_vec();
            documents.push((format!("{name}: {kind}"), label_in(&told), LABEL));
            documents.push((format!("{name}: {kind} document"), document, MANAGEMENT));
        }
        for part in message.parts {
            let document = part.data.expose();
            if let Ok(read) = Management::read(document, None, &Limits::default()) {
                documents.push((format!("{name}: document"), read.write(), MANAGEMENT));
            }
        }
    }
    let nothing = KnownIds::default();
    let refusal = Management::refusal(&nothing, ErrorCode::OtherError, "", now);
    documents.push(("nothing known".to_owned(), refusal.write(), MANAGEMENT));
    documents
}

/// The label after a node has done everything to it that a node may do.
fn relayed(label: &Label, own: &Actor) -> Label {
    let mut label = label.clone();
    label.set_from_if_absent(own);
    label.address_to(own.address.clone(), None);
    label.fill_names(Some("Å <&> \"Namn\""), Some("https://a.example"), Some("'"));
    let node = NodeId::parse("nod-1").expect("an id");
    let now = "2031-03-04T08:15:01Z".parse().expect("a time");
    label.received(node, LocalId::parse("l-1").expect("an id"), now);
    label
}

/// What a node may tell about a message, as whole messages.
fn told(label: &Label, own: &Actor) -> [(&'static str, Message); 2] {
    let now = "2031-03-04T08:15:01Z".parse().expect("a time");
    let appinfo = ["txId", "", "två ord"].map(|name| AppInfo {
        name: name.to_owned(),
        text: format!("å <&> {name}\u{1}").into(),
    });
    let code = ErrorCode::MissingAgreement;
    let error = Message::error_about(label, own, code, "\"å\" <&>\n€", appinfo.into(), now);
    let confirmation = Message::confirmation_of(label, own, now);
    [("error message", error), ("confirmation", confirmation)]
}

/// The label of a message as it is sent.
fn label_in(message: &Message) -> Vec<u8> {
    let written = message.write_for(&WriteOptions::default());
    let body = written.body.expose();
    let start = memchr::memmem::find(body, b"<?xml ").expect("a label");
    body[start..written.label_end].to_vec()
}

#[test]
fn what_is_written_is_valid() {
    if !support::has_xmllint() {
        return;
    }
    let (label, management) = (both(LABEL), both(MANAGEMENT));
    for (name, document, kind) in written() {
        for dtd in if kind == LABEL { &label } else { &management } {
            let result = support::validate(&document, dtd);
            assert_eq!(result, Ok(()), "{name} against {}", dtd.display());
        }
    }
}

/// Documents to judge, right and wrong: each word in the list is put in the place of `{}`.
const JUDGED: [(&str, &str, &[&str]); 9] = [
    (
        LABEL,
        "<shs.label tx.id='a' corr.id='b' sequence-type='adm'>{}<product>p</product><datetime>d</datetime><content content.id='c'/></shs.label>",
        &[
            "",
            "<originator/>",
            "<from commonName='n'/>",
            "<from/>",
            "<originator name='n' labeledURI='l'/><from commonName='n' e-mail='e' labeledURI='l'/>",
            "<from commonName='n'/><originator/>",
            "<from commonName='n'/><to commonName='n'/><end-recipient name='n' labeledURI='l'/>",
            "<from commonName='n'/><end-recipient/><to/>",
            "<from commonName='n'/><to/><to/>",
        ],
    ),
    (
        LABEL,
        "<shs.label tx.id='a' corr.id='b' sequence-type='adm'><originator/>{}</shs.label>",
        &[
            "<product commonName='n' labeledURI='l'/><meta name='n'/><meta name='n'/><subject/><datetime/><content content.id='c'/><history node.id='n'><datetime/><comment/></history><history node.id='n' content.id='c' tx.id='t' from=' ' to=' ' local.id='l' shs.agreement='a'><datetime/></history>",
            "<product/><meta/><datetime/><content content.id='c'/>",
            "<product/><subject/><meta name='n'/><datetime/><content content.id='c'/>",
            "<product/><datetime/><content/>",
            "<product/><content content.id='c'/>",
            "<product/><datetime/><content content.id='c'/><history><datetime/></history>",
            "<product/><datetime/><content content.id='c'/><history node.id='n'/>",
            "<product/><datetime/>",
        ],
    ),
    (
        LABEL,
        "<shs.label tx.id='a' corr.id='b' sequence-type='adm'><originator/><product/><datetime/><content content.id='c'>{}</content></shs.label>",
        &[
            "<data datapartType=''/><data datapartType=' ' filename=' ' no-of-bytes='1' no-of-records='2'/><comment/>",
            "<compound no-of-parts='2'/><comment/>",
            "<compound/>",
            "<data/>",
            "<data datapartType='' no-of-bytes='1 2'/>",
            "<data datapartType=''/><compound no-of-parts='2'/>",
            "<data datapartType=''>x</data>",
            "<comment/><data datapartType=''/>",
        ],
    ),
    (
        LABEL,
        "<shs.label {}><originator/><product/><datetime/><content content.id='c'/></shs.label>",
        &[
            "version='1.2' tx.id='a' corr.id='b' shs.agreement='c' transfer-type='synch' message-type='compound' document-type='compound' sequence-type='event' status='test'",
            "tx.id='a' corr.id='b' sequence-type='request' transfer-type='asynch' status='production'",
            "tx.id='a' corr.id='b' sequence-type='reply' version='1.1'",
            "tx.id='a' corr.id='b'",
            "tx.id='a b' corr.id='b' sequence-type='reply'",
            "tx.id='a' sequence-type='reply'",
            "corr.id='b' sequence-type='reply'",
            "tx.id='a' corr.id='b' sequence-type='reply' status='prod'",
            "tx.id='a' corr.id='b' sequence-type='reply' transfer-type='any'",
            "tx.id='a' corr.id='b' sequence-type='reply' message-type='x'",
            "tx.id='a' corr.id='b' sequence-type='reply' extra='x'",
        ],
    ),
    (
        MANAGEMENT,
        "<shs.management corr.id='a' content.id='b'>{}</shs.management>",
        &[
            "<datetime/><confirmation/>",
            "<datetime/><confirmation><appinfo name='n'>x</appinfo><appinfo name='n'/></confirmation>",
            "<datetime/><error errorcode='e' errorinfo=' '><appinfo name='n'/></error>",
            "<datetime/>",
            "<confirmation/>",
            "<datetime/><error/>",
            "<datetime/><error errorcode='a b'/>",
            "<datetime/><confirmation/><error errorcode='e'/>",
            "<datetime/><confirmation><appinfo/></confirmation>",
        ],
    ),
    (
        MANAGEMENT,
        "<shs.management {}><datetime/><confirmation/></shs.management>",
        &[
            "version='1.2' corr.id='a' content.id='b'",
            "version='1.1' corr.id='a' content.id='b'",
            "corr.id='a'",
            "content.id='b'",
            "corr.id='a' content.id='b' tx.id='c'",
        ],
    ),
    (
        AGREEMENT,
        "<shs.agreement uuid='a' transfer-type='any'><shs>{}</shs><general><valid><valid-from date='d'/></valid><schedule><intervaltime/></schedule><QoS><open><when/></open></QoS></general></shs.agreement>",
        &[
            "<principal/><product/><direction flow='any'/>",
            "<principal commonName='n' labeledURI='l'/><product commonName='n' labeledURI='l'/><product/><customer commonName='n' labeledURI='l'/><direction flow='to-customer'><description/></direction><confirm/><billing currency='EUR'><per-volume price='1' unit='KB'/><description/></billing><error/>",
            "<principal/><product/><direction flow='from-customer'/><confirm required='no'/><billing required='no'><per-exchange price='1'/></billing>",
            "<principal/><product/><direction flow='any'/><billing><per-period price='1' unit='month'/></billing>",
            "<principal/><direction flow='any'/>",
            "<principal/><product/><direction flow='both'/>",
            "<principal/><product/><direction/>",
            "<principal/><product/><direction flow='any'/><customer/>",
            "<principal/><product/><direction flow='any'/><confirm required='ja'/>",
            "<principal/><product/><direction flow='any'/><billing/>",
            "<principal/><product/><direction flow='any'/><billing><per-volume price='1' unit='TB'/></billing>",
        ],
    ),
    (
        AGREEMENT,
        "<shs.agreement uuid='a' transfer-type='synch' contract=' '><shs><principal/><product/><direction flow='any'/></shs><general>{}</general></shs.agreement>",
        &[
            "<description/><valid><valid-from date='d'/><valid-to date='d'/></valid><schedule startdate='a' stopdate='b' timezone=' '><intervaltime day='1' hour='1' min='1'/><starttime/><stoptime/></schedule><QoS><open><when day='public-holiday' hours='extended'><description/></when><starttime/><stoptime/><starttime/><stoptime/><description/></open><volume per-transfer='1' unit='MB'><average number-per='1' period='year'/><peak number-per='1' period='sec'/><description/></volume><frequency><average number-per='1' period='week'/></frequency><response within='1' unit='min'><request><not-before><week-time day='Wen' time='t'/></not-before><not-after><week-time/></not-after></request><reply><not-before><week-time day='holiday'/></not-before></reply><description/></response><description/></QoS>",
            "<valid><valid-from/></valid><schedule><intervaltime/></schedule><QoS><open><when/></open></QoS>",
            "<valid><valid-to date='d'/></valid><schedule><intervaltime/></schedule><QoS><open><when/></open></QoS>",
            "<valid><valid-from date='d'/></valid><QoS><open><when/></open></QoS>",
            "<valid><valid-from date='d'/></valid><schedule><intervaltime/><stoptime/></schedule><QoS><open><when/></open></QoS>",
            "<valid><valid-from date='d'/></valid><schedule><intervaltime/></schedule><QoS><open><when/><starttime/></open></QoS>",
            "<valid><valid-from date='d'/></valid><schedule><intervaltime/></schedule><QoS><open><when day='Mon'/></open></QoS>",
            "<valid><valid-from date='d'/></valid><schedule><intervaltime/></schedule><QoS><open><when/></open><volume per-transfer='1'><average number-per='1' period='day'/></volume></QoS>",
            "<valid><valid-from date='d'/></valid><schedule><intervaltime/></schedule><QoS><open><when/></open><response within='1' unit='day'><reply><not-before><week-time/></not-before></reply></response></QoS>",
            "<valid><valid-from date='d'/></valid><schedule><intervaltime/></schedule><QoS><open><when/></open><response within='1' unit='day'><request><not-before><week-time day='Wed'/></not-before></request></response></QoS>",
        ],
    ),
    (
        AGREEMENT,
        "<shs.agreement {}><shs><principal/><product/><direction flow='any'/></shs><general><valid><valid-from date='d'/></valid><schedule><intervaltime/></schedule><QoS><open><when/></open></QoS></general></shs.agreement>",
        &[
            "version='1.2' uuid='a' transfer-type='asynch'",
            "version='1.3' uuid='a' transfer-type='asynch'",
            "uuid='a'",
            "transfer-type='asynch'",
            "uuid='a' transfer-type='both'",
        ],
    ),
];

#[test]
fn our_dtds_judge_like_the_originals() {
    let Some(contract) = support::contract() else {
        return;
    };
    if !support::has_xmllint() {
        return;
    }
    let mut verdicts = [0, 0];
    for (dtd, frame, words) in JUDGED {
        let original = contract.join("shs").join(dtd);
        for word in words {
            let document = frame.replace("{}", word);
            let our = support::validate(document.as_bytes(), &ours(dtd)).is_ok();
            let theirs = support::validate(document.as_bytes(), &original).is_ok();
            assert_eq!(our, theirs, "{document}");
            verdicts[usize::from(our)] += 1;
        }
    }
    // The list must hold both kinds, or the comparison says nothing.
    assert!(verdicts[0] > 30 && verdicts[1] > 15, "{verdicts:?}");
}
