//! What an authority reads of a sub-question.

use chrono::{DateTime, Datelike, FixedOffset, Months, NaiveDate, Utc};
use shs_schemas::ssbtek::{Datum, Fraga, FrageUppgifter};
use shs_schemas::{Sensitive, Svarselement};

use super::UTBETALNINGAR_MAX;

/// Swedish normal time, seconds east of Greenwich: which day it is, an hour around midnight in
/// summer apart.
const SVENSK_TID: i32 = 3_600;
/// Years that the simulators reckon with.
const AR: std::ops::RangeInclusive<i32> = 1..=9_999;

/// A sub-question as the simulated authorities see it.
pub(super) struct Frageunderlag<'a> {
    /// Everything that it says.
    pub(super) uppgifter: FrageUppgifter<'a>,
    /// First day of the period that applies to the party that is asked.
    pub(super) from: NaiveDate,
    /// Its last day.
    pub(super) tom: NaiveDate,
    /// The question to LEFI, decoded from base64.
    pub(super) lefi_json: Option<Sensitive<Vec<u8>>>,
    /// The day on which the question was put: of `frageTidpunkt`, so that a recorded question gets
    /// the same answer in years to come; without one, of the deadline.
    pub(super) idag: NaiveDate,
}

impl<'a> Frageunderlag<'a> {
    /// What a question says to the party behind an element; nothing if its dates are beyond any
    /// calendar. The clock is never asked: an answer depends on the question alone.
    pub(super) fn new(
        fraga: &'a Fraga,
        element: Svarselement,
        deadline: DateTime<Utc>,
    ) -> Option<Self> {
        let uppgifter = fraga.uppgifter();
        let period = uppgifter.period(element);
        let lefi_json = if element == Svarselement::Fk {
            fraga.lefi_json().ok()
        } else {
            None
        };
        let zone = FixedOffset::east_opt(SVENSK_TID)?;
        let asked = uppgifter.frage_tidpunkt.as_deref();
        let asked = asked.and_then(|tidpunkt| day_of(tidpunkt, zone));
        Some(Self {
            from: date(period.fran)?,
            tom: date(period.tom)?,
            lefi_json: lefi_json.map(Sensitive::new),
            idag: asked.unwrap_or_else(|| deadline.with_timezone(&zone).date_naive()),
            uppgifter,
        })
    }

    /// The person's twelve digits.
    pub(super) fn personidentitet(&self) -> &str {
        self.uppgifter.personidentitet.expose().as_str()
    }

    /// The case.
    pub(super) fn arendeidentitet(&self) -> &str {
        self.uppgifter.arendeidentitet.expose()
    }

    /// The case worker.
    pub(super) fn handlaggare(&self) -> &str {
        self.uppgifter.handlaggare.expose()
    }

    /// The asker's pairing key, as written.
    pub(super) fn korrelationsid(&self) -> Option<&str> {
        self.uppgifter
            .korrelationsid
            .as_ref()
            .map(|id| id.expose().as_ref())
    }

    /// The months of the period up to today, as [`manader`] gives them.
    pub(super) fn manader_till_idag(&self) -> Vec<(NaiveDate, NaiveDate)> {
        manader(self.from, self.tom.min(self.idag))
    }
}

/// The day in Sweden of an `xs:dateTime`; one without a zone is Swedish already. Nothing if it is
/// beyond the years that are reckoned with.
fn day_of(tidpunkt: &str, zone: FixedOffset) -> Option<NaiveDate> {
    let tidpunkt = tidpunkt.trim();
    let day = DateTime::parse_from_rfc3339(tidpunkt).map_or_else(
        |_| tidpunkt.get(..10)?.parse().ok(),
        |time| Some(time.with_timezone(&zone).date_naive()),
    )?;
    AR.contains(&day.year()).then_some(day)
}

fn date(datum: Datum) -> Option<NaiveDate> {
    if !AR.contains(&datum.ar) {
        return None;
    }
    NaiveDate::from_ymd_opt(datum.ar, datum.manad.into(), datum.dag.into())
}

/// First and last day of each month that a period touches, clipped to it, oldest first, the latest
/// [`UTBETALNINGAR_MAX`] of them.
pub(super) fn manader(from: NaiveDate, tom: NaiveDate) -> Vec<(NaiveDate, NaiveDate)> {
    let mut months = Vec::new();
    let mut first = tom.with_day(1).unwrap_or(tom);
    let mut last = tom;
    while last >= from && months.len() < UTBETALNINGAR_MAX {
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
    fn the_day_of_a_question_is_the_day_in_sweden() {
        let zone = FixedOffset::east_opt(SVENSK_TID).unwrap();
        for (tidpunkt, day) in [
            ("2026-03-10T09:30:00", Some(date(2026, 3, 10))),
            ("2026-03-10T23:30:00Z", Some(date(2026, 3, 11))),
            (" 2026-03-10T23:30:00.5+01:00 ", Some(date(2026, 3, 10))),
            ("12026-03-10T09:30:00Z", None),
            ("-0001-03-10T09:30:00", None),
            ("åäö", None),
        ] {
            assert_eq!(day_of(tidpunkt, zone), day, "{tidpunkt}");
        }
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
        assert_eq!(months.len(), UTBETALNINGAR_MAX);
        assert_eq!(months.last(), Some(&(date(2026, 3, 1), date(2026, 3, 31))));
    }
}
