//! Archived answers, written anew with what may be kept of them now.

use crate::error::{Error, Kind, Result};
use crate::extract::body::Splitter;
use crate::job::context::Context;
use crate::load::archive::{ArchiveReader, ArchiveWriter, Asked};
use crate::load::keys;
use crate::load::race::Race;
use crate::load::store::{Below, Listed};
use crate::transform::privacy::{Privacy, Weave};
use crate::transform::tables::Table;

/// Prefixes of all archived answers, a day each: there may be very many, and they are listed a day at a time.
pub(super) async fn days(context: &Context) -> Result<Vec<String>> {
    let Below { folders, objects } = context.store.below(keys::ARCHIVE).await?;
    Ok(objects.into_iter().map(|foreign| foreign.key).chain(folders).collect())
}

/// Cleans an answer that has records of people of whom nothing may be kept, and says how many; with `is_dry`, only that.
pub(super) async fn forget(
    context: &Context,
    privacy: &Privacy,
    mut listed: Listed,
    is_dry: bool,
) -> Result<u64> {
    let mut race = Race::default();
    loop {
        let outcome = async {
            let found = count(context, privacy, &listed).await?;
            if found > 0 && !is_dry {
                put_clean(context, privacy, &listed).await?;
            }
            Ok(found)
        };
        match outcome.await {
            Err(error) if race.is_lost(&error) => {}
            outcome => return outcome.map_err(|error| error.with("key", &listed.key)),
        }
        match context.store.head(&listed.key).await? {
            Some(head) => listed.head = head,
            None => return Ok(0),
        }
    }
}

async fn count(context: &Context, privacy: &Privacy, listed: &Listed) -> Result<u64> {
    let mut reader = ArchiveReader::open(&context.store, &listed.key, listed.head.clone()).await?;
    let (mut splitter, mut found) = (Splitter::default(), 0);
    while let Some(bytes) = reader.next().await? {
        splitter.push(&bytes, |position, record| {
            let table = Table::of_array(position.array);
            found += u64::from(privacy.suppressed.has_record(table, record));
        })?;
    }
    splitter.finish().map(|_| found)
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

/// Writes an answer anew. False where it is not there any more, or another one cleaned it.
pub(super) async fn clean(context: &Context, privacy: &Privacy, listed: &Listed) -> Result<bool> {
    Ok(unless_gone(put_clean(context, privacy, listed).await, listed)?.is_some())
}

async fn put_clean(context: &Context, privacy: &Privacy, listed: &Listed) -> Result<()> {
    let Listed { key, head } = listed;
    let mut reader = ArchiveReader::open(&context.store, key, head.clone()).await?;
    let asked = Asked { kept: privacy.into(), ..reader.asked().clone() };
    let mut writer = ArchiveWriter::create(context.store.as_ref(), key, &asked).await?;
    let (mut splitter, mut weave) = (Splitter::default(), Weave::new(privacy));
    while let Some(bytes) = reader.next().await? {
        splitter.push(&bytes, |position, record| {
            if !privacy.suppressed.has_record(Table::of_array(position.array), record) {
                weave.add(position.array, record);
            }
        })?;
        writer.write(weave.take().as_bytes()).await?;
    }
    let envelope = splitter.finish()?;
    let code = envelope.code.unwrap_or_default();
    let rest = weave.finish(&envelope.arrays, code, envelope.request_id.as_deref());
    writer.write(rest.as_bytes()).await?;
    writer.finish(reader.unchanged()).await
}

/// Whether an error does not keep the other objects from being looked at.
pub(super) fn is_of_one_object(error: &Error) -> bool {
    matches!(error.kind(), Kind::Damaged | Kind::Newer | Kind::BadAnswer)
}

fn unless_gone<T>(outcome: Result<T>, listed: &Listed) -> Result<Option<T>> {
    match outcome {
        Err(error) if error.kind() == Kind::Conflict => Ok(None),
        outcome => outcome.map(Some).map_err(|error: Error| error.with("key", &listed.key)),
    }
}
