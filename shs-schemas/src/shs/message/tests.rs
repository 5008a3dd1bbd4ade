use super::*;

/// shs-1.2, 9.1: a question as a message, with invented parties.
const QUESTION: &str = "Subject: SHS Message\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed;\r\n\tboundary=\"=_fiktiv_0001\"\r\n\
    Content-Transfer-Encoding: binary\r\n\r\n--=_fiktiv_0001\r\n\
    Content-Type: text/xml; charset=ISO-8859-1\r\nContent-Transfer-Encoding: binary\r\n\r\n\
    <?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n\
    <!DOCTYPE shs.label SYSTEM \"shs-label-1.2.dtd\">\n\
    <shs.label version=\"1.2\" tx.id=\"t-1\" corr.id=\"c-1\" transfer-type=\"synch\" \
    message-type=\"simple\" document-type=\"simple\" sequence-type=\"request\" status=\"test\">\n\
    <from commonName=\"Fiktivkontoret\">urn:X-shs:0000000001</from>\n\
    <to commonName=\"Provmyndigheten\">urn:X-shs:0000000002</to>\n\
    <product>urn:X-shs:5a1e0000-1111-4222-8333-444455556666</product>\n\
    <datetime>2031-03-04T09:15:00</datetime>\n\
    <content content.id=\"k-1\">\n\
    <data datapartType=\"fraga\" filename=\"fr&#229;ga.xml\" no-of-bytes=\"99\"/>\n\
    </content>\n</shs.label>\r\n--=_fiktiv_0001\r\n\
    Content-Type: text/xml; charset=ISO-8859-1; name=\"annan.xml\"\r\n\
    Content-Transfer-Encoding: base64\r\n\
    Content-Disposition: attachment; filename=\"annan.xml\"\r\n\r\n\
    PGZyYWdhPjxudW1tZXI+MTc8L251bW1lcj48L2ZyYWdhPg==\r\n--=_fiktiv_0001--\r\n";

const FRAGA: &[u8] = b"<fraga><nummer>17</nummer></fraga>";

fn read(text: &str) -> Result<Message, ReadError> {
    let body = Bytes::copy_from_slice(text.as_bytes());
    Message::read(body, None, &Limits::default())
}

fn refusal(text: &str) -> (ErrorCode, &'static str, Option<String>) {
    let error = read(text).unwrap_err();
    let tx_id = error.known.tx_id.map(|id| id.to_string());
    (error.code, error.fault.element, tx_id)
}

/// The question with one more part before the closing boundary.
fn with_part(part: &str) -> String {
    QUESTION.replace(
        "--=_fiktiv_0001--",
        &format!("--=_fiktiv_0001\r\n{part}\r\n--=_fiktiv_0001--"),
    )
}

#[test]
fn a_question_is_read() {
    let message = read(QUESTION).unwrap();
    assert_eq!(message.label.tx_id.as_str(), "t-1");
    let [part] = &message.parts[..] else {
        panic!("one part")
    };
    assert_eq!(part.datapart_type, "fraga");
    assert_eq!(part.filename.as_ref().unwrap().expose(), "fråga.xml");
    assert_eq!(part.content_type, ContentType::XML_ISO_8859_1);
    assert_eq!(part.data.expose(), FRAGA);
}

#[test]
fn a_message_that_is_written_is_read_back() {
    let message = read(QUESTION).unwrap();
    let written = Message::read(message.write(), None, &Limits::default()).unwrap();
    assert_eq!(written.parts, message.parts);
    // The size is now the right one, the rest as it was.
    assert_eq!(
        written.label.content.data[0].no_of_bytes,
        Some(FRAGA.len() as u64)
    );
    let mut label = written.label;
    label.content.data.clone_from(&message.label.content.data);
    assert_eq!(label, message.label);
}

#[test]
fn the_label_ends_within_the_first_4096_bytes() {
    let mut message = read(QUESTION).unwrap();
    let end = |message: &Message| {
        let bytes = message.write();
        memchr::memmem::find(&bytes, b"</shs.label>").unwrap() + "</shs.label>".len()
    };
    let room = crate::shs::label::LABEL_BYTES_SAFE - message.label.write().len();
    message.label.subject = Some(Sensitive::new("x".repeat(room - 40)));
    let end = end(&message);
    assert!((4000..=4096).contains(&end), "{end}");
}

