//! The log of erasures: that people were forgotten, when, and how much was erased; it names nobody. It has the same keyed hashes
//! as the list of people to be forgotten, so that the list can be rebuilt from it.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::store::{Condition, Store};
use super::{FORMAT, document, keys};
use crate::error::{Error, Kind, Result};

/// Documents that are read at once.
const READERS: usize = 16;

/// One erasure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Whether everything was only counted, and nothing was erased.
    #[serde(rename = "dry_run", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_dry: bool,
    /// Number of identifiers that were given.
    pub identifiers: usize,
    /// Number of rows in the lake and in staged files, by table; in `events`, rows that named one of the people.
    pub rows: BTreeMap<String, u64>,
    /// Number of records in archived answers.
    pub archived_records: u64,
    /// Number of objects that were rewritten, or would be.
    pub objects: u64,
    /// Number of deleted versions of objects that had been replaced or deleted before.
    pub versions: u64,
}

/// People to be forgotten, in a form from which nobody can tell who they are without the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct People {
    /// The identifier of the key that made the hashes.
    pub key: String,
    /// HMAC-SHA-256 of each identifier, in hex digits.
    pub people: Vec<String>,
}

/// `ledger/erasures/RUN.json`.
#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    began: Timestamp,
    /// `None` while the erasure is under way, and if it was cut off: then it has to be run again.
    ended: Option<Timestamp>,
    #[serde(flatten)]
    erasure: &'a Erasure,
    #[serde(flatten)]
    people: &'a People,
}

/// Who was forgotten, as far as the log of erasures says.
#[derive(Debug, Default)]
pub struct Logged {
    /// The people who were forgotten under the key that was asked for.
    pub people: Vec<String>,
    /// Whether others were forgotten as well: under another key, or by a program that did not note who.
    pub has_others: bool,
    /// Errors of the documents that cannot be read: these may name others.
    pub damaged: Vec<Error>,
}

/// Reads from the log who was forgotten under this key.
pub async fn logged(store: &dyn Store, key: &str) -> Result<Logged> {
    /// Both fields are missing in documents of a program that did not note who was forgotten.
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Read {
        key: String,
        people: Vec<String>,
    }
    let mut listed = store.list(keys::ERASURES, "").await?;
    listed.retain(|listed| !keys::is_hidden(&listed.key));
    let read = stream::iter(listed).map(|listed| async move {
        let found = store.get(&listed.key).await?;
        Ok::<_, Error>(found.map(|(bytes, _)| document::read::<Read>(&listed.key, &bytes)))
    });
    let (mut read, mut logged) = (read.buffered(READERS), Logged::default());
    while let Some(read) = read.try_next().await? {
        match read {
            Some(Ok(read)) if !read.key.is_empty() && read.key == key => logged.people.extend(read.people),
            Some(Ok(_)) => logged.has_others = true,
            Some(Err(error)) if error.kind() == Kind::Damaged => {
                logged.damaged.push(error.hint("restore it from a previous version, or delete it"));
            }
            Some(Err(error)) => return Err(error),
            None => {}
        }
    }
    Ok(logged)
}

/// Notes that an erasure begins.
pub async fn begin(
    store: &dyn Store,
    run: &str,
    began: Timestamp,
    erasure: &Erasure,
    people: &People,
) -> Result<()> {
    let document = Document { format: FORMAT, began, ended: None, erasure, people };
    store.put(&keys::erasure(run), document::write(&document)?, Condition::Absent).await
}

/// Notes that an erasure has ended, and how much was erased.
pub async fn end(
    store: &dyn Store,
    run: &str,
    (began, ended): (Timestamp, Timestamp),
    erasure: &Erasure,
    people: &People,
) -> Result<()> {
    let key = keys::erasure(run);
    let condition = match store.head(&key).await? {
        Some(head) => Condition::Unchanged(head.version),
        None => Condition::Absent,
    };
    let document = Document { format: FORMAT, began, ended: Some(ended), erasure, people };
    store.put(&key, document::write(&document)?, condition).await
}
