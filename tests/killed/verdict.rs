//! What must hold when all is over.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use crate::figures::Lived;
use crate::lines::{self, Accepted, Line};
use crate::record::{Came, Kind, Said, Sent, Taken};

/// How much later something must have happened that is in the ledger, for what is not to be missing. Both
/// are noted by the relay, one after the other; the rest is for tasks that wait for their turn on a busy
/// machine.
const NOTED_WITHIN: Duration = Duration::from_millis(500);

/// Everything that does not hold, as sentences.
pub fn faults(
    sent: &BTreeMap<String, Sent>,
    ledger: &[Line],
    lives: &[Lived],
    oddities: Vec<String>,
) -> Vec<String> {
    let mut faults = oddities;
    let accepted = lines::accepted(ledger);
    for (corr_id, one) in sent {
        let mut fault = |what: &str| {
            faults.push(format!(
                "{:?} {corr_id} of {}: {what}",
                one.kind,
                one.from()
            ));
        };
        is_ended(one, &mut fault);
        is_known_by_one_life_only(one, &mut fault);
        is_served_once(one, &mut fault);
        is_told_of_itself(one, &mut fault);
        let of_ledger = accepted.get(corr_id).map_or(&[][..], Vec::as_slice);
        if one.has_plain_id() {
            ledger_agrees(one, of_ledger, lives, &mut fault);
        }
        if is_both(one) {
            both_is_explained(one, of_ledger, ledger, lives, &mut fault);
        }
    }
    faults
}

/// Served, and an error came as well, although it was accepted but once.
pub fn is_both(sent: &Sent) -> bool {
    let told = sent.came(Came::Error).next().is_some();
    // A circular only with all its copies: an error about one is no contradiction to another.
    let served = sent.is_served_since(Duration::ZERO);
    sent.acceptances() == 1 && sent.accepted().is_some() && told && served
}

/// Whoever got 202 gets more.
fn is_ended(sent: &Sent, fault: &mut impl FnMut(&str)) {
    let Some(accepted) = sent.accepted() else {
        return;
    };
    if !sent.has_end_since(accepted.began) {
        fault(&format!(
            "lost: accepted in life {}, and neither served nor told",
            accepted.life
        ));
    }
}

/// A message that is sent again to another life is new there, and known to the life that took it.
fn is_known_by_one_life_only(sent: &Sent, fault: &mut impl FnMut(&str)) {
    for (place, posting) in sent.postings.iter().enumerate() {
        let Said::Taken { duplicate } = posting.said else {
            continue;
        };
        let before = &sent.postings[..place];
        let mut before = before.iter().filter(|other| other.life == posting.life);
        let known = before
            .clone()
            .any(|other| matches!(other.said, Said::Taken { .. }));
        let may_be_known = before.any(|other| other.said == Said::Nothing);
        if duplicate && !known && !may_be_known {
            fault(&format!("called a duplicate in life {}", posting.life));
        }
        if !duplicate && known {
            fault(&format!("taken twice in life {}", posting.life));
        }
    }
}

/// One acceptance gives one reply, and one copy for each receiver.
fn is_served_once(sent: &Sent, fault: &mut impl FnMut(&str)) {
    let most = sent.acceptances();
    if sent.came(Came::Reply).count() > most {
        fault("answered more often than accepted");
    }
    for receiver in &sent.receivers {
        let letters = sent.came(Came::Letter);
        let copies = letters.filter(|letter| letter.to == *receiver).count();
        if copies > most {
            fault("delivered more often than accepted");
        }
    }
    // The node may die before it has noted that it refused what it had noted.
    let refused = most == 0 && sent.accepted().is_none();
    if refused
        && sent
            .arrivals
            .iter()
            .any(|arrival| arrival.came != Came::Error)
    {
        fault("refused, and something came of it");
    }
    let refusals = sent.postings.iter();
    let mut refusals =
        refusals.filter(|posting| matches!(posting.said, Said::Refused(status) if status != 503));
    if refusals.next().is_some() {
        fault("refused, and not for a while");
    }
    let answered = sent.came(Came::Reply).next().is_some();
    let wrong = match sent.kind {
        Kind::Question | Kind::Ping => sent.came(Came::Letter).next().is_some(),
        Kind::Letter | Kind::Circular => answered,
        Kind::Unagreed => answered || sent.came(Came::Letter).next().is_some(),
    };
    if wrong {
        fault("something came that nobody asked for");
    }
}

