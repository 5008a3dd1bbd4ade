//! The WSDL and schemas that we serve say what the original ones say: every document, right or
//! wrong, is judged alike, and a program made from either knows the other.
//!
//! Deliberate differences, each with a test below:
//!
//! * digits of other scripts in an organisation number are refused (ssbtek-10, 2.1);
//! * the questions to authorities are not described, so one of them as a foreign element in the
//!   open content of an answer is let through unread.

#![allow(clippy::unwrap_used, reason = "helpers of tests, where it is allowed")]

mod support;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use roxmltree::{Document, Node};
use shs_schemas::ssbtek::{Kontrakt, wsdl};

use support::xsd::{Schema, original_folder};

const ADDRESS: &str = "https://node.example/ssbt/10";
const FRAGA: &str = include_str!("corpus/spec/fraga-alla-10.xml");
const FRAGA_SKV: &str = include_str!("corpus/spec/fraga-skv-11.xml");
const SVAR: &str = include_str!("corpus/spec/svar-allt-10.xml");
const TESTA: &str =
    "<testaBastjanstInformation xmlns='http://schema.forsakringskassan.se/integration/ssbt/10'/>";
const TESTSVAR: &str = "<s:testaBastjanstInformationResponse xmlns:s='http://schema.forsakringskassan.se/integration/ssbt/10'><s:AF><s:anropad>true</s:anropad></s:AF><s:CSN><s:anropad>0</s:anropad></s:CSN><s:FK><s:anropad>true</s:anropad><s:error><s:kalla>BT</s:kalla><s:felkod>500</s:felkod><s:felmeddelande>Prov</s:felmeddelande><s:felmeddelande/></s:error></s:FK><s:SKV><s:anropad>1</s:anropad></s:SKV><s:SO><s:anropad>true</s:anropad><s:error><s:kalla>SSBT</s:kalla><s:felkod>SSBT-TIMEOUT</s:felkod><s:felmeddelande>Prov</s:felmeddelande></s:error></s:SO><s:TNS><s:anropad>true</s:anropad></s:TNS><s:MIV><s:anropad>true</s:anropad></s:MIV></s:testaBastjanstInformationResponse>";
const ERRORS: &str = "<b:hamtaBastjanstInformationResponse xmlns:b='http://schema.forsakringskassan.se/integration/ssbt/10'><b:svarsdata><b:AF><b:error><b:kalla>SSBT</b:kalla><b:felkod>a</b:felkod><b:felmeddelande>b</b:felmeddelande></b:error></b:AF><b:CSN><b:error><b:kalla>BT</b:kalla><b:felkod/><b:felmeddelande/></b:error></b:CSN><b:FK><b:error><b:kalla>BT</b:kalla><b:felkod>a</b:felkod><b:felmeddelande>b</b:felmeddelande></b:error></b:FK><b:SKV><b:error><b:kalla>BT</b:kalla><b:felkod>a</b:felkod><b:felmeddelande>b</b:felmeddelande></b:error></b:SKV><b:SO><b:error><b:kalla>BT</b:kalla><b:felkod>a</b:felkod><b:felmeddelande>b</b:felmeddelande></b:error></b:SO><b:TNS><b:error><b:kalla>BT</b:kalla><b:felkod>a</b:felkod><b:felmeddelande>b</b:felmeddelande></b:error></b:TNS><b:MIV><b:error><b:kalla>BT</b:kalla><b:felkod>a</b:felkod><b:felmeddelande>b</b:felmeddelande></b:error></b:MIV></b:svarsdata></b:hamtaBastjanstInformationResponse>";
const FAULTS: [&str; 2] = [
    "<f:hamtaBastjanstInformationFault xmlns:f='http://schema.forsakringskassan.se/integration/ssbt/10'><f:felkod>a</f:felkod><f:felmeddelande>b</f:felmeddelande></f:hamtaBastjanstInformationFault>",
    "<f:testaBastjanstInformationFault xmlns:f='http://schema.forsakringskassan.se/integration/ssbt/10'><f:felkod>a</f:felkod><f:felmeddelande>b</f:felmeddelande></f:testaBastjanstInformationFault>",
];

/// A document of version 10 or 11 in the namespace of this version.
fn in_version(kontrakt: Kontrakt, document: &str) -> String {
    Kontrakt::all().fold(document.to_owned(), |text, other| {
        text.replace(other.namespace(), kontrakt.namespace())
    })
}

