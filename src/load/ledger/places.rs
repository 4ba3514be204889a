//! Where the document of a ledger lies: among those of the events that are still visited, or among the others; and how it moves
//! from one place to the other.

use super::Ledger;
use super::ledgers::{Entry, Ledgers};
use crate::error::{Error, Kind, Result};
use crate::load::store::Condition;

impl Ledgers {
    /// The ledger of an event, from its place; `None` if it has none. A ledger that is not in its place is moved there, and
    /// [`Kind::Conflict`] returned: it is safe to start over.
    pub async fn bring_home(&self, event_id: i64) -> Result<Option<Entry>> {
        let Some(entry) = self.find(event_id).await? else { return Ok(None) };
        if entry.key == entry.ledger.home() {
            return Ok(Some(entry));
        }
        // Another run is moving it, or was killed while doing so. A document that is not in its place does not change any more.
        self.move_home(&entry).await?;
        Err(Error::new(Kind::Conflict, "the ledger was moved"))
    }

    /// Puts a ledger where it belongs, in place of the one that was read. If it says the same, nothing is put. Returns
    /// [`Kind::Conflict`] if another run has changed the one that was read.
    pub async fn replace(&self, read: Option<Entry>, ledger: &Ledger) -> Result<()> {
        let Some(entry) = read else {
            return self.put_document(&ledger.home(), ledger, Condition::Absent).await;
        };
        if *ledger == entry.ledger {
            return Ok(());
        }
        self.put_document(&entry.key, ledger, Condition::Unchanged(entry.version)).await?;
        if entry.key != ledger.home()
            && let Some(moving) = self.read(&entry.key).await?
            && moving.key != moving.ledger.home()
        {
            self.move_home(&moving).await?;
        }
        Ok(())
    }

    /// Moves a document that does not change any more to its place. Several runs may do so at once: each deletes only what it
    /// moved, and none puts back what another has moved and changed since, unless its write arrives long after it was sent.
    async fn move_home(&self, entry: &Entry) -> Result<()> {
        let home = entry.ledger.home();
        let standing = self.read(&home).await?;
        let is_newer = standing.as_ref().is_some_and(|standing| {
            let (there, here) = (standing.ledger.last_visit, entry.ledger.last_visit);
            // All runs change the document of an open event in this place: another run has already moved this one there.
            there > here || there == here && entry.ledger.closed.is_none()
        });
        if !is_newer {
            // As long as this document exists, nobody changes the one in its place.
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
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::tests::{HORIZON, at, ledger, visit};
    use super::super::visit::Outcome;
    use super::super::{Closing, Ledger};
    use super::*;
    use crate::load::keys;
    use crate::load::store::Folder;

    /// A lake whose only ledger lies in the wrong place, and the document as two runs have read it there.
    async fn half_moved(from: &str, ledger: &Ledger) -> (tempfile::TempDir, Ledgers, [Entry; 2]) {
        let folder = tempfile::tempdir().unwrap();
        let ledgers = Ledgers::new(Arc::new(Folder::new(folder.path())));
        ledgers.put_document(from, ledger, Condition::Absent).await.unwrap();
        let read = async || ledgers.read(from).await.unwrap().unwrap();
        let entries = [read().await, read().await];
        (folder, ledgers, entries)
    }

    #[tokio::test]
    async fn a_late_move_of_a_document_does_not_undo_what_others_have_changed_since() {
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
    async fn a_moved_document_replaces_what_is_at_its_destination_unless_that_is_newer_or_open_and_as_new() {
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
