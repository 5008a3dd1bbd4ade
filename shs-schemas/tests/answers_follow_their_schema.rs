//! What [`Delsvar::read`] thinks of an answer is what the authority's own schema thinks of it:
//! answers that hold every element of each schema are changed in one place at a time, in every way
//! that a schema can object to, and xmllint judges the same documents. Where the two differ on
//! purpose stands in [`DELIBERATE`], with the reason.
//!
//! The original schemas are not part of this repository; without them, or without xmllint, the
//! test says so and skips.

#![allow(clippy::unwrap_used, reason = "helpers of tests, where it is allowed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use shs_schemas::ssbtek::{Delsvar, Kontrakt, Uppgiftslamnare};
use shs_schemas::xml::Limits;

mod mutation;
mod support;

use mutation::{Mutation, mutations};

const INLINE: &[(&str, &str)] = &[
    ("AF", include_str!("corpus/spec/svar-af.xml")),
    ("AF", include_str!("corpus/answers/af-full.xml")),
    ("SKV", include_str!("corpus/spec/svar-skv.xml")),
    ("SO", include_str!("corpus/spec/svar-so.xml")),
    ("SO", include_str!("corpus/answers/so-full.xml")),
    ("TNS", include_str!("corpus/spec/svar-tns.xml")),
    ("TNS", include_str!("corpus/answers/tns-full.xml")),
    ("MIV", include_str!("corpus/spec/svar-miv.xml")),
    ("MIV", include_str!("corpus/answers/miv-full.xml")),
];
const CSN: &str = include_str!("corpus/answers/csn-full.inner.xml");
const SSBT: &str = "http://schema.forsakringskassan.se/integration/ssbt/10";

/// Where we and xmllint differ on purpose.
struct Difference {
    /// Kind of change; empty for any.
    kind: &'static str,
    /// Party and place begin so.
    at: &'static str,
    /// True when we accept what xmllint refuses.
    accepted: bool,
    why: &'static str,
}

const fn stricter(kind: &'static str, at: &'static str, why: &'static str) -> Difference {
    Difference {
        kind,
        at,
        accepted: false,
        why,
    }
}

const fn milder(kind: &'static str, at: &'static str, why: &'static str) -> Difference {
    Difference {
        kind,
        at,
        accepted: true,
        why,
    }
}

const COLLAPSES: &str = "white space around all types but strings collapses (XML Schema 1.0, \
                         4.3.6); libxml2 thinks otherwise";
const DERIVED: &str = "another type than the declared one is not looked up, derived or not";
const WILDCARD: &str = "libxml2 lets an element that may be repeated come again after elements of \
                        the wildcard that follows it; the schema does not";
const SAMBRUK: &str =
    "nobody has this type, so it may have derived types that xmllint does not see";

const DELIBERATE: &[Difference] = &[
    milder("a date with blanks", "", COLLAPSES),
    milder("a number with blanks", "", COLLAPSES),
    stricter("digits of another script", "AF", "ssbtek-10, 2.1"),
    stricter(
        "",
        "SKV data/svar",
        "the text must be a document (ssbtek-10, 8 item 14)",
    ),
    stricter(
        "a vehicle in the wrong namespace",
        "TNS",
        "open content lets it in and its reader overlooks it (ssbtek-10, 4.6)",
    ),
    stricter(
        "a message of the contract",
        "",
        "no answer has a reason to carry another whole message",
    ),
    stricter("xsi:type derived", "", DERIVED),
    stricter("xsi:type int", "SO Utbetalningar/", DERIVED),
    stricter(
        "in a foreign namespace",
        "TNS data/fordonsinnehav",
        WILDCARD,
    ),
    stricter(
        "in a foreign namespace",
        "TNS fordonsinnehav/fordon",
        WILDCARD,
    ),
    stricter("swapped", "TNS data/felresultat", WILDCARD),
    stricter("swapped", "TNS fordonsinnehav/fordon", WILDCARD),
    milder(
        "xsi:type string",
        "CSN CSNSvar/GemensamtFragaEkbistand",
        SAMBRUK,
    ),
    milder(
        "xsi:type date",
        "CSN CSNSvar/GemensamtFragaEkbistand",
        SAMBRUK,
    ),
    milder(
        "xsi:type int",
        "CSN CSNSvar/GemensamtFragaEkbistand",
        SAMBRUK,
    ),
    milder(
        "xsi:type decimal",
        "CSN CSNSvar/GemensamtFragaEkbistand",
        SAMBRUK,
    ),
    milder(
        "xsi:type boolean",
        "CSN CSNSvar/GemensamtFragaEkbistand",
        SAMBRUK,
    ),
    milder(
        "xsi:type derived",
        "CSN CSNSvar/GemensamtFragaEkbistand",
        SAMBRUK,
    ),
    milder(
        "xsi:type anyType",
        "CSN CSNSvar/GemensamtFragaEkbistand",
        SAMBRUK,
    ),
    milder(
        "xsi:type unknown",
        "CSN CSNSvar/GemensamtFragaEkbistand",
        SAMBRUK,
    ),
    milder(
        "xsi:type unbound",
        "CSN CSNSvar/GemensamtFragaEkbistand",
        SAMBRUK,
    ),
];

