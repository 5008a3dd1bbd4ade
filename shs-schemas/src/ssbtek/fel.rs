//! Errors of the contract: `error` in an answer element (ssbtek-10, 3) and the fault for a whole
//! question (1.2). Every code stands in one table, so that it can be exchanged.

mod fault;

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

pub use fault::{Avvisning, FaultFelkod, Skuld, felmeddelande};

use super::anrop::{Form, Operation};
use super::{Kontrakt, Uppgiftslamnare, soap};
use crate::Sensitive;
use crate::xml::{self, XML_DECLARATION};

/// Who found the failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kalla {
    /// The composite service: no usable answer, or nobody was asked.
    Ssbt,
    /// The bastjänst: it answered that it failed.
    Bt,
}

impl Kalla {
    /// As written in `kalla`.
    #[must_use]
    pub const fn kod(self) -> &'static str {
        match self {
            Self::Ssbt => "SSBT",
            Self::Bt => "BT",
        }
    }
}

/// Failures that the composite service finds: code and text of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SsbtFelkod {
    /// Nothing complete before the deadline.
    Timeout,
    /// No queue or no consumer, message returned, or publish rejected.
    IngenKontakt,
    /// The message broker is down, or was lost while the question was open.
    Meddelandesystem,
    /// The circuit of the party is open.
    Avstangd,
    /// The line or the queue of the party is full.
    Overlast,
    /// Asked for, but not connected in the party register.
    EjAnsluten,
    /// The answer is not readable or not valid.
    OgiltigtSvar,
    /// The answer has a field that may not be given out, and the party's setting is to withhold.
    OtillatetFalt,
    /// What held the question failed inside the node.
    InterntFel,
    /// Försäkringskassan is asked without a question to LEFI.
    FkFragaSaknas,
    /// The version of LEFI is not known.
    FkVersion,
    /// The question to LEFI breaks its rules, or the actor id cannot be used.
    FkFragaOgiltig,
    /// The question to LEFI names another person.
    FkPersonAvviker,
}

struct SsbtRow {
    felkod: SsbtFelkod,
    kod: &'static str,
    /// `{}` stands for the name of the authority.
    text: &'static str,
}

const fn ssbt(felkod: SsbtFelkod, kod: &'static str, text: &'static str) -> SsbtRow {
    SsbtRow { felkod, kod, text }
}

/// In the order of [`SsbtFelkod`].
static SSBT: &[SsbtRow] = &[
    ssbt(
        SsbtFelkod::Timeout,
        "SSBT-TIMEOUT",
        "Bastjänsten hos {} svarade inte inom tidsgränsen",
    ),
    ssbt(
        SsbtFelkod::IngenKontakt,
        "SSBT-INGEN-KONTAKT",
        "Bastjänsten hos {} kunde inte nås",
    ),
    ssbt(
        SsbtFelkod::Meddelandesystem,
        "SSBT-MEDDELANDESYSTEM",
        "Frågan till {} kunde inte förmedlas eftersom meddelandesystemet var ur funktion",
    ),
    ssbt(
        SsbtFelkod::Avstangd,
        "SSBT-AVSTANGD",
        "Bastjänsten hos {} är tillfälligt avstängd efter upprepade fel",
    ),
    ssbt(
        SsbtFelkod::Overlast,
        "SSBT-OVERLAST",
        "Bastjänsten hos {} har för många obesvarade frågor",
    ),
    ssbt(
        SsbtFelkod::EjAnsluten,
        "SSBT-EJ-ANSLUTEN",
        "{} är inte ansluten",
    ),
    ssbt(
        SsbtFelkod::OgiltigtSvar,
        "SSBT-OGILTIGT-SVAR",
        "Svaret från bastjänsten hos {} kunde inte användas",
    ),
    ssbt(
        SsbtFelkod::OtillatetFalt,
        "SSBT-OTILLATET-FALT",
        "Svaret från bastjänsten hos {} hölls inne eftersom det innehöll uppgifter som inte får \
         lämnas ut",
    ),
    ssbt(
        SsbtFelkod::InterntFel,
        "SSBT-INTERNT-FEL",
        "Ett internt fel gjorde att frågan till {} inte kunde slutföras",
    ),
    ssbt(
        SsbtFelkod::FkFragaSaknas,
        "SSBT-FK-FRAGA-SAKNAS",
        "Frågan till {} saknar elementet fraga",
    ),
    ssbt(
        SsbtFelkod::FkVersion,
        "SSBT-FK-VERSION",
        "Frågan till {} anger en version av LEFI som inte stöds",
    ),
    ssbt(
        SsbtFelkod::FkFragaOgiltig,
        "SSBT-FK-FRAGA-OGILTIG",
        "Frågan till {} följer inte reglerna för LEFI",
    ),
    ssbt(
        SsbtFelkod::FkPersonAvviker,
        "SSBT-FK-PERSON-AVVIKER",
        "Frågan till {} gäller en annan person än den övriga frågan",
    ),
];

