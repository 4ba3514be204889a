//! A cell: the rows of one table, event and day, which are replaced as a unit; and which of two cells is better.

use std::cmp::Ordering;
use std::ops::Range;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::transform::digest::Digest;
use crate::transform::tables::Table;
use crate::transform::totals::Totals;

/// A cell as a footer describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// The event.
    pub event_id: i64,
    /// What tells cells of one event apart in one table and day: the run in `pulls`, the requests that brought them in
    /// `rejects`, nothing in the others.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub part: String,
    /// When the visit began.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub pulled_at: Timestamp,
    /// When the cell was staged.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub staged_at: Timestamp,
    /// When a user last accepted fewer rows (`--accept-shrink`), as far as the visit knew.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::millisecond::optional"
    )]
    pub accepted_at: Option<Timestamp>,
    /// How many rows.
    pub rows: u64,
    /// What is compared so that a settled cell does not shrink: see [`Totals::weight`].
    pub weight: u64,
    /// The digest of its rows.
    pub digest: Digest,
}

/// Which requests brought an answer. It tells the cells of `rejects` of one event and day apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The requests for the windows of a day.
    Windows,
    /// The request for the snapshot.
    Snapshot,
}

impl Source {
    /// The tables whose rows are kept from these answers.
    #[must_use]
    pub fn tables(self) -> &'static [Table] {
        match self {
            Self::Windows => &[Table::Lives, Table::Interactions],
            Self::Snapshot => &[Table::ViewerDetails],
        }
    }

    /// Whether the records of all other tables are counted by day.
    #[must_use]
    pub fn counts_days(self) -> bool {
        self == Self::Snapshot
    }

    /// The word in the column `source`, and in [`Cell::part`].
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Windows => "windows",
            Self::Snapshot => "snapshot",
        }
    }
}

/// Event and part of a cell. Two cells of one table and day with the same key are rivals: the object can have only one.
pub type CellKey<'a> = (i64, &'a str);

impl Cell {
    /// A cell with the sums of its rows.
    #[must_use]
    pub fn new(
        event_id: i64,
        part: &str,
        pulled_at: Timestamp,
        staged_at: Timestamp,
        totals: &Totals,
    ) -> Self {
        Self {
            event_id,
            part: part.to_owned(),
            pulled_at,
            staged_at,
            accepted_at: None,
            rows: totals.rows,
            weight: totals.weight,
            digest: totals.digest,
        }
    }

    /// Its key, by which cells are ordered in an object.
    #[must_use]
    pub fn key(&self) -> CellKey<'_> {
        (self.event_id, &self.part)
    }
}

/// Ranges of these lengths, one after the other, from 0 on.
pub fn end_to_end(lengths: impl IntoIterator<Item = u64>) -> impl Iterator<Item = Range<u64>> {
    lengths.into_iter().scan(0, |end, length| {
        let begin = *end;
        *end += length;
        Some(begin..*end)
    })
}

/// The cells of an object, each with the range of its rows.
pub fn placed(cells: &[Cell]) -> impl Iterator<Item = (&Cell, Range<u64>)> {
    cells.iter().zip(end_to_end(cells.iter().map(|cell| cell.rows)))
}

/// Decides between rivals in one table and day.
#[derive(Clone, Copy, Debug)]
pub struct Judge {
    later_wins: bool,
    settled_at: Timestamp,
}

impl Judge {
    /// `settled_at` is when the day settles: from then on, its rows are not expected to change.
    #[must_use]
    pub fn new(table: Table, settled_at: Timestamp) -> Self {
        let later_wins = matches!(table, Table::Events | Table::Rejects | Table::Pulls);
        Self { later_wins, settled_at }
    }

    /// Whether a cell was pulled after the day settled.
    #[must_use]
    pub fn is_settled(&self, cell: &Cell) -> bool {
        cell.pulled_at >= self.settled_at
    }

