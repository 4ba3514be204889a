//! What a cell adds up to: its digest, its weight, and the sums that are checked against the vendor's summary.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::tables::Table;

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
}
