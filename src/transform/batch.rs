//! Collects rows into record batches: one builder per column, filled row by row.

use arrow::array::{Array, AsArray, RecordBatch, new_null_array};
use arrow::datatypes::{DataType, Date32Type, Int64Type, TimestampMillisecondType};
use jiff::Timestamp;
use jiff::tz::Offset;

use super::builder::Builder;
use super::tables::Table;
use super::value::Value;
use crate::error::{Error, Explain, Kind, Result};

/// The number of rows in a full batch: small, because a visit holds several batches in memory.
pub const BATCH_ROWS: usize = 2 * 1024;
/// A batch is also full after this many bytes of records, in case records are larger than any ever seen.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// The rows of one table on their way to a record batch.
pub struct BatchBuilder {
    table: Table,
    builders: Vec<Builder>,
    rows: usize,
    /// Bytes of the records, or of the texts, that the rows were made from.
    bytes: usize,
    /// A name that a value was given under, and that no column has.
    misnamed: Option<&'static str>,
}

impl BatchBuilder {
    /// Creates a builder without rows.
    #[must_use]
    pub fn new(table: Table) -> Self {
        let builders = table.columns().iter().map(Builder::of).collect();
        Self { table, builders, rows: 0, bytes: 0, misnamed: None }
    }

    /// Whether the rows should become a batch before more are added.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    /// Adds a row whose values are in the order of the columns. A value that is not of its column's kind becomes null.
    pub fn push<'a>(&mut self, values: impl IntoIterator<Item = Value<'a>>) {
        for (builder, value) in self.builders.iter_mut().zip(values) {
            if let Value::Text(text) = &value {
                self.bytes += text.len();
            }
            builder.push(value);
        }
        self.rows += 1;
    }

    /// Begins a row that is made from this many bytes. Returns the builders in the order of the columns; the caller has to add
    /// one value to each.
    pub(super) fn row(&mut self, bytes: usize) -> &mut [Builder] {
        self.bytes += bytes;
        self.rows += 1;
        &mut self.builders
    }

    /// Adds a row whose values are given by column name; columns that are not named become null. If no column has one of the
    /// names, the batch cannot be finished.
    pub fn push_named(&mut self, mut values: Vec<(&'static str, Value<'_>)>) {
        let table = self.table;
        let misnamed = values.iter().find(|(name, _)| table.index_of(name).is_none());
        self.misnamed = misnamed.map(|(name, _)| *name).or(self.misnamed);
        self.push(table.columns().iter().map(|column| {
            let named = values.iter_mut().find(|(name, _)| *name == column.name);
            named.map_or(Value::Null, |(_, value)| std::mem::replace(value, Value::Null))
        }));
    }

    /// Returns the rows as one batch, and empties the builder.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        (self.rows, self.bytes) = (0, 0);
        if let Some(name) = self.misnamed {
            let message = format!("`{}` has no column `{name}`", self.table.name());
            return Err(Error::bug(message));
        }
        let arrays = self.builders.iter_mut().map(|builder| builder.finish(BATCH_ROWS)).collect();
        RecordBatch::try_new(self.table.schema(), arrays).map_err(|error| {
            Error::bug(format!("cannot build a batch of `{}`", self.table.name())).caused_by(error)
        })
    }
}

/// Returns `rows` rows of a batch, beginning with row `from`. If these are all of its rows, returns the batch itself, because a
/// slice takes memory for every column.
#[must_use]
pub fn rows_of(batch: &RecordBatch, from: usize, rows: usize) -> RecordBatch {
    if rows == batch.num_rows() { batch.clone() } else { batch.slice(from, rows) }
}

/// Bytes of the texts in a batch.
#[must_use]
pub fn text_bytes(batch: &RecordBatch) -> usize {
    let texts = batch.columns().iter().filter_map(|array| array.as_string_opt::<i32>());
    let ends =
        texts.filter_map(|texts| Some((texts.value_offsets().first()?, texts.value_offsets().last()?)));
    ends.map(|(first, last)| usize::try_from(last - first).unwrap_or_default()).sum()
}

/// How many rows, from the first on, it takes for their texts to reach `bytes` bytes; all rows if their texts have fewer.
#[must_use]
pub fn rows_until(batch: &RecordBatch, bytes: usize) -> usize {
    let has_fewer = |rows: usize| text_bytes(&rows_of(batch, 0, rows)) < bytes;
    if has_fewer(batch.num_rows()) {
        return batch.num_rows();
    }
    let (mut from, mut to) = (0, batch.num_rows());
    while from + 1 < to {
        let middle = usize::midpoint(from, to);
        if has_fewer(middle) {
            from = middle;
        } else {
            to = middle;
        }
    }
    to
}

/// Gives a batch that was read from a file the table's current columns: matched by name, and null where the file is older than
/// the column.
pub fn conform(table: Table, batch: &RecordBatch) -> Result<RecordBatch> {
    let schema = table.schema();
    let arrays = schema
        .fields()
        .iter()
        .map(|field| {
            let found = batch.column_by_name(field.name()).cloned();
            found.unwrap_or_else(|| new_null_array(field.data_type(), batch.num_rows()))
        })
        .collect();
    RecordBatch::try_new(schema, arrays)
        .explain(Kind::Damaged, || format!("the columns are not those of `{}`", table.name()))
}

/// One value of a batch; null if the batch has no such column.
#[must_use]
pub fn value<'a>(batch: &'a RecordBatch, column: &str, row: usize) -> Value<'a> {
    let Some(array) = batch.column_by_name(column).filter(|array| array.is_valid(row)) else {
        return Value::Null;
    };
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::Timestamp(..) => Value::Millis(array.as_primitive::<TimestampMillisecondType>().value(row)),
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().value(row);
            // A file of another program may hold a day that no calendar has.
            let start = Timestamp::from_second(i64::from(days) * 86_400);
            start.map_or(Value::Null, |start| Offset::UTC.to_datetime(start).date().into())
        }
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Date32Array;
    use arrow::datatypes::{Field, Schema};
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_value_for_an_unknown_column_is_an_error() {
        let mut rows = BatchBuilder::new(Table::Events);
        rows.push_named(vec![("event_id", Value::Integer(1)), ("titel", "launch".into())]);
        let error = rows.finish().unwrap_err();
        assert!(error.to_string().contains("`events` has no column `titel`"), "{error}");
    }

    #[test]
    fn a_day_outside_the_calendar_is_null() {
        let days = [0, 19_291, -719_528, i32::MAX, i32::MIN];
        let schema = Schema::new(vec![Field::new("first_day", DataType::Date32, true)]);
        let array = Arc::new(Date32Array::from(days.to_vec()));
        let batch = RecordBatch::try_new(Arc::new(schema), vec![array]).unwrap();
        let found: Vec<_> = (0..days.len()).map(|row| value(&batch, "first_day", row)).collect();
        let day = |year, month, day| Value::Day(date(year, month, day));
        assert_eq!(found, [day(1970, 1, 1), day(2022, 10, 26), day(0, 1, 1), Value::Null, Value::Null]);
    }
}
