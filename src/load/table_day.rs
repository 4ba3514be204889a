//! One table and one day of a lake: which objects belong there, and how they are opened.

use std::sync::Arc;

use jiff::civil::Date;

use super::cell::Cell;
use super::keys;
use super::lake::Lake;
use super::object::{CleanObject, ObjectReader};
use super::store::{Head, Store};
use crate::error::Result;
use crate::transform::digest::Digest;
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

    /// Whether the lake has these rows of an event.
    pub async fn holds(&self, event_id: i64, digest: Digest) -> Result<bool> {
        Ok(self.find(|cell| cell.event_id == event_id && cell.digest == digest).await?.is_some())
    }

    /// The cell that the lake has in a place.
    pub async fn cell(&self, event_id: i64, part: &str) -> Result<Option<Cell>> {
        self.find(|cell| cell.place() == (event_id, part)).await
    }

    /// The first cell in the lake of which this is true.
    async fn find(&self, is_it: impl Fn(&Cell) -> bool) -> Result<Option<Cell>> {
        let Some(head) = self.store.head(&self.key()).await? else { return Ok(None) };
        let object = self.open(&self.key(), head).await?;
        Ok(object.cells().iter().find(|cell| is_it(cell)).cloned())
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
