//! Timestamps of SHS documents: Swedish local time, no zone, no fractions (shs-1.2, 3.1).

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, TimeZone, Timelike, Utc};
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
/// midnight, anything else after the seconds is ignored (shs-1.2, 2.13). `None` for anything else.
#[must_use]
pub fn read(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    let time = match text.split_at_checked(SECONDS_END) {
        Some((local, tail)) => {
            let local = NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M:%S").ok()?;
            // A leap second is the second before it, as nobody else knows leap seconds.
            let local = in_range(local.with_nanosecond(0)?)?;
            match zone(tail) {
                Some(zone) => swedish(zone.from_local_datetime(&local).single()?.to_utc()),
                None => local,
            }
        }
        None => date(text)?.and_hms_opt(0, 0, 0)?,
    };
    in_range(time)
}

/// Years of four digits: all that can be written, and far from what arithmetic cannot take.
fn in_range(time: NaiveDateTime) -> Option<NaiveDateTime> {
    (1..=9999).contains(&time.year()).then_some(time)
}

/// Length of `YYYY-MM-DDThh:mm:ss`.
const SECONDS_END: usize = 19;

/// The zone after the seconds and their fractions: `Z`, `+hh:mm`, `+hhmm` or `+hh`.
fn zone(tail: &str) -> Option<FixedOffset> {
    let tail = match tail.strip_prefix(['.', ',']) {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => tail,
    };
    if tail.eq_ignore_ascii_case("z") {
        return FixedOffset::east_opt(0);
    }
    let (west, digits) = match tail.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, tail.strip_prefix('+')?),
    };
    let digits = digits.replacen(':', "", 1);
    let (hours, minutes) = match digits.len() {
        2 => (digits.as_str(), "0"),
        4 => digits.split_at_checked(2)?,
        _ => return None,
    };
    let number = |text: &str| {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<i32>().ok()).flatten()
    };
    let seconds = number(hours)? * 3600 + number(minutes)? * 60;
    FixedOffset::east_opt(if west { -seconds } else { seconds })
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
            ("2031-03-04T09:15:00+0200", "2031-03-04T08:15:00"),
            ("2031-03-04T09:15:00-00", "2031-03-04T10:15:00"),
            ("2031-03-04T09:15:00,25+01:00", "2031-03-04T09:15:00"),
            ("2031-03-04T09:15:00.123456789z", "2031-03-04T10:15:00"),
            ("2031-03-04T09:15:60", "2031-03-04T09:15:59"),
            ("2031-03-04T09:15:00 CET", "2031-03-04T09:15:00"),
            ("2031-03-04T09:15:00+ab:cd", "2031-03-04T09:15:00"),
            ("2031-03-04T09:15:00+99:99", "2031-03-04T09:15:00"),
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
            "+262142-12-31T9:9:9+01",
            "0000-12-31T00:00:00",
            "9999-12-31T23:59:59-01:00",
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
