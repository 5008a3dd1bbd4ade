//! The answer to `testaBastjanstInformation`: which bastjänster were called, and what went wrong
//! (ssbtek-10, 1.3).

use bytes::Bytes;

use super::anrop::{Form, Operation};
use super::fel::{Delfel, SsbtFelkod};
use super::{Kontrakt, Svarselement, Uppgiftslamnare, soap};
use crate::xml::XML_DECLARATION;

/// What became of the test of one party.
#[derive(Clone, Debug)]
pub enum Testutfall {
    /// It has no test service.
    EjAnropad,
    /// It answered.
    Svarade,
    /// It reported a failure, or gave no usable reply.
    Fel(Delfel),
}

/// The document `testaBastjanstInformationResponse`, in this form. Every element stands in it: a
/// party without outcome counts as not called, and one element that two parties share tells the
/// first failure of them. Of several outcomes for one party the first counts.
#[must_use]
pub fn write_testsvar(
    kontrakt: Kontrakt,
    form: Form,
    utfall: &[(Uppgiftslamnare, Testutfall)],
) -> Bytes {
    const FRAME_BYTES: usize = 512;
    const ELEMENT_BYTES: usize = 64;
    let (before, after) = soap::around(form);
    let name = Operation::Testa.response_element().as_bytes();
    let delar: Vec<_> = Svarselement::IN_ORDER
        .iter()
        .map(|&element| (element, Del::new(element, utfall)))
        .collect();
    let size = delar.iter().map(|(_, del)| ELEMENT_BYTES + del.size_hint());
    let mut out = Vec::with_capacity(FRAME_BYTES + size.sum::<usize>());
    out.extend_from_slice(XML_DECLARATION);
    out.extend_from_slice(before);
    out.extend_from_slice(b"<ssbt:");
    out.extend_from_slice(name);
    out.extend_from_slice(b" xmlns:ssbt=\"");
    out.extend_from_slice(kontrakt.namespace().as_bytes());
    out.extend_from_slice(b"\">");
    for (element, del) in &delar {
        del.write(&mut out, *element);
    }
    out.extend_from_slice(b"</ssbt:");
    out.extend_from_slice(name);
    out.push(b'>');
    out.extend_from_slice(after);
    Bytes::from(out)
}

/// What one element tells about the parties behind it.
struct Del<'a> {
    anropad: bool,
    fel: Option<&'a Delfel>,
}

impl<'a> Del<'a> {
    fn new(element: Svarselement, utfall: &'a [(Uppgiftslamnare, Testutfall)]) -> Self {
        let mut del = Del {
            anropad: false,
            fel: None,
        };
        for ul in Uppgiftslamnare::all().filter(|ul| ul.element() == element) {
            match utfall.iter().find(|(given, _)| *given == ul) {
                None | Some((_, Testutfall::EjAnropad)) => {}
                Some((_, Testutfall::Svarade)) => del.anropad = true,
                Some((_, Testutfall::Fel(fel))) => {
                    del.anropad |= was_called(fel);
                    del.fel = del.fel.or(Some(fel));
                }
            }
        }
        del
    }

    fn size_hint(&self) -> usize {
        self.fel.map_or(0, Delfel::size_hint)
    }

    fn write(&self, out: &mut Vec<u8>, element: Svarselement) {
        let name = element.local_name().as_bytes();
        out.extend_from_slice(b"<ssbt:");
        out.extend_from_slice(name);
        out.extend_from_slice(b"><ssbt:anropad>");
        out.extend_from_slice(if self.anropad { b"true" } else { b"false" });
        out.extend_from_slice(b"</ssbt:anropad>");
        if let Some(fel) = self.fel {
            fel.write(out);
        }
        out.extend_from_slice(b"</ssbt:");
        out.extend_from_slice(name);
        out.push(b'>');
    }
}

