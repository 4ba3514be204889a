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
        let keys = self.store.list(keys::ACTIVE).await?;
        let read = stream::iter(keys).map(|key| async move {
            match self.read(&key).await {
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
            let found = self.find(event_id).await?;
            let mut ledger = found.as_ref().map_or_else(|| new.clone(), |entry| entry.ledger.clone());
            change(&mut ledger);
            if found.as_ref().is_some_and(|entry| entry.ledger == ledger) {
                return Ok(ledger);
            }
            match self.put(&ledger, found.as_ref()).await {
                Err(error) if error.kind() == Kind::Conflict => {}
                outcome => return outcome.map(|()| ledger),
            }
        }
        Err(Error::new(Kind::Conflict, "the ledger is changed by others all the time")
            .with("event", event_id))
    }

    async fn put(&self, ledger: &Ledger, found: Option<&Entry>) -> Result<()> {
        let event_id = ledger.event.event_id;
        let key = if ledger.closed.is_some() { keys::closed(event_id) } else { keys::active(event_id) };
        let condition = match found {
            None => Condition::Absent,
            Some(entry) if entry.key == key => Condition::Unchanged(entry.version.clone()),
            // It moves. A run that was killed while it moved may have left one at the other place.
            Some(_) => match self.store.head(&key).await? {
                None => Condition::Absent,
                Some(head) => Condition::Unchanged(head.version),
            },
        };
        self.put_document(&key, ledger, condition).await?;
        match found {
            Some(entry) if entry.key != key => self.store.delete(&entry.key).await,
            _ => Ok(()),
        }
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
