//! `ledger/roster.json`: up to when the vendor's lists of events were read.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ledgers::Ledgers;
use super::store::Condition;
use super::{FORMAT, keys};
use crate::error::{Kind, Result};

#[derive(Serialize, Deserialize)]
struct Document {
    format: u32,
    edited_until: Option<Timestamp>,
    held_until: Option<Timestamp>,
}

/// The cursor, which only moves on from where it was read.
pub struct Cursor {
    /// Up to when the list of edited events was read; none where it never was.
    pub edited_until: Option<Timestamp>,
    /// The same of the public list, whose events are named by when they are held.
    pub held_until: Option<Timestamp>,
    condition: Condition,
}

impl Cursor {
    /// Reads it.
    pub async fn read(ledgers: &Ledgers) -> Result<Self> {
        Ok(match ledgers.read_document::<Document>(keys::ROSTER).await? {
            Some((Document { edited_until, held_until, .. }, version)) => {
                Self { edited_until, held_until, condition: Condition::Unchanged(version) }
            }
            None => Self::unread(),
        })
    }

    /// Of lists that were never read.
    #[must_use]
    pub fn unread() -> Self {
        Self { edited_until: None, held_until: None, condition: Condition::Absent }
    }

    /// Moves it. Where another run did so meanwhile, what this one noted is noted all the same.
    pub async fn put(self, ledgers: &Ledgers) -> Result<()> {
        let Self { edited_until, held_until, condition } = self;
        let document = Document { format: FORMAT, edited_until, held_until };
        match ledgers.put_document(keys::ROSTER, &document, condition).await {
            Err(error) if error.kind() == Kind::Conflict => Ok(()),
            outcome => outcome,
        }
    }
}
