//! The DDL of the six tables, for each engine.

use super::dialect::{Dialect, literal};
use crate::transform::tables::Table;

/// The statements that make all tables of a store readable.
pub(super) fn tables(dialect: Dialect, store: &str) -> String {
    Table::ALL.map(|table| statement(dialect, table, &format!("{store}/lake/{}", table.name()))).concat()
}

fn statement(dialect: Dialect, table: Table, location: &str) -> String {
    let name = table.name();
    let files = literal(&format!("{location}/*/*.parquet"));
    match dialect {
        Dialect::Athena => athena(table, location),
        // Files of two versions may be side by side, so columns are matched by name. Characters that have a meaning in a pattern
        // are put in brackets.
        Dialect::Duckdb => {
            let plain = location.replace('[', "[[]").replace('*', "[*]").replace('?', "[?]");
            let files = literal(&format!("{plain}/*/*.parquet"));
            format!(
                "CREATE OR REPLACE VIEW {name} AS\nSELECT * FROM read_parquet({files}, union_by_name = true);\n\n"
            )
        }
        Dialect::Spark => format!(
            "CREATE OR REPLACE TEMPORARY VIEW {name} (\n{},\n  dt DATE\n) USING parquet OPTIONS (path {});\n\n",
            columns(dialect, table),
            literal(location)
        ),
        Dialect::Clickhouse => {
            let source = if location.contains("://") { "s3" } else { "file" };
            let structure = literal(&columns(dialect, table).replace('\n', " "));
            // The day is part of the path, and becomes a column of its own only under some settings.
            let day = "toDate32(extract(_path, 'dt=([0-9-]+)')) AS dt";
            format!(
                "CREATE OR REPLACE VIEW {name} AS\nSELECT *, {day}\nFROM {source}({files}, 'Parquet', {structure});\n\n"
            )
        }
    }
}

/// Names and types of the columns, one per line.
fn columns(dialect: Dialect, table: Table) -> String {
    let column = |name: &str, kind: &str| match dialect {
        // Even a column that always has a value: an object that is older than the column has none.
        Dialect::Clickhouse => format!("  {name} Nullable({kind})"),
        _ => format!("  {name} {kind}"),
    };
    let columns = table.columns().iter();
    let columns = columns.map(|known| column(known.name, dialect.type_of(known.kind)));
    columns.collect::<Vec<_>>().join(",\n")
}

/// A table whose days are projected, so that no crawler has to find them. An existing table may have fewer columns, so it is
/// dropped first; its rows stay in the store. Dates are projected in UTC, and the lake's days may be ahead of it.
fn athena(table: Table, location: &str) -> String {
    let columns = table.columns().iter().map(|column| {
        let kind = Dialect::Athena.type_of(column.kind);
        format!("  `{}` {kind} COMMENT {}", column.name, hive_literal(column.doc))
    });
    let columns: Vec<String> = columns.collect();
    let properties = [
        ("projection.enabled", "true".to_owned()),
        ("projection.dt.type", "date".to_owned()),
        ("projection.dt.format", "yyyy-MM-dd".to_owned()),
        ("projection.dt.range", "2015-01-01,NOW+1DAY".to_owned()),
        ("storage.location.template", format!("{location}/dt=${{dt}}/")),
    ];
    let property =
        |(key, value): (&str, String)| format!("  {} = {}", hive_literal(key), hive_literal(&value));
    let properties = properties.map(property).join(",\n");
    format!(
        "DROP TABLE IF EXISTS `{name}`;\n\nCREATE EXTERNAL TABLE `{name}` (\n{columns}\n)\nPARTITIONED BY (`dt` date)\n\
         STORED AS PARQUET\nLOCATION {location}\nTBLPROPERTIES (\n{properties}\n);\n\n",
        name = table.name(),
        columns = columns.join(",\n"),
        location = hive_literal(&format!("{location}/")),
    )
}

/// A text as a literal in Athena's DDL, which is Hive's: there a quote is escaped by a backslash, not doubled.
fn hive_literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
