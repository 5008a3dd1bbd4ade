use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::*;
use crate::error::{Fault, WireError};
use crate::error_code::ErrorCode;
use crate::mime::Limits;
use crate::shs::fault::ReadError;
use crate::shs::time;

const QUESTION: &str = r#"<?xml version="1.0" encoding="ISO-8859-1"?>
<!DOCTYPE shs.label SYSTEM "shs-label-1.2.dtd">
<shs.label version="1.2" tx.id="7b9d1c52-6f0e-4d3a-9a41-2f6c0e8b1a01" corr.id="7b9d1c52-6f0e-4d3a-9a41-2f6c0e8b1a01" shs.agreement="9e2d4b60-7a31-4c8e-b5f0-1a2b3c4d5e6f" transfer-type="synch" message-type="simple" document-type="simple" sequence-type="request" status="test">
  <originator name="Handl&#228;ggarst&#246;d">urn:X-shs:0000000001.handlaggning</originator>
  <from commonName="Fiktivkontoret" e-mail="drift@fiktivkontoret.example">urn:X-shs:0000000001</from>
  <to commonName="Provmyndigheten">urn:X-shs:0000000002.ekonomi</to>
  <product commonName="Provfr&#229;ga">urn:X-shs:5a1e0000-1111-4222-8333-444455556666</product>
  <meta name="period">2031-02</meta>
  <meta name="typ">m&#229;nad</meta>
  <subject>Fr&#229;ga 17</subject>
  <datetime>2031-03-04T09:15:00</datetime>
  <content content.id="7b9d1c52-6f0e-4d3a-9a41-2f6c0e8b1a02">
    <data datapartType="fraga" filename="fraga.xml" no-of-bytes="34" no-of-records="1"/>
    <comment>K&#246;rning 1</comment>
  </content>
  <history node.id="nod-1" content.id="c" tx.id="t" from="urn:X-shs:0000000001" to="0000000002" local.id="l" shs.agreement="a">
    <datetime>2031-03-04T09:15:01</datetime>
    <comment>Received</comment>
  </history>
</shs.label>"#;

fn read(text: &str) -> Result<Label, ReadError> {
    Label::read(text.as_bytes(), None, &Limits::default())
}

fn question() -> Label {
    read(QUESTION).unwrap()
}

/// The question with one replacement.
fn with(from: &str, to: &str) -> String {
    assert!(QUESTION.contains(from), "{from}");
    QUESTION.replacen(from, to, 1)
}

fn refusal(from: &str, to: &str) -> (ErrorCode, WireError) {
    let error = read(&with(from, to)).unwrap_err();
    (error.code, error.fault)
}

fn own() -> Actor {
    let address = Adress::parse("0000000002").unwrap();
    Actor::new(address, Some("Provmyndigheten".to_owned()))
}

fn now() -> DateTime<Utc> {
    "2031-03-04T08:15:01.25Z".parse().unwrap()
}

fn written(label: &Label) -> String {
    String::from_utf8(label.write()).unwrap()
}

#[test]
fn every_element_and_attribute_is_read_and_written_back() {
    let label = question();
    assert_eq!(
        label.agreement.as_ref().unwrap().as_str(),
        "9e2d4b60-7a31-4c8e-b5f0-1a2b3c4d5e6f"
    );
    assert_eq!(label.subject.as_ref().unwrap().expose(), "Fråga 17");
    assert_eq!(label.history.len(), 1);
    assert_eq!(written(&label), QUESTION);
}

#[test]
fn the_start_tag_has_an_ordinary_space_and_all_is_ascii() {
    let text = written(&question());
    assert!(text.contains("<shs.label version"));
    assert!(text.is_ascii() && text.ends_with("</shs.label>"));
}

#[test]
fn defaults_are_applied_and_lenient_forms_accepted() {
    let label = read(
        "<shs.label tx.id=' t ' corr.id='\nc' sequence-type=' request '><unknown><a/></unknown>\
         <from> urn:x-SHS:0000000001 </from><originator>anna</originator>\
         <product>5A1E0000-1111-4222-8333-444455556666</product>\
         <content content.id='x' extra='1'/><datetime>2031-03-04</datetime></shs.label>",
    )
    .unwrap();
    assert_eq!(label.tx_id.as_str(), "t");
    assert_eq!(label.transfer_type, TransferType::Asynch);
    assert_eq!(label.status, Status::Production);
    assert_eq!(label.message_type, MessageType::Simple);
    assert_eq!(label.to, None);
    assert_eq!(label.from.as_ref().unwrap().common_name, None);
    let text = written(&label);
    assert!(text.contains("<from commonName=\"0000000001\">urn:X-shs:0000000001</from>"));
    assert!(text.find("<originator").unwrap() < text.find("<from").unwrap());
    assert!(text.contains("<product>urn:X-shs:5a1e0000-1111-4222-8333-444455556666</product>"));
}