/// Whether a party that failed was called at all: the word says both that it has a test service and that
/// it was called, and what went wrong before anybody was is told all the same (ssbtek-10, 1.3).
fn was_called(fel: &Delfel) -> bool {
    use SsbtFelkod as Kod;
    match fel.ssbt_felkod() {
        Some(Kod::IngenKontakt | Kod::Meddelandesystem | Kod::Avstangd | Kod::Overlast) => false,
        Some(_) | None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_could_not_be_called_was_not_called_and_the_reason_is_told() {
        for (felkod, anropad) in [
            (SsbtFelkod::IngenKontakt, false),
            (SsbtFelkod::Avstangd, false),
            (SsbtFelkod::Timeout, true),
            (SsbtFelkod::OgiltigtSvar, true),
        ] {
            let ul = Uppgiftslamnare::SO;
            let utfall = [(ul, Testutfall::Fel(Delfel::ssbt(felkod, ul)))];
            let written = write_testsvar(Kontrakt::V10, Form::Bar, &utfall);
            let text = std::str::from_utf8(&written).unwrap();
            let so = format!("<ssbt:SO><ssbt:anropad>{anropad}</ssbt:anropad><ssbt:error>");
            assert!(text.contains(&so) && text.contains(felkod.kod()), "{text}");
        }
    }
    const FK: Uppgiftslamnare = Uppgiftslamnare::FK;
    const PM: Uppgiftslamnare = Uppgiftslamnare::PM;

    fn timeout(ul: Uppgiftslamnare) -> Testutfall {
        Testutfall::Fel(Delfel::ssbt(SsbtFelkod::Timeout, ul))
    }

    fn written(utfall: &[(Uppgiftslamnare, Testutfall)]) -> String {
        let document = write_testsvar(Kontrakt::V10, Form::Bar, utfall);
        String::from_utf8(document.to_vec()).unwrap()
    }

    /// What stands in the element of Försäkringskassan.
    fn fk(utfall: &[(Uppgiftslamnare, Testutfall)]) -> String {
        let text = written(utfall);
        let (start, end) = (
            text.find("<ssbt:FK>").unwrap(),
            text.find("</ssbt:FK>").unwrap(),
        );
        text[start + "<ssbt:FK>".len()..end].to_owned()
    }

    #[test]
    fn every_element_stands_in_it_in_the_order_of_the_contract() {
        let utfall = [
            (Uppgiftslamnare::TNS, timeout(Uppgiftslamnare::TNS)),
            (Uppgiftslamnare::AF, Testutfall::Svarade),
            (Uppgiftslamnare::CSN, Testutfall::EjAnropad),
            (Uppgiftslamnare::AF, timeout(Uppgiftslamnare::AF)),
        ];
        insta::assert_snapshot!(written(&utfall), @r#"<?xml version="1.0" encoding="UTF-8"?><ssbt:testaBastjanstInformationResponse xmlns:ssbt="http://schema.forsakringskassan.se/integration/ssbt/10"><ssbt:AF><ssbt:anropad>true</ssbt:anropad></ssbt:AF><ssbt:CSN><ssbt:anropad>false</ssbt:anropad></ssbt:CSN><ssbt:FK><ssbt:anropad>false</ssbt:anropad></ssbt:FK><ssbt:SKV><ssbt:anropad>false</ssbt:anropad></ssbt:SKV><ssbt:SO><ssbt:anropad>false</ssbt:anropad></ssbt:SO><ssbt:TNS><ssbt:anropad>true</ssbt:anropad><ssbt:error><ssbt:kalla>SSBT</ssbt:kalla><ssbt:felkod>SSBT-TIMEOUT</ssbt:felkod><ssbt:felmeddelande>Bastjänsten hos Transportstyrelsen svarade inte inom tidsgränsen</ssbt:felmeddelande></ssbt:error></ssbt:TNS><ssbt:MIV><ssbt:anropad>false</ssbt:anropad></ssbt:MIV></ssbt:testaBastjanstInformationResponse>"#);
    }

    #[test]
    fn an_envelope_adds_only_itself() {
        let utfall = [(FK, Testutfall::Svarade)];
        let bare = written(&utfall);
        let document = write_testsvar(Kontrakt::V10, Form::Kuvert, &utfall);
        let (before, after) = soap::around(Form::Kuvert);
        let (declaration, root) = bare.split_at(XML_DECLARATION.len());
        let wrapped = [declaration.as_bytes(), before, root.as_bytes(), after].concat();
        assert_eq!(document, wrapped);
    }

    #[test]
    fn pensionsmyndigheten_is_told_in_the_element_of_forsakringskassan() {
        const CALLED: &str = "<ssbt:anropad>true</ssbt:anropad>";
        assert_eq!(fk(&[]), "<ssbt:anropad>false</ssbt:anropad>");
        let not = (FK, Testutfall::EjAnropad);
        assert_eq!(fk(&[not, (PM, Testutfall::Svarade)]), CALLED);
        assert_eq!(
            fk(&[(FK, Testutfall::Svarade), (PM, Testutfall::EjAnropad)]),
            CALLED
        );

        let one = fk(&[(PM, timeout(PM)), (FK, Testutfall::Svarade)]);
        assert!(
            one.starts_with(CALLED) && one.contains("Pensionsmyndigheten"),
            "{one}"
        );
        let both = fk(&[(PM, timeout(PM)), (FK, timeout(FK))]);
        assert!(
            both.contains("Försäkringskassan") && !both.contains("Pensions"),
            "{both}"
        );
        assert_eq!(both.matches("<ssbt:error>").count(), 1);
    }
}
