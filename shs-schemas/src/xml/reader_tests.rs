use std::fmt::Write as _;

use super::*;

fn events(document: &str, options: Options) -> Result<Vec<String>, WireError> {
    let mut reader = Reader::new(document, options, Limits::default())?;
    let mut seen = Vec::new();
    loop {
        match reader.next_event()? {
            Event::Start(start) => {
                let namespace = start.namespace.unwrap_or_default();
                let mut tag = format!("<{{{namespace}}}{}", start.local);
                for a in reader.attributes() {
                    let namespace = a.namespace.as_deref().unwrap_or_default();
                    write!(tag, " {{{namespace}}}{}={}", a.local, a.value()).unwrap();
                }
                seen.push(tag + ">");
            }
            Event::End(_) => seen.push("</>".into()),
            Event::Text(text) => seen.push(text.value().into_owned()),
            Event::CData(text) => seen.push(format!("[{}]", text.raw)),
            Event::Reference(c, _) => seen.push(format!("&{c}")),
            Event::Eof => return Ok(seen),
        }
    }
}

fn strict(document: &str) -> Result<Vec<String>, WireError> {
    events(document, Options::new("fraga"))
}

#[test]
fn a_document_gives_its_events_with_namespaces_resolved() {
    let document = "\u{FEFF}<?xml version=\"1.0\"?><!-- c --><a xmlns='u' xmlns:p=\"v\" b='1&lt;2' \
                    p:c = 'x'>t&amp;<p:d/><e xmlns=''/><![CDATA[<&]]></a ><?pi x?>\n";
    assert_eq!(
        strict(document).unwrap().join(" "),
        "<{u}a {}b=1<2 {v}c=x> t && <{v}d> </> <{}e> </> [<&] </>"
    );
}

