//! The lake's objects, by day and table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use super::keys;
use super::publish::staged_days::ByTable;
use super::store::{Head, Listed, Store};
use crate::error::{Error, Kind, Result};
use crate::transform::tables::Table;

/// The objects of each day.
pub type LakeObjects = BTreeMap<Date, ByTable<Head>>;

/// The lake's objects of all days, or from one day on. Every foreign file is a failure, because every query would read it.
pub async fn since(
    store: &Arc<dyn Store>,
    from: Option<Date>,
    failures: &mut Vec<Error>,
) -> Result<LakeObjects> {
    let mut standing = LakeObjects::new();
    for table in Table::ALL {
        let after = from.map(|day| keys::day(table, day)).unwrap_or_default();
        let listed = store.list(&keys::table(table), &after).await?;
        add(&mut standing, table, listed, failures);
    }
    Ok(standing)
}

/// The lake's objects of these days. Foreign files elsewhere are left to [`since`].
pub async fn of(
    store: &Arc<dyn Store>,
    days: &BTreeSet<Date>,
    failures: &mut Vec<Error>,
) -> Result<LakeObjects> {
    let mut standing = LakeObjects::new();
    for (day, table) in days.iter().flat_map(|day| Table::ALL.map(|table| (*day, table))) {
        let listed = store.list(&keys::day(table, day), "").await?;
        add(&mut standing, table, listed, failures);
    }
    Ok(standing)
}

/// The error for an object that is missing although its day has others.
#[must_use]
pub fn missing(table: Table, day: Date) -> Error {
    Error::new(Kind::Damaged, "the object is missing").with("key", keys::lake(table, day)).hint(
        "restore it, or run `sync` with `--from` and `--to` for its day; if it had no rows, run `upgrade`",
    )
}

fn add(standing: &mut LakeObjects, table: Table, listed: Vec<Listed>, failures: &mut Vec<Error>) {
    for Listed { key, head } in listed {
        if let Some(day) = keys::parse_lake(table, &key) {
            standing.entry(day).or_default().insert(table, head);
        } else if !keys::is_hidden(&key) {
            let error = Error::new(Kind::Damaged, "a file among the tables is not rollcall's");
            failures.push(error.with("key", key).hint("delete it: every query reads it"));
        }
    }
}
