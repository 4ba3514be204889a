//! Writes one object of a table and day.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use jiff::civil::Date;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::file::writer::SerializedFileWriter;

use super::encoded::EncodedGroup;
use super::index;
use super::properties::ROW_GROUP_ROWS;
use super::properties::{self, Expected};
use super::{Waiting, from_parquet};
use crate::error::{Error, Result};
use crate::load::cell::Cell;
use crate::load::store::{Condition, Store, Upload};
use crate::transform::batch::{BATCH_ROWS, rows_of, rows_until};
use crate::transform::privacy::PrivacyVersion;
use crate::transform::tables::Table;

/// With this many bytes of text, waiting rows are encoded before a batch is full. Only rows far larger than any seen
/// so far have as many.
const BYTES_WAITING: usize = 8 * 1024 * 1024;
/// With this many bytes of text, a row group ends early: a reader holds a batch of it in memory, however large its rows are.
const ROW_GROUP_BYTES: usize = 128 * 1024 * 1024;

/// Writes one object of a table and day.
pub struct ObjectWriter {
    table: Table,
    day: Date,
    schema: SchemaRef,
    upload: Box<dyn Upload>,
    file: SerializedFileWriter<Written>,
    /// What was written into the file and is not yet passed on to the upload.
    written: Written,
    factory: ArrowRowGroupWriterFactory,
    /// Number of rows of each row group to come; any after those are full ones.
    groups: VecDeque<usize>,
    /// The columns of the row group that is being written; empty before its first rows.
    columns: Vec<ArrowColumnWriter>,
    /// Number of rows that this row group still takes.
    left: usize,
    /// Rows that wait to be encoded together, so that pages end at the same rows, whatever batches the rows came in.
    waiting: Waiting,
    /// Bytes of text in the row group so far.
    group_bytes: usize,
}

impl ObjectWriter {
    /// Begins an object, which nobody sees before [`ObjectWriter::finish`].
    pub async fn create(
        store: &dyn Store,
        key: &str,
        table: Table,
        day: Date,
        expected: Expected<'_>,
    ) -> Result<Self> {
        let schema = table.schema();
        let parquet = ArrowSchemaConverter::new().convert(&schema).map_err(from_parquet)?;
        let properties = properties::of(table, expected)?.into();
        let written = Written::default();
        let file = SerializedFileWriter::new(written.clone(), parquet.root_schema_ptr(), properties);
        let file = file.map_err(from_parquet)?;
        let factory = ArrowRowGroupWriterFactory::new(&file, SchemaRef::clone(&schema));
        let groups = match expected {
            Expected::Groups(groups) => groups,
            Expected::Few | Expected::Many => &[],
        };
        let mut writer = Self {
            table,
            day,
            schema,
            upload: store.upload(key).await?,
            file,
            written,
            factory,
            groups: groups.iter().map(|rows| usize::try_from(*rows).unwrap_or(ROW_GROUP_ROWS)).collect(),
            columns: Vec::new(),
            left: 0,
            waiting: Waiting::default(),
            group_bytes: 0,
        };
        writer.begin_group();
        Ok(writer)
    }

    /// Adds rows, in the order of the object.
    pub async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        let mut at = 0;
        while at < batch.num_rows() {
            let rows = rows_of(&batch, at, (batch.num_rows() - at).min(self.wanted()));
            // Where to cut depends only on the rows before, not on the batches that they came in.
            let taken = rows_until(&rows, BYTES_WAITING - self.waiting.bytes());
            self.waiting.push(rows_of(&rows, 0, taken))?;
            at += taken;
            if self.wanted() == 0 || self.waiting.bytes() >= BYTES_WAITING {
                self.encode()?;
            }
            if self.left == 0 || self.group_bytes >= ROW_GROUP_BYTES {
                self.end_group().await?;
            }
        }
        Ok(())
    }

    /// Adds a row group as it is. It must have as many rows as the next row group is to have.
    pub async fn copy(&mut self, group: &EncodedGroup) -> Result<()> {
        if group.rows() != self.left || !self.columns.is_empty() || self.waiting.rows() > 0 {
            return Err(Error::bug("a row group is not the next one"));
        }
        let mut row_group = self.file.next_row_group().map_err(from_parquet)?;
        for column in 0..self.schema.fields().len() {
            group.append(column, &mut row_group).map_err(from_parquet)?;
            self.written.pass_on(self.upload.as_mut()).await?;
        }
        row_group.close().map_err(from_parquet)?;
        self.begin_group();
        self.drain().await
    }

    /// Completes the object, and makes it visible if `condition` holds. Its rows are those of `cells`, in this order; `version`
    /// says what was kept of people.
    pub async fn finish(
        mut self,
        cells: &[&Cell],
        version: &PrivacyVersion,
        condition: Condition,
    ) -> Result<()> {
        self.encode()?;
        self.end_group().await?;
        for entry in index::write(self.table, self.day, cells, version)? {
            self.file.append_key_value_metadata(entry);
        }
        self.file.finish().map_err(from_parquet)?;
        self.drain().await?;
        self.upload.finish(condition).await
    }

    fn begin_group(&mut self) {
        self.left = self.groups.pop_front().unwrap_or(ROW_GROUP_ROWS);
    }

    /// How many more rows make a batch, or the row group, full.
    fn wanted(&self) -> usize {
        BATCH_ROWS.min(self.left) - self.waiting.rows()
    }

    /// Encodes the rows that wait.
    fn encode(&mut self) -> Result<()> {
        let bytes = self.waiting.bytes();
        let Some(batch) = self.waiting.take()? else { return Ok(()) };
        if self.columns.is_empty() {
            let group = self.file.flushed_row_groups().len();
            self.columns = self.factory.create_column_writers(group).map_err(from_parquet)?;
        }
        let arrays = self.schema.fields().iter().zip(batch.columns());
        for ((field, array), column) in arrays.zip(&mut self.columns) {
            for leaf in compute_leaves(field, array).map_err(from_parquet)? {
                column.write(&leaf).map_err(from_parquet)?;
            }
        }
        self.left -= batch.num_rows();
        self.group_bytes += bytes;
        Ok(())
    }

    async fn end_group(&mut self) -> Result<()> {
        if !self.columns.is_empty() {
            let mut row_group = self.file.next_row_group().map_err(from_parquet)?;
            for column in std::mem::take(&mut self.columns) {
                let chunk = column.close().map_err(from_parquet)?;
                chunk.append_to_row_group(&mut row_group).map_err(from_parquet)?;
                // Passed on column by column, so that there is never a second copy of the whole row group.
                self.written.pass_on(self.upload.as_mut()).await?;
            }
            row_group.close().map_err(from_parquet)?;
        }
        self.group_bytes = 0;
        // The rest of a row group that ended early is the next row group.
        if self.left == 0 {
            self.begin_group();
        }
        self.drain().await
    }

    /// Passes on to the upload what was written so far.
    async fn drain(&mut self) -> Result<()> {
        self.file.flush().map_err(|error| from_parquet(error.into()))?;
        self.written.pass_on(self.upload.as_mut()).await
    }
}

/// Bytes that the file's writer has written. They are shared with that writer, because it does not give access to them while a
/// row group is open.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    /// Passes all bytes on to an upload.
    async fn pass_on(&self, upload: &mut dyn Upload) -> Result<()> {
        let bytes = std::mem::take(&mut *self.bytes());
        if bytes.is_empty() { Ok(()) } else { upload.write(Bytes::from(bytes)).await }
    }

    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
