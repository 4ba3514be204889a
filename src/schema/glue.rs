//! The columns of the Glue catalogue.

use serde_json::{Map, Value, json};

use super::dialect::Dialect;
use crate::transform::tables::Table;

/// `{"lives": [{"name": …, "type": …, "comment": …}, …], …}`, as Terraform reads it.
pub(super) fn columns() -> String {
    let tables: Map<String, Value> = Table::ALL
        .into_iter()
        .map(|table| {
            let columns = table.columns().iter();
            let columns = columns.map(|column| {
                let kind = Dialect::Athena.type_of(column.kind);
                json!({ "name": column.name, "type": kind, "comment": column.doc })
            });
            (table.name().to_owned(), columns.collect())
        })
        .collect();
    format!("{:#}\n", Value::Object(tables))
}
