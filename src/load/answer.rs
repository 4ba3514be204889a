//! The vendor's last answers about an event, as its ledger remembers them: sums, never rows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::transform::totals::Totals;

/// The last answer for one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// When the visit began that asked.
    pub pulled_at: Timestamp,
    /// Rows of `lives`.
    pub lives: Totals,
    /// Rows of `interactions`.
    pub interactions: Totals,
    /// Records that no table can hold.
    pub rejects: Totals,
    /// Whether this answer, or one before that the lake still stands by, had viewings.
    pub has_had_rows: bool,
    /// When a user last said that fewer rows are right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
}

impl Day {
    /// A day that was asked for and not answered yet.
    #[must_use]
    pub fn unanswered(pulled_at: Timestamp) -> Self {
        let [lives, interactions, rejects] = [Totals::default(); 3];
        Self { pulled_at, lives, interactions, rejects, has_had_rows: false, accepted_at: None }
    }

    /// This answer, knowing the one before: what was seen once was seen, unless a user says that fewer rows are right.
    #[must_use]
    pub fn after(self, before: Option<Self>) -> Self {
        let stands = before.is_some_and(|before| {
            let is_accepted =
                self.accepted_at > before.accepted_at || self.accepted_at > Some(before.pulled_at);
            before.has_had_rows && !is_accepted
        });
        Self { has_had_rows: self.lives.rows + self.interactions.rows > 0 || stands, ..self }
    }
}

/// The last snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When the visit began that asked.
    pub pulled_at: Timestamp,
    /// Rows of `viewer_details`.
    pub viewer_details: Totals,
    /// Records that no table can hold.
    pub rejects: Totals,
    /// When a user last said that fewer rows are right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
}

impl Snapshot {
    /// One that was asked for and not answered yet.
    #[must_use]
    pub fn unanswered(pulled_at: Timestamp) -> Self {
        let [viewer_details, rejects] = [Totals::default(); 2];
        Self { pulled_at, viewer_details, rejects, accepted_at: None }
    }
}