    /// The total order of rivals; the greater one is better. In `events`, `rejects` and `pulls`, that is the later one. In the
    /// other tables these decide, in this order: an acceptance that the other did not know, some rows over none, settled over
    /// fresh, the greater weight of two settled ones, and then the later one. The digest decides between cells that were pulled
    /// and staged in the same millisecond, so that no two different cells are equal.
    #[must_use]
    pub fn compare(&self, one: &Cell, other: &Cell) -> Ordering {
        let time = |cell: &Cell| (cell.pulled_at, cell.staged_at, cell.digest);
        if self.later_wins {
            return time(one).cmp(&time(other));
        }
        let rank = |cell: &Cell| {
            let settled = self.is_settled(cell);
            // A cell that was replayed from an answer with rows has that answer's weight: it counts as one with rows even if
            // none are left.
            (
                cell.accepted_at,
                cell.rows > 0 || cell.weight > 0,
                settled,
                if settled { cell.weight } else { 0 },
            )
        };
        rank(one).cmp(&rank(other)).then_with(|| time(one).cmp(&time(other)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLED_AT: i64 = 100;

    #[test]
    fn a_source_is_serialized_as_its_name() {
        for source in [Source::Windows, Source::Snapshot] {
            assert_eq!(serde_json::to_value(source).unwrap(), source.name());
        }
    }

    fn cell(pulled_at: i64, rows: u64, accepted_at: Option<i64>) -> Cell {
        let instant = |millis| Timestamp::from_millisecond(millis).unwrap();
        let digest = Digest::try_from(format!("{rows:x}")).unwrap();
        Cell {
            event_id: 1,
            part: String::new(),
            pulled_at: instant(pulled_at),
            staged_at: instant(pulled_at),
            accepted_at: accepted_at.map(instant),
            rows,
            weight: rows,
            digest,
        }
    }

    fn judge(table: Table) -> Judge {
        Judge::new(table, Timestamp::from_millisecond(SETTLED_AT).unwrap())
    }

    #[test]
    fn the_better_of_two_cells_replaces_the_other() {
        for (staged, lake, replaces, why) in [
            (cell(20, 3, None), cell(10, 5, None), true, "a fresh day is corrected by the later"),
            (cell(10, 5, None), cell(20, 3, None), false, "an earlier pull is not better"),
            (cell(20, 0, None), cell(10, 5, None), false, "nothing becomes empty"),
            (cell(10, 5, None), cell(20, 0, None), true, "some rows beat none"),
            (cell(100, 3, None), cell(99, 5, None), true, "settled beats fresh"),
            (cell(200, 3, None), cell(150, 5, None), false, "a settled cell does not shrink"),
            (cell(150, 5, None), cell(200, 3, None), true, "whichever is published first"),
            (cell(200, 3, Some(200)), cell(150, 5, None), true, "unless it is told to"),
            (cell(200, 0, Some(200)), cell(150, 5, None), true, "to nothing, too"),
            (cell(150, 5, None), cell(200, 0, Some(200)), false, "and stays so"),
            (cell(300, 4, Some(200)), cell(200, 3, Some(200)), true, "until more comes"),
            (cell(20, 5, None), cell(10, 5, None), true, "of the same rows the later stands"),
            (cell(100, 5, None), cell(10, 5, None), true, "settled or not"),
            (cell(200, 5, None), cell(100, 5, None), true, "so that nothing older takes its place"),
        ] {
            assert_eq!(judge(Table::Lives).compare(&staged, &lake).is_gt(), replaces, "{why}");
        }
    }

    #[test]
    fn in_events_and_rejects_the_later_cell_wins() {
        for table in [Table::Events, Table::Rejects] {
            assert!(judge(table).compare(&cell(200, 0, None), &cell(150, 5, None)).is_gt());
            assert!(judge(table).compare(&cell(150, 5, None), &cell(200, 0, None)).is_lt());
        }
    }
}
