//! Every row of shs-1.2, 2.13 over HTTP: what is accepted is relayed by A, and lies at B as if it had been
//! sent in the usual form; what is rejected is rejected before the answer.

use std::fmt::Debug;

use samsvar_actors::transfers::TransferState as State;
use shs_schemas::ids::TxId;

use crate::letter::{data, read};
use crate::rig::{At, KOMMUN, PROVSTAD, Plan, Rig, TYST};

/// What the data part holds.
const DATA: &str = "rad;belopp\r\n1;100\n";

/// A message in the usual form.
fn usual(tx_id: &TxId) -> String {
    format!(
        "Subject: SHS Message\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed;\r\n\tboundary=\"=_prov\"\r\n\
         Content-Transfer-Encoding: binary\r\n\r\n\
         --=_prov\r\n\
         Content-Type: text/xml; charset=ISO-8859-1\r\n\
         Content-Transfer-Encoding: binary\r\n\r\n\
         <?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n\
         <!DOCTYPE shs.label SYSTEM \"shs-label-1.2.dtd\">\n\
         <shs.label version=\"1.2\" tx.id=\"{tx_id}\" corr.id=\"{tx_id}\" transfer-type=\"asynch\" \
         message-type=\"simple\" document-type=\"simple\" sequence-type=\"event\" \
         status=\"production\">\n\
         <from commonName=\"Kommunen\">urn:X-shs:{KOMMUN}</from>\n\
         <to commonName=\"Provstad\">urn:X-shs:{PROVSTAD}</to>\n\
         <product>urn:X-shs:{TYST}</product>\n\
         <subject>Underlag</subject>\n\
         <datetime>2031-03-04T10:00:00</datetime>\n\
         <content content.id=\"c-{tx_id}\">\n<data datapartType=\"underlag\"/>\n</content>\n\
         </shs.label>\r\n\
         --=_prov\r\n\
         Content-Type: text/csv; charset=us-ascii\r\n\
         Content-Transfer-Encoding: binary\r\n\
         Content-Disposition: attachment\r\n\r\n\
         {DATA}\r\n--=_prov--\r\n"
    )
}

/// A row: what is varied, how, and whether it is accepted.
struct Row {
    variation: &'static str,
    vary: Box<dyn Fn(String) -> String>,
    http: Option<&'static str>,
    accepted: bool,
}

/// A text of the usual form replaced, wherever it stands.
fn replace(variation: &'static str, from: &'static str, to: &'static str) -> Row {
    changed(variation, move |body| {
        assert!(body.contains(from), "{from}");
        body.replace(from, to)
    })
}

fn changed(variation: &'static str, vary: impl Fn(String) -> String + 'static) -> Row {
    Row {
        variation,
        vary: Box::new(vary),
        http: None,
        accepted: true,
    }
}

impl Row {
    fn rejected(self) -> Self {
        let accepted = false;
        Self { accepted, ..self }
    }

    fn http(self, content_type: &'static str) -> Self {
        let http = Some(content_type);
        Self { http, ..self }
    }
}

const DOCTYPE: &str = "<!DOCTYPE shs.label SYSTEM \"shs-label-1.2.dtd\">\n";

/// The body without its own header block.
fn bare(body: &str) -> String {
    let (_, parts) = body.split_once("\r\n\r\n").unwrap();
    parts.to_owned()
}

/// The label and the data part change places.
fn label_last(body: &str) -> String {
    let parts: Vec<&str> = body.split("--=_prov").collect();
    let [outer, label, part, end] = parts.as_slice() else {
        panic!("two parts");
    };
    [*outer, *part, *label, *end].join("--=_prov")
}

fn of_mime() -> Vec<Row> {
    vec![
        changed("LF instead of CRLF", |body| body.replace("\r\n", "\n")),
        replace("no MIME-Version", "MIME-Version: 1.0\r\n", ""),
        replace("multipart/related", "multipart/mixed", "multipart/related"),
        replace("boundary with spaces, quoted", "=_prov", "a b (1)"),
        changed("header names in other letter case", |body| {
            let body = body.replace("Content-Type:", "CONTENT-TYPE:");
            body.replace("Content-Transfer-Encoding:", "content-transfer-encoding:")
        }),
        changed(
            "text before the first and after the last boundary",
            |body| body.replacen("\r\n\r\n", "\r\n\r\nFör dem utan MIME.\r\n", 1) + "Slut.\r\n",
        ),
        replace("no closing boundary", "\r\n--=_prov--\r\n", "").rejected(),
        changed("body starts at boundary, HTTP has it", |body| bare(&body))
            .http("multipart/mixed; boundary=\"=_prov\""),
        changed("body starts at boundary, nobody has it", |body| bare(&body))
            .http("multipart/mixed")
            .rejected(),
        changed("HTTP says multipart without boundary", |body| body).http("multipart/mixed"),
        changed("label part not first", |body| label_last(&body)).rejected(),
        replace("label as application/xml", "text/xml", "application/xml"),
        replace(
            "data part without Content-Type",
            "Content-Type: text/csv; charset=us-ascii\r\n",
            "",
        ),
    ]
}

