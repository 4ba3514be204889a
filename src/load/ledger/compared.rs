//! What a visit found when it compared its answers with each other: read from its row in `pulls`.

use crate::transform::row::Row;

/// What differs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Compared {
    /// Settled days whose windows differ from the snapshot.
    pub days_differing: u64,
    /// Whether the sums of the viewer details are not those of the viewings.
    pub sums_differ: bool,
}

impl Compared {
    /// Reads the row of a visit; none if the visit compared nothing: it had no snapshot, like most visits, or it owed a day.
    #[must_use]
    pub fn of(row: &Row<'_>) -> Option<Self> {
        row.number("days_checked")?;
        let differ = |details: &str, sessions: &str| row.number(details) != row.number(sessions);
        let days = row.number("days_differing").unwrap_or_default();
        Some(Self {
            days_differing: u64::try_from(days).unwrap_or_default(),
            sums_differ: differ("detail_seconds", "session_seconds")
                || differ("detail_live_times", "session_live_times")
                || differ("detail_replay_times", "session_replay_times"),
        })
    }
}
