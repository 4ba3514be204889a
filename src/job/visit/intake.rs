//! The records of one answer on their way to staged files: each becomes a row, a reject, or a number.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::days::Count;
use super::tally::Tally;
use crate::error::{Error, Kind, Result};
use crate::extract::body::{Envelope, table_of};
use crate::extract::client::Client;
use crate::extract::usage::Usage;
use crate::extract::window::Window;
use crate::load::properties::BATCH_ROWS;
use crate::load::staging::{CellWriter, Visitor};
use crate::load::store::Store;
use crate::transform::batch::BatchBuilder;
use crate::transform::decode::{Decoded, Decoder, Reason, Setting, day_of};
use crate::transform::digest::Totals;
use crate::transform::tables::Table;
use crate::transform::value::Value;

/// Where the records of a request go.
pub(super) struct Intake {
    setting: Setting,
    part: &'static str,
    tables: Vec<(Decoder, CellWriter)>,
    rejects: BatchBuilder,
    rejected: CellWriter,
    counts: Option<BTreeMap<Date, Count>>,
    tally: Tally,
}

/// An answer that was taken in whole: its cells, not yet staged.
pub(super) struct Taken {
    pub(super) cells: Vec<CellWriter>,
    pub(super) rejected: CellWriter,
    pub(super) counts: BTreeMap<Date, Count>,
    pub(super) tally: Tally,
}

impl Taken {
    /// The sums over the rows of one table.
    pub(super) fn totals(&self, table: Table) -> Totals {
        self.cells.iter().find(|cell| cell.table() == table).map(CellWriter::totals).unwrap_or_default()
    }
}

impl Intake {
    /// For the windows of a day, which bring `lives` and `interactions`.
    pub(super) fn of_day(store: &Arc<dyn Store>, visitor: &Visitor, setting: Setting, day: Date) -> Self {
        Self::new(store, visitor, setting, &[Table::Lives, Table::Interactions], day, "windows")
    }

    /// For the snapshot, which brings `viewer_details` and counts the others by day.
    pub(super) fn of_snapshot(
        store: &Arc<dyn Store>,
        visitor: &Visitor,
        setting: Setting,
        day: Date,
    ) -> Self {
        let intake = Self::new(store, visitor, setting, &[Table::ViewerDetails], day, "snapshot");
        Self { counts: Some(BTreeMap::new()), ..intake }
    }

    fn new(
        store: &Arc<dyn Store>,
        visitor: &Visitor,
        setting: Setting,
        tables: &[Table],
        day: Date,
        part: &'static str,
    ) -> Self {
        let cell = |table, part| CellWriter::new(Arc::clone(store), visitor.clone(), table, day, part);
        let tables =
            tables.iter().map(|table| (Decoder::new(*table, setting.clone()), cell(*table, ""))).collect();
        Self {
            setting,
            part,
            tables,
            rejects: BatchBuilder::new(Table::Rejects),
            rejected: cell(Table::Rejects, part),
            counts: None,
            tally: Tally::default(),
        }
    }

    /// Asks for a window, or for everything, and takes the answer in. One attempt.
    pub(super) async fn ask(&mut self, client: &Client, usage: &Usage, window: Option<Window>) -> Result<()> {
        for (decoder, _) in &mut self.tables {
            if let Some(window) = window {
                decoder.keep(window.kept());
            }
        }
        let mut answer = client.report(usage, self.setting.event_id, window).await?;
        let mut positions: BTreeMap<String, u64> = BTreeMap::new();
        while answer
            .advance(|array, record| {
                let position = match positions.get_mut(array) {
                    Some(position) => position,
                    None => positions.entry(array.to_owned()).or_default(),
                };
                self.record(array, *position, record)?;
                *position += 1;
                Ok(())
            })
            .await?
        {
            self.flush(BATCH_ROWS).await?;
        }
        self.note(answer.finish()?);
        Ok(())
    }

