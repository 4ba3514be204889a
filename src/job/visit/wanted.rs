//! What is wanted from an answer, depending on what was asked for.

use crate::transform::decode::DecodeContext;
use crate::transform::tables::Table;

/// What is wanted from the answers.
#[derive(Clone)]
pub(in crate::job) enum Wanted {
    /// From a day's windows: `lives` and `interactions`.
    Windows(DecodeContext),
    /// From a snapshot: `viewer_details`; records of the other tables are only counted by day.
    Snapshot(DecodeContext),
}

impl Wanted {
    pub(super) fn decode_context(&self) -> &DecodeContext {
        let (Self::Windows(context) | Self::Snapshot(context)) = self;
        context
    }

    /// The word in the column `source` of `rejects`.
    pub(super) fn part(&self) -> &'static str {
        match self {
            Self::Windows(_) => "windows",
            Self::Snapshot(_) => "snapshot",
        }
    }

    pub(super) fn counts_days(&self) -> bool {
        matches!(self, Self::Snapshot(_))
    }

    pub(super) fn tables(&self) -> &'static [Table] {
        match self {
            Self::Windows(_) => &[Table::Lives, Table::Interactions],
            Self::Snapshot(_) => &[Table::ViewerDetails],
        }
    }
}
