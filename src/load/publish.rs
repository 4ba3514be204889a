//! Publish: staged cells go into the lake's objects, one object for each table and day, replaced as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::StreamExt;
use futures::stream::BoxStream;
use jiff::civil::Date;
use serde::Serialize;

use super::cell::Cell;
use super::keys;
use super::lake::Lake;
use super::merge::{Origin, merge};
use super::object::{ObjectReader, ObjectWriter};
use super::store::{Condition, Store};
use crate::error::{Error, Kind, Result};
use crate::transform::batch;
use crate::transform::tables::Table;

/// How often a merge starts over because others write the same object, before the run gives up on it.
const ATTEMPTS: u32 = 20;

/// What a publish did.
#[derive(Debug, Default, Serialize)]
pub struct Published {
    /// Objects put, by table.
    pub objects: BTreeMap<&'static str, u64>,
    /// Days with an object put.
    pub days: BTreeSet<Date>,
    /// Staged cells that are in the lake or lost to better ones.
    pub cells: u64,
    /// What could not be published, and stays in staging.
    #[serde(skip)]
    pub failures: Vec<Error>,
}

/// Publishes everything that is staged. A table and day that fails does not stop the others.
pub async fn publish(store: &Arc<dyn Store>, lake: &Lake) -> Result<Published> {
    let mut published = Published::default();
    let mut days: BTreeSet<Date> = BTreeSet::new();
    for key in store.list(keys::STAGING).await? {
        if let Some((_, day)) = keys::parse_staged(&key) {
            days.insert(day);
        } else {
            let error = Error::new(Kind::Damaged, "a file in staging is no staged file").with("key", &key);
            published.failures.push(error.hint("take it away"));
        }
    }
    // All tables of all days, so that no query meets a table that is not there; `events` last.
    let mut merged: Vec<(Date, Vec<String>)> = Vec::new();
    let mut failed: BTreeSet<Date> = BTreeSet::new();
    for table in Table::ALL {
        for day in &days {
            match publish_object(store, lake, table, *day, &mut published).await {
                Ok(keys) => merged.push((*day, keys)),
                Err(error) => {
                    failed.insert(*day);
                    published.failures.push(error.with("table", table.name()).with("day", day));
                }
            }
        }
    }
    // What is staged says which days are to be published: it goes only when its day is there in every table.
    for (day, keys) in merged {
        if failed.contains(&day) {
            continue;
        }
        for key in keys {
            match store.delete(&key).await {
                Ok(()) => published.cells += 1,
                // It loses against the lake the next time.
                Err(error) => published.failures.push(error),
            }
        }
    }
    Ok(published)
}

/// Publishes one table and day. Gives the staged files that went in or lost.
async fn publish_object(
    store: &Arc<dyn Store>,
    lake: &Lake,
    table: Table,
    day: Date,
    published: &mut Published,
) -> Result<Vec<String>> {
    let mut attempt = 1;
    loop {
        match try_publish(store, lake, table, day, published).await {
            Err(error) if error.kind() == Kind::Conflict && attempt < ATTEMPTS => attempt += 1,
            outcome => return outcome,
        }
    }
}

/// One staged file and the cell in it.
struct Staged {
    key: String,
    cell: Cell,
}

async fn try_publish(
    store: &Arc<dyn Store>,
    lake: &Lake,
    table: Table,
    day: Date,
    published: &mut Published,
) -> Result<Vec<String>> {
    let staged = read_staged(store, table, day, published).await?;
    let key = keys::lake(table, day);
    let standing = ObjectReader::open(store, &key, table, day).await?;
    let lake_cells = standing.as_ref().map_or(&[][..], ObjectReader::cells);
    let staged_cells: Vec<Cell> = staged.iter().map(|staged| staged.cell.clone()).collect();
    let merged = merge(&lake.judge(table, day)?, lake_cells, &staged_cells);
    if merged.is_some() || standing.is_none() {
        put(store, &key, table, day, standing, &staged, &merged.unwrap_or_default()).await?;
        *published.objects.entry(table.name()).or_default() += 1;
        published.days.insert(day);
    }
    Ok(staged.into_iter().map(|staged| staged.key).collect())
}

