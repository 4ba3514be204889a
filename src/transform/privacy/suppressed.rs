//! People of whom nothing may be kept: what their identifiers come to under the key. The list names nobody.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use serde_json::Value as Json;

use super::pseudonym::{self, Key, Sum};
use crate::error::{Error, Explain, Kind, Result};
use crate::transform::person;
use crate::transform::record::Record;
use crate::transform::tables::Table;

/// What stands between the words of a text. Neither of them is part of an identifier.
const BETWEEN: &[char] =
    &[',', ';', '|', '"', '\'', '<', '>', '(', ')', '[', ']', '{', '}', '，', '、', '；', '（', '）'];

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

    /// Whether a record has one of the identifiers, in any field.
    #[must_use]
    pub fn has_record(&self, record: Record<'_>) -> bool {
        !self.is_empty() && self.has_json(record.text())
    }

    /// How many rows have one of the identifiers, in any column. The batch may have some columns only.
    #[must_use]
    pub fn count(&self, batch: &RecordBatch) -> u64 {
        self.found(batch).filter(|has| *has).count() as u64
    }

    /// Whether each row has one of the identifiers.
    fn found<'a>(&'a self, batch: &'a RecordBatch) -> impl Iterator<Item = bool> + 'a {
        let texts: Vec<_> = batch.columns().iter().filter_map(|array| array.as_string_opt::<i32>()).collect();
        let country = batch.column_by_name("country_code").and_then(|array| array.as_string_opt::<i32>());
        (0..batch.num_rows()).map(move |row| {
            let country = country.filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row));
            texts.iter().any(|texts| texts.is_valid(row) && self.has_text(texts.value(row), country))
        })
    }

    /// The rows without those that have one of the identifiers, in any column. Of an event, its own row stays without it.
    pub(super) fn without(&self, table: Table, batch: &RecordBatch) -> Result<RecordBatch> {
        if self.is_empty() || table == Table::Pulls {
            return Ok(batch.clone());
        }
        if table == Table::Events {
            return self.without_names(batch);
        }
        let kept: BooleanArray = self.found(batch).map(|has| Some(!has)).collect();
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

    /// Whether a text is, or has among its words, one of the identifiers.
    #[must_use]
    pub fn has_text(&self, text: &str, country: Option<&str>) -> bool {
        if self.is_empty() {
            return false;
        }
        if text.starts_with(['{', '[']) {
            return self.has_json(text);
        }
        let words = || text.split(|sign: char| sign.is_whitespace() || BETWEEN.contains(&sign));
        self.has_one(text, country)
            || words().any(|word| word.len() < text.len() && self.has_one(word, country))
    }

    fn has_one(&self, text: &str, country: Option<&str>) -> bool {
        if let Some(sum) = pseudonym::sum_of(text) {
            return self.people.contains(&sum);
        }
        let Some(key) = &self.key else { return false };
        forms(text, country).iter().any(|form| self.people.contains(&key.sum(form)))
    }

    /// JSON, at any depth; what is none is taken as a text.
    fn has_json(&self, text: &str) -> bool {
        match serde_json::from_str(text) {
            Ok(json) => self.has_value(&json),
            Err(_) => self.has_one(text, None),
        }
    }

    fn has_value(&self, json: &Json) -> bool {
        match json {
            Json::Null | Json::Bool(_) => false,
            Json::Number(number) => self.has_one(&number.to_string(), None),
            Json::String(text) => self.has_text(text, None),
            Json::Array(values) => values.iter().any(|value| self.has_value(value)),
            Json::Object(fields) => {
                let country = fields.get(COUNTRY_CODE).and_then(Json::as_str);
                fields.iter().any(|(key, value)| {
                    let is_number =
                        country.is_some() && value.as_str().is_some_and(|text| self.has_text(text, country));
                    is_number || self.has_text(key, None) || self.has_value(value)
                })
            }
        }
    }
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
