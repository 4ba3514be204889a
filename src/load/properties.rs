//! How Parquet is written so that every engine reads it.

use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;

use super::index::PROGRAM;
use crate::error::{Explain, Kind, Result};
use crate::transform::tables::Table;

/// Rows of a row group: enough to compress well, few enough to prune one event out of a large day.
pub const ROW_GROUP_ROWS: usize = 128 * 1024;

/// Rows that are encoded at once. Fixed, so that pages are cut at the same rows whatever the rows came from.
pub const BATCH_ROWS: usize = 8 * 1024;

/// Options of the writer: zstd and dictionaries in version 1 pages, statistics and page index, and bloom filters on the
/// columns that people look one viewer up by.
pub fn writer_options(table: Table) -> Result<ArrowWriterOptions> {
    let level = ZstdLevel::try_new(3).explain(Kind::Store, || "cannot set the codec".to_owned())?;
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::ZSTD(level))
        .set_created_by(PROGRAM.to_owned())
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_sorting_columns(Some(vec![SortingColumn {
            column_idx: 0,
            descending: false,
            nulls_first: false,
        }]));
    for column in table.columns().iter().filter(|column| column.looked_up) {
        let path = ColumnPath::from(column.name);
        // The filter is sized for a full row group and folded down to what the values need.
        properties = properties
            .set_column_bloom_filter_enabled(path.clone(), true)
            .set_column_bloom_filter_max_ndv(path, ROW_GROUP_ROWS as u64);
    }
    // Without arrow's own copy of the schema every reader sees the same types: those of Parquet.
    Ok(ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true))
}