/// The staged cells of a table and day. One that cannot be read is reported and left where it is.
async fn read_staged(
    store: &Arc<dyn Store>,
    table: Table,
    day: Date,
    published: &mut Published,
) -> Result<Vec<Staged>> {
    let mut staged = Vec::new();
    for key in store.list(&format!("{}{}/dt={day}/", keys::STAGING, table.name())).await? {
        match ObjectReader::open(store, &key, table, day).await {
            Ok(Some(reader)) => match reader.cells() {
                [cell] => staged.push(Staged { key, cell: cell.clone() }),
                _ => published
                    .failures
                    .push(Error::new(Kind::Damaged, "a staged file has one cell").with("key", key)),
            },
            // Another publisher was faster.
            Ok(None) => {}
            Err(error) if matches!(error.kind(), Kind::Damaged | Kind::Newer) => {
                published.failures.push(error);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(staged)
}

/// Streams the merged cells into the next version of the object.
async fn put(
    store: &Arc<dyn Store>,
    key: &str,
    table: Table,
    day: Date,
    standing: Option<ObjectReader>,
    staged: &[Staged],
    merged: &[(Cell, Origin)],
) -> Result<()> {
    let kept = merged.iter().filter_map(|(cell, origin)| match origin {
        Origin::Lake { row } => Some(*row..row + cell.rows),
        Origin::Staged(_) => None,
    });
    let mut kept = match &standing {
        Some(standing) => Some(Rows::new(standing.rows(kept)?)),
        None => None,
    };
    let mut writer = ObjectWriter::create(store.as_ref(), key, table, day).await?;
    for (cell, origin) in merged {
        let mut one;
        let rows = match (origin, &mut kept) {
            (Origin::Lake { .. }, Some(kept)) => kept,
            (Origin::Lake { .. }, None) => {
                return Err(damaged("the index names rows that are not there", key));
            }
            (Origin::Staged(at), _) => {
                let gone = || Error::new(Kind::Conflict, "a staged file is gone");
                let staged = staged.get(*at).ok_or_else(gone)?;
                let reader = ObjectReader::open(store, &staged.key, table, day).await?.ok_or_else(gone)?;
                one = Rows::new(reader.rows(iter::once(0..cell.rows))?);
                &mut one
            }
        };
        rows.copy(cell.rows, table, &mut writer).await?;
    }
    let cells: Vec<Cell> = merged.iter().map(|(cell, _)| cell.clone()).collect();
    let condition = standing.as_ref().map_or(Condition::Absent, ObjectReader::unchanged);
    writer.finish(&cells, condition).await
}

/// Rows of a file, taken a number at a time.
struct Rows {
    stream: BoxStream<'static, Result<RecordBatch>>,
    rest: Option<RecordBatch>,
}

impl Rows {
    fn new(stream: BoxStream<'static, Result<RecordBatch>>) -> Self {
        Self { stream, rest: None }
    }

    /// Copies the next `rows` rows.
    async fn copy(&mut self, rows: u64, table: Table, writer: &mut ObjectWriter) -> Result<()> {
        let mut left = usize::try_from(rows).unwrap_or(usize::MAX);
        while left > 0 {
            let batch = match self.rest.take() {
                Some(batch) => batch,
                None => match self.stream.next().await {
                    Some(batch) => batch::conform(table, &batch?)?,
                    None => {
                        return Err(Error::new(Kind::Damaged, "a file has fewer rows than its index says"));
                    }
                },
            };
            let taken = left.min(batch.num_rows());
            writer.write(batch.slice(0, taken)).await?;
            if taken < batch.num_rows() {
                self.rest = Some(batch.slice(taken, batch.num_rows() - taken));
            }
            left -= taken;
        }
        Ok(())
    }
}

fn damaged(message: &str, key: &str) -> Error {
    Error::new(Kind::Damaged, message).with("key", key)
}
