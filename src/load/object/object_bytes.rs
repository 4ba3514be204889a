//! The bytes of one version of an object.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader};

use super::{length, to_parquet};
use crate::error::Result;
use crate::load::store::{Head, Store};

/// Bytes at the end of an object that are read first: the footer and the page index of most objects, and all of a small one.
const TAIL: u64 = 64 * 1024;

/// Reads ranges of one version of an object. Its end is kept in memory, so that a small object takes only one request.
#[derive(Clone)]
pub(super) struct ObjectBytes {
    store: Arc<dyn Store>,
    pub(super) key: String,
    pub(super) head: Head,
    tail: Bytes,
}

impl ObjectBytes {
    pub(super) async fn new(store: &Arc<dyn Store>, key: &str, head: Head) -> Result<Self> {
        let tail = head.size.saturating_sub(TAIL)..head.size;
        let tail = store.read(key, &head.version, tail).await?;
        Ok(Self { store: Arc::clone(store), key: key.to_owned(), head, tail })
    }

    /// A range of bytes from the end that is kept; `None` if it begins before that.
    fn of_tail(&self, range: &Range<u64>) -> Option<Bytes> {
        let begin = self.head.size - self.tail.len() as u64;
        let from = usize::try_from(range.start.checked_sub(begin)?).ok()?;
        let to = usize::try_from(range.end.checked_sub(begin)?).ok()?;
        (from <= to && to <= self.tail.len()).then(|| self.tail.slice(from..to))
    }
}

impl AsyncFileReader for ObjectBytes {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        async move {
            match self.of_tail(&range) {
                Some(bytes) => Ok(bytes),
                None => self.store.read(&self.key, &self.head.version, range).await.map_err(to_parquet),
            }
        }
        .boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        async move {
            // The columns of a row group lie side by side: one request for all of them.
            let mut all = Vec::with_capacity(ranges.len());
            let mut run: Option<(Range<u64>, Bytes)> = None;
            for (at, range) in ranges.iter().enumerate() {
                if run.as_ref().is_none_or(|(run, _)| range.start < run.start || run.end < range.end) {
                    let end = neighbours(ranges.get(at..).unwrap_or_default());
                    run = Some((range.start..end, self.get_bytes(range.start..end).await?));
                }
                if let Some((run, bytes)) = &run {
                    let (from, to) = (length(range.start - run.start), length(range.end - run.start));
                    all.push(bytes.slice(from..to));
                }
            }
            Ok(all)
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        async move {
            let size = self.head.size;
            let metadata = ParquetMetaDataReader::new()
                // Encodings in full, as they were written: row groups may be copied as they are.
                .with_metadata_options(Some(ParquetMetaDataOptions::new().with_encoding_stats_as_mask(false)))
                .load_and_finish(self, size)
                .await?;
            Ok(Arc::new(metadata))
        }
        .boxed()
    }
}

/// The end of the ranges that follow each other without a gap, from the first one on.
fn neighbours(ranges: &[Range<u64>]) -> u64 {
    let first = ranges.first().map_or(0, |range| range.start);
    ranges.iter().fold(first, |end, range| if range.start == end { range.end } else { end })
}