impl SsbtFelkod {
    /// Every code of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        SSBT.iter().map(|row| row.felkod)
    }

    /// The code as it stands in `felkod`.
    #[must_use]
    pub fn kod(self) -> &'static str {
        SSBT[self as usize].kod
    }

    /// The text as it stands in `felmeddelande`, for this authority.
    #[must_use]
    pub fn felmeddelande(self, uppgiftslamnare: Uppgiftslamnare) -> String {
        SSBT[self as usize]
            .text
            .replace("{}", uppgiftslamnare.namn())
    }
}

impl fmt::Display for SsbtFelkod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kod())
    }
}

/// Stands in for the code of an authority that reported a failure without one.
pub const FELKOD_SAKNAS: &str = "FELKOD-SAKNAS";
/// Longest code of an authority that is passed on, in characters; the rest is cut off.
pub const FELKOD_CHARS_MAX: usize = 128;
/// Texts of an authority that are passed on at most; later ones are left out.
pub const FELMEDDELANDEN_MAX: usize = 32;
/// Longest text of an authority that is passed on, in characters; the rest is cut off.
pub const FELMEDDELANDE_CHARS_MAX: usize = 4096;

/// One error in the place of an answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Delfel {
    kalla: Kalla,
    ssbt: Option<SsbtFelkod>,
    felkod: Cow<'static, str>,
    felmeddelande: Sensitive<Vec<String>>,
}

impl Delfel {
    /// A failure that the composite service found, with the text of the table.
    #[must_use]
    pub fn ssbt(felkod: SsbtFelkod, uppgiftslamnare: Uppgiftslamnare) -> Self {
        Self {
            kalla: Kalla::Ssbt,
            ssbt: Some(felkod),
            felkod: Cow::Borrowed(felkod.kod()),
            felmeddelande: Sensitive::new(vec![felkod.felmeddelande(uppgiftslamnare)]),
        }
    }

    /// A failure that the authority reported (`fel.v1`), in its own words. An empty code and a
    /// missing text get ones of ours (ssbtek-10, 3); what is too long is cut.
    #[must_use]
    pub fn bt(
        felkod: &str,
        felmeddelanden: impl IntoIterator<Item = String>,
        uppgiftslamnare: Uppgiftslamnare,
    ) -> Self {
        let felkod: String = xml::trim(felkod).chars().take(FELKOD_CHARS_MAX).collect();
        let cut = |text: String| match text.char_indices().nth(FELMEDDELANDE_CHARS_MAX) {
            Some((end, _)) => text[..end].to_owned(),
            None => text,
        };
        let mut texter: Vec<String> = felmeddelanden
            .into_iter()
            .take(FELMEDDELANDEN_MAX)
            .map(cut)
            .collect();
        if texter.is_empty() {
            texter.push(format!(
                "Bastjänsten hos {} rapporterade ett fel",
                uppgiftslamnare.namn()
            ));
        }
        Self {
            kalla: Kalla::Bt,
            ssbt: None,
            felkod: if felkod.is_empty() {
                Cow::Borrowed(FELKOD_SAKNAS)
            } else {
                felkod.into()
            },
            felmeddelande: Sensitive::new(texter),
        }
    }

    /// Who found it.
    #[must_use]
    pub const fn kalla(&self) -> Kalla {
        self.kalla
    }

    /// The code. An authority's own code is its free text: log [`Delfel::felkod_for_log`].
    #[must_use]
    pub fn felkod(&self) -> &str {
        &self.felkod
    }

    /// The code of ours, when we found the failure.
    #[must_use]
    pub const fn ssbt_felkod(&self) -> Option<SsbtFelkod> {
        self.ssbt
    }

