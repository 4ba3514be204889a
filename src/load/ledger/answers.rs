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
    /// What the lake still keeps of an earlier answer.
    #[serde(default, skip_serializing_if = "Kept::is_nothing")]
    pub kept: Kept,
    /// When a user last accepted fewer rows (`--accept-shrink`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// Whether the first answer is still to come: so far, a user has only accepted that it may have fewer rows.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub is_awaited: bool,
}

/// The tables of which the lake keeps a day's rows from an earlier answer, while the last one had none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// Whether it keeps rows of `lives`.
    pub lives: bool,
    /// Whether it keeps rows of `interactions`.
    pub interactions: bool,
}

impl Kept {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl DayAnswer {
    /// An answer without rows.
    #[must_use]
    pub fn empty(pulled_at: Timestamp) -> Self {
        let [lives, interactions, rejects] = [Totals::default(); 3];
        Self {
            pulled_at,
            lives,
            interactions,
            rejects,
            has_had_rows: false,
            kept: Kept::default(),
            accepted_at: None,
            is_awaited: false,
        }
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

    /// Whether the lake has rows of a table from this answer, or keeps those of an earlier one.
    #[must_use]
    pub fn has_rows(&self, table: Table) -> bool {
        let keeps = match table {
            Table::Lives => self.kept.lives,
            Table::Interactions => self.kept.interactions,
            Table::Rejects | Table::ViewerDetails | Table::Events | Table::Pulls => false,
        };
        self.totals(table).rows > 0 || keeps
    }

    /// This answer, given the one before: what had rows keeps that mark, because nothing becomes empty in the lake, unless a user
    /// has accepted fewer rows since.
    #[must_use]
    pub fn after(self, before: Option<Self>) -> Self {
        let stands =
            before.filter(|before| !is_accepted(self.accepted_at, before.accepted_at, before.pulled_at));
        let keeps =
            |table| self.totals(table).rows == 0 && stands.is_some_and(|before| before.has_rows(table));
        let had_rows = stands.is_some_and(|before| before.has_had_rows);
        Self {
            has_had_rows: self.lives.rows + self.interactions.rows > 0 || had_rows,
            kept: Kept { lives: keeps(Table::Lives), interactions: keeps(Table::Interactions) },
            ..self
        }
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
    /// Whether the lake still keeps rows of `viewer_details` that an earlier snapshot had: this one has none.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub keeps_viewers: bool,
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
        Self {
            pulled_at,
            viewer_details,
            rejects,
            without_viewers: 0,
            keeps_viewers: false,
            accepted_at: None,
            is_awaited: false,
        }
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

    /// Whether the lake has rows of a table from this snapshot, or keeps those of an earlier one.
    #[must_use]
    pub fn has_rows(&self, table: Table) -> bool {
        self.totals(table).rows > 0 || table == Table::ViewerDetails && self.keeps_viewers
    }

    /// This snapshot, given the one before: see [`DayAnswer::after`].
    #[must_use]
    pub fn after(self, before: Option<Self>) -> Self {
        let had_viewers = before.is_some_and(|before| {
            before.has_rows(Table::ViewerDetails)
                && !is_accepted(self.accepted_at, before.accepted_at, before.pulled_at)
        });
        Self { keeps_viewers: self.viewer_details.rows == 0 && had_viewers, ..self }
    }
}

/// Whether a user has accepted fewer rows, according to an answer, since the one before.
fn is_accepted(
    accepted_at: Option<Timestamp>,
    accepted_before: Option<Timestamp>,
    pulled_before: Timestamp,
) -> bool {
    accepted_at > accepted_before || accepted_at > Some(pulled_before)
}
