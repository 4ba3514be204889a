//! The list of people who are to be forgotten, as it lies in the store.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::race::Race;
use super::store::{Condition, Store};
use super::{FORMAT, document, keys};
use crate::error::{Error, Kind, Result};
use crate::transform::privacy::{Policy, Privacy, Suppressed};

/// `ledger/suppressed.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Document {
    format: u32,
    /// Which key made the sums.
    key: String,
    /// HMAC-SHA-256 of each identifier, in hex digits.
    people: Vec<String>,
}

/// What may be kept now: the policy, and the list as it stands. Where there is somebody on it, only a run with its key can
/// tell who that is.
pub async fn privacy(store: &dyn Store, policy: &Arc<Policy>) -> Result<Privacy> {
    let (suppressed, _) = read(store, policy).await?;
    Ok(Privacy { policy: Arc::clone(policy), suppressed: Arc::new(suppressed) })
}

/// What might be kept with these identifiers on the list, too. Nothing is written.
pub async fn with(store: &dyn Store, policy: &Arc<Policy>, identifiers: &[String]) -> Result<Privacy> {
    if policy.key().is_none() {
        return Err(without_key());
    }
    let (mut suppressed, _) = read(store, policy).await?;
    for identifier in identifiers {
        suppressed.add(identifier);
    }
    Ok(Privacy { policy: Arc::clone(policy), suppressed: Arc::new(suppressed) })
}

/// Adds identifiers, and gives what may be kept from now on.
pub async fn suppress(store: &dyn Store, policy: &Arc<Policy>, identifiers: &[String]) -> Result<Privacy> {
    let Some(key) = policy.key() else { return Err(without_key()) };
    let mut race = Race::default();
    loop {
        let (mut suppressed, condition) = read(store, policy).await?;
        let before = suppressed.revision();
        for identifier in identifiers {
            suppressed.add(identifier);
        }
        let privacy = || Privacy { policy: Arc::clone(policy), suppressed: Arc::new(suppressed.clone()) };
        if suppressed.revision() == before {
            return Ok(privacy());
        }
        let people = suppressed.sums().collect();
        let document = Document { format: FORMAT, key: key.id().to_owned(), people };
        match store.put(keys::SUPPRESSED, document::write(&document)?, condition).await {
            Err(error) if race.is_lost(&error) => {}
            Err(error) => return Err(error),
            Ok(()) => return Ok(privacy()),
        }
    }
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
    if key.id() != document.key {
        let message = format!(
            "people were forgotten here under the key `{}`, this run has `{}`",
            document.key,
            key.id()
        );
        return Err(Error::new(Kind::OtherLake, message).hint("give that key"));
    }
    Suppressed::of(&document.people, Some(key.clone()))
}

fn without_key() -> Error {
    Error::new(Kind::Usage, "people were, or are to be, forgotten here, and only a key can tell who")
        .hint("give `ROLLCALL_HMAC_KEY`, such as `openssl rand -hex 32` makes, or `--hmac-secret-arn`")
}
