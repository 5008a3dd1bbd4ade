use super::*;
use crate::charset;

/// The description of shs-1.2, 9.9.
const PRODUCT: &str = include_str!("../../../tests/corpus/documents/product.xml");

fn changed(from: &str, to: &str) -> Result<ProductType, WireError> {
    assert!(PRODUCT.contains(from), "{from}");
    ProductType::read(PRODUCT.replacen(from, to, 1).as_bytes())
}

#[test]
fn a_description_is_read() {
    let product = ProductType::read(PRODUCT.as_bytes()).unwrap();
    let uuid = "5a1e0000-1111-4222-8333-444455556666";
    assert_eq!(product.produkt(), Produkt::parse(uuid).unwrap());
    assert_eq!(product.common_name.as_deref(), Some("Provfråga"));
    assert_eq!(product.principal.as_str(), "0000000002");
    assert!(product.resp_required);
    let rule = |role: &str| DataRule {
        datapart_type: role.to_owned(),
        min: 1,
        max: Some(1),
        mime_type: "text".to_owned(),
        mime_subtype: "xml".to_owned(),
        charset: "iso-8859-1".to_owned(),
        encoding: TransferEncoding::Base64,
    };
    assert_eq!(product.data, [rule("fraga")]);
    assert_eq!(product.reply_data, [rule("svar")]);
}

#[test]
fn what_is_not_said_has_a_default() {
    let bare = "<shs.product uuid='5A1E0000-1111-4222-8333-444455556666'><principal>2</principal>\
                <data datapartType='a'><mime/></data></shs.product>";
    let product = ProductType::read(bare.as_bytes()).unwrap();
    assert!(product.resp_required);
    assert_eq!(product.common_name, None);
    assert_eq!(product.reply_data, []);
    let rule = &product.data[0];
    assert_eq!((rule.min, rule.max), (1, Some(1)));
    assert_eq!(
        (&*rule.mime_type, &*rule.mime_subtype, &*rule.charset),
        ("text", "xml", "iso-8859-1")
    );
    assert_eq!(rule.encoding, TransferEncoding::Binary);
}

#[test]
fn any_number_is_written_in_several_ways() {
    for (max, expected) in [
        ("*", None),
        ("n", None),
        ("N", None),
        ("unbounded", None),
        (" 7 ", Some(7)),
        ("1", Some(1)),
    ] {
        let max = format!("maxOccurs=\"{max}\"");
        let product = changed("maxOccurs=\"1\"", &max).unwrap();
        assert_eq!(product.data[0].max, expected, "{max}");
    }
    let none = "minOccurs=\"0\" maxOccurs=\"0\"";
    let product = changed("minOccurs=\"1\" maxOccurs=\"1\"", none).unwrap();
    assert_eq!((product.data[0].min, product.data[0].max), (0, Some(0)));
}

#[test]
fn a_message_and_its_reply_may_have_a_role_of_the_same_name() {
    let product = changed("datapartType=\"svar\"", "datapartType=\"fraga\"").unwrap();
    assert_eq!(product.reply_data[0].datapart_type, "fraga");
}

#[test]
fn version_1_1_differs_in_nothing_but_its_number() {
    let old = PRODUCT
        .replace("shs-product-type-1.2.dtd", "shs-product-type-1.1.dtd")
        .replace(
            "<shs.product version=\"1.2\"",
            "<shs.product version=\"1.1\"",
        );
    assert_eq!(
        ProductType::read(old.as_bytes()),
        ProductType::read(PRODUCT.as_bytes())
    );
}

