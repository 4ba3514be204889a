//! People of whom nothing may be kept: what their identifiers come to under the key. The list names nobody.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::DataType;
use serde_json::value::RawValue;

use super::pseudonym::{self, Key, Sum};
use crate::error::{Error, Explain, Kind, Result};
use crate::transform::person;
use crate::transform::raw::Raw;
use crate::transform::record::{Record, Records};
use crate::transform::tables::Table;
use crate::transform::value;

/// What stands between the words of a text, and in no identifier.
const BETWEEN: &[char] = &[
    ',', ';', '|', '"', '\'', '<', '>', '(', ')', '[', ']', '{', '}', '，', '、', '；', '（', '）', ':',
    '：', '/', '【', '】',
];

/// Bytes of the shortest identifier.
const SHORTEST: usize = 4;

/// Values in values in values are looked through so far down; what is deeper, as words. Each level is read once more.
const DEEPEST: usize = 32;

/// The vendor's key for the country of the numbers in a record.
const COUNTRY_CODE: &str = "countryCode";

/// The list. Without anybody on it, no key is needed.
#[derive(Clone, Debug, Default)]
pub struct Suppressed {
    people: BTreeSet<Sum>,
    key: Option<Key>,
}

impl Suppressed {
    /// The list of these sums, in hex digits, which the key made.
    pub fn of<'a>(sums: impl IntoIterator<Item = &'a String>, key: Option<Key>) -> Result<Self> {
        let damaged = || Error::new(Kind::Damaged, "the list of suppressed people cannot be read");
        let people =
            sums.into_iter().map(|sum| pseudonym::parse(sum).ok_or_else(damaged)).collect::<Result<_>>()?;
        Ok(Self { people, key })
    }

    /// Its sums, in hex digits, in order.
    pub fn sums(&self) -> impl Iterator<Item = String> {
        self.people.iter().map(pseudonym::hex)
    }

    /// How many there are. The list only grows, so that this says which list it is.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.people.len() as u64
    }

    /// Whether nobody is on it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// Adds an identifier, in every form that a table may have it in.
    pub fn add(&mut self, identifier: &str) {
        let Some(key) = &self.key else { return };
        for form in forms(identifier, None) {
            self.people.insert(key.sum(&form));
        }
    }

    /// Whether a record of a table, or of none, has one of the identifiers, in any field that is not the event's: the account of
    /// a host stands in every viewer's record.
    #[must_use]
    pub fn has_record(&self, table: Option<Table>, record: Record<'_>) -> bool {
        self.has_fields(table, record, 0)
    }

    /// How many rows have one of the identifiers, in any column. The batch may have some columns only.
    #[must_use]
    pub fn count(&self, table: Table, batch: &RecordBatch) -> u64 {
        self.found(table, batch).filter(|has| *has).count() as u64
    }

    /// Whether each row has one of the identifiers. What a visit says of itself has none.
    fn found<'a>(&'a self, table: Table, batch: &'a RecordBatch) -> impl Iterator<Item = bool> + 'a {
        let fields = batch.schema_ref().fields().iter().zip(batch.columns());
        let of_viewer = fields.filter(move |(field, _)| match table {
            Table::Pulls => false,
            Table::Events => true,
            _ => !is_of_event(field.name()),
        });
        let texts: Vec<_> = of_viewer.filter_map(|(_, array)| array.as_string_opt::<i32>()).collect();
        let column = |name: &str| batch.column_by_name(name).and_then(|array| array.as_string_opt::<i32>());
        let (country, source) = (column("country_code"), column("source_table"));
        let value = |texts: Option<&'a StringArray>, row: usize| {
            texts.filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row))
        };
        (0..batch.num_rows()).map(move |row| {
            let (country, source) = (value(country, row), value(source, row).and_then(Table::named));
            texts.iter().filter_map(|texts| value(Some(texts), row)).any(|text| match table {
                Table::Rejects => self.has_sent(source, text),
                _ => self.has_text(text, country),
            })
        })
    }

    /// Whether a record that was sent for a table, or another text about it, has one of the identifiers.
    fn has_sent(&self, table: Option<Table>, text: &str) -> bool {
        match Records::default().whole(text) {
            Some(record) => self.has_record(table, record),
            None => self.has_text(text, None),
        }
    }

    /// The rows without those that have one of the identifiers, in any column. Of an event, its own row stays without it.
    pub(super) fn without(&self, table: Table, batch: &RecordBatch) -> Result<RecordBatch> {
        if self.is_empty() || table == Table::Pulls {
            return Ok(batch.clone());
        }
        if table == Table::Events {
            return self.without_names(batch);
        }
        let kept: BooleanArray = self.found(table, batch).map(|has| Some(!has)).collect();
        filter_record_batch(batch, &kept).explain(Kind::Damaged, || "cannot filter rows".to_owned())
    }

    /// The rows of events, whose hosts may be on the list, too.
    fn without_names(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let columns = batch.columns().iter().zip(batch.schema_ref().fields());
        let arrays = columns.map(|(array, field)| match array.as_string_opt::<i32>() {
            Some(texts) if field.is_nullable() => {
                let kept = texts.iter().map(|text| text.filter(|text| !self.has_text(text, None)));
                Arc::new(kept.collect::<StringArray>()) as ArrayRef
            }
            _ => Arc::clone(array),
        });
        RecordBatch::try_new(batch.schema(), arrays.collect())
            .explain(Kind::Damaged, || "cannot blank a column".to_owned())
    }

    /// Whether a text is, or has among its words and numbers, one of the identifiers.
    #[must_use]
    pub fn has_text(&self, text: &str, country: Option<&str>) -> bool {
        self.has_text_at(0, text, country)
    }

    /// The same for a text in values in so many values.
    fn has_text_at(&self, depth: usize, text: &str, country: Option<&str>) -> bool {
        if self.is_empty() {
            return false;
        }
        if text.starts_with(['{', '[']) && Records::default().whole(text).is_some() {
            return self.has_json(text, depth);
        }
        self.has_words(text, country)
    }

    fn has_words(&self, text: &str, country: Option<&str>) -> bool {
        let mut words = text.split(|sign: char| sign.is_whitespace() || BETWEEN.contains(&sign));
        let is_part = |part: &str| (SHORTEST..text.len()).contains(&part.len());
        let mut numbers = text.split(|sign: char| !sign.is_ascii_digit() && !" -().+".contains(sign));
        self.has_one(text, country)
            || words.any(|word| is_part(word) && self.has_one(word, country))
            || numbers.any(|number| is_part(number) && self.has_one(number, country))
    }

    fn has_one(&self, text: &str, country: Option<&str>) -> bool {
        if let Some(sum) = pseudonym::sum_of(text) {
            return self.people.contains(&sum);
        }
        let Some(key) = &self.key else { return false };
        forms(text, country).iter().any(|form| self.people.contains(&key.sum(form)))
    }

    /// An object in so many values, repeated keys included.
    fn has_fields(&self, table: Option<Table>, record: Record<'_>, depth: usize) -> bool {
        if self.is_empty() {
            return false;
        }
        if !record.is_object() {
            return self.has_json(record.text(), depth);
        }
        let country = record.get(COUNTRY_CODE);
        let country = country.and_then(|raw| value::present(&raw));
        record.fields().any(|sent| {
            let key = sent.key();
            let column = table.and_then(|table| table.column_of(&key));
            let is_in_value = match (column, sent.raw()) {
                (Some(column), _) if is_of_event(column.name) => false,
                // A number is an identifier where a column of text is its own, or none is.
                (Some(column), Raw::Number(_)) if column.kind.data_type() != DataType::Utf8 => false,
                (_, raw) => self.has_raw(&raw, country.as_deref(), depth),
            };
            is_in_value || (column.is_none() && self.has_text_at(depth + 1, &key, None))
        })
    }

    /// A value in so many values. A number is looked for as it was sent, and as a column has it.
    fn has_raw(&self, raw: &Raw<'_>, country: Option<&str>, depth: usize) -> bool {
        match raw {
            Raw::Null | Raw::Flag(_) => false,
            Raw::Text(text) => self.has_text_at(depth + 1, text, country),
            Raw::Number(digits) => {
                let written = value::present(raw).filter(|text| text != digits);
                self.has_one(digits, country) || written.is_some_and(|text| self.has_one(&text, country))
            }
            Raw::Other(text) => self.has_json(text, depth + 1),
        }
    }

    /// JSON in so many values; what no program can read, such as half of a surrogate pair, is taken as words.
    fn has_json(&self, text: &str, depth: usize) -> bool {
        let mut records = Records::default();
        let Some(record) = records.whole(text).filter(|_| depth < DEEPEST) else {
            return self.has_words(text, None);
        };
        if record.is_object() {
            return self.has_fields(None, record, depth);
        }
        match Raw::read(record.text(), text.contains('\\')) {
            Raw::Other(text) => match serde_json::from_str::<Vec<&RawValue>>(text) {
                Ok(values) => values.iter().any(|value| self.has_json(value.get(), depth + 1)),
                Err(_) => self.has_words(text.trim_matches('"'), None),
            },
            raw => self.has_raw(&raw, None, depth),
        }
    }
}

