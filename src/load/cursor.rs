//! `ledger/roster.json`: up to when the vendor's list of edited events was read.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ledgers::Ledgers;
use super::store::Condition;
use super::{FORMAT, keys};
use crate::error::{Kind, Result};

#[derive(Serialize, Deserialize)]
struct Document {
    format: u32,
    edited_until: Timestamp,
}

/// The cursor, which only moves on from where it was read.
pub struct Cursor {
    /// Up to when the list was read; none where it never was.
    pub edited_until: Option<Timestamp>,
    condition: Condition,
}

impl Cursor {
    /// Reads it.
    pub async fn read(ledgers: &Ledgers) -> Result<Self> {
        Ok(match ledgers.read_document::<Document>(keys::ROSTER).await? {
            Some((found, version)) => {
                Self { edited_until: Some(found.edited_until), condition: Condition::Unchanged(version) }
            }
            None => Self { edited_until: None, condition: Condition::Absent },
        })
    }

    /// Moves it. Where another run did so meanwhile, what this one noted is noted all the same.
    pub async fn put(self, ledgers: &Ledgers, edited_until: Timestamp) -> Result<()> {
        let document = Document { format: FORMAT, edited_until };
        match ledgers.put_document(keys::ROSTER, &document, self.condition).await {
            Err(error) if error.kind() == Kind::Conflict => Ok(()),
            outcome => outcome,
        }
    }
}
