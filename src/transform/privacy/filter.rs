//! Removes the people to be forgotten from rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;

use super::search::is_of_event;
use super::suppressed::Suppressed;
use crate::error::{Explain, Kind, Result};
use crate::json::record::Records;
use crate::transform::tables::Table;

impl Suppressed {
    /// How many rows have one of the identifiers, in any column. The batch may have only some of the columns.
    #[must_use]
    pub fn count(&self, table: Table, batch: &RecordBatch) -> u64 {
        self.found(table, batch).filter(|has| *has).count() as u64
    }

    /// Whether each row has one of the identifiers. Rows of `pulls`, which describe visits, are not searched.
    fn found<'a>(&'a self, table: Table, batch: &'a RecordBatch) -> impl Iterator<Item = bool> + 'a {
        let fields = batch.schema_ref().fields().iter().zip(batch.columns());
        let of_viewer = fields.filter(move |(field, _)| match table {
            Table::Pulls => false,
            Table::Events => true,
            // This program makes the path of a reject; the numbers in it are nobody's.
            Table::Rejects => field.name() == "record",
            _ => !is_of_event(field.name()),
        });
        let texts: Vec<_> = of_viewer
            .filter_map(|(field, array)| Some((field.name(), array.as_string_opt::<i32>()?)))
            .collect();
        let column = |name: &str| batch.column_by_name(name).and_then(|array| array.as_string_opt::<i32>());
        let (country, source) = (column("country_code"), column("source_table"));
        let value = |texts: Option<&'a StringArray>, row: usize| {
            texts.filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row))
        };
        (0..batch.num_rows()).map(move |row| {
            let (country, source) = (value(country, row), value(source, row).and_then(Table::named));
            texts.iter().filter_map(|(name, texts)| Some((name, value(Some(texts), row)?))).any(
                |(name, text)| match table {
                    Table::Rejects => self.has_sent(source, text),
                    _ => self.has_value(name, text, country),
                },
            )
        })
    }

    /// Whether the record in a reject has one of the identifiers; a record that is not JSON is searched as a text.
    fn has_sent(&self, table: Option<Table>, text: &str) -> bool {
        match Records::default().whole(text) {
            Some(record) => self.has_record(table, record),
            None => self.has_text(text, None),
        }
    }

    /// The rows that have none of the identifiers, in any column. Rows of `events` stay, without the texts that have one.
    pub(super) fn without(&self, table: Table, batch: &RecordBatch) -> Result<RecordBatch> {
        if self.is_empty() || table == Table::Pulls {
            return Ok(batch.clone());
        }
        if table == Table::Events {
            return self.without_names(batch);
        }
        let kept: BooleanArray = self.found(table, batch).map(|has| Some(!has)).collect();
        filter_record_batch(batch, &kept).explain(Kind::Damaged, || "cannot filter rows".to_owned())
    }

    /// The rows of `events`, without the texts that have one of the identifiers: a host may be on the list, too.
    fn without_names(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let columns = batch.columns().iter().zip(batch.schema_ref().fields());
        let arrays = columns.map(|(array, field)| match array.as_string_opt::<i32>() {
            Some(texts) if field.is_nullable() => {
                let kept = texts.iter().map(|text| text.filter(|text| !self.has_text(text, None)));
                Arc::new(kept.collect::<StringArray>()) as ArrayRef
            }
            _ => Arc::clone(array),
        });
        RecordBatch::try_new(batch.schema(), arrays.collect())
            .explain(Kind::Damaged, || "cannot blank a column".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::batch::BatchBuilder;
    use crate::transform::value::Value;

    #[test]
    fn a_reject_is_searched_for_people_as_the_record_that_it_holds() {
        // The last one is also the position of another person's record.
        let suppressed = Suppressed::of_people(&["88589655", "+86-19000101106", "1234"]);
        let records = [
            r#"{"hostId": 88589655, "chat_num": 88589655}"#,
            r#"{"mobile": 19000101106}"#,
            "null",
            "19000101106",
            "1.9000101106e10",
            r#"{"mobile": 1} 19000101106"#,
        ];
        let mut batch = BatchBuilder::new(Table::Rejects);
        for record in records {
            batch.push_named(vec![
                ("event_id", 1_i64.into()),
                ("source_table", "lives".into()),
                ("source", "windows".into()),
                ("path", "$.data.report.lives[1234]".into()),
                ("reason", "no_time".into()),
                ("record", record.into()),
                ("pulled_at", Value::Millis(0)),
            ]);
        }
        let batch = batch.finish().unwrap();
        let found: Vec<bool> = suppressed.found(Table::Rejects, &batch).collect();
        assert_eq!(found, [false, true, false, true, true, true]);
    }
}
