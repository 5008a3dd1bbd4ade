//! Writes the XML of simulated answers: elements and escaped text, nothing read.

use chrono::{Datelike, NaiveDate};

/// Room for a usual answer, so that it is written without growing.
const CAPACITY: usize = 4 * 1024;

/// An XML text in the making. Element names are ours and written as they are; values are escaped.
pub(super) struct Xml(String);

impl Xml {
    /// An empty text.
    pub(super) fn new() -> Self {
        Self(String::with_capacity(CAPACITY))
    }

    /// Markup that is already XML.
    pub(super) fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// `<name>`
    pub(super) fn open(&mut self, name: &str) -> &mut Self {
        self.raw("<").raw(name).raw(">")
    }

    /// `<name attribute="value" …>`
    pub(super) fn open_with(&mut self, name: &str, attributes: &[(&str, &str)]) -> &mut Self {
        self.raw("<").raw(name);
        for (attribute, value) in attributes {
            self.raw(" ").raw(attribute).raw("=\"");
            escape(value, &mut self.0);
            self.raw("\"");
        }
        self.raw(">")
    }

    /// `</name>`
    pub(super) fn close(&mut self, name: &str) -> &mut Self {
        self.raw("</").raw(name).raw(">")
    }

    /// `<name/>`
    pub(super) fn empty(&mut self, name: &str) -> &mut Self {
        self.raw("<").raw(name).raw("/>")
    }

    /// `<name>value</name>`
    pub(super) fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.open(name);
        escape(value, &mut self.0);
        self.close(name)
    }

    /// `<name>17</name>`
    pub(super) fn number(&mut self, name: &str, value: u32) -> &mut Self {
        self.text(name, &value.to_string())
    }

    /// `<name>true</name>`
    pub(super) fn boolean(&mut self, name: &str, value: bool) -> &mut Self {
        self.text(name, if value { "true" } else { "false" })
    }

    /// `<name>2026-11-21</name>`
    pub(super) fn date(&mut self, name: &str, date: NaiveDate) -> &mut Self {
        self.open(name).push_date(date, "-");
        self.close(name)
    }

    /// `<name>2026-11-21+01:00</name>`, as some authorities write it (ssbtek-10, 8 item 9).
    pub(super) fn date_with_zone(&mut self, name: &str, date: NaiveDate) -> &mut Self {
        // Summer time by month: good enough for an invented date.
        let zone = if (4..=10).contains(&date.month()) {
            "+02:00"
        } else {
            "+01:00"
        };
        self.open(name).push_date(date, "-");
        self.raw(zone).close(name)
    }

    /// `<name>20261121</name>`, CSN's form.
    pub(super) fn digits_date(&mut self, name: &str, date: NaiveDate) -> &mut Self {
        self.open(name).push_date(date, "");
        self.close(name)
    }

    fn push_date(&mut self, date: NaiveDate, between: &str) {
        let (year, month, day) = (date.year().unsigned_abs(), date.month(), date.day());
        for place in [1000, 100, 10, 1] {
            self.push_digit(year / place);
        }
        self.raw(between).push_digit(month / 10);
        self.push_digit(month);
        self.raw(between).push_digit(day / 10);
        self.push_digit(day);
    }

    fn push_digit(&mut self, number: u32) {
        self.0
            .push(char::from_digit(number % 10, 10).unwrap_or('0'));
    }

    /// The text.
    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// Escapes for text and attribute values alike. `>` too, so that `]]>` never appears; carriage
/// return as a reference, since readers would turn it into a line feed.
fn escape(value: &str, out: &mut String) {
    let mut rest = value;
    while let Some(place) = rest.find(['&', '<', '>', '"', '\r']) {
        out.push_str(&rest[..place]);
        out.push_str(match rest.as_bytes()[place] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "&#13;",
        });
        rest = &rest[place + 1..];
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_names_are_not() {
        let mut xml = Xml::new();
        xml.open_with("a:b", &[("x", "\"<\"")])
            .text("c", "å & ]]> \r")
            .close("a:b");
        assert_eq!(
            xml.into_string(),
            "<a:b x=\"&quot;&lt;&quot;\"><c>å &amp; ]]&gt; &#13;</c></a:b>"
        );
    }

    #[test]
    fn dates_come_in_three_forms() {
        let date = NaiveDate::from_ymd_opt(2026, 7, 5).unwrap();
        let mut xml = Xml::new();
        xml.date("a", date)
            .date_with_zone("b", date)
            .digits_date("c", date);
        assert_eq!(
            xml.into_string(),
            "<a>2026-07-05</a><b>2026-07-05+02:00</b><c>20260705</c>"
        );
    }
}
