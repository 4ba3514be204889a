//! Looks for people in what was sent: in records, in texts, and in nested values.

use arrow::datatypes::DataType;
use serde_json::value::RawValue;

use super::redact::fits;
use super::suppressed::Suppressed;
use crate::json::raw::Raw;
use crate::json::record::{Record, Records};
use crate::transform::person;
use crate::transform::reading;
use crate::transform::tables::{Table, WHOLE_VALUES};

/// How many levels of nested values are searched as JSON; anything deeper is searched as words. Each level is parsed once more.
const DEEPEST: usize = 32;

/// The vendor's key for the country of the numbers in a record.
const COUNTRY_CODE: &str = "countryCode";

impl Suppressed {
    /// Whether a record, of a table or of none, has one of the identifiers in any field. Fields of the event are not searched:
    /// the host's account is in every viewer's record.
    #[must_use]
    pub fn has_record(&self, table: Option<Table>, record: Record<'_>) -> bool {
        self.has_fields(table, record, None, 0)
    }

    /// Whether a text is one of the identifiers, or has one among its words and numbers.
    #[must_use]
    pub fn has_text(&self, text: &str, country: Option<&str>) -> bool {
        self.has_text_at(0, text, country)
    }

    /// Like [`Self::has_text`], for a value of a column. In a column whose digits are nobody's number, only whole values count,
    /// not parts of them.
    pub(super) fn has_value(&self, column: &str, text: &str, country: Option<&str>) -> bool {
        if !WHOLE_VALUES.contains(&column) || text.contains(person::AT) {
            return self.has_text(text, country);
        }
        self.has_whole(text) || text.split([',', ';', ' ']).any(|one| self.has_whole(one))
    }

    /// Like [`Self::has_text`], for a text that is nested this deep.
    fn has_text_at(&self, depth: usize, text: &str, country: Option<&str>) -> bool {
        if self.is_empty() {
            return false;
        }
        if text.trim_ascii_start().starts_with(['{', '[']) && Records::default().whole(text).is_some() {
            return self.has_json(text, country, depth);
        }
        self.has_words(text, country)
    }

    /// Whether an object that is nested this deep has one of the identifiers, in any field, repeated keys included; `country` is
    /// the country code of the record around it.
    fn has_fields(
        &self,
        table: Option<Table>,
        record: Record<'_>,
        country: Option<&str>,
        depth: usize,
    ) -> bool {
        if self.is_empty() {
            return false;
        }
        if !record.is_object() {
            return self.has_json(record.text(), country, depth);
        }
        let own = record.get(COUNTRY_CODE);
        let own = own.and_then(reading::present);
        let country = own.as_deref().or(country);
        record.fields().any(|sent| {
            let key = sent.key();
            let column = table.and_then(|table| table.column_of(&key));
            let is_in_value = match (column, sent.raw()) {
                (Some(column), _) if is_of_event(column.name) => false,
                // What its column holds as anything other than text is a time or a count.
                (Some(column), _) if column.kind.data_type() != DataType::Utf8 && fits(column, &sent) => {
                    false
                }
                (Some(column), Raw::Text(text)) => self.has_value(column.name, &text, country),
                (Some(column), Raw::Number(digits)) if WHOLE_VALUES.contains(&column.name) => {
                    // As it was sent, and as the column holds it.
                    let written = reading::present(sent.raw());
                    self.has_whole(digits) || written.is_some_and(|text| self.has_whole(&text))
                }
                (_, raw) => self.has_raw(raw, country, depth),
            };
            is_in_value || (column.is_none() && self.has_text_at(depth + 1, &key, None))
        })
    }

    /// Whether a value that is nested this deep has one of the identifiers. A number is looked for as it was sent, and as a
    /// column would hold it.
    fn has_raw(&self, raw: Raw<'_>, country: Option<&str>, depth: usize) -> bool {
        match raw {
            Raw::Null | Raw::Flag(_) => false,
            Raw::Text(text) => self.has_text_at(depth + 1, &text, country),
            Raw::Number(digits) => {
                let written = reading::present(Raw::Number(digits)).filter(|text| text != digits);
                self.has_one(digits, country) || written.is_some_and(|text| self.has_one(&text, country))
            }
            Raw::Other(text) => self.has_json(text, country, depth + 1),
        }
    }

