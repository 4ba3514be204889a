//! Collects the rows of the answers for one day, or of a snapshot, into cells.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use jiff::civil::Date;

use super::answer_decoder::{AnswerDecoder, DecodedAnswer};
use super::day_count::DayCount;
use super::record_counts::RecordCounts;
use crate::error::{Error, Kind, Result};
use crate::extract::answer::Answer;
use crate::extract::body::Position;
use crate::extract::envelope::Envelope;
use crate::extract::window::Window;
use crate::job::context::Context;
use crate::json::record::Record;
use crate::load::archive::ArchiveWriter;
use crate::load::cell::Source;
use crate::load::staging::CellWriter;
use crate::load::store::Condition;
use crate::progress::Progress;
use crate::transform::batch::text_bytes;
use crate::transform::decode::{DecodeContext, Decoder};
use crate::transform::tables::Table;
use crate::transform::totals::Totals;

/// Up to this many batches of an answer are held back until it has ended. A larger answer is written as it arrives: a failure in
/// the middle of it then costs the whole day, while in a smaller answer it costs only that answer.
const HELD_BATCHES: usize = 8;
/// Up to this many bytes of text are held back; this is the limit that matters if records are large.
const HELD_BYTES: usize = 16 * 1024 * 1024;
/// What the archive keeps as the answer to a window for which the vendor does not know the event: a day is replayed only if all
/// its windows are archived.
const UNKNOWN: &[u8] = br#"{"code":404}"#;

/// An answer, from the vendor or from the archive.
pub(in crate::job) trait AnswerSource {
    /// Passes on the records of the next part, and returns its bytes; `None` at the end.
    async fn advance(&mut self, record: impl FnMut(Position<'_>, Record<'_>)) -> Result<Option<Bytes>>;

    /// Returns what surrounds the records.
    async fn finish(self) -> Result<Envelope>;
}

impl AnswerSource for Answer<'_> {
    async fn advance(&mut self, record: impl FnMut(Position<'_>, Record<'_>)) -> Result<Option<Bytes>> {
        Answer::advance(self, record).await
    }

    async fn finish(self) -> Result<Envelope> {
        Answer::finish(self).await
    }
}

/// The cells that are being filled.
pub(in crate::job) struct Intake {
    source: Source,
    decode_context: DecodeContext,
    cells: Vec<CellWriter>,
    rejected: CellWriter,
    day_counts: BTreeMap<Date, DayCount>,
    records: RecordCounts,
    cut_off: Vec<Option<Window>>,
    missing: BTreeSet<Table>,
    unknown: Option<Error>,
    /// Whether rows were written of an answer that has not ended well.
    is_spoiled: bool,
    progress: Progress,
}

/// All answers for one day, or the snapshot: their cells, not yet staged.
pub(in crate::job) struct Fetched {
    pub(in crate::job) cells: Vec<CellWriter>,
    pub(in crate::job) rejected: CellWriter,
    pub(super) day_counts: BTreeMap<Date, DayCount>,
    pub(in crate::job) records: RecordCounts,
    /// The windows whose answers may lack some of the records; `None` stands for the snapshot.
    pub(super) cut_off: Vec<Option<Window>>,
    /// The tables whose array is missing from at least one answer.
    pub(in crate::job) missing: BTreeSet<Table>,
    /// The error if the vendor does not know the event for some window. Such a window counts as answered without any array.
    pub(super) unknown: Option<Error>,
    /// The keys of the answers in the archive.
    pub(super) archived: Vec<String>,
}

impl Fetched {
    /// Whether it has fewer rows of some table than another answer for the same day.
    pub(super) fn has_less_than(&self, other: &Self) -> bool {
        Table::ALL.into_iter().any(|table| self.totals(table).rows < other.totals(table).rows)
    }

    /// Whether each array is missing from at least one answer: a snapshot, which is a single answer, then has no data at all.
    pub(super) fn is_blank(&self) -> bool {
        self.missing.len() == Table::ARRAYS.len()
    }

    /// Whether a snapshot lacks an array of viewings that its viewers must have records in: it does not tell what the days have.
    pub(super) fn is_half(&self) -> bool {
        let viewers = self.totals(Table::ViewerDetails);
        let counted: u64 = self.day_counts.values().map(|count| count.lives + count.interactions).sum();
        let lacks_some = Source::Windows.tables().iter().any(|table| self.missing.contains(table));
        // The weight of viewers is how often they came, each at least once.
        lacks_some && viewers.weight > counted
    }

    /// Whether each array of viewings is missing from some answer.
    pub(super) fn lacks_viewings(&self) -> bool {
        Source::Windows.tables().iter().all(|table| self.missing.contains(table))
    }

    /// The sums over the rows of one table, with the number of its records that were left out.
    pub(super) fn totals(&self, table: Table) -> Totals {
        let totals = self.cells.iter().find(|cell| cell.table() == table).map(CellWriter::totals);
        let suppressed = self.records.suppressed.get(&table).copied().unwrap_or_default();
        Totals { suppressed, ..totals.unwrap_or_default() }
    }
}

