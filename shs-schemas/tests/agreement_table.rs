//! The agreement check of shs-1.2, 7.5, as a table: who sends what to whom, when, under which
//! agreements, and what is decided. Agreements and labels go through their readers, the time
//! through [`Exchange::of`], so that a row says what a node would do.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use shs_schemas::ids::AgreementId;
use shs_schemas::mime::Limits;
use shs_schemas::shs::agreement::{Exchange, Mismatch, NoAgreement, Permission};
use shs_schemas::shs::{Agreement, Agreements, Label, PublicAgreement};

/// The local agreements: with P (but for one), about product A, for 2031.
const AGREEMENTS: &str = "
# id        principal  products  flow           customer  transfer  from        to
to-c        P          A         to-customer    C         any       2031-01-01  2031-12-31
from-c      P          A         from-customer  C         any       2031-01-01  2031-12-31
any-c       P          A         any            C         any       2031-01-01  2031-12-31
from-all    P          A         from-customer  -         any       2031-01-01  2031-12-31
any-all     P          A         any            -         any       2031-01-01  2031-12-31
from-x      P          A         from-customer  X         any       2031-01-01  2031-12-31
from-k12    P          A         from-customer  K12       any       2031-01-01  2031-12-31
ab          P          B,A       from-customer  C         any       2031-01-01  2031-12-31
synch       P          A         from-customer  C         synch     2031-01-01  2031-12-31
asynch      P          A         from-customer  C         asynch    2031-01-01  2031-12-31
open-end    P          A         from-customer  C         any       2031-01-01  -
june        P          A         from-customer  C         any       2031-06-01  2031-06-30
spring      P          A         from-customer  C         any       2031-03-30  2031-03-30
autumn      P          A         from-customer  C         any       2031-10-26  2031-10-26
own         P          A         any            P         any       2031-01-01  2031-12-31
";

/// The public ones.
const PUBLIC: &str = "
# id        principal  products  transfer
pub-any     P          A         any
pub-silent  P          A         -
pub-synch   P          A         synch
pub-asynch  P          A         asynch
pub-b       P          B         any
pub-x       X          A         any
";

/// Noon in the middle of the agreements is written `noon`.
const NOON: &str = "2031-06-15T10:00:00Z";

/// `decision`: the agreement that permits; `adm` when none is needed; `none`, `unknown`, or
/// `misfit:` and the condition that the named one fails.
const TABLE: &str = "
# agreements        from     to       product  transfer  sequence  when                  named     decision

# 7.5 a: one of its products.
from-c              C        P        A        synch     request   noon                  -         from-c
from-c              C        P        B        synch     request   noon                  -         none
ab                  C        P        A        synch     request   noon                  -         ab
ab                  C        P        B        synch     request   noon                  -         ab
ab                  C        P        upper-A  synch     request   noon                  -         ab
-                   C        P        A        synch     request   noon                  -         none

# 7.5 b, to-customer: the principal opens.
to-c                P        C        A        asynch    event     noon                  -         to-c
to-c                P        C        A        asynch    request   noon                  -         to-c
to-c                C        P        A        asynch    event     noon                  -         none
to-c                C        P        A        asynch    request   noon                  -         none
to-c                P        X        A        asynch    event     noon                  -         none
to-c                X        C        A        asynch    event     noon                  -         none
to-c                P        P        A        asynch    event     noon                  -         none

# 7.5 b, to-customer, a reply: roles swapped.
to-c                C        P        A        asynch    reply     noon                  -         to-c
to-c                P        C        A        asynch    reply     noon                  -         none
to-c                X        P        A        asynch    reply     noon                  -         none

# 7.5 b, from-customer: the customer opens.
from-c              C        P        A        asynch    event     noon                  -         from-c
from-c              C        P        A        asynch    request   noon                  -         from-c
from-c              P        C        A        asynch    event     noon                  -         none
from-c              X        P        A        asynch    event     noon                  -         none
from-c              C        X        A        asynch    event     noon                  -         none

# 7.5 b, from-customer, a reply.
from-c              P        C        A        asynch    reply     noon                  -         from-c
from-c              C        P        A        asynch    reply     noon                  -         none
from-c              P        X        A        asynch    reply     noon                  -         none

# 7.5 b, any: either opens, and either answers.
any-c               P        C        A        asynch    event     noon                  -         any-c
any-c               C        P        A        asynch    event     noon                  -         any-c
any-c               P        C        A        asynch    reply     noon                  -         any-c
any-c               C        P        A        asynch    reply     noon                  -         any-c
any-c               X        P        A        asynch    event     noon                  -         none
any-c               P        X        A        asynch    reply     noon                  -         none
any-c               C        C        A        asynch    event     noon                  -         none
own                 P        P        A        asynch    event     noon                  -         own

