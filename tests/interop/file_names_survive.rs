//! File names by shs-1.2, 2.9, from the sending system through both nodes to list and fetch.

use shs_schemas::ids::TxId;
use shs_schemas::mime::{FileNames, safe_filename};
use shs_schemas::shs::WriteOptions;

use crate::letter::{event, text};
use crate::rig::{At, KOMMUN, PROVSTAD, Plan, Rig, TYST};

/// The name that B's mailbox lists, and that a fetched message has.
async fn names(rig: &Rig, tx_id: &TxId) -> (Option<String>, Option<String>) {
    let outbox = rig.outbox("provstad", At::B, PROVSTAD);
    let fetched = rig.arrives("provstad", At::B, PROVSTAD, TYST).await;
    assert_eq!(&fetched.label.tx_id, tx_id);
    let name = |name: &Option<shs_schemas::Sensitive<String>>| {
        name.as_ref().map(|name| name.expose().clone())
    };
    let listed = name(&fetched.label.content.data[0].filename);
    let of_part = name(&fetched.parts[0].filename);
    outbox.acknowledge(tx_id).await.unwrap();
    (listed, of_part)
}

/// Sends these bytes with the name in them replaced, and gives the names that come out.
async fn through(rig: &Rig, headers: &[u8], attribute: &str) -> Option<String> {
    let mut message = event(KOMMUN, PROVSTAD, TYST);
    message.parts[0].filename = None;
    let body = message.write();
    let body = crate::letter::replaced(
        &body,
        "datapartType=\"underlag\"",
        &format!("datapartType=\"underlag\"{attribute}"),
    );
    let old = b"Content-Disposition: attachment\r\n";
    let at = body.windows(old.len()).position(|at| at == old).unwrap();
    let body = [&body[..at], headers, &body[at + old.len()..]].concat();
    let answer = rig.send_bytes("kommun", At::A, body.into()).await;
    assert_eq!(answer.status, 202, "{:?}", answer.refusal());
    let (listed, of_part) = names(rig, &message.label.tx_id).await;
    assert_eq!(listed, of_part);
    listed
}

#[tokio::test]
async fn add_a_file_name_survives_send_relay_list_and_fetch() {
    let rig = Plan::usual().start().await;
    for name in [
        "a.xml",
        "fråga 17 åäö ÅÄÖ é.xml",
        "€-belopp – 2031.csv",
        "日本語.txt",
        "a;b=\"c\" \\ (d).txt",
        "100%.txt",
        "=?utf-8?Q?a?=.txt",
    ] {
        for file_names in [FileNames::Latin1, FileNames::Rfc2231] {
            let mut message = event(KOMMUN, PROVSTAD, TYST);
            message.parts[0].filename = Some(text(name));
            let body = message.write_for(&WriteOptions { file_names }).body;
            let expected = safe_filename(name).unwrap();
            let answer = rig.send_bytes("kommun", At::A, body.into_exposed()).await;
            assert_eq!(answer.status, 202);
            let outbox = rig.outbox("provstad", At::B, PROVSTAD);
            crate::sandbox::eventually("it is there", || rig.lying(At::B, PROVSTAD) == 1).await;
            let listed = outbox.list(&[]).await.unwrap();
            let in_list = listed.messages[0].data[0].filename.clone().unwrap();
            assert_eq!(in_list.into_exposed(), expected);
            let found = names(&rig, &message.label.tx_id).await;
            assert_eq!(found, (Some(expected.clone()), Some(expected)));
        }
    }
}

#[tokio::test]
async fn add_file_names_of_other_senders_are_read_as_they_are_meant() {
    let rig = Plan::usual().start().await;
    let cases: [(&[u8], &str, Option<&str>); 9] = [
        (b"Content-Disposition: attachment\r\n", "", None),
        (b"Content-Disposition: attachment;\r\n", "", None),
        (
            b"Content-Disposition: attachment; filename=\"fr\xE5ga.xml\"\r\n",
            "",
            Some("fråga.xml"),
        ),
        (
            b"Content-Disposition: attachment; filename=fr\xE5ga 17.xml\r\n",
            "",
            Some("fråga 17.xml"),
        ),
        (
            b"Content-Disposition: attachment; filename=\"fr\xC3\xA5ga.xml\"\r\n",
            "",
            Some("fråga.xml"),
        ),
        (
            b"Content-Disposition: attachment; filename=\"x\"; filename*=UTF-8''fr%C3%A5ga.xml\r\n",
            "",
            Some("fråga.xml"),
        ),
        (
            b"Content-Disposition: attachment; filename=\"=?ISO-8859-1?Q?fr=E5ga.xml?=\"\r\n",
            "",
            Some("fråga.xml"),
        ),
        (
            b"Content-Disposition: attachment; filename=annan.xml\r\n",
            " filename=\"fr&#229;ga.xml\"",
            Some("fråga.xml"),
        ),
        (
            b"Content-Disposition: attachment; filename=\"../../etc/passwd\"\r\n",
            "",
            Some("passwd"),
        ),
    ];
    for (headers, attribute, expected) in cases {
        let found = through(&rig, headers, attribute).await;
        assert_eq!(found.as_deref(), expected, "{headers:?}");
    }
}
