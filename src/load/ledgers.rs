//! The ledgers in the store: a small document an event, those that are still visited apart from those that are not.

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use super::store::{Condition, Store, Version};
use super::{FORMAT, keys};
use crate::error::{Error, Explain, Kind, Result};

/// Documents that are read at once.
const READERS: usize = 16;

/// How often a change starts over because others change the same document.
const ATTEMPTS: u32 = 20;

/// A document and the version that was read.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it says.
    pub ledger: Ledger,
    key: String,
    version: Version,
}

/// All ledgers of a lake.
#[derive(Clone)]
pub struct Ledgers {
    store: Arc<dyn Store>,
}

/// Where a ledger belongs.
fn home(ledger: &Ledger) -> String {
    let event_id = ledger.event.event_id;
    if ledger.closed.is_some() { keys::closed(event_id) } else { keys::active(event_id) }
}

/// What is read first of every document.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

impl Ledgers {
    /// The ledgers in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// All events that are still visited, and what could not be read: an event's number and the error.
    pub async fn active(&self) -> Result<(Vec<Entry>, Vec<Error>)> {
        let listed = self.store.list(keys::ACTIVE, "").await?;
        let read = stream::iter(listed).map(|listed| async move {
            match self.read(&listed.key).await {
                Err(error) if matches!(error.kind(), Kind::Damaged | Kind::Newer) => Ok(Err(error)),
                Ok(entry) => Ok(Ok(entry)),
                Err(error) => Err(error),
            }
        });
        let read: Vec<Result<Option<Entry>>> = read.buffered(READERS).try_collect().await?;
        let (mut entries, mut failures) = (Vec::new(), Vec::new());
        for entry in read {
            match entry {
                // One that is gone since it was listed was closed by another run.
                Ok(entry) => entries.extend(entry),
                Err(error) => failures.push(error),
            }
        }
        Ok((entries, failures))
    }

    /// The ledger of an event, still visited or not.
    pub async fn find(&self, event_id: i64) -> Result<Option<Entry>> {
        match self.read(&keys::active(event_id)).await? {
            Some(entry) => Ok(Some(entry)),
            None => self.read(&keys::closed(event_id)).await,
        }
    }

    /// Changes the ledger of an event, or begins it with `new`, and puts it where it belongs. Where `change` changes
    /// nothing, nothing is put.
    pub async fn update(&self, new: &Ledger, change: impl Fn(&mut Ledger)) -> Result<Ledger> {
        let event_id = new.event.event_id;
        for _ in 0..ATTEMPTS {
            match self.try_update(event_id, new, &change).await {
                Err(error) if error.kind() == Kind::Conflict => {}
                outcome => return outcome.map_err(|error| error.with("event", event_id)),
            }
        }
        Err(Error::new(Kind::Conflict, "the ledger is changed by others all the time")
            .with("event", event_id))
    }

    async fn try_update(&self, event_id: i64, new: &Ledger, change: impl Fn(&mut Ledger)) -> Result<Ledger> {
        let Some(entry) = self.find(event_id).await? else {
            let mut ledger = new.clone();
            change(&mut ledger);
            self.put_document(&home(&ledger), &ledger, Condition::Absent).await?;
            return Ok(ledger);
        };
        if entry.key != home(&entry.ledger) {
            // A run was killed, or is busy, moving it: a document that is not in its place does not change any more.
            self.move_home(&entry.ledger, &entry.key).await?;
            return Err(Error::new(Kind::Conflict, "the ledger was moved"));
        }
        let mut ledger = entry.ledger.clone();
        change(&mut ledger);
        if ledger != entry.ledger {
            self.put_document(&entry.key, &ledger, Condition::Unchanged(entry.version)).await?;
            if entry.key != home(&ledger) {
                self.move_home(&ledger, &entry.key).await?;
            }
        }
        Ok(ledger)
    }

    /// Moves a document that does not change any more from `key` to its place. Whoever does it, and however often, it
    /// ends the same.
    async fn move_home(&self, ledger: &Ledger, key: &str) -> Result<()> {
        let home = home(ledger);
        // An earlier move that was killed may have left one there.
        let condition = match self.store.head(&home).await? {
            None => Condition::Absent,
            Some(head) => Condition::Unchanged(head.version),
        };
        self.put_document(&home, ledger, condition).await?;
        self.store.delete(key).await
    }

    async fn read(&self, key: &str) -> Result<Option<Entry>> {
        let entry = self.read_document(key).await?;
        Ok(entry.map(|(ledger, version)| Entry { ledger, key: key.to_owned(), version }))
    }

    /// A document of the ledger; none where there is none.
    pub async fn read_document<T: DeserializeOwned>(&self, key: &str) -> Result<Option<(T, Version)>> {
        let Some((bytes, version)) = self.store.get(key).await? else { return Ok(None) };
        let damaged = || "a document of the ledger cannot be read".to_owned();
        let Format { format } = serde_json::from_slice(&bytes)
            .explain(Kind::Damaged, damaged)
            .map_err(|error| error.with("key", key))?;
        if format > FORMAT {
            let message = format!("a document has format {format}, this program knows {FORMAT}");
            return Err(Error::new(Kind::Newer, message).with("key", key).hint("upgrade rollcall"));
        }
        let document = serde_json::from_slice(&bytes)
            .explain(Kind::Damaged, damaged)
            .map_err(|error| error.with("key", key))?;
        Ok(Some((document, version)))
    }

    /// Puts a document of the ledger.
    pub async fn put_document(
        &self,
        key: &str,
        document: &impl Serialize,
        condition: Condition,
    ) -> Result<()> {
        let bytes = serde_json::to_vec(document).explain(Kind::Store, || format!("cannot write `{key}`"))?;
        self.store.put(key, Bytes::from(bytes), condition).await
    }
}
