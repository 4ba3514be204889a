//! Where the value of each column comes from.

use super::column::{Column, Kind, Personal};
use super::privacy::{Policy, Treatment};
use super::tables::Table;

/// Where the value of a column comes from.
#[derive(Clone, Copy)]
pub(super) enum Origin {
    /// The field that was sent for it, as it is.
    Kept(Kind),
    /// The text that was sent for it, as much as may be kept.
    Treated(Option<Personal>, Treatment),
    /// Nowhere: it may not be kept.
    Dropped,
    /// The instant in the column at this place; the field that was sent for it is compared.
    Clock { of: usize },
    /// The event that was asked for.
    Event,
    /// Whatever says who it is, as much as may be kept.
    Person(Treatment),
    /// All that has no other column.
    Extra,
    /// When the visit began.
    Pulled,
}

impl Origin {
    pub(super) fn of(table: Table, column: &Column, policy: &Policy) -> Self {
        match (column.name, column.kind, policy.treatment(column)) {
            ("event_id", _, _) => Self::Event,
            ("pulled_at", _, _) => Self::Pulled,
            (_, _, Treatment::Drop) => Self::Dropped,
            ("person_key", _, treatment) => Self::Person(treatment),
            ("extra", _, _) => Self::Extra,
            (_, Kind::WallClock { of }, _) => Self::Clock { of: table.index_of(of).unwrap_or(usize::MAX) },
            (_, kind, Treatment::Keep) => Self::Kept(kind),
            (_, _, treatment) => Self::Treated(column.personal, treatment),
        }
    }
}