# 7.5 b, without customer, from-customer: anyone opens, the principal answers (10, row 18).
from-all            X        P        A        synch     request   noon                  -         from-all
from-all            P        P        A        synch     request   noon                  -         from-all
from-all            P        X        A        asynch    reply     noon                  -         from-all
from-all            P        X        A        asynch    event     noon                  -         none
from-all            X        P        A        asynch    reply     noon                  -         none
from-all            X        C        A        asynch    event     noon                  -         none

# 7.5 b, without customer, any: the principal is one of them.
any-all             X        P        A        synch     request   noon                  -         any-all
any-all             P        X        A        asynch    event     noon                  -         any-all
any-all             P        X        A        asynch    reply     noon                  -         any-all
any-all             X        P        A        asynch    reply     noon                  -         any-all
any-all             X        C        A        asynch    event     noon                  -         none

# 7.5, input: the parts before the dot (1.5), and the number whichever way it is written (4.2).
from-c              C.inre   P.b.c    A        synch     request   noon                  -         from-c
from-k12            K        P        A        synch     request   noon                  -         from-k12
from-k12            K12.a    P        A        synch     request   noon                  -         from-k12

# 7.5 c: the transfer type (10, row 17).
synch               C        P        A        synch     request   noon                  -         synch
synch               C        P        A        asynch    request   noon                  -         none
asynch              C        P        A        asynch    request   noon                  -         asynch
asynch              C        P        A        synch     request   noon                  -         none
synch,asynch        C        P        A        asynch    event     noon                  -         asynch
from-c              C        P        A        -         event     noon                  -         from-c

# 7.5 d: both days included, Swedish time: in winter midnight is 23:00 UTC (10, row 19).
from-c              C        P        A        synch     request   2030-12-31T22:30:00Z  -         none
from-c              C        P        A        synch     request   2030-12-31T22:59:59Z  -         none
from-c              C        P        A        synch     request   2030-12-31T23:00:00Z  -         from-c
from-c              C        P        A        synch     request   2030-12-31T23:30:00Z  -         from-c
from-c              C        P        A        synch     request   2031-01-01T23:30:00Z  -         from-c
from-c              C        P        A        synch     request   2031-12-30T23:30:00Z  -         from-c
from-c              C        P        A        synch     request   2031-12-31T22:59:59Z  -         from-c
from-c              C        P        A        synch     request   2031-12-31T23:00:00Z  -         none
from-c              C        P        A        synch     request   2031-12-31T23:30:00Z  -         none
from-c              C        P        A        synch     request   2032-01-01T10:00:00Z  -         none

# 7.5 d: in summer it is 22:00 UTC.
june                C        P        A        synch     request   2031-05-31T21:59:59Z  -         none
june                C        P        A        synch     request   2031-05-31T22:00:00Z  -         june
june                C        P        A        synch     request   2031-05-31T23:30:00Z  -         june
june                C        P        A        synch     request   2031-06-30T21:59:59Z  -         june
june                C        P        A        synch     request   2031-06-30T22:00:00Z  -         none
june                C        P        A        synch     request   2031-06-30T23:30:00Z  -         none

# 7.5 d: an agreement of one day, on the days that are 23 and 25 hours long.
spring              C        P        A        synch     request   2031-03-29T22:59:59Z  -         none
spring              C        P        A        synch     request   2031-03-29T23:00:00Z  -         spring
spring              C        P        A        synch     request   2031-03-30T21:59:59Z  -         spring
spring              C        P        A        synch     request   2031-03-30T22:00:00Z  -         none
autumn              C        P        A        synch     request   2031-10-25T21:59:59Z  -         none
autumn              C        P        A        synch     request   2031-10-25T22:00:00Z  -         autumn
autumn              C        P        A        synch     request   2031-10-26T22:59:59Z  -         autumn
autumn              C        P        A        synch     request   2031-10-26T23:00:00Z  -         none

# 7.5 d: no valid-to.
open-end            C        P        A        synch     request   2030-12-31T22:59:59Z  -         none
open-end            C        P        A        synch     request   2099-06-01T10:00:00Z  -         open-end

