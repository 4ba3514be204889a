//! The items of a plan, over which a fan-out maps: each item is the work of one pull.

use std::num::NonZeroUsize;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::keys;
use super::ledger::Ledger;
use super::store::{Condition, Store};
use crate::error::{Error, Explain, Kind, Result};

/// Rows with which an item is full, as far as they are known: the visit of an event with this many takes seconds.
const FULL: u64 = 100_000;

/// The events of one pull.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    #[serde(rename = "event_id")]
    events: Vec<i64>,
}

/// Groups events, in their order, into items: up to `most` events in each, fewer if they are known to be large.
pub fn batched<'a>(events: impl Iterator<Item = &'a Ledger>, most: NonZeroUsize) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut held = 0;
    for ledger in events {
        let size = rows_of(ledger);
        match items.last_mut() {
            Some(item) if item.events.len() < most.get() && held + size <= FULL => {
                item.events.push(ledger.event.event_id);
                held += size;
            }
            _ => {
                items.push(Item { events: vec![ledger.event.event_id] });
                held = size;
            }
        }
    }
    items
}

/// The rows of the event's last answers; 0 if it was never visited.
fn rows_of(ledger: &Ledger) -> u64 {
    let days = ledger.days.values().map(|day| day.lives.rows + day.interactions.rows);
    days.chain(ledger.snapshot.map(|snapshot| snapshot.viewer_details.rows)).sum()
}

/// Puts the items as a JSON array, and returns its key, which has the run in it and so is never used twice.
pub async fn put(store: &dyn Store, run: &str, items: &[Item]) -> Result<String> {
    let bytes = serde_json::to_vec(&items).explain(Kind::Store, || "cannot write a plan".to_owned())?;
    let key = keys::plan(run);
    store.put(&key, Bytes::from(bytes), Condition::Absent).await?;
    Ok(key)
}

/// The events of the items under `key`, in the order in which they were planned. Returns [`Kind::Usage`] if there is no such
/// plan.
pub async fn read_events(store: &dyn Store, key: &str) -> Result<Vec<i64>> {
    let Some((bytes, _)) = store.get(key).await? else {
        let error = Error::new(Kind::Usage, "there is no such plan").with("key", key);
        return Err(error.hint("give the key that `plan --items` returned"));
    };
    let items: Vec<Item> = serde_json::from_slice(&bytes)
        .explain(Kind::Damaged, || "a plan cannot be read".to_owned())
        .map_err(|error| error.with("key", key).hint("plan again"))?;
    Ok(items.into_iter().flat_map(|item| item.events).collect())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::load::ledger::answers::DayAnswer;
    use crate::transform::event::Event;
    use crate::transform::totals::Totals;

    fn ledger(event_id: i64, rows: u64) -> Ledger {
        let mut ledger = Ledger::new(Event::unknown(event_id), Timestamp::UNIX_EPOCH);
        let lives = Totals { rows, ..Totals::default() };
        let day = DayAnswer {
            pulled_at: Timestamp::UNIX_EPOCH,
            lives,
            interactions: Totals::default(),
            rejects: Totals::default(),
            has_had_rows: true,
            accepted_at: None,
        };
        ledger.days.insert("2022-10-26".parse().unwrap(), day);
        ledger
    }

    #[test]
    fn small_events_share_an_item_and_large_ones_have_their_own() {
        for (rows, items) in [
            (vec![], vec![]),
            (vec![0, 0, 0, 0], vec![vec![0, 1, 2], vec![3]]),
            (vec![FULL, 1, 1], vec![vec![0], vec![1, 2]]),
            (vec![1, FULL, 1], vec![vec![0], vec![1], vec![2]]),
            (vec![FULL / 2, FULL / 2, 9 * FULL, 0], vec![vec![0, 1], vec![2], vec![3]]),
        ] {
            let ledgers: Vec<Ledger> = (0..).zip(&rows).map(|(id, rows)| ledger(id, *rows)).collect();
            let found = batched(ledgers.iter(), NonZeroUsize::new(3).unwrap());
            let found: Vec<Vec<i64>> = found.into_iter().map(|item| item.events).collect();
            assert_eq!(found, items, "{rows:?}");
        }
    }
}