/// An error names the message that it is about, and comes to its sender.
fn is_told_of_itself(sent: &Sent, fault: &mut impl FnMut(&str)) {
    let from = sent.from();
    for error in sent.came(Came::Error) {
        let about = error.about.as_deref().unwrap_or_default();
        let names_it = about == sent.message.label.tx_id.as_str();
        // The tx.id of a copy that reached nobody is known to the node alone.
        if !names_it && sent.kind != Kind::Circular {
            fault("an error names another tx.id");
        }
        // The tx.id of a copy that reached nobody is known to the node alone.
        let copies = sent.came(Came::Letter);
        let mut has_it = copies.filter(|copy| copy.tx_id == about && !copy.taken.is_empty());
        if sent.kind == Kind::Circular && has_it.next().is_some() {
            fault("an error about a copy that its receiver has");
        }
        if error.to != from {
            fault(&format!("its error came to {}", error.to));
        }
    }
}

/// In the ledger, too, each acceptance has its end, and nothing is told that had ended.
fn ledger_agrees(
    sent: &Sent,
    accepted: &[Accepted],
    lives: &[Lived],
    fault: &mut impl FnMut(&str),
) {
    let certain = sent.postings.iter().filter(|posting| posting.counts());
    if accepted.len() < certain.count() {
        fault("accepted more often than the ledger says");
    }
    if accepted.len() > sent.postings.len() {
        fault("accepted less often than the ledger says");
    }
    // Of what was sent again the last one counts.
    let last = accepted.last();
    if last.is_some_and(|last| last.ended().is_none() && !last.is_void) {
        fault("without an end in the ledger");
    }
    for one in accepted {
        let ended = one.ended();
        let after = |end: &u64| one.resumed.iter().any(|resumed| resumed > end);
        if ended.as_ref().is_some_and(after) {
            fault("told again although the ledger had its end");
        }
        let resumed = one.resumed.iter().map(|seq| life_of(*seq, lives));
        let mut seen = HashSet::new();
        if !resumed.clone().all(|life| seen.insert(life)) {
            fault("taken up twice by one life");
        }
    }
}

/// The life that wrote this line, counted from 0.
fn life_of(seq: u64, lives: &[Lived]) -> usize {
    let wrote = |lived: &Lived| lived.left.as_ref().is_some_and(|left| left.last_seq >= seq);
    lives.iter().position(wrote).unwrap_or(lives.len())
}

/// The reply had left, and the node died before that was in the ledger.
fn both_is_explained(
    sent: &Sent,
    accepted: &[Accepted],
    ledger: &[Line],
    lives: &[Lived],
    fault: &mut impl FnMut(&str),
) {
    if accepted.iter().any(|one| one.served().is_some()) {
        fault("served by the ledger, and told as well");
    }
    // Of a circular one copy is enough.
    let mut taken = sent.served().flat_map(|arrival| &arrival.taken).peekable();
    if taken.peek().is_some() && taken.all(|taken| should_be_noted(taken, ledger, lives)) {
        fault("taken, what happened later was noted, and told as well");
    }
}

/// Whether the relay of the same life noted something that happened clearly later.
fn should_be_noted(taken: &Taken, ledger: &[Line], lives: &[Lived]) -> bool {
    let (Some(answered), Some(life)) = (taken.answered, life_at(taken, lives)) else {
        return false;
    };
    let later = answered + NOTED_WITHIN;
    ledger.iter().any(|line| {
        let is_later = line.happened > later && line.happened < lives[life].died;
        line.event == "levererat" && is_later
    })
}

/// The life that asked and was there to hear the answer. A post may be answered when who sent it is dead.
pub fn life_at(taken: &Taken, lives: &[Lived]) -> Option<usize> {
    let answered = taken.answered?;
    let spans = |life: &Lived| life.launched <= taken.asked && answered <= life.died;
    lives.iter().position(spans)
}
