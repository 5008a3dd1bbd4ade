use super::*;
use crate::ssbtek::svar::structure::{Attribute as Known, UNBOUNDED};
use crate::ssbtek::xsd::Rule;

const NS: &str = "urn:a";

fn short(text: &str) -> Result<(), Rule> {
    if text.len() < 3 { Ok(()) } else { Err("long") }
}

static SHORT: Type = Type::simple(NS, "short", short);
static ROW: Type = Type::of(&[Element::one(None, "row/x", &simple::STRING)]);
static FREE: Type = Type::anonymous(Content::Free);
static TOP: Type = Type::named(
    NS,
    "top",
    &[
        Element::one(Some(NS), "top/first", &SHORT),
        Element::one(Some(NS), "top/row", &ROW).up_to(2),
        Element::one(None, "top/free", &FREE).optional(),
        Element::one(Some(NS), "top/last", &SHORT)
            .up_to(UNBOUNDED)
            .nillable(),
    ],
    Open::Other(NS),
)
.with(&[Known {
    namn: "v",
    required: false,
    check: short,
}]);

fn walk(document: &str) -> Result<(), (&'static str, usize)> {
    let limits = Limits::default();
    let mut reader = Reader::new(document, Options::new("test"), limits).unwrap();
    let Ok(Event::Start(start)) = reader.next_event() else {
        panic!("no root");
    };
    let mut walk = Walk::new(&mut reader, &limits);
    walk.element(&Element::one(None, "top", &TOP), start.span.start)
        .map_err(|error| (error.element, error.offset))?;
    assert_eq!(reader.depth(), 0, "read to the end");
    assert!(matches!(reader.next_event(), Ok(Event::Eof)));
    Ok(())
}

fn top(content: &str) -> String {
    let xsi = "http://www.w3.org/2001/XMLSchema-instance";
    format!("<top xmlns='urn:a' xmlns:o='urn:o' xmlns:xsi='{xsi}'>{content}</top>")
}

#[test]
fn children_come_in_their_order_and_number() {
    for good in [
        "<first/>",
        "<first>ab</first><row><x xmlns=''/></row>",
        " <first/>&#10;<!-- c --><last/><last/><?p i?><last/>",
        "<first/><free xmlns='' a='b'>text<z/></free><o:z/><o:z>t<z xmlns=''/></o:z>",
        "<first/><last xsi:nil='true'/><last xsi:nil='0'>a</last>",
        "<first xsi:type='short'/>",
    ] {
        assert_eq!(walk(&top(good)), Ok(()), "{good}");
    }
    for (bad, path) in [
        ("", "top/first"),
        ("<last/>", "top/first"),
        ("<first>abc</first>", "top/first"),
        ("<first/><first/>", "top"),
        ("<first/><row/>", "row/x"),
        ("<first/><row><x/></row>", "row/x"),
        ("<first/><last/><free xmlns=''/>", "top"),
        ("<first/><o:z/><last/>", "top"),
        ("<first/><z xmlns=''/>", "top"),
        ("<first/>t", "top"),
        ("<first/>&amp;", "top"),
        ("<first/><![CDATA[]]>", "top"),
        ("<first><o:z/></first>", "top/first"),
        ("<first b='c'/>", "top/first"),
        ("<first o:b='c'/>", "top/first"),
        ("<first xsi:nil='false'/>", "top/first"),
        ("<first xsi:type='other'/>", "top/first"),
        ("<first xsi:type='o:short'/>", "top/first"),
        ("<first/><free xmlns='' xsi:nil='false'/>", "top/free"),
        ("<first/><last xsi:nil='true'> </last>", "top/last"),
        ("<first/><last xsi:nil='yes'/>", "top/last"),
    ] {
        assert_eq!(walk(&top(bad)).unwrap_err().0, path, "{bad}");
    }
    let row = "<row><x xmlns=''/></row>";
    assert_eq!(walk(&top(&format!("<first/>{}", row.repeat(2)))), Ok(()));
    let thrice = format!("<first/>{}", row.repeat(3));
    assert_eq!(walk(&top(&thrice)).unwrap_err().0, "top");
}

#[test]
fn an_error_says_where() {
    let document = top("<first>abc</first>");
    let at = document.find("abc").unwrap();
    assert_eq!(walk(&document), Err(("top/first", at)));
    let document = top("<first/><o:z/><last/>");
    assert_eq!(
        walk(&document),
        Err(("top", document.find("<last").unwrap()))
    );
    let document = top("<first/>").replace("<top ", "<top v='abc' ");
    assert_eq!(walk(&document), Err(("top", 5)));
    let document = top("");
    assert_eq!(
        walk(&document),
        Err(("top/first", document.find("</top").unwrap()))
    );
}
