//! [`Explanation`]: why an exchange is permitted or not, for whoever tries it out before it
//! happens. Not for the hot path: it looks at every agreement about the product.

use std::cmp::Reverse;
use std::fmt;

use super::{Agreement, Agreements, Exchange, Mismatch, NoAgreement};
use crate::ids::AgreementId;

/// Most agreements that an explanation lists.
pub const CANDIDATES_SHOWN_MAX: usize = 20;

/// Which agreement applies, and what became of each that might have. Its text has a line for the
/// decision and one for each candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation<'a> {
    /// What [`Agreements::find`] says.
    pub decision: Result<Option<&'a Agreement>, NoAgreement>,
    /// The agreement that the message names, else those about its product: those that cover it
    /// first, then the nearest, at most [`CANDIDATES_SHOWN_MAX`].
    pub candidates: Vec<Candidate<'a>>,
    /// How many more there are.
    pub more: usize,
}

/// An agreement that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// Which.
    pub agreement: &'a Agreement,
    /// Whether it covers the exchange, or the first condition that fails.
    pub verdict: Result<(), Mismatch>,
}

impl Agreements {
    /// Explains the decision of [`Agreements::find`].
    #[must_use]
    pub fn explain(&self, named: Option<&AgreementId>, exchange: &Exchange) -> Explanation<'_> {
        let decision = self.find(named, exchange);
        if exchange.is_administrative() {
            let (candidates, more) = (Vec::new(), 0);
            return Explanation {
                decision,
                candidates,
                more,
            };
        }
        let judged = |agreement| Candidate {
            agreement,
            verdict: Agreement::covers(agreement, exchange),
        };
        let mut candidates: Vec<_> = match named {
            Some(named) => self.get(named).into_iter().map(judged).collect(),
            None => self.about(exchange.produkt).map(judged).collect(),
        };
        // A later condition failed: it came nearer. The sort keeps the order of equals.
        candidates.sort_by_key(|one| (one.verdict.is_err(), one.verdict.err().map(Reverse)));
        let more = candidates.len().saturating_sub(CANDIDATES_SHOWN_MAX);
        candidates.truncate(CANDIDATES_SHOWN_MAX);
        Explanation {
            decision,
            candidates,
            more,
        }
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.decision {
            Ok(None) => f.write_str("administrative messages need no agreement")?,
            Ok(Some(agreement)) => write!(f, "agreement {} applies", agreement.id)?,
            Err(reason) => write!(f, "{reason}")?,
        }
        if self.decision == Err(NoAgreement::None) && self.candidates.is_empty() {
            f.write_str("\n  no agreement is about the product")?;
        }
        for candidate in &self.candidates {
            write!(f, "\n  {candidate}")?;
        }
        if self.more > 0 {
            write!(f, "\n  and {} more", self.more)?;
        }
        Ok(())
    }
}

impl fmt::Display for Candidate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let agreement = self.agreement;
        let Err(mismatch) = self.verdict else {
            return write!(f, "{}: covers sender, receiver and product", agreement.id);
        };
        write!(f, "{}: {mismatch}", agreement.id)?;
        match (mismatch, agreement.valid_to) {
            (Mismatch::NotYetValid, _) => write!(f, " (first day {})", agreement.valid_from),
            (Mismatch::Expired, Some(last)) => write!(f, " (last day {last})"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AgreementId;
    use crate::shs::agreement::samples::{C, P, X, agreement, day, exchange};
    use crate::shs::agreement::{AgreedTransfer, Flow};

    /// One that has ended, one for others, one for the other transfer type, one that fits.
    fn store() -> Agreements {
        let mut ended = agreement("ended", Flow::FromCustomer, Some(C));
        ended.valid_to = Some(day("2031-02-01"));
        let mut asynch = agreement("asynch", Flow::FromCustomer, Some(C));
        asynch.transfer = AgreedTransfer::Asynch;
        let others = agreement("others", Flow::FromCustomer, Some(X));
        let fits = agreement("fits", Flow::FromCustomer, Some(C));
        Agreements::new(vec![others, asynch, ended, fits])
    }

    #[test]
    fn the_one_that_applies_comes_first_then_the_nearest() {
        let store = store();
        let text = store.explain(None, &exchange(C, P)).to_string();
        assert_eq!(
            text,
            "agreement fits applies\n  \
             fits: covers sender, receiver and product\n  \
             ended: the agreement is no longer valid (last day 2031-02-01)\n  \
             asynch: the agreement does not cover the transfer type\n  \
             others: the agreement does not cover these parties in this direction"
        );
    }

    #[test]
    fn a_named_agreement_is_explained_alone() {
        let store = store();
        let named = |name: &str| {
            let name = AgreementId::parse(name).unwrap();
            store.explain(Some(&name), &exchange(C, P)).to_string()
        };
        assert_eq!(
            named("ENDED"),
            "the agreement that the label names does not fit: the agreement is no longer valid\n  \
             ended: the agreement is no longer valid (last day 2031-02-01)"
        );
        assert_eq!(
            named("none"),
            "the agreement that the label names is not known"
        );
    }

    #[test]
    fn nothing_to_explain_is_said_too() {
        let mut exchange = exchange(C, P);
        exchange.produkt = crate::shs::Produkt::Uuid(uuid::Uuid::max());
        assert_eq!(
            store().explain(None, &exchange).to_string(),
            "no agreement covers sender, receiver and product\n  \
             no agreement is about the product"
        );
        exchange.sequence_type = crate::shs::label::SequenceType::Adm;
        assert_eq!(
            store().explain(None, &exchange).to_string(),
            "administrative messages need no agreement"
        );
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let late = |number| {
            let mut late = agreement(&format!("a-{number}"), Flow::FromCustomer, Some(C));
            late.valid_from = day("2032-01-01");
            late
        };
        let store = Agreements::new((0..CANDIDATES_SHOWN_MAX + 7).map(late).collect());
        let explanation = store.explain(None, &exchange(C, P));
        assert_eq!(explanation.candidates.len(), CANDIDATES_SHOWN_MAX);
        let text = explanation.to_string();
        assert!(text.contains("a-0: the agreement is not valid yet (first day 2032-01-01)"));
        assert!(text.ends_with("and 7 more"));
    }
}
