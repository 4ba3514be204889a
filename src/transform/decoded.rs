//! What became of records that were decoded.

use std::collections::BTreeSet;

/// What became of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// It is a row of the batch.
    Row,
    /// It lies outside the window, whose neighbour will bring it.
    Outside,
    /// No table can hold it.
    Reject(Reason),
}

/// Why a record is a reject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is no JSON object.
    NotAnObject,
    /// It says no time that it could be placed by.
    NoTime,
}

impl Reason {
    /// The word in the column `reason`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAnObject => "not_an_object",
            Self::NoTime => "no_time",
        }
    }
}

/// What was seen while decoding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records that became rows.
    pub rows: u64,
    /// Records that no table can hold.
    pub rejects: u64,
    /// Records outside the window.
    pub outside: u64,
    /// Values that their column could not hold.
    pub set_aside: u64,
    /// Keys without a column.
    pub unknown: BTreeSet<String>,
}
