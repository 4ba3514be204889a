//! What a cell adds up to: its digest, its weight, and the sums that are checked against the vendor's summary.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Date32Type, Int64Type, TimestampMillisecondType};
use serde::{Deserialize, Serialize};
use twox_hash::{XxHash3_64, XxHash3_128};

use super::tables::Table;

/// The sum, mod 2^128, of a fixed 128-bit hash (XXH3) of each row without `pulled_at`. The order of rows does not
/// matter, nor how they are cut into batches, nor a column that is null everywhere.
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

/// Sums over the rows of one cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// How many rows.
    pub rows: u64,
    /// What is compared when a settled cell could shrink: rows; in `viewer_details` the sum of `times`, to which every row
    /// adds one at least.
    pub weight: u64,
    /// See [`Digest`].
    pub digest: Digest,
    /// Seconds watched or taken part.
    pub seconds: i64,
    /// Live viewings.
    pub live: i64,
    /// Replays.
    pub replay: i64,
}

impl Totals {
    /// Adds the rows of a batch of `table`.
    pub fn add(&mut self, table: Table, batch: &RecordBatch) {
        self.rows += batch.num_rows() as u64;
        self.digest.add(batch);
        match table {
            Table::Lives | Table::Interactions => {
                self.weight += batch.num_rows() as u64;
                let seconds =
                    if table == Table::Lives { "watch_duration_seconds" } else { "online_duration_seconds" };
                self.seconds = self.seconds.saturating_add(sum(batch, seconds));
                self.live += occurrences(batch, "live_type", "live");
                self.replay += occurrences(batch, "live_type", "replay");
            }
            Table::ViewerDetails => {
                self.weight = self.weight.saturating_add(viewings(batch));
                self.seconds = self.seconds.saturating_add(sum(batch, "duration_seconds"));
                self.live = self.live.saturating_add(sum(batch, "live_times"));
                self.replay = self.replay.saturating_add(sum(batch, "replay_times"));
            }
            Table::Events | Table::Pulls | Table::Rejects => self.weight += batch.num_rows() as u64,
        }
    }
}

impl Digest {
    fn add(&mut self, batch: &RecordBatch) {
        let schema = batch.schema();
        let columns = schema.fields().iter().zip(batch.columns());
        let columns: Vec<Hashed<'_>> = columns
            .filter(|(field, array)| field.name() != "pulled_at" && array.null_count() < array.len())
            .map(|(field, array)| Hashed::new(field.name(), array))
            .collect();
        let mut row = Vec::with_capacity(1024);
        for at in 0..batch.num_rows() {
            row.clear();
            for column in &columns {
                column.push(&mut row, at);
            }
            self.0 = self.0.wrapping_add(XxHash3_128::oneshot(&row));
        }
    }
}

/// A column on its way into digests.
struct Hashed<'a> {
    /// Stands for its name.
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

    /// Adds the value at `at`, if there is one, in bytes that no other value has: a text carries its length, all else has a
    /// fixed one.
    fn push(&self, row: &mut Vec<u8>, at: usize) {
        if self.nulls.is_some_and(|nulls| nulls.is_null(at)) {
            return;
        }
        let wide = |value: [u8; 8]| {
            let mut both = [0; 16];
            let (name, place) = both.split_at_mut(8);
            name.copy_from_slice(&self.name);
            place.copy_from_slice(&value);
            both
        };
        match self.values {
            Values::Text(array) => {
                let text = array.value(at);
                row.extend_from_slice(&wide((text.len() as u64).to_le_bytes()));
                row.extend_from_slice(text.as_bytes());
            }
            Values::Wide(values) => {
                row.extend_from_slice(&wide(values.get(at).copied().unwrap_or_default().to_le_bytes()));
            }
            Values::Narrow(values) => {
                row.extend_from_slice(&self.name);
                row.extend_from_slice(&values.get(at).copied().unwrap_or_default().to_le_bytes());
            }
            Values::Flag(array) => {
                row.extend_from_slice(&self.name);
                row.push(u8::from(array.value(at)));
            }
        }
    }
}

