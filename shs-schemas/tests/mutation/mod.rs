//! A document changed in one place at a time, in every way that a schema can object to.

use roxmltree::{Document, Node};

/// One changed document.
pub(crate) struct Mutation {
    /// What was done to it.
    pub(crate) kind: &'static str,
    /// To which element.
    pub(crate) at: String,
    pub(crate) document: String,
}

/// Texts put in place of the text of each element.
const TEXTS: &[(&str, &str)] = &[
    ("no text", ""),
    ("a blank", " "),
    ("ten blanks", "          "),
    ("a letter", "x"),
    ("a letter in CDATA", "<![CDATA[x]]>"),
    ("a comment in the text", "2026<!-- c -->-01-01"),
    ("a reference in the text", "2026-01-0&#49;"),
    ("a word of another enumeration", "OK"),
    ("upper case", "TRUE"),
    ("a boolean", "true"),
    ("a digit", "1"),
    ("three digits", "123"),
    ("nine digits", "123456789"),
    ("ten digits", "1234567890"),
    ("twelve digits", "199503142383"),
    ("a signed number", "-12"),
    ("a plus", "+12"),
    ("a decimal number", "12.50"),
    ("a bare point", "."),
    ("an exponent", "1e3"),
    ("too great an int", "2147483648"),
    ("a date", "2026-02-28"),
    ("a date with zone", "2026-02-28+01:00"),
    ("no date", "2026-02-30"),
    ("a date with time", "2026-02-28T00:00:00"),
    ("a date with blanks", " 2026-02-28\n"),
    ("a number with blanks", " 12 "),
    ("a boolean with blanks", " true "),
    ("digits of another script", "١٢٣٤٥٦٧٨٩٠١٢"),
    ("forty letters", "åååååååååååååååååååååååååååååååååååååååå"),
    (
        "forty-one letters",
        "ååååååååååååååååååååååååååååååååååååååååå",
    ),
    ("a document", "&lt;a/>"),
];

/// Attributes given to each element.
const ATTRIBUTES: &[(&str, &str)] = &[
    ("an attribute", "z9=\"1\""),
    ("an attribute of a namespace", "w:z9=\"1\""),
    ("xml:lang", "xml:lang=\"sv\""),
    ("xsi:schemaLocation", "xsi:schemaLocation=\"a b\""),
    ("another xsi attribute", "xsi:z9=\"1\""),
    ("xsi:nil false", "xsi:nil=\"false\""),
    ("xsi:nil true", "xsi:nil=\"true\""),
    ("xsi:nil wrong", "xsi:nil=\"x\""),
    ("xsi:type string", "xsi:type=\"xs:string\""),
    ("xsi:type date", "xsi:type=\"xs:date\""),
    ("xsi:type int", "xsi:type=\"xs:int\""),
    ("xsi:type decimal", "xsi:type=\"xs:decimal\""),
    ("xsi:type boolean", "xsi:type=\"xs:boolean\""),
    ("xsi:type derived", "xsi:type=\"xs:token\""),
    ("xsi:type anyType", "xsi:type=\"xs:anyType\""),
    ("xsi:type unknown", "xsi:type=\"w:z9\""),
    ("xsi:type unbound", "xsi:type=\"nobody:z9\""),
];

