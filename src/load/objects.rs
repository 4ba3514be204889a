//! Reading objects of the lake, which may be replaced meanwhile.

use std::sync::Arc;

use futures::TryStreamExt;
use jiff::civil::Date;

use super::conflict_retries::ConflictRetries;
use super::keys;
use super::object::ObjectReader;
use super::store::{Head, Store};
use crate::error::Result;
use crate::transform::row::{self, Row};
use crate::transform::tables::Table;

/// Objects that are read at once.
pub const READERS: usize = 16;

/// The object of one table and day.
pub struct Object<'a> {
    /// The store that it lies in.
    pub store: &'a Arc<dyn Store>,
    /// Its table.
    pub table: Table,
    /// Its day.
    pub day: Date,
    /// The version that was listed.
    pub head: Head,
}

impl Object<'_> {
    /// Returns the result of `read` for the object; none if the object no longer exists. If the object is replaced meanwhile,
    /// `read` is called again with the new version.
    pub async fn read<T>(&self, read: impl AsyncFn(ObjectReader) -> Result<T>) -> Result<Option<T>> {
        let key = keys::lake(self.table, self.day);
        let mut head = Some(self.head.clone());
        let mut retries = ConflictRetries::default();
        while let Some(standing) = head {
            let outcome = async {
                let object = ObjectReader::open(self.store, &key, standing, self.table, self.day).await?;
                read(object).await
            };
            match outcome.await {
                Err(error) if retries.allow(&error) => {}
                outcome => return outcome.map(Some),
            }
            head = self.store.head(&key).await?;
        }
        Ok(None)
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
        object.rows(std::iter::once(0..object.cells().iter().map(|cell| cell.rows).sum()))?
    };
    while let Some(batch) = batches.try_next().await? {
        row::rows(&batch).for_each(&mut each);
    }
    Ok(())
}