#[test]
fn every_fault_names_element_and_line() {
    let cases = [
        ("version=\"1.2\"", "version=\"1.3\"", "version", 3),
        (
            "uuid=\"5a1e0000-1111-4222-8333-444455556666\"",
            "",
            "uuid",
            1,
        ),
        ("5a1e0000-1111", "5a1e00001111", "uuid", 3),
        ("5a1e0000-1111-4222-8333-444455556666", "error", "uuid", 3),
        ("urn:X-shs:0000000002", "", "principal", 4),
        ("urn:X-shs:0000000002", "urn:X-shs:P", "principal", 4),
        (
            "</principal>",
            "</principal><principal>1</principal>",
            "principal",
            4,
        ),
        ("datapartType=\"fraga\"", "", "datapartType", 5),
        (
            "datapartType=\"fraga\"",
            "datapartType=\" \"",
            "datapartType",
            5,
        ),
        (
            "<reply-data datapartType=\"svar\"",
            "<data datapartType=\"fraga\"",
            "datapartType",
            9,
        ),
        ("minOccurs=\"1\"", "minOccurs=\"-1\"", "minOccurs", 5),
        ("minOccurs=\"1\"", "minOccurs=\"*\"", "minOccurs", 5),
        (
            "minOccurs=\"1\"",
            "minOccurs=\"5000000000\"",
            "minOccurs",
            5,
        ),
        ("minOccurs=\"1\"", "minOccurs=\"2\"", "maxOccurs", 5),
        (
            "minOccurs=\"1\" maxOccurs=\"1\"",
            "minOccurs=\"2\"",
            "minOccurs",
            5,
        ),
        ("maxOccurs=\"1\"", "maxOccurs=\"\"", "maxOccurs", 5),
        ("maxOccurs=\"1\"", "maxOccurs=\"many\"", "maxOccurs", 5),
        (
            "<mime type=\"text\" subtype=\"xml\" text-charset=\"iso-8859-1\" transfer-encoding=\"base64\"/>",
            "",
            "mime",
            5,
        ),
        ("<mime type", "<mime/><mime type", "mime", 7),
        ("\"base64\"", "\"8bit\"", "transfer-encoding", 7),
        ("<data ", "<part ", "shs.product", 8),
        ("</shs.product>", "", "shs.product", 14),
        ("</shs.product>", "</shs.product><x/>", "shs.product", 13),
        ("<shs.product ", "<shs.produkt ", "shs.product", 3),
        ("&#229;", "&aring;", "shs.product", 3),
        (
            "\"shs-product-type-1.2.dtd\">",
            "\"shs-product-type-1.2.dtd\" [<!ENTITY a \"b\">]>",
            "shs.product",
            2,
        ),
    ];
    for (from, to, element, line) in cases {
        let text = PRODUCT.replacen(from, to, 1);
        let error = changed(from, to).unwrap_err();
        assert_eq!(error.element, element, "{to}");
        let found = charset::line_of(text.as_bytes(), error.offset);
        assert_eq!(found, line, "{to}: {error}");
    }
}

#[test]
fn what_must_be_there_is_missed() {
    let empty = "<shs.product uuid='5a1e0000-1111-4222-8333-444455556666'>{}</shs.product>";
    let data = "<data datapartType='a'><mime/></data>";
    for (children, element) in [
        ("", "data"),
        (data, "principal"),
        ("<principal>2</principal>", "data"),
        (
            "<principal>2</principal><reply-data datapartType='a'><mime/></reply-data>",
            "data",
        ),
    ] {
        let error = ProductType::read(empty.replace("{}", children).as_bytes()).unwrap_err();
        assert_eq!((error.element, error.fault), (element, Fault::Missing));
    }
}

#[test]
fn the_bounds_are_named() {
    let long = PRODUCT.replace("Synkron", &" ".repeat(PRODUCT_BYTES_MAX));
    assert_eq!(
        ProductType::read(long.as_bytes()).unwrap_err().fault,
        Fault::Limit("PRODUCT_BYTES_MAX", PRODUCT_BYTES_MAX)
    );
    for element in ["data", "reply-data"] {
        let one = |i| format!("<{element} datapartType='d{i}'><mime/></{element}>");
        let many: String = (0..=DATA_RULES_MAX).map(one).collect();
        let error = changed("</principal>", &format!("</principal>{many}")).unwrap_err();
        assert_eq!(
            (error.element, error.fault),
            (element, Fault::Limit("DATA_RULES_MAX", DATA_RULES_MAX))
        );
    }
}

#[test]
fn a_description_cut_short_at_any_byte_is_an_error() {
    let whole = PRODUCT.trim_end();
    for end in 0..whole.len() {
        assert!(
            ProductType::read(&whole.as_bytes()[..end]).is_err(),
            "{end}"
        );
    }
    assert!(ProductType::read(whole.as_bytes()).is_ok());
}
