//! Objects of the lake that are lost: they are missing, although ledgers say that they had rows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::keys;
use super::lake::Lake;
use super::lake_objects::LakeObjects;
use super::lake_settings::LakeSettings;
use super::ledger::Ledger;
use super::ledger::ledgers::{Entry, Ledgers};
use crate::error::{Error, Result};
use crate::transform::tables::Table;

/// Lost objects, each with the events whose rows are gone; without events if a ledger that cannot be read may tell of some.
pub type LostObjects = BTreeMap<(Date, Table), BTreeSet<i64>>;

/// The objects that these days lack, although they have others.
#[must_use]
pub fn missing(objects: &LakeObjects) -> BTreeSet<(Date, Table)> {
    let days = objects.iter().filter(|(_, of_day)| !of_day.is_empty());
    let tables =
        days.flat_map(|(day, of_day)| Table::ALL.map(|table| (*day, table, of_day.contains_key(&table))));
    tables.filter(|(_, _, is_there)| !is_there).map(|(day, table, _)| (day, table)).collect()
}

/// Those of the missing objects that had rows, according to the ledgers; and an error for each ledger that cannot be read.
async fn that_had_rows(lake: &Lake, missing: &BTreeSet<(Date, Table)>) -> Result<(LostObjects, Vec<Error>)> {
    let (mut lost, mut damaged) = (LostObjects::new(), Vec::new());
    if missing.is_empty() {
        return Ok((lost, damaged));
    }
    let mut look = |read: Result<Entry>| match read {
        Ok(Entry { ledger, .. }) => {
            let settings = &lake.settings;
            for (day, table) in
                missing.iter().filter(|(day, table)| has_rows(&ledger, *table, settings, *day))
            {
                lost.entry((*day, *table)).or_default().insert(ledger.event.event_id);
            }
        }
        Err(error) => damaged.push(error),
    };
    let ledgers = Ledgers::new(lake.store.clone());
    ledgers.each_active(&mut look).await?;
    ledgers.each_closed(&mut look).await?;
    Ok((lost, damaged))
}

/// Those of the missing objects that are lost: they had rows, according to the ledgers, and these are not staged again. An object may
/// also be missing because a publish of its day was killed, or is under way. With an error for each ledger that cannot be read: then
/// any missing object of which nothing is staged may be lost, and is among them, perhaps without an event. Without missing objects,
/// no ledger is read.
pub async fn that_lost_rows(
    lake: &Lake,
    missing: &BTreeSet<(Date, Table)>,
) -> Result<(LostObjects, Vec<Error>)> {
    let (mut lost, damaged) = that_had_rows(lake, missing).await?;
    for ((day, table), events) in &mut lost {
        // Listed after the ledgers were read: a visit stages its rows before its ledger says so.
        for staged in lake.store.list(&keys::staged_day(*table, *day), "").await? {
            if let Some((event_id, _)) = keys::parse_visit(&staged.key) {
                events.remove(&event_id);
            }
        }
        // Looked for after that: a publish deletes staged files only when the object has their rows.
        if !events.is_empty() && lake.store.head(&keys::object(*table, *day)).await?.is_some() {
            events.clear();
        }
    }
    lost.retain(|_, events| !events.is_empty());
    for (day, table) in missing.iter().filter(|_| !damaged.is_empty()) {
        let is_staged = !lake.store.list(&keys::staged_day(*table, *day), "").await?.is_empty();
        if !is_staged && lake.store.head(&keys::object(*table, *day)).await?.is_none() {
            lost.entry((*day, *table)).or_default();
        }
    }
    Ok((lost, damaged))
}

/// Whether a ledger says that its event has rows in a table and day, be it of an answer before the last, which had none any more; of
/// `pulls`, it knows only the last row.
fn has_rows(ledger: &Ledger, table: Table, settings: &LakeSettings, day: Date) -> bool {
    match table {
        Table::Pulls => ledger.last_visit.is_some_and(|last| settings.zone.day_of(last) == day),
        Table::Events => ledger.last_visit.is_some() && ledger.event_day == Some(day),
        Table::Lives | Table::Interactions | Table::ViewerDetails | Table::Rejects => {
            let snapshot = ledger.snapshot.filter(|_| ledger.event_day == Some(day));
            snapshot.is_some_and(|answer| answer.has_rows(table))
                || ledger.days.get(&day).is_some_and(|answer| answer.has_rows(table))
        }
    }
}