/// Valid documents of one version that hold every element of its schemas. Versions share their
/// answers (a test below), so those are given once: with the version that has least of its own.
fn valid_documents(kontrakt: Kontrakt) -> Vec<String> {
    let mut documents = vec![TESTA.to_owned()];
    if kontrakt.has_skv_fraga() {
        documents.extend([FRAGA_SKV.to_owned(), echo(FRAGA_SKV)]);
    } else {
        documents.extend([FRAGA, TESTSVAR].map(str::to_owned));
        documents.extend(FAULTS.map(str::to_owned));
        documents.extend([SVAR, ERRORS].into_iter().flat_map(one_party_each));
    }
    documents
        .iter()
        .map(|document| in_version(kontrakt, document))
        .collect()
}

/// A response without answers, with this question in it.
fn echo(fraga: &str) -> String {
    let tree = Document::parse(fraga).unwrap();
    let inner = tree
        .root_element()
        .children()
        .map(|child| &fraga[child.range()]);
    let namespace = tree.root_element().tag_name().namespace().unwrap();
    format!(
        "<b:hamtaBastjanstInformationResponse xmlns='{namespace}' xmlns:b='{namespace}'>\
         <b:fraga>{}</b:fraga><b:svarsdata/></b:hamtaBastjanstInformationResponse>",
        inner.collect::<String>()
    )
}

/// The response as one response for each party in it.
fn one_party_each(response: &str) -> Vec<String> {
    let tree = Document::parse(response).unwrap();
    let svarsdata = tree
        .descendants()
        .find(|node| node.has_tag_name((Kontrakt::V10.namespace(), "svarsdata")))
        .unwrap();
    let parties: Vec<_> = svarsdata.children().filter(Node::is_element).collect();
    let (first, last) = (parties[0].range(), parties[parties.len() - 1].range());
    let (before, after) = (&response[..first.start], &response[last.end..]);
    parties
        .iter()
        .map(|party| [before, &response[party.range()], after].concat())
        .collect()
}

/// The examples that lie beside the original schemas, in this version; none when they are not
/// there.
fn examples(kontrakt: Kontrakt) -> Vec<String> {
    let Some(folder) = support::contract() else {
        return Vec::new();
    };
    let read = |name: &str| {
        let path = folder.join("ssbtek-v10/examples").join(name);
        in_version(kontrakt, &std::fs::read_to_string(path).unwrap())
    };
    [
        "request-all-agencies.xml",
        "response-two-agencies-failing.xml",
        "testa-request.xml",
        "testa-response.xml",
        "fault-detail.xml",
    ]
    .map(read)
    .to_vec()
}

/// What a text is tried with instead of its own.
const TEXTS: [&str; 16] = [
    "",
    " ",
    "x",
    "0",
    "1",
    "true",
    "-1",
    "1.5",
    "70000",
    "2147483648",
    "2026-02-30",
    "2026-02-28",
    "2026-02-28T24:00:00",
    "BT",
    "FEL",
    "199503142383",
];

/// Attributes that a start tag is tried with.
const ATTRIBUTES: [&str; 4] = [
    " prov=\"1\"",
    " xmlns:p=\"urn:p\" p:prov=\"1\"",
    " xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:nil=\"true\"",
    " xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:type=\"prov\"",
];
/// What is tried first and last in an element.
const INSIDE: [&str; 5] = [
    "<prov xmlns=\"\"/>",
    "text",
    "<![CDATA[]]>",
    "<!-- c -->",
    " ",
];

/// Every way to change one place of a document: each element changed, dropped, doubled, exchanged
/// with the next; each attribute dropped or changed.
fn mutations(document: &str) -> Vec<String> {
    let put = |range: Range<usize>, text: &str| {
        [&document[..range.start], text, &document[range.end..]].concat()
    };
    let tree = Document::parse(document).unwrap();
    let mut mutated = Vec::new();
    for node in tree.root_element().descendants().filter(Node::is_element) {
        let whole = &document[node.range()];
        let mut instead = other_elements(whole, node);
        if node.parent_element().is_some() {
            instead.extend(["", "<prov xmlns=\"\"/>", "text"].map(str::to_owned));
            instead.extend([whole, INSIDE[0], INSIDE[1]].map(|more| format!("{whole}{more}")));
        }
        mutated.extend(instead.iter().map(|text| put(node.range(), text)));
        for attribute in node.attributes() {
            mutated.push(put(attribute.range(), ""));
            mutated.extend(TEXTS.map(|text| put(attribute.range_value(), text)));
        }
        if let Some(next) = node.next_sibling_element() {
            let between = &document[node.range().end..next.range().start];
            let exchanged = [&document[next.range()], between, whole].concat();
            mutated.push(put(node.range().start..next.range().end, &exchanged));
        }
    }
    mutated
}

