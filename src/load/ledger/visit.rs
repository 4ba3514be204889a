//! What a visit leaves in the ledger: the answers it got, what it owes, and how it ended.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::answers::{DayAnswer, SnapshotAnswer};
use crate::transform::row::Row;

/// What could not be asked for, or failed: the next visit has to ask for it again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// The days that are owed.
    pub days: BTreeSet<Date>,
    /// Whether the snapshot is owed.
    pub snapshot: bool,
    /// For each day that did not fit into one window, the number of windows in which it was last requested. The next visit
    /// starts with as many.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pieces: BTreeMap<Date, u32>,
}

impl Owed {
    /// Whether nothing is owed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.days.is_empty() && !self.snapshot
    }

    /// Strikes off what was answered in a visit; but not a day that was only believed to have no more: if it is owed, another visit
    /// at the same time has learned that there is more.
    pub(super) fn strike(&mut self, visit: &Visit) {
        let is_answered = |day: &Date| {
            visit.asked.contains(day) && !visit.owed.days.contains(day) && !visit.believed.contains(day)
        };
        self.days.retain(|day| !is_answered(day));
        self.snapshot &= visit.snapshot.is_none();
    }

    /// Adds what a visit owes.
    pub(super) fn add(&mut self, owed: &Self) {
        self.days.extend(&owed.days);
        self.pieces.extend(&owed.pieces);
        self.snapshot |= owed.snapshot;
    }

    /// In how many windows a day is asked for at first.
    #[must_use]
    pub fn pieces_of(&self, day: Date) -> u32 {
        self.pieces.get(&day).copied().filter(|pieces| *pieces > 0).unwrap_or(1)
    }

    /// As a list for people: the days, then `snapshot`.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let snapshot = self.snapshot.then(|| "snapshot".to_owned());
        self.days.iter().map(Date::to_string).chain(snapshot).collect()
    }

    /// Parses what [`Owed::names`] returned; skips any other text.
    #[must_use]
    pub fn of_names<'a>(names: impl IntoIterator<Item = &'a String>) -> Self {
        let mut owed = Self::default();
        for name in names {
            owed.snapshot |= name == "snapshot";
            owed.days.extend(name.parse::<Date>());
        }
        owed
    }
}

/// For people: consecutive days are shown as a span.
impl fmt::Display for Owed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut spans: Vec<(Date, Date)> = Vec::new();
        for day in &self.days {
            match spans.last_mut() {
                Some((_, last)) if last.tomorrow().is_ok_and(|next| next == *day) => *last = *day,
                _ => spans.push((*day, *day)),
            }
        }
        let span = |(first, last): (Date, Date)| {
            if first == last { first.to_string() } else { format!("{first} to {last}") }
        };
        let snapshot = self.snapshot.then(|| "snapshot".to_owned());
        f.write_str(&spans.into_iter().map(span).chain(snapshot).collect::<Vec<_>>().join(", "))
    }
}

/// How a visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything that was due was answered.
    Complete,
    /// Something failed.
    Failed,
    /// The deadline came first, or the vendor could not be reached.
    Left,
}

impl Outcome {
    /// Reads the column `outcome` of a row of `pulls` or `events`; `None` if it has a word that this program does not know.
    #[must_use]
    pub fn of_row(row: &Row<'_>) -> Option<Self> {
        let name = row.text("outcome")?;
        [Self::Complete, Self::Failed, Self::Left].into_iter().find(|outcome| outcome.name() == name)
    }

    /// The word in the column `outcome`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Failed => "failed",
            Self::Left => "left",
        }
    }
}

/// What a visit adds to the ledger.
#[derive(Clone, Debug)]
pub struct Visit {
    /// When it began.
    pub pulled_at: Timestamp,
    /// The day of the event; `None` if it is not known yet.
    pub event_day: Option<Date>,
    /// Days that were answered.
    pub days: BTreeMap<Date, DayAnswer>,
    /// The snapshot, if it was answered.
    pub snapshot: Option<SnapshotAnswer>,
    /// What failed or was left.
    pub owed: Owed,
    /// Days whose answers lacked data that the day may have.
    pub blank: BTreeSet<Date>,
    /// Settled days whose answers lacked arrays, without a snapshot that tells whether they have records: each with the number of
    /// such answers in a row, as far as the visit knew when it began.
    pub lacking: BTreeMap<Date, u32>,
    /// Settled days whose answers lacked arrays and were believed, though the snapshot lacked all data, too; except those that the
    /// visit knew to be owed.
    pub believed: BTreeSet<Date>,
    /// All days that were asked for, including those without rows and those that failed.
    pub asked: BTreeSet<Date>,
    /// Whether every day up to the visit was answered or is owed.
    pub has_asked_all: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// When the last day of the event's horizon settles: a complete visit from then on closes the event, unless something is to be
    /// asked for once more. `None` if that is beyond all time.
    pub closes_from: Option<Timestamp>,
    /// Whether the vendor does not know the event.
    pub is_unknown: bool,
    /// Whether a user chose the event, so that it is visited even if it is closed.
    pub is_chosen: bool,
    /// When the plan of chosen days that this visit belongs to was made; `None` if it belongs to no such plan.
    pub planned_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consecutive_days_are_shown_as_a_span() {
        let names = ["2022-10-31", "2022-11-01", "2022-11-02", "2022-11-04", "snapshot"].map(str::to_owned);
        let owed = Owed::of_names(&names);
        assert_eq!(owed.names(), names);
        assert_eq!(owed.to_string(), "2022-10-31 to 2022-11-02, 2022-11-04, snapshot");
        assert_eq!(Owed::default().to_string(), "");
    }
}