#[test]
fn version_1_1_is_read() {
    let old = with("version=\"1.2\"", "version=\"1.1\"")
        .replace("message-type=\"simple\" document-type", "document-type")
        .replace("content content.id=", "content uuid=")
        .replace("datapartType=\"fraga\" ", "");
    let label = read(&old).unwrap();
    assert_eq!(
        label.content.id.as_str(),
        "7b9d1c52-6f0e-4d3a-9a41-2f6c0e8b1a02"
    );
    assert_eq!(label.content.data[0].datapart_type, "");
    assert!(written(&label).contains("version=\"1.2\""));
    let compound = old.replace("document-type=\"simple\"", "document-type=\"compound\"");
    assert_eq!(read(&compound).unwrap().message_type, MessageType::Compound);
}

#[test]
fn raw_latin_1_and_utf_8_are_read_by_what_the_bytes_are() {
    let raw = with("Fr&#229;ga 17", "Fråga 17");
    let latin1: Vec<u8> = raw.chars().map(|c| u8::try_from(c).unwrap()).collect();
    for (bytes, charset) in [
        (latin1.clone(), None),
        (latin1, Some("UTF-8")),
        (raw.into_bytes(), Some("utf-8")),
    ] {
        let label = Label::read(&bytes, charset, &Limits::default()).unwrap();
        assert_eq!(label.subject.unwrap().expose(), "Fråga 17");
    }
}

