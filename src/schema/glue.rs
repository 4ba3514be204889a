//! Tables and views for the Glue catalogue and Athena, as JSON that Terraform reads.

use serde_json::{Map, Value, json};

use super::Labels;
use super::dialect::Dialect;
use super::views;
use crate::transform::tables::Table;

/// `{"tables": {"lives": [{"name": …, "type": …, "comment": …}, …], …}, "views": {"sessions": "CREATE …", …}}`.
pub(super) fn catalog() -> String {
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
    let views = views::views(Dialect::Athena, Labels::Zh);
    let views: Map<String, Value> =
        views.into_iter().map(|(name, statement)| (name.to_owned(), json!(statement))).collect();
    format!("{:#}\n", json!({ "tables": tables, "views": views }))
}
