//! Collects the values of one column into an array.

use arrow::array::{
    Array, ArrayBuilder, ArrayRef, AsArray, BooleanBuilder, Date32Builder, Int64Builder, StringBuilder,
    TimestampMillisecondBuilder,
};
use jiff::civil::date;

use super::column::{Column, ColumnKind};
use super::fast_path::{self, Plain};
use super::reading::{self, Unfit};
use super::value::Value;
use crate::json::record::Sent;
use crate::json::scan::Shape;

/// The values of one column, in an Arrow builder of the column's type.
pub(super) enum Builder {
    Text(StringBuilder),
    Integer(Int64Builder),
    Millis(TimestampMillisecondBuilder),
    Flag(BooleanBuilder),
    Day(Date32Builder),
}

impl Builder {
    pub(super) fn of(column: &Column) -> Self {
        match column.kind {
            ColumnKind::Identifier | ColumnKind::Text | ColumnKind::Json | ColumnKind::Label { .. } => {
                Self::Text(StringBuilder::new())
            }
            ColumnKind::Count | ColumnKind::Seconds => Self::Integer(Int64Builder::new()),
            ColumnKind::Instant | ColumnKind::WallClock { .. } => {
                Self::Millis(TimestampMillisecondBuilder::new().with_data_type(column.kind.data_type()))
            }
            ColumnKind::Flag => Self::Flag(BooleanBuilder::new()),
            ColumnKind::Day => Self::Day(Date32Builder::new()),
        }
    }

    /// Adds a value as it was sent. If the column cannot hold it, adds null and returns [`Unfit`]. The usual forms of values are
    /// tried first.
    #[inline]
    pub(super) fn push_sent(&mut self, kind: &ColumnKind, sent: &Sent<'_>) -> Result<(), Unfit> {
        match (&mut *self, sent.shape(), kind) {
            (builder, Shape::Null, _) => {
                builder.push_null();
                return Ok(());
            }
            (Self::Integer(builder), Shape::Whole(number), ColumnKind::Count | ColumnKind::Seconds) => {
                builder.append_value(number);
                return Ok(());
            }
            (Self::Text(builder), Shape::Whole(_), ColumnKind::Identifier | ColumnKind::Text) => {
                builder.append_value(sent.value());
                return Ok(());
            }
            (Self::Millis(builder), Shape::Whole(second), ColumnKind::Instant) => {
                let millis = reading::millis_at(second);
                builder.append_option(millis.ok());
                return millis.map(|_| ());
            }
            (Self::Flag(builder), Shape::Plain, ColumnKind::Flag) => {
                if let Some(flag) = reading::said(sent.quoted()) {
                    builder.append_value(flag);
                    return Ok(());
                }
            }
            (Self::Text(builder), Shape::Plain, ColumnKind::Identifier | ColumnKind::Text) => {
                match fast_path::plain(sent.quoted()) {
                    Plain::Text(text) => {
                        builder.append_value(text);
                        return Ok(());
                    }
                    Plain::Absent => {
                        builder.append_null();
                        return Ok(());
                    }
                    Plain::Unsure => {}
                }
            }
            (Self::Integer(builder), Shape::Plain, ColumnKind::Seconds) => {
                if let Some(seconds) = fast_path::seconds(sent) {
                    builder.append_value(seconds);
                    return Ok(());
                }
            }
            (Self::Text(builder), shape, ColumnKind::Label { labels }) => {
                let code = if shape == Shape::Plain { sent.quoted() } else { sent.value() };
                let word = reading::word(labels, code);
                if let Some(text) = word.or_else(|| matches!(shape, Shape::Whole(_)).then_some(code)) {
                    builder.append_value(text);
                    return Ok(());
                }
            }
            _ => {}
        }
        self.push_unusual(*kind, sent)
    }

    #[inline(never)]
    fn push_unusual(&mut self, kind: ColumnKind, sent: &Sent<'_>) -> Result<(), Unfit> {
        let value = reading::read(kind, sent.raw());
        let outcome = value.as_ref().map(|_| ()).map_err(|unfit| *unfit);
        self.push(value.unwrap_or(Value::Null));
        outcome
    }

