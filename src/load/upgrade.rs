//! Upgrade: the lake's objects in the format, with the columns and under the policy of today.

use std::sync::Arc;

use jiff::civil::Date;

use super::lake::Lake;
use super::ledger::Ledger;
use super::ledgers::Ledgers;
use super::object::ObjectReader;
use super::publish::Published;
use super::staged_days::StagedDays;
use super::store::Store;
use super::table_day::TableDay;
use super::{lake_objects, suppression};
use crate::error::{Kind, Result};
use crate::transform::tables::Table;

/// Writes every object anew whose format or columns are older than this program's, or that keeps what may not be kept any
/// more, and tables that a day lacks; unless a ledger says that there were rows: they would seem to be all there.
pub async fn upgrade(store: &Arc<dyn Store>, lake: &Lake, ledgers: &Ledgers) -> Result<Published> {
    let mut published = Published::default();
    let listed = lake_objects::since(store, None, &mut published.failures).await?;
    let privacy = suppression::privacy(store.as_ref(), &lake.policy).await?;
    let is_whole = listed.values().all(|standing| standing.len() == Table::ALL.len());
    let (known, damaged) = if is_whole { <_>::default() } else { ledgers.all().await? };
    published.failures.extend(damaged);
    // A day that is being published has its objects when that is done.
    let staged = if is_whole { <_>::default() } else { StagedDays::find(store.as_ref()).await?.days };
    for (day, mut standing) in listed {
        for table in Table::ALL {
            let table_day = TableDay { store, lake, privacy: &privacy, table, day };
            let outcome = async {
                match standing.remove(&table) {
                    Some(head) => {
                        let object =
                            ObjectReader::open(store, &table_day.key(), head.clone(), table, day).await?;
                        if object.is_current() && object.is_kept_under(&privacy) {
                            Ok(false)
                        } else {
                            table_day.rewrite(&table_day.key(), object).await.map(|()| true)
                        }
                    }
                    None if staged.contains_key(&day) => Ok(false),
                    None if known.iter().any(|entry| has_rows(&entry.ledger, table, lake, day)) => {
                        Err(lake_objects::missing(table, day))
                    }
                    None => table_day.replace(&[], None).await.map(|replaced| replaced.is_put),
                }
            };
            match outcome.await {
                Ok(true) => published.put(table, day),
                Ok(false) => {}
                // It was replaced meanwhile; if by an older program, the next upgrade finds it.
                Err(error) if error.kind() == Kind::Conflict => {}
                Err(error) => published.failures.push(error.with("table", table.name()).with("day", day)),
            }
        }
    }
    Ok(published)
}

/// Whether a ledger says that its event has rows in a table and day; of `pulls` it knows the last one.
fn has_rows(ledger: &Ledger, table: Table, lake: &Lake, day: Date) -> bool {
    let of_day = ledger.days.get(&day);
    let snapshot = ledger.snapshot.filter(|_| ledger.event_day == Some(day));
    let rows = match table {
        Table::Lives => of_day.map(|answer| answer.lives.rows),
        Table::Interactions => of_day.map(|answer| answer.interactions.rows),
        Table::ViewerDetails => snapshot.map(|snapshot| snapshot.viewer_details.rows),
        Table::Rejects => {
            of_day.map(|answer| answer.rejects.rows).max(snapshot.map(|snapshot| snapshot.rejects.rows))
        }
        Table::Pulls => ledger.last_visit.map(|last| u64::from(lake.zone.day_of(last) == day)),
        Table::Events => ledger.last_visit.map(|_| u64::from(ledger.event_day == Some(day))),
    };
    rows.unwrap_or_default() > 0
}
