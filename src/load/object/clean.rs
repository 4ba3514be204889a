//! Reads an object as it may be kept: under this run's privacy policy, and without the people to be forgotten.

use std::collections::VecDeque;
use std::iter;
use std::ops::Range;

use arrow::array::RecordBatch;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, future};

use super::encoded::EncodedGroups;
use super::{ObjectReader, length};
use crate::error::{Error, Kind, Result};
use crate::load::cell::{Cell, placed};
use crate::load::store::Condition;
use crate::transform::privacy::Privacy;
use crate::transform::tables::Table;
use crate::transform::totals::Totals;

/// One version of an object, with its rows as they may be kept.
pub struct CleanObject {
    object: ObjectReader,
    privacy: Privacy,
    /// The cells of the rows as they may be kept; `None` if the object was already written that way.
    cleaned: Option<Vec<Cell>>,
}

impl CleanObject {
    /// Prepares an object. If its rows were not written as they may be kept now, they are read once, to know what is left of each
    /// cell. Returns [`Kind::Damaged`] if people were forgotten who are not on the list: they would come back.
    pub async fn of(object: ObjectReader, privacy: &Privacy) -> Result<Self> {
        check(&object, privacy)?;
        let mut cleaned = None;
        if !object.is_kept_under(privacy) {
            let mut cells = object.cells().to_vec();
            let mut totals = vec![Totals::default(); cells.len()];
            let mut batches = object.all_rows()?;
            let mut of_cells = Ranges::of(placed(&cells).map(|(_, rows)| rows));
            while let Some(batch) = batches.try_next().await? {
                for (cell, batch) in of_cells.split(&batch) {
                    if let Some(totals) = totals.get_mut(cell) {
                        totals.add(object.table(), &privacy.clean(object.table(), &batch)?);
                    }
                }
            }
            for (cell, totals) in cells.iter_mut().zip(&totals) {
                *cell = with(cell, *totals);
            }
            cleaned = Some(cells);
        }
        Ok(Self { object, privacy: privacy.clone(), cleaned })
    }

    /// Every cell, in the order of its rows.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        self.cleaned.as_deref().unwrap_or(self.object.cells())
    }

    /// Whether the object has something that may not be kept.
    #[must_use]
    pub fn is_to_be_cleaned(&self) -> bool {
        let mut cells = self.cells().iter().zip(self.object.cells());
        cells.any(|(kept, written)| kept.digest != written.digest)
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> Table {
        self.object.table()
    }

    /// How many rows each row group has, if row groups can be copied as they are; otherwise empty.
    #[must_use]
    pub fn groups(&self) -> Vec<u64> {
        if self.cleaned.is_none() { self.object.groups() } else { Vec::new() }
    }

    /// Reads what is needed to copy row groups as they are.
    pub async fn encoded_groups(&self) -> Result<EncodedGroups> {
        self.object.encoded_groups().await
    }

    /// The condition for a write that may replace this version only.
    #[must_use]
    pub fn unchanged(&self) -> Condition {
        self.object.unchanged()
    }

    /// The rows of these ranges, which are in order and do not overlap.
    pub fn rows(
        &self,
        ranges: impl IntoIterator<Item = Range<u64>>,
    ) -> Result<BoxStream<'static, Result<RecordBatch>>> {
        if self.cleaned.is_none() {
            return self.object.rows(ranges);
        }
        let (privacy, table) = (self.privacy.clone(), self.table());
        let mut ranges = Ranges::of(ranges);
        let rows = self.object.all_rows()?;
        let cleaned = rows.and_then(move |batch| future::ready(privacy.clean(table, &batch)));
        let selected = cleaned.map_ok(move |batch| {
            futures::stream::iter(ranges.split(&batch).into_iter().map(|(_, rows)| Ok(rows)))
        });
        Ok(selected.try_flatten().boxed())
    }
}

/// One cell of an object, as it may be kept; `None` if the object does not have it. Only the rows of the cell are read. Fails
/// like [`CleanObject::of`].
pub async fn clean_cell(
    object: &ObjectReader,
    privacy: &Privacy,
    event_id: i64,
    part: &str,
) -> Result<Option<Cell>> {
    check(object, privacy)?;
    let mut of_event = object.cells_of(event_id).into_iter();
    let Some((cell, range)) = of_event.find(|(cell, _)| cell.part == part) else { return Ok(None) };
    if object.is_kept_under(privacy) {
        return Ok(Some(cell.clone()));
    }
    let mut totals = Totals::default();
    let mut batches = object.rows(iter::once(range))?;
    while let Some(batch) = batches.try_next().await? {
        totals.add(object.table(), &privacy.clean(object.table(), &batch)?);
    }
    Ok(Some(with(cell, totals)))
}

/// Returns [`Kind::Damaged`] if people were forgotten who are not on the list: they would come back.
fn check(object: &ObjectReader, privacy: &Privacy) -> Result<()> {
    let listed = privacy.suppressed.revision();
    if object.privacy_version().is_none_or(|version| version.suppressed <= listed) {
        return Ok(());
    }
    Err(Error::new(Kind::Damaged, "the object knows of more forgotten people than the list has")
        .with("key", object.key())
        .hint(
            "run it again; if this error comes again, the list is lost: restore `ledger/suppressed.json` from a previous \
             version or a backup, or run `forget` for each of them again",
        ))
}

/// The cell if only these rows are left of it.
fn with(cell: &Cell, Totals { rows, weight, digest, .. }: Totals) -> Cell {
    Cell { rows, weight, digest, ..cell.clone() }
}

/// Ranges of an object's rows, in order and without overlap, whose rows are still to come in a stream of batches.
struct Ranges {
    /// Each with its index.
    left: VecDeque<(usize, Range<u64>)>,
    /// The number of the next batch's first row.
    at: u64,
}

impl Ranges {
    fn of(ranges: impl IntoIterator<Item = Range<u64>>) -> Self {
        let left = ranges.into_iter().enumerate().filter(|(_, range)| !range.is_empty());
        Self { left: left.collect(), at: 0 }
    }

    /// Those rows of the next batch that lie in the ranges, each with the index of its range.
    fn split(&mut self, batch: &RecordBatch) -> Vec<(usize, RecordBatch)> {
        let at = self.at;
        self.at += batch.num_rows() as u64;
        let mut found = Vec::new();
        while let Some((index, range)) = self.left.front().filter(|(_, range)| range.start < self.at) {
            let (from, to) = (range.start.max(at), range.end.min(self.at));
            found.push((*index, batch.slice(length(from - at), length(to - from))));
            if range.end > self.at {
                break;
            }
            self.left.pop_front();
        }
        found
    }
}
