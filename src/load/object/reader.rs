//! One version of an object: what its footer says, and its rows.

use std::iter;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use jiff::civil::Date;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, RowSelection, RowSelector};
use parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};

use super::encoded::EncodedGroups;
use super::index::{self, PROGRAM, Rebuild};
use super::object_bytes::ObjectBytes;
use super::properties::CODECS;
use super::{from_parquet, length};
use crate::error::{Error, Kind, Result};
use crate::load::FORMAT;
use crate::load::cell::{Cell, placed};
use crate::load::store::{Condition, Head, Store};
use crate::transform::batch::{self, BATCH_ROWS};
use crate::transform::privacy::{Privacy, PrivacyVersion};
use crate::transform::tables::Table;
use crate::transform::totals::Totals;

/// Hint for a damaged object or staged file: the vendor still has its rows, or another visit has brought them.
const MEND: &str = "delete it, and run `sync` with `--from` and `--to` for its day";

/// One version of an object: what its footer says, and its rows.
pub struct ObjectReader {
    bytes: ObjectBytes,
    metadata: ArrowReaderMetadata,
    cells: Vec<Cell>,
    is_current: bool,
    privacy_version: Option<PrivacyVersion>,
    table: Table,
}

impl ObjectReader {
    /// Opens this version of an object of a table and day by reading its footer. An index that is lost is rebuilt from the rows.
    /// Returns [`Kind::Conflict`] if the version no longer exists, and [`Kind::Newer`] if a newer program wrote it.
    pub async fn open(
        store: &Arc<dyn Store>,
        key: &str,
        head: Head,
        table: Table,
        day: Date,
    ) -> Result<Self> {
        let read = async {
            let mut bytes = ObjectBytes::new(store, key, head).await?;
            let metadata = ArrowReaderMetadata::load_async(&mut bytes, ArrowReaderOptions::new())
                .await
                .map_err(from_parquet)?;
            let file = metadata.metadata().file_metadata();
            let rows = u64::try_from(file.num_rows()).unwrap_or_default();
            let index = index::read(table, day, file.key_value_metadata(), rows)?;
            let columns = metadata.metadata().row_groups().iter().flat_map(RowGroupMetaData::columns);
            let mut codecs = columns.map(ColumnChunkMetaData::compression_codec);
            if let Some(codec) = codecs.find(|codec| !CODECS.contains(codec)) {
                let message = format!("the object is packed with {codec}, which this program cannot read");
                let hint = "do not delete it: upgrade rollcall, or, if another program wrote it, write it anew with zstd";
                return Err(Error::new(Kind::Damaged, message).hint(hint));
            }
            let (ours, theirs) = (table.schema(), metadata.schema());
            let unknown = theirs.fields().iter().find(|field| ours.index_of(field.name()).is_err());
            if let Some(unknown) = unknown.filter(|_| index.format == FORMAT) {
                // Rewriting the object would drop that column.
                let message =
                    format!("the object has a column `{}`, which this program does not know", unknown.name());
                return Err(Error::new(Kind::Newer, message).hint("upgrade rollcall"));
            }
            let names = ours.fields().iter().map(|field| field.name());
            let has_all_columns = names.eq(theirs.fields().iter().map(|field| field.name()));
            let is_current = index.format == FORMAT && index.cells.is_some() && has_all_columns;
            let cells = index.cells;
            let privacy_version = index.privacy_version;
            let mut reader = Self { bytes, metadata, cells: Vec::new(), is_current, privacy_version, table };
            reader.cells = match cells {
                Some(cells) => cells,
                None => reader.totals().await?.into_iter().map(|(cell, _)| cell).collect(),
            };
            Ok(reader)
        };
        read.await.map_err(|error: Error| mendable(error.with("key", key)))
    }

    /// Every cell as rebuilt from its rows, with the sums over them.
    pub async fn totals(&self) -> Result<Vec<(Cell, Totals)>> {
        let (mut rebuild, mut rows) = (Rebuild::new(self.table), self.all_rows()?);
        while let Some(batch) = rows.try_next().await? {
            rebuild.add(&batch)?;
        }
        Ok(rebuild.finish())
    }