/// What is put into an element that holds elements, or nothing.
const CONTENT: &[(&str, &str)] = &[
    ("text between", "x"),
    ("white space between", "\n "),
    ("white space as reference", "&#32;&#13;"),
    ("empty CDATA", "<![CDATA[]]>"),
    ("blank CDATA", "<![CDATA[ ]]>"),
    ("comment and instruction", "<!-- c --><?p i?>"),
    ("a foreign element", "<w:z9 b='c'>1<z9/></w:z9>"),
    (
        "a foreign typed element",
        "<w:z9 xsi:type='xs:int'>1</w:z9>",
    ),
    (
        "a foreign element of a wrong type",
        "<w:z9 xsi:type='xs:int'>x</w:z9>",
    ),
    (
        "a foreign element of an unknown type",
        "<w:z9 xsi:type='w:z9'/>",
    ),
    ("a foreign nil element", "<w:z9 xsi:nil='true'>1</w:z9>"),
    ("a foreign element, nil wrong", "<w:z9 xsi:nil='x'/>"),
    (
        "a foreign nil typed element",
        "<w:z9 xsi:nil='true' xsi:type='xs:int'/>",
    ),
    (
        "a foreign nil typed element with text",
        "<w:z9 xsi:nil='true' xsi:type='xs:int'>1</w:z9>",
    ),
    (
        "a foreign typed element with attribute",
        "<w:z9 xsi:type='xs:int' b='c'>1</w:z9>",
    ),
    (
        "a foreign element with a typed child",
        "<w:z9><z9 xsi:type='xs:date'>x</z9></w:z9>",
    ),
    ("an element in no namespace", "<z9 xmlns=''/>"),
    (
        "a message of the contract",
        "<m:findByPersonnummerResponse xmlns:m='http://schema.migrationsverket.se/ssbtek/1/'/>",
    ),
    (
        "a broken message of the contract",
        "<m:HamtaUppgifter xmlns:m=\
         'http://schema.transportstyrelsen.se/ssbtek/hamtauppgifterresponder/1'/>",
    ),
    (
        "a vehicle in the wrong namespace",
        "<m:fordon xmlns:m=\
         'http://schema.transportstyrelsen.se/ssbtek/hamtauppgifterresponder/1'/>",
    ),
];

/// Prefixes that the changes above use.
const DECLARATIONS: &[(&str, &str)] = &[
    ("xmlns:w", "urn:w"),
    ("xmlns:xs", "http://www.w3.org/2001/XMLSchema"),
    ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
];

/// The places of one element in its document.
struct Place {
    start: usize,
    /// After the name in the start tag.
    name_end: usize,
    /// After the start tag.
    inner_start: usize,
    inner_end: usize,
    end: usize,
}

impl Place {
    fn of(node: Node<'_, '_>) -> Self {
        let document = node.document().input_text();
        let range = node.range();
        let text = &document[range.clone()];
        let name = text[1..].find([' ', '>', '/', '\n']).unwrap() + 1;
        let mut quote = None;
        let tag = text
            .char_indices()
            .find(|&(_, c)| {
                match (quote, c) {
                    (None, '"' | '\'') => quote = Some(c),
                    (Some(open), c) if open == c => quote = None,
                    (None, '>') => return true,
                    _ => {}
                }
                false
            })
            .unwrap()
            .0;
        let self_closing = text[..tag].ends_with('/');
        let inner_end = if self_closing {
            tag + 1
        } else {
            text.rfind("</").unwrap()
        };
        Self {
            start: range.start,
            name_end: range.start + name,
            inner_start: range.start + tag + 1,
            inner_end: range.start + inner_end,
            end: range.end,
        }
    }

    fn name<'a>(&self, document: &'a str) -> &'a str {
        &document[self.start + 1..self.name_end]
    }

    /// The document with this element written anew.
    fn rewritten(&self, document: &str, name: &str, attributes: &str, content: &str) -> String {
        let given = document[self.name_end..self.inner_start]
            .trim_end_matches('>')
            .trim_end_matches('/');
        format!(
            "{}<{name}{given}{attributes}>{content}</{name}>{}",
            &document[..self.start],
            &document[self.end..]
        )
    }
}

