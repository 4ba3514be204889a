//! `ledger/roster.json`: how far the vendor's lists of events were read.

use std::ops::Not;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ledgers::Ledgers;
use crate::error::{Kind, Result};
use crate::load::store::Condition;
use crate::load::{FORMAT, keys};

#[derive(Serialize, Deserialize)]
struct Document {
    format: u32,
    edited_until: Option<Timestamp>,
    held_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edited_broken_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held_broken_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Not::not")]
    skips_public: bool,
}

/// How far a list was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadUpTo {
    /// The time up to which it was read completely; `None` if it never was.
    pub until: Option<Timestamp>,
    /// Where the next reading goes on if the last one broke off, or had an answer without any data; otherwise `None`.
    pub resume_from: Option<Timestamp>,
}

/// How far both lists were read. It can be moved only if no other run has moved it since it was read.
pub struct Cursor {
    /// How far the list of edited events was read.
    pub edited: ReadUpTo,
    /// How far the public list was read. It is read by the time at which events are held.
    pub public: ReadUpTo,
    /// Whether the last run did not read the public list, so that nobody needs to wait for it.
    pub skips_public: bool,
    condition: Condition,
}

impl Cursor {
    /// Reads the cursor from the ledger.
    pub async fn read(ledgers: &Ledgers) -> Result<Self> {
        Ok(match ledgers.read_document::<Document>(keys::ROSTER).await? {
            Some((document, version)) => Self {
                edited: ReadUpTo { until: document.edited_until, resume_from: document.edited_broken_at },
                public: ReadUpTo { until: document.held_until, resume_from: document.held_broken_at },
                skips_public: document.skips_public,
                condition: Condition::Unchanged(version),
            },
            None => Self::unread(),
        })
    }

    /// The cursor of lists that were never read.
    #[must_use]
    pub fn unread() -> Self {
        let [edited, public] = [ReadUpTo::default(); 2];
        Self { edited, public, skips_public: false, condition: Condition::Absent }
    }

    /// Moves the cursor. If another run moved it meanwhile, that run's cursor stays; the events that this run noted are in their
    /// ledgers all the same.
    pub async fn put(self, ledgers: &Ledgers) -> Result<()> {
        let Self { edited, public, skips_public, condition } = self;
        let document = Document {
            format: FORMAT,
            edited_until: edited.until,
            held_until: public.until,
            edited_broken_at: edited.resume_from,
            held_broken_at: public.resume_from,
            skips_public,
        };
        match ledgers.put_document(keys::ROSTER, &document, condition).await {
            Err(error) if error.kind() == Kind::Conflict => Ok(()),
            outcome => outcome,
        }
    }
}
