//! How many records of one day a snapshot has.

use crate::load::ledger::answers::DayAnswer;
use crate::transform::tables::Table;

/// How many records of one day a snapshot has; they are only counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DayCount {
    pub(super) lives: u64,
    pub(super) interactions: u64,
}

impl DayCount {
    /// Counts a record of a table, if its records are counted by day.
    pub(super) fn add(&mut self, table: Table) {
        match table {
            Table::Lives => self.lives += 1,
            Table::Interactions => self.interactions += 1,
            Table::ViewerDetails | Table::Events | Table::Pulls | Table::Rejects => {}
        }
    }

    /// How many records of a table there are; 0 if its records are not counted by day.
    pub(super) fn of(self, table: Table) -> u64 {
        match table {
            Table::Lives => self.lives,
            Table::Interactions => self.interactions,
            Table::ViewerDetails | Table::Events | Table::Pulls | Table::Rejects => 0,
        }
    }

    /// Whether an answer for the day has the same numbers of rows.
    pub(super) fn agrees(self, day: Option<&DayAnswer>) -> bool {
        let rows = |totals: fn(&DayAnswer) -> u64| day.map_or(0, totals);
        self.lives == rows(|day| day.lives.rows) && self.interactions == rows(|day| day.interactions.rows)
    }
}