    /// Whether JSON that is nested this deep has one of the identifiers; if it is nested too deep, it is searched as words.
    fn has_json(&self, text: &str, country: Option<&str>, depth: usize) -> bool {
        let mut records = Records::default();
        let Some(record) = records.whole(text).filter(|_| depth < DEEPEST) else {
            return self.has_words(text, country);
        };
        if record.is_object() {
            return self.has_fields(None, record, country, depth);
        }
        match Raw::read(record.text(), text.contains('\\')) {
            Raw::Other(text) => match serde_json::from_str::<Vec<&RawValue>>(text) {
                Ok(values) => values.iter().any(|value| self.has_json(value.get(), country, depth + 1)),
                Err(_) => self.has_words(text, country),
            },
            raw => self.has_raw(raw, country, depth),
        }
    }
}

/// Whether a column is one of the event's, and so the same for all of its viewers.
pub(super) fn is_of_event(column: &str) -> bool {
    Table::Events.index_of(column).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_found_however_deeply_a_value_is_nested() {
        let suppressed = Suppressed::of_people(&["19000101106"]);
        for depth in [1, 10, 30, 31, 32, 33, 10_000] {
            for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
                let text =
                    |number| format!(r#"{{"a": {}{number}{}}}"#, open.repeat(depth), close.repeat(depth));
                // What is nested too deep is searched as words, where a number is found only as it was sent.
                let written = if depth < DEEPEST - 1 { "1.9000101106e10" } else { "19000101106" };
                for (number, is_found) in [(written, true), ("19000101107", false)] {
                    let (text, mut records) = (text(number), Records::default());
                    let record = records.whole(&text).unwrap();
                    assert_eq!(suppressed.has_record(Some(Table::Lives), record), is_found, "{depth} {open}");
                }
            }
        }
    }

    /// Each of these is somebody's own identifier, and has the digits of something in the record of somebody else.
    #[test]
    fn nobody_is_found_by_the_digits_of_a_time_an_address_or_the_number_of_a_viewing() {
        let record = r#"{"online_date": "2022-10-26 16:27:03", "online_time": 1666772823, "offline_time": "1666773823",
            "watch_duration": "3600", "ip": "10.0.123.45,10.12.3.4", "clientIp": "10.0.12.34", "chat_num": 4711,
            "viewerId": "63fcadcf4212be92", "deviceId": "63fcadcf4212be92", "liveTitle": "2022-10-27 20:00 大会",
            "userAgent": "Chrome/138.0.7204.100", "ipv6": "2408:8406:1234::1", "seen": "2022/10/26 16:27:27.123",
            "left": "26.10.2022", "viewer_id": 1, "company": "入职 2022/10/26", "at": "2022-10-26T16:27:27.123Z",
            "ips": "10.0.0.1, 10.0.0.2", "via": "(10.0.0.3)"}"#;
        let strangers = "20221026 2022102616 020-22102616 1666772823 1666773823 3600 10012345 101234 1001234 4711 4212 2022102720 \
            13807204100 8406 2022 27123 26102022 1000110002";
        let own =
            "10.0.123.45 10.12.3.4 10.0.12.34 10.0.0.1 10.0.0.2 10.0.0.3 2408:8406:1234::1 63fcadcf4212be92";
        for (identifiers, is_found) in [(strangers, false), (own, true)] {
            for identifier in identifiers.split_whitespace() {
                let (suppressed, mut records) = (Suppressed::of_people(&[identifier]), Records::default());
                let record = records.whole(record).unwrap();
                assert_eq!(suppressed.has_record(Some(Table::Lives), record), is_found, "{identifier}");
            }
        }
    }

    #[test]
    fn a_record_is_found_by_any_field_of_its_viewer_however_it_is_written() {
        let suppressed = Suppressed::of_people(&[
            "+86-19000101106",
            "Li@Example.com",
            "crm-7",
            "+12125550100",
            "3600",
            "4212",
            "+45 22 33 44 55",
        ]);
        for (record, is_found) in [
            (r#"{"mobile": "19000101106"}"#, true),
            (r#"{"mobile": 19000101106}"#, true),
            (r#"{"name": "\ud83d", "mobile": "19000101106"}"#, true),
            (r#"{"name": "\ud83d 19000101106"}"#, true),
            (r#"{"mobile": 19000101106.0}"#, true),
            (r#"{"mobile": 1.9000101106e10}"#, true),
            (r#"{"extId": 1.90001011060e10, "mobile": -1}"#, true),
            (r#"{"contact": {"phone": 19000101106.0}}"#, true),
            (r#"{"contact": {"phone": "19000101106", "phone": "-"}}"#, true),
            (r#"{"contact": [{"phone": 2125550100, "countryCode": 1}]}"#, true),
            (r#"{"contact": "{\"phone\": [1.9000101106E10]}"}"#, true),
            (r#"{"contact": " {\"phone\": 1.9000101106E10}"}"#, true),
            (r#"{"contact": ["\ud83d 19000101106"]}"#, true),
            (r#"{"contact": {"phone": 2125550100}, "countryCode": "1"}"#, true),
            (r#"{"contact": "{\"phones\": [\"2125550100\"]}", "countryCode": "1"}"#, true),
            (r#"{"contact": {"phone": 2125550100, "countryCode": "44"}, "countryCode": "1"}"#, false),
            (r#"{"name": "\u5f2019000101106\ud83d"}"#, true),
            (r#"{"name": "\ud83d\nli@example.com"}"#, true),
            (r#"{"name": "\\ud83d \udc00 19000101107"}"#, false),
            (r#"{"name": "李伟li@example.com"}"#, true),
            (r#"{"name": "write to li@example.com. Or not"}"#, true),
            (r#"{"name": "?mail=li@example.com&x=1"}"#, true),
            (r#"{"name": "eli@example.com, li@example.common"}"#, false),
            (r#"{"mobile": "2125550100", "countryCode": 1}"#, true),
            (r#"{"mobile": 2125550100, "countryCode": "1"}"#, true),
            (r#"{"name": "[VIP] li@example.com"}"#, true),
            (r#"{"name": "手机:19000101106"}"#, true),
            (r#"{"company": "tel +86 190 0010 1106"}"#, true),
            (r#"{"contact": {"phones": ["0086 19000101106"]}}"#, true),
            (r#"{"19000101106": 1}"#, true),
            (r#"{"mobile": "１９０００１０１１０６"}"#, true),
            (r#"{"mobile": "190\u00a00010\u20131106"}"#, true),
            (r#"{"name": "手机：＋８６　１９０００１０１１０６"}"#, true),
            (r#"{"name": "李伟190–0010–1106"}"#, true),
            (r#"{"email": "ｌｉ＠example.com"}"#, true),
            (r#"{"mobile": "１９０００１０１１０７"}"#, false),
            (r#"{"chat_num": "LI@example.COM"}"#, true),
            (r#"{"extId": "crm-7"}"#, true),
            (r#"{"extId": 3600, "watch_duration": 1}"#, true),
            ("\"19000101106\"", true),
            (r#"{"watch_duration": 3600, "chat_num": 3600}"#, false),
            (r#"{"hostId": 19000101106, "conferenceId": "crm-7"}"#, false),
            (r#"{"mobile": "19000101107", "email": "eli@example.com", "extId": "crm-77"}"#, false),
            (r#"{"contact": {"phone": 190001011060, "chat_num": 19000101106.5}}"#, false),
            (r#"{"viewerId": "63fcadcf4212be92", "ip": "192.168.40.44"}"#, false),
            (r#"{"viewerId": "4212"}"#, true),
            (r#"{"viewerId": 4212}"#, true),
            (r#"{"viewerId": 4212.0}"#, true),
            (r#"{"viewerId": 19000101106}"#, false),
            (r#"{"viewerId": "609768:li@example.com"}"#, true),
            (r#"{"name": "工号4212"}"#, true),
            (r#"{"name": "LiWei4212"}"#, true),
            (r#"{"mobile": "22.33.44.55", "countryCode": "45"}"#, true),
            (r#"{"name": "Jens 22.33.44.55", "countryCode": "45"}"#, true),
            ("null", false),
        ] {
            let mut records = Records::default();
            let record = records.whole(record).unwrap();
            assert_eq!(suppressed.has_record(Some(Table::Lives), record), is_found, "{}", record.text());
        }
    }
}
