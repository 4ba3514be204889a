//! Objects as another program, or another version of this one, would have written them.

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::KeyValue;

/// Rewrites an object as another program would: with this metadata, and without some columns.
pub(crate) fn rewrite(path: &Path, metadata: &[(&str, &str)], without: &[&str]) {
    rewrite_as(path, metadata, |field| (!without.contains(&field.name().as_str())).then(|| field.clone()));
}

/// Rewrites an object with this metadata, and with another name for a column.
pub(crate) fn rename_column(path: &Path, from: &str, to: &str, metadata: &[(&str, &str)]) {
    rewrite_as(path, metadata, |field| {
        Some(if field.name() == from { field.clone().with_name(to) } else { field.clone() })
    });
}

fn rewrite_as(path: &Path, metadata: &[(&str, &str)], column: impl Fn(&Field) -> Option<Field>) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(path).unwrap()).unwrap();
    let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    let Some(first) = batches.first() else { return };
    let schema = first.schema();
    let columns = schema.fields().iter().enumerate();
    let (kept, fields): (Vec<usize>, Vec<Field>) =
        columns.filter_map(|(at, field)| Some((at, column(field)?))).unzip();
    let schema = Arc::new(Schema::new(fields));
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), None).unwrap();
    for batch in batches {
        let columns = batch.project(&kept).unwrap().columns().to_vec();
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns).unwrap()).unwrap();
    }
    for (key, value) in metadata {
        writer.append_key_value_metadata(KeyValue::new((*key).to_owned(), (*value).to_owned()));
    }
    writer.close().unwrap();
}

pub(crate) fn metadata(path: &Path, key: &str) -> Option<String> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(path).unwrap()).unwrap();
    let entries = reader.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    entries.into_iter().find(|entry| entry.key == key).and_then(|entry| entry.value)
}
