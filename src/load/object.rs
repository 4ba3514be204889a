//! One Parquet object in the store, written and read as a stream: memory holds one row group, never the object.

use std::iter;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::BatchCoalescer;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use jiff::civil::Date;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, RowSelection, RowSelector};
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::arrow::async_writer::AsyncFileWriter;
use parquet::arrow::{AsyncArrowWriter, ParquetRecordBatchStreamBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::FORMAT;
use super::cell::Cell;
use super::index::{self, Rebuild};
use super::properties::{self, BATCH_ROWS};
use super::store::{Condition, Head, Store, Upload};
use crate::error::{Error, Kind, Result};
use crate::transform::batch;
use crate::transform::digest::Totals;
use crate::transform::tables::Table;

/// Bytes at the end of an object that are read first: footer and page index of most, all of a small one.
const TAIL: u64 = 64 * 1024;

/// What mends a damaged object: the vendor still knows its rows, or another visit brought them.
const MEND: &str = "take it away, and run `sync` with `--from` and `--to` for its day";

/// Writes one object of a table and day.
pub struct ObjectWriter {
    table: Table,
    day: Date,
    writer: AsyncArrowWriter<Sink>,
    batches: BatchCoalescer,
}

impl ObjectWriter {
    /// Begins an object, which nobody sees before [`ObjectWriter::finish`].
    pub async fn create(store: &dyn Store, key: &str, table: Table, day: Date) -> Result<Self> {
        let upload = store.upload(key).await?;
        let writer = AsyncArrowWriter::try_new_with_options(
            Sink(upload),
            table.schema(),
            properties::writer_options(table)?,
        )
        .map_err(from_parquet)?;
        Ok(Self { table, day, writer, batches: BatchCoalescer::new(table.schema(), BATCH_ROWS) })
    }

    /// Adds rows, in the order of the object.
    pub async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        self.batches.push_batch(batch).map_err(|error| from_parquet(error.into()))?;
        self.drain().await
    }

    /// Completes the object, whose rows are those of `cells` in this order, and makes it visible under `condition`.
    pub async fn finish(mut self, cells: &[Cell], condition: Condition) -> Result<()> {
        self.batches.finish_buffered_batch().map_err(|error| from_parquet(error.into()))?;
        self.drain().await?;
        for entry in index::write(self.table, self.day, cells)? {
            self.writer.append_key_value_metadata(entry);
        }
        self.writer.finish().await.map_err(from_parquet)?;
        self.writer.into_inner().0.finish(condition).await
    }

    async fn drain(&mut self) -> Result<()> {
        while let Some(batch) = self.batches.next_completed_batch() {
            self.writer.write(&batch).await.map_err(from_parquet)?;
        }
        Ok(())
    }
}

struct Sink(Box<dyn Upload>);

impl AsyncFileWriter for Sink {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), ParquetError>> {
        self.0.write(bytes).map(|done| done.map_err(to_parquet)).boxed()
    }

    fn complete(&mut self) -> BoxFuture<'_, Result<(), ParquetError>> {
        // The object becomes visible in `ObjectWriter::finish`, which knows the condition.
        async { Ok(()) }.boxed()
    }
}

/// One version of an object: what its footer says, and its rows.
pub struct ObjectReader {
    source: Source,
    metadata: ArrowReaderMetadata,
    cells: Vec<Cell>,
    is_current: bool,
    table: Table,
}

impl ObjectReader {
    /// Reads the footer of this version of the object of a table and day; [`Kind::Conflict`] where it is not there any
    /// more. An index that is lost is built again from the rows.
    pub async fn open(
        store: &Arc<dyn Store>,
        key: &str,
        head: Head,
        table: Table,
        day: Date,
    ) -> Result<Self> {
        let read = async {
            let mut source = Source::new(store, key, head).await?;
            let metadata = ArrowReaderMetadata::load_async(&mut source, ArrowReaderOptions::new())
                .await
                .map_err(from_parquet)?;
            let file = metadata.metadata().file_metadata();
            let rows = u64::try_from(file.num_rows()).unwrap_or_default();
            let index = index::read(table, day, file.key_value_metadata(), rows)?;
            let has_all_columns = table.schema().fields().iter().map(|field| field.name()).eq(metadata
                .schema()
                .fields()
                .iter()
                .map(|field| field.name()));
            let is_current = index.format == FORMAT && index.cells.is_some() && has_all_columns;
            let cells = index.cells;
            let mut reader = Self { source, metadata, cells: Vec::new(), is_current, table };
            reader.cells = match cells {
                Some(cells) => cells,
                None => reader.totals().await?.into_iter().map(|(cell, _)| cell).collect(),
            };
            Ok(reader)
        };
        read.await.map_err(|error: Error| mendable(error.with("key", key)))
    }

