//! Figures of the lake, from the footers of objects and the rows of visits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::{StreamExt, stream};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::missing_rows::MissingRows;
use crate::error::{Error, Result};
use crate::inspect::advice::Advice;
use crate::load::keys;
use crate::load::lake_objects;
use crate::load::lake_objects::{LakeObject, READERS, each_row};
use crate::load::ledger::complete::{HeldBy, Hold};
use crate::load::ledger::visit_row::{Compared, VisitRow};
use crate::load::publish::staged_days::{StagedDays, staged_files};
use crate::load::store::Store;
use crate::transform::tables::Table;

/// What is in the lake.
#[derive(Debug, Default, Serialize)]
pub struct LakeFigures {
    /// Rows, by table.
    pub rows: BTreeMap<&'static str, u64>,
    /// Days with objects.
    pub days: usize,
    /// When the last visit whose row is in the lake began, within the horizon.
    pub last_visit: Option<Timestamp>,
    /// What the last visit of each event found, for events that were visited within the horizon.
    pub checks: Checks,
}

/// What the last visits found, one visit per event.
#[derive(Debug, Default, Serialize)]
pub struct Checks {
    /// Events that were visited.
    pub visited: usize,
    /// Records that no table can hold, each once for each answer that had it.
    pub rejects: u64,
    /// Cells for which the visit before found more.
    pub fewer: u64,
    /// Settled days whose windows differ from the snapshot, by the last visit that compared them.
    pub days_differing: u64,
    /// Events whose viewer details do not add up to their viewings, by the last visit that compared them.
    pub sums_differing: usize,
}

/// What waits to be published.
#[derive(Debug, Default, Serialize)]
pub struct Staged {
    /// Staged files.
    pub files: usize,
    /// When the visit that staged the oldest of them began.
    pub oldest: Option<Timestamp>,
    /// The days that they belong to.
    #[serde(skip)]
    pub(super) days: BTreeSet<Date>,
}

/// What the last visit of one event found.
#[derive(Clone, Copy)]
struct LastVisit {
    pulled_at: Timestamp,
    rejects: u64,
    fewer: u64,
    /// Whether something that was asked for is owed.
    owes: bool,
    /// What the last visit that compared its answers found, and when that visit began.
    compared: Option<(Timestamp, Compared)>,
}

impl LastVisit {
    fn of(visit: VisitRow) -> Self {
        let VisitRow { pulled_at, rejects, fewer, owed, compared, .. } = visit;
        let compared = compared.map(|compared| (pulled_at, compared));
        Self { pulled_at, rejects, fewer, owes: !owed.is_empty(), compared }
    }

    /// Merges two visits: what the later one found, except for the comparison, which is that of the later visit that made one.
    fn with(self, other: Self) -> Self {
        let later = if self.pulled_at < other.pulled_at { other } else { self };
        Self { compared: self.compared.max(other.compared), ..later }
    }

    fn compared(&self) -> Compared {
        self.compared.map(|(_, compared)| compared).unwrap_or_default()
    }
}

/// The last visit of each event.
type Visits = BTreeMap<i64, LastVisit>;

/// What is wrong with the lake.
#[derive(Default)]
pub(super) struct Damage {
    /// What cannot be read, is missing, or does not belong there.
    pub(super) errors: Vec<Error>,
    /// The days that lack something.
    pub(super) days: BTreeSet<Date>,
}

impl Damage {
    fn add(&mut self, day: Date, error: Error) {
        self.days.insert(day);
        self.errors.push(error);
    }
}

/// The figures of the lake, with those of visits from the day `first` on; notes about them; and what is wrong with the lake,
/// including missing rows. `open` are the events that are still visited.
pub(super) async fn of(
    store: &Arc<dyn Store>,
    first: Date,
    open: &BTreeSet<i64>,
    mut missing_rows: MissingRows,
) -> Result<(LakeFigures, Vec<Advice>, Damage)> {
    let mut damage = Damage::default();
    let objects = lake_objects::since(store, None, &mut damage.errors).await?;
    for (day, tables) in &objects {
        for table in Table::ALL.into_iter().filter(|table| !tables.contains_key(table)) {
            if is_missing(store.as_ref(), table, *day).await? {
                damage.add(*day, lake_objects::missing(table, *day));
            }
        }
    }
    let mut figures = LakeFigures { days: objects.len(), ..LakeFigures::default() };
    let objects = objects.into_iter().flat_map(|(day, tables)| {
        tables.into_iter().map(move |(table, head)| LakeObject { store, table, day, head })
    });
    let read = objects.map(|object| async move {
        let with_visits = object.table == Table::Pulls && object.day >= first;
        let outcome = object.read(async |reader| {
            let mut visits = Visits::new();
            if with_visits {
                each_row(&reader, None, |row| {
                    if let Some(visit) = VisitRow::read(&row) {
                        note(&mut visits, visit.event_id, LastVisit::of(visit));
                    }
                })
                .await?;
            }
            let events: Vec<i64> = reader.cells().iter().map(|cell| cell.event_id).collect();
            Ok((reader.cells().iter().map(|cell| cell.rows).sum::<u64>(), events, visits))
        });
        (object.table, object.day, outcome.await)
    });
    let mut read = stream::iter(read).buffer_unordered(READERS);
    let mut visits = Visits::new();
    while let Some((table, day, outcome)) = read.next().await {
        match outcome {
            Ok(None) => {}
            Ok(Some((rows, events, found))) => {
                missing_rows.confirm(table, day, &events);
                *figures.rows.entry(table.name()).or_default() += rows;
                for (event_id, found) in found {
                    note(&mut visits, event_id, found);
                }
            }
            Err(error) if error.is_unreadable() => damage.add(day, error),
            Err(error) => return Err(error),
        }
    }
    for (day, error) in missing_rows.missing() {
        // If an object of the day is damaged, that is reported already.
        if !damage.days.contains(&day) {
            damage.add(day, error);
        }
    }
    figures.last_visit = visits.values().map(|found| found.pulled_at).max();
    figures.checks = Checks::of(&visits);
    Ok((figures, notes(&visits, open), damage))
}

