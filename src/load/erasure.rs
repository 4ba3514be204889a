//! The log of erasures: that people were forgotten, when, and how much it was; it names nobody. It has what the list of these
//! people has, so that the list can be made again from it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::store::{Condition, Store};
use super::{FORMAT, document, keys};
use crate::error::Result;

/// One erasure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Whether it was only counted, and everything is still there.
    #[serde(rename = "dry_run", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_dry: bool,
    /// Identifiers that were given.
    pub identifiers: usize,
    /// Rows, by table, of the lake and of staged files; of `events`, those that named somebody.
    pub rows: BTreeMap<String, u64>,
    /// Records of archived answers.
    pub archived_records: u64,
    /// Objects that were written anew, or are to be.
    pub objects: u64,
    /// Versions of objects that were replaced or deleted before, and are gone now.
    pub versions: u64,
}

/// People who are to be forgotten, as nobody can tell who they are without the key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct People {
    /// Which key made the sums.
    #[serde(default)]
    pub key: String,
    /// HMAC-SHA-256 of each identifier, in hex digits.
    #[serde(default)]
    pub people: Vec<String>,
}

/// `ledger/erasures/RUN.json`.
#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    began: Timestamp,
    /// None while it lasts, and where it was cut off: then it is to be done again.
    ended: Option<Timestamp>,
    #[serde(flatten)]
    erasure: &'a Erasure,
    #[serde(flatten)]
    people: &'a People,
}

/// Who was forgotten in each erasure that was logged; under no key where that was not noted yet.
pub async fn logged(store: &dyn Store) -> Result<Vec<People>> {
    let mut logged = Vec::new();
    let listed = store.list(keys::ERASURES, "").await?;
    for key in listed.into_iter().map(|listed| listed.key).filter(|key| !keys::is_hidden(key)) {
        if let Some((bytes, _)) = store.get(&key).await? {
            let read = document::read(&key, &bytes);
            logged.push(read.map_err(|error| error.hint("restore it from a version, or take it away"))?);
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

/// Notes what it came to.
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
