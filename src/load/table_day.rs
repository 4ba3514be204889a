//! One table and one day of a lake: which objects belong there, and how they are opened.

use std::sync::Arc;

use jiff::civil::Date;

use super::cell::Cell;
use super::conflict_retries::ConflictRetries;
use super::keys;
use super::lake::Lake;
use super::object::{CleanObject, ObjectReader, clean_cell};
use super::store::{Head, Store};
use super::suppression;
use crate::error::Result;
use crate::transform::privacy::Privacy;
use crate::transform::tables::Table;

/// A table and day of a lake.
#[derive(Clone, Copy)]
pub struct TableDay<'a> {
    /// Where everything is kept.
    pub store: &'a Arc<dyn Store>,
    /// Days and when they settle.
    pub lake: &'a Lake,
    /// What may be kept.
    pub privacy: &'a Privacy,
    /// The table.
    pub table: Table,
    /// The day.
    pub day: Date,
}

impl TableDay<'_> {
    /// The key of the object.
    #[must_use]
    pub fn key(&self) -> String {
        keys::lake(self.table, self.day)
    }

    /// The cell that the lake has in a place, as it may be kept now.
    pub async fn cell(&self, event_id: i64, part: &str) -> Result<Option<Cell>> {
        let mut retries = ConflictRetries::default();
        loop {
            let Some(head) = self.store.head(&self.key()).await? else { return Ok(None) };
            // Behind the object's version, which so knows of nobody who is not on this list.
            let privacy = suppression::privacy(self.store.as_ref(), &self.lake.policy).await?;
            let found = async {
                let object = self.open(&self.key(), head).await?;
                clean_cell(&object, &privacy, event_id, part).await
            };
            match found.await {
                Err(error) if retries.allow(&error) => {}
                outcome => return outcome,
            }
        }
    }

    /// An object here.
    pub(super) async fn open(&self, key: &str, head: Head) -> Result<ObjectReader> {
        ObjectReader::open(self.store, key, head, self.table, self.day).await
    }

    /// An object here, its rows as they may be kept.
    pub(super) async fn clean(&self, key: &str, head: Head) -> Result<CleanObject> {
        CleanObject::of(self.open(key, head).await?, self.privacy).await
    }
}
