//! What an authority reads of a sub-question.

use chrono::{Datelike, Months, NaiveDate};
use shs_schemas::Sensitive;

/// A processor of personal data that the asker uses.
#[derive(Clone)]
pub struct Bitrade {
    /// Twelve digits.
    pub organisationsnummer: String,
    /// Its name.
    pub namn: String,
}

/// FK's and PM's question.
#[derive(Clone)]
pub struct LefiUnderlag {
    /// Who asks, as LEFI knows it.
    pub aktorsid: String,
    /// The JSON, decoded from base64.
    pub json: Sensitive<Vec<u8>>,
}

/// SKV's question, from version 11 on.
#[derive(Clone)]
pub struct SkvUnderlag {
    /// Income years.
    pub ar: Vec<i32>,
    /// Whether tax data are asked for; other flags only add what the simulator leaves out.
    pub skatteuppgifter: bool,
}

/// A sub-question as the simulated authorities see it: the general parameters, and those of the
/// one party that is asked.
#[derive(Clone)]
pub struct Frageunderlag {
    /// ssbt namespace of the question, and so of the answer.
    pub namnrymd: &'static str,
    /// The asker's pairing key, as written.
    pub korrelationsid: Option<Sensitive<String>>,
    /// Asking body: twelve digits.
    pub organisationsnummer: String,
    /// Asking body: name.
    pub namn: String,
    /// The case worker.
    pub handlaggare: Sensitive<String>,
    /// Twelve digits.
    pub personidentitet: Sensitive<String>,
    /// The case.
    pub arendeidentitet: Sensitive<String>,
    /// First day of the period that applies to this party.
    pub from: NaiveDate,
    /// Its last day.
    pub tom: NaiveDate,
    /// In the order of their ordningsnummer.
    pub bitraden: Vec<Bitrade>,
    /// Purpose.
    pub syfte: String,
    /// Legal rule.
    pub lagtext: String,
    /// For FK and PM.
    pub lefi: Option<LefiUnderlag>,
    /// For SKV.
    pub skv: Option<SkvUnderlag>,
    /// The day on which the question is put.
    pub idag: NaiveDate,
}

impl Frageunderlag {
    pub(super) fn read(_q: &samsvar_actors::transport::Question) -> Option<Self> {
        None
    }
    /// First and last day of each month that the period touches, clipped to the period and to
    /// today, oldest first, the latest [`super::UTBETALNINGAR_MAX`] of them.
    pub(super) fn manader_till_idag(&self) -> Vec<(NaiveDate, NaiveDate)> {
        manader(self.from, self.tom.min(self.idag))
    }
}

/// First and last day of each month that a period touches, clipped to it, oldest first, the latest
/// [`super::UTBETALNINGAR_MAX`] of them.
pub(super) fn manader(from: NaiveDate, tom: NaiveDate) -> Vec<(NaiveDate, NaiveDate)> {
    let mut months = Vec::new();
    let mut first = tom.with_day(1).unwrap_or(tom);
    let mut last = tom;
    while last >= from && months.len() < super::UTBETALNINGAR_MAX {
        months.push((first.max(from), last));
        last = first.pred_opt().unwrap_or(from);
        let Some(before) = first.checked_sub_months(Months::new(1)) else {
            break;
        };
        first = before;
        if last < from {
            break;
        }
    }
    months.reverse();
    months
}

/// The 25th of a day's month: when most benefits are paid.
pub(super) fn den_25(day: NaiveDate) -> NaiveDate {
    day.with_day(25).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(y: i32, m: u32, d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(y, m, d).unwrap()
    }

    #[test]
    fn months_are_clipped_to_the_period() {
        assert_eq!(
            manader(date(2026, 1, 15), date(2026, 3, 10)),
            [
                (date(2026, 1, 15), date(2026, 1, 31)),
                (date(2026, 2, 1), date(2026, 2, 28)),
                (date(2026, 3, 1), date(2026, 3, 10)),
            ]
        );
        assert_eq!(manader(date(2026, 3, 5), date(2026, 3, 5)).len(), 1);
        assert!(manader(date(2026, 3, 5), date(2026, 3, 4)).is_empty());
    }

    #[test]
    fn a_century_is_cut_to_its_latest_months() {
        let months = manader(date(1926, 1, 1), date(2026, 3, 31));
        assert_eq!(months.len(), super::super::UTBETALNINGAR_MAX);
        assert_eq!(months.last(), Some(&(date(2026, 3, 1), date(2026, 3, 31))));
    }
}