    /// All rows, once every answer has ended. An error where the numbers do not balance.
    pub(super) async fn finish(mut self) -> Result<Taken> {
        self.flush(1).await?;
        let mut tally = self.tally;
        for (decoder, cell) in &self.tables {
            let decoded = decoder.tally();
            if cell.totals().rows != decoded.rows {
                return Err(unbalanced(&format!(
                    "{} rows were decoded, {} written",
                    decoded.rows,
                    cell.totals().rows
                )));
            }
            tally.rows += decoded.rows;
            tally.outside += decoded.outside;
            tally.set_aside += decoded.set_aside;
            tally.notes.extend(decoded.unknown.iter().map(|key| format!("a field `{key}` has no column")));
        }
        tally.rejects = self.rejected.totals().rows;
        let accounted = tally.rows + tally.rejects + tally.outside + tally.counted;
        if accounted != tally.received {
            return Err(unbalanced(&format!(
                "{} records were received, {accounted} accounted for",
                tally.received
            )));
        }
        let cells = self.tables.into_iter().map(|(_, cell)| cell).collect();
        Ok(Taken { cells, rejected: self.rejected, counts: self.counts.unwrap_or_default(), tally })
    }

    fn record(&mut self, array: &str, position: u64, record: &str) -> Result<()> {
        let table = table_of(array);
        let decoder = self.tables.iter_mut().find(|(_, cell)| Some(cell.table()) == table);
        let reason = match decoder {
            Some((decoder, _)) => match decoder.push(record)? {
                Decoded::Reject(reason) => Some(reason),
                Decoded::Row | Decoded::Outside => None,
            },
            None => self.count(table, record)?,
        };
        if let (Some(reason), Some(table)) = (reason, table) {
            self.reject(table, array, position, reason, record);
        }
        Ok(())
    }

    /// Counts a record that is not kept; says why where it has no day to be counted by.
    fn count(&mut self, table: Option<Table>, record: &str) -> Result<Option<Reason>> {
        if let (Some(counts), Some(table)) = (&mut self.counts, table) {
            let day = match day_of(record, &self.setting.zone)? {
                Ok(day) => day,
                Err(reason) => return Ok(Some(reason)),
            };
            let count = counts.entry(day).or_default();
            *(if table == Table::Lives { &mut count.lives } else { &mut count.interactions }) += 1;
        }
        self.tally.counted += 1;
        Ok(None)
    }

    fn reject(&mut self, table: Table, array: &str, position: u64, reason: Reason, record: &str) {
        self.rejects.push_named(vec![
            ("event_id", Value::Integer(self.setting.event_id)),
            ("source_table", table.name().into()),
            ("source", self.part.into()),
            ("path", format!("$.data.report.{array}[{position}]").into()),
            ("reason", reason.name().into()),
            ("record", record.into()),
            ("pulled_at", self.setting.pulled_at.into()),
        ]);
    }

    /// Moves rows on where at least so many wait.
    async fn flush(&mut self, rows: usize) -> Result<()> {
        for (decoder, cell) in &mut self.tables {
            if decoder.waiting() >= rows {
                cell.write(decoder.batch()?).await?;
            }
        }
        if self.rejects.rows() >= rows {
            self.rejected.write(self.rejects.finish()?).await?;
        }
        Ok(())
    }

    fn note(&mut self, envelope: Envelope) {
        let tally = &mut self.tally;
        tally.received += envelope.arrays.values().flatten().sum::<u64>();
        tally.request_ids.extend(envelope.request_id);
        for array in ["lives", "interactions", "viewerDetails"] {
            if !matches!(envelope.arrays.get(array), Some(Some(_))) {
                tally.notes.insert(format!("the array `{array}` is missing"));
            }
        }
        for array in envelope.arrays.keys().filter(|array| table_of(array).is_none()) {
            tally.notes.insert(format!("an array `{array}` has no table"));
        }
    }
}

fn unbalanced(what: &str) -> Error {
    Error::new(Kind::Unbalanced, what)
        .hint("report it to the makers of rollcall; nothing of the answer was kept")
}
