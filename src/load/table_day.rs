//! One table and one day of a lake: which objects belong there, and how they are opened.

use jiff::civil::Date;

use super::cell::Cell;
use super::conflict_retries::retried;
use super::keys;
use super::lake::Lake;
use super::object::{CleanObject, ObjectReader, clean_cell};
use super::store::Head;
use crate::error::Result;
use crate::transform::privacy::Privacy;
use crate::transform::tables::Table;

/// A table and day of a lake.
#[derive(Clone, Copy)]
pub struct TableDay<'a> {
    /// The lake.
    pub lake: &'a Lake,
    /// What may be kept of people.
    pub privacy: &'a Privacy,
    /// The table.
    pub table: Table,
    /// The day.
    pub day: Date,
}

impl Lake {
    /// A table and day of this lake, and what may be kept of people.
    #[must_use]
    pub fn table_day<'a>(&'a self, privacy: &'a Privacy, table: Table, day: Date) -> TableDay<'a> {
        TableDay { lake: self, privacy, table, day }
    }

    /// The cell of an event and `part` in a table and day, as it may be kept now; `None` if the lake does not have it.
    pub async fn cell(&self, table: Table, day: Date, event_id: i64, part: &str) -> Result<Option<Cell>> {
        let key = keys::object(table, day);
        retried(|| async {
            let Some(head) = self.store.head(&key).await? else { return Ok(None) };
            // Read after the object's version, so that this version was not written with a longer list of people.
            let privacy = self.privacy().await?;
            let object = self.table_day(&privacy, table, day).open(&key, head).await?;
            clean_cell(&object, &privacy, event_id, part).await
        })
        .await
    }
}

impl TableDay<'_> {
    /// The key of the lake's object.
    #[must_use]
    pub fn key(&self) -> String {
        keys::object(self.table, self.day)
    }

    /// Opens an object of this table and day.
    pub(super) async fn open(&self, key: &str, head: Head) -> Result<ObjectReader> {
        ObjectReader::open(&self.lake.store, key, head, self.table, self.day).await
    }

    /// Opens an object of this table and day, with its rows as they may be kept.
    pub(super) async fn open_clean(&self, key: &str, head: Head) -> Result<CleanObject> {
        CleanObject::of(self.open(key, head).await?, self.privacy).await
    }
}
