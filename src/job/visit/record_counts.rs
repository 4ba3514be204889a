//! What became of the records of one or more answers.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::Report;
use crate::transform::tables::Table;

/// How many records became what.
#[derive(Clone, Debug, Default)]
pub(in crate::job) struct RecordCounts {
    pub(in crate::job) received: u64,
    pub(in crate::job) rows: u64,
    pub(in crate::job) rejects: u64,
    pub(in crate::job) outside: u64,
    pub(in crate::job) counted: u64,
    /// Of those counted, the ones in arrays that have no table.
    pub(in crate::job) without_table: u64,
    /// Records of people to be forgotten, by the table that was to have them. If that table is decoded, those that could not have
    /// become a row count under `rejects`.
    pub(in crate::job) suppressed: BTreeMap<Table, u64>,
    pub(in crate::job) set_aside: u64,
    pub(in crate::job) request_ids: Vec<String>,
    /// The windows of the answers, as they were asked for: `startTime` and `endTime`.
    pub(in crate::job) windows: Vec<(i64, i64)>,
    /// What the vendor's documentation does not describe, each thing once.
    pub(in crate::job) notes: BTreeSet<String>,
}

impl RecordCounts {
    /// Adds what became of the records of another answer.
    pub(in crate::job) fn add(&mut self, other: RecordCounts) {
        self.received += other.received;
        self.rows += other.rows;
        self.rejects += other.rejects;
        self.outside += other.outside;
        self.counted += other.counted;
        self.without_table += other.without_table;
        for (table, records) in other.suppressed {
            *self.suppressed.entry(table).or_default() += records;
        }
        self.set_aside += other.set_aside;
        self.request_ids.extend(other.request_ids);
        self.windows.extend(other.windows);
        self.notes.extend(other.notes);
    }

    /// Adds what the report of a run shows of these counts.
    pub(in crate::job) fn add_to(self, report: &mut Report) {
        report.rows += self.rows;
        report.rejects += self.rejects;
        report.without_table += self.without_table;
        report.set_aside += self.set_aside;
        report.notes.extend(self.notes);
    }
}
