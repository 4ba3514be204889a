//! The list of people who are to be forgotten, as it lies in the store.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::conflict_retries::ConflictRetries;
use super::erasure::{Logged, People};
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

/// What may be kept now: the policy, and the list as it stands. Where there is somebody on it, only a run with its key can
/// tell who that is.
pub async fn privacy(store: &dyn Store, policy: &Arc<Policy>) -> Result<Privacy> {
    let (suppressed, _) = read(store, policy).await?;
    Ok(Privacy { policy: Arc::clone(policy), suppressed: Arc::new(suppressed) })
}

/// What these identifiers come to under the run's key.
pub fn people(policy: &Policy, identifiers: &[String]) -> Result<People> {
    let Some(key) = policy.key() else { return Err(without_key()) };
    let mut suppressed = Suppressed::of([], Some(key.clone()))?;
    for identifier in identifiers {
        suppressed.add(identifier);
    }
    Ok(People { key: key.id().to_owned(), people: suppressed.sums().collect() })
}

/// What might be kept with these people on the list, too. Nothing is written.
pub async fn with(store: &dyn Store, policy: &Arc<Policy>, people: &People) -> Result<Privacy> {
    let (listed, _) = read(store, policy).await?;
    let suppressed = listed.and(&people.people)?;
    Ok(Privacy { policy: Arc::clone(policy), suppressed: Arc::new(suppressed) })
}

/// Adds people, and gives what may be kept from now on.
pub async fn suppress(store: &dyn Store, policy: &Arc<Policy>, people: &People) -> Result<Privacy> {
    let mut retries = ConflictRetries::default();
    loop {
        let (listed, condition) = read(store, policy).await?;
        let before = listed.revision();
        let suppressed = listed.and(&people.people)?;
        let privacy = || Privacy { policy: Arc::clone(policy), suppressed: Arc::new(suppressed.clone()) };
        if suppressed.revision() == before {
            return Ok(privacy());
        }
        let people = People { key: people.key.clone(), people: suppressed.sums().collect() };
        let document = Document { format: FORMAT, people };
        match store.put(keys::SUPPRESSED, document::write(&document)?, condition).await {
            Err(error) if retries.allow(&error) => {}
            Err(error) => return Err(error),
            Ok(()) => return Ok(privacy()),
        }
    }
}

/// Makes the list again where it alone was lost: else whoever was on it would come back. [`Kind::Damaged`] where the log of
/// erasures does not say to this run's key who that was.
pub async fn mend(store: &dyn Store, policy: &Arc<Policy>) -> Result<()> {
    if is_listed(store).await? {
        return Ok(());
    }
    let own = policy.key().map_or("", Key::id);
    let Logged { people, has_others, damaged } = erasure::logged(store, own).await?;
    if let Some(error) = damaged.into_iter().next() {
        return Err(error);
    }
    if people.is_empty() && !has_others {
        return Ok(());
    }
    if policy.key().is_none() {
        return Err(without_key());
    }
    if has_others {
        return Err(lost());
    }
    suppress(store, policy, &People { key: own.to_owned(), people }).await.map(|_| ())
}

/// Whether there is a list.
pub async fn is_listed(store: &dyn Store) -> Result<bool> {
    Ok(store.head(keys::SUPPRESSED).await?.is_some())
}

/// What is said where people were forgotten, and nothing says who.
#[must_use]
pub fn lost() -> Error {
    Error::new(Kind::Damaged, "people were forgotten here, and the list of them is lost").hint(
        "restore `ledger/suppressed.json` from a version or a backup, or run `forget` for each of them again, for all of them at \
         once, and then once more: who is not named comes back",
    )
}

async fn read(store: &dyn Store, policy: &Arc<Policy>) -> Result<(Suppressed, Condition)> {
    let Some((bytes, version)) = store.get(keys::SUPPRESSED).await? else {
        return Ok((Suppressed::of([], policy.key().cloned())?, Condition::Absent));
    };
    Ok((parse(&bytes, policy)?, Condition::Unchanged(version)))
}

fn parse(bytes: &Bytes, policy: &Policy) -> Result<Suppressed> {
    // The lake does not know who was on it: nothing else can take its place.
    let lost = |error: Error| {
        error.hint("restore it from a version or a backup, or run `forget` for each of them again")
    };
    let document: Document = document::read(keys::SUPPRESSED, bytes).map_err(lost)?;
    let Some(key) = policy.key() else { return Err(without_key()) };
    let People { key: listed, people } = document.people;
    if key.id() != listed {
        let message =
            format!("people were forgotten here under the key `{}`, this run has `{}`", listed, key.id());
        return Err(Error::new(Kind::OtherLake, message).hint("give that key"));
    }
    Suppressed::of(&people, Some(key.clone()))
}

fn without_key() -> Error {
    Error::new(Kind::Usage, "people were, or are to be, forgotten here, and only a key can tell who")
        .hint("give `ROLLCALL_HMAC_KEY`, such as `openssl rand -hex 32` makes, or `--hmac-secret-arn`")
}
