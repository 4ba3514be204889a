//! What a plan is made for.

/// What a plan is made for: that decides what it writes and what it keeps in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be shown.
    Show,
    /// To be written down as the items of a fan-out.
    Items,
    /// To be pulled by this run.
    Pull,
}

impl Purpose {
    /// Whether what the rosters list goes into the ledgers; nothing is written otherwise.
    pub(super) fn writes_ledgers(self) -> bool {
        self != Self::Show
    }

    /// Whether the ledgers of due events are kept. A visit reads its event's own when it begins.
    pub(super) fn keeps_ledgers(self) -> bool {
        self != Self::Pull
    }
}
