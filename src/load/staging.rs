//! Staged files: each is one complete cell of one visit, not yet visible to readers.

use std::sync::Arc;

use arrow::array::RecordBatch;
use jiff::Timestamp;
use jiff::civil::Date;

use super::cell::{Cell, Source};
use super::keys;
use super::object::properties::Expected;
use super::object::{ObjectWriter, Waiting};
use super::store::{Condition, Store};
use crate::error::Result;
use crate::transform::batch::BATCH_ROWS;
use crate::transform::privacy::PrivacyVersion;
use crate::transform::tables::Table;
use crate::transform::totals::Totals;

// A cell with fewer rows than these (a full batch), and with fewer bytes of text, is written as a small file.
const FEW_ROWS: u64 = BATCH_ROWS as u64;
const FEW_BYTES: usize = 4 * 1024 * 1024;

/// What all staged files of one visit have in common.
#[derive(Clone, Debug)]
pub struct VisitId {
    /// The event.
    pub event_id: i64,
    /// When the visit began.
    pub pulled_at: Timestamp,
    /// The run.
    pub run: String,
    /// What is kept of people.
    pub privacy_version: PrivacyVersion,
}

/// Writes the staged file of one cell. If dropped before [`CellWriter::stage`], it leaves nothing behind.
pub struct CellWriter {
    store: Arc<dyn Store>,
    visit_id: VisitId,
    table: Table,
    day: Date,
    /// What tells the cell apart from the event's other cells of the same table and day.
    part: String,
    /// The name of the file within its folder, after the visit.
    name: String,
    /// Rows that are not written yet. At first they wait because a small cell is written differently.
    waiting: Waiting,
    writer: Option<ObjectWriter>,
    totals: Totals,
    least_weight: u64,
}

impl CellWriter {
    /// A cell without rows. Nothing is written to the store until there are many rows or the cell is staged.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, visit_id: VisitId, table: Table, day: Date) -> Self {
        let name = visit_id.run.clone();
        let part = if table == Table::Pulls { name.clone() } else { String::new() };
        let (waiting, writer, totals) = (Waiting::default(), None, Totals::default());
        Self { store, visit_id, table, day, part, name, waiting, writer, totals, least_weight: 0 }
    }

    /// A cell of the rejects in the answers of one source.
    #[must_use]
    pub fn of_rejects(store: Arc<dyn Store>, visit_id: VisitId, day: Date, source: Source) -> Self {
        let (part, name) = (source.name().to_owned(), format!("{}-{}", visit_id.run, source.name()));
        Self { part, name, ..Self::new(store, visit_id, Table::Rejects, day) }
    }

    /// The same for a cell that its visit stages for the `time`-th time, counted from 1: each time, the file has another name.
    #[must_use]
    pub fn for_time(self, time: u32) -> Self {
        let again = if time == 1 { String::new() } else { format!("-{time}") };
        Self { name: format!("{}{again}", self.name), ..self }
    }

    /// Adds rows.
    pub async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        self.totals.add(self.table, &batch);
        self.waiting.push(batch)?;
        if self.writer.is_some() || self.totals.rows >= FEW_ROWS || self.waiting.bytes() >= FEW_BYTES {
            self.write_waiting(Expected::Many).await?;
        }
        Ok(())
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> Table {
        self.table
    }

    /// The day.
    #[must_use]
    pub fn day(&self) -> Date {
        self.day
    }

    /// What tells the cell apart from the event's other cells of the same table and day.
    #[must_use]
    pub fn part(&self) -> &str {
        &self.part
    }

    /// Sets the least weight of the cell: that of an earlier cell from the same answer, so that this one does not rank lower.
    pub fn weigh_at_least(&mut self, weight: u64) {
        self.least_weight = weight;
    }

    /// The cell as [`CellWriter::stage`] would stage it.
    #[must_use]
    pub fn cell(&self, staged_at: Timestamp, accepted_at: Option<Timestamp>) -> Cell {
        let VisitId { event_id, pulled_at, .. } = &self.visit_id;
        let cell = Cell::new(*event_id, &self.part, *pulled_at, staged_at, &self.totals);
        Cell { accepted_at, weight: cell.weight.max(self.least_weight), ..cell }
    }

    /// The sums over the rows so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Completes the staged file, even without rows. `accepted_at` is when a user last accepted fewer rows.
    pub async fn stage(mut self, staged_at: Timestamp, accepted_at: Option<Timestamp>) -> Result<()> {
        self.write_waiting(Expected::Few).await?;
        let cell = self.cell(staged_at, accepted_at);
        match self.writer {
            Some(writer) => writer.finish(&[&cell], &self.visit_id.privacy_version, Condition::Absent).await,
            None => Ok(()),
        }
    }

    /// Writes the rows that wait; begins the file if that has not happened yet.
    async fn write_waiting(&mut self, expected: Expected<'_>) -> Result<()> {
        let mut writer = if let Some(writer) = self.writer.take() {
            writer
        } else {
            let VisitId { event_id, pulled_at, .. } = self.visit_id;
            let key = keys::staged(self.table, self.day, event_id, pulled_at, &self.name);
            ObjectWriter::create(self.store.as_ref(), &key, self.table, self.day, expected).await?
        };
        if let Some(rows) = self.waiting.take()? {
            writer.write(rows).await?;
        }
        self.writer = Some(writer);
        Ok(())
    }
}
