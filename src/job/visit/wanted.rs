//! What is wanted from an answer, depending on what was asked for.

use crate::load::cell::Source;
use crate::transform::decode::DecodeContext;
use crate::transform::tables::Table;

/// What is wanted from the answers: from a day's windows, `lives` and `interactions`; from a snapshot, `viewer_details`, and of
/// the records of the other tables, how many there are on each day.
#[derive(Clone)]
pub(in crate::job) struct Wanted {
    pub(in crate::job) source: Source,
    pub(in crate::job) decode_context: DecodeContext,
}

impl Wanted {
    pub(super) fn counts_days(&self) -> bool {
        self.source == Source::Snapshot
    }

    pub(super) fn tables(&self) -> &'static [Table] {
        match self.source {
            Source::Windows => &[Table::Lives, Table::Interactions],
            Source::Snapshot => &[Table::ViewerDetails],
        }
    }
}
