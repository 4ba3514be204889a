//! Row groups of an object as they are, to be copied into the next object without being decoded.

use std::ops::Range;

use bytes::{Buf, Bytes};
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::bloom_filter::Sbbf;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{
    ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::statistics::Statistics;
use parquet::file::writer::SerializedRowGroupWriter;

use super::object_bytes::ObjectBytes;
use super::{from_parquet, length};
use crate::error::{Error, Kind, Result};

/// The row groups of an object.
pub struct EncodedGroups {
    bytes: ObjectBytes,
    metadata: ParquetMetaData,
}

impl EncodedGroups {
    /// Reads the page index, which a copy needs as well.
    pub(super) async fn read(mut bytes: ObjectBytes, metadata: &ParquetMetaData) -> Result<Self> {
        let mut reader = ParquetMetaDataReader::new_with_metadata(metadata.clone())
            .with_page_index_policy(PageIndexPolicy::Required);
        reader.load_page_index(&mut bytes).await.map_err(from_parquet)?;
        let metadata = reader.finish().map_err(from_parquet)?;
        Ok(Self { bytes, metadata })
    }

    /// Reads the row group with the index `at`.
    pub async fn get(&mut self, at: usize) -> Result<EncodedGroup> {
        let missing = || Error::new(Kind::Damaged, "a row group is missing");
        let group = self.metadata.row_groups().get(at).ok_or_else(missing)?;
        let range = range(group).ok_or_else(missing)?;
        let bytes = self.bytes.get_bytes(range.clone()).await.map_err(from_parquet)?;
        let pages = self.metadata.page_index_for_row_group(at);
        let bytes = Slice { begin: range.start, bytes };
        let columns = group.columns().iter().enumerate().map(|(at, column)| {
            Ok(ColumnCloseResult {
                bytes_written: u64::try_from(column.compressed_size()).unwrap_or_default(),
                rows_written: u64::try_from(group.num_rows()).unwrap_or_default(),
                metadata: as_written(column)?,
                bloom_filter: Sbbf::read_from_column_chunk(column, &bytes)?,
                column_index: pages.column_index(at).cloned(),
                offset_index: pages.offset_index(at).cloned(),
            })
        });
        let columns = columns.collect::<ParquetResult<_>>().map_err(from_parquet)?;
        let rows = usize::try_from(group.num_rows()).unwrap_or_default();
        Ok(EncodedGroup { rows, bytes, columns })
    }
}

/// The metadata of a column as the writer had it. For old readers, the writer added a second copy of the bounds of signed
/// columns; reading loses that copy.
fn as_written(column: &ColumnChunkMetaData) -> ParquetResult<ColumnChunkMetaData> {
    let statistics = match column.statistics().cloned() {
        Some(Statistics::Int32(bounds)) => Statistics::Int32(bounds.with_backwards_compatible_min_max(true)),
        Some(Statistics::Int64(bounds)) => Statistics::Int64(bounds.with_backwards_compatible_min_max(true)),
        _ => return Ok(column.clone()),
    };
    column.clone().into_builder().set_statistics(statistics).build()
}

/// The range of bytes of a row group: its columns, and the bloom filters after them.
fn range(group: &RowGroupMetaData) -> Option<Range<u64>> {
    let columns = group.columns();
    let begin = columns.iter().map(|column| column.byte_range().0).min()?;
    let end = columns.iter().map(|column| {
        let (from, length) = column.byte_range();
        let filter = column.bloom_filter_offset().zip(column.bloom_filter_length());
        let filter = filter.and_then(|(from, length)| u64::try_from(from + i64::from(length)).ok());
        filter.unwrap_or(0).max(from + length)
    });
    Some(begin..end.max()?)
}

/// A row group that is copied without being decoded.
pub struct EncodedGroup {
    rows: usize,
    bytes: Slice,
    columns: Vec<ColumnCloseResult>,
}

impl EncodedGroup {
    /// How many rows it has.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Adds one of its columns to the row group that is being written.
    pub(super) fn append<W: std::io::Write + Send>(
        &self,
        column: usize,
        row_group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> ParquetResult<()> {
        let column = self.columns.get(column);
        let column = column.ok_or_else(|| ParquetError::General("a column is missing".to_owned()))?;
        row_group.append_column(&self.bytes, column.clone())
    }
}

/// A part of an object, read by offsets in the whole object.
struct Slice {
    begin: u64,
    bytes: Bytes,
}

impl Length for Slice {
    fn len(&self) -> u64 {
        self.begin + self.bytes.len() as u64
    }
}

impl ChunkReader for Slice {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        let from = start.checked_sub(self.begin).map(length).filter(|from| *from <= self.bytes.len());
        let from =
            from.ok_or_else(|| ParquetError::EOF("a column lies outside of its row group".to_owned()))?;
        Ok(self.bytes.slice(from..).reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let mut bytes = self.get_read(start)?.into_inner();
        if length > bytes.len() {
            return Err(ParquetError::EOF("a column lies outside of its row group".to_owned()));
        }
        bytes.truncate(length);
        Ok(bytes)
    }
}
