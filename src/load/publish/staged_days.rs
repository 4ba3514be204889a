//! Which days have staged files, and which files those are. They are listed one day at a time, because there may be very many.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::error::{Error, Kind, Result};
use crate::load::keys;
use crate::load::store::{Below, Listed, Store};
use crate::transform::tables::Table;

/// The days that have staged files.
#[derive(Debug, Default)]
pub struct StagedDays {
    /// Each day, with the tables that have staged files. Other processes may have published them since.
    pub days: BTreeMap<Date, BTreeSet<Table>>,
    /// An error for each file in staging that is not a staged file.
    pub failures: Vec<Error>,
}

impl StagedDays {
    /// Looks for the days of all tables.
    pub async fn find(store: &dyn Store) -> Result<Self> {
        let mut found = Self::default();
        let Below { folders, objects } = store.below(keys::STAGING).await?;
        found.fail(&objects);
        for folder in folders {
            match keys::parse_staged_table(&folder) {
                Some(table) => found.find_table(store, table, &folder).await?,
                None => found.fail(&store.list(&folder, "").await?),
            }
        }
        Ok(found)
    }

    async fn find_table(&mut self, store: &dyn Store, table: Table, folder: &str) -> Result<()> {
        let Below { folders, objects } = store.below(folder).await?;
        self.fail(&objects);
        for folder in folders {
            match keys::parse_staged_day(table, &folder) {
                Some(day) => {
                    self.days.entry(day).or_default().insert(table);
                }
                None => self.fail(&store.list(&folder, "").await?),
            }
        }
        Ok(())
    }

    fn fail(&mut self, foreign: &[Listed]) {
        self.failures.extend(foreign_file_errors(foreign));
    }
}

/// The staged files of one table and day, and an error for each other file there.
pub async fn staged_files(store: &dyn Store, table: Table, day: Date) -> Result<(Vec<Listed>, Vec<Error>)> {
    let listed = store.list(&keys::staged_day(table, day), "").await?;
    let (staged, foreign): (Vec<_>, Vec<_>) =
        listed.into_iter().partition(|listed| keys::parse_staged(&listed.key).is_some());
    Ok((staged, foreign_file_errors(&foreign).collect()))
}

fn foreign_file_errors(foreign: &[Listed]) -> impl Iterator<Item = Error> {
    let named = foreign.iter().filter(|listed| !keys::is_hidden(&listed.key));
    named.map(|listed| {
        let error = Error::new(Kind::Damaged, "a file in staging is not a staged file");
        error.with("key", &listed.key).hint("delete it")
    })
}
