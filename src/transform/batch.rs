//! Rows to record batches: a builder for each column, filled a row at a time.

use arrow::array::{
    Array, ArrayBuilder, ArrayRef, AsArray, BooleanBuilder, Date32Builder, Int64Builder, RecordBatch,
    StringBuilder, TimestampMillisecondBuilder, new_null_array,
};
use arrow::datatypes::{DataType, Date32Type, Int64Type, TimestampMillisecondType};
use jiff::ToSpan;
use jiff::civil::date;

use super::column::{Column, Kind};
use super::record::Sent;
use super::scan::Shape;
use super::tables::Table;
use super::usual;
use super::value::{self, Unfit, Value};
use crate::error::{Explain, Kind as ErrorKind, Result};

/// Rows of a full batch: few, because a visit holds several.
pub const BATCH_ROWS: usize = 2 * 1024;

/// The rows of one table on their way to a record batch.
pub struct BatchBuilder {
    table: Table,
    builders: Vec<Builder>,
    rows: usize,
}

impl BatchBuilder {
    /// No rows yet.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table, builders: table.columns().iter().map(Builder::of).collect(), rows: 0 }
    }

    /// How many rows are waiting.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Adds a row, its values in the order of the columns. A value of another kind than its column's is null.
    pub fn push<'a>(&mut self, values: impl IntoIterator<Item = Value<'a>>) {
        for (builder, value) in self.builders.iter_mut().zip(values) {
            builder.push(value);
        }
        self.rows += 1;
    }

    /// Adds a row; `fill` adds to the builder of each column what is made of its source.
    pub(super) fn push_with<S>(
        &mut self,
        sources: impl IntoIterator<Item = S>,
        mut fill: impl FnMut(&mut Builder, S),
    ) {
        for (builder, source) in self.builders.iter_mut().zip(sources) {
            fill(builder, source);
        }
        self.rows += 1;
    }

    /// Adds a row, its values by the names of their columns; columns that are not named are null.
    pub fn push_named(&mut self, mut values: Vec<(&'static str, Value<'_>)>) {
        let table = self.table;
        self.push(table.columns().iter().map(|column| {
            let named = values.iter_mut().find(|(name, _)| *name == column.name);
            named.map_or(Value::Null, |(_, value)| std::mem::replace(value, Value::Null))
        }));
    }

    /// The rows as one batch; the builder is empty afterwards.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        self.rows = 0;
        let arrays = self.builders.iter_mut().map(Builder::finish).collect();
        RecordBatch::try_new(self.table.schema(), arrays)
            .explain(ErrorKind::Damaged, || format!("cannot build a batch of `{}`", self.table.name()))
    }
}

/// A batch as read from a file, with the columns of today: by name, null where the file is older than the column.
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
        .explain(ErrorKind::Damaged, || format!("the columns are not those of `{}`", table.name()))
}

/// One value of a batch with a table's columns; null where there is no such column.
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
            date(1970, 1, 1).checked_add(days.days()).map_or(Value::Null, Value::from)
        }
        _ => Value::Null,
    }
}

/// The builder of one column.
pub(super) enum Builder {
    Text(StringBuilder),
    Integer(Int64Builder),
    Millis(TimestampMillisecondBuilder),
    Flag(BooleanBuilder),
    Day(Date32Builder),
}

impl Builder {
    fn of(column: &Column) -> Self {
        match column.kind {
            Kind::Identifier | Kind::Text | Kind::Json | Kind::Label { .. } => {
                Self::Text(StringBuilder::new())
            }
            Kind::Count | Kind::Seconds => Self::Integer(Int64Builder::new()),
            Kind::Instant | Kind::WallClock { .. } => {
                Self::Millis(TimestampMillisecondBuilder::new().with_data_type(column.kind.data_type()))
            }
            Kind::Flag => Self::Flag(BooleanBuilder::new()),
            Kind::Day => Self::Day(Date32Builder::new()),
        }
    }

    /// Adds a value as it was sent; null where the column cannot hold it. How values mostly look is tried first.
    pub(super) fn push_sent(&mut self, kind: Kind, sent: &Sent<'_>) -> Result<(), Unfit> {
        match (&mut *self, sent.shape(), kind) {
            (builder, Shape::Null, _) => {
                builder.push_null();
                return Ok(());
            }
            (Self::Integer(builder), Shape::Whole(number), Kind::Count | Kind::Seconds) => {
                builder.append_value(number);
                return Ok(());
            }
            (Self::Text(builder), Shape::Whole(_), Kind::Identifier | Kind::Text) => {
                builder.append_value(sent.value());
                return Ok(());
            }
            (Self::Text(builder), Shape::Plain, Kind::Identifier | Kind::Text) => {
                if let Ok(text) = usual::text(sent) {
                    builder.append_option(text);
                    return Ok(());
                }
            }
            (Self::Text(builder), shape, Kind::Label { labels }) => {
                let code = if shape == Shape::Plain { sent.quoted() } else { sent.value() };
                if let Some(word) = value::word(labels, code) {
                    builder.append_value(word);
                    return Ok(());
                }
            }
            _ => {}
        }
        let value = value::read(kind, &sent.raw());
        let outcome = value.as_ref().map(|_| ()).map_err(|unfit| *unfit);
        self.push(value.unwrap_or(Value::Null));
        outcome
    }

    /// Adds a value; one of another kind than the column's is null.
    pub(super) fn push(&mut self, value: Value<'_>) {
        match (self, value) {
            (Self::Text(builder), Value::Text(text)) => builder.append_value(text),
            (Self::Integer(builder), Value::Integer(number)) => builder.append_value(number),
            (Self::Millis(builder), Value::Millis(millis)) => builder.append_value(millis),
            (Self::Flag(builder), Value::Flag(flag)) => builder.append_value(flag),
            (Self::Day(builder), Value::Day(day)) => {
                builder.append_value(day.since(date(1970, 1, 1)).map_or(0, |span| span.get_days()));
            }
            (builder, _) => builder.push_null(),
        }
    }

    /// Adds no value.
    pub(super) fn push_null(&mut self) {
        match self {
            Self::Text(builder) => builder.append_null(),
            Self::Integer(builder) => builder.append_null(),
            Self::Millis(builder) => builder.append_null(),
            Self::Flag(builder) => builder.append_null(),
            Self::Day(builder) => builder.append_null(),
        }
    }

    /// The values as an array. Behind a full batch, room is made for another one like it.
    fn finish(&mut self) -> ArrayRef {
        let builder: &mut dyn ArrayBuilder = match self {
            Self::Text(builder) => builder,
            Self::Integer(builder) => builder,
            Self::Millis(builder) => builder,
            Self::Flag(builder) => builder,
            Self::Day(builder) => builder,
        };
        let array = builder.finish();
        if array.len() >= BATCH_ROWS {
            match self {
                Self::Text(builder) => {
                    let bytes = array.as_string::<i32>().value_data().len();
                    *builder = StringBuilder::with_capacity(BATCH_ROWS, bytes + bytes / 8);
                }
                Self::Integer(builder) => *builder = Int64Builder::with_capacity(BATCH_ROWS),
                Self::Millis(builder) => {
                    let data_type = array.data_type().clone();
                    *builder =
                        TimestampMillisecondBuilder::with_capacity(BATCH_ROWS).with_data_type(data_type);
                }
                Self::Flag(_) | Self::Day(_) => {}
            }
        }
        array
    }
}
