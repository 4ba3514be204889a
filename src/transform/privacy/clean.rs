//! Applies this policy to rows that were written under another one. What was withheld already stays withheld.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, new_null_array};
use serde_json::value::RawValue;

use super::policy::Policy;
use super::redact::Redactor;
use super::treatment::Treatment;
use crate::error::{Explain, Kind, Result};
use crate::json::record::Records;
use crate::transform::column::Column;
use crate::transform::column::Personal;
use crate::transform::tables::Table;

impl Policy {
    /// The rows with only what may be kept of them. The batch must have the columns of the table.
    pub fn clean(&self, table: Table, batch: &RecordBatch) -> Result<RecordBatch> {
        if self.is_open() {
            return Ok(batch.clone());
        }
        let columns = table.columns().iter().zip(batch.columns());
        let arrays = columns.map(|(column, array)| self.clean_column(table, batch, column, array)).collect();
        RecordBatch::try_new(batch.schema(), arrays)
            .explain(Kind::Damaged, || format!("the columns are not those of `{}`", table.name()))
    }

    fn clean_column(&self, table: Table, batch: &RecordBatch, column: &Column, array: &ArrayRef) -> ArrayRef {
        let treatment = self.treatment(column);
        let Some(texts) = array.as_string_opt::<i32>() else {
            return if treatment == Treatment::Drop {
                new_null_array(array.data_type(), array.len())
            } else {
                Arc::clone(array)
            };
        };
        let others = |name: &str| batch.column_by_name(name).and_then(|array| array.as_string_opt::<i32>());
        let cleaned: StringArray = match (treatment, column.personal) {
            (Treatment::Keep, Some(Personal::Anything)) if column.nullable => {
                texts.iter().map(|text| self.clean_extra(table, text?)).collect()
            }
            (Treatment::Keep, Some(Personal::Anything)) => {
                let sources = others("source_table");
                let of = |row: usize| sources.and_then(|sources| Table::named(sources.value(row)));
                texts.iter().enumerate().map(|(row, text)| Some(self.clean_record(of(row)?, text?))).collect()
            }
            (Treatment::Keep, _) => return Arc::clone(array),
            (treatment, personal) => {
                let countries = others("country_code");
                let country =
                    |row: usize| countries.filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row));
                let treated = |(row, text): (usize, Option<&str>)| {
                    Some(
                        self.treated(treatment, personal, text?.to_owned().into(), country(row))?
                            .into_owned(),
                    )
                };
                texts.iter().enumerate().map(treated).collect()
            }
        };
        Arc::new(cleaned)
    }

    /// `extra` with only the fields that may be kept; `None` if there are none.
    fn clean_extra(&self, table: Table, text: &str) -> Option<String> {
        let mut fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
        fields.retain(|key, _| self.keeps_extra(table.column_of(key), key));
        if fields.is_empty() { None } else { serde_json::to_string(&fields).ok() }
    }

    fn clean_record(&self, table: Table, text: &str) -> String {
        let mut records = Records::default();
        records
            .whole(text)
            .map_or_else(|| "null".to_owned(), |record| Redactor::new(self, table).text(record).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Key, PolicyDocument};
    use super::*;
    use crate::transform::batch::BatchBuilder;
    use crate::transform::value::Value;

    #[test]
    fn a_reject_keeps_what_the_policy_allows_whatever_json_it_is() {
        for (document, record, kept) in [
            (r#"{"base": "open", "columns": {"name": "drop"}}"#, "12345", "12345"),
            (r#"{"base": "open", "columns": {"name": "drop"}}"#, r#""12345""#, r#""12345""#),
            (r#"{"base": "open", "columns": {"name": "drop"}}"#, r#"{"name": "a", "b": 1}"#, r#"{"b":1}"#),
            (r#"{"base": "open", "columns": {"name": "drop"}}"#, "", "null"),
            (r#"{"base": "anonymous"}"#, "12345", "null"),
        ] {
            let key = Key::checked(&"k".repeat(32).into()).unwrap();
            let policy =
                Policy::checked(PolicyDocument::parse(document.as_bytes()).unwrap(), Some(key)).unwrap();
            let mut rows = BatchBuilder::new(Table::Rejects);
            rows.push_named(vec![
                ("event_id", 1_i64.into()),
                ("source_table", "lives".into()),
                ("source", "windows".into()),
                ("path", "$.data.report.lives[0]".into()),
                ("reason", "not_an_object".into()),
                ("record", record.into()),
                ("pulled_at", Value::Millis(0)),
            ]);
            let cleaned = policy.clean(Table::Rejects, &rows.finish().unwrap()).unwrap();
            let records = cleaned.column_by_name("record").unwrap().as_string::<i32>();
            assert_eq!(records.value(0), kept, "{document} {record}");
        }
    }
}
