//! What the command line makes of files, and what it shows of answers.

use std::fs;

use bytes::Bytes;
use chrono::Utc;
use clap::Parser;
use shs_schemas::Sensitive;
use shs_schemas::error_code::ErrorCode;
use shs_schemas::mime::{ContentType, TransferEncoding};
use shs_schemas::shs::label::Administrative;
use shs_schemas::shs::label::{Actor, SequenceType, Status, TransferType};
use shs_schemas::shs::{Adress, DataPart};
use shs_schemas::shs::{KnownIds, Management};

use super::*;
use crate::cli::{Cli, Command};
use crate::client::Client;

const PRODUCT: &str = "5a1e0000-1111-4222-8333-444455557777";

fn args(more: &[&str]) -> Box<SendArgs> {
    let all = ["samsvar", "send"].into_iter().chain(more.iter().copied());
    match Cli::try_parse_from(all).unwrap().command {
        Command::Send(args) => args,
        other => panic!("{other:?}"),
    }
}

fn read_back(bytes: Bytes) -> Message {
    Message::read(bytes, None, &mime::Limits::default()).unwrap()
}

fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> HttpAnswer {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    HttpAnswer {
        status,
        headers: headers.iter().map(pair).collect(),
        body: Sensitive::new(body.into()),
    }
}

fn shown(answer: &HttpAnswer, folder: Option<&Path>) -> (bool, String) {
    let mut out = Vec::new();
    let taken = show(&mut out, answer, folder).unwrap();
    (taken, String::from_utf8(out).unwrap())
}

/// A message with two parts, as the command line makes it.
fn made(more: &[&str]) -> Message {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let first = format!("underlag={}", file("underlag.csv", "å;1\n".as_bytes()));
    let second = format!("bilaga={}", file("bilaga.xyz", b"\0\xFF"));
    let fixed = ["--datapart", &first, "--datapart", &second];
    let parties = ["--from-actor", "0000000001.lon", "--product", PRODUCT];
    read_back(
        args(&[&fixed[..], &parties, more].concat())
            .bytes()
            .unwrap(),
    )
}

#[test]
fn a_message_is_made_from_files() {
    let message = made(&[]);
    let label = &message.label;
    assert_eq!(label.transfer_type, TransferType::Asynch);
    assert_eq!(label.sequence_type, SequenceType::Event);
    assert_eq!(label.status, Status::Production);
    assert_eq!(
        (label.corr_id.as_str(), &label.to),
        (label.tx_id.as_str(), &None)
    );
    assert_eq!(
        label.from.as_ref().unwrap().address.bare(),
        "0000000001.lon"
    );
    let [csv, other] = &message.parts[..] else {
        panic!("two parts");
    };
    assert_eq!(csv.datapart_type, "underlag");
    assert_eq!(csv.filename.as_ref().unwrap().expose(), "underlag.csv");
    assert_eq!(
        csv.content_type,
        ContentType::new("text/csv", Some("UTF-8"))
    );
    assert_eq!(csv.encoding, TransferEncoding::Base64);
    assert_eq!(&other.data.expose()[..], b"\0\xFF");
    assert_eq!(other.content_type, ContentType::OCTET_STREAM);
}

#[test]
fn every_option_ends_up_in_the_label() {
    let message = made(&[
        "--synch",
        "--to-actor",
        "0000000002.ekonomi",
        "--from-name",
        "Fiktivkontoret",
        "--sequence-type",
        "reply",
        "--status",
        "test",
        "--meta",
        "typ=månad",
        "--meta",
        "a=b=c",
        "--subject",
        "Underlag",
        "--originator",
        "urn:X-shs:1",
        "--end-recipient",
        "inkorg",
        "--corr-id",
        "c-1",
        "--agreement",
        "a-1",
        "--content-type",
        "text/x; charset=UTF-8",
        "--binary",
    ]);
    let label = &message.label;
    assert_eq!(label.transfer_type, TransferType::Synch);
    assert_eq!(
        (label.sequence_type, label.status),
        (SequenceType::Reply, Status::Test)
    );
    assert_eq!(
        label.to.as_ref().unwrap().address.bare(),
        "0000000002.ekonomi"
    );
    let name = label.from.as_ref().unwrap().common_name.as_deref();
    assert_eq!(name, Some("Fiktivkontoret"));
    let meta: Vec<_> = label
        .meta
        .iter()
        .map(|m| m.value.expose().as_str())
        .collect();
    assert_eq!(meta, ["månad", "b=c"]);
    assert_eq!(label.subject.as_ref().unwrap().expose(), "Underlag");
    assert_eq!(label.end_recipient.as_ref().unwrap().bare(), "inkorg");
    assert_eq!(label.originator.as_ref().unwrap().bare(), "1");
    assert_eq!(label.corr_id.as_str(), "c-1");
    assert_eq!(label.agreement.as_ref().unwrap().as_str(), "a-1");
    assert!(message.parts.iter().all(|part| {
        part.content_type.essence() == "text/x" && part.encoding == TransferEncoding::Binary
    }));
    assert_eq!(
        made(&["--synch"]).label.sequence_type,
        SequenceType::Request
    );
}