    /// The code if it looks like a code, else a stand-in.
    #[must_use]
    pub fn felkod_for_log(&self) -> &str {
        felkod_for_log(&self.felkod)
    }

    /// The texts, at least one. An authority's text may name the person.
    #[must_use]
    pub const fn felmeddelanden(&self) -> &Sensitive<Vec<String>> {
        &self.felmeddelande
    }

    /// Appends the element `error`; the prefix `ssbt` must be bound where it is put.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<ssbt:error><ssbt:kalla>");
        out.extend_from_slice(self.kalla.kod().as_bytes());
        out.extend_from_slice(b"</ssbt:kalla><ssbt:felkod>");
        xml::push_text(out, &self.felkod);
        out.extend_from_slice(b"</ssbt:felkod>");
        write_felmeddelanden(out, self.felmeddelande.expose());
        out.extend_from_slice(b"</ssbt:error>");
    }

    /// Length that [`Delfel::write`] needs, roughly.
    pub(super) fn size_hint(&self) -> usize {
        let texter: usize = self
            .felmeddelande
            .expose()
            .iter()
            .map(|text| text.len() + 48)
            .sum();
        self.felkod.len() + texter + 96
    }
}

/// Appends one `felmeddelande` per text.
fn write_felmeddelanden<T: AsRef<str>>(out: &mut Vec<u8>, texter: &[T]) {
    for text in texter {
        out.extend_from_slice(b"<ssbt:felmeddelande>");
        xml::push_text(out, text.as_ref());
        out.extend_from_slice(b"</ssbt:felmeddelande>");
    }
}

impl fmt::Debug for Delfel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delfel")
            .field("kalla", &self.kalla)
            .field("felkod", &self.felkod_for_log())
            .finish_non_exhaustive()
    }
}

/// `felkod` if it looks like a code: short, letters, digits and marks, and no run of digits as
/// long as an identity number. Free text of an authority may quote the question.
#[must_use]
pub fn felkod_for_log(felkod: &str) -> &str {
    const CODE_BYTES_MAX: usize = 40;
    const DIGITS_MAX: usize = 9;
    let marks = |b: u8| matches!(b, b'-' | b'_' | b'.' | b':');
    let is_code = !felkod.is_empty()
        && felkod.len() <= CODE_BYTES_MAX
        && felkod
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || marks(b))
        && felkod.bytes().filter(u8::is_ascii_digit).count() <= DIGITS_MAX;
    if is_code { felkod } else { "[not a code]" }
}

/// The answer to a call that was refused: a document of the operation's fault element, or with
/// [`Form::Kuvert`] an envelope with a SOAP fault around it (ssbtek-10, 1.2 and 9.4). Without texts
/// the code's own is given.
#[must_use]
pub fn write_fault(
    kontrakt: Kontrakt,
    operation: Operation,
    form: Form,
    felkod: FaultFelkod,
    felmeddelanden: &[&str],
) -> Bytes {
    let mut detail = Vec::with_capacity(512);
    match form {
        Form::Bar => {
            detail.extend_from_slice(XML_DECLARATION);
            write_fault_element(&mut detail, kontrakt, operation, felkod, felmeddelanden);
            Bytes::from(detail)
        }
        Form::Kuvert => {
            write_fault_element(&mut detail, kontrakt, operation, felkod, felmeddelanden);
            soap::write_fault(felkod.skuld().into(), felkod.text(), Some(&detail))
        }
    }
}

