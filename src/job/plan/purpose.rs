//! What a plan is made for.

/// What a plan is made for: that decides what it writes and what it keeps in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::job) enum Purpose {
    /// To be shown.
    Show,
    /// To be put into the store as the items of a fan-out.
    Items,
    /// To be pulled by this run.
    Pull,
}

impl Purpose {
    /// Whether the plan writes what the rosters list into the ledgers. Otherwise it writes nothing, and keeps the ledgers of due
    /// events in memory, for what is shown of them.
    pub(super) fn writes_ledgers(self) -> bool {
        self != Self::Show
    }
}
