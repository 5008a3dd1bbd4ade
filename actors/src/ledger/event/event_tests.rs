use shs_schemas::ids::{ContentId, CorrId, TxId};
use shs_schemas::shs::label::{SequenceType, Status, TransferType};
use shs_schemas::shs::{Adress, Produkt};

use super::*;

const TX: &str = "c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01";

fn line(ids: Ids, what: What) -> String {
    let event = Event {
        happened: "2026-11-22T23:59:59.9996Z".parse().unwrap(),
        request_id: Uuid::from_u128(7),
        ids,
        what,
    };
    let mut out = Vec::new();
    event.write("samsvar-1", None, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn mottaget(from: &str, to: Option<&str>) -> What {
    What::Mottaget(Mottaget {
        from: Adress::parse(from).unwrap(),
        to: to.map(|to| Adress::parse(to).unwrap()),
        product: Produkt::Error,
        status: Status::Test,
        transfer_type: TransferType::Asynch,
        sequence_type: SequenceType::Adm,
        bytes: 1234,
        parts: 1,
    })
}

#[test]
fn a_line_reads_like_this() {
    let ids = Ids::new(Some(&TxId::parse(TX).unwrap()), None, None);
    assert_eq!(
        line(ids, mottaget("2120009994.ek\"o", Some("2021009994"))),
        concat!(
            r#"{"time":"2026-11-22T23:59:59.999Z","event":"mottaget","#,
            r#""from":"urn:X-shs:2120009994.ek\"o","to":"urn:X-shs:2021009994","#,
            r#""product":"urn:X-shs:error","status":"test","transfer_type":"asynch","#,
            r#""sequence_type":"adm","bytes":1234,"parts":1,"node":"samsvar-1","#,
            r#""request_id":"00000000-0000-0000-0000-000000000007","#,
            r#""tx_id":"c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01"}"#,
        )
    );
    let fel = What::Fel {
        code: ErrorCode::MissingAgreement,
        class: Source::Caller,
        place: Place::AnnanNod,
    };
    for (what, expected) in [
        (
            fel,
            r#""event":"fel","code":"MissingAgreement","class":"caller","where":"annan_nod","#,
        ),
        (
            What::Kvitterat { slag: Slag::Svar },
            r#""event":"kvitterat","slag":"svar","node""#,
        ),
        (
            What::Levererat {
                slag: Slag::FelOmSvar,
                way: Way::Push,
                attempts: 2,
                ms: 31,
            },
            r#""event":"levererat","slag":"fel_om_svar","way":"push","attempts":2,"ms":31,"#,
        ),
        (
            What::Avbrutet {
                reason: Avbrott::AnroparenBorta,
            },
            r#""event":"avbrutet","reason":"anroparen_borta","#,
        ),
    ] {
        let line = line(Ids::default(), what);
        assert!(line.contains(expected), "{line}");
        assert!(!line.contains("opak"), "{line}");
    }
}

#[test]
fn an_identifier_that_is_no_uuid_is_not_written() {
    for odd in [
        "198001019999",
        "ARENDE-2026-17",
        "{c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01}",
        "c41f7a102b6d4e5c8f930d1e2a3b4c01",
        "c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c0g",
    ] {
        // Braces are no NMTOKEN: such a one never gets here.
        let Ok(tx_id) = TxId::parse(odd) else {
            assert!(PlainId::of(odd).is_none());
            continue;
        };
        let corr_id = CorrId::parse(TX).unwrap();
        let ids = Ids::new(Some(&tx_id), Some(&corr_id), None);
        let line = line(ids, What::Duplett);
        assert!(!line.contains(odd), "{line}");
        assert!(line.contains(&format!(r#""corr_id":"{TX}","id":"opak"}}"#)));
    }
}

#[test]
fn the_longest_line_is_within_its_bound() {
    let inner = format!("2120009994.{}", "\"".repeat(245));
    let id = TxId::parse(TX).unwrap();
    let (corr, content) = (CorrId::parse(TX).unwrap(), ContentId::parse("x").unwrap());
    let ids = Ids::new(Some(&id), Some(&corr), Some(&content));
    let line = line(ids, mottaget(&inner, Some(&inner)));
    assert!(line.len() > 1024 && line.len() <= LINE_BYTES_MAX - 256);
}