fn write_fault_element(
    out: &mut Vec<u8>,
    kontrakt: Kontrakt,
    operation: Operation,
    felkod: FaultFelkod,
    felmeddelanden: &[&str],
) {
    let name = operation.fault_element().as_bytes();
    out.extend_from_slice(b"<ssbt:");
    out.extend_from_slice(name);
    out.extend_from_slice(b" xmlns:ssbt=\"");
    out.extend_from_slice(kontrakt.namespace().as_bytes());
    out.extend_from_slice(b"\"><ssbt:felkod>");
    out.extend_from_slice(felkod.kod().as_bytes());
    out.extend_from_slice(b"</ssbt:felkod>");
    if felmeddelanden.is_empty() {
        write_felmeddelanden(out, &[felkod.text()]);
    } else {
        write_felmeddelanden(out, felmeddelanden);
    }
    out.extend_from_slice(b"</ssbt:");
    out.extend_from_slice(name);
    out.push(b'>');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_finds_its_own_row() {
        for (place, felkod) in SsbtFelkod::all().enumerate() {
            assert_eq!(felkod as usize, place);
            assert!(felkod.kod().starts_with("SSBT-"));
            let text = felkod.felmeddelande(Uppgiftslamnare::SO);
            assert!(text.contains("Sveriges a-kassor"), "{text}");
        }
    }

    #[test]
    fn an_error_is_written_and_its_text_escaped() {
        let fel = Delfel::bt(
            "Server<",
            vec!["a & b".into(), "c\rd".into()],
            Uppgiftslamnare::TNS,
        );
        let mut out = Vec::new();
        fel.write(&mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "<ssbt:error><ssbt:kalla>BT</ssbt:kalla><ssbt:felkod>Server&lt;</ssbt:felkod>\
             <ssbt:felmeddelande>a &amp; b</ssbt:felmeddelande>\
             <ssbt:felmeddelande>c&#13;d</ssbt:felmeddelande></ssbt:error>"
        );
    }

    #[test]
    fn an_empty_report_gets_words_of_ours() {
        let fel = Delfel::bt(" ", vec![], Uppgiftslamnare::MIV);
        assert_eq!(fel.felkod(), FELKOD_SAKNAS);
        assert_eq!(
            fel.felmeddelanden().expose(),
            &["Bastjänsten hos Migrationsverket rapporterade ett fel"]
        );
    }

    #[test]
    fn long_reports_are_cut() {
        let long = "å".repeat(10_000);
        let fel = Delfel::bt(&long, vec![long.clone(); 100], Uppgiftslamnare::AF);
        assert_eq!(fel.felkod().chars().count(), FELKOD_CHARS_MAX);
        assert_eq!(fel.felmeddelanden().expose().len(), FELMEDDELANDEN_MAX);
        assert_eq!(
            fel.felmeddelanden().expose()[0].chars().count(),
            FELMEDDELANDE_CHARS_MAX
        );
    }

    #[test]
    fn neither_text_nor_odd_code_is_printed() {
        let fel = Delfel::bt(
            "199503142383",
            vec!["199503142383".into()],
            Uppgiftslamnare::CSN,
        );
        assert_eq!(
            format!("{fel:?}"),
            "Delfel { kalla: Bt, felkod: \"[not a code]\", .. }"
        );
        assert_eq!(felkod_for_log("-1005"), "-1005");
        assert_eq!(felkod_for_log("HTTP-503"), "HTTP-503");
        assert_eq!(felkod_for_log("no such person"), "[not a code]");
    }

    fn fault(operation: Operation, form: Form, felmeddelanden: &[&str]) -> String {
        let felkod = FaultFelkod::Tidsperiod;
        let fault = write_fault(Kontrakt::V11, operation, form, felkod, felmeddelanden);
        String::from_utf8(fault.to_vec()).unwrap()
    }

    #[test]
    fn a_fault_has_code_and_text() {
        insta::assert_snapshot!(fault(Operation::Hamta, Form::Bar, &[]), @r#"<?xml version="1.0" encoding="UTF-8"?><ssbt:hamtaBastjanstInformationFault xmlns:ssbt="http://schema.forsakringskassan.se/integration/ssbt/11"><ssbt:felkod>SSBT-TIDSPERIOD</ssbt:felkod><ssbt:felmeddelande>Tidsperiodens slut ligger före dess början</ssbt:felmeddelande></ssbt:hamtaBastjanstInformationFault>"#);
    }

    #[test]
    fn in_an_envelope_it_is_the_detail_of_a_soap_fault() {
        let texts = ["a < b", "c"];
        insta::assert_snapshot!(fault(Operation::Testa, Form::Kuvert, &texts), @r#"<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault><faultcode>soap:Client</faultcode><faultstring>Tidsperiodens slut ligger före dess början</faultstring><detail><ssbt:testaBastjanstInformationFault xmlns:ssbt="http://schema.forsakringskassan.se/integration/ssbt/11"><ssbt:felkod>SSBT-TIDSPERIOD</ssbt:felkod><ssbt:felmeddelande>a &lt; b</ssbt:felmeddelande><ssbt:felmeddelande>c</ssbt:felmeddelande></ssbt:testaBastjanstInformationFault></detail></soap:Fault></soap:Body></soap:Envelope>"#);
    }
}
