//! The dictionary: every column of every table and view, for people.

use std::fmt::Write;

use super::dialect::Dialect;
use super::views;
use crate::transform::column::{Column, ColumnKind};
use crate::transform::privacy::{Preset, Treatment};
use crate::transform::tables::Table;

const BEGINNING: &str = "\
# The tables

Every column of every table, as printed by `rollcall schema markdown` from the list that the program itself reads and writes by.
Columns are only ever added, never renamed or retyped. `pseudonymous` and `anonymous` say what the privacy policies of these names
do with a column: drop it, mask its values, or replace them by pseudonyms (`hmac`); if empty, values stay as sent. Each table has
one more column, `dt`: the day, by which its files are partitioned.

What the vendor sends is null in the tables if it is null, an empty text, blanks, or a dash (`-`); if it does not fit its column
(then it is in `extra`, if the table has that column and the policy keeps it); or if the policy drops it.

";

/// The page `docs/tables.md`.
pub(super) fn markdown() -> String {
    let mut page = BEGINNING.to_owned();
    page.push_str("| kind | DuckDB | Athena, Glue | Spark | ClickHouse |\n|---|---|---|---|---|\n");
    let kinds = [
        ColumnKind::Text,
        ColumnKind::Count,
        ColumnKind::Instant,
        ColumnKind::WallClock { of: "" },
        ColumnKind::Flag,
        ColumnKind::Day,
    ];
    for kind in kinds {
        let [duckdb, athena, spark, clickhouse] =
            [Dialect::Duckdb, Dialect::Athena, Dialect::Spark, Dialect::Clickhouse]
                .map(|dialect| dialect.type_of(kind));
        let _ =
            writeln!(page, "| {} | `{duckdb}` | `{athena}` | `{spark}` | `{clickhouse}` |", stored_as(kind));
    }
    for table in Table::ALL {
        let _ = write!(
            page,
            "\n## {}\n\n{}\n\n| column | kind | vendor's key | null | pseudonymous | anonymous | what it means |\n|---|---|---|---|---|---|---|\n",
            table.name(),
            table.doc()
        );
        table.columns().iter().for_each(|column| page.push_str(&line(column)));
    }
    page.push_str(&views::described());
    page
}

fn line(column: &Column) -> String {
    let yes = |is: bool| if is { "yes" } else { "" };
    let treatment = |preset: Preset| match preset.treatment(column) {
        Treatment::Keep => "",
        treatment => treatment.name(),
    };
    let key = column.key.map(|key| format!("`{key}`")).unwrap_or_default();
    let (kind, doc) = (kind(column.kind), column.doc.replace('|', "\\|"));
    let (pseudonymous, anonymous) = (treatment(Preset::Pseudonymous), treatment(Preset::Anonymous));
    let nullable = yes(column.nullable);
    format!("| `{}` | {kind} | {key} | {nullable} | {pseudonymous} | {anonymous} | {doc} |\n", column.name)
}

/// The name of a kind, which for durations is the unit.
fn kind(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Identifier => "identifier",
        ColumnKind::Text => "text",
        ColumnKind::Json => "JSON text",
        ColumnKind::Count => "number",
        ColumnKind::Seconds => "seconds",
        ColumnKind::Instant => "instant",
        ColumnKind::WallClock { .. } => "wall clock",
        ColumnKind::Flag => "yes or no",
        ColumnKind::Label { .. } => "label",
        ColumnKind::Day => "day",
    }
}

/// The names of all kinds that are stored like this one.
fn stored_as(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Identifier | ColumnKind::Text | ColumnKind::Json | ColumnKind::Label { .. } => {
            "text, identifier, label, JSON text"
        }
        ColumnKind::Count | ColumnKind::Seconds => "number, seconds",
        ColumnKind::Instant => "instant (UTC, milliseconds)",
        ColumnKind::WallClock { .. } => "wall clock (of the lake's zone, milliseconds)",
        ColumnKind::Flag => "yes or no",
        ColumnKind::Day => "day",
    }
}
