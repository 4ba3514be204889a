//! Upgrade: rewrites the lake's objects in the current format, with the current columns and under the current policy.

use futures::{StreamExt, stream};
use jiff::civil::Date;

use super::conflict_retries::retried;
use super::lake::Lake;
use super::lake_objects;
use super::lake_objects::READERS;
use super::lost_objects;
use super::object::ObjectReader;
use super::publish::Published;
use super::publish::staged_days::StagedDays;
use super::store::Head;
use super::table_day::TableDay;
use crate::calendar::Deadline;
use crate::error::{Error, Kind, Result};
use crate::transform::tables::Table;

/// Rewrites every object whose format or columns are older than this program's, or that has something that may no longer be
/// kept. Puts an empty object for each table that a day lacks, unless a ledger says that there were rows, which an empty object would
/// hide, or a ledger cannot tell, and the user does not `accept_loss`. No object is looked at after the `deadline`; then [`Kind::Timeout`] is among the failures.
pub async fn upgrade(lake: &Lake, accept_loss: bool, deadline: Deadline) -> Result<Published> {
    let (store, mut published) = (&lake.store, Published::default());
    let listed = lake_objects::since(store, None, &mut published.failures).await?;
    let privacy = &lake.privacy().await?;
    let missing = lost_objects::missing(&listed);
    let (lost, damaged) = lost_objects::that_lost_rows(lake, &missing).await?;
    published.failures.extend(damaged);
    let staged =
        if missing.is_empty() { <_>::default() } else { StagedDays::find(store.as_ref()).await?.days };
    let all = listed.len() * Table::ALL.len();
    let table_day = |table, day| lake.table_day(privacy, table, day);
    let objects: Vec<(Date, Table, Option<Head>)> = listed
        .into_iter()
        .flat_map(|(day, mut standing)| Table::ALL.map(|table| (day, table, standing.remove(&table))))
        .collect();
    // Footers are read in advance; objects are written one after the other, for each takes memory.
    let found = stream::iter(objects).map(|(day, table, head)| {
        let table_day = table_day(table, day);
        async move { (day, table, Found::of(&table_day, head).await) }
    });
    let mut found = found.buffered(READERS).enumerate();
    while let Some((done, (day, table, found))) = found.next().await {
        if deadline.is_over() {
            let message = format!("{} of {all} objects were not looked at: the time ran out", all - done);
            published.failures.push(Error::new(Kind::Timeout, message).hint("run it again: it goes on"));
            break;
        }
        let table_day = table_day(table, day);
        let is_lost = lost.contains_key(&(day, table));
        let outcome = match found {
            Ok(Found::Current) => Ok(false),
            Ok(Found::Outdated(object)) => table_day.rewrite(&table_day.key(), *object).await.map(|()| true),
            Ok(Found::Absent) if is_lost && accept_loss => put_empty(&table_day).await,
            // The publish of what is staged puts the object, or says that it is lost.
            Ok(Found::Absent) if staged.contains_key(&day) => Ok(false),
            Ok(Found::Absent) if is_lost => Err(lake_objects::missing(table, day)),
            Ok(Found::Absent) => put_empty(&table_day).await,
            Err(error) => Err(error),
        };
        let outcome = match outcome {
            // Another process replaced it meanwhile, perhaps under an earlier policy.
            Err(error) if error.kind() == Kind::Conflict => rewrite_newest(&table_day).await,
            outcome => outcome,
        };
        match outcome {
            Ok(true) => published.note_put(table, day),
            Ok(false) => {}
            Err(error) => published.failures.push(error.with("table", table.name()).with("day", day)),
        }
    }
    Ok(published)
}

/// Rewrites the newest version of an object, if that is to be rewritten. Returns whether it was.
async fn rewrite_newest(table_day: &TableDay<'_>) -> Result<bool> {
    let key = table_day.key();
    retried(|| async {
        // One that was written with a longer list of people counts as current.
        match Found::of(table_day, table_day.lake.store.head(&key).await?).await? {
            Found::Outdated(object) => table_day.rewrite(&key, *object).await.map(|()| true),
            Found::Current | Found::Absent => Ok(false),
        }
    })
    .await
}

/// Puts an empty object, and returns whether there was none.
async fn put_empty(table_day: &TableDay<'_>) -> Result<bool> {
    Ok(table_day.replace(&[], None).await?.is_put)
}

/// What a table and day has.
enum Found {
    /// An object as this program writes it.
    Current,
    /// An object that is to be rewritten.
    Outdated(Box<ObjectReader>),
    /// No object.
    Absent,
}

impl Found {
    async fn of(table_day: &TableDay<'_>, head: Option<Head>) -> Result<Self> {
        let Some(head) = head else { return Ok(Self::Absent) };
        let object = table_day.open(&table_day.key(), head).await?;
        let is_current = object.is_current() && object.is_kept_under(table_day.privacy);
        Ok(if is_current { Self::Current } else { Self::Outdated(Box::new(object)) })
    }
}
