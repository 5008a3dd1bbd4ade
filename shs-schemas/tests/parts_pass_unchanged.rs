//! What an authority delivered is what the asker gets (R-015): each part in the compiled response,
//! canonically and, when no version is exchanged, byte for byte.
//!
//! The canonical form is made from another reader than ours. With xmllint at hand exclusive XML
//! canonicalisation says the same; with the original contract beside the repository (or where
//! `SAMSVAR_CONTRACT` points) the responses are valid against it.

#![allow(clippy::unwrap_used, reason = "helpers of tests, where it is allowed")]

mod support;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use proptest::prelude::*;
use shs_schemas::ssbtek::{
    Delsvar, Form, Fraga, Kontrakt, Svarselement, Uppgiftslamnare, Utfall, sammanstall,
};
use shs_schemas::xml::Limits;

const FRAGA_10: &str = include_str!("corpus/spec/fraga-alla-10.xml");
const AF: &str = "http://api.arbetsformedlingen.se/arbetssokande/ersattningsstod/v2";
const SO: &str = "http://INT014.UBPService.Schemas";
const TNS: &str = "http://schema.transportstyrelsen.se/ssbtek/hamtauppgifterresponder/1";
const FORDON: &str = "http://schema.transportstyrelsen.se/ssbtek/fordon/1";
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Text in every way that it can be written: letters beyond ASCII and beyond sixteen bits, each
/// kind of line end, references, CDATA with its own end in it, comments and instructions between.
const TEXTS: &[&str] = &[
    "Åsa Öberg-Ärlig é 𝄞",
    "rad\nrad\r\nrad\rrad",
    "rad&#13;&#10;rad&#xD;\t&#9; ",
    "&lt;&amp;&gt;&quot;&apos;&#229;&#x1D11E;",
    "<![CDATA[a < b & c]]>",
    "<![CDATA[a]]]]><![CDATA[>b]]>",
    "x]]&gt;y<![CDATA[]]>",
    "a<!-- ett -->b<?ett två?>c",
    "11340.50",
    "  blanka  ",
    "A\u{30A}sa \u{A0}\u{200B}\u{85}\u{2028}",
];

/// A question in which everybody is asked, in either version.
fn fraga(kontrakt: Kontrakt) -> Fraga {
    let mut document = FRAGA_10.to_owned();
    if kontrakt == Kontrakt::V11 {
        document = document
            .replace(Kontrakt::V10.namespace(), Kontrakt::V11.namespace())
            .replace(
                "<b:SKV inkludera=\"true\"/>",
                "<b:SKV inkludera=\"true\"><b:fraga><b:ar>2025</b:ar>\
                 <b:foretagsinformation>0</b:foretagsinformation>\
                 <b:individuppgifter>1</b:individuppgifter><b:skattekonto>1</b:skattekonto>\
                 <b:skatteuppgifter>1</b:skatteuppgifter>\
                 <b:beskattningsbilagor>1</b:beskattningsbilagor></b:fraga></b:SKV>",
            );
    }
    Fraga::read(Bytes::from(document), &Limits::default()).unwrap()
}

fn base64(content: impl AsRef<[u8]>) -> String {
    base64_simd::STANDARD.encode_to_string(content)
}

/// The content of Arbetsförmedlingen's `data` with this text in it, its names under `a:`.
fn af(text: &str) -> String {
    format!(
        "\r\n<a:Fraga><a:OrganisationsnummerForIngivare>162120009994\
         </a:OrganisationsnummerForIngivare><a:NamnPaIngivare>{text}</a:NamnPaIngivare>\
         <a:KontonamnForHandlaggare>prov01</a:KontonamnForHandlaggare>\
         <a:Referensnummer>{text}</a:Referensnummer><a:From>2026-09-01</a:From>\
         <a:Tom>2026-11-30</a:Tom><a:SyfteMedFraga></a:SyfteMedFraga>\
         <a:LagParagraf >Provlagen 1 §</a:LagParagraf><a:IdentitetsbeteckningFysiskPerson>\
         199503142383</a:IdentitetsbeteckningFysiskPerson></a:Fraga>\n<!-- mellan -->\
         <a:Svar><a:Schemaversion>2.0</a:Schemaversion><a:Referensnummer>PROV-1\
         </a:Referensnummer><a:LagParagraf>{text}</a:LagParagraf>\
         <a:IdentitetsbeteckningFysiskPerson>199503142383</a:IdentitetsbeteckningFysiskPerson>\
         <a:Fornamn>{text}</a:Fornamn><a:StatusSokandeinformationKod>0\
         </a:StatusSokandeinformationKod><a:StatusSokandeinformationKodText>{text}\
         </a:StatusSokandeinformationKodText></a:Svar>"
    )
}

