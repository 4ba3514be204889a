//! Publish: puts staged cells into the lake's objects. There is one object for each table and day, replaced as a whole.

pub mod merge;
mod published;
pub mod replace;
pub mod row_groups;
pub mod staged_days;
mod staged_files;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::{StreamExt, stream};
use jiff::civil::Date;
use tokio::sync::Semaphore;

pub use self::published::Published;
use self::replace::Replaced;
use self::staged_days::{StagedDays, staged_files};
use crate::calendar::Deadline;
use crate::error::{Error, Kind, Result};
use crate::load::conflict_retries::ConflictRetries;
use crate::load::keys;
use crate::load::lake::Lake;
use crate::load::lake_objects;
use crate::load::lake_objects::ByTable;
use crate::load::lost_objects::{self, LostObjects};
use crate::load::store::{Head, Listed, Store};
use crate::load::table_day::TableDay;
use crate::transform::privacy::Privacy;
use crate::transform::tables::Table;

/// Days that are published at once.
const DAYS: usize = 4;
/// Staged files of all days that are published at once: open files, and the writers of their objects, take memory. A day with
/// more files is published alone.
const FILES: u32 = 512;
/// Staged files that are deleted at once.
const DELETES: usize = 16;

/// Publishes what is staged for these days, or for all days if `days` is empty. A table and day that fails does not stop the
/// others. No day is begun after the `deadline`. `watch` is called with the number of days that are done, and of all days.
pub async fn publish(
    lake: &Lake,
    days: &BTreeSet<Date>,
    deadline: Deadline,
    watch: impl Fn(usize, usize),
) -> Result<Published> {
    let (store, mut published) = (&lake.store, Published::default());
    let events = staged_events(store.as_ref(), days).await?;
    let (days, mut standing) = if days.is_empty() {
        let found = StagedDays::find(store.as_ref()).await?;
        published.failures.extend(found.failures);
        let Some((first, _)) = found.days.first_key_value() else { return Ok(published) };
        let standing = lake_objects::since(store, Some(*first), &mut published.failures).await?;
        (found.days, standing)
    } else {
        let standing = lake_objects::of(store, days, &mut published.failures).await?;
        (days.iter().map(|day| (*day, Table::ALL.into())).collect(), standing)
    };
    let budget = Semaphore::new(FILES as usize);
    let missing = lost_objects::missing(&standing).into_iter().filter(|(day, _)| days.contains_key(day));
    let (lost, damaged) = lost_objects::that_lost_rows(lake, &missing.collect()).await?;
    published.failures.extend(damaged);
    let publishing = Arc::new(Publishing { lake: lake.clone(), events, lost, budget, deadline });
    let all = days.len();
    // The last days first: an event's row lies in the day of the event, and its viewings mostly in that day and later ones. If
    // the time runs out in between, hardly any event is in the lake without all of its viewings.
    let days = days.into_iter().rev().map(|(day, tables)| {
        let standing = standing.remove(&day).unwrap_or_default();
        let publishing = Arc::clone(&publishing);
        let task = tokio::spawn(async move { publishing.day(day, tables, standing).await });
        async move { (day, task.await) }
    });
    let mut days = stream::iter(days).buffer_unordered(DAYS).enumerate();
    watch(0, all);
    while let Some((before, (day, outcome))) = days.next().await {
        watch(before + 1, all);
        match outcome {
            Ok(of_day) => published.add(of_day),
            Err(crash) => {
                let error = Error::bug("the publish of a day crashed").caused_by(crash);
                published.failures.push(error.with("day", day));
            }
        }
    }
    if published.left > 0 {
        let message = format!("{} of {all} days are still staged: the time ran out", published.left);
        let error = Error::new(Kind::Timeout, message);
        published.failures.push(error.hint("the next run publishes them; give it more time to publish more"));
    }
    Ok(published)
}

/// The keys of the staged files of `events` for these days, or for all days if `days` is empty.
async fn staged_events(store: &dyn Store, days: &BTreeSet<Date>) -> Result<BTreeSet<String>> {
    let of_day = |day: &Date| keys::staged_day(Table::Events, *day);
    let all = days.is_empty().then(|| keys::staged_table(Table::Events));
    let mut events = BTreeSet::new();
    for prefix in days.iter().map(of_day).chain(all) {
        events.extend(store.list(&prefix, "").await?.into_iter().map(|listed| listed.key));
    }
    Ok(events)
}

/// A publish that is under way.
struct Publishing {
    lake: Lake,
    /// The staged files of `events`, listed before all others. A visit stages its row of `events` last: so whatever else these
    /// visits staged is found when the other files are listed.
    events: BTreeSet<String>,
    /// The missing objects that had rows which nobody has staged again, or may have had some.
    lost: LostObjects,
    budget: Semaphore,
    deadline: Deadline,
}

impl Publishing {
    /// Publishes one day, which may have staged files in these tables. Every table gets an object, so that no query finds one
    /// missing; `events` comes last.
    async fn day(&self, day: Date, tables: BTreeSet<Table>, standing: ByTable<Head>) -> Published {
        let mut published = Published::default();
        let done = self.try_day(day, tables, standing, &mut published).await.unwrap_or_else(|error| {
            published.failures.push(error.with("day", day));
            Vec::new()
        });
        // Staged files tell which days are to be published: they are deleted only when every table has its object of the day.
        let deletes = stream::iter(done).map(|key| async move { self.lake.store.delete(&key).await });
        let mut deletes = deletes.buffer_unordered(DELETES);
        while let Some(deleted) = deletes.next().await {
            match deleted {
                Ok(()) => published.cells += 1,
                // The next publish finds the file again, and its cell no longer wins against the lake.
                Err(error) => published.failures.push(error),
            }
        }
        published
    }

