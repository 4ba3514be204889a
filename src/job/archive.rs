//! Archived answers, written anew with what may be kept of them now.

use crate::error::{Error, Kind, Result};
use crate::extract::body::Splitter;
use crate::job::context::Context;
use crate::load::archive::{ArchiveReader, ArchiveWriter, Asked};
use crate::load::store::Listed;
use crate::transform::privacy::{Privacy, Weave};

/// How many records of an answer are of people of whom nothing may be kept; none where it is not there any more.
pub(super) async fn count(context: &Context, privacy: &Privacy, listed: &Listed) -> Result<Option<u64>> {
    let count = async {
        let mut reader = ArchiveReader::open(&context.store, &listed.key, listed.head.clone()).await?;
        let (mut splitter, mut found) = (Splitter::default(), 0);
        while let Some(bytes) = reader.next().await? {
            splitter.push(&bytes, |_, record| found += u64::from(privacy.suppressed.has_record(record)))?;
        }
        splitter.finish().map(|_| found)
    };
    unless_gone(count.await, listed)
}

/// Whether an answer was archived under what may be kept now; none where it is not there any more.
pub(super) async fn is_kept_under(
    context: &Context,
    privacy: &Privacy,
    listed: &Listed,
) -> Result<Option<bool>> {
    let reader = ArchiveReader::open(&context.store, &listed.key, listed.head.clone()).await;
    unless_gone(reader.map(|reader| reader.asked().kept == privacy.into()), listed)
}

/// Writes an answer anew. False where it is not there any more: only another one who cleans it replaces an answer.
pub(super) async fn clean(context: &Context, privacy: &Privacy, listed: &Listed) -> Result<bool> {
    let clean = async {
        let Listed { key, head } = listed;
        let mut reader = ArchiveReader::open(&context.store, key, head.clone()).await?;
        let asked = Asked { kept: privacy.into(), ..reader.asked().clone() };
        let mut writer = ArchiveWriter::create(context.store.as_ref(), key, &asked).await?;
        let (mut splitter, mut weave) = (Splitter::default(), Weave::new(privacy));
        while let Some(bytes) = reader.next().await? {
            splitter.push(&bytes, |position, record| {
                weave.add(position.array, record);
            })?;
            writer.write(weave.take().as_bytes()).await?;
        }
        let envelope = splitter.finish()?;
        let code = envelope.code.unwrap_or_default();
        let rest = weave.finish(&envelope.arrays, code, envelope.request_id.as_deref());
        writer.write(rest.as_bytes()).await?;
        writer.finish(reader.unchanged()).await
    };
    Ok(unless_gone(clean.await, listed)?.is_some())
}

fn unless_gone<T>(outcome: Result<T>, listed: &Listed) -> Result<Option<T>> {
    match outcome {
        Err(error) if error.kind() == Kind::Conflict => Ok(None),
        outcome => outcome.map(Some).map_err(|error: Error| error.with("key", &listed.key)),
    }
}