    /// Adds a value; a value that is not of the column's kind becomes null.
    pub(super) fn push(&mut self, value: Value<'_>) {
        match (self, value) {
            (Self::Text(builder), Value::Text(text)) => builder.append_value(text),
            (Self::Integer(builder), Value::Integer(number)) => builder.append_value(number),
            (Self::Millis(builder), Value::Millis(millis)) => builder.append_value(millis),
            (Self::Flag(builder), Value::Flag(flag)) => builder.append_value(flag),
            (Self::Day(builder), Value::Day(day)) => {
                let days = day.duration_since(date(1970, 1, 1)).as_hours() / 24;
                builder.append_option(i32::try_from(days).ok());
            }
            (builder, _) => builder.push_null(),
        }
    }

    /// Adds null.
    pub(super) fn push_null(&mut self) {
        match self {
            Self::Text(builder) => builder.append_null(),
            Self::Integer(builder) => builder.append_null(),
            Self::Millis(builder) => builder.append_null(),
            Self::Flag(builder) => builder.append_null(),
            Self::Day(builder) => builder.append_null(),
        }
    }

    /// Returns the values as an array, and empties the builder. After an array of at least `full` values, it reserves room for
    /// `full` more.
    pub(super) fn finish(&mut self, full: usize) -> ArrayRef {
        let builder: &mut dyn ArrayBuilder = match self {
            Self::Text(builder) => builder,
            Self::Integer(builder) => builder,
            Self::Millis(builder) => builder,
            Self::Flag(builder) => builder,
            Self::Day(builder) => builder,
        };
        let array = builder.finish();
        if array.len() >= full {
            match self {
                Self::Text(builder) => {
                    let bytes = array.as_string::<i32>().value_data().len();
                    *builder = StringBuilder::with_capacity(full, bytes + bytes / 8);
                }
                Self::Integer(builder) => *builder = Int64Builder::with_capacity(full),
                Self::Millis(builder) => {
                    let data_type = array.data_type().clone();
                    *builder = TimestampMillisecondBuilder::with_capacity(full).with_data_type(data_type);
                }
                Self::Flag(_) | Self::Day(_) => {}
            }
        }
        array
    }
}

#[cfg(test)]
mod tests {
    use super::super::tables::Table;
    use super::*;
    use crate::json::record::Records;

    #[test]
    fn the_fast_path_reads_every_value_as_the_general_rule_does() {
        let texts = [
            "",
            "-",
            " ",
            " - ",
            "\u{3000}",
            "\u{a0}x",
            "a",
            "-1",
            "é",
            "陈浩然",
            "😀",
            "0",
            "7",
            " 12 ",
            "007",
            "1",
            "直播",
            " 直播 ",
            "Y",
            "00:34:20",
            " 00:34:20",
            "00:60:00",
            "00:00:60",
            "99:59:59",
            "100:00:01",
            "1:2:3",
            "0a:00:00",
            "::::::::",
            "1666772823",
            "2022-10-26 16:27:03",
            "a\nb",
            "{}",
        ];
        let numbers = [
            "0",
            "7",
            "-5",
            "1",
            "12.0",
            "1.5",
            "1e3",
            "999999999999999999",
            "9223372036854775807",
            "9223372036854775808",
            "1666772823",
            "null",
            "true",
            "false",
            "[1]",
            "{\"a\": 1}",
            "\"\\u0000\"",
            "\"\\ud800\"",
        ];
        let texts = texts.map(|text| serde_json::to_string(text).unwrap());
        let mut kinds = 0;
        for column in [Table::Lives, Table::ViewerDetails].iter().flat_map(|table| table.columns()) {
            kinds += 1;
            for json in texts.iter().map(String::as_str).chain(numbers) {
                let mut records = Records::default();
                let answer = format!("{{\"key\": {json}}}");
                let sent = records.first(answer.as_bytes()).unwrap().unwrap().field(0).unwrap();
                let (mut fast_path, mut any) = (Builder::of(column), Builder::of(column));
                let outcome = fast_path.push_sent(&column.kind, &sent);
                let read = reading::read(column.kind, sent.raw());
                assert_eq!(
                    outcome,
                    read.as_ref().map(|_| ()).map_err(|unfit| *unfit),
                    "{} {json}",
                    column.name
                );
                any.push(read.unwrap_or(Value::Null));
                assert_eq!(&fast_path.finish(1), &any.finish(1), "{} {json}", column.name);
            }
        }
        assert!(kinds > 80);
    }
}