# 7.5, 1: a named agreement alone decides, in any letter case (10, row 16).
from-c,any-c        C        P        A        synch     request   noon                  any-c     any-c
from-c,any-c        C        P        A        synch     request   noon                  ANY-C     any-c
from-c              C        P        A        synch     request   noon                  any-c     unknown
-                   C        P        A        synch     request   noon                  any-c     unknown
from-c,ab           C        P        B        synch     request   noon                  from-c    misfit:product
from-c,to-c         C        P        A        synch     request   noon                  to-c      misfit:parties
from-c,from-x       C        P        A        synch     request   noon                  from-x    misfit:parties
from-c              C        P        A        asynch    reply     noon                  from-c    misfit:parties
from-c,asynch       C        P        A        synch     request   noon                  asynch    misfit:transfer
open-end,june       C        P        A        synch     request   2031-05-31T21:30:00Z  june      misfit:not-yet
open-end,june       C        P        A        synch     request   2031-06-30T22:30:00Z  june      misfit:expired
from-all            X        P        A        synch     request   noon                  from-all  from-all
any-c,pub-any       C        P        A        synch     request   noon                  pub-any   unknown
to-c,pub-any        C        P        A        synch     request   noon                  to-c      misfit:parties

# 7.5, 2: any local one that fits; the first of several; before the public ones.
to-c,from-c,any-c   C        P        A        synch     request   noon                  -         from-c
any-c,from-c        C        P        A        synch     request   noon                  -         any-c
june,from-c         C        P        A        synch     request   2031-07-01T10:00:00Z  -         from-c
pub-any,from-c      C        P        A        synch     request   noon                  -         from-c

# 7.5, 3: public agreements: the principal is the receiver.
pub-any             C        P        A        synch     request   noon                  -         pub-any
pub-any             X        P        A        asynch    event     noon                  -         pub-any
to-c,pub-any        C        P        A        synch     request   noon                  -         pub-any
june,pub-any        C        P        A        synch     request   2031-07-01T10:00:00Z  -         pub-any
pub-any             P        C        A        asynch    event     noon                  -         none
pub-x               C        P        A        synch     request   noon                  -         none
pub-b               C        P        A        synch     request   noon                  -         none
pub-b,pub-x,pub-any C        P        A        synch     request   noon                  -         pub-any
pub-any             C        P        A        synch     request   2099-06-01T10:00:00Z  -         pub-any

# 7.5, 3: transfer type equal, any or missing.
pub-silent          C        P        A        asynch    event     noon                  -         pub-silent
pub-synch           C        P        A        synch     request   noon                  -         pub-synch
pub-synch           C        P        A        asynch    event     noon                  -         none
pub-synch,pub-asynch C       P        A        asynch    event     noon                  -         pub-asynch

# 7.5, 3: in a reply the principal is the sender (10, row 20).
pub-any             P        C        A        asynch    reply     noon                  -         pub-any
pub-any             C        P        A        asynch    reply     noon                  -         none
pub-x               P        C        A        asynch    reply     noon                  -         none
pub-synch           P        C        A        asynch    reply     noon                  -         none

# 7.5: administrative messages pass without, even under a name that is not known.
-                   C        P        confirm  asynch    adm       noon                  -         adm
-                   C        P        error    asynch    adm       noon                  -         adm
from-c              X        P        confirm  asynch    adm       noon                  from-c    adm
-                   X        C        error    asynch    adm       2099-06-01T10:00:00Z  gone      adm
";

/// Fewest rows that the table may shrink to.
const ROWS_MIN: usize = 60;

fn rows<const N: usize>(table: &'static str) -> Vec<[&'static str; N]> {
    let lines = table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            words.try_into().unwrap_or_else(|_| panic!("{line}"))
        })
        .collect()
}

/// A party's address: the letter stands for its number, what follows it for the inner id.
fn address(party: &str) -> String {
    let (letter, inner) = party.split_at(party.find('.').unwrap_or(party.len()));
    let number = match letter {
        "P" => "0000000002",
        "C" => "0000000001",
        "X" => "0000000009",
        "K" => "2120009994",
        "K12" => "162120009994",
        other => panic!("{other}"),
    };
    format!("urn:X-shs:{number}{inner}")
}

fn product(name: &str) -> &str {
    match name {
        "A" => "5a1e0000-1111-4222-8333-444455556666",
        "upper-A" => "5A1E0000-1111-4222-8333-444455556666",
        "B" => "5a1e0000-1111-4222-8333-444455557777",
        special => special,
    }
}

