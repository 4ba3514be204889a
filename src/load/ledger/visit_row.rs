//! The row of a visit in `pulls`, read back: what the visit found, owes and took.

use jiff::Timestamp;

use super::visit::{Outcome, Owed};
use crate::transform::row::Row;

/// What is read from the row of a visit. Counts that the row lacks are zero.
#[derive(Clone, Debug)]
pub struct VisitRow {
    /// The event.
    pub event_id: i64,
    /// When the visit began.
    pub pulled_at: Timestamp,
    /// How it ended; `None` if the row has a word that this program does not know.
    pub outcome: Option<Outcome>,
    /// What the next visit had to ask for again.
    pub owed: Owed,
    /// Requests to the vendor, including retries.
    pub requests: u64,
    /// How long it took.
    pub milliseconds: u64,
    /// Records that no table can hold.
    pub rejects: u64,
    /// Cells that had less than at the visit before.
    pub fewer: u64,
    /// What differs; `None` if the visit compared nothing: like most, it had no snapshot that has everything, or it owed a day.
    pub compared: Option<Compared>,
}

/// What a visit found when it compared its answers with each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Compared {
    /// Settled days whose windows differ from the snapshot.
    pub days_differing: u64,
    /// Whether the sums over the viewer details differ from those over the viewings.
    pub sums_differ: bool,
}

impl VisitRow {
    /// Reads a row of `pulls`; `None` if it does not say which visit it is about.
    #[must_use]
    pub fn read(row: &Row<'_>) -> Option<Self> {
        let count = |column: &str| u64::try_from(row.number(column).unwrap_or_default()).unwrap_or_default();
        let owed = row.text("owed").and_then(|names| serde_json::from_str::<Vec<String>>(&names).ok());
        Some(Self {
            event_id: row.number("event_id")?,
            pulled_at: row.instant("pulled_at")?,
            outcome: Outcome::of_row(row),
            owed: Owed::of_names(&owed.unwrap_or_default()),
            requests: count("requests"),
            milliseconds: count("milliseconds"),
            rejects: count("rejects"),
            fewer: count("fewer"),
            compared: row.number("days_checked").map(|_| Compared::read(row)),
        })
    }
}

impl Compared {
    fn read(row: &Row<'_>) -> Self {
        let differ = |details: &str, sessions: &str| row.number(details) != row.number(sessions);
        let days = row.number("days_differing").unwrap_or_default();
        Self {
            days_differing: u64::try_from(days).unwrap_or_default(),
            sums_differ: differ("detail_seconds", "session_seconds")
                || differ("detail_live_times", "session_live_times")
                || differ("detail_replay_times", "session_replay_times"),
        }
    }
}