#[test]
fn each_fault_has_its_code() {
    use ErrorCode::{IllegalMessageStructure, IllegalProductType, IllegalReceiver, IllegalSender};
    let cases = [
        (
            "urn:X-shs:0000000001<",
            "urn:X-shs:kontoret<",
            IllegalSender,
            "from",
        ),
        ("<to ", "<from>0000000001</from><to ", IllegalSender, "from"),
        (
            "urn:X-shs:0000000002.ekonomi",
            "urn:X-shs:",
            IllegalReceiver,
            "to",
        ),
        (
            "<product ",
            "<to>0000000003</to><product ",
            IllegalReceiver,
            "to",
        ),
        (
            "urn:X-shs:5a1e0000-1111-",
            "urn:X-shs:5a1e0000-1111 ",
            IllegalProductType,
            "product",
        ),
        (
            "<product ",
            "<produkt ",
            IllegalMessageStructure,
            "shs.label",
        ),
        (
            "\"request\"",
            "\"question\"",
            IllegalMessageStructure,
            "sequence-type",
        ),
        (
            "sequence-type=\"request\"",
            "",
            IllegalMessageStructure,
            "sequence-type",
        ),
        (
            "\"synch\"",
            "\"SYNCH\"",
            IllegalMessageStructure,
            "transfer-type",
        ),
        ("\"test\"", "\"\"", IllegalMessageStructure, "status"),
        (
            "version=\"1.2\"",
            "version=\"2.0\"",
            IllegalMessageStructure,
            "version",
        ),
        (
            "tx.id=\"7b9d1c52-",
            "tx.id=\"7b9d1c52 ",
            IllegalMessageStructure,
            "tx.id",
        ),
        ("corr.id=", "corr.ld=", IllegalMessageStructure, "corr.id"),
        (
            "content.id=\"7",
            "content.id=\"/",
            IllegalMessageStructure,
            "content.id",
        ),
        (
            "2031-03-04T09:15:00",
            "i morgon",
            IllegalMessageStructure,
            "datetime",
        ),
        ("</shs.label>", "", IllegalMessageStructure, "shs.label"),
        (
            "shs-label-1.2.dtd\"",
            "x\" [<!ENTITY a 'b'>]",
            IllegalMessageStructure,
            "shs.label",
        ),
    ];
    for (from, to, code, element) in cases {
        let (found, fault) = refusal(from, to);
        assert_eq!((found, fault.element), (code, element), "{from} -> {to}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let without = |element: &str| {
        let start = QUESTION.find(&format!("  <{element}")).unwrap();
        let end = QUESTION[start..].find(&format!("</{element}>\n")).unwrap();
        let text = [
            &QUESTION[..start],
            &QUESTION[start + end + element.len() + 4..],
        ]
        .concat();
        read(&text).map_err(|error| (error.code, error.fault.element))
    };
    let structure = ErrorCode::IllegalMessageStructure;
    assert_eq!(
        without("product"),
        Err((ErrorCode::IllegalProductType, "product"))
    );
    assert_eq!(without("datetime"), Err((structure, "datetime")));
    assert_eq!(without("content"), Err((structure, "content")));
    assert!(without("to").unwrap().to.is_none());
    assert!(without("from").unwrap().from.is_none());
    let nobody = "<shs.label tx.id='t' corr.id='c' sequence-type='event'/>";
    assert_eq!(read(nobody).unwrap_err().code, ErrorCode::IllegalSender);
}

#[test]
fn a_refusal_names_the_identifiers_that_stand_further_on() {
    let error = read(&with("urn:X-shs:0000000001<", "x<")).unwrap_err();
    assert_eq!(error.code, ErrorCode::IllegalSender);
    assert_eq!(error.known, question().known_ids());
    let cut = &QUESTION[..QUESTION.find("<product").unwrap()];
    let known = read(cut).unwrap_err().known;
    assert_eq!(known.tx_id, Some(question().tx_id));
    assert_eq!(known.content_id, None);
}

#[test]
fn a_label_has_a_longest_length() {
    let limits = Limits {
        label_bytes_max: 100,
        ..Limits::default()
    };
    let error = Label::read(QUESTION.as_bytes(), None, &limits).unwrap_err();
    assert_eq!(error.fault.fault, Fault::Limit("label_bytes_max", 100));
    let long = with("Fr&#229;ga 17", &"x".repeat(64 * 1024));
    assert!(read(&long).is_ok());
}

#[test]
fn a_label_cut_short_at_any_byte_is_an_error() {
    for end in 0..QUESTION.len() {
        assert!(read(&QUESTION[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn texts_about_people_never_show_in_debug() {
    let shown = format!("{:?}", question());
    for text in [
        "Handl",
        "handlaggning",
        "Fråga",
        "2031-02",
        "nad",
        "drift@",
        "fraga.xml",
    ] {
        assert!(!shown.contains(text), "{text}");
    }
}

#[test]
fn a_long_label_is_written_without_line_breaks_to_fit() {
    let mut label = question();
    for length in 0.. {
        label.subject = Some(Sensitive::new("x".repeat(length)));
        let text = label.write();
        if text.len() > LABEL_BYTES_SAFE {
            break;
        }
        let readable = written(&label).contains("\n  <");
        assert!(readable || text.len() + 100 > LABEL_BYTES_SAFE - 100);
    }
}

#[test]
fn a_synchronous_reply_swaps_parties_and_keeps_the_conversation() {
    let request = question();
    let reply = request.reply(ContentId::parse("c-2").unwrap(), &own(), now());
    insta::assert_snapshot!("reply", written(&reply));
    assert_eq!(reply.tx_id, request.tx_id);
}

#[test]
fn an_asynchronous_reply_is_a_transfer_of_its_own() {
    let request = read(&with("\"synch\"", "\"asynch\"")).unwrap();
    let reply = request.reply(ContentId::fresh(), &own(), now());
    assert_ne!(reply.tx_id, request.tx_id);
    assert_eq!(reply.corr_id, request.corr_id);
}

#[test]
fn the_node_signs_when_nobody_was_addressed_and_lends_its_name() {
    let mut request = question();
    request.to = None;
    let from = |request: &Label| {
        request
            .reply(ContentId::fresh(), &own(), now())
            .from
            .unwrap()
    };
    assert_eq!(from(&request), own());
    let address = Adress::parse("0000000002.x").unwrap();
    request.to = Some(Actor::new(address.clone(), None));
    assert_eq!(from(&request), Actor::new(address, own().common_name));
}

#[test]
fn an_error_is_about_the_content_it_refuses() {
    let request = read(&with("\"synch\"", "\"asynch\"")).unwrap();
    let error = request.administrative(Administrative::Error, &own(), now());
    assert_eq!(error.content.id, request.content.id);
    assert_eq!(error.sequence_type, SequenceType::Adm);
    assert_eq!(error.transfer_type, TransferType::Asynch);
    assert_eq!(error.product.produkt, Produkt::Error);
    assert_eq!(error.from.unwrap().address, request.to.unwrap().address);
    assert_ne!(error.tx_id, request.tx_id);
}

#[test]
fn times_are_swedish() {
    let reply = question().reply(ContentId::fresh(), &own(), now());
    assert_eq!(time::write(reply.datetime), "2031-03-04T09:15:01");
}

/// Any text that XML can hold: all of Unicode's planes, å, ä, ö among them.
fn text() -> impl Strategy<Value = String> {
    "([\t\n\r -~åäöÅÄÖ\u{80}-\u{FF}€]|[\u{10000}-\u{10FFFF}]|\\PC){0,30}"
        .prop_map(|text| text.replace(['\u{FFFE}', '\u{FFFF}'], ""))
}

proptest! {
    #[test]
    fn any_text_is_written_and_read_back(
        subject in text(), name in text(), value in text(), party in text(),
        role in text(), file in text(),
    ) {
        let mut label = question();
        label.subject = Some(Sensitive::new(subject));
        label.meta = vec![Meta { name: Sensitive::new(name), value: Sensitive::new(value) }];
        label.end_recipient = Some(InnerParty::new(party));
        label.content.data[0].datapart_type = role;
        label.content.data[0].filename = Some(Sensitive::new(file));
        let bytes = label.write();
        prop_assert!(bytes.is_ascii());
        prop_assert_eq!(Label::read(&bytes, None, &Limits::default()).unwrap(), label);
    }

    #[test]
    fn no_bytes_panic(start in 0..QUESTION.len(), bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
        let mut text = QUESTION.as_bytes().to_vec();
        let end = (start + bytes.len()).min(text.len());
        text.splice(start..end, bytes);
        let _ = Label::read(&text, None, &Limits::default());
    }
}