/// Whether a column is the event's, and so the same for all of its viewers.
fn is_of_event(column: &str) -> bool {
    Table::Events.index_of(column).is_some()
}

/// A text as a table may have it: a number as plus and digits; and any text as it is, and in lower case.
fn forms(text: &str, country: Option<&str>) -> BTreeSet<String> {
    let text = text.trim();
    let numbers = [person::e164(text, country), person::e164(text, None)];
    let mut forms: BTreeSet<String> = numbers.into_iter().flatten().collect();
    if !text.is_empty() {
        forms.extend([text.to_owned(), text.to_lowercase()]);
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::batch::BatchBuilder;
    use crate::transform::value::Value;

    fn suppressed(identifiers: &[&str]) -> Suppressed {
        let key = Key::checked(&"k".repeat(32).into()).unwrap();
        let mut suppressed = Suppressed::of([], Some(key)).unwrap();
        for identifier in identifiers {
            suppressed.add(identifier);
        }
        suppressed
    }

    #[test]
    fn a_reject_is_looked_through_as_the_record_that_it_is() {
        let suppressed = suppressed(&["88589655", "+86-19000101106"]);
        let records = [
            r#"{"hostId": 88589655, "chat_num": 88589655}"#,
            r#"{"mobile": 19000101106}"#,
            "null",
            "19000101106",
            "1.9000101106e10",
            r#"{"mobile": 1} 19000101106"#,
        ];
        let mut batch = BatchBuilder::new(Table::Rejects);
        for record in records {
            batch.push_named(vec![
                ("event_id", 1_i64.into()),
                ("source_table", "lives".into()),
                ("source", "windows".into()),
                ("path", "$.data.report.lives[0]".into()),
                ("reason", "no_time".into()),
                ("record", record.into()),
                ("pulled_at", Value::Millis(0)),
            ]);
        }
        let batch = batch.finish().unwrap();
        let found: Vec<bool> = suppressed.found(Table::Rejects, &batch).collect();
        assert_eq!(found, [false, true, false, true, true, true]);
    }

    #[test]
    fn a_value_is_looked_through_however_deep_it_stands() {
        let suppressed = suppressed(&["19000101106"]);
        for depth in [1, 10, 31, 32, 33, 10_000] {
            for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
                let text =
                    |number| format!(r#"{{"a": {}{number}{}}}"#, open.repeat(depth), close.repeat(depth));
                for (number, is_found) in [("19000101106", true), ("19000101107", false)] {
                    let (text, mut records) = (text(number), Records::default());
                    let record = records.whole(&text).unwrap();
                    assert_eq!(suppressed.has_record(Some(Table::Lives), record), is_found, "{depth} {open}");
                }
            }
        }
    }

    #[test]
    fn a_record_is_found_by_any_field_of_its_viewer_however_it_is_written() {
        let suppressed = suppressed(&["+86-19000101106", "Li@Example.com", "crm-7", "+12125550100", "3600"]);
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
            (r#"{"contact": ["\ud83d 19000101106"]}"#, true),
            (r#"{"mobile": "2125550100", "countryCode": 1}"#, true),
            (r#"{"mobile": 2125550100, "countryCode": "1"}"#, true),
            (r#"{"name": "[VIP] li@example.com"}"#, true),
            (r#"{"name": "手机:19000101106"}"#, true),
            (r#"{"company": "tel +86 190 0010 1106"}"#, true),
            (r#"{"contact": {"phones": ["0086 19000101106"]}}"#, true),
            (r#"{"19000101106": 1}"#, true),
            (r#"{"chat_num": "LI@example.COM"}"#, true),
            (r#"{"extId": "crm-7"}"#, true),
            (r#"{"extId": 3600, "watch_duration": 1}"#, true),
            ("\"19000101106\"", true),
            (r#"{"watch_duration": 3600, "chat_num": 3600}"#, false),
            (r#"{"hostId": 19000101106, "conferenceId": "crm-7"}"#, false),
            (r#"{"mobile": "19000101107", "email": "eli@example.com", "extId": "crm-77"}"#, false),
            (r#"{"contact": {"phone": 190001011060, "chat_num": 19000101106.5}}"#, false),
            ("null", false),
        ] {
            let mut records = Records::default();
            let record = records.whole(record).unwrap();
            assert_eq!(suppressed.has_record(Some(Table::Lives), record), is_found, "{}", record.text());
        }
    }
}
