//! What the visits of a plan will ask of the vendor.

use std::collections::BTreeSet;
use std::ops::AddAssign;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

/// An event to be visited.
#[derive(Debug, Serialize)]
pub struct DueEvent {
    /// The event.
    pub event_id: i64,
    /// Its title.
    pub title: Option<String>,
    /// Its scheduled end.
    pub end_time: Option<Timestamp>,
    /// Why it is visited.
    pub reason: DueBecause,
    /// Since when it has been waiting for a visit.
    pub since: Timestamp,
    /// The last visit.
    pub visited: Option<Timestamp>,
    /// Days that are asked for in any case, one window each.
    pub windows: BTreeSet<Date>,
    /// How many requests that takes.
    pub requests: Requests,
}

/// Why an event is visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DueBecause {
    /// It was never visited.
    New,
    /// The user chose it.
    Chosen,
    /// The last visit failed.
    Failed,
    /// The last visit was cut off.
    Owed,
    /// It is past the horizon: this is its last visit.
    Last,
    /// Replays, or corrections, may have come since the last visit.
    Again,
}

impl DueBecause {
    /// The reason in words, for people.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Chosen => "chosen",
            Self::Failed => "failed before",
            Self::Owed => "cut off before",
            Self::Last => "past the horizon, for the last time",
            Self::Again => "again",
        }
    }
}

/// How many requests are needed: a range, because only the snapshot says which days have rows. Retries, and windows that have to
/// be halved, come on top.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// If nothing is new.
    pub at_least: u64,
    /// If every day that can have rows has some, as far as it is known when the event began.
    pub at_most: u64,
}

impl AddAssign for Requests {
    fn add_assign(&mut self, other: Self) {
        self.at_least += other.at_least;
        self.at_most += other.at_most;
    }
}

/// What all visits of a plan need.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Requests.
    pub requests: Requests,
    /// Seconds that they take, at least and at most.
    pub seconds: (u64, u64),
    /// How long a request took on average in the latest visits; `None` if there were no visits. Then `seconds` is what
    /// `--requests-per-second` allows.
    pub milliseconds_per_request: Option<u64>,
}