/// An element emptied, renamed, moved to no namespace or another one, with something added
/// inside, with a foreign attribute, told to be nil or of another type, with other text.
fn other_elements(whole: &str, node: Node<'_, '_>) -> Vec<String> {
    let tag_end = whole.find('>').unwrap();
    let tag = whole[..tag_end].trim_end_matches('/');
    let name = tag[1..].split_ascii_whitespace().next().unwrap();
    let start = &tag[1 + name.len()..];
    let inner = whole[tag_end + 1..]
        .rsplit_once("</")
        .map_or("", |(inner, _)| inner);
    let element =
        |name: &str, more: &str, inner: &str| format!("<{name}{start}{more}>{inner}</{name}>");
    let mut others = vec![
        element(name, "", ""),
        element(&format!("{name}X"), "", inner),
    ];
    if !start.contains("xmlns=") {
        let local = name.rsplit(':').next().unwrap();
        others.extend([" xmlns=\"\"", " xmlns=\"urn:prov\""].map(|ns| element(local, ns, inner)));
    }
    others.extend(ATTRIBUTES.map(|more| element(name, more, inner)));
    others.extend(INSIDE.map(|first| element(name, "", &format!("{first}{inner}"))));
    others.extend(INSIDE.map(|last| element(name, "", &format!("{inner}{last}"))));
    if node.children().all(|child| child.is_text()) {
        others.extend(TEXTS.map(|text| element(name, "", text)));
    }
    others
}

#[test]
fn valid_documents_are_valid_in_every_version() {
    for kontrakt in Kontrakt::all() {
        let all = Kontrakt::all()
            .flat_map(valid_documents)
            .chain([echo(FRAGA), SVAR.to_owned(), ERRORS.to_owned()])
            .filter(|document| kontrakt.has_skv_fraga() || !document.contains("<skattekonto>"))
            .map(|document| in_version(kontrakt, &document));
        let documents: Vec<String> = all.chain(examples(kontrakt)).collect();
        for schema in [Schema::ours(kontrakt), Schema::original(kontrakt)]
            .into_iter()
            .flatten()
        {
            schema.assert_valid(&documents);
        }
    }
}

#[test]
fn both_schemas_judge_every_changed_document_alike() {
    for kontrakt in Kontrakt::all() {
        let (Some(ours), Some(original)) = (Schema::ours(kontrakt), Schema::original(kontrakt))
        else {
            continue;
        };
        let mutated: BTreeSet<String> = valid_documents(kontrakt)
            .iter()
            .flat_map(|document| mutations(document))
            .collect();
        let mutated: Vec<String> = mutated.into_iter().collect();
        let (mine, theirs) = (ours.valid(&mutated), original.valid(&mutated));
        let valid = theirs.iter().filter(|&&valid| valid).count();
        assert!(mutated.len() > 2000 && valid > 300 && valid < mutated.len() / 2);
        let different: Vec<_> = (0..mutated.len())
            .filter(|&n| mine[n] != theirs[n])
            .map(|n| (theirs[n], &mutated[n]))
            .take(3)
            .collect();
        assert!(different.is_empty(), "{kontrakt:?}: {different:#?}");
    }
}

/// So that the test above leaves nothing out.
#[test]
fn the_documents_hold_every_element_that_the_schemas_describe() {
    let documents: Vec<String> = Kontrakt::all().flat_map(valid_documents).collect();
    let trees: Vec<_> = documents
        .iter()
        .map(|text| Document::parse(text).unwrap())
        .collect();
    let used: BTreeSet<&str> = trees
        .iter()
        .flat_map(|tree| tree.descendants().map(|node| node.tag_name().name()))
        .collect();
    for kontrakt in Kontrakt::all() {
        for name in wsdl::schema_names() {
            let text = wsdl::schema(kontrakt, name, ADDRESS).unwrap();
            let schema = Document::parse(&text).unwrap();
            // Roots of the authorities' own answers stand in no response.
            let described = schema.descendants().filter(|node| {
                node.has_tag_name((XS, "element"))
                    && (name == "ssbt" || node.parent_element() != Some(schema.root_element()))
            });
            for element in described {
                let element = element.attribute("name").unwrap();
                assert!(used.contains(element), "{kontrakt:?} {name}: {element}");
            }
        }
    }
}

