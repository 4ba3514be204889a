//! The items of a plan, over which a fan-out maps: each item is the work of one pull.

use std::num::NonZeroUsize;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::keys;
use super::store::{Condition, Store};
use crate::error::{Error, Explain, Kind, Result};

/// With this many rows, as far as they are known, an item is full: the visit of an event with as many takes seconds.
const FULL: u64 = 100_000;

/// The events of one pull.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    #[serde(rename = "event_id")]
    events: Vec<i64>,
}

/// Groups events, in their order, into items: up to `most` events in each, fewer if they are known to be large. Each event comes
/// with the number of its rows, as far as that is known.
pub fn batched(events: impl Iterator<Item = (i64, u64)>, most: NonZeroUsize) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut held = 0;
    for (event_id, rows) in events {
        match items.last_mut() {
            Some(item) if item.events.len() < most.get() && held + rows <= FULL => {
                item.events.push(event_id);
                held += rows;
            }
            _ => {
                items.push(Item { events: vec![event_id] });
                held = rows;
            }
        }
    }
    items
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
    use super::*;

    #[test]
    fn small_events_share_an_item_and_large_ones_have_their_own() {
        for (rows, items) in [
            (vec![], vec![]),
            (vec![0, 0, 0, 0], vec![vec![0, 1, 2], vec![3]]),
            (vec![FULL, 1, 1], vec![vec![0], vec![1, 2]]),
            (vec![1, FULL, 1], vec![vec![0], vec![1], vec![2]]),
            (vec![FULL / 2, FULL / 2, 9 * FULL, 0], vec![vec![0, 1], vec![2], vec![3]]),
        ] {
            let found = batched((0..).zip(rows.clone()), NonZeroUsize::new(3).unwrap());
            let found: Vec<Vec<i64>> = found.into_iter().map(|item| item.events).collect();
            assert_eq!(found, items, "{rows:?}");
        }
    }
}
