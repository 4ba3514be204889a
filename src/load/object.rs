//! One Parquet object in the store, written and read as a stream: memory holds one row group, never the object.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::BatchCoalescer;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use jiff::civil::Date;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, RowSelection, RowSelector};
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::arrow::async_writer::AsyncFileWriter;
use parquet::arrow::{AsyncArrowWriter, ParquetRecordBatchStreamBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::cell::Cell;
use super::properties::{self, BATCH_ROWS};
use super::store::{Condition, Head, Store, Upload};
use crate::error::{Error, Kind, Result};
use crate::transform::tables::Table;

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
        for entry in properties::footer(self.table, self.day, cells)? {
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
}

impl ObjectReader {
    /// Reads the footer of the object of a table and day; none where there is no object.
    pub async fn open(store: &Arc<dyn Store>, key: &str, table: Table, day: Date) -> Result<Option<Self>> {
        let Some(head) = store.head(key).await? else { return Ok(None) };
        let mut source = Source { store: Arc::clone(store), key: key.to_owned(), head };
        let read = async {
            let metadata = ArrowReaderMetadata::load_async(&mut source, ArrowReaderOptions::new())
                .await
                .map_err(from_parquet)?;
            let cells = properties::read_footer(
                table,
                day,
                metadata.metadata().file_metadata().key_value_metadata(),
            )?;
            let rows = u64::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or_default();
            if cells.iter().map(|cell| cell.rows).sum::<u64>() != rows {
                return Err(Error::new(Kind::Damaged, "the index does not add up to the rows"));
            }
            Ok((metadata, cells))
        };
        let (metadata, cells) = read.await.map_err(|error| error.with("key", key))?;
        Ok(Some(Self { source, metadata, cells }))
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

    /// The rows of these ranges, which are in order and do not overlap.
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
        let key = self.source.key.clone();
        Ok(stream.map(move |batch| batch.map_err(|error| from_parquet(error).with("key", &key))).boxed())
    }
}

fn length(rows: u64) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}

/// Reads ranges of one version of an object.
#[derive(Clone)]
struct Source {
    store: Arc<dyn Store>,
    key: String,
    head: Head,
}

impl AsyncFileReader for Source {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        async move { self.store.read(&self.key, &self.head.version, range).await.map_err(to_parquet) }.boxed()
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