fn of_the_label() -> Vec<Row> {
    vec![
        replace("no DOCTYPE", DOCTYPE, ""),
        replace(
            "DOCTYPE with a path",
            "shs-label-1.2.dtd",
            "/opt/dtd/shs-label-1.2.dtd",
        ),
        replace(
            "unknown DTD name",
            "shs-label-1.2.dtd",
            "https://192.0.2.1/egen.dtd",
        ),
        replace(
            "unknown elements",
            "<product>",
            "<tomt/><okant a='b'>text</okant><product>",
        ),
        changed("children in wrong order", |body| {
            let subject = "<subject>Underlag</subject>\n";
            let body = body.replace(subject, "");
            body.replace("<from ", &format!("{subject}<from "))
        }),
        replace("unknown enumerated value", "\"event\"", "\"fest\"").rejected(),
        replace("upper-case enumerated value", "\"asynch\"", "\"ASYNCH\"").rejected(),
        changed("white space in ids and enumerated values", |body| {
            let body = body
                .replace("tx.id=\"", "tx.id=\"\n ")
                .replace("\"event\"", "\" event\t\"");
            body.replace("\"asynch\"", "\"\nasynch \"")
        }),
        changed("white space around URNs", |body| {
            let body = body.replace(">urn:X-shs:", ">\n  urn:X-shs:");
            body.replace("</to>", " \n</to>")
        }),
        replace(
            "urn prefix in other letter case",
            "urn:X-shs:",
            "URN:x-SHS:",
        ),
        replace("no urn prefix", "urn:X-shs:", ""),
        replace(
            "datetime with zone",
            "2031-03-04T10:00:00",
            "2031-03-04T09:00:00Z",
        ),
        replace(
            "datetime with fractions",
            "2031-03-04T10:00:00",
            "2031-03-04T10:00:00.123",
        ),
        replace("datetime date only", "2031-03-04T10:00:00", "2031-03-04"),
        changed("label version 1.1", |body| {
            let body = body.replace("version=\"1.2\"", "version=\"1.1\"");
            let body = body.replace(" message-type=\"simple\"", "");
            body.replace("content.id=", "uuid=")
                .replace(" datapartType=\"underlag\"", "")
        }),
    ]
}

/// Sends a row; gives status and code.
async fn sent(rig: &Rig, row: &Row, tx_id: &TxId) -> (u16, Option<String>) {
    let config = rig.certificates.tls(Some("kommun"));
    let client = reqwest::Client::builder().tls_backend_preconfigured(config);
    let request = client.build().unwrap().post(rig.rs(At::A));
    let content_type = row.http.unwrap_or("message/rfc822");
    let request = request.header("content-type", content_type);
    let answer = request.body((row.vary)(usual(tx_id))).send().await.unwrap();
    let code = answer.headers().get("x-shs-errorcode");
    let code = code.map(|code| code.to_str().unwrap().to_owned());
    (answer.status().as_u16(), code)
}

async fn arrives_as_usual(rig: &Rig, row: &Row, tx_id: &TxId) {
    let variation = row.variation;
    let arrived = rig.arrives("provstad", At::B, PROVSTAD, TYST).await;
    let label = &arrived.label;
    same(variation, &label.tx_id, tx_id);
    same(variation, &label.corr_id.as_str(), &tx_id.as_str());
    same(
        variation,
        &label.content.id.as_str(),
        &format!("c-{tx_id}").as_str(),
    );
    same(
        variation,
        &label.to.as_ref().unwrap().address.bare().as_str(),
        &PROVSTAD,
    );
    let subject = label
        .subject
        .as_ref()
        .map(|subject| subject.expose().as_str());
    same(variation, &subject, &Some("Underlag"));
    let day = label.datetime.date().to_string();
    same(variation, &day.as_str(), &"2031-03-04");
    let expected = if variation.starts_with("LF") {
        DATA.replace("\r\n", "\n")
    } else {
        DATA.to_owned()
    };
    same(variation, &data(&arrived, 0).as_ref(), &expected.as_bytes());
    let written = read(arrived.write());
    same(variation, &written.parts.len(), &1);
    let outbox = rig.outbox("provstad", At::B, PROVSTAD);
    outbox.acknowledge(tx_id).await.unwrap();
}

fn same<T: PartialEq + Debug>(variation: &str, found: &T, expected: &T) {
    assert_eq!(found, expected, "{variation}");
}

async fn check(rows: Vec<Row>) {
    let rig = Plan::usual().start().await;
    for row in rows {
        let tx_id = TxId::fresh();
        let (status, code) = sent(&rig, &row, &tx_id).await;
        let variation = row.variation;
        if row.accepted {
            assert_eq!((status, code), (202, None), "{variation}");
            arrives_as_usual(&rig, &row, &tx_id).await;
        } else {
            let expected = (400, Some("IllegalMessageStructure".to_owned()));
            assert_eq!((status, code), expected, "{variation}");
            let transfers = rig.node(At::A).node().asynch().unwrap().transfers();
            let known: Option<(State, bool)> = transfers.state(&tx_id);
            assert_eq!(known, None, "{variation}");
        }
    }
}

#[tokio::test]
async fn add_every_row_of_the_tolerance_table_about_mime() {
    check(of_mime()).await;
}

#[tokio::test]
async fn add_every_row_of_the_tolerance_table_about_the_label() {
    check(of_the_label()).await;
}
