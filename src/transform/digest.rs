//! The digest of rows: the same for the same rows, whatever their order.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Date32Type, Int64Type, TimestampMillisecondType};
use serde::{Deserialize, Serialize};
use twox_hash::{XxHash3_64, XxHash3_128};

/// The sum, mod 2^128, of a fixed 128-bit hash (XXH3) of each row without `pulled_at`. It does not depend on the order of
/// rows, on how they are divided into batches, or on columns that are null in every row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest(u128);

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        format!("{:032x}", digest.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u128::from_str_radix(&text, 16).map(Self)
    }
}

impl Digest {
    /// Adds the rows of a batch.
    pub(super) fn add(&mut self, batch: &RecordBatch) {
        let schema = batch.schema();
        let columns = schema.fields().iter().zip(batch.columns());
        let columns: Vec<Hashed<'_>> = columns
            .filter(|(field, array)| field.name() != "pulled_at" && array.null_count() < array.len())
            .map(|(field, array)| Hashed::new(field.name(), array))
            .collect();
        let rows = 0..TOGETHER.min(batch.num_rows());
        let mut rows: Vec<_> = rows.map(|_| Vec::with_capacity(USUAL_ROW)).collect();
        for from in (0..batch.num_rows()).step_by(TOGETHER) {
            rows.truncate(batch.num_rows() - from);
            rows.iter_mut().for_each(Vec::clear);
            for column in &columns {
                column.push(&mut rows, from);
            }
            self.0 = rows.iter().fold(self.0, |sum, row| sum.wrapping_add(XxHash3_128::oneshot(row)));
        }
    }
}

/// How many rows are encoded together, column by column: as many as stay in the cache next to their values.
const TOGETHER: usize = 16;
/// The room that is reserved for an encoded row, in bytes, so that most rows do not have to grow it step by step.
const USUAL_ROW: usize = 1024;

/// A column whose values are hashed.
struct Hashed<'a> {
    /// A hash of its name, which stands for the name.
    name: [u8; 8],
    values: Values<'a>,
    nulls: Option<&'a NullBuffer>,
}

