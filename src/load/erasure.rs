//! The log of erasures: that people were forgotten, when, and how much it was; it names nobody.

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

/// `ledger/erasures/RUN.json`.
#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    began: Timestamp,
    /// None while it lasts, and where it was cut off: then it is to be done again.
    ended: Option<Timestamp>,
    #[serde(flatten)]
    erasure: &'a Erasure,
}

/// Notes that an erasure begins.
pub async fn begin(store: &dyn Store, run: &str, began: Timestamp, erasure: &Erasure) -> Result<()> {
    let document = Document { format: FORMAT, began, ended: None, erasure };
    store.put(&keys::erasure(run), document::write(&document)?, Condition::Absent).await
}

/// Notes what it came to.
pub async fn end(
    store: &dyn Store,
    run: &str,
    (began, ended): (Timestamp, Timestamp),
    erasure: &Erasure,
) -> Result<()> {
    let key = keys::erasure(run);
    let condition = match store.head(&key).await? {
        Some(head) => Condition::Unchanged(head.version),
        None => Condition::Absent,
    };
    let document = Document { format: FORMAT, began, ended: Some(ended), erasure };
    store.put(&key, document::write(&document)?, condition).await
}