impl Intake {
    /// An intake for the answers of one source, whose rows lie in this day.
    pub(in crate::job) fn new(
        context: &Context,
        source: Source,
        decode_context: DecodeContext,
        day: Date,
    ) -> Self {
        let DecodeContext { event_id, pulled_at, ref privacy, .. } = decode_context;
        let visit_id = context.visit_id(event_id, pulled_at, privacy);
        let store = &context.lake.store;
        let cell = |table: &Table| CellWriter::new(Arc::clone(store), visit_id.clone(), *table, day);
        Self {
            cells: source.tables().iter().map(cell).collect(),
            rejected: CellWriter::of_rejects(Arc::clone(store), visit_id.clone(), day, source),
            source,
            decode_context,
            day_counts: BTreeMap::new(),
            records: RecordCounts::default(),
            cut_off: Vec::new(),
            missing: BTreeSet::new(),
            unknown: None,
            is_spoiled: false,
            progress: context.progress.clone(),
        }
    }

    /// Whether an answer failed after some of its rows were written, so that everything has to start over.
    pub(super) fn is_spoiled(&self) -> bool {
        self.is_spoiled
    }

    /// Adds the rows of an answer: to the request for a window, or for the snapshot if there is no `window`. With `archive`, what
    /// may be kept of the answer is archived as well.
    pub(in crate::job) async fn add_answer(
        &mut self,
        mut answer: impl AnswerSource,
        window: Option<Window>,
        mut archive: Option<ArchiveWriter>,
    ) -> Result<()> {
        let (source, decode_context) = (self.source, self.decode_context.clone());
        let decoders = source.tables().iter().map(|table| {
            let mut decoder = Decoder::new(*table, decode_context.clone());
            if let Some(window) = window {
                decoder.keep_only(window.kept());
            }
            decoder
        });
        let mut decoder = AnswerDecoder::new(source, &decode_context, decoders.collect());
        if archive.is_some() && !decode_context.privacy.is_everything() {
            decoder.redact();
        }
        let mut held: Vec<(Table, RecordBatch)> = Vec::new();
        while let Some(bytes) = answer.advance(|position, record| decoder.record(position, record)).await? {
            if let Some(archive) = &mut archive {
                match decoder.take_redacted() {
                    Some(redacted) => archive.write(redacted.as_bytes()).await?,
                    None => archive.write(&bytes).await?,
                }
            }
            held.extend(decoder.full_batches()?);
            let held_bytes: usize = held.iter().map(|(_, batch)| text_bytes(batch)).sum();
            if held.len() > HELD_BATCHES || held_bytes > HELD_BYTES {
                self.is_spoiled = true;
                self.write(&mut held).await?;
            }
        }
        let envelope = answer.finish().await?;
        held.extend(decoder.last_batches()?);
        let redacted = decoder.finish_redacted(&envelope);
        let DecodedAnswer { day_counts, records, may_be_cut_off, missing } = decoder.finish(envelope)?;
        self.is_spoiled = true;
        self.write(&mut held).await?;
        if let Some(mut archive) = archive {
            archive.write(redacted.unwrap_or_default().as_bytes()).await?;
            archive.finish(Condition::Absent).await?;
        }
        for (day, count) in day_counts {
            let sum = self.day_counts.entry(day).or_default();
            sum.lives += count.lives;
            sum.interactions += count.interactions;
        }
        self.records.add(records);
        self.cut_off.extend(may_be_cut_off.then_some(window));
        self.missing.extend(missing);
        self.is_spoiled = false;
        Ok(())
    }

    /// Adds a window for which the vendor does not know the event. That may only mean that the window has no records; the other
    /// windows of the day are asked for all the same.
    pub(super) async fn add_unknown(&mut self, unknown: Error, archive: Option<ArchiveWriter>) -> Result<()> {
        self.missing.extend(Table::ARRAYS.map(|(_, table)| table));
        self.unknown.get_or_insert(unknown);
        if let Some(mut archive) = archive {
            archive.write(UNKNOWN).await?;
            archive.finish(Condition::Absent).await?;
        }
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

    /// The cells with all rows, once every answer was added. An error if fewer or more rows were written than decoded.
    pub(in crate::job) fn finish(self) -> Result<Fetched> {
        let Self { cells, rejected, day_counts, records, cut_off, missing, unknown, .. } = self;
        let written: u64 = cells.iter().map(|cell| cell.totals().rows).sum();
        if (written, rejected.totals().rows) != (records.rows, records.rejects) {
            let message = format!(
                "{} rows and {} rejects were decoded, {written} and {} written",
                records.rows,
                records.rejects,
                rejected.totals().rows
            );
            return Err(Error::new(Kind::Unbalanced, message).is_a_bug());
        }
        Ok(Fetched { cells, rejected, day_counts, records, cut_off, missing, unknown, archived: Vec::new() })
    }
}