/// The content of `data` of Sveriges a-kassor, its names under `o:`.
fn so(text: &str) -> String {
    format!(
        "<o:OrganisationsnummerIngivare>162120009994</o:OrganisationsnummerIngivare>\
         <o:NamnIngivare>{text}</o:NamnIngivare><o:KontonamnHandlaggare>prov01\
         </o:KontonamnHandlaggare><o:Referensnummer>{text}</o:Referensnummer>\
         <o:From>2026-09-01</o:From><o:Tom>2026-11-30</o:Tom><o:Syfte/>\
         <o:Paragraf>{text}</o:Paragraf>\
         <o:IdentificationNumber>199503142383</o:IdentificationNumber>\
         <o:ArbetsloshetsersattningLista><o:Arbetsloshetsersattning>\
         <o:SvarandeOrganisation>{text}</o:SvarandeOrganisation>\
         <o:StatusSvarandeOrganisation>{text}</o:StatusSvarandeOrganisation>\
         <o:AnsoktOmErsattning><o:BeslutOmRattTillErsattning xsi:nil=\"true\" xmlns:xsi='{XSI}'/>\
         <o:AnsokanOmUtbetalningInlamnad>true</o:AnsokanOmUtbetalningInlamnad>\
         </o:AnsoktOmErsattning></o:Arbetsloshetsersattning></o:ArbetsloshetsersattningLista>"
    )
}

/// The content of `data` of Transportstyrelsen, its names under `t:` and `f:`.
fn tns(text: &str) -> String {
    format!(
        "<t:resultat>OK</t:resultat><t:fordonsinnehav><f:fordon><f:regnr>PRO001</f:regnr>\
         <f:fabrikat>{text}</f:fabrikat><f:fordonsar>2019</f:fordonsar>\
         <f:fordonsslag>{text}</f:fordonsslag><f:handelsbeteckning>{text}</f:handelsbeteckning>\
         </f:fordon></t:fordonsinnehav>"
    )
}

/// The content of `data` of Migrationsverket, in no namespace.
fn miv(text: &str) -> String {
    format!(
        "<response><korrelationsid>{text}</korrelationsid><correlationid>prov-1</correlationid>\
         <efternamn>{text}</efternamn><fornamn>{text}</fornamn>\
         <personnummer>199503142383</personnummer></response>"
    )
}

/// Skatteverket's document, as CDATA as far as CDATA can hold it.
fn skv_cdata(document: &str) -> String {
    let split = document.replace("]]>", "]]]]><![CDATA[>");
    format!("<svar><![CDATA[{split}]]></svar>")
}

fn skv_escaped(document: &str) -> String {
    let escaped = document
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!("<svar>{escaped}</svar>")
}

fn skv_document(text: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Prov xmlns=\"urn:prov\"><Belopp>11340.50\
         </Belopp><Text>{text}</Text></Prov>"
    )
}

fn csn_document(text: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<k:CSNSvar \
         xmlns:k=\"http://schema.csn.se/v4.0/kommunfraga\" schemaVersion=\"4.0\">\
         <k:GemensamtSvarEkbistand><k:Resultat><k:ResultatKod>0</k:ResultatKod>\
         <k:ResultatText>Prov</k:ResultatText></k:Resultat></k:GemensamtSvarEkbistand>\
         <k:GemensamtFragaEkbistand>{text}</k:GemensamtFragaEkbistand><k:Personer/></k:CSNSvar>"
    )
}

/// A part as delivered. `@` stands for the ssbt namespace of the outer elements.
#[derive(Clone)]
struct Delivered {
    ul: Uppgiftslamnare,
    element: String,
}

