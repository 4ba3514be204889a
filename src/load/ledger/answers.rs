//! The vendor's last answers about an event, as its ledger keeps them: sums, never rows.

use std::ops::Not;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Ledger;
use crate::transform::tables::Table;
use crate::transform::totals::Totals;

impl Ledger {
    /// The rows of the last answers; 0 if the event was never visited.
    #[must_use]
    pub fn rows(&self) -> u64 {
        let days = self.days.values().map(|day| day.lives.rows + day.interactions.rows);
        days.chain(self.snapshot.map(|snapshot| snapshot.viewer_details.rows)).sum()
    }
}

/// The last answer for one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayAnswer {
    /// When the visit that asked for it began.
    pub pulled_at: Timestamp,
    /// Sums over the rows of `lives`.
    pub lives: Totals,
    /// Sums over the rows of `interactions`.
    pub interactions: Totals,
    /// Sums over the records that no table can hold.
    pub rejects: Totals,
    /// Whether this answer had viewings, or an earlier one whose rows the lake still keeps.
    pub has_had_rows: bool,
    /// When a user last accepted fewer rows (`--accept-shrink`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// Whether the first answer is still to come: so far, a user has only accepted that it may have fewer rows.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub is_awaited: bool,
}

impl DayAnswer {
    /// An answer without rows.
    #[must_use]
    pub fn empty(pulled_at: Timestamp) -> Self {
        let [lives, interactions, rejects] = [Totals::default(); 3];
        let (has_had_rows, accepted_at, is_awaited) = (false, None, false);
        Self { pulled_at, lives, interactions, rejects, has_had_rows, accepted_at, is_awaited }
    }

    /// The sums over what a day's windows bring for a table.
    #[must_use]
    pub fn totals(&self, table: Table) -> Totals {
        match table {
            Table::Lives => self.lives,
            Table::Interactions => self.interactions,
            Table::Rejects => self.rejects,
            Table::ViewerDetails | Table::Events | Table::Pulls => Totals::default(),
        }
    }

    /// This answer, given the one before: a day that has had rows keeps that mark, unless a user has accepted fewer rows since.
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
pub struct SnapshotAnswer {
    /// When the visit that asked for it began.
    pub pulled_at: Timestamp,
    /// Sums over the rows of `viewer_details`.
    pub viewer_details: Totals,
    /// Sums over the records that no table can hold.
    pub rejects: Totals,
    /// How many snapshots in a row since this one had no array of viewers: then nobody came, or they were no answers, or only parts
    /// of one. If there was none with viewers, this is the first of them.
    #[serde(default)]
    pub without_viewers: u32,
    /// When a user last accepted fewer rows (`--accept-shrink`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// Whether the first answer is still to come: so far, a user has only accepted that it may have fewer rows, or the ledger was
    /// rebuilt from what the lake has.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub is_awaited: bool,
}

impl SnapshotAnswer {
    /// An answer without rows.
    #[must_use]
    pub fn empty(pulled_at: Timestamp) -> Self {
        let [viewer_details, rejects] = [Totals::default(); 2];
        let (without_viewers, is_awaited) = (0, false);
        Self { pulled_at, viewer_details, rejects, without_viewers, accepted_at: None, is_awaited }
    }

    /// The sums over what a snapshot brings for a table.
    #[must_use]
    pub fn totals(&self, table: Table) -> Totals {
        match table {
            Table::ViewerDetails => self.viewer_details,
            Table::Rejects => self.rejects,
            Table::Lives | Table::Interactions | Table::Events | Table::Pulls => Totals::default(),
        }
    }
}
