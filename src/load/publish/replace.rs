//! Replaces the lake's object of one table and day by its merge with the staged files.

use arrow::array::RecordBatch;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};

use super::merge::{Origin, merge, unchanged};
use super::row_groups::{Stretch, row_groups, stretches};
use super::staged_files::StagedFiles;
use crate::error::{Error, Kind, Result};
use crate::load::cell::Cell;
use crate::load::conflict_retries::{on_newest, retried};
use crate::load::object::properties::Expected;
use crate::load::object::{CleanObject, ObjectReader, ObjectWriter};
use crate::load::store::{Condition, Head, Listed};
use crate::load::table_day::TableDay;
use crate::transform::batch::rows_of;

/// What [`TableDay::replace`] did.
#[derive(Debug, Default)]
pub struct Replaced {
    /// Whether the object was put.
    pub is_put: bool,
    /// Keys of the staged files whose cells went into the object or lost to better ones.
    pub staged: Vec<String>,
    /// Errors of the staged files that cannot be read; these files stay.
    pub failures: Vec<Error>,
}

impl TableDay<'_> {
    /// Merges staged files into the existing object, `standing`. Puts the result if anything is new, if there was no object, or
    /// if the object has something that may no longer be kept. Returns [`Kind::Conflict`] if anything was changed meanwhile: it
    /// is safe to start over.
    pub async fn replace(&self, staged: &[Listed], standing: Option<Head>) -> Result<Replaced> {
        let mut replaced = Replaced::default();
        if staged.is_empty() && standing.is_some() {
            return Ok(replaced);
        }
        let staged = StagedFiles::open(*self, staged, &mut replaced.failures).await?;
        let object = match standing {
            Some(head) => Some(self.open_clean(&self.key(), head).await?),
            None => None,
        };
        let judge = self.lake.settings.judge(self.table, self.day)?;
        let standing = object.as_ref().map_or(&[][..], CleanObject::cells);
        // The process that put the object may have been killed before it checked whether more people are to be forgotten.
        let is_to_be_put = object.as_ref().is_none_or(CleanObject::is_to_be_cleaned);
        let merged = merge(&judge, standing, staged.cells());
        if let Some(merged) = merged.or_else(|| is_to_be_put.then(|| unchanged(standing).collect())) {
            self.put(&self.key(), object.as_ref(), &staged, &merged).await?;
            replaced.is_put = true;
        }
        replaced.staged = staged.keys();
        Ok(replaced)
    }

    /// Rewrites an object with the current columns and format, and with what may be kept now.
    pub async fn rewrite(&self, key: &str, object: ObjectReader) -> Result<()> {
        let object = CleanObject::of(object, self.privacy).await?;
        let same: Vec<_> = unchanged(object.cells()).collect();
        self.put(key, Some(&object), &StagedFiles::none(*self), &same).await
    }

    /// Counts the rows of an object of this table and day that belong to people of whom nothing may be kept. There are none if
    /// the object is gone, or was written under the same policy and list. Only text columns are read.
    pub async fn suppressed_rows(&self, key: &str, head: Head) -> Result<u64> {
        // The process that replaced the object meanwhile may have known of fewer people.
        let counted = on_newest(self.lake.store.as_ref(), key, head, |head| self.count_suppressed(key, head));
        Ok(counted.await?.unwrap_or_default())
    }

    async fn count_suppressed(&self, key: &str, head: Head) -> Result<u64> {
        let object = self.open(key, head).await?;
        if object.is_kept_under(self.privacy) {
            return Ok(0);
        }
        let (mut texts, mut rows) = (object.texts()?, 0);
        while let Some(batch) = texts.try_next().await? {
            rows += self.privacy.suppressed.count(self.table, &batch);
        }
        Ok(rows)
    }

    /// Rewrites an object of this table and day if it has something that may no longer be kept. Returns whether it did.
    pub async fn rewrite_if_unclean(&self, key: &str) -> Result<bool> {
        retried(|| async {
            let Some(head) = self.lake.store.head(key).await? else { return Ok(false) };
            let object = self.open(key, head).await?;
            if object.is_kept_under(self.privacy) || self.is_known_better(&object).await? {
                return Ok(false);
            }
            self.rewrite(key, object).await.map(|()| true)
        })
        .await
    }

    /// Whether another process wrote the object meanwhile that knew of more people to be forgotten. Because the list only
    /// grows, it also knew of all those whom this one knows of.
    async fn is_known_better(&self, object: &ObjectReader) -> Result<bool> {
        let known = object.privacy_version().map_or(0, |version| version.suppressed);
        if known <= self.privacy.suppressed.revision() {
            return Ok(false);
        }
        let now = self.lake.privacy().await?;
        Ok(known <= now.suppressed.revision())
    }

    /// Writes the next version of the object from the merged cells.
    async fn put(
        &self,
        key: &str,
        standing: Option<&CleanObject>,
        staged: &StagedFiles<'_>,
        merged: &[(&Cell, Origin)],
    ) -> Result<()> {
        let groups = row_groups(merged.iter().map(|(cell, _)| *cell));
        let same = standing.map(CleanObject::groups).unwrap_or_default();
        let stretches = stretches(merged, &groups, &same);
        let expected = Expected::Groups(&groups);
        let mut writer =
            ObjectWriter::create(self.lake.store.as_ref(), key, self.table, self.day, expected).await?;
        let kept = stretches
            .iter()
            .filter_map(|stretch| if let Stretch::Lake(rows) = stretch { Some(rows.clone()) } else { None });
        let mut kept = match standing {
            Some(standing) => Rows::new(standing.rows(kept)?),
            None => Rows::new(stream::empty().boxed()),
        };
        let mut encoded = match standing {
            Some(standing) if stretches.iter().any(|stretch| matches!(stretch, Stretch::Group(_))) => {
                Some(standing.encoded_groups().await?)
            }
            _ => None,
        };
        let wanted = merged.iter().filter_map(|(cell, origin)| match origin {
            Origin::Staged(at) if cell.rows > 0 => Some((*at, cell.rows)),
            _ => None,
        });
        let mut staged = Rows::new(staged.rows(wanted.collect()));
        for stretch in stretches {
            match (stretch, &mut encoded) {
                (Stretch::Group(at), Some(encoded)) => writer.copy(&encoded.get(at).await?).await?,
                (Stretch::Group(_), None) => {
                    return Err(Error::bug("a row group is missing"));
                }
                (Stretch::Lake(rows), _) => kept.copy(rows.end - rows.start, &mut writer).await?,
                (Stretch::Staged(rows), _) => staged.copy(rows, &mut writer).await?,
            }
        }
        let cells: Vec<&Cell> = merged.iter().map(|(cell, _)| *cell).collect();
        let condition = standing.map_or(Condition::Absent, CleanObject::unchanged);
        writer.finish(&cells, &self.privacy.into(), condition).await
    }
}

/// A stream of rows from which any number can be taken at a time.
struct Rows<'a> {
    stream: BoxStream<'a, Result<RecordBatch>>,
    rest: Option<RecordBatch>,
}

impl<'a> Rows<'a> {
    fn new(stream: BoxStream<'a, Result<RecordBatch>>) -> Self {
        Self { stream, rest: None }
    }

    /// Copies the next `rows` rows.
    async fn copy(&mut self, rows: u64, writer: &mut ObjectWriter) -> Result<()> {
        let mut left = usize::try_from(rows).unwrap_or(usize::MAX);
        while left > 0 {
            let batch = match self.rest.take() {
                Some(batch) => batch,
                None => self.stream.next().await.unwrap_or_else(|| {
                    Err(Error::new(Kind::Damaged, "a file has fewer rows than its index says"))
                })?,
            };
            let taken = left.min(batch.num_rows());
            writer.write(rows_of(&batch, 0, taken)).await?;
            if taken < batch.num_rows() {
                self.rest = Some(batch.slice(taken, batch.num_rows() - taken));
            }
            left -= taken;
        }
        Ok(())
    }
}
