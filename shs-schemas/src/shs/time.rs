//! Timestamps of SHS documents: Swedish local time, no zone, no fractions (shs-1.2, 3.1).

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike, Utc};
use chrono_tz::Europe::Stockholm;

/// Swedish local time of an instant, to the second.
#[must_use]
pub fn swedish(instant: DateTime<Utc>) -> NaiveDateTime {
    let local = instant.with_timezone(&Stockholm).naive_local();
    local.with_nanosecond(0).unwrap_or(local)
}

/// `YYYY-MM-DDThh:mm:ss`.
#[must_use]
pub fn write(time: NaiveDateTime) -> String {
    time.format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Reads a timestamp: a zone is converted to Swedish time, fractions are dropped, a date alone is
/// midnight, anything after the seconds is ignored (shs-1.2, 2.13). `None` for anything else.
#[must_use]
pub fn read(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    let time = match DateTime::parse_from_rfc3339(text) {
        Ok(zoned) => swedish(zoned.to_utc()),
        Err(_) => match text.get(..19) {
            Some(local) => NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M:%S").ok()?,
            None => date(text)?.and_hms_opt(0, 0, 0)?,
        },
    };
    (1..=9999).contains(&time.year()).then_some(time)
}

/// Reads a date, `YYYY-MM-DD`; a zone after it is ignored.
#[must_use]
pub fn date(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    let zone = text.get(10..)?;
    if !(zone.is_empty() || zone.starts_with(['Z', '+', '-'])) {
        return None;
    }
    NaiveDate::parse_from_str(&text[..10], "%Y-%m-%d").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_seen_in_traffic_is_read() {
        for (text, time) in [
            ("2031-03-04T09:15:00", "2031-03-04T09:15:00"),
            (" 2031-03-04T09:15:00.123\n", "2031-03-04T09:15:00"),
            ("2031-03-04T09:15:00Z", "2031-03-04T10:15:00"),
            ("2031-07-04T09:15:00.5+01:00", "2031-07-04T10:15:00"),
            ("2031-03-04T09:15:00 CET", "2031-03-04T09:15:00"),
            ("2013-06-17", "2013-06-17T00:00:00"),
            ("2013-06-17+02:00", "2013-06-17T00:00:00"),
        ] {
            assert_eq!(read(text).map(write).as_deref(), Some(time), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in [
            "",
            "2031",
            "2031-13-01",
            "2031-03-04T",
            "2031-03-04T25:00:00",
            "20310304T091500",
            "åååååååååååååååååååå",
            "2031-03-0å",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_local_time_is_swedish_in_summer_and_winter() {
        let at = |text: &str| {
            text.parse::<DateTime<Utc>>()
                .map(swedish)
                .map(write)
                .unwrap()
        };
        assert_eq!(at("2031-01-01T23:30:00.7Z"), "2031-01-02T00:30:00");
        assert_eq!(at("2031-07-01T22:30:00Z"), "2031-07-02T00:30:00");
    }
}