#[test]
fn where_the_schemas_differ_it_is_on_purpose() {
    for kontrakt in Kontrakt::all() {
        let digits = in_version(kontrakt, FRAGA).replace("162120009994", "١٦٢١20009994");
        let question = "<nytt xmlns=\"urn:prov\" sort=\"fritt\"><inre/></nytt>";
        assert!(SVAR.contains(question));
        let foreign = in_version(kontrakt, SVAR).replace(question, "<a:FragaMeddelande/>");
        for (schema, verdicts) in [
            (Schema::ours(kontrakt), [false, true]),
            (Schema::original(kontrakt), [true, false]),
        ] {
            if let Some(schema) = schema {
                assert_eq!(schema.valid(&[&digits, &foreign]), verdicts);
            }
        }
    }
}

#[test]
fn versions_differ_only_by_their_row_of_the_table() {
    let normalised = |kontrakt: Kontrakt, text: String| {
        text.replace(kontrakt.namespace(), "NAMESPACE").replace(
            &format!("version {},", kontrakt.version()),
            "version VERSION,",
        )
    };
    let [ten, eleven] = [Kontrakt::V10, Kontrakt::V11];
    let wsdls = [ten, eleven].map(|version| normalised(version, wsdl::wsdl(version, ADDRESS)));
    assert_eq!(wsdls[0], wsdls[1]);
    for name in wsdl::schema_names() {
        let [ten, eleven] = [ten, eleven]
            .map(|version| normalised(version, wsdl::schema(version, name, ADDRESS).unwrap()));
        if name != "ssbt" {
            assert_eq!(ten, eleven, "{name}");
            continue;
        }
        let added: Vec<&str> = added_lines(&ten, &eleven);
        let fragor = added.iter().filter(|line| line.contains("<xs:element "));
        assert_eq!(fragor.count(), 1 + 6, "{added:#?}");
        let others = added.iter().filter(|line| !line.contains("<xs:element "));
        assert_eq!(others.count(), 5, "{added:#?}");
    }
}

/// Lines of `longer` that `shorter` lacks; fails if there is more to the difference.
fn added_lines<'a>(shorter: &str, longer: &'a str) -> Vec<&'a str> {
    // An empty sequence stands on one line, one with something in it on several.
    let (empty, broken) = (
        "<xs:sequence></xs:sequence>",
        "<xs:sequence>\n</xs:sequence>",
    );
    let shorter = shorter.replace(empty, broken);
    let mut left = shorter.lines().map(str::trim).peekable();
    let added = longer
        .lines()
        .map(str::trim)
        .filter(|line| left.next_if_eq(line).is_none())
        .collect();
    assert_eq!(left.next(), None, "version 10 has what version 11 lacks");
    added
}

const XS: &str = "http://www.w3.org/2001/XMLSchema";
const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";
const SOAP: &str = "http://schemas.xmlsoap.org/wsdl/soap/";

/// Everything that a WSDL says, as one line for each element, without its types and address; names
/// with a prefix of the target namespace as they are written.
fn said(text: &str) -> BTreeSet<String> {
    let tree = Document::parse(text).unwrap();
    let place = |node: Node<'_, '_>| {
        let name = node.attribute("name").unwrap_or_default();
        format!("{}[{name}]", node.tag_name().name())
    };
    tree.descendants()
        .filter(|node| [Some(WSDL), Some(SOAP)].contains(&node.tag_name().namespace()))
        .filter(|node| node.tag_name().name() != "types")
        .map(|node| {
            let mut path: Vec<String> = node.ancestors().skip(1).map(place).collect();
            path.reverse();
            let mut attributes: Vec<String> = node
                .attributes()
                .filter(|attribute| attribute.name() != "location")
                .map(|attribute| format!("{}={}", attribute.name(), attribute.value()))
                .collect();
            attributes.sort();
            let namespace = node.tag_name().namespace().unwrap();
            format!(
                "{}/{{{namespace}}}{} {attributes:?}",
                path.concat(),
                node.tag_name().name()
            )
        })
        .collect()
}

