//! What footers and visits say of the lake.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::{StreamExt, stream};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::inspect::advice::Advice;
use crate::load::complete::{Hold, Reason};
use crate::load::objects::{Object, READERS, each_row};
use crate::load::store::Store;
use crate::load::{keys, publish};
use crate::transform::row::Row;
use crate::transform::tables::Table;

/// What is in the lake.
#[derive(Debug, Default, Serialize)]
pub struct Figures {
    /// Rows, by table.
    pub rows: BTreeMap<&'static str, u64>,
    /// Days with objects.
    pub days: usize,
    /// When the last visit began whose row is in the lake.
    pub last_visit: Option<Timestamp>,
    /// What the last visits found, event by event: of those visited within the horizon.
    pub checks: Checks,
}

/// Events by what the last visit of each found.
#[derive(Debug, Default, Serialize)]
pub struct Checks {
    /// Events that were visited.
    pub visited: usize,
    /// Records that no table can hold.
    pub rejects: u64,
    /// Cells with fewer rows than the visit before found.
    pub shrunk: u64,
    /// Settled days whose windows differ from the snapshot.
    pub days_differing: u64,
    /// Events whose viewer details do not add up to their viewings.
    pub sums_differing: usize,
}

/// What waits to be published.
#[derive(Debug, Default, Serialize)]
pub struct Staged {
    /// Staged files.
    pub files: usize,
    /// When the visit began that staged the oldest.
    pub oldest: Option<Timestamp>,
}

/// What the last visit of one event found.
#[derive(Clone, Copy)]
struct Found {
    pulled_at: Timestamp,
    rejects: u64,
    fewer: u64,
    days_differing: u64,
    sums_differ: bool,
}

impl Found {
    fn of(row: &Row<'_>) -> Option<(i64, Self)> {
        let count = |column: &str| u64::try_from(row.number(column).unwrap_or_default()).unwrap_or_default();
        let differ = |details: &str, sessions: &str| row.number(details) != row.number(sessions);
        let found = Self {
            pulled_at: row.instant("pulled_at")?,
            rejects: count("rejects"),
            fewer: count("fewer"),
            days_differing: count("days_differing"),
            sums_differ: differ("detail_seconds", "session_seconds")
                || differ("detail_live_times", "session_live_times")
                || differ("detail_replay_times", "session_replay_times"),
        };
        Some((row.number("event_id")?, found))
    }
}

/// The last visits by event, and all that is said of them.
type Visits = BTreeMap<i64, Found>;

/// The figures of the lake, those of visits from the day `first` on; what somebody may want to know of them; and what
/// cannot be read.
pub(super) async fn of(store: &Arc<dyn Store>, first: Date) -> Result<(Figures, Vec<Advice>, Vec<Error>)> {
    let mut failures = Vec::new();
    let standing = publish::list_lake(store, None, &mut failures).await?;
    let mut figures = Figures { days: standing.len(), ..Figures::default() };
    let objects = standing.into_iter().flat_map(|(day, tables)| {
        tables.into_iter().map(move |(table, head)| Object { store, table, day, head })
    });
    let read = objects.map(|object| async move {
        let with_visits = object.table == Table::Pulls && object.day >= first;
        let outcome = object.read(async |reader| {
            let mut visits = Visits::new();
            if with_visits {
                each_row(&reader, None, |row| note(&mut visits, Found::of(&row))).await?;
            }
            Ok((reader.cells().iter().map(|cell| cell.rows).sum::<u64>(), visits))
        });
        (object.table, outcome.await)
    });
    let mut read = stream::iter(read).buffer_unordered(READERS);
    let mut visits = Visits::new();
    while let Some((table, outcome)) = read.next().await {
        match outcome {
            Ok(None) => {}
            Ok(Some((rows, found))) => {
                *figures.rows.entry(table.name()).or_default() += rows;
                for found in found {
                    note(&mut visits, Some(found));
                }
            }
            Err(error) if matches!(error.kind(), Kind::Damaged | Kind::Newer) => failures.push(error),
            Err(error) => return Err(error),
        }
    }
    figures.last_visit = visits.values().map(|found| found.pulled_at).max();
    figures.checks = Checks::of(&visits);
    Ok((figures, notes(&visits), failures))
}

/// Keeps the latest visit of each event.
fn note(visits: &mut Visits, found: Option<(i64, Found)>) {
    let Some((event_id, found)) = found else { return };
    let known = visits.entry(event_id).or_insert(found);
    if known.pulled_at < found.pulled_at {
        *known = found;
    }
}

impl Checks {
    fn of(visits: &Visits) -> Self {
        Self {
            visited: visits.len(),
            rejects: visits.values().map(|found| found.rejects).sum(),
            shrunk: visits.values().map(|found| found.fewer).sum(),
            days_differing: visits.values().map(|found| found.days_differing).sum(),
            sums_differing: visits.values().filter(|found| found.sums_differ).count(),
        }
    }
}

fn notes(visits: &Visits) -> Vec<Advice> {
    let those = |is: fn(&Found) -> bool| -> BTreeSet<i64> {
        visits.iter().filter(|(_, found)| is(found)).map(|(event_id, _)| *event_id).collect()
    };
    let notes = [
        Advice::about(
            "shrunk",
            those(|found| found.fewer > 0),
            "the vendor has fewer rows than before of {}; settled days keep what they had: `explain` shows both",
        ),
        Advice::about(
            "differing",
            those(|found| found.days_differing > 0),
            "the vendor counts other rows in the windows than in the snapshot of {}: `explain` shows which days",
        ),
        Advice::about(
            "sums",
            those(|found| found.sums_differ),
            "the vendor's sums by viewer are not those of the viewings of {}: the table `pulls` has both",
        ),
        Advice::about(
            "rejects",
            those(|found| found.rejects > 0),
            "records without a time came of {}: the table `rejects` keeps them whole",
        ),
    ];
    notes.into_iter().flatten().collect()
}

/// What is staged, and the days that it holds back. A file that is none is a problem.
pub(super) async fn staged(store: &dyn Store, problems: &mut Vec<Advice>) -> Result<(Staged, Vec<Hold>)> {
    let (staged, failures) = publish::staged(store, &BTreeSet::new()).await?;
    problems.extend(failures.iter().map(|error| Advice::new("staged", error.to_string())));
    let mut found = Staged::default();
    for file in staged.values().flat_map(BTreeMap::values).flatten() {
        found.files += 1;
        let since = keys::parse_visit(&file.key).map(|(_, pulled_at)| pulled_at);
        found.oldest = [found.oldest, since].into_iter().flatten().min();
    }
    let holds = staged.into_keys().map(|day| Hold { event_id: None, day, reason: Reason::Staged });
    Ok((found, holds.collect()))
}