    /// Every cell as its rows have it, with the sums over them.
    pub async fn totals(&self) -> Result<Vec<(Cell, Totals)>> {
        let all = u64::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or_default();
        let mut rebuild = Rebuild::new(self.table);
        let mut rows = self.rows(iter::once(0..all))?;
        while let Some(batch) = rows.try_next().await? {
            rebuild.add(&batch)?;
        }
        Ok(rebuild.finish())
    }

    /// Whether format and columns are those of this program, so that there is nothing to upgrade.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.is_current
    }

    /// Every cell, in the order of its rows.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Condition under which this version is replaced.
    #[must_use]
    pub fn unchanged(&self) -> Condition {
        Condition::Unchanged(self.source.head.version.clone())
    }

    /// The rows of these ranges, which are in order and do not overlap, with the columns of today.
    pub fn rows(
        &self,
        ranges: impl IntoIterator<Item = Range<u64>>,
    ) -> Result<BoxStream<'static, Result<RecordBatch>>> {
        let mut selectors = Vec::new();
        let mut at = 0;
        for range in ranges {
            selectors.push(RowSelector::skip(length(range.start.saturating_sub(at))));
            selectors.push(RowSelector::select(length(range.end - range.start)));
            at = range.end;
        }
        let stream =
            ParquetRecordBatchStreamBuilder::new_with_metadata(self.source.clone(), self.metadata.clone())
                .with_batch_size(BATCH_ROWS)
                .with_row_selection(RowSelection::from(selectors))
                .build()
                .map_err(from_parquet)?;
        let (key, table) = (self.source.key.clone(), self.table);
        let rows = stream.map(move |batch| {
            let batch = batch.map_err(from_parquet).and_then(|batch| batch::conform(table, &batch));
            batch.map_err(|error| mendable(error.with("key", &key)))
        });
        Ok(rows.boxed())
    }
}

fn mendable(error: Error) -> Error {
    if error.kind() == Kind::Damaged { error.or_hint(MEND) } else { error }
}

fn length(rows: u64) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}

/// Reads ranges of one version of an object, whose end is kept: a small object is read at once.
#[derive(Clone)]
struct Source {
    store: Arc<dyn Store>,
    key: String,
    head: Head,
    tail: Bytes,
}

impl Source {
    async fn new(store: &Arc<dyn Store>, key: &str, head: Head) -> Result<Self> {
        let tail = head.size.saturating_sub(TAIL)..head.size;
        let tail = store.read(key, &head.version, tail).await?;
        Ok(Self { store: Arc::clone(store), key: key.to_owned(), head, tail })
    }

    /// A range of the end; none where it begins before.
    fn of_tail(&self, range: &Range<u64>) -> Option<Bytes> {
        let begin = self.head.size - self.tail.len() as u64;
        let from = usize::try_from(range.start.checked_sub(begin)?).ok()?;
        let to = usize::try_from(range.end.checked_sub(begin)?).ok()?;
        (from <= to && to <= self.tail.len()).then(|| self.tail.slice(from..to))
    }
}

impl AsyncFileReader for Source {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        async move {
            match self.of_tail(&range) {
                Some(bytes) => Ok(bytes),
                None => self.store.read(&self.key, &self.head.version, range).await.map_err(to_parquet),
            }
        }
        .boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        async move {
            // The columns of a row group lie side by side: one request for all of them.
            let mut all = Vec::with_capacity(ranges.len());
            let mut run: Option<(Range<u64>, Bytes)> = None;
            for (at, range) in ranges.iter().enumerate() {
                if run.as_ref().is_none_or(|(run, _)| range.start < run.start || run.end < range.end) {
                    let end = neighbours(ranges.get(at..).unwrap_or_default());
                    run = Some((range.start..end, self.get_bytes(range.start..end).await?));
                }
                if let Some((run, bytes)) = &run {
                    let (from, to) = (length(range.start - run.start), length(range.end - run.start));
                    all.push(bytes.slice(from..to));
                }
            }
            Ok(all)
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        async move {
            let size = self.head.size;
            let metadata = ParquetMetaDataReader::new().load_and_finish(self, size).await?;
            Ok(Arc::new(metadata))
        }
        .boxed()
    }
}

/// Where the ranges end that follow each other without a gap, from the first on.
fn neighbours(ranges: &[Range<u64>]) -> u64 {
    let first = ranges.first().map_or(0, |range| range.start);
    ranges.iter().fold(first, |end, range| if range.start == end { range.end } else { end })
}

fn to_parquet(error: Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

/// The store's own error where there is one inside, else a damaged object.
fn from_parquet(error: ParquetError) -> Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<Error>() {
            Ok(error) => *error,
            Err(inner) => Error::new(Kind::Damaged, "cannot read or write Parquet").from_source(inner),
        },
        error => Error::new(Kind::Damaged, "cannot read or write Parquet").from_source(error),
    }
}