fn sum(batch: &RecordBatch, column: &str) -> i64 {
    let Some(array) = batch.column_by_name(column) else { return 0 };
    array.as_primitive::<Int64Type>().iter().flatten().fold(0, i64::saturating_add)
}

/// Viewings of these viewers. Who is listed has watched, whatever else is said of them.
fn viewings(batch: &RecordBatch) -> u64 {
    let Some(array) = batch.column_by_name("times") else { return 0 };
    let times = array.as_primitive::<Int64Type>().iter();
    let each = times.map(|times| times.and_then(|times| u64::try_from(times).ok()).unwrap_or(1).max(1));
    each.fold(0, u64::saturating_add)
}

fn occurrences(batch: &RecordBatch, column: &str, word: &str) -> i64 {
    let Some(array) = batch.column_by_name(column) else { return 0 };
    let found = array.as_string::<i32>().iter().flatten().filter(|text| *text == word).count();
    i64::try_from(found).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::batch::BatchBuilder;
    use crate::transform::value::Value;

    /// Rows of `rejects`, in batches of the given sizes.
    fn totals(rows: &[(i64, Option<&str>)], sizes: &[usize], pulled_at: i64) -> Totals {
        let mut totals = Totals::default();
        let mut rows = rows.iter();
        for size in sizes {
            let mut batch = BatchBuilder::new(Table::Rejects);
            for (event, record) in rows.by_ref().take(*size) {
                batch.push_named(vec![
                    ("event_id", Value::Integer(*event)),
                    ("source_table", "lives".into()),
                    ("source", "windows".into()),
                    ("path", "$".into()),
                    ("reason", "no_time".into()),
                    ("record", record.unwrap_or_default().into()),
                    ("pulled_at", Value::Millis(pulled_at)),
                ]);
            }
            totals.add(Table::Rejects, &batch.finish().unwrap());
        }
        totals
    }

    #[test]
    fn order_batches_and_the_time_of_the_pull_do_not_matter() {
        let rows = [(1, Some("a")), (2, Some("b")), (3, None), (3, None)];
        let mut turned = rows;
        turned.reverse();
        let digest = totals(&rows, &[4], 1).digest;
        assert_eq!(digest, totals(&turned, &[4], 1).digest);
        assert_eq!(digest, totals(&rows, &[1, 2, 1], 1).digest);
        assert_eq!(digest, totals(&rows, &[4], 2).digest);
    }

    #[test]
    fn any_other_difference_does_and_so_does_how_often_a_row_comes() {
        let rows = [(1, Some("a")), (2, Some("b"))];
        let digest = totals(&rows, &[2], 1).digest;
        assert_ne!(digest, totals(&[(1, Some("a")), (2, Some("c"))], &[2], 1).digest);
        assert_ne!(digest, totals(&[(1, Some("b")), (2, Some("a"))], &[2], 1).digest);
        assert_ne!(digest, totals(&[(1, Some("a")), (2, Some("b")), (2, Some("b"))], &[3], 1).digest);
    }

    #[test]
    fn a_viewer_weighs_their_viewings_and_one_at_least() {
        let all = [Some(3), None, Some(0), Some(-7), Some(1)];
        for cut in 0..=all.len() {
            let (one, other) = all.split_at(cut);
            let mut totals = Totals::default();
            for times in [one, other] {
                let mut batch = BatchBuilder::new(Table::ViewerDetails);
                for times in times {
                    batch.push_named(vec![
                        ("event_id", Value::Integer(1)),
                        ("times", times.map_or(Value::Null, Value::Integer)),
                        ("pulled_at", Value::Millis(0)),
                    ]);
                }
                totals.add(Table::ViewerDetails, &batch.finish().unwrap());
            }
            assert_eq!((totals.rows, totals.weight), (5, 7), "{cut}");
        }
    }

    /// The digest is on disk in every footer: it must never change for the same rows.
    #[test]
    fn the_digest_of_a_known_row_is_fixed() {
        let digest = totals(&[(609_768, Some("{}"))], &[1], 0).digest;
        assert_eq!(String::from(digest), "48b4a64d286651f47bcd5788cbcfaade");
    }
}
