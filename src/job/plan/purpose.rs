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
    /// Whether the plan writes what the rosters list into the ledgers; otherwise it writes nothing.
    pub(super) fn writes_ledgers(self) -> bool {
        self != Self::Show
    }

    /// Whether the ledgers of due events are kept in memory, for what is shown of them. Nothing else needs that: each visit reads
    /// its event's ledger when it begins.
    pub(super) fn keeps_ledgers(self) -> bool {
        !self.writes_ledgers()
    }
}
