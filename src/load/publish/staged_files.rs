//! The staged files of a table and day: opened to see which cell each has, and read if the cell goes into the lake.

use std::iter;

use arrow::array::RecordBatch;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};

use crate::error::{Error, Kind, Result};
use crate::load::cell::Cell;
use crate::load::object::CleanObject;
use crate::load::store::Listed;
use crate::load::table_day::TableDay;

/// Files that are opened at once, ahead of the one that is read.
const READERS: usize = 8;
/// Files that stay open until their rows are read. Any others are opened again for that: a day may have thousands.
const OPEN: usize = 64;

/// Staged files of one table and day, each with one cell.
pub(super) struct StagedFiles<'a> {
    table_day: TableDay<'a>,
    files: Vec<StagedFile<'a>>,
    cells: Vec<Cell>,
}

struct StagedFile<'a> {
    listed: &'a Listed,
    /// Boxed, because there may be thousands of files, of which few are open.
    open: Option<Box<CleanObject>>,
}

impl<'a> StagedFiles<'a> {
    /// Opens the listed files. The error of a file that cannot be read goes to `failures`; the file is left where it is.
    pub(super) async fn open(
        table_day: TableDay<'a>,
        listed: &'a [Listed],
        failures: &mut Vec<Error>,
    ) -> Result<Self> {
        let (mut files, mut cells) = (Vec::with_capacity(listed.len()), Vec::with_capacity(listed.len()));
        let opened = stream::iter(listed).map(|listed| async move {
            let object = match table_day.open_clean(&listed.key, listed.head.clone()).await {
                // Another publish has deleted it, after it had put an object with its cell or with a better one.
                Err(error)
                    if error.kind() == Kind::Conflict
                        && table_day.lake.store.head(&listed.key).await?.is_none() =>
                {
                    return Ok(None);
                }
                object => object?,
            };
            match object.cells() {
                [cell] => Ok(Some((listed, cell.clone(), object))),
                cells => {
                    let message = format!("a staged file has one cell, this one has {}", cells.len());
                    Err(Error::new(Kind::Damaged, message).with("key", &listed.key).hint("delete it"))
                }
            }
        });
        let mut opened = opened.buffered(READERS).boxed();
        while let Some(opened) = opened.next().await {
            match opened {
                Ok(None) => {}
                Ok(Some((listed, cell, object))) => {
                    let open = (files.len() < OPEN).then(|| Box::new(object));
                    files.push(StagedFile { listed, open });
                    cells.push(cell);
                }
                Err(error) if error.is_unreadable() => failures.push(error),
                Err(error) => return Err(error),
            }
        }
        Ok(Self { table_day, files, cells })
    }

    /// No files.
    pub(super) fn none(table_day: TableDay<'a>) -> Self {
        Self { table_day, files: Vec::new(), cells: Vec::new() }
    }

    /// The cell of each file.
    pub(super) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The rows of the wanted files, in this order; of each file, its index and how many rows it has.
    pub(super) fn rows(&self, wanted: Vec<(usize, u64)>) -> BoxStream<'_, Result<RecordBatch>> {
        let rows = stream::iter(wanted).map(move |(at, rows)| async move {
            let missing = || Error::bug("a merge names a file that does not exist");
            let StagedFile { listed, open } = self.files.get(at).ok_or_else(missing)?;
            match open {
                Some(object) => object.rows(iter::once(0..rows)),
                None => self
                    .table_day
                    .open_clean(&listed.key, listed.head.clone())
                    .await?
                    .rows(iter::once(0..rows)),
            }
        });
        rows.buffered(READERS).try_flatten().boxed()
    }

    /// The keys of all files.
    pub(super) fn keys(&self) -> Vec<String> {
        self.files.iter().map(|file| file.listed.key.clone()).collect()
    }
}
