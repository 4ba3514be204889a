//! The ledgers in the store: a small document an event, those that are still visited apart from those that are not.

use std::sync::Arc;

use futures::{StreamExt, stream};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::conflict_retries::ConflictRetries;
use super::ledger::Ledger;
use super::store::{Condition, Store, Version};
use super::{document, keys};
use crate::error::{Error, Kind, Result};

/// Documents that are read at once.
const READERS: usize = 16;

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

impl Ledgers {
    /// The ledgers in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// All events that are still visited, and an error for each document that cannot be read.
    pub async fn active(&self) -> Result<(Vec<Entry>, Vec<Error>)> {
        self.below(&[keys::ACTIVE]).await
    }

    /// All events, also those that are not visited any more.
    pub async fn all(&self) -> Result<(Vec<Entry>, Vec<Error>)> {
        self.below(&[keys::ACTIVE, keys::CLOSED]).await
    }

    async fn below(&self, prefixes: &[&str]) -> Result<(Vec<Entry>, Vec<Error>)> {
        let (mut entries, mut failures) = (Vec::new(), Vec::new());
        for prefix in prefixes {
            self.each(prefix, |read| match read {
                Ok(entry) => entries.push(entry),
                Err(error) => failures.push(error),
            })
            .await?;
        }
        Ok((entries, failures))
    }

    /// Hands each document below a prefix on, or why it cannot be read.
    async fn each(&self, prefix: &str, mut take: impl FnMut(Result<Entry>)) -> Result<()> {
        let mut listed = self.store.list(prefix, "").await?;
        listed.retain(|listed| !keys::is_hidden(&listed.key));
        let read = stream::iter(listed).map(|listed| async move { self.read_listed(&listed.key).await });
        let mut read = read.buffered(READERS);
        while let Some(read) = read.next().await {
            match read {
                Ok(Some(entry)) => take(Ok(entry)),
                // One that is gone since it was listed was closed by another run.
                Ok(None) => {}
                Err(error) if matches!(error.kind(), Kind::Damaged | Kind::Newer) => take(Err(error)),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Hands each event that is still visited on, or why its document cannot be read.
    pub async fn each_active(&self, take: impl FnMut(Result<Entry>)) -> Result<()> {
        self.each(keys::ACTIVE, take).await
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
        let mut retries = ConflictRetries::default();
        loop {
            match self.try_update(event_id, new, &change).await {
                Err(error) if retries.allow(&error) => {}
                outcome => return outcome.map_err(|error| error.with("event", event_id)),
            }
        }
    }

    /// Changes this document where it lies. A copy that a run left behind when it was killed while it reopened the event is
    /// taken away: what stands in its place says more.
    pub async fn change(&self, entry: Entry, change: impl Fn(&mut Ledger)) -> Result<()> {
        let mut ledger = entry.ledger.clone();
        change(&mut ledger);
        if entry.key != home(&ledger) {
            self.update(&ledger, change).await?;
            let left = self.read(&entry.key).await?.filter(|left| left.version == entry.version);
            return match left {
                Some(left) => self.store.delete_unchanged(&left.key, &left.version).await,
                None => Ok(()),
            };
        }
        if ledger == entry.ledger {
            return Ok(());
        }
        match self.put_document(&entry.key, &ledger, Condition::Unchanged(entry.version)).await {
            Err(error) if error.kind() == Kind::Conflict => self.update(&ledger, change).await.map(|_| ()),
            outcome => outcome,
        }
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
            self.move_home(&entry).await?;
            return Err(Error::new(Kind::Conflict, "the ledger was moved"));
        }
        let mut ledger = entry.ledger.clone();
        change(&mut ledger);
        if ledger != entry.ledger {
            self.put_document(&entry.key, &ledger, Condition::Unchanged(entry.version)).await?;
            if entry.key != home(&ledger)
                && let Some(moving) = self.read(&entry.key).await?
                && moving.key != home(&moving.ledger)
            {
                self.move_home(&moving).await?;
            }
        }
        Ok(ledger)
    }

    /// Moves a document that does not change any more to its place. Several runs may do it at once: none writes over
    /// what a later visit left there, and none takes away but what it moved.
    async fn move_home(&self, entry: &Entry) -> Result<()> {
        let home = home(&entry.ledger);
        let standing = self.read(&home).await?;
        if standing.as_ref().is_none_or(|standing| standing.ledger.last_visit <= entry.ledger.last_visit) {
            let condition =
                standing.map_or(Condition::Absent, |standing| Condition::Unchanged(standing.version));
            self.put_document(&home, &entry.ledger, condition).await?;
        }
        self.store.delete_unchanged(&entry.key, &entry.version).await
    }

    /// The ledger under a key as it was listed: a copy under another name is none.
    async fn read_listed(&self, key: &str) -> Result<Option<Entry>> {
        if keys::parse_ledger(key).is_none() {
            let error = Error::new(Kind::Damaged, "a file among the ledgers is no ledger");
            return Err(error.with("key", key).hint("take it away"));
        }
        self.read(key).await
    }

    async fn read(&self, key: &str) -> Result<Option<Entry>> {
        let entry = self.read_document(key).await?;
        Ok(entry.map(|(ledger, version)| Entry { ledger, key: key.to_owned(), version }))
    }

    /// A document of the ledger; none where there is none.
    pub async fn read_document<T: DeserializeOwned>(&self, key: &str) -> Result<Option<(T, Version)>> {
        let Some((bytes, version)) = self.store.get(key).await? else { return Ok(None) };
        let document = document::read(key, &bytes)?;
        Ok(Some((document, version)))
    }

    /// Puts a document of the ledger.
    pub async fn put_document(
        &self,
        key: &str,
        document: &impl Serialize,
        condition: Condition,
    ) -> Result<()> {
        self.store.put(key, document::write(document)?, condition).await
    }
}