#[test]
fn the_wsdl_says_what_the_original_says() {
    for kontrakt in Kontrakt::all() {
        let ours = said(&wsdl::wsdl(kontrakt, ADDRESS));
        assert!(ours.len() > 30, "{ours:#?}");
        let Some(folder) = original_folder(kontrakt) else {
            continue;
        };
        let name = format!("Sammansatt_Bastjanst_v{}.wsdl", kontrakt.version());
        let original = std::fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(ours, said(&original));
    }
}

#[test]
fn the_wsdl_leads_to_every_schema_under_its_address() {
    let address = "https://node.example:8443/ssbt/11?a=1&b='2'";
    for kontrakt in Kontrakt::all() {
        let wsdl = wsdl::wsdl(kontrakt, address);
        let tree = Document::parse(&wsdl).unwrap();
        let locations: Vec<_> = tree
            .descendants()
            .filter(|node| node.has_tag_name((SOAP, "address")))
            .map(|node| node.attribute("location"))
            .collect();
        assert_eq!(locations, [Some(address)]);
        let mut reached = BTreeSet::new();
        let mut to_read = vec![wsdl];
        while let Some(text) = to_read.pop() {
            for (namespace, location) in imports(&text) {
                let name = location
                    .strip_prefix(address)
                    .and_then(|rest| rest.strip_prefix("?xsd="))
                    .unwrap();
                let schema = wsdl::schema(kontrakt, name, address).unwrap();
                let root = Document::parse(&schema).unwrap();
                let target = root.root_element().attribute("targetNamespace");
                assert_eq!(target, Some(namespace.as_str()), "{name}");
                if reached.insert(name.to_owned()) {
                    to_read.push(schema);
                }
            }
        }
        assert_eq!(reached, wsdl::schema_names().map(str::to_owned).collect());
    }
}

/// What a text imports: namespace and location.
fn imports(text: &str) -> Vec<(String, String)> {
    let tree = Document::parse(text).unwrap();
    tree.descendants()
        .filter(|node| node.has_tag_name((XS, "import")))
        .map(|node| {
            let get = |name| node.attribute(name).unwrap().to_owned();
            (get("namespace"), get("schemaLocation"))
        })
        .collect()
}

/// Complex types and enumerations become classes in programs that are generated: those have the
/// names of the original, so that a program made from either fits the other.
#[test]
fn generated_classes_have_the_names_of_the_original() {
    let Some(contract) = support::contract() else {
        return;
    };
    let originals = schema_files(&contract.join("ssbtek-v10"));
    let known: BTreeSet<_> = originals.iter().flat_map(|text| classes(text)).collect();
    for kontrakt in Kontrakt::all() {
        for name in wsdl::schema_names() {
            let ours = classes(&wsdl::schema(kontrakt, name, ADDRESS).unwrap());
            assert!(!ours.is_empty(), "{name}");
            for class in ours {
                assert!(known.contains(&class), "{name}: {class:?}");
            }
        }
    }
}

/// Namespace and name of each named complex type and enumeration.
fn classes(schema: &str) -> BTreeSet<(String, String)> {
    let tree = Document::parse(schema).unwrap();
    let target = tree.root_element().attribute("targetNamespace").unwrap();
    tree.root_element()
        .children()
        .filter(|node| {
            node.has_tag_name((XS, "complexType"))
                || node.has_tag_name((XS, "simpleType"))
                    && node
                        .descendants()
                        .any(|inner| inner.has_tag_name((XS, "enumeration")))
        })
        .map(|node| {
            (
                target.to_owned(),
                node.attribute("name").unwrap().to_owned(),
            )
        })
        .collect()
}

/// Every schema below a folder, as text, whichever its encoding.
fn schema_files(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts.extend(schema_files(&path));
        } else if path.extension().is_some_and(|kind| kind == "xsd") {
            texts.push(decoded(&std::fs::read(path).unwrap()));
        }
    }
    texts
}

fn decoded(bytes: &[u8]) -> String {
    let text = if let Some(utf16) = bytes.strip_prefix(&[0xff, 0xfe]) {
        let units: Vec<u16> = utf16
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        String::from_utf16(&units).unwrap()
    } else {
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    // The declaration may name the encoding that it no longer has.
    match text.find("?>") {
        Some(end) if text.starts_with("<?xml") => text[end + 2..].to_owned(),
        _ => text,
    }
}
