//! The ledgers in the store: one small document per event. Those of events that are still visited are kept apart from the others.

use std::sync::Arc;

use futures::{StreamExt, stream};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Ledger;
use crate::error::{Error, Kind, Result};
use crate::load::conflict_retries::retried;
use crate::load::store::{Condition, Store, Version};
use crate::load::{document, keys};

/// Documents that are read or written at once.
pub const AT_ONCE: usize = 16;

/// A ledger, and the version of its document that was read.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The ledger.
    pub ledger: Ledger,
    key: String,
    version: Version,
}

/// All ledgers of a lake.
#[derive(Clone)]
pub struct Ledgers {
    store: Arc<dyn Store>,
}

/// The key under which a ledger belongs.
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

    /// The ledgers of all events that are still visited, and an error for each document that cannot be read.
    pub async fn active(&self) -> Result<(Vec<Entry>, Vec<Error>)> {
        self.below(&[keys::ACTIVE]).await
    }

    /// Like [`Ledgers::active`], and also the ledgers of events that are no longer visited.
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

    /// Calls `take` with each document below a prefix, or with the error if it cannot be read.
    async fn each(&self, prefix: &str, mut take: impl FnMut(Result<Entry>)) -> Result<()> {
        let mut listed = self.store.list(prefix, "").await?;
        listed.retain(|listed| !keys::is_hidden(&listed.key));
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

    /// Calls `take` with each event that is still visited, or with the error if its document cannot be read.
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
            // Another run is moving it, or was killed while it did. A document that is not in its place does not change any more.
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

    /// Moves a document that does not change any more to its place. Several runs may do so at once: each deletes only what it
    /// moved, and none puts back what another has moved and changed since, unless its write arrives long after it was sent.
    async fn move_home(&self, entry: &Entry) -> Result<()> {
        let home = home(&entry.ledger);
        let standing = self.read(&home).await?;
        let is_newer = standing.as_ref().is_some_and(|standing| {
            let (there, here) = (standing.ledger.last_visit, entry.ledger.last_visit);
            // Of an open event, everybody changes the document in this place: another run has moved this one there.
            there > here || there == here && entry.ledger.closed.is_none()
        });
        if !is_newer {
            // As long as this document is there, nobody changes the one in its place.
            let now = self.read(&entry.key).await?;
            if now.is_none_or(|now| now.version != entry.version) {
                return Ok(());
            }
            let condition =
                standing.map_or(Condition::Absent, |standing| Condition::Unchanged(standing.version));
            self.put_document(&home, &entry.ledger, condition).await?;
        }
        self.store.delete_unchanged(&entry.key, &entry.version).await
    }

    /// Reads the ledger under a listed key. A file under any other name, such as a copy, is an error.
    async fn read_listed(&self, key: &str) -> Result<Option<Entry>> {
        if keys::parse_ledger(key).is_none() {
            let error = Error::new(Kind::Damaged, "a file among the ledgers is not a ledger");
            return Err(error.with("key", key).hint("delete it"));
        }
        self.read(key).await
    }

    async fn read(&self, key: &str) -> Result<Option<Entry>> {
        let entry = self.read_document(key).await?;
        Ok(entry.map(|(ledger, version)| Entry { ledger, key: key.to_owned(), version }))
    }

    /// Reads a document of the ledger; none if it does not exist.
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

#[cfg(test)]
mod tests {
    use super::super::tests::{HORIZON, at, ledger, visit};
    use super::super::visit::Outcome;
    use super::super::{Closing, Ledger};
    use super::*;
    use crate::load::store::Folder;

    /// A lake whose only event is past its horizon and was closed where it lay, and the document as two runs have read it since.
    async fn half_moved(from: &str, ledger: &Ledger) -> (tempfile::TempDir, Ledgers, [Entry; 2]) {
        let folder = tempfile::tempdir().unwrap();
        let ledgers = Ledgers::new(Arc::new(Folder::new(folder.path())));
        ledgers.put_document(from, ledger, Condition::Absent).await.unwrap();
        let read = async || ledgers.read(from).await.unwrap().unwrap();
        let entries = [read().await, read().await];
        (folder, ledgers, entries)
    }

    #[tokio::test]
    async fn who_moves_a_document_late_takes_nothing_back_that_others_changed_since() {
        let (mut closed, mut open) = (ledger(), ledger());
        closed.fold(&visit(31 * 24, Outcome::Complete), HORIZON);
        open.fold(&visit(1, Outcome::Complete), HORIZON);
        assert_eq!((closed.closed, open.closed), (Some(Closing::Complete), None));
        let event_id = closed.event.event_id;
        for (from, to, ledger) in [
            (keys::active(event_id), keys::closed(event_id), closed),
            (keys::closed(event_id), keys::active(event_id), open),
        ] {
            let (_folder, ledgers, [first, late]) = half_moved(&from, &ledger).await;
            ledgers.move_home(&first).await.unwrap();
            let title = Some("changed".to_owned());
            let change = |ledger: &mut Ledger| ledger.event.title.clone_from(&title);
            ledgers.update(&ledger, change).await.unwrap();
            ledgers.move_home(&late).await.unwrap();
            let found = ledgers.find(event_id).await.unwrap().unwrap();
            assert_eq!((found.key, &found.ledger.event.title), (to, &title));
            assert!(ledgers.read(&from).await.unwrap().is_none());
        }
    }

    #[tokio::test]
    async fn what_stands_in_the_place_of_a_document_gives_way_to_it_unless_a_later_visit_left_it_or_it_is_open()
     {
        let (mut closed, mut open) = (ledger(), ledger());
        closed.fold(&visit(31 * 24, Outcome::Complete), HORIZON);
        open.fold(&visit(8, Outcome::Complete), HORIZON);
        let event_id = closed.event.event_id;
        let (in_active, in_closed) = (keys::active(event_id), keys::closed(event_id));
        for (moved, visited, is_left) in [
            (&closed, 30 * 24, false),
            (&closed, 31 * 24, false),
            (&closed, 32 * 24, true),
            (&open, 7, false),
            (&open, 8, true),
            (&open, 9, true),
        ] {
            let is_open = moved.closed.is_none();
            let (from, to) = if is_open { (&in_closed, &in_active) } else { (&in_active, &in_closed) };
            let (_folder, ledgers, [entry, _]) = half_moved(from, moved).await;
            let standing = Ledger { last_visit: Some(at(visited)), unfinished: 7, ..moved.clone() };
            ledgers.put_document(to, &standing, Condition::Absent).await.unwrap();
            ledgers.move_home(&entry).await.unwrap();
            let found = ledgers.find(event_id).await.unwrap().unwrap();
            assert_eq!((&found.key, found.ledger.unfinished == 7), (to, is_left), "{visited}");
            assert!(ledgers.read(from).await.unwrap().is_none());
        }
    }
}
