//! How Parquet is written so that every engine reads it, and what the footer says of the file.

use jiff::civil::Date;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;

use super::FORMAT;
use super::cell::Cell;
use crate::error::{Error, Explain, Kind, Result};
use crate::transform::tables::Table;

/// Rows of a row group: enough to compress well, few enough to prune one event out of a large day.
pub const ROW_GROUP_ROWS: usize = 128 * 1024;

/// Rows that are encoded at once. Fixed, so that pages are cut at the same rows whatever the rows came from.
pub const BATCH_ROWS: usize = 8 * 1024;

const PROGRAM: &str = concat!("rollcall ", env!("CARGO_PKG_VERSION"));

const KEY_PROGRAM: &str = "rollcall.program";
const KEY_FORMAT: &str = "rollcall.format";
const KEY_TABLE: &str = "rollcall.table";
const KEY_DAY: &str = "rollcall.day";
const KEY_CELLS: &str = "rollcall.cells";

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

/// What the footer says: program, format, table, day, and every cell in the order of its rows.
pub fn footer(table: Table, day: Date, cells: &[Cell]) -> Result<Vec<KeyValue>> {
    let cells = serde_json::to_string(cells).explain(Kind::Damaged, || "cannot write an index".to_owned())?;
    Ok([
        (KEY_PROGRAM, PROGRAM.to_owned()),
        (KEY_FORMAT, FORMAT.to_string()),
        (KEY_TABLE, table.name().to_owned()),
        (KEY_DAY, day.to_string()),
        (KEY_CELLS, cells),
    ]
    .map(|(key, value)| KeyValue::new(key.to_owned(), value))
    .into())
}

/// The cells that the footer of the file of `table` and `day` lists.
pub fn read_footer(table: Table, day: Date, footer: Option<&Vec<KeyValue>>) -> Result<Vec<Cell>> {
    let value = |key: &str| {
        footer
            .and_then(|entries| entries.iter().find(|entry| entry.key == key))
            .and_then(|entry| entry.value.as_deref())
            .ok_or_else(|| Error::new(Kind::Damaged, format!("the footer has no `{key}`")))
    };
    let format: u32 = value(KEY_FORMAT)?
        .parse()
        .explain(Kind::Damaged, || "the footer's format is no number".to_owned())?;
    if format > FORMAT {
        return Err(Error::new(
            Kind::Newer,
            format!("the object has format {format}, this program knows {FORMAT}"),
        )
        .hint("upgrade rollcall"));
    }
    let (found_table, found_day) = (value(KEY_TABLE)?, value(KEY_DAY)?);
    if found_table != table.name() || found_day != day.to_string() {
        let found = format!("the object is of `{found_table}` and `{found_day}`");
        return Err(Error::new(Kind::Damaged, found).hint("it was moved by hand; move it back"));
    }
    serde_json::from_str(value(KEY_CELLS)?)
        .explain(Kind::Damaged, || "the footer's index cannot be read".to_owned())
}