enum Values<'a> {
    Text(&'a StringArray),
    Wide(&'a [i64]),
    Narrow(&'a [i32]),
    Flag(&'a BooleanArray),
}

impl<'a> Hashed<'a> {
    fn new(name: &str, array: &'a ArrayRef) -> Self {
        let values = match array.data_type() {
            DataType::Utf8 => Values::Text(array.as_string()),
            DataType::Int64 => Values::Wide(array.as_primitive::<Int64Type>().values()),
            DataType::Timestamp(..) => {
                Values::Wide(array.as_primitive::<TimestampMillisecondType>().values())
            }
            DataType::Boolean => Values::Flag(array.as_boolean()),
            _ => Values::Narrow(array.as_primitive::<Date32Type>().values()),
        };
        Self { name: XxHash3_64::oneshot(name.as_bytes()).to_le_bytes(), values, nulls: array.nulls() }
    }

    /// Adds the column's value, unless it is null, to each of these encoded rows, the first of which is row `from`. No two values
    /// have the same bytes: a text is preceded by its length, everything else has a fixed length.
    fn push(&self, rows: &mut [Vec<u8>], from: usize) {
        let is_there = |at: &usize| self.nulls.is_none_or(|nulls| nulls.is_valid(*at));
        let wide = |value: [u8; 8]| -> [u8; 16] {
            let mut both = [0; 16];
            let (name, place) = both.split_at_mut(8);
            name.copy_from_slice(&self.name);
            place.copy_from_slice(&value);
            both
        };
        let rows = rows.iter_mut().zip(from..).filter(|(_, at)| is_there(at));
        match self.values {
            Values::Text(array) => {
                let (bytes, ends) = (array.value_data(), array.value_offsets());
                for (row, at) in rows {
                    let Some(&[from, to]) = ends.get(at..at + 2) else { continue };
                    let [from, length] = [from, to - from].map(|at| usize::try_from(at).unwrap_or_default());
                    row.extend_from_slice(&wide((length as u64).to_le_bytes()));
                    push_text(row, bytes.get(from..).unwrap_or_default(), length);
                }
            }
            Values::Wide(values) => {
                for (row, at) in rows {
                    row.extend_from_slice(&wide(values.get(at).copied().unwrap_or_default().to_le_bytes()));
                }
            }
            Values::Narrow(values) => {
                for (row, at) in rows {
                    row.extend_from_slice(&self.name);
                    row.extend_from_slice(&values.get(at).copied().unwrap_or_default().to_le_bytes());
                }
            }
            Values::Flag(array) => {
                for (row, at) in rows {
                    row.extend_from_slice(&self.name);
                    row.push(u8::from(array.value(at)));
                }
            }
        }
    }
}

/// Adds a text: the first `length` bytes of `bytes`. Most texts are short; of those, a fixed number of bytes is copied, which
/// takes no function call, and the surplus is cut off again.
fn push_text(row: &mut Vec<u8>, bytes: &[u8], length: usize) {
    const MORE: usize = 32;
    match bytes.first_chunk::<MORE>() {
        Some(more) if length <= MORE => {
            row.extend_from_slice(more);
            row.truncate(row.len() - (MORE - length));
        }
        _ => row.extend_from_slice(bytes.get(..length).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;

    use super::*;
    use crate::transform::batch::BatchBuilder;
    use crate::transform::column::ColumnKind;
    use crate::transform::tables::Table;
    use crate::transform::value::Value;

    /// Rows of `rejects`.
    fn batch(rows: &[(i64, &str)], pulled_at: i64) -> RecordBatch {
        let mut batch = BatchBuilder::new(Table::Rejects);
        for (event, record) in rows {
            batch.push_named(vec![
                ("event_id", Value::Integer(*event)),
                ("source_table", "lives".into()),
                ("source", "windows".into()),
                ("path", "$".into()),
                ("reason", "no_time".into()),
                ("record", (*record).into()),
                ("pulled_at", Value::Millis(pulled_at)),
            ]);
        }
        batch.finish().unwrap()
    }

    /// The digest of such rows, in batches of the given sizes.
    fn of(mut rows: &[(i64, &str)], sizes: &[usize], pulled_at: i64) -> Digest {
        let mut digest = Digest::default();
        for size in sizes {
            let (these, after) = rows.split_at(*size);
            digest.add(&batch(these, pulled_at));
            rows = after;
        }
        digest
    }

    #[test]
    fn the_digest_ignores_the_order_of_rows_their_batches_and_the_time_of_the_pull() {
        let rows = [(1, "a"), (2, "b"), (3, ""), (3, "")];
        let mut turned = rows;
        turned.reverse();
        let digest = of(&rows, &[4], 1);
        assert_eq!(digest, of(&turned, &[4], 1));
        assert_eq!(digest, of(&rows, &[1, 2, 1], 1));
        assert_eq!(digest, of(&rows, &[4], 2));
    }

    #[test]
    fn the_digest_changes_with_any_value_and_with_how_often_a_row_occurs() {
        let rows = [(1, "a"), (2, "b")];
        let digest = of(&rows, &[2], 1);
        assert_ne!(digest, of(&[(1, "a"), (2, "c")], &[2], 1));
        assert_ne!(digest, of(&[(1, "b"), (2, "a")], &[2], 1));
        assert_ne!(digest, of(&[(1, "a"), (2, "b"), (2, "b")], &[3], 1));
    }

    #[test]
    fn rows_in_one_batch_have_the_same_digest_as_one_by_one_however_long_their_texts_are() {
        for rows in [1, 15, 16, 17, 100] {
            let texts: Vec<String> = (0..rows).map(|length| "中a".repeat(length % 23)).collect();
            let rows: Vec<_> = (0..).zip(texts.iter().map(String::as_str)).collect();
            assert_eq!(of(&rows, &[rows.len()], 1), of(&rows, &vec![1; rows.len()], 1), "{}", rows.len());
        }
    }

    #[test]
    fn a_part_of_a_batch_has_the_digest_of_its_rows() {
        let texts: Vec<String> = (0..50).map(|length| "a".repeat(length)).collect();
        let rows: Vec<_> = (0..).zip(texts.iter().map(String::as_str)).collect();
        let mut digest = Digest::default();
        digest.add(&batch(&rows, 1).slice(7, 20));
        assert_eq!(digest, of(&rows[7..27], &[20], 1));
    }

    /// The digest of a row with these values, and any value in the other columns that need one.
    fn of_row(table: Table, values: &[(&'static str, Value<'static>)]) -> Digest {
        let given =
            |name: &str| values.iter().find(|(given, _)| *given == name).map(|(_, value)| value.clone());
        let row = table.columns().iter().map(|column| {
            let needed = || if column.nullable { Value::Null } else { any(column.kind, 0) };
            (column.name, given(column.name).unwrap_or_else(needed))
        });
        let mut rows = BatchBuilder::new(table);
        rows.push_named(row.collect());
        let mut digest = Digest::default();
        digest.add(&rows.finish().unwrap());
        digest
    }

    /// A value of a kind; a different one for each `which`.
    fn any(kind: ColumnKind, which: i8) -> Value<'static> {
        match kind.data_type() {
            DataType::Utf8 => which.to_string().into(),
            DataType::Int64 => Value::Integer(which.into()),
            DataType::Timestamp(..) => Value::Millis(which.into()),
            DataType::Boolean => Value::Flag(which > 0),
            _ => Value::Day(date(2022, 10, 26 + which)),
        }
    }

    #[test]
    fn every_column_counts_in_the_digest_and_null_differs_from_every_value() {
        for table in Table::ALL {
            for column in table.columns().iter().filter(|column| column.nullable) {
                let values = [Value::Null, any(column.kind, 0), any(column.kind, 1)];
                let digests = values.map(|value| of_row(table, &[(column.name, value)]));
                assert_eq!(BTreeSet::from(digests).len(), 3, "{} of {}", column.name, table.name());
            }
            let digests = table
                .columns()
                .iter()
                .filter(|column| !column.nullable)
                .map(|column| of_row(table, &[(column.name, any(column.kind, 1))]));
            let digests: BTreeSet<_> = digests.chain([of_row(table, &[])]).collect();
            let needed = table.columns().iter().filter(|column| !column.nullable).count();
            assert_eq!(digests.len(), needed, "all but `pulled_at` of {}", table.name());
        }
    }

    /// The digest is on disk in every footer: it must never change for the same rows.
    #[test]
    fn the_digests_of_known_rows_are_fixed() {
        let (number, text, millis) =
            (Value::Integer(609_768), Value::from("陈浩然"), Value::Millis(1_666_772_823_000));
        let lives = [
            ("event_id", number.clone()),
            ("name", text.clone()),
            ("online_time", millis.clone()),
            ("online_date", millis.clone()),
            ("watch_duration_seconds", number.clone()),
        ];
        let viewer =
            |flag| [("event_id", number.clone()), ("whitelisted", Value::Flag(flag)), ("name", text.clone())];
        let events = [
            ("event_id", number.clone()),
            ("first_day", Value::Day(date(2022, 10, 26))),
            ("end_time", millis.clone()),
        ];
        let digests = [
            of(&[(609_768, "{}")], &[1], 0),
            of_row(Table::Lives, &lives),
            of_row(Table::ViewerDetails, &viewer(true)),
            of_row(Table::ViewerDetails, &viewer(false)),
            of_row(Table::Events, &events),
        ];
        let fixed = [
            "48b4a64d286651f47bcd5788cbcfaade",
            "3bd4744fcb8e8d5cdc66a67914e84a95",
            "52deeba14e3b1c699eb97b81ecfbec99",
            "50e78861fa3ccf5a7857984676ac9064",
            "7819b9d765089a3067351cc376f40af2",
        ];
        assert_eq!(digests.map(String::from), fixed);
    }
}
