//! How Parquet is written, so that every engine can read it.

use arrow::datatypes::DataType;
use parquet::basic::{Compression, CompressionCodec, Encoding, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use parquet::schema::types::ColumnPath;

use super::index::PROGRAM;
use crate::error::{Explain, Kind, Result};
use crate::transform::tables::Table;

/// The most rows of a row group: enough to compress well; few enough to read one event of a large day without the others, and to
/// hold in memory.
pub const ROW_GROUP_ROWS: usize = 64 * 1024;
/// Bytes beyond which a dictionary is given up for the rest of its row group: further values are mostly new, too.
const DICTIONARY_BYTES: usize = 256 * 1024;
/// The same limit for staged files. It is lower, because many are written at once and each dictionary takes memory.
const STAGED_DICTIONARY_BYTES: usize = 64 * 1024;

/// The most rows of a page of a staged file. Each column that is written holds a page in memory before it is encoded; as staged
/// files are read as a whole, small pages cost them hardly anything.
const STAGED_PAGE_ROWS: usize = 4 * 1024;

/// The codecs that can be read, those of `Cargo.toml`'s features of parquet; no others are written.
pub(super) const CODECS: [CompressionCodec; 3] =
    [CompressionCodec::UNCOMPRESSED, CompressionCodec::LZ4_RAW, CompressionCodec::ZSTD];

/// What is known of an object before it is written.
#[derive(Clone, Copy, Debug)]
pub enum Expected<'a> {
    /// A staged file of a few rows: setting up a codec and dictionaries would cost more than writing the rows themselves.
    Few,
    /// A staged file of any number of rows.
    Many,
    /// An object of the lake, with these numbers of rows in its row groups.
    Groups(&'a [u64]),
}

/// The options of the writer. A staged file is read once, as a whole, and by this program alone: it has nothing that helps to
/// skip rows.
pub fn of(table: Table, expected: Expected<'_>) -> Result<WriterProperties> {
    let properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(PROGRAM.to_owned());
    // Arrow's own copy of the schema is left out: every reader sees the same types, those of Parquet.
    let properties = match expected {
        Expected::Few => without_bounds(properties).set_dictionary_enabled(false),
        Expected::Many => {
            // It packs less than zstd, but is cheaper to write and to read, and the file is deleted once it is published.
            let packed = without_bounds(properties)
                .set_compression(Compression::LZ4_RAW)
                .set_data_page_row_count_limit(STAGED_PAGE_ROWS);
            let packed = with_dictionaries(table, packed, STAGED_DICTIONARY_BYTES);
            numbers_as_differences(table, without_dictionaries_of_people(table, packed))
        }
        Expected::Groups(_) => {
            // The cheapest level: apart from what dictionaries shrink, there are only identifiers, addresses and times.
            let level = ZstdLevel::try_new(1).explain(Kind::Store, || "cannot set the codec".to_owned())?;
            let packed = properties.set_compression(Compression::ZSTD(level));
            with_filters(table, with_dictionaries(table, packed, DICTIONARY_BYTES))
        }
    };
    Ok(properties.build())
}

fn without_bounds(properties: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
    properties.set_statistics_enabled(EnabledStatistics::None).set_offset_index_disabled(true)
}

/// Dictionaries of at most so many bytes, for columns whose values repeat.
fn with_dictionaries(
    table: Table,
    properties: WriterPropertiesBuilder,
    most_bytes: usize,
) -> WriterPropertiesBuilder {
    let mut properties = properties.set_dictionary_page_size_limit(most_bytes);
    for column in table.columns().iter().filter(|column| column.distinct) {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(column.name), false);
    }
    properties
}

/// No dictionaries for what identifies a person: in a row group there are too many people for one, so that it would be begun and
/// given up. Where nearly every row has another identifier, the codec finds nothing either.
fn without_dictionaries_of_people(
    table: Table,
    mut properties: WriterPropertiesBuilder,
) -> WriterPropertiesBuilder {
    for column in table.columns().iter().filter(|column| column.identifies()) {
        let path = || ColumnPath::from(column.name);
        properties = properties.set_column_dictionary_enabled(path(), false);
        if column.distinct {
            properties = properties.set_column_compression(path(), Compression::UNCOMPRESSED);
        }
    }
    properties
}

/// Numbers and times as differences, in as many bits as these need: cheaper to write than dictionaries, and too small for a
/// codec to gain anything. Not for objects of the lake: some engines cannot read this encoding.
fn numbers_as_differences(table: Table, mut properties: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
    for column in table.columns() {
        if !matches!(column.kind.data_type(), DataType::Int64 | DataType::Timestamp(..)) {
            continue;
        }
        let path = || ColumnPath::from(column.name);
        properties = properties
            .set_column_dictionary_enabled(path(), false)
            .set_column_encoding(path(), Encoding::DELTA_BINARY_PACKED)
            .set_column_compression(path(), Compression::UNCOMPRESSED);
    }
    properties
}

/// The order of the rows, and bloom filters on the columns by which people look up a single viewer; statistics and page index
/// are written by default.
fn with_filters(table: Table, properties: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
    let by_event = SortingColumn { column_idx: 0, descending: false, nulls_first: false };
    let mut properties = properties.set_sorting_columns(Some(vec![by_event]));
    for column in table.columns().iter().filter(|column| column.looked_up) {
        let path = ColumnPath::from(column.name);
        // The filter is sized for a full row group and folded down to what the values need.
        properties = properties
            .set_column_bloom_filter_enabled(path.clone(), true)
            .set_column_bloom_filter_max_ndv(path, ROW_GROUP_ROWS as u64);
    }
    properties
}
