//! How the engines' SQL differs. `tests/engines` tests the types and the ways to read.

use crate::transform::column::ColumnKind;

/// An engine that speaks SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Athena,
    Duckdb,
    Spark,
    Clickhouse,
}

impl Dialect {
    /// The type of a column of this kind.
    pub(super) fn type_of(self, kind: ColumnKind) -> &'static str {
        let [athena, duckdb, spark, clickhouse] = match kind {
            ColumnKind::Identifier | ColumnKind::Text | ColumnKind::Json | ColumnKind::Label { .. } => {
                ["string", "VARCHAR", "STRING", "String"]
            }
            ColumnKind::Count | ColumnKind::Seconds => ["bigint", "BIGINT", "BIGINT", "Int64"],
            ColumnKind::Instant => {
                ["timestamp", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "DateTime64(3, 'UTC')"]
            }
            // ClickHouse has no type for a wall clock: it shows one as an instant in a zone, here UTC.
            ColumnKind::WallClock { .. } => {
                ["timestamp", "TIMESTAMP", "TIMESTAMP_NTZ", "DateTime64(3, 'UTC')"]
            }
            ColumnKind::Flag => ["boolean", "BOOLEAN", "BOOLEAN", "Bool"],
            ColumnKind::Day => ["date", "DATE", "DATE", "Date32"],
        };
        match self {
            Self::Athena => athena,
            Self::Duckdb => duckdb,
            Self::Spark => spark,
            Self::Clickhouse => clickhouse,
        }
    }

    /// A name in quotes, because it is not a plain one.
    pub(super) fn quoted(self, name: &str) -> String {
        match self {
            Self::Athena | Self::Duckdb => format!("\"{name}\""),
            Self::Spark | Self::Clickhouse => format!("`{name}`"),
        }
    }

    /// The beginning of the statement that creates a view.
    pub(super) fn create_view(self, name: &str) -> String {
        let temporary = if self == Self::Spark { "TEMPORARY " } else { "" };
        format!("CREATE OR REPLACE {temporary}VIEW {name} AS")
    }

    /// Whole minutes from one instant to another, rounded down; negative if the second is before the first.
    pub(super) fn minutes(self, from: &str, to: &str) -> String {
        match self {
            // `60e0` is a double: with a decimal, the quotient would be rounded to the decimal's digits.
            Self::Athena | Self::Duckdb => {
                format!("CAST(floor(date_diff('second', {from}, {to}) / 60e0) AS bigint)")
            }
            Self::Spark => format!("floor((unix_timestamp({to}) - unix_timestamp({from})) / 60)"),
            Self::Clickhouse => format!("toInt64(floor(dateDiff('second', {from}, {to}) / 60))"),
        }
    }

    /// Every value of a group once, in order, joined by commas; null if there is none.
    pub(super) fn values(self, column: &str) -> String {
        match self {
            Self::Athena => format!("nullif(array_join(array_sort(array_agg(DISTINCT {column})), ','), '')"),
            Self::Duckdb => format!("string_agg(DISTINCT {column}, ',' ORDER BY {column})"),
            Self::Spark => format!("nullif(array_join(array_sort(collect_set({column})), ','), '')"),
            Self::Clickhouse => {
                format!("nullIf(arrayStringConcat(arraySort(groupUniqArray({column})), ','), '')")
            }
        }
    }

    /// The value of a column in the row of the group in which the column `by` is least.
    pub(super) fn first_by(self, column: &str, by: &str) -> String {
        match self {
            Self::Athena | Self::Duckdb | Self::Spark => format!("min_by({column}, {by})"),
            // ClickHouse has had the name `min_by` only since 2026.
            Self::Clickhouse => format!("argMin({column}, {by})"),
        }
    }

    /// The sum of a column, in the column's type; null if it has no value.
    pub(super) fn sum(self, column: &str) -> String {
        match self {
            // DuckDB's sum has 128 bits.
            Self::Athena | Self::Duckdb | Self::Spark => format!("CAST(sum({column}) AS bigint)"),
            // ClickHouse's casts do not accept null.
            Self::Clickhouse => format!("sum({column})"),
        }
    }
}

/// A text as a literal in SQL.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