#[test]
fn surplus_parts_are_kept_and_missing_ones_refused() {
    let more = read(&with_part("\r\nmer")).unwrap();
    assert_eq!(more.parts.len(), 2);
    assert_eq!(more.parts[1].datapart_type, "");
    assert_eq!(more.parts[1].data.expose(), "mer");
    let broken = read(&with_part("Content-Transfer-Encoding: base64\r\n\r\n!!!")).unwrap();
    assert_eq!(broken.parts[1].data.expose(), "!!!");
    let structure = ErrorCode::IllegalMessageStructure;
    let two = QUESTION
        .replace("<content ", "<content x=\"\" ")
        .replace("</content>", "<data datapartType=\"bilaga\"/></content>");
    assert_eq!(refusal(&two), (structure, "data part", Some("t-1".into())));
    let start = QUESTION.rfind("--=_fiktiv_0001\r\n").unwrap();
    let end = QUESTION.find("--=_fiktiv_0001--").unwrap();
    let none = [&QUESTION[..start], &QUESTION[end..]].concat();
    assert_eq!(refusal(&none), (structure, "data part", Some("t-1".into())));
    let empty = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--";
    assert_eq!(refusal(empty), (structure, "shs.label", None));
}

#[test]
fn a_compound_message_is_refused() {
    let structure = ErrorCode::IllegalMessageStructure;
    for text in [
        QUESTION.replace("message-type=\"simple\"", "message-type=\"compound\""),
        QUESTION.replace("document-type=\"simple\"", "document-type=\"compound\""),
        QUESTION.replace("<data ", "<compound no-of-parts=\"1\"/><data "),
    ] {
        assert_eq!(
            refusal(&text),
            (structure, "message-type", Some("t-1".into()))
        );
    }
}

#[test]
fn the_label_must_come_first_and_be_xml() {
    let structure = ErrorCode::IllegalMessageStructure;
    let other = QUESTION.replacen("Content-Type: text/xml", "Content-Type: text/html", 1);
    assert_eq!(refusal(&other), (structure, "shs.label", None));
    let application = QUESTION.replacen("text/xml", "Application/XML", 1);
    assert!(read(&application).is_ok());
    let encoded = QUESTION.replacen("base64", "x-own", 1);
    assert_eq!(
        refusal(&encoded),
        (structure, "Content-Transfer-Encoding", Some("t-1".into()))
    );
    let bad = QUESTION.replace("PGZy", "P!!y");
    assert_eq!(refusal(&bad), (structure, "part", Some("t-1".into())));
}

#[test]
fn a_message_cut_short_at_any_byte_is_an_error_that_knows_what_it_can() {
    let label_end = QUESTION.find("</shs.label>").unwrap() + "</shs.label>".len();
    for end in 0..QUESTION.len() - 2 {
        let error = read(&QUESTION[..end]).unwrap_err();
        assert_eq!(
            error.code,
            ErrorCode::IllegalMessageStructure,
            "cut at {end}"
        );
        assert_eq!(
            error.known.tx_id.is_some(),
            end >= label_end,
            "cut at {end}"
        );
    }
}

#[test]
fn line_feeds_alone_will_do() {
    let message = read(&QUESTION.replace("\r\n", "\n")).unwrap();
    assert_eq!(message.parts[0].data.expose(), FRAGA);
}

#[test]
fn an_error_message_carries_its_management_document_in_clear() {
    let request = read(QUESTION).unwrap().label;
    let now = "2031-03-04T08:15:01Z".parse().unwrap();
    let own = request.to.clone().unwrap();
    let document = Management::refusal(&request.known_ids(), ErrorCode::MissingAgreement, "x", now);
    let label = request.administrative(crate::shs::Administrative::Error, &own, now);
    let message = Message {
        label,
        parts: vec![DataPart::management(&document)],
    };
    let bytes = message.write();
    assert!(memchr::memmem::find(&bytes, b"<error errorcode=\"MissingAgreement\"").is_some());
    let read = Message::read(bytes, None, &Limits::default()).unwrap();
    assert!(read.label.is_error() && !request.is_error());
    assert_eq!(read.parts[0].datapart_type, "error");
    let again = Management::read(read.parts[0].data.expose(), None, &Limits::default());
    assert_eq!(again.unwrap(), document);
}

#[test]
fn content_never_shows_in_debug() {
    let shown = format!("{:?}", read(QUESTION).unwrap());
    assert!(!shown.contains("<nummer>") && !shown.contains("ga.xml"));
}

#[test]
fn a_body_too_large_has_a_status_of_its_own() {
    let limits = Limits {
        body_bytes_max: 100,
        ..Limits::default()
    };
    let body = Bytes::from_static(QUESTION.as_bytes());
    assert!(
        Message::read(body, None, &limits)
            .unwrap_err()
            .is_too_large()
    );
    assert!(!read("").unwrap_err().is_too_large());
}
