//! Descriptions of the tables for engines and people, made from the one list of columns: DDL, views, and the dictionary.

mod ddl;
mod dialect;
mod dictionary;
mod glue;
mod views;

use clap::{Args, ValueEnum};

use self::dialect::Dialect;
use crate::error::{Error, Kind, Result};

/// The engine or the format for which the tables are described.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// Tables with partition projection, and views.
    Athena,
    /// Views over the files.
    Duckdb,
    /// Temporary views over the files.
    Spark,
    /// Views over the files.
    Clickhouse,
    /// The columns of each table and the statements of the views as JSON, for the Glue catalogue.
    Glue,
    /// The dictionary: every column, its types, and what it means.
    Markdown,
}

/// The language of the column names in the views.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Labels {
    /// English, as in the tables.
    #[default]
    En,
    /// Chinese, in the vendor's terms, in two more views.
    Zh,
}

/// What `schema` is called with.
#[derive(Args, Clone, Debug)]
pub struct Schema {
    /// The engine or format to describe the tables for.
    #[arg(value_enum)]
    pub engine: Engine,
    /// The language of the column names in the views: `zh` adds `sessions_zh` and `people_zh`.
    #[arg(long, value_enum, default_value_t)]
    pub labels: Labels,
}

impl Schema {
    /// The description of the lake in a store: a folder, or `s3://bucket/prefix`, without a slash at the end. [`Kind::Usage`] for
    /// Athena and a folder, because Athena reads only S3.
    pub fn text(&self, store: &str) -> Result<String> {
        let dialect = match self.engine {
            Engine::Athena if !store.starts_with("s3://") => {
                return Err(Error::new(Kind::Usage, format!("Athena cannot read the folder `{store}`"))
                    .hint("give `--store s3://bucket/prefix`, where the lake is"));
            }
            Engine::Athena => Dialect::Athena,
            Engine::Duckdb => Dialect::Duckdb,
            Engine::Spark => Dialect::Spark,
            Engine::Clickhouse => Dialect::Clickhouse,
            Engine::Glue => return Ok(glue::catalog()),
            Engine::Markdown => return Ok(dictionary::markdown()),
        };
        let views: Vec<String> =
            views::views(dialect, self.labels).into_iter().map(|(_, statement)| statement).collect();
        Ok([ddl::tables(dialect, store), views.join("\n")].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(engine: Engine) -> String {
        Schema { engine, labels: Labels::En }.text("s3://bucket/prefix").unwrap()
    }

    #[test]
    fn the_committed_tables_page_and_catalog_are_up_to_date() {
        assert!(text(Engine::Markdown) == include_str!("../../docs/tables.md"), "run `make docs`");
        assert!(text(Engine::Glue) == include_str!("../../infra/catalog.json"), "run `make docs`");
    }

    #[test]
    fn a_schema_for_athena_is_refused_for_a_folder() {
        let text = |engine, store| Schema { engine, labels: Labels::En }.text(store);
        let error = text(Engine::Athena, "./rollcall-data").unwrap_err();
        assert!(error.to_string().contains("hint: give `--store s3://"), "{error}");
        assert!(text(Engine::Duckdb, "./rollcall-data").is_ok());
    }

    #[test]
    fn a_quote_in_the_stores_name_is_escaped_in_literals() {
        let text = |engine| Schema { engine, labels: Labels::En }.text("s3://bucket/o'hara").unwrap();
        assert!(text(Engine::Athena).contains("LOCATION 's3://bucket/o\\'hara/lake/lives/'"));
        assert!(text(Engine::Duckdb).contains("'s3://bucket/o''hara/lake/lives/*/*.parquet'"));
    }

    #[test]
    fn every_column_is_named_in_every_schema() {
        use crate::transform::tables::Table;
        for engine in [Engine::Athena, Engine::Spark, Engine::Clickhouse, Engine::Glue, Engine::Markdown] {
            let text = text(engine);
            for column in Table::ALL.iter().flat_map(|table| table.columns()) {
                assert!(text.contains(column.name), "{} for {engine:?}", column.name);
            }
        }
    }
}