#[test]
fn what_cannot_be_sent_is_said_with_the_name_of_the_option() {
    let file = env!("CARGO_MANIFEST_PATH");
    let part = format!("a={file}");
    let fault = |actor: &str, product: &str, more: &[&str]| {
        let first = [
            "--datapart",
            &part,
            "--from-actor",
            actor,
            "--product",
            product,
        ];
        args(&[&first[..], more].concat())
            .bytes()
            .unwrap_err()
            .to_string()
    };
    assert!(fault("hemligt", PRODUCT, &[]).starts_with("--from-actor: "));
    assert!(fault("1", "hemligt", &[]).starts_with("--product: "));
    assert!(fault("1", PRODUCT, &["--to-actor", "hemligt"]).starts_with("--to-actor: "));
    assert!(fault("1", PRODUCT, &["--corr-id", "hem ligt"]).starts_with("--corr-id: "));
    assert!(fault("1", PRODUCT, &["--content-type", "x"]).starts_with("--content-type"));
    assert!(args(&["--message", "/nowhere"]).bytes().is_err());
    for bad in ["--datapart=a", "--datapart==b", "--meta=a"] {
        assert!(
            Cli::try_parse_from(["samsvar", "send", bad]).is_err(),
            "{bad}"
        );
    }
}

#[test]
fn a_ready_message_is_sent_byte_for_byte() {
    let file = env!("CARGO_MANIFEST_PATH");
    let bytes = args(&["--message", file]).bytes().unwrap();
    assert_eq!(bytes, fs::read(file).unwrap());
}

#[test]
fn a_receipt_is_shown_with_its_headers() {
    let headers = [("x-shs-duplicatemsg", "no"), ("date", "today")];
    let (taken, text) = shown(&answer(202, &headers, "7b9d1c52\n"), None);
    assert!(taken);
    assert_eq!(
        text,
        "status 202\nx-shs-duplicatemsg: no\naccepted: 7b9d1c52\n"
    );
    let (taken, text) = shown(&answer(200, &[], "<html>"), None);
    assert!(
        !taken && text.contains("neither a reply nor a receipt"),
        "{text}"
    );
}

#[test]
fn a_refusal_is_shown_with_code_and_text() {
    let known = KnownIds::default();
    let document = Management::refusal(
        &known,
        ErrorCode::MissingAgreement,
        "Avtal saknas",
        Utc::now(),
    );
    let headers = [("x-shs-errorcode", "MissingAgreement")];
    let (taken, text) = shown(&answer(400, &headers, document.write()), None);
    assert!(!taken);
    assert!(
        text.ends_with("refused: MissingAgreement: Avtal saknas\n"),
        "{text}"
    );
    let (taken, text) = shown(&answer(502, &[], "<html>"), None);
    assert!(
        !taken && text.ends_with("refused: OtherError: no reason given\n"),
        "{text}"
    );
}

#[test]
fn a_reply_is_put_on_disk_and_an_error_message_counts_as_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let reply = made(&["--synch", "--sequence-type", "reply"]);
    let (taken, text) = shown(&answer(200, &[], reply.write()), Some(folder.path()));
    assert!(taken && text.contains("underlag 5, bilaga 2"), "{text}");
    let saved = folder.path().join(reply.label.tx_id.as_str());
    assert_eq!(fs::read(saved.join("part-2.bin")).unwrap(), b"\0\xFF");
    let own = Actor::new(Adress::parse("0000000002").unwrap(), None);
    let mut label = reply
        .label
        .administrative(Administrative::Error, &own, Utc::now());
    label.transfer_type = TransferType::Synch;
    let document = Management::refusal(
        &label.known_ids(),
        ErrorCode::UnknownReceiver,
        "Okänd",
        Utc::now(),
    );
    let error = Message {
        label,
        parts: vec![DataPart::management(&document)],
    };
    let (taken, text) = shown(&answer(200, &[], error.write()), None);
    assert!(!taken && text.contains("error UnknownReceiver"), "{text}");
}

#[actix_web::test]
async fn a_message_is_posted_and_every_status_is_an_answer() {
    use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let receive = async |request: HttpRequest, body: Bytes| {
        let kind = request
            .headers()
            .get("content-type")
            .unwrap()
            .to_str()
            .unwrap();
        let mut response = HttpResponse::ServiceUnavailable();
        response.insert_header(("X-shs-nodeid", kind)).body(body)
    };
    let app = move || App::new().route("/shs/rs", web::post().to(receive));
    let server = HttpServer::new(app).workers(1).disable_signals();
    let server = server.bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/shs/rs", server.addrs()[0]);
    actix_rt::spawn(server.run());
    let answer = Client::new()
        .unwrap()
        .send(&url, Bytes::from("message"))
        .await
        .unwrap();
    assert_eq!((answer.status, answer.is_success()), (503, false));
    assert_eq!(answer.header("x-shs-nodeid"), Some("message/rfc822"));
    assert_eq!(&answer.body.expose()[..], b"message");
    assert!(
        Client::new()
            .unwrap()
            .send("no address", Bytes::new())
            .await
            .is_err()
    );
}
