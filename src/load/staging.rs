//! Staged files: one cell of one visit each, complete, not yet visible to readers.

use arrow::array::RecordBatch;
use jiff::Timestamp;
use jiff::civil::Date;

use super::cell::Cell;
use super::keys;
use super::object::ObjectWriter;
use super::store::{Condition, Store};
use crate::error::Result;
use crate::transform::digest::Totals;
use crate::transform::tables::Table;

/// What all staged files of one visit have in common.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The event.
    pub event_id: i64,
    /// When the visit began.
    pub pulled_at: Timestamp,
    /// The run.
    pub run: String,
    /// When a user last said that fewer rows are right, as far as the visit knows.
    pub accepted_at: Option<Timestamp>,
}

/// Writes one cell. Dropped before it is staged, it leaves nothing behind.
pub struct CellWriter {
    table: Table,
    writer: ObjectWriter,
    totals: Totals,
    cell: Cell,
}

impl CellWriter {
    /// Begins a cell. `part` tells it apart from others of the visit in the same table and day.
    pub async fn create(
        store: &dyn Store,
        visitor: &Visitor,
        table: Table,
        day: Date,
        part: &str,
    ) -> Result<Self> {
        let Visitor { event_id, pulled_at, run, accepted_at } = visitor;
        let key = keys::staged(table, day, *event_id, *pulled_at, run, part);
        let mut cell = Cell::new(*event_id, part, *pulled_at, *pulled_at, &Totals::default());
        cell.accepted_at = *accepted_at;
        let writer = ObjectWriter::create(store, &key, table, day).await?;
        Ok(Self { table, writer, totals: Totals::default(), cell })
    }

    /// Adds rows.
    pub async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        self.totals.add(self.table, &batch);
        self.writer.write(batch).await
    }

    /// The sums over what was written so far.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Completes the staged file.
    pub async fn stage(mut self, staged_at: Timestamp) -> Result<()> {
        self.cell.staged_at = staged_at;
        self.cell.rows = self.totals.rows;
        self.cell.weight = self.totals.weight;
        self.cell.digest = self.totals.digest;
        self.writer.finish(&[self.cell], Condition::Absent).await
    }
}
