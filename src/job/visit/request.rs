//! What is requested of the vendor in one go.

use jiff::civil::Date;

use crate::error::{Error, Kind};
use crate::extract::window::Window;
use crate::load::cell::Source;

/// What is requested in one go: its answers are used together, or not at all.
#[derive(Clone, Copy, Debug)]
pub(super) enum Request<'a> {
    /// These windows, which make up this day.
    Day(Date, &'a [Window]),
    /// All of the event so far; its rows lie in this day.
    Snapshot(Date),
}

impl<'a> Request<'a> {
    /// The day that the rows of the answers lie in.
    pub(super) fn day(self) -> Date {
        match self {
            Self::Day(day, _) | Self::Snapshot(day) => day,
        }
    }

    pub(super) fn source(self) -> Source {
        match self {
            Self::Day(..) => Source::Windows,
            Self::Snapshot(_) => Source::Snapshot,
        }
    }

    /// The windows; none for the snapshot.
    pub(super) fn windows(self) -> &'a [Window] {
        match self {
            Self::Day(_, windows) => windows,
            Self::Snapshot(_) => &[],
        }
    }

    /// The range of each answer; `None` for the one that has no range.
    pub(super) fn ranges(self) -> Vec<Option<Window>> {
        match self {
            Self::Day(_, windows) => windows.iter().copied().map(Some).collect(),
            Self::Snapshot(_) => vec![None],
        }
    }

    /// Whether shorter windows may be answered where this failed.
    pub(super) fn needs_shorter_windows(self, error: &Error) -> bool {
        matches!(self, Self::Day(..)) && matches!(error.kind(), Kind::TooLarge | Kind::Timeout)
    }
}
