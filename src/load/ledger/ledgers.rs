//! The ledgers in the store: one small document per event. Those of events that are still visited are kept apart from the others.

use std::sync::Arc;

use futures::{StreamExt, stream};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Ledger;
use crate::error::{Error, Kind, Result};
use crate::load::FORMAT;
use crate::load::conflict_retries::retried;
use crate::load::store::{Condition, Listed, Store, Version};
use crate::load::{document, keys};

/// Documents that are read or written at once.
pub const AT_ONCE: usize = 16;

/// A ledger, and the version of its document that was read.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The ledger.
    pub ledger: Ledger,
    pub(super) key: String,
    pub(super) version: Version,
}

/// All ledgers of a lake.
#[derive(Clone)]
pub struct Ledgers {
    pub(super) store: Arc<dyn Store>,
}

impl Ledgers {
    /// The ledgers in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// The ledgers of all events that are still visited, and an error for each document that cannot be read.
    pub async fn active(&self) -> Result<(Vec<Entry>, Vec<Error>)> {
        let (mut entries, mut failures) = (Vec::new(), Vec::new());
        self.each_active(|read| match read {
            Ok(entry) => entries.push(entry),
            Err(error) => failures.push(error),
        })
        .await?;
        Ok((entries, failures))
    }

    /// Calls `take` with each document below a prefix, or with the error if it cannot be read.
    async fn each(&self, prefix: &str, mut take: impl FnMut(Result<Entry>)) -> Result<()> {
        let listed = self.listed(prefix).await?;
        let read = stream::iter(listed).map(|listed| async move { self.read_listed(&listed.key).await });
        let mut read = read.buffered(AT_ONCE);
        while let Some(read) = read.next().await {
            match read {
                Ok(Some(entry)) => take(Ok(entry)),
                // A document that is gone since it was listed was moved by another run, which closed or reopened the event.
                Ok(None) => {}
                Err(error) if error.is_unreadable() => take(Err(error)),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn listed(&self, prefix: &str) -> Result<Vec<Listed>> {
        let mut listed = self.store.list(prefix, "").await?;
        listed.retain(|listed| !keys::is_hidden(&listed.key));
        Ok(listed)
    }

    /// Changes every document where it lies, as [`Ledgers::change`] does, and returns an error for each that cannot be read. Only
    /// a few are in memory at a time.
    pub async fn change_all(&self, change: impl Fn(&mut Ledger) + Sync) -> Result<Vec<Error>> {
        let (change, mut failures) = (&change, Vec::new());
        for prefix in [keys::ACTIVE, keys::CLOSED] {
            let changed = stream::iter(self.listed(prefix).await?).map(|listed| async move {
                match self.read_listed(&listed.key).await? {
                    Some(entry) => self.change(entry, change).await,
                    None => Ok(()),
                }
            });
            let mut changed = changed.buffer_unordered(AT_ONCE);
            while let Some(outcome) = changed.next().await {
                match outcome {
                    Err(error) if error.is_unreadable() => failures.push(error),
                    outcome => outcome?,
                }
            }
        }
        Ok(failures)
    }

    /// Calls `take` with each event that is still visited, or with the error if its document cannot be read.
    pub async fn each_active(&self, take: impl FnMut(Result<Entry>)) -> Result<()> {
        self.each(keys::ACTIVE, take).await
    }

    /// Like [`Ledgers::each_active`], for events that are no longer visited.
    pub async fn each_closed(&self, take: impl FnMut(Result<Entry>)) -> Result<()> {
        self.each(keys::CLOSED, take).await
    }

    /// The ledger of an event, still visited or not.
    pub async fn find(&self, event_id: i64) -> Result<Option<Entry>> {
        let (active, closed) = (keys::active(event_id), keys::closed(event_id));
        // Between the first two reads, another run may open the event again: then its ledger is back under the first key.
        for key in [&active, &closed, &active] {
            if let Some(entry) = self.read(key).await? {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// Changes the ledger of an event, or a copy of `new` if there is none, puts it where it belongs, and returns it. If `change`
    /// changes nothing of an existing ledger, nothing is put.
    pub async fn update(&self, new: &Ledger, change: impl Fn(&mut Ledger)) -> Result<Ledger> {
        let event_id = new.event.event_id;
        let updated = retried(|| self.try_update(event_id, new, &change)).await;
        updated.map_err(|error| error.with("event", event_id))
    }

    /// Changes this document where it lies. A run that is killed while it reopens an event leaves a copy in the wrong place: such
    /// a copy is deleted, because the document in the right place is newer, and that one is changed instead.
    pub async fn change(&self, entry: Entry, change: impl Fn(&mut Ledger)) -> Result<()> {
        let mut ledger = entry.ledger.clone();
        change(&mut ledger);
        if entry.key != ledger.home() {
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
        let entry = self.bring_home(event_id).await?;
        let mut ledger = entry.as_ref().map_or(new, |entry| &entry.ledger).clone();
        change(&mut ledger);
        self.replace(entry, &ledger).await?;
        Ok(ledger)
    }

    /// Reads the ledger under a listed key. A file under any other name, such as a copy, is an error.
    async fn read_listed(&self, key: &str) -> Result<Option<Entry>> {
        if keys::parse_ledger(key).is_none() {
            let error = Error::new(Kind::Damaged, "a file among the ledgers is not a ledger");
            return Err(error.with("key", key).hint("delete it"));
        }
        self.read(key).await
    }

    pub(super) async fn read(&self, key: &str) -> Result<Option<Entry>> {
        let entry = self.read_document(key).await?;
        // If it is written again, it is in the current format.
        let current = |ledger| Ledger { format: FORMAT, ..ledger };
        Ok(entry.map(|(ledger, version)| Entry { ledger: current(ledger), key: key.to_owned(), version }))
    }

    /// Reads a document of the ledger; `None` if it does not exist.
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