/// Which of these documents are valid; one run of xmllint for all.
fn valid(schema: &Path, documents: impl Iterator<Item = String>) -> Vec<bool> {
    let folder = tempfile::tempdir().unwrap();
    let name = |n: usize| format!("d{n}.xml");
    let mut xmllint = Command::new("xmllint");
    xmllint
        .args(["--nonet", "--noout", "--schema"])
        .arg(schema)
        .current_dir(folder.path());
    let mut count = 0;
    for document in documents {
        std::fs::write(folder.path().join(name(count)), document).unwrap();
        xmllint.arg(name(count));
        count += 1;
    }
    let output = xmllint.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("failed to compile"), "{said}");
    let validated: std::collections::HashSet<&str> = said
        .lines()
        .filter_map(|line| line.strip_suffix(" validates"))
        .collect();
    (0..count)
        .map(|n| validated.contains(name(n).as_str()))
        .collect()
}

fn accepts(kod: &str, element: &str) -> bool {
    let ul = Uppgiftslamnare::from_kod(kod).unwrap();
    let body = Bytes::from(element.to_owned());
    Delsvar::read(ul, Kontrakt::V10, body, &Limits::default()).is_ok()
}

/// The answer element alone is local in the contract: a response around it can be validated.
fn response(element: &str) -> String {
    let element = match element.find("?>") {
        Some(end) if element.starts_with("<?xml ") => &element[end + 2..],
        _ => element,
    };
    format!(
        "<r:hamtaBastjanstInformationResponse xmlns:r=\"{SSBT}\"><r:svarsdata>{element}\
         </r:svarsdata></r:hamtaBastjanstInformationResponse>"
    )
}

fn csn(inner: &str) -> String {
    let base64 = base64_simd::STANDARD.encode_to_string(inner);
    format!("<s:CSN xmlns:s=\"{SSBT}\"><s:data><s:svar>{base64}</s:svar></s:data></s:CSN>")
}

/// The schema of CSN's document in `folder`. It imports one of Sambruk that nobody has; one that
/// takes anything stands in for it.
fn csn_schema(contract: &Path, folder: &Path) -> PathBuf {
    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let target = to.join(entry.file_name());
            if entry.path().is_dir() {
                copy(&entry.path(), &target);
            } else {
                std::fs::copy(entry.path(), target).unwrap();
            }
        }
    }
    copy(&contract.join("se/csn"), &folder.join("se/csn"));
    let sambruk = folder.join("se/sambruk/sbnyttomeddelanden");
    std::fs::create_dir_all(&sambruk).unwrap();
    std::fs::write(
        sambruk.join("SBNUppgEkBistandBegar_v1_0.xsd"),
        "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' \
         targetNamespace='http://www.sambruk.se/SBNyttomeddelanden'>\
         <xs:complexType name='SBNUppgEkBistandBegar' mixed='true'><xs:sequence>\
         <xs:any processContents='skip' minOccurs='0' maxOccurs='unbounded'/></xs:sequence>\
         <xs:anyAttribute processContents='skip'/></xs:complexType></xs:schema>",
    )
    .unwrap();
    folder.join("se/csn/schema/v4_0/kommunfraga/kommunfraga.xsd")
}

/// What was said of the changes of all answers.
#[derive(Default)]
struct Comparison {
    /// Places in [`DELIBERATE`].
    used: BTreeSet<usize>,
    /// Kind and whether we accept it, to the places.
    disagree: BTreeMap<(&'static str, bool), Vec<String>>,
}

impl Comparison {
    fn add(&mut self, kod: &str, changes: &[Mutation], ours: &[bool], theirs: &[bool]) {
        assert!(ours[0] && theirs[0], "{kod}: the answer itself");
        for ((change, &ours), &theirs) in changes.iter().zip(ours).zip(theirs) {
            if ours == theirs {
                continue;
            }
            let at = format!("{kod} {}", change.at);
            let known = DELIBERATE.iter().position(|known| {
                (known.kind.is_empty() || known.kind == change.kind)
                    && at.starts_with(known.at)
                    && known.accepted == ours
            });
            if let Some(place) = known {
                self.used.insert(place);
            } else {
                self.disagree
                    .entry((change.kind, ours))
                    .or_default()
                    .push(at);
            }
        }
        let accepted = ours.iter().filter(|&&ok| ok).count();
        assert!(accepted > 3 && accepted < ours.len(), "{accepted} accepted");
    }
}

#[test]
fn we_and_the_schemas_agree_on_every_change_of_every_answer() {
    let Some(contract) = support::contract().filter(|_| support::has_xmllint()) else {
        return;
    };
    let contract = contract.join("ssbtek-v10");
    let schema = contract
        .join("se/forsakringskassan/schema/integration/ssbt/_10/sammansatt_bastjanst_v10.xsd");
    let mut all = Comparison::default();
    for (kod, answer) in INLINE {
        let changes = mutations(answer, "data");
        let theirs = valid(&schema, changes.iter().map(|one| response(&one.document)));
        let ours: Vec<_> = changes
            .iter()
            .map(|one| accepts(kod, &one.document))
            .collect();
        all.add(kod, &changes, &ours, &theirs);
    }
    let folder = tempfile::tempdir().unwrap();
    let schema = csn_schema(&contract, folder.path());
    let changes = mutations(CSN, "CSNSvar");
    let theirs = valid(&schema, changes.iter().map(|one| one.document.clone()));
    let ours: Vec<_> = changes
        .iter()
        .map(|one| accepts("CSN", &csn(&one.document)))
        .collect();
    all.add("CSN", &changes, &ours, &theirs);
    let disagree = all.disagree;
    assert!(
        disagree.is_empty(),
        "(kind, we accept): where\n{disagree:?}"
    );
    for (place, known) in DELIBERATE.iter().enumerate() {
        let used = all.used.contains(&place);
        assert!(
            used,
            "differs no more: {} {} ({})",
            known.kind, known.at, known.why
        );
    }
}