/// Whether a table's object is missing for a day for which other tables have one. It is not missing while the day is being
/// published: until all of its objects are there, something of the day is staged.
async fn is_missing(store: &dyn Store, table: Table, day: Date) -> Result<bool> {
    for table in Table::ALL {
        if !store.list(&keys::staged_day(table, day), "").await?.is_empty() {
            return Ok(false);
        }
    }
    Ok(store.head(&keys::object(table, day)).await?.is_none())
}

/// Merges a visit with what is known of the last visits of its event.
fn note(visits: &mut Visits, event_id: i64, found: LastVisit) {
    let known = visits.entry(event_id).or_insert(found);
    *known = known.with(found);
}

impl Checks {
    fn of(visits: &Visits) -> Self {
        Self {
            visited: visits.len(),
            rejects: visits.values().map(|found| found.rejects).sum(),
            fewer: visits.values().map(|found| found.fewer).sum(),
            days_differing: visits.values().map(|found| found.compared().days_differing).sum(),
            sums_differing: visits.values().filter(|found| found.compared().sums_differ).count(),
        }
    }
}

fn notes(visits: &Visits, open: &BTreeSet<i64>) -> Vec<Advice> {
    let those = |is: fn(&LastVisit) -> bool| -> BTreeSet<i64> {
        visits.iter().filter(|(_, found)| is(found)).map(|(event_id, _)| *event_id).collect()
    };
    let given_up = &those(|found| found.owes) - open;
    let notes = [
        Advice::about(
            "given_up",
            given_up,
            "something of {} is missing, and no further visit is planned: `explain` says what, `sync --event` asks again",
        ),
        Advice::about(
            "fewer",
            those(|found| found.fewer > 0),
            "the last visit of {} found less than the one before: `explain` shows what the lake keeps",
        ),
        Advice::about(
            "differing",
            those(|found| found.compared().days_differing > 0),
            "the windows of {} do not add up to the vendor's snapshot: `explain` shows in which visit",
        ),
        Advice::about(
            "sums",
            those(|found| found.compared().sums_differ),
            "the vendor's sums per viewer of {} are not those of the viewings: the table `pulls` has both",
        ),
        Advice::about(
            "rejects",
            those(|found| found.rejects > 0),
            "the last visit of {} found records that have no day: the table `rejects` keeps them whole, once for \
             each answer that had them",
        ),
    ];
    notes.into_iter().flatten().collect()
}

/// What is staged, and the days that it holds back. A file that is not a staged file is a problem.
pub(super) async fn staged(store: &dyn Store, problems: &mut Vec<Advice>) -> Result<(Staged, Vec<Hold>)> {
    let mut staged = StagedDays::find(store).await?;
    let (mut found, mut held) = (Staged::default(), BTreeSet::new());
    for (day, tables) in staged.days {
        for table in tables {
            let (files, failures) = staged_files(store, table, day).await?;
            staged.failures.extend(failures);
            for file in files {
                found.files += 1;
                found.days.insert(day);
                let since = keys::parse_visit(&file.key).map(|(_, pulled_at)| pulled_at);
                found.oldest = [found.oldest, since].into_iter().flatten().min();
                // Rows of `events` and `pulls` are staged by every run; they hold back no viewings.
                if !matches!(table, Table::Events | Table::Pulls) {
                    held.insert(day);
                }
            }
        }
    }
    problems.extend(staged.failures.iter().map(|error| Advice::new("staged", error.to_string())));
    let holds = held.into_iter().map(|day| Hold { event_id: None, day, because: HeldBy::Staged });
    Ok((found, holds.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_comparison_stays_known_until_a_later_visit_compares_again() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let visit = |second: i64, fewer: u64, compared: Option<u64>| LastVisit {
            pulled_at: at(second),
            rejects: 0,
            fewer,
            owes: false,
            compared: compared
                .map(|days_differing| (at(second), Compared { days_differing, ..Compared::default() })),
        };
        let mut visits = Visits::new();
        for (found, fewer, days) in [
            (visit(10, 1, Some(2)), 1, 2),
            (visit(30, 0, None), 0, 2),
            (visit(20, 5, Some(3)), 0, 3),
            (visit(40, 0, Some(0)), 0, 0),
        ] {
            note(&mut visits, 7, found);
            let known = visits[&7];
            assert_eq!((known.fewer, known.compared().days_differing), (fewer, days));
        }
    }
}