    /// Whether format, index and columns are as this program writes them, so that there is nothing to upgrade.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.is_current
    }

    /// The text columns of all rows, without columns that have no value according to the object's statistics.
    pub fn texts(&self) -> Result<BoxStream<'static, Result<RecordBatch>>> {
        let groups = self.metadata.metadata().row_groups();
        let is_text = |at: usize| {
            let field = self.metadata.schema().fields().get(at);
            field.is_some_and(|field| *field.data_type() == DataType::Utf8)
        };
        let has_values = |at: usize| {
            groups.iter().any(|group| {
                let nulls = group.columns().get(at).and_then(|column| column.statistics()?.null_count_opt());
                nulls != u64::try_from(group.num_rows()).ok()
            })
        };
        let columns = (0..self.metadata.schema().fields().len()).filter(|at| is_text(*at) && has_values(*at));
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), columns);
        let stream =
            ParquetRecordBatchStreamBuilder::new_with_metadata(self.bytes.clone(), self.metadata.clone())
                .with_batch_size(BATCH_ROWS)
                .with_projection(mask)
                .build()
                .map_err(from_parquet)?;
        let key = self.bytes.key.clone();
        Ok(stream
            .map(move |batch| batch.map_err(|error| mendable(from_parquet(error).with("key", &key))))
            .boxed())
    }

    /// Whether the object was written under the policy and the list that are in force now.
    #[must_use]
    pub fn is_kept_under(&self, privacy: &Privacy) -> bool {
        self.privacy_version == Some(PrivacyVersion::from(privacy))
    }

    /// What was kept of people when the object was written; `None` if that cannot be read.
    #[must_use]
    pub fn privacy_version(&self) -> Option<&PrivacyVersion> {
        self.privacy_version.as_ref()
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.bytes.key
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> Table {
        self.table
    }

    /// How many rows each row group has, if this program would write them in the same way, so that they can be copied as they
    /// are; otherwise empty.
    #[must_use]
    pub fn groups(&self) -> Vec<u64> {
        let metadata = self.metadata.metadata();
        if !self.is_current || metadata.file_metadata().created_by() != Some(PROGRAM) {
            return Vec::new();
        }
        let rows = |group: &RowGroupMetaData| u64::try_from(group.num_rows()).unwrap_or_default();
        metadata.row_groups().iter().map(rows).collect()
    }

    /// Reads what is needed to copy row groups as they are.
    pub async fn encoded_groups(&self) -> Result<EncodedGroups> {
        let groups = EncodedGroups::read(self.bytes.clone(), self.metadata.metadata()).await;
        groups.map_err(|error| mendable(error.with("key", &self.bytes.key)))
    }

    /// Every cell, in the order of its rows.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The cells of one event, each with the range of its rows.
    #[must_use]
    pub fn cells_of(&self, event_id: i64) -> Vec<(&Cell, Range<u64>)> {
        placed(&self.cells).filter(|(cell, _)| cell.event_id == event_id).collect()
    }

    /// The condition for a write that may replace this version only.
    #[must_use]
    pub fn unchanged(&self) -> Condition {
        Condition::Unchanged(self.bytes.head.version.clone())
    }

    /// All rows, with the current columns.
    pub fn all_rows(&self) -> Result<BoxStream<'static, Result<RecordBatch>>> {
        let rows = u64::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or_default();
        self.rows(iter::once(0..rows))
    }

    /// The rows of these ranges, which are in order and do not overlap, with the current columns.
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
            ParquetRecordBatchStreamBuilder::new_with_metadata(self.bytes.clone(), self.metadata.clone())
                .with_batch_size(BATCH_ROWS)
                .with_row_selection(RowSelection::from(selectors))
                .build()
                .map_err(from_parquet)?;
        let (key, table) = (self.bytes.key.clone(), self.table);
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
