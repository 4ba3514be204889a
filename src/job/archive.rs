//! Archived answers: lists them, and rewrites them with what may be kept of them now.

use crate::error::{Error, Kind, Result};
use crate::extract::body::Splitter;
use crate::job::context::Context;
use crate::load::archive::{ArchiveHeader, ArchiveReader, ArchiveWriter};
use crate::load::conflict_retries::on_newest;
use crate::load::keys;
use crate::load::store::{Below, Listed};
use crate::transform::privacy::PrivacyVersion;
use crate::transform::privacy::{Privacy, RedactedAnswer};
use crate::transform::tables::Table;

/// The prefixes of all archived answers, one per day, so that they can be listed one day at a time: there may be very many. Keys
/// of files that belong to no day come first.
pub(super) async fn days(context: &Context) -> Result<Vec<String>> {
    let Below { folders, objects } = context.lake.store.below(keys::ARCHIVE).await?;
    Ok(objects.into_iter().map(|foreign| foreign.key).chain(folders).collect())
}

/// The archived answers under a prefix from [`days`], except hidden files.
pub(super) async fn answers(context: &Context, day: &str) -> Result<Vec<Listed>> {
    let mut listed = context.lake.store.list(day, "").await?;
    listed.retain(|listed| !keys::is_hidden(&listed.key));
    Ok(listed)
}

/// Removes the records of people to be forgotten from an answer, and returns how many there are; with `is_dry`, only counts them.
pub(super) async fn forget(
    context: &Context,
    privacy: &Privacy,
    listed: Listed,
    is_dry: bool,
) -> Result<u64> {
    let found = of_newest(context, listed, |listed| async move {
        let found = count(context, privacy, &listed).await?;
        if found > 0 && !is_dry {
            put_clean(context, privacy, &listed).await?;
        }
        Ok(found)
    });
    Ok(found.await?.unwrap_or_default())
}

/// Rewrites an answer, unless it was archived under rules at least as strict as the current ones.
pub(super) async fn clean(context: &Context, privacy: &Privacy, listed: Listed) -> Result<()> {
    let cleaned = of_newest(context, listed, |listed| async move {
        if open(context, &listed)
            .await?
            .header()
            .privacy_version
            .is_as_strict_as(&PrivacyVersion::from(privacy))
        {
            return Ok(());
        }
        put_clean(context, privacy, &listed).await
    });
    cleaned.await.map(|_| ())
}

/// Runs `work` on an answer, and again on its newest version if others write it in the meantime; `None` if the
/// answer no longer exists.
async fn of_newest<T, F: Future<Output = Result<T>>>(
    context: &Context,
    listed: Listed,
    work: impl Fn(Listed) -> F,
) -> Result<Option<T>> {
    let Listed { key, head } = listed;
    let (key, work) = (&key, &work);
    let work = |head| async move {
        work(Listed { key: key.clone(), head }).await.map_err(|error| error.with("key", key))
    };
    on_newest(context.lake.store.as_ref(), key, head, work).await
}

/// Opens an answer, in the version that was listed.
pub(super) async fn open(context: &Context, listed: &Listed) -> Result<ArchiveReader> {
    ArchiveReader::open(&context.lake.store, &listed.key, listed.head.clone()).await
}

async fn count(context: &Context, privacy: &Privacy, listed: &Listed) -> Result<u64> {
    let mut reader = open(context, listed).await?;
    let (mut splitter, mut found) = (Splitter::default(), 0);
    while let Some(bytes) = reader.next().await? {
        splitter.push(&bytes, |position, record| {
            let table = Table::of_array(position.array);
            found += u64::from(privacy.suppressed.has_record(table, record));
        })?;
    }
    // What surrounds the records belongs to no table, and counts as one record. A cleaned answer keeps nothing of it that names
    // anybody.
    found += u64::from(privacy.suppressed.has_text(&String::from_utf8_lossy(splitter.around()), None));
    splitter.finish().map(|_| found)
}

async fn put_clean(context: &Context, privacy: &Privacy, listed: &Listed) -> Result<()> {
    let mut reader = open(context, listed).await?;
    let header = ArchiveHeader { privacy_version: privacy.into(), ..reader.header().clone() };
    let mut writer = ArchiveWriter::create(context.lake.store.as_ref(), &listed.key, &header).await?;
    let (mut splitter, mut redacted) = (Splitter::default(), RedactedAnswer::new(privacy));
    while let Some(bytes) = reader.next().await? {
        splitter.push(&bytes, |position, record| {
            if !privacy.suppressed.has_record(Table::of_array(position.array), record) {
                redacted.add(position.array, record);
            }
        })?;
        writer.write(redacted.take().as_bytes()).await?;
    }
    let envelope = splitter.finish()?;
    let code = envelope.code.unwrap_or_default();
    let rest = redacted.finish(&envelope.arrays, code, envelope.request_id.as_deref());
    writer.write(rest.as_bytes()).await?;
    writer.finish(reader.unchanged()).await
}

/// Whether an error concerns a single object, so that the others can still be processed.
pub(super) fn is_of_one_object(error: &Error) -> bool {
    error.is_unreadable() || matches!(error.kind(), Kind::Frozen | Kind::BadAnswer | Kind::Broken | Kind::Bug)
}
