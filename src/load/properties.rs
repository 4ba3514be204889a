//! How Parquet is written so that every engine reads it.

use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;

use super::index::PROGRAM;
use super::row_groups::ROW_GROUP_ROWS;
use crate::error::{Explain, Kind, Result};
use crate::transform::tables::Table;

/// A dictionary that grows beyond this is given up for the rest of its row group: what follows is mostly new too.
const DICTIONARY_BYTES: usize = 256 * 1024;

/// What is known of the rows of an object before it is written.
#[derive(Clone, Copy, Debug)]
pub enum Expected<'a> {
    /// A few, which only this program reads: what a reader would gain by codec, dictionaries and filters costs more to set up
    /// than the rows themselves.
    Few,
    /// Any number.
    Any,
    /// So many in each row group.
    Groups(&'a [u64]),
}

/// Options of the writer: zstd and dictionaries in version 1 pages, statistics and page index, and bloom filters on the
/// columns that people look one viewer up by.
pub fn of(table: Table, expected: Expected<'_>) -> Result<WriterProperties> {
    let properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(PROGRAM.to_owned())
        .set_sorting_columns(Some(vec![SortingColumn {
            column_idx: 0,
            descending: false,
            nulls_first: false,
        }]));
    if matches!(expected, Expected::Few) {
        return Ok(properties.set_dictionary_enabled(false).build());
    }
    // The cheapest level: what dictionaries leave is identifiers, addresses and times.
    let level = ZstdLevel::try_new(1).explain(Kind::Store, || "cannot set the codec".to_owned())?;
    let mut properties =
        properties.set_compression(Compression::ZSTD(level)).set_dictionary_page_size_limit(DICTIONARY_BYTES);
    for column in table.columns().iter().filter(|column| column.distinct) {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(column.name), false);
    }
    for column in table.columns().iter().filter(|column| column.looked_up) {
        let path = ColumnPath::from(column.name);
        // The filter is sized for a full row group and folded down to what the values need.
        properties = properties
            .set_column_bloom_filter_enabled(path.clone(), true)
            .set_column_bloom_filter_max_ndv(path, ROW_GROUP_ROWS as u64);
    }
    // Arrow's own copy of the schema is left out: every reader sees the same types, those of Parquet.
    Ok(properties.build())
}
