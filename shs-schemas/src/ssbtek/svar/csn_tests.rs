use super::*;

const FULL: &str = include_str!("../../../tests/corpus/answers/csn-full.inner.xml");

fn read(document: &str) -> Result<(), WireError> {
    check(document.as_bytes(), &Limits::default())
}

fn refused(from: &str, to: &str) -> &'static str {
    assert!(FULL.contains(from), "{from}");
    let error = read(&FULL.replacen(from, to, 1)).expect_err(to);
    assert!(error.element.starts_with("CSN/svar"), "{error}");
    error.element
}

fn accepted(from: &str, to: &str) {
    assert!(FULL.contains(from), "{from}");
    assert_eq!(read(&FULL.replacen(from, to, 1)), Ok(()), "{to}");
}

#[test]
fn the_document_is_utf_8_whatever_it_declares_and_else_what_it_declares() {
    let latin1 = FULL.replace("UTF-8", "ISO-8859-1").replace("för", "for");
    assert_eq!(read(&latin1), Ok(()), "UTF-8 that says it is Latin-1");
    let bytes: Vec<u8> = latin1.chars().map(|c| u8::try_from(c).unwrap()).collect();
    assert_eq!(check(&bytes, &Limits::default()), Ok(()));
    let utf16: Vec<u8> = "\u{FEFF}"
        .chars()
        .chain(FULL.chars())
        .flat_map(|c| u16::try_from(c).unwrap().to_le_bytes())
        .collect();
    assert_eq!(check(&utf16, &Limits::default()), Ok(()));
    assert_eq!(
        check(&utf16[2..], &Limits::default()),
        Ok(()),
        "without mark"
    );
    assert_eq!(read(&format!("\u{FEFF}{FULL}")), Ok(()));
    assert!(check(b"<a>\xE5</a>", &Limits::default()).is_err());
}

#[test]
fn what_is_no_answer_of_csn_is_refused() {
    for bad in ["", " ", "text", "<prov/>", "<CSNSvar/>", "{}"] {
        assert!(read(bad).is_err(), "{bad}");
    }
    assert!(read(&FULL.replace("k:CSNSvar", "k:CSNSvarHut")).is_err());
    let doctype = FULL.replace("<k:CSNSvar ", "<!DOCTYPE a><k:CSNSvar ");
    assert_eq!(read(&doctype).unwrap_err().fault, Fault::Doctype);
    assert!(read(&format!("{FULL}<a/>")).is_err());
    for end in (0..FULL.len() - 1).filter(|&at| FULL.is_char_boundary(at)) {
        // What follows the root is white space.
        assert!(read(&FULL[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn blanks_of_status_are_kept_and_counted() {
    accepted("Status=\"          \"", "Status=\"Ej träff\"");
    accepted(" Status=\"          \"", "");
    for bad in ["", "         ", "           ", "EJ TRÄFF", "Ej träff "] {
        let path = refused("Status=\"          \"", &format!("Status=\"{bad}\""));
        assert_eq!(path, "CSN/svar/Person");
    }
    assert_eq!(
        refused("<sh:status>          <", "<sh:status><"),
        "CSN/svar/status"
    );
}

#[test]
fn a_samordningsnummer_cannot_stand_in_it() {
    refused("9503142383", "9503742383");
    refused("9503142383", "199503142383");
    accepted("sekel=\"19\"", "sekel=\"18\"");
    refused("sekel=\"19\"", "sekel=\"21\"");
}

#[test]
fn lists_have_their_bounds() {
    let (from, to) = (
        FULL.find("<k:Person ").unwrap(),
        FULL.find("</k:Personer>").unwrap(),
    );
    let person = FULL[from..to].trim_end();
    accepted(person, &person.repeat(10));
    assert_eq!(refused(person, &person.repeat(11)), "CSN/svar/Personer");
    accepted(person, "");
    let (from, to) = (
        FULL.find("<sm:soktTid>").unwrap(),
        FULL.find("</sm:soktaTider>").unwrap(),
    );
    let tid = &FULL[from..to];
    accepted(tid, &tid.repeat(25));
    assert_eq!(refused(tid, &tid.repeat(26)), "CSN/svar/soktaTider");
    let unbounded = tid.replace("sm:", "o:").repeat(200);
    accepted(
        "<o:soktaTider/>",
        &format!("<o:soktaTider>{unbounded}</o:soktaTider>"),
    );
}

#[test]
fn a_missing_element_and_one_in_the_namespace_of_another_level_are_named() {
    assert_eq!(
        refused(
            "<sm:relarende>12</sm:relarende><sm:soktaTider>",
            "<sm:x/><sm:soktaTider>"
        ),
        "CSN/svar/soktaTider"
    );
    assert_eq!(
        refused("<t:takt>50</t:takt>", "<sm:takt>50</sm:takt>"),
        "CSN/svar/Beloppen"
    );
    assert_eq!(
        refused("<p:Studiehjalp>", "<k:Studiehjalp>").len(),
        "CSN/svar/Studiehjalp".len()
    );
    assert_eq!(refused("<t:takt>50<", "<t:takt>51<"), "CSN/svar/takt");
    assert_eq!(refused(" schemaVersion=\"4.0\"", ""), "CSN/svar/CSNSvar");
    assert_eq!(refused(" lopnummer=\"3\"", ""), "CSN/svar/Arende");
}
