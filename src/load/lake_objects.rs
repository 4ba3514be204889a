//! The lake's objects, by day and table, and reading them: they may be replaced meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::TryStreamExt;
use jiff::civil::Date;

use super::conflict_retries::on_newest;
use super::keys;
use super::object::ObjectReader;
use super::store::{Head, Listed, Store};
use crate::error::{Error, Kind, Result};
use crate::transform::row::{self, Row};
use crate::transform::tables::Table;

/// What one day has, by table: its staged files, or its objects.
pub type ByTable<T> = BTreeMap<Table, T>;

/// The objects of each day.
pub type LakeObjects = BTreeMap<Date, ByTable<Head>>;

/// The lake's objects of all days, or from one day on. Every foreign file is a failure, because every query would read it.
pub async fn since(
    store: &Arc<dyn Store>,
    from: Option<Date>,
    failures: &mut Vec<Error>,
) -> Result<LakeObjects> {
    let mut objects = LakeObjects::new();
    for table in Table::ALL {
        let after = from.map(|day| keys::day(table, day)).unwrap_or_default();
        let listed = store.list(&keys::table(table), &after).await?;
        add(&mut objects, table, listed, failures);
    }
    Ok(objects)
}

/// The lake's objects of these days. Foreign files elsewhere are left to [`since`].
pub async fn of(
    store: &Arc<dyn Store>,
    days: &BTreeSet<Date>,
    failures: &mut Vec<Error>,
) -> Result<LakeObjects> {
    let mut objects = LakeObjects::new();
    for (day, table) in days.iter().flat_map(|day| Table::ALL.map(|table| (*day, table))) {
        let listed = store.list(&keys::day(table, day), "").await?;
        add(&mut objects, table, listed, failures);
    }
    Ok(objects)
}

/// The error for an object that is missing although its day has others.
#[must_use]
pub fn missing(table: Table, day: Date) -> Error {
    Error::new(Kind::Damaged, "the object is missing").with("key", keys::object(table, day)).hint(
        "restore it, or run `sync` with `--from` and `--to` for its day; `upgrade` makes it anew if it had no rows, once \
         every ledger can be read, and `upgrade --accept-loss` in any case",
    )
}

fn add(objects: &mut LakeObjects, table: Table, listed: Vec<Listed>, failures: &mut Vec<Error>) {
    for Listed { key, head } in listed {
        if let Some(day) = keys::parse_object(table, &key) {
            objects.entry(day).or_default().insert(table, head);
        } else if !keys::is_hidden(&key) {
            let error = Error::new(Kind::Damaged, "a file among the tables is not rollcall's");
            failures.push(error.with("key", key).hint("delete it: every query reads it"));
        }
    }
}

/// Objects that are read at once.
pub const READERS: usize = 16;

/// The object of one table and day.
pub struct LakeObject<'a> {
    /// The store that it lies in.
    pub store: &'a Arc<dyn Store>,
    /// Its table.
    pub table: Table,
    /// Its day.
    pub day: Date,
    /// The version that was listed.
    pub head: Head,
}

impl LakeObject<'_> {
    /// Returns the result of `read` for the object; none if the object no longer exists. If the object is replaced meanwhile,
    /// `read` is called again with the new version.
    pub async fn read<T>(&self, read: impl AsyncFn(ObjectReader) -> Result<T>) -> Result<Option<T>> {
        let key = keys::object(self.table, self.day);
        let (key, read) = (&key, &read);
        on_newest(self.store.as_ref(), key, self.head.clone(), |head| async move {
            read(ObjectReader::open(self.store, key, head, self.table, self.day).await?).await
        })
        .await
    }
}

/// Calls `each` for every row of an event, or of all events.
pub async fn each_row(
    object: &ObjectReader,
    event_id: Option<i64>,
    mut each: impl FnMut(Row<'_>),
) -> Result<()> {
    let mut batches = if let Some(event_id) = event_id {
        let ranges = object.cells_of(event_id).into_iter().map(|(_, range)| range);
        object.rows(ranges.filter(|range| !range.is_empty()))?
    } else {
        object.all_rows()?
    };
    while let Some(batch) = batches.try_next().await? {
        row::rows(&batch).for_each(&mut each);
    }
    Ok(())
}