impl Delivered {
    /// The element in this version.
    fn of(&self, kontrakt: Kontrakt) -> String {
        self.element.replace('@', kontrakt.namespace())
    }

    fn read(&self, kontrakt: Kontrakt) -> Delsvar {
        let body = self.of(kontrakt);
        read(self.ul, kontrakt, Bytes::from(body))
    }
}

fn read(ul: Uppgiftslamnare, kontrakt: Kontrakt, body: Bytes) -> Delsvar {
    let said = String::from_utf8_lossy(&body[..body.len().min(2000)]).into_owned();
    Delsvar::read(ul, kontrakt, body, &Limits::default())
        .unwrap_or_else(|error| panic!("{error}: {said}"))
}

fn delivered(ul: Uppgiftslamnare, declarations: &str, data: &str) -> Delivered {
    let name = ul.element().local_name();
    Delivered {
        ul,
        element: format!(
            "<s:{name} xmlns:s=\"@\"{declarations}><s:data>{data}</s:data></s:{name}>"
        ),
    }
}

/// One part of each authority with this text.
fn with_text(text: &str) -> Vec<Delivered> {
    use Uppgiftslamnare as Ul;
    let plain = text.replace("<?ett två?>", "");
    let json = serde_json::to_string(text).unwrap();
    let json = format!(r#"{{"formansinformation":{{"a":[{{"b" : 11340.50,"c":{json}}}]}}}}"#);
    vec![
        delivered(Ul::AF, &format!(" xmlns:a='{AF}'"), &af(text)),
        delivered(
            Ul::CSN,
            "",
            &format!("<s:svar>{}</s:svar>", base64(csn_document(&plain))),
        ),
        delivered(
            Ul::FK,
            "",
            &format!("<s:lefiJsonSvar>{}</s:lefiJsonSvar>", base64(json)),
        ),
        delivered(Ul::SKV, "", &skv_cdata(&skv_document(&plain))),
        delivered(Ul::SKV, "", &skv_escaped(&skv_document(&plain))),
        delivered(Ul::SO, &format!(" xmlns:o='{SO}'"), &so(text)),
        delivered(
            Ul::TNS,
            &format!("\n xmlns:t='{TNS}'\txmlns:f = \"{FORDON}\""),
            &tns(text),
        ),
        delivered(Ul::MIV, "", &miv(text)),
    ]
}

/// Parts whose declarations and outer elements are written in every way that is allowed.
#[expect(clippy::too_many_lines, reason = "a table")]
fn written_otherwise() -> Vec<Delivered> {
    use Uppgiftslamnare as Ul;
    let text = "Åsa";
    let unprefixed = |content: &str, prefix: &str, namespace: &str, first: &str| {
        let content = content.replace(&format!("<{prefix}:"), "<");
        let content = content.replace(&format!("</{prefix}:"), "</");
        content.replacen(
            &format!("<{first}"),
            &format!("<{first} xmlns='{namespace}'"),
            1,
        )
    };
    let part = |ul, element: String| Delivered { ul, element };
    let csn = base64(csn_document(text));
    let json = base64("{\"formansinformation\":{\"a\":11340.50}}");
    let lines = |end: &str| {
        let cut: Vec<&str> = csn
            .as_bytes()
            .chunks(64)
            .map(|c| std::str::from_utf8(c).unwrap())
            .collect();
        cut.join(end)
    };
    let skv = skv_cdata(&skv_document(text));
    let default_svar = skv.replace("<svar>", "<svar xmlns=''>");
    let default_miv = miv(text).replace("<response>", "<response xmlns=\"\">");
    vec![
        // Default namespaces, of the contract and of the authority.
        part(
            Ul::SKV,
            format!("<SKV xmlns='@'><data>{default_svar}</data></SKV>"),
        ),
        part(
            Ul::MIV,
            format!("<MIV xmlns=\"@\"><data>{default_miv}</data></MIV>"),
        ),
        part(
            Ul::AF,
            format!(
                "<AF xmlns='@'><data xmlns:a='{AF}'>{}</data></AF>",
                af(text)
            ),
        ),
        part(
            Ul::SO,
            format!(
                "<s:SO xmlns:s='@'><s:data xmlns='{SO}'>{}</s:data></s:SO>",
                so(text).replace("<o:", "<").replace("</o:", "</")
            ),
        ),
        part(
            Ul::TNS,
            format!(
                "<s:TNS xmlns:s='@'><s:data xmlns='{TNS}'>{}</s:data></s:TNS>",
                unprefixed(&tns(text), "f", FORDON, "fordon")
                    .replace("<t:", "<")
                    .replace("</t:", "</")
            ),
        ),
        // The prefix of the contract, bound to the authority's namespace further in.
        part(
            Ul::TNS,
            format!(
                "<s:TNS xmlns:s='@'><s:data xmlns:f='{FORDON}' xmlns:t='{TNS}'>{}</s:data></s:TNS>",
                tns(text)
                    .replace("<f:fordon>", &format!("<s:fordon xmlns:s='{FORDON}'>"))
                    .replace("</f:fordon>", "</s:fordon>")
            ),
        ),
        // The contract's own namespace, either version, bound further in and not used by it.
        part(
            Ul::AF,
            format!(
                "<ssbt:AF xmlns:ssbt='@' xmlns:a='{AF}'>\n<ssbt:data xmlns:q='@'>{}\
                 <e:egen xmlns:e='urn:egen' xmlns:ssbt='http://schema.forsakringskassan.se/\
                 integration/ssbt/10'><ssbt:x/><q:y xmlns:q=\"http://schema.forsakringskassan.se/\
                 integration/ssbt/11\"/></e:egen></ssbt:data >\r\n</ssbt:AF>",
                af(text)
            ),
        ),
        // Several prefixes, references in the declaration, blanks in tags, comments around.
        part(
            Ul::MIV,
            format!(
                "<s:MIV\n\txmlns:s = '@' ><!-- före --><t:data xmlns:t=\"@\">{}</t:data\n>\
                 <?efter x?></s:MIV  >",
                miv(text)
            ),
        ),
        part(
            Ul::CSN,
            format!("<CSN xmlns='@'><s:data xmlns:s='@'><svar>{csn}</svar></s:data></CSN>"),
        ),
        part(
            Ul::FK,
            format!(
                "<a:FK xmlns:a='@'><b:data xmlns:b='@'><c:lefiJsonSvar xmlns:c='@'>{json}\
                 </c:lefiJsonSvar></b:data></a:FK>"
            ),
        ),
        // Base64 in lines, with references, in CDATA, with a comment in it.
        delivered(
            Ul::CSN,
            "",
            &format!("<s:svar>\n{}\n</s:svar>", lines("\n")),
        ),
        delivered(
            Ul::CSN,
            "",
            &format!("<s:svar>\r\n{}\r\n</s:svar>", lines("\r\n")),
        ),
        delivered(Ul::CSN, "", &format!("<s:svar>{}</s:svar>", lines("\r"))),
        delivered(Ul::CSN, "", &format!("<s:svar><![CDATA[{csn}]]></s:svar>")),
        delivered(
            Ul::FK,
            "",
            &format!(
                "<s:lefiJsonSvar>&#x65;<!-- c -->{}</s:lefiJsonSvar>",
                &json[1..]
            ),
        ),
        // As little as an authority can say.
        part(Ul::MIV, "<s:MIV xmlns:s='@'><s:data/></s:MIV>".into()),
        part(
            Ul::MIV,
            "<s:MIV xmlns:s='@'><s:data></s:data></s:MIV>".into(),
        ),
        delivered(
            Ul::FK,
            "",
            &format!("<s:lefiJsonSvar>{}</s:lefiJsonSvar>", base64("{}")),
        ),
        delivered(
            Ul::AF,
            "",
            &unprefixed(&af(""), "a", AF, "Fraga")
                .replace("<Svar>", &format!("<Svar xmlns='{AF}'>")),
        ),
        // An error of the authority's own.
        part(
            Ul::SO,
            "<s:SO xmlns:s='@'><error xmlns='@'><kalla>BT</kalla><felkod>Fel å</felkod>\
             <s:felmeddelande>a\r\nb &#13;<![CDATA[]]]]><![CDATA[>]]></s:felmeddelande>\
             <felmeddelande/></error></s:SO>"
                .into(),
        ),
    ]
}

/// Canonical form of an element from roxmltree: names with namespaces, attributes in order, text
/// with all ways of writing it resolved, comments and instructions kept. Prefixes do not count.
fn canonical(node: roxmltree::Node<'_, '_>, out: &mut String) {
    for child in node.children() {
        if child.is_element() {
            let name = child.tag_name();
            write!(
                out,
                "<{{{}}}{}",
                name.namespace().unwrap_or_default(),
                name.name()
            )
            .unwrap();
            let mut attributes: Vec<_> = child
                .attributes()
                .map(|a| {
                    format!(
                        " {{{}}}{}={:?}",
                        a.namespace().unwrap_or_default(),
                        a.name(),
                        a.value()
                    )
                })
                .collect();
            attributes.sort();
            out.extend(attributes);
            out.push('>');
            canonical(child, out);
            out.push_str("</>");
        } else if child.is_comment() {
            write!(out, "<!--{}-->", child.text().unwrap_or_default()).unwrap();
        } else if let Some(pi) = child.pi() {
            write!(out, "<?{} {}?>", pi.target, pi.value.unwrap_or_default()).unwrap();
        } else {
            out.push_str(&child.text().unwrap_or_default().replace('<', "&lt;"));
        }
    }
}

/// The canonical form of what stands in `data` (or `error`) of an element of the contract.
fn canonical_content(element: roxmltree::Node<'_, '_>) -> String {
    let content = element.first_element_child().unwrap();
    let mut out = String::new();
    if content.tag_name().name() == "data" && !matches!(element.tag_name().name(), "CSN" | "FK") {
        canonical(content, &mut out);
    } else {
        // Elements of the contract: what counts is their text.
        for node in content.descendants().filter(roxmltree::Node::is_element) {
            let text: String = node.children().filter_map(|node| node.text()).collect();
            write!(out, "<{}>{text}", node.tag_name().name()).unwrap();
        }
    }
    out
}

/// The response to a question in `asked` with this one part in it, and the part as it stands there.
fn passed(part: &Delivered, asked: Kontrakt, answered: Kontrakt) -> (Bytes, String) {
    let utfall = [(part.ul, Utfall::from(part.read(answered)))];
    let out = sammanstall(&fraga(asked), Form::Bar, &utfall);
    assert_eq!(out.andrade, []);
    let text = std::str::from_utf8(&out.document).unwrap();
    let document = roxmltree::Document::parse(text).unwrap();
    let element = in_response(&document, asked, part.ul);
    (out.document.clone(), text[element.range()].to_owned())
}

fn in_response<'a, 'input>(
    document: &'a roxmltree::Document<'input>,
    kontrakt: Kontrakt,
    ul: Uppgiftslamnare,
) -> roxmltree::Node<'a, 'input> {
    document
        .root_element()
        .last_element_child()
        .unwrap()
        .children()
        .find(|node| node.has_tag_name((kontrakt.namespace(), ul.element().local_name())))
        .unwrap()
}

fn check(part: &Delivered, asked: Kontrakt, answered: Kontrakt) -> (Bytes, String) {
    let (document, found) = passed(part, asked, answered);
    // Without exchange this is what was delivered, byte for byte; with it all but the namespace.
    assert!(
        found == part.of(asked),
        "{}: {}",
        part.ul,
        &found[..found.len().min(3000)]
    );
    let (before, after) = (part.of(answered), std::str::from_utf8(&document).unwrap());
    let before = roxmltree::Document::parse(&before).unwrap();
    let after = roxmltree::Document::parse(after).unwrap();
    let element = in_response(&after, asked, part.ul);
    assert!(
        canonical_content(element) == canonical_content(before.root_element()),
        "{}: the canonical forms differ",
        part.ul
    );
    (document, found)
}

fn versions() -> impl Iterator<Item = (Kontrakt, Kontrakt)> {
    Kontrakt::all().flat_map(|asked| Kontrakt::all().map(move |answered| (asked, answered)))
}

fn small_parts() -> Vec<Delivered> {
    let mut parts: Vec<Delivered> = TEXTS.iter().flat_map(|text| with_text(text)).collect();
    parts.extend(written_otherwise());
    parts
}

#[test]
fn each_part_is_what_was_delivered() {
    for part in small_parts() {
        for (asked, answered) in versions() {
            check(&part, asked, answered);
        }
    }
}

#[test]
fn large_parts_are_what_was_delivered() {
    const BYTES_MIN: usize = 5_000_000;
    const PIECE: &str = "Åsa &amp; 11340.50\r\n";
    for (place, sample) in with_text("PROVTEXT").into_iter().enumerate() {
        let times = sample.element.matches("PROVTEXT").count().max(1);
        let text = PIECE.repeat(BYTES_MIN / times / PIECE.len() + 1);
        let part = with_text(&text).swap_remove(place);
        assert!(part.element.len() >= BYTES_MIN, "{}", part.ul);
        let svar = Utfall::from(part.read(Kontrakt::V10));
        let utfall = [(part.ul, svar)];
        for asked in Kontrakt::all() {
            let out = sammanstall(&fraga(asked), Form::Bar, &utfall);
            assert_eq!(out.andrade, []);
            let text = std::str::from_utf8(&out.document).unwrap();
            assert!(text.contains(&part.of(asked)), "{}", part.ul);
        }
    }
}

/// The bytes inside base64 come out as they went in.
#[test]
fn base64_content_is_the_same_bytes() {
    let json = "{\"formansinformation\":{\"belopp\":11340.50,\"b\":1e400},\"å\":\"\\u00e5\"}\r\n";
    for (asked, answered) in versions() {
        for (ul, name, content) in [
            (Uppgiftslamnare::FK, "lefiJsonSvar", json.to_owned()),
            (
                Uppgiftslamnare::CSN,
                "svar",
                csn_document("ten blanks: '          ' å\r"),
            ),
        ] {
            let data = format!("<s:{name}>{}</s:{name}>", base64(&content));
            let (_, found) = check(&delivered(ul, "", &data), asked, answered);
            let again = read(ul, asked, Bytes::from(found));
            assert_eq!(again.base64_content().unwrap(), content.as_bytes());
        }
    }
}

/// References in the value of the declaration are exchanged with it.
#[test]
fn a_namespace_written_with_references_is_exchanged() {
    let namespace = Kontrakt::V10.namespace();
    let odd = namespace.replace("ssbt/10", "ss&#98;t/1&#x30;");
    let element = format!(
        "<s:MIV xmlns:s='{odd}'><s:data>{}</s:data></s:MIV>",
        miv("å")
    );
    let part = |namespace: &str| Delivered {
        ul: Uppgiftslamnare::MIV,
        element: element.replace(&odd, namespace),
    };
    let (_, same) = passed(&part(&odd), Kontrakt::V10, Kontrakt::V10);
    assert_eq!(same, element);
    let (_, exchanged) = passed(&part(&odd), Kontrakt::V11, Kontrakt::V10);
    assert_eq!(exchanged, part("@").of(Kontrakt::V11));
}

/// A part that was delivered in another character set says the same.
#[test]
fn transcoded_parts_say_the_same() {
    let part = &with_text("Åsa Öberg\r\nÄrlig")[0];
    let text = part.of(Kontrakt::V10);
    let utf16: Vec<u8> = std::iter::once(0xFEFF)
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let latin1: Vec<u8> = format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>{text}")
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let utf8 = format!("\u{FEFF}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{text}\n");
    for body in [utf16, latin1, utf8.into_bytes()] {
        let svar = read(part.ul, Kontrakt::V10, Bytes::from(body));
        assert_eq!(svar.element(), text.as_bytes());
        let utfall = [(part.ul, Utfall::from(svar))];
        let out = sammanstall(&fraga(Kontrakt::V10), Form::Bar, &utfall);
        assert!(std::str::from_utf8(&out.document).unwrap().contains(&text));
    }
}

/// Exclusive canonicalisation of documents, by xmllint.
fn exc_c14n(folder: &Path, document: &str) -> String {
    let file = folder.join("document.xml");
    std::fs::write(&file, document).unwrap();
    let output = Command::new("xmllint")
        .args(["--nonet", "--exc-c14n"])
        .arg(&file)
        .stderr(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn xmllint_finds_the_same_canonical_form() {
    if !support::has_xmllint() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let inner = |canonical: &str| {
        let start = canonical.find("data").unwrap();
        let start = start + canonical[start..].find('>').unwrap();
        canonical[start..canonical.rfind("data>").unwrap()].to_owned()
    };
    let inline =
        |part: &Delivered| part.element.contains("data") && !matches!(part.ul.kod(), "CSN" | "FK");
    let texts = [TEXTS[0], TEXTS[1], TEXTS[5]];
    let parts: Vec<_> = texts.iter().flat_map(|text| with_text(text)).collect();
    for part in parts
        .iter()
        .chain(&written_otherwise())
        .filter(|part| inline(part))
    {
        let (before, after) = (part.of(Kontrakt::V10), |asked| {
            passed(part, asked, Kontrakt::V10).1
        });
        let expected = exc_c14n(folder.path(), &before);
        assert_eq!(exc_c14n(folder.path(), &after(Kontrakt::V10)), expected);
        if part.element.contains("integration/ssbt") {
            // Whether a declaration is repeated further in depends on the one that was exchanged.
            continue;
        }
        let exchanged = exc_c14n(folder.path(), &after(Kontrakt::V11));
        assert_eq!(inner(&exchanged), inner(&expected));
    }
}

/// These answers are ones that the authorities may give, and stay so.
#[test]
fn the_responses_are_valid_in_either_version() {
    if !support::has_xmllint() {
        return;
    }
    let Some(contract) = support::contract() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for asked in Kontrakt::all() {
        let version = asked.version();
        let schema = contract.join(format!(
            "ssbtek-v10/se/forsakringskassan/schema/integration/ssbt/_{version}/\
             sammansatt_bastjanst_v{version}.xsd"
        ));
        let mut xmllint = Command::new("xmllint");
        xmllint.args(["--nonet", "--noout", "--schema"]).arg(schema);
        let mut count = 0;
        for part in small_parts() {
            for answered in Kontrakt::all() {
                let file = folder.path().join(format!("{count}.xml"));
                std::fs::write(&file, passed(&part, asked, answered).0).unwrap();
                xmllint.arg(file);
                count += 1;
            }
        }
        let output = xmllint.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let wrong: Vec<&str> = said
            .lines()
            .filter(|line| !line.ends_with(" validates"))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!(said.lines().count(), count);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whoever answers, in whatever order and version: each part is what was delivered.
    #[test]
    fn any_set_of_arrivals_passes_unchanged(
        texts in prop::collection::vec(prop::sample::select(TEXTS), 7),
        order in Just((0..7_usize).collect::<Vec<_>>()).prop_shuffle(),
        count in 0..=7_usize,
        elevens in prop::collection::vec(any::<bool>(), 8),
    ) {
        let version = |eleven: bool| if eleven { Kontrakt::V11 } else { Kontrakt::V10 };
        let asked = version(elevens[7]);
        let arrived: Vec<(Delivered, Kontrakt)> = order[..count]
            .iter()
            .map(|&place| {
                let element = Svarselement::IN_ORDER[place];
                let parts = with_text(texts[place]);
                let part = parts.into_iter().find(|part| part.ul.element() == element);
                (part.unwrap(), version(elevens[place]))
            })
            .collect();
        let utfall: Vec<_> = arrived
            .iter()
            .map(|(part, answered)| (part.ul, Utfall::from(part.read(*answered))))
            .collect();
        let out = sammanstall(&fraga(asked), Form::Bar, &utfall);
        prop_assert_eq!(&out.andrade, &[]);
        let text = std::str::from_utf8(&out.document).unwrap();
        let document = roxmltree::Document::parse(text).unwrap();
        for (part, _) in &arrived {
            let element = in_response(&document, asked, part.ul);
            prop_assert_eq!(&text[element.range()], part.of(asked));
        }
        prop_assert_eq!(text.matches("SSBT-INTERNT-FEL").count(), 7 - arrived.len());
    }
}
