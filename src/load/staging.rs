//! Staged files: one cell of one visit each, complete, not yet visible to readers.

use std::sync::Arc;

use arrow::array::RecordBatch;
use jiff::Timestamp;
use jiff::civil::Date;

use super::cell::Cell;
use super::index::Kept;
use super::keys;
use super::object::ObjectWriter;
use super::properties::Expected;
use super::store::{Condition, Store};
use crate::error::Result;
use crate::transform::batch::BATCH_ROWS;
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
    /// What is kept.
    pub kept: Kept,
}

/// Writes one cell. Dropped before it is staged, it leaves nothing behind.
pub struct CellWriter {
    store: Arc<dyn Store>,
    visitor: Visitor,
    table: Table,
    day: Date,
    part: String,
    writer: Option<ObjectWriter>,
    totals: Totals,
    least_weight: u64,
}

impl CellWriter {
    /// A cell without rows. `part` tells it apart from others of the visit in the same table and day. Nothing is
    /// written before the first row, or before it is staged.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, visitor: Visitor, table: Table, day: Date, part: &str) -> Self {
        let part = part.to_owned();
        Self { store, visitor, table, day, part, writer: None, totals: Totals::default(), least_weight: 0 }
    }

    /// Adds rows.
    pub async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        self.totals.add(self.table, &batch);
        // Of an answer with many rows the first batch is a full one.
        let expected = if batch.num_rows() < BATCH_ROWS { Expected::Few } else { Expected::Many };
        self.writer(expected).await?.write(batch).await
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> Table {
        self.table
    }

    /// What tells it apart from others of the visit in the same table and day.
    #[must_use]
    pub fn part(&self) -> &str {
        &self.part
    }

    /// What was made of the same answer before had so much weight; this is to rank no lower.
    pub fn weigh_at_least(&mut self, weight: u64) {
        self.least_weight = weight;
    }

    /// The cell, as it would be staged.
    #[must_use]
    pub fn cell(&self, staged_at: Timestamp, accepted_at: Option<Timestamp>) -> Cell {
        let Visitor { event_id, pulled_at, .. } = &self.visitor;
        let cell = Cell::new(*event_id, &self.part, *pulled_at, staged_at, &self.totals);
        Cell { accepted_at, weight: cell.weight.max(self.least_weight), ..cell }
    }

    /// The sums over what was written so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Completes the staged file, also one without rows. `accepted_at`: when a user last said that fewer rows are right.
    pub async fn stage(mut self, staged_at: Timestamp, accepted_at: Option<Timestamp>) -> Result<()> {
        self.writer(Expected::Few).await?;
        let cell = self.cell(staged_at, accepted_at);
        match self.writer {
            Some(writer) => writer.finish(&[cell], &self.visitor.kept, Condition::Absent).await,
            None => Ok(()),
        }
    }

    async fn writer(&mut self, expected: Expected<'_>) -> Result<&mut ObjectWriter> {
        let writer = if let Some(writer) = self.writer.take() {
            writer
        } else {
            let Visitor { event_id, pulled_at, run, .. } = &self.visitor;
            let key = keys::staged(self.table, self.day, *event_id, *pulled_at, run, &self.part);
            ObjectWriter::create(self.store.as_ref(), &key, self.table, self.day, expected).await?
        };
        Ok(self.writer.insert(writer))
    }
}
