//! What operators and other nodes' operators read about errors is what the code does.

use samsvar_actors::failure::{Failure, Rejection, Source};
use shs_schemas::shs::KnownIds;
use shs_schemas::ssbtek::fel::Skuld;
use shs_schemas::ssbtek::{FaultFelkod, SsbtFelkod};
use shs_schemas::{ErrorCode, Uppgiftslamnare};

const NODE: &str = include_str!("../docs/shs-node.md");
const SSBTEK: &str = include_str!("../docs/ssbtek.md");

/// The reasons, each once; a new one does not compile until it stands here.
macro_rules! reasons {
    ($($reason:ident),+ $(,)?) => {
        fn reasons() -> Vec<Failure> {
            // Never called: it only has to cover everything.
            #[expect(dead_code, reason = "checked when it is compiled")]
            const fn all(failure: Failure) {
                match failure {
                    Failure::Unreadable(_) => {}
                    $(Failure::$reason => {})+
                }
            }
            let unreadable = Failure::Unreadable(ErrorCode::IllegalMessageStructure);
            vec![unreadable, $(Failure::$reason),+]
        }
    };
}

reasons!(
    BodyTooLarge,
    HeadersTooLarge,
    SlowSender,
    Method,
    Asynchronous,
    NotAQuestion,
    NotARequest,
    Combination,
    Status,
    ReceiverMissing,
    UnknownReceiver,
    NoService,
    NoRelay,
    SenderMissing,
    NotTheSender,
    UnknownSender,
    Originator,
    EndRecipient,
    CertificateRefused,
    Browser,
    CertificateHeader,
    UnknownProduct,
    NoAgreement,
    NamedAgreement,
    NoReceiver,
    TooManyReceivers,
    Parts,
    NoAddress,
    NotDelivered,
    NotFetched,
    DirectoryAway,
    NotNoted,
    OutboxFull,
    TransfersFull,
    PersonCount,
    Question,
    Operation,
    MustUnderstand,
    SoapVersion,
    TestNotAlone,
    Ingivare,
    Personidentitet,
    Tidsperiod,
    MixedIngivare,
    MixedVersions,
    NodeOverload,
    SenderOverload,
    Draining,
    ActorLost,
    Content,
    Watchdog,
    Restarted,
);

/// The beginning of a row up to the column that people fill in, and its text.
fn row(failure: Failure) -> (String, String) {
    let row = failure.row();
    let code = match failure {
        Failure::Unreadable(_) => "see there".to_owned(),
        _ => format!("`{}`", row.code.as_str()),
    };
    let whose = match row.source {
        Source::Caller | Source::TooLarge => "sender",
        Source::Load => "load",
        Source::NextNode => "other node",
        Source::Us => "node",
    };
    (
        format!("| `{}` | {code} | {whose} | ", failure.class()),
        Rejection::new(failure, KnownIds::default()).to_string(),
    )
}

fn rows() -> Vec<&'static str> {
    table(NODE, "| Reason in the log")
}

/// The rows of the table with this heading.
fn table(document: &'static str, heading: &str) -> Vec<&'static str> {
    let lines = document
        .lines()
        .skip_while(|line| !line.starts_with(heading));
    lines
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect()
}

#[test]
fn every_error_that_a_node_raises_is_explained_as_it_is() {
    let rows = rows();
    for failure in reasons() {
        let (beginning, text) = row(failure);
        let found: Vec<_> = rows
            .iter()
            .filter(|row| row.starts_with(&beginning))
            .collect();
        let [found] = found[..] else {
            panic!("{} rows begin with: {beginning}", found.len());
        };
        let columns: Vec<&str> = found.split(" | ").collect();
        assert_eq!(columns.len(), 6, "{found}");
        assert!(
            ["at once", "later", "both"].contains(&columns[3]),
            "{found}"
        );
        assert_eq!(columns[4], text, "{beginning}");
    }
    assert_eq!(
        rows.len(),
        reasons().len(),
        "rows about errors that do not exist"
    );
}

#[test]
fn every_code_of_the_protocol_is_among_them() {
    for code in ErrorCode::ALL {
        let named = rows()
            .iter()
            .any(|row| row.contains(&format!("`{}`", code.as_str())));
        assert!(named, "{}", code.as_str());
    }
}

/// The cells of each row of a table in the page on SSBTEK; every row has them all.
fn cells(heading: &str, columns: usize) -> Vec<Vec<&'static str>> {
    let rows = table(SSBTEK, heading).into_iter().map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), columns, "{row}");
        assert!(cells.iter().all(|cell| !cell.is_empty()), "{row}");
        cells
    });
    rows.collect()
}

#[test]
fn every_felkod_of_a_refused_call_is_explained_as_it_is() {
    let written: Vec<_> = cells("| Felkod | faultcode", 6)
        .iter()
        .map(|row| (row[0].to_owned(), row[1].to_owned()))
        .collect();
    let known: Vec<_> = FaultFelkod::all()
        .map(|felkod| {
            let faultcode = match felkod.skuld() {
                Skuld::Client => "`soap:Client`",
                Skuld::Server => "`soap:Server`",
            };
            (format!("`{}`", felkod.kod()), faultcode.to_owned())
        })
        .collect();
    assert_eq!(written, known);
}

#[test]
fn every_felkod_in_the_place_of_an_answer_is_explained_as_it_is() {
    let ul = Uppgiftslamnare::CSN;
    let written: Vec<_> = cells("| Felkod | Text", 6)
        .iter()
        .map(|row| (row[0].to_owned(), row[1].replace("{}", ul.namn())))
        .collect();
    let known: Vec<_> = SsbtFelkod::all()
        .map(|felkod| (format!("`{}`", felkod.kod()), felkod.felmeddelande(ul)))
        .collect();
    assert_eq!(written, known);
}

#[test]
fn every_shs_error_code_is_explained() {
    let written: Vec<_> = cells("| Code | Whose fault", 5)
        .iter()
        .map(|row| row[0].to_owned())
        .collect();
    let known = ErrorCode::ALL.map(|code| format!("`{code}`"));
    assert_eq!(written, known);
}
