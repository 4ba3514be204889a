//! Where the value of each column comes from.

use super::column::{Column, Kind, Personal};
use super::privacy::{Policy, Treatment};
use super::tables::Table;

/// Where the value of a column comes from.
#[derive(Clone, Copy)]
pub(super) enum Origin {
    /// The field that was sent for it, as it is.
    Kept(Kind),
    /// Nowhere: it may not be kept.
    Dropped,
    /// It is made, for every row.
    Made(Made),
}

/// What a value is made of.
#[derive(Clone, Copy)]
pub(super) enum Made {
    /// The text that was sent for it, as much as may be kept.
    Treated(Option<Personal>, Treatment),
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
            ("event_id", _, _) => Self::Made(Made::Event),
            ("pulled_at", _, _) => Self::Made(Made::Pulled),
            (_, _, Treatment::Drop) => Self::Dropped,
            ("person_key", _, treatment) => Self::Made(Made::Person(treatment)),
            ("extra", _, _) => Self::Made(Made::Extra),
            (_, Kind::WallClock { of }, _) => {
                Self::Made(Made::Clock { of: table.index_of(of).unwrap_or(usize::MAX) })
            }
            (_, kind, Treatment::Keep) => Self::Kept(kind),
            (_, _, treatment) => Self::Made(Made::Treated(column.personal, treatment)),
        }
    }
}
