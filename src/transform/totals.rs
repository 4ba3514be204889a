//! What a cell adds up to: its digest, its weight, and the sums that are checked against the vendor's summary.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::tables::Table;

/// Sums over the rows of one cell. Those that may be negative wrap around if they are too large, so that the result does not
/// depend on the order in which rows are added, or on the number of batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// How many rows.
    pub rows: u64,
    /// What is compared to find out whether a settled cell would shrink: the number of rows; in `viewer_details` the sum of
    /// `times`, to which every row adds at least one.
    pub weight: u64,
    /// The digest of the rows.
    pub digest: Digest,
    /// Seconds of watching or participation.
    pub seconds: i64,
    /// Live viewings.
    pub live: i64,
    /// Replays.
    pub replay: i64,
    /// Records that would be further rows, but are left out because they are of people to be forgotten.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub suppressed: u64,
}

impl Totals {
    /// Whether there is less than before: fewer viewings. If the numbers of records that were left out, because they are of
    /// people to be forgotten, are different, only the numbers of records can be compared.
    #[must_use]
    pub fn is_less_than(&self, before: &Self) -> bool {
        if self.suppressed == before.suppressed {
            self.weight < before.weight
        } else {
            self.rows + self.suppressed < before.rows + before.suppressed
        }
    }

    /// Adds the rows of a batch of `table`.
    pub fn add(&mut self, table: Table, batch: &RecordBatch) {
        self.rows += batch.num_rows() as u64;
        self.digest.add(batch);
        if let Some(column) = table.seconds_column() {
            self.seconds = self.seconds.wrapping_add(sum(batch, column));
        }
        match table {
            Table::Lives | Table::Interactions => {
                self.weight += batch.num_rows() as u64;
                self.live += occurrences(batch, "live_type", "live");
                self.replay += occurrences(batch, "live_type", "replay");
            }
            Table::ViewerDetails => {
                self.weight = self.weight.saturating_add(viewings(batch));
                self.live = self.live.wrapping_add(sum(batch, "live_times"));
                self.replay = self.replay.wrapping_add(sum(batch, "replay_times"));
            }
            Table::Events | Table::Pulls | Table::Rejects => self.weight += batch.num_rows() as u64,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn sum(batch: &RecordBatch, column: &str) -> i64 {
    let Some(array) = batch.column_by_name(column) else { return 0 };
    array.as_primitive::<Int64Type>().iter().flatten().fold(0, i64::wrapping_add)
}

/// The number of viewings of these viewers. Whoever is listed has watched at least once, whatever `times` says.
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

    /// The totals of rows with these values in these columns, for every way to cut them into two batches.
    fn cut<const N: usize>(table: Table, rows: &[[(&'static str, Value<'static>); N]]) -> Vec<Totals> {
        let of = |rows: &[[(&'static str, Value<'static>); N]]| {
            let mut batch = BatchBuilder::new(table);
            for row in rows {
                let mut row = row.to_vec();
                row.push(("event_id", Value::Integer(1)));
                row.extend(["online_time", "online_date", "pulled_at"].map(|name| (name, Value::Millis(0))));
                batch.push_named(row);
            }
            batch.finish().unwrap()
        };
        let in_two = |at| {
            let (one, other) = rows.split_at(at);
            let mut totals = Totals::default();
            totals.add(table, &of(one));
            totals.add(table, &of(other));
            totals
        };
        (0..=rows.len()).map(in_two).collect()
    }

    #[test]
    fn sums_are_the_same_however_rows_are_cut_into_batches() {
        let (number, null) = (Value::Integer, || Value::Null);
        for (table, name, values, seconds) in [
            (Table::Lives, "watch_duration_seconds", [number(5), null(), number(-2)], 3),
            (Table::Interactions, "online_duration_seconds", [number(5), null(), number(-2)], 3),
            (Table::ViewerDetails, "duration_seconds", [number(5), null(), number(-2)], 3),
            (Table::Lives, "watch_duration_seconds", [number(i64::MAX), number(1), number(-1)], i64::MAX),
        ] {
            for totals in cut(table, &values.map(|value| [(name, value)])) {
                assert_eq!((totals.rows, totals.seconds), (3, seconds), "{name}");
            }
        }
        let types = ["live", "replay", "both", "live"].map(|word| [("live_type", word.into())]);
        for table in [Table::Lives, Table::Interactions] {
            for totals in cut(table, &types) {
                assert_eq!((totals.live, totals.replay, totals.weight), (2, 1, 4));
            }
        }
        let viewers = [
            [("live_times", number(1)), ("replay_times", number(4))],
            [("live_times", number(2)), ("replay_times", null())],
        ];
        for totals in cut(Table::ViewerDetails, &viewers) {
            assert_eq!((totals.live, totals.replay), (3, 4));
        }
    }

    #[test]
    fn a_cell_has_less_if_viewings_are_gone_that_newly_forgotten_people_do_not_account_for() {
        let totals = |(rows, weight, suppressed)| Totals { rows, weight, suppressed, ..Totals::default() };
        for (before, now, is_less, what) in [
            ((2, 5, 0), (2, 4, 0), true, "a viewing is gone"),
            ((2, 5, 0), (1, 5, 0), false, "two viewers were merged"),
            ((10, 10, 0), (7, 7, 3), false, "the rows of others are left out for the first time"),
            ((10, 10, 0), (6, 6, 3), true, "and one is gone"),
            ((7, 7, 3), (7, 7, 3), false, "nothing changed since then"),
            ((7, 7, 3), (6, 6, 3), true, "one is gone since then"),
            ((10, 10, 3), (7, 7, 3), true, "three are gone, as many as are left out"),
            ((7, 7, 3), (7, 7, 0), true, "what is left out is gone"),
        ] {
            assert_eq!(totals(now).is_less_than(&totals(before)), is_less, "{what}");
        }
    }

    #[test]
    fn a_viewer_weighs_as_much_as_their_viewings_and_at_least_one() {
        let all = [Some(3_i64), None, Some(0), Some(-7), Some(1)];
        for totals in cut(Table::ViewerDetails, &all.map(|times| [("times", times.into())])) {
            assert_eq!((totals.rows, totals.weight), (5, 7));
        }
    }
}
