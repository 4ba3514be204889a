//! The list of people to be forgotten, as it is stored.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::conflict_retries::retried;
use super::erasure::{Logged, People};
use super::lake::Lake;
use super::store::{Condition, Store};
use super::{FORMAT, document, erasure, keys};
use crate::error::{Error, Kind, Result};
use crate::transform::privacy::{Key, Policy, Privacy, Suppressed};

/// `ledger/suppressed.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Document {
    format: u32,
    #[serde(flatten)]
    people: People,
}

impl Lake {
    /// What may be kept of people now: the policy, and the current list. If there is a list, only a run with its key can tell who
    /// is on it: any other run fails.
    pub async fn privacy(&self) -> Result<Privacy> {
        let (suppressed, _) = self.suppressed().await?;
        Ok(self.privacy_of(suppressed))
    }

    /// What might be kept of people if these were on the list, too. Nothing is written.
    pub async fn privacy_with(&self, people: &People) -> Result<Privacy> {
        let (listed, _) = self.suppressed().await?;
        Ok(self.privacy_of(listed.and(&people.people)?))
    }

    /// Adds people to the list, and returns what may be kept from now on.
    pub async fn suppress(&self, people: &People) -> Result<Privacy> {
        retried(|| async {
            let (listed, condition) = self.suppressed().await?;
            let before = listed.revision();
            let suppressed = listed.and(&people.people)?;
            if suppressed.revision() != before {
                let people = People { key: people.key.clone(), people: suppressed.sums().collect() };
                let document = Document { format: FORMAT, people };
                self.store.put(keys::SUPPRESSED, document::write(&document)?, condition).await?;
            }
            Ok(self.privacy_of(suppressed))
        })
        .await
    }

    /// Rebuilds the list from the log of erasures if only the list was lost: otherwise the people on it would come back. Returns
    /// [`Kind::Damaged`] if the log cannot be read, or does not tell under this run's key who all of them were.
    pub async fn mend_suppressed(&self) -> Result<()> {
        let (store, key) = (self.store.as_ref(), self.settings.policy.key());
        if is_listed(store).await? {
            return Ok(());
        }
        let own = key.map_or("", Key::id);
        let Logged { people, has_others, damaged } = erasure::logged(store, own).await?;
        if let Some(error) = damaged.into_iter().next() {
            return Err(error);
        }
        if people.is_empty() && !has_others {
            return Ok(());
        }
        if key.is_none() {
            return Err(without_key());
        }
        if has_others {
            return Err(lost());
        }
        self.suppress(&People { key: own.to_owned(), people }).await.map(|_| ())
    }

    fn privacy_of(&self, suppressed: Suppressed) -> Privacy {
        Privacy { policy: Arc::clone(&self.settings.policy), suppressed: Arc::new(suppressed) }
    }

    /// The list, and the condition under which another one may be put.
    async fn suppressed(&self) -> Result<(Suppressed, Condition)> {
        let Some((bytes, version)) = self.store.get(keys::SUPPRESSED).await? else {
            return Ok((Suppressed::of([], self.settings.policy.key().cloned())?, Condition::Absent));
        };
        Ok((parse(&bytes, &self.settings.policy)?, Condition::Unchanged(version)))
    }
}

/// The keyed hashes of these identifiers under the run's key, for a lake with pseudonyms or without. Returns [`Kind::Usage`] if the
/// run has no key.
pub fn people(policy: &Policy, identifiers: &[String], has_pseudonyms: bool) -> Result<People> {
    let Some(key) = policy.key() else { return Err(without_key()) };
    let mut suppressed = Suppressed::of([], Some(key.clone()))?;
    for identifier in identifiers {
        suppressed.add(identifier);
        if has_pseudonyms {
            suppressed.add_of_pseudonyms(identifier);
        }
    }
    Ok(People { key: key.id().to_owned(), people: suppressed.sums().collect() })
}

/// Whether the list exists.
pub async fn is_listed(store: &dyn Store) -> Result<bool> {
    Ok(store.head(keys::SUPPRESSED).await?.is_some())
}

/// The error for a store in which people were forgotten, and the list of them is lost.
#[must_use]
pub fn lost() -> Error {
    Error::new(Kind::Damaged, "people were forgotten here, and the list of them is lost").hint(
        "restore `ledger/suppressed.json` from a previous version or a backup, or run `forget` with all of them at once, and \
         then a second time: whoever is not named comes back",
    )
}

fn parse(bytes: &Bytes, policy: &Policy) -> Result<Suppressed> {
    // The lake does not tell who was on the list, so it cannot be rebuilt like other documents of the ledger.
    let lost = |error: Error| {
        match error.kind() {
        Kind::Newer => error,
        _ => error.hint(
            "restore it from a previous version or a backup, or delete it and run `forget` for each of them again",
        ),
    }
    };
    let document: Document = document::read(keys::SUPPRESSED, bytes).map_err(lost)?;
    let Some(key) = policy.key() else { return Err(without_key()) };
    let People { key: listed, people } = document.people;
    if key.id() != listed {
        let message =
            format!("people were forgotten here under the key `{}`, this run has `{}`", listed, key.id());
        return Err(Error::new(Kind::OtherLake, message).hint("give the key that was used before"));
    }
    Suppressed::of(&people, Some(key.clone())).map_err(|error| lost(error.with("key", keys::SUPPRESSED)))
}

fn without_key() -> Error {
    Error::new(Kind::Usage, "people were forgotten here, or are to be, and only a key can tell who")
        .hint("give `ROLLCALL_HMAC_KEY`, a key as made by `openssl rand -hex 32`, or `--hmac-secret-arn`")
}