#[test]
fn spans_cut_subtrees_out_of_the_document() {
    let document = "\u{FEFF}<a><b x='1'>t</b><c/></a>";
    let mut reader = Reader::new(document, Options::new("fraga"), Limits::default()).unwrap();
    let mut subtrees = Vec::new();
    loop {
        match reader.next_event().unwrap() {
            Event::Start(start) if reader.depth() == 2 => {
                let end = reader.skip_element().unwrap();
                subtrees.push(&document[start.span.start..end.end]);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(subtrees, ["<b x='1'>t</b>", "<c/>"]);
}

#[test]
fn a_declaration_knows_its_place_and_that_of_its_uri() {
    let document = "\u{FEFF}<a xmlns = \"\" xmlns:p='u&#46;v'><b/><p:c xmlns:q\n=\n\"w\"/></a>";
    let mut reader = Reader::new(document, Options::new("test"), Limits::default()).unwrap();
    let mut seen = Vec::new();
    loop {
        match reader.next_event().unwrap() {
            Event::Start(_) => {
                let text = |at: &Range<usize>| document[at.clone()].to_owned();
                let declared = reader.declarations().iter();
                seen.extend(
                    declared.map(|d| (text(&d.span), text(&d.uri_span), d.uri.to_string())),
                );
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let expected = [
        ("xmlns = \"\"", "", ""),
        ("xmlns:p='u&#46;v'", "u&#46;v", "u.v"),
        ("xmlns:q\n=\n\"w\"", "w", "w"),
    ];
    assert_eq!(
        seen,
        expected.map(|(a, b, c)| (a.into(), b.into(), c.into()))
    );
}

#[test]
fn the_text_of_an_element_is_put_together() {
    for (document, value, inner) in [
        ("<a>t</a>", "t", "t"),
        ("<a/>", "", ""),
        ("<a></a>", "", ""),
        (
            "<a>1&lt;<!-- c --><![CDATA[<]]>\r\n2</a>",
            "1<<\n2",
            "1&lt;<!-- c --><![CDATA[<]]>\r\n2",
        ),
    ] {
        let mut reader = Reader::new(document, Options::new("fraga"), Limits::default()).unwrap();
        reader.next_event().unwrap();
        let content = reader.read_text("a").unwrap();
        assert_eq!((&*content.value, &document[content.inner]), (value, inner));
        assert!(matches!(reader.next_event().unwrap(), Event::Eof));
    }
    let mut reader = Reader::new("<a>t<b/></a>", Options::new("f"), Limits::default()).unwrap();
    reader.next_event().unwrap();
    assert_eq!(
        reader.read_text("a").unwrap_err(),
        WireError::new("a", 4, Fault::Unexpected)
    );
}

/// Everything that must be refused, quick-xml's own lenience first.
const REFUSED: &[&str] = &[
    "",
    " ",
    "<!-- only -->",
    "text",
    "<a>",
    "<a><b></a>",
    "<a></b>",
    "</a>",
    "<a/></a>",
    "<a/><b/>",
    "<a/>text",
    "text<a/>",
    "<a/>&amp;",
    "&amp;<a/>",
    "<a/><![CDATA[]]>",
    "<![CDATA[]]><a/>",
    "\u{FEFF}\u{FEFF}<a/>",
    "<a/>\u{FEFF}",
    "<a>\0</a>",
    "<a>\u{B}</a>",
    "<a>\u{FFFE}</a>",
    "<a b='\u{1}'/>",
    "<a>]]></a>",
    "<a>&nbsp;</a>",
    "<a>&amp</a>",
    "<a>&</a>",
    "<a>& </a>",
    "<a>&;</a>",
    "<a>&#0;</a>",
    "<a>&#xD800;</a>",
    "<a>&#;</a>",
    "<a>&#x;</a>",
    "<a b='&nbsp;'/>",
    "<a b='&'/>",
    "<a b='&#0;'/>",
    "<a b='<'/>",
    "<a b='1' b='2'/>",
    "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>",
    "<a xmlns:p='u' xmlns:p='v'/>",
    "<a xmlns='u' xmlns='v'/>",
    "<a b/>",
    "<a b=c/>",
    "<a b='c'd='e'/>",
    "<a b='c/>",
    "<a b=\"c'/>",
    "<a 1='c'/>",
    "<a ='c'/>",
    "<a b='c' = 'd'/>",
    "<a b='c'/ >",
    "<a / >",
    "< a/>",
    "<a>< /a>",
    "<a></ a>",
    "<a></a b='c'>",
    "<>",
    "</>",
    "<1/>",
    "<a'/>",
    "<a'>'></a'>'>",
    "<p:a/>",
    "<a p:b='c'/>",
    "<a><b xmlns:p='u'/><p:c/></a>",
    "<:a/>",
    "<a:/>",
    "<a:b:c xmlns:a='u'/>",
    "<xmlns:a/>",
    "<a xmlns:xmlns='u'/>",
    "<a xmlns:xml='u'/>",
    "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
    "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
    "<a xmlns:p=''/>",
    "<!DOCTYPE a><a/>",
    "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    "<!DOCTYPE a SYSTEM 'a.dtd'><a/>",
    "<!-- a -- b --><a/>",
    "<!-- a ---><a/>",
    "<!--><a/>",
    "<!---><a/>",
    "<!-- a --",
    "<!ELEMENT a><a/>",
    "<!><a/>",
    "<?><a/>",
    "<??><a/>",
    "<? a?><a/>",
    "<?xml?><a/>",
    "<?xml version='1.0'?",
    " <?xml version='1.0'?><a/>",
    "<?xml version='1.0'?><?xml version='1.0'?><a/>",
    "<?XML version='1.0'?><a/>",
    "<a><?xml version='1.0'?></a>",
    "<?xml version='2.0'?><a/>",
    "<a><![CDATA[</a>",
    "<a><![cdata[]]></a>",
    "<a",
    "<",
    "<a><",
    "<a><!",
    "<a><!-",
    "<a></",
];

#[test]
fn what_is_not_well_formed_is_refused_without_being_quoted() {
    for document in REFUSED {
        let error = strict(document).expect_err(document);
        assert_eq!(error.element, "fraga");
        assert!(error.offset <= document.len(), "{document}");
    }
}

#[test]
fn every_truncation_is_refused() {
    let document =
        "<?xml version='1.0'?><p:a xmlns:p='u' b='1'>å&amp;<!-- c --><![CDATA[x]]><c/></p:a>";
    assert!(strict(document).is_ok());
    for end in 0..document.len() {
        let cut = &document.as_bytes()[..end];
        let read = Reader::from_bytes(cut, Options::new("fraga"), Limits::default()).and_then(
            |mut reader| loop {
                if let Event::Eof = reader.next_event()? {
                    return Ok(());
                }
            },
        );
        assert!(read.is_err(), "cut at {end}");
    }
}

#[test]
fn shs_documents_may_name_a_dtd_that_is_never_read() {
    let options = Options::shs("label");
    let document = "<!DOCTYPE a SYSTEM \"a.dtd\"><a b:c='d'><b:e/></a>";
    assert_eq!(
        events(document, options).unwrap().join(""),
        "<{}a {}b:c=d><{}b:e></></>"
    );
    let mut reader = Reader::new(document, options, Limits::default()).unwrap();
    reader.next_event().unwrap();
    assert_eq!(
        reader.doctype(),
        Some(DoctypeName {
            name: "a",
            system: Some("a.dtd")
        })
    );
    for refused in [
        "<!DOCTYPE a SYSTEM 'a' [<!ENTITY b 'c'>]><a/>",
        "<!DOCTYPE a><!DOCTYPE a><a/>",
        "<a/><!DOCTYPE a>",
        "<a><!DOCTYPE a></a>",
        "<!doctype a><a/>",
        "<!DOCTYPEa><a/>",
    ] {
        assert_eq!(
            events(refused, options).unwrap_err().fault,
            Fault::Doctype,
            "{refused}"
        );
    }
}

#[test]
fn each_limit_is_named_when_passed() {
    let limits = Limits {
        bytes_max: 100,
        depth_max: 3,
        attributes_max: 2,
        namespaces_max: 2,
        name_bytes_max: 8,
    };
    for (document, name) in [
        (format!("<a>{}</a>", "x".repeat(100)), "bytes_max"),
        ("<a><b><c><d/></c></b></a>".into(), "depth_max"),
        ("<a b='' c='' d=''/>".into(), "attributes_max"),
        (
            "<a xmlns:p='u'><b xmlns:q='u'><c xmlns:r='u'/></b></a>".into(),
            "namespaces_max",
        ),
        ("<abcdefghi/>".into(), "name_bytes_max"),
        ("<a abcdefghi=''/>".into(), "name_bytes_max"),
    ] {
        let read = Reader::new(&document, Options::new("fraga"), limits).and_then(|mut reader| {
            loop {
                if let Event::Eof = reader.next_event()? {
                    return Ok(());
                }
            }
        });
        let Fault::Limit(passed, _) = read.unwrap_err().fault else {
            panic!("{document}")
        };
        assert_eq!(passed, name);
    }
}
