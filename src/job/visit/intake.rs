//! The answers for one day, or for a snapshot, on their way to staged files.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use jiff::civil::Date;

use super::days::Count;
use super::reading::Reading;
use super::tally::Tally;
use super::wanted::Wanted;
use crate::error::{Error, Kind, Result};
use crate::extract::answer::Answer;
use crate::extract::body::Position;
use crate::extract::envelope::Envelope;
use crate::extract::window::Window;
use crate::job::context::Context;
use crate::load::archive::ArchiveWriter;
use crate::load::staging::{CellWriter, Visitor};
use crate::load::store::Condition;
use crate::progress::Progress;
use crate::transform::batch::text_bytes;
use crate::transform::decode::Decoder;
use crate::transform::record::Record;
use crate::transform::tables::Table;
use crate::transform::totals::Totals;

/// So many batches of an answer are held back until it has ended. What has more is written as it comes: then a failure
/// in its middle costs the whole day, and a smaller one only the answer.
const HELD_BATCHES: usize = 8;
/// Or so many bytes of text, where records are large.
const HELD_BYTES: usize = 16 * 1024 * 1024;

/// An answer, from the vendor or from the archive.
pub(in crate::job) trait Answers {
    /// Hands the records of the next part on, and gives its bytes; none at the end.
    async fn advance(&mut self, record: impl FnMut(Position<'_>, Record<'_>)) -> Result<Option<Bytes>>;

    /// What stood around the records.
    async fn finish(self) -> Result<Envelope>;
}

impl Answers for Answer<'_> {
    async fn advance(&mut self, record: impl FnMut(Position<'_>, Record<'_>)) -> Result<Option<Bytes>> {
        Answer::advance(self, record).await
    }

    async fn finish(self) -> Result<Envelope> {
        Answer::finish(self).await
    }
}

/// Where the rows go.
pub(in crate::job) struct Intake {
    wanted: Wanted,
    cells: Vec<CellWriter>,
    rejected: CellWriter,
    counts: BTreeMap<Date, Count>,
    tally: Tally,
    /// Whether rows were written of an answer that then failed.
    is_spoiled: bool,
    progress: Progress,
}

/// Answers that were taken in whole: their cells, not yet staged.
pub(in crate::job) struct Taken {
    pub(in crate::job) cells: Vec<CellWriter>,
    pub(in crate::job) rejected: CellWriter,
    pub(super) counts: BTreeMap<Date, Count>,
    pub(in crate::job) tally: Tally,
}

impl Taken {
    /// The sums over the rows of one table.
    pub(super) fn totals(&self, table: Table) -> Totals {
        self.cells.iter().find(|cell| cell.table() == table).map(CellWriter::totals).unwrap_or_default()
    }
}

impl Intake {
    pub(in crate::job) fn new(context: &Context, visitor: &Visitor, wanted: Wanted, day: Date) -> Self {
        let store = &context.store;
        let cell = |table, part| CellWriter::new(Arc::clone(store), visitor.clone(), table, day, part);
        Self {
            cells: wanted.tables().iter().map(|table| cell(*table, "")).collect(),
            rejected: cell(Table::Rejects, wanted.part()),
            wanted,
            counts: BTreeMap::new(),
            tally: Tally::default(),
            is_spoiled: false,
            progress: context.progress.clone(),
        }
    }

    /// Whether an answer failed after some of its rows were written, so that everything has to begin anew.
    pub(super) fn is_spoiled(&self) -> bool {
        self.is_spoiled
    }

    /// Takes an answer in: to a window, or to everything. What the archive may keep of it goes there too.
    pub(in crate::job) async fn take(
        &mut self,
        answer: impl Answers,
        window: Option<Window>,
        archive: Option<ArchiveWriter>,
    ) -> Result<()> {
        let wanted = self.wanted.clone();
        let mut written = false;
        let outcome = self.read(answer, window, &wanted, archive, &mut written).await;
        self.is_spoiled |= written && outcome.is_err();
        outcome
    }

    async fn read(
        &mut self,
        mut answer: impl Answers,
        window: Option<Window>,
        wanted: &Wanted,
        mut archive: Option<ArchiveWriter>,
        written: &mut bool,
    ) -> Result<()> {
        let decoders = wanted.tables().iter().map(|table| {
            let mut decoder = Decoder::new(*table, wanted.setting().clone());
            if let Some(window) = window {
                decoder.keep(window.kept());
            }
            decoder
        });
        let mut reading = Reading::new(wanted, decoders.collect());
        if archive.is_some() && !wanted.setting().privacy.is_everything() {
            reading.weave();
        }
        let mut held: Vec<(Table, RecordBatch)> = Vec::new();
        while let Some(bytes) = answer.advance(|position, record| reading.record(position, record)).await? {
            if let Some(archive) = &mut archive {
                match reading.woven() {
                    Some(woven) => archive.write(woven.as_bytes()).await?,
                    None => archive.write(&bytes).await?,
                }
            }
            held.extend(reading.full_batches()?);
            let bytes: usize = held.iter().map(|(_, batch)| text_bytes(batch)).sum();
            if held.len() > HELD_BATCHES || bytes > HELD_BYTES {
                *written = true;
                self.write(&mut held).await?;
            }
        }
        let envelope = answer.finish().await?;
        held.extend(reading.last_batches()?);
        let woven = reading.last_woven(&envelope);
        let brought = reading.finish(envelope)?;
        *written = true;
        self.write(&mut held).await?;
        if let Some(mut archive) = archive {
            archive.write(woven.unwrap_or_default().as_bytes()).await?;
            archive.finish(Condition::Absent).await?;
        }
        for (day, count) in brought.counts {
            let sum = self.counts.entry(day).or_default();
            sum.lives += count.lives;
            sum.interactions += count.interactions;
        }
        self.tally.add(brought.tally);
        Ok(())
    }

    async fn write(&mut self, batches: &mut Vec<(Table, RecordBatch)>) -> Result<()> {
        for (table, batch) in batches.drain(..) {
            let cell = self.cells.iter_mut().find(|cell| cell.table() == table).unwrap_or(&mut self.rejected);
            self.progress.received(batch.num_rows());
            cell.write(batch).await?;
        }
        Ok(())
    }

    /// All rows, once every answer was taken in. An error where fewer or more were written than decoded.
    pub(in crate::job) fn finish(self) -> Result<Taken> {
        let Self { cells, rejected, counts, tally, .. } = self;
        let written: u64 = cells.iter().map(|cell| cell.totals().rows).sum();
        if (written, rejected.totals().rows) != (tally.rows, tally.rejects) {
            let message = format!("{} rows were decoded, {written} written", tally.rows);
            return Err(Error::new(Kind::Unbalanced, message).hint("report it to the makers of rollcall"));
        }
        Ok(Taken { cells, rejected, counts, tally })
    }
}