    /// Puts what is new of one day, and returns the keys of the staged files that went in or lost; none if a table failed.
    async fn try_day(
        &self,
        day: Date,
        tables: BTreeSet<Table>,
        standing: ByTable<Head>,
        published: &mut Published,
    ) -> Result<Vec<String>> {
        if self.deadline.is_over() {
            published.left += 1;
            return Ok(Vec::new());
        }
        let mut staged = ByTable::new();
        for table in tables {
            let (mut files, failures) = staged_files(self.lake.store.as_ref(), table, day).await?;
            published.failures.extend(failures);
            files.retain(|file| table != Table::Events || self.events.contains(&file.key));
            if !files.is_empty() {
                staged.insert(table, files);
            }
        }
        if staged.is_empty() {
            return Ok(Vec::new());
        }
        let files = staged.values().map(Vec::len).sum::<usize>();
        let _permits = self.budget.acquire_many(u32::try_from(files).unwrap_or(FILES).min(FILES)).await;
        if self.deadline.is_over() {
            published.left += 1;
            return Ok(Vec::new());
        }
        // Read after the files were listed, so that none of them was written with a longer list of people than this one.
        let privacy = self.lake.privacy().await?;
        let done = self.put_day(&privacy, day, staged, standing, published).await;
        // The list of people to be forgotten may have grown since, so that what was put has too much. `forget` first extends the
        // list, and then searches the lake: if the list has not grown by the time it is read again here, `forget` finds what
        // was put. If it has grown, the day is cleaned here.
        self.clean_again(privacy, day, published).await?;
        Ok(done)
    }

    /// Puts each table of a day, and returns the same as [`Publishing::try_day`].
    async fn put_day(
        &self,
        privacy: &Privacy,
        day: Date,
        mut staged: ByTable<Vec<Listed>>,
        mut standing: ByTable<Head>,
        published: &mut Published,
    ) -> Vec<String> {
        let mut done = Some(Vec::new());
        for table in Table::ALL {
            // An event must not be in the lake before its rows of the day are.
            if table == Table::Events && done.is_none() {
                break;
            }
            let table_day = self.lake.table_day(privacy, table, day);
            let staged = staged.remove(&table).unwrap_or_default();
            if let Some(events) = self.lost.get(&(day, table)) {
                let missing = lake_objects::missing(table, day);
                let error = if events.is_empty() { missing } else { missing.with("events", events.len()) };
                published.failures.push(error);
                // An empty object would hide that.
                if staged.is_empty() {
                    continue;
                }
            }
            match publish_object(&table_day, staged, standing.remove(&table)).await {
                Ok(replaced) => {
                    if replaced.is_put {
                        published.note_put(table, day);
                    }
                    if let Some(done) = &mut done {
                        done.extend(replaced.staged);
                    }
                    published.failures.extend(replaced.failures);
                }
                Err(error) => {
                    done = None;
                    published.failures.push(error.with("table", table.name()).with("day", day));
                }
            }
        }
        done.unwrap_or_default()
    }

    /// Rewrites a day if the list of people to be forgotten has grown since its objects were put.
    async fn clean_again(&self, before: Privacy, day: Date, published: &mut Published) -> Result<()> {
        let mut before = before.suppressed.revision();
        // Fails if the lake's policy is no longer this run's: then what is staged waits for a run with the new policy.
        self.lake.check_privacy().await?;
        loop {
            let privacy = self.lake.privacy().await?;
            if privacy.suppressed.revision() == before {
                return Ok(());
            }
            before = privacy.suppressed.revision();
            for table in Table::ALL {
                let table_day = self.lake.table_day(&privacy, table, day);
                if table_day.rewrite_if_unclean(&table_day.key()).await? {
                    published.note_put(table, day);
                }
            }
        }
    }
}

/// Publishes one table and day; starts over whenever another writer was faster.
async fn publish_object(
    table_day: &TableDay<'_>,
    mut staged: Vec<Listed>,
    mut standing: Option<Head>,
) -> Result<Replaced> {
    let (mut privacy, mut retries) = (table_day.privacy.clone(), ConflictRetries::default());
    loop {
        match (TableDay { privacy: &privacy, ..*table_day }).replace(&staged, standing).await {
            Err(error) if retries.allow(&error) => {}
            outcome => return outcome,
        }
        // Files that were staged since then wait for the next publish: other tables of the day, which their visits staged as
        // well, may have been published already.
        let still = table_day.lake.store.list(&keys::staged_day(table_day.table, table_day.day), "").await?;
        // A key is never used for another cell, but a file may have been rewritten without somebody who is to be forgotten.
        let known: BTreeSet<&String> = staged.iter().map(|file| &file.key).collect();
        staged = still.into_iter().filter(|file| known.contains(&file.key)).collect();
        standing = table_day.lake.store.head(&table_day.key()).await?;
        // Whoever wrote them may have known a longer list of people to be forgotten.
        privacy = table_day.lake.privacy().await?;
    }
}