fn local([id, principal, products, flow, customer, transfer, from, to]: [&str; 8]) -> Agreement {
    let products = products
        .split(',')
        .map(|name| format!("<product>{}</product>", product(name)))
        .collect::<Vec<_>>()
        .concat();
    let customer = match customer {
        "-" => String::new(),
        party => format!("<customer>{}</customer>", address(party)),
    };
    let to = match to {
        "-" => String::new(),
        day => format!("<valid-to date='{day}'/>"),
    };
    let principal = address(principal);
    let document = format!(
        "<shs.agreement uuid='{id}' transfer-type='{transfer}'>\
         <shs><principal>{principal}</principal>{products}{customer}<direction flow='{flow}'/></shs>\
         <general><valid><valid-from date='{from}'/>{to}</valid></general></shs.agreement>"
    );
    Agreement::read(document.as_bytes()).unwrap_or_else(|error| panic!("{id}: {error}"))
}

fn public([id, principal, products, transfer]: [&str; 4]) -> PublicAgreement {
    let principal = address(principal);
    let mut entry = vec![
        ("serialNumber", id),
        ("principal", &*principal),
        ("shsProductID", product(products)),
    ];
    if transfer != "-" {
        entry.push(("shsTransferType", transfer));
    }
    PublicAgreement::from_entry(entry).unwrap_or_else(|error| panic!("{id}: {error}"))
}

fn exchange(from: &str, to: &str, produkt: &str, types: [&str; 2], when: &str) -> Exchange {
    let transfer = match types[0] {
        "-" => String::new(),
        word => format!("transfer-type='{word}'"),
    };
    let label = format!(
        "<shs.label tx.id='t' corr.id='c' {transfer} sequence-type='{}'>\
         <from>{}</from><to>{}</to><product>{}</product>\
         <datetime>2031-06-15T12:00:00</datetime><content content.id='i'/></shs.label>",
        types[1],
        address(from),
        address(to),
        product(produkt)
    );
    let label = Label::read(label.as_bytes(), None, &Limits::default()).expect("a label");
    let when = if when == "noon" { NOON } else { when };
    let now: DateTime<Utc> = when.parse().expect("an instant");
    Exchange::of(&label, now).expect("sender and receiver are there")
}

fn word(decision: &Result<Permission<'_>, NoAgreement>) -> String {
    let misfit = match decision {
        Ok(Permission::Administrative) => return "adm".to_owned(),
        Ok(Permission::Local(agreement)) => return agreement.id.to_string(),
        Ok(Permission::Public(PublicAgreement { id, .. })) => {
            return id.as_ref().expect("the table gives ids").to_string();
        }
        Err(NoAgreement::None) => return "none".to_owned(),
        Err(NoAgreement::Unknown) => return "unknown".to_owned(),
        Err(NoAgreement::NamedMisfit(mismatch)) => mismatch,
    };
    let condition = match misfit {
        Mismatch::Product => "product",
        Mismatch::Parties => "parties",
        Mismatch::TransferType => "transfer",
        Mismatch::NotYetValid => "not-yet",
        Mismatch::Expired => "expired",
    };
    format!("misfit:{condition}")
}

#[test]
fn every_row_is_decided_as_the_specification_says() {
    let locals: HashMap<_, _> = rows::<8>(AGREEMENTS)
        .into_iter()
        .map(|row| (row[0], local(row)))
        .collect();
    let publics: HashMap<_, _> = rows::<4>(PUBLIC)
        .into_iter()
        .map(|row| (row[0], public(row)))
        .collect();
    let table = rows::<9>(TABLE);
    assert!(table.len() >= ROWS_MIN, "{}", table.len());
    let mut wrong = Vec::new();
    for row in &table {
        let [
            set,
            from,
            to,
            produkt,
            transfer,
            sequence,
            when,
            named,
            decision,
        ] = *row;
        let set = || set.split(',').filter(|id| *id != "-");
        let known = |id: &&str| locals.contains_key(id) || publics.contains_key(id);
        assert!(set().all(|id| known(&id)), "{row:?}");
        let store = Agreements::new(set().filter_map(|id| locals.get(id)).cloned().collect());
        let open: Vec<_> = set().filter_map(|id| publics.get(id)).cloned().collect();
        let named = (named != "-").then(|| AgreementId::parse(named).expect("an id"));
        let exchange = exchange(from, to, produkt, [transfer, sequence], when);
        let decided = word(&store.permit(named.as_ref(), &exchange, &open));
        if decided != decision {
            wrong.push(format!("{row:?}: {decided}"));
        }
        // The explanation, which looks at local agreements, never says otherwise.
        let explained = store.explain(named.as_ref(), &exchange).decision;
        assert_eq!(explained, store.find(named.as_ref(), &exchange), "{row:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
