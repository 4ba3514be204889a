//! One row of a record batch, read by the names of its columns.

use std::borrow::Cow;

use arrow::array::RecordBatch;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use serde_json::{Map, Value as Json};

use super::batch;
use super::column::ColumnKind;
use super::event::Event;
use super::tables::Table;
use super::value::Value;

/// A row. Each getter returns `None` if the column is missing, null, or of another kind.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    batch: &'a RecordBatch,
    at: usize,
}

/// The rows of a batch, in their order.
pub fn rows(batch: &RecordBatch) -> impl Iterator<Item = Row<'_>> {
    (0..batch.num_rows()).map(move |at| Row { batch, at })
}

impl<'a> Row<'a> {
    /// The event that a row of `events` describes.
    #[must_use]
    pub fn event(&self) -> Option<Event> {
        Event::of_row(self.batch, self.at)
    }

    fn value(&self, column: &str) -> Value<'a> {
        batch::value(self.batch, column, self.at)
    }

    /// The text in a column.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<Cow<'a, str>> {
        if let Value::Text(text) = self.value(column) { Some(text) } else { None }
    }

    /// The whole number in a column.
    #[must_use]
    pub fn number(&self, column: &str) -> Option<i64> {
        if let Value::Integer(number) = self.value(column) { Some(number) } else { None }
    }

    /// The yes or no in a column.
    #[must_use]
    pub fn flag(&self, column: &str) -> Option<bool> {
        if let Value::Flag(flag) = self.value(column) { Some(flag) } else { None }
    }

    /// The day in a column.
    #[must_use]
    pub fn day(&self, column: &str) -> Option<Date> {
        if let Value::Day(day) = self.value(column) { Some(day) } else { None }
    }

    /// The instant in a column.
    #[must_use]
    pub fn instant(&self, column: &str) -> Option<Timestamp> {
        let Value::Millis(millis) = self.value(column) else { return None };
        Timestamp::from_millisecond(millis).ok()
    }

    /// The reading of the lake's wall clock in a column.
    #[must_use]
    pub fn wall_clock(&self, column: &str) -> Option<DateTime> {
        self.instant(column).map(|instant| Offset::UTC.to_datetime(instant))
    }

    /// The whole row as JSON under the names of the table's columns, without those that are null.
    #[must_use]
    pub fn to_json(&self, table: Table) -> Map<String, Json> {
        let values = table.columns().iter().filter_map(|column| {
            let value = match self.value(column.name) {
                Value::Null => return None,
                Value::Text(text) => Json::from(text),
                Value::Integer(number) => Json::from(number),
                Value::Flag(flag) => Json::from(flag),
                Value::Day(day) => Json::from(day.to_string()),
                Value::Millis(_) if matches!(column.kind, ColumnKind::WallClock { .. }) => {
                    Json::from(self.wall_clock(column.name)?.to_string())
                }
                Value::Millis(_) => Json::from(self.instant(column.name)?.to_string()),
            };
            Some((column.name.to_owned(), value))
        });
        values.collect()
    }
}