/// The document itself, then one document for each change to `root` and all elements within it.
/// Declarations that changes need are put on the root of the document beforehand.
pub(crate) fn mutations(document: &str, root: &str) -> Vec<Mutation> {
    let parsed = Document::parse(document).unwrap();
    let outer = Place::of(parsed.root_element());
    let mut declared = document.to_owned();
    for (name, uri) in DECLARATIONS {
        if !document[outer.name_end..outer.inner_start].contains(name) {
            declared.insert_str(outer.name_end, &format!(" {name}=\"{uri}\""));
        }
    }
    let document = declared.as_str();
    let parsed = Document::parse(document).unwrap();
    let mut all = vec![Mutation {
        kind: "nothing",
        at: String::new(),
        document: document.to_owned(),
    }];
    let root = parsed
        .descendants()
        .find(|node| node.tag_name().name() == root)
        .unwrap();
    for node in root.descendants().filter(Node::is_element) {
        let at = format!(
            "{}/{}",
            node.parent_element()
                .map_or("", |parent| parent.tag_name().name()),
            node.tag_name().name()
        );
        let place = Place::of(node);
        let mut add = |kind, changed: String| {
            all.push(Mutation {
                kind,
                at: at.clone(),
                document: changed,
            });
        };
        moved(document, node, &place, &mut add);
        renamed(document, &place, &mut add);
        attributes(document, node, &place, &mut add);
        let inner = &document[place.inner_start..place.inner_end.max(place.inner_start)];
        let name = place.name(document);
        let has_children = node.children().any(|child| child.is_element());
        if !has_children {
            for (kind, text) in TEXTS {
                add(kind, place.rewritten(document, name, "", text));
            }
        }
        if has_children || inner.is_empty() {
            for (kind, more) in CONTENT {
                add(
                    kind,
                    place.rewritten(document, name, "", &format!("{inner}{more}")),
                );
            }
        }
    }
    all
}

fn moved(
    document: &str,
    node: Node<'_, '_>,
    place: &Place,
    add: &mut impl FnMut(&'static str, String),
) {
    let (before, own, after) = (
        &document[..place.start],
        &document[place.start..place.end],
        &document[place.end..],
    );
    add("deleted", format!("{before}{after}"));
    add("doubled", format!("{before}{own}{own}{after}"));
    add("eleven times", format!("{before}{}{after}", own.repeat(11)));
    if let Some(next) = node.next_sibling_element() {
        let next = next.range();
        add(
            "swapped",
            format!(
                "{before}{}{}{own}{}",
                &document[next.clone()],
                &document[place.end..next.start],
                &document[next.end..]
            ),
        );
    }
}

fn renamed(document: &str, place: &Place, add: &mut impl FnMut(&'static str, String)) {
    let inner = &document[place.inner_start..place.inner_end.max(place.inner_start)];
    let name = place.name(document);
    let local = name.rsplit(':').next().unwrap();
    let mut rename = |kind, new: &str| add(kind, place.rewritten(document, new, "", inner));
    rename("renamed", &format!("{name}X"));
    rename("in a foreign namespace", &format!("w:{local}"));
    if local != name {
        rename("in no namespace", local);
    }
    rename("in lower case", &name.to_lowercase());
}

fn attributes(
    document: &str,
    node: Node<'_, '_>,
    place: &Place,
    add: &mut impl FnMut(&'static str, String),
) {
    let inner = &document[place.inner_start..place.inner_end.max(place.inner_start)];
    let name = place.name(document);
    for (kind, attribute) in ATTRIBUTES {
        add(
            kind,
            place.rewritten(document, name, &format!(" {attribute}"), inner),
        );
    }
    for attribute in node.attributes() {
        let (whole, value) = (attribute.range(), attribute.range_value());
        add(
            "without an attribute",
            format!("{}{}", &document[..whole.start], &document[whole.end..]),
        );
        for text in [
            "",
            " ",
            "x",
            "1",
            "18",
            "1234",
            "12345678",
            "4.0",
            " 4.0 ",
            "4,0",
            "Ej träff",
            "Ej traff",
            "         ",
            "Nej",
            "9503142383",
            "9513142383",
            "9523142383",
            "9503442383",
            "199503142383",
            "1234567890123",
            "١٢٣",
            "true",
            "a&#10;b",
        ] {
            add(
                "an attribute with another value",
                format!(
                    "{}{text}{}",
                    &document[..value.start],
                    &document[value.end..]
                ),
            );
        }
    }
}
