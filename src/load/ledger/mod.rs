//! The ledger of one event: what is known, owed and done. Pure, but for `ledgers`, `places` and `cursor`, which read and write
//! documents, and `recover`, which rebuilds ledgers from the lake and from what is staged.

pub mod answers;
mod closing;
pub mod complete;
pub mod cursor;
mod describe;
mod due;
mod fold;
pub mod health;
pub mod ledgers;
mod places;
pub mod recover;
mod recovered_event;
pub mod visit;
pub mod visit_row;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use self::answers::{DayAnswer, SnapshotAnswer};
use self::visit::{Outcome, Owed};
use crate::load::{FORMAT, keys};
use crate::transform::event::Event;

/// The document of one event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// Format of the document.
    pub format: u32,
    /// The event as the vendor last described it.
    pub event: Event,
    /// When the event was first heard of.
    pub first_seen: Timestamp,
    /// The day that its rows of `events` and `viewer_details` lie in; fixed when the event is heard of after its end, or at the
    /// first visit.
    pub event_day: Option<Date>,
    /// When the last visit began.
    pub last_visit: Option<Timestamp>,
    /// The time up to which all days have been asked for, except those that are owed.
    pub through: Option<Timestamp>,
    /// The last answer for each day that has rows, had some before, or may have fewer because a user accepts that.
    pub days: BTreeMap<Date, DayAnswer>,
    /// The last snapshot.
    pub snapshot: Option<SnapshotAnswer>,
    /// What the next visit has to ask for again.
    pub owed: Owed,
    /// For each day whose answers lacked data that the day may have, the number of such visits since the day last had rows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub blank: BTreeMap<Date, u32>,
    /// For each settled day whose last answer lacked arrays, without a snapshot that tells whether it has records: the number of
    /// such answers in a row. After the first, the next visit asks for the day once more; after the second, it is believed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lacked: BTreeMap<Date, u32>,
    /// Failed visits since the last one that did not fail.
    pub failures: u32,
    /// Visits since the last one that was complete.
    #[serde(default)]
    pub unfinished: u32,
    /// Failed visits since the last one that was complete, or that brought a day before it was cut off. Other visits that were
    /// cut off, or could not reach the vendor, change nothing here.
    #[serde(default)]
    pub in_vain: u32,
    /// When the last visit that was complete began.
    pub last_good_visit: Option<Timestamp>,
    /// When the last plan of chosen days that visited the event was made; `None` if there was no such plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_at: Option<Timestamp>,
    /// Whether the vendor has answered for the event before, but no longer knows it.
    #[serde(default)]
    pub is_gone: bool,
    /// When the event began, or may have begun, before it was moved to a later time; `None` if it was not moved after that.
    /// Whoever came until then is in the vendor's report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_at: Option<Timestamp>,
    /// Why the event is no longer visited; `None` while it is visited.
    pub closed: Option<Closing>,
}

/// Why an event is no longer visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    /// Past the horizon with nothing to ask for again.
    Complete,
    /// Given up past the horizon with something missing: visits failed several times, or no end became known.
    Incomplete,
    /// Cancelled before it began, or without a known end.
    Cancelled,
    /// Cancelled, never answered for by the vendor, and no longer known to it.
    Deleted,
}

impl Ledger {
    /// The key under which the document belongs.
    pub(super) fn home(&self) -> String {
        let event_id = self.event.event_id;
        if self.closed.is_some() { keys::closed(event_id) } else { keys::active(event_id) }
    }

    /// The ledger of an event that is heard of for the first time.
    #[must_use]
    pub fn new(event: Event, now: Timestamp) -> Self {
        Self {
            format: FORMAT,
            event,
            first_seen: now,
            event_day: None,
            last_visit: None,
            through: None,
            days: BTreeMap::new(),
            snapshot: None,
            owed: Owed::default(),
            blank: BTreeMap::new(),
            lacked: BTreeMap::new(),
            failures: 0,
            unfinished: 0,
            in_vain: 0,
            last_good_visit: None,
            planned_at: None,
            is_gone: false,
            began_at: None,
            closed: None,
        }
    }

    /// The days that the next visit asks for whatever has changed: those that are owed, and those whose last answer was the first
    /// in a row to lack arrays.
    #[must_use]
    pub fn days_to_ask_for(&self) -> BTreeSet<Date> {
        let lacked_once = self.lacked.iter().filter(|(_, answers)| **answers == 1).map(|(day, _)| *day);
        &self.owed.days | &lacked_once.collect()
    }

    /// Notes that a user accepts fewer rows for a day. This has to be in the ledger before a cell with the acceptance is staged:
    /// if the visit is killed after that, the answers of later visits would otherwise lose against the cell in the lake. The
    /// day is owed until it is answered.
    pub fn accept_day(&mut self, day: Date, accepted_at: Timestamp) {
        let awaited = DayAnswer { is_awaited: true, ..DayAnswer::empty(accepted_at) };
        let known = self.days.entry(day).or_insert(awaited);
        if known.accepted_at < Some(accepted_at) {
            known.accepted_at = Some(accepted_at);
            self.owed.days.insert(day);
        }
    }

    /// Like [`Ledger::accept_day`], for the snapshot.
    pub fn accept_snapshot(&mut self, accepted_at: Timestamp) {
        let awaited = SnapshotAnswer { is_awaited: true, ..SnapshotAnswer::empty(accepted_at) };
        let known = self.snapshot.get_or_insert(awaited);
        if known.accepted_at < Some(accepted_at) {
            known.accepted_at = Some(accepted_at);
            self.owed.snapshot = true;
        }
    }

    /// When the event ends; if that is unknown, when it begins.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.event.end_time.unwrap_or_else(|| self.begins())
    }

    /// How the last visit ended. An event that was closed with nothing missing stays complete when the vendor has forgotten it.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match (self.failures, self.unfinished) {
            _ if self.closed == Some(Closing::Complete) && self.owed.is_empty() => Outcome::Complete,
            (0, 0) => Outcome::Complete,
            (0, _) => Outcome::Left,
            (_, _) => Outcome::Failed,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use jiff::SignedDuration;

    use super::visit::Visit;
    use super::*;

    pub(in crate::load) const HORIZON: SignedDuration = SignedDuration::from_hours(30 * 24);

    pub(in crate::load) fn at(hours: i64) -> Timestamp {
        "2022-10-26T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
    }

    pub(in crate::load) fn ledger() -> Ledger {
        Ledger::new(Event { end_time: Some(at(0)), ..Event::unknown(1) }, at(-48))
    }

    pub(in crate::load) fn visit(hours: i64, outcome: Outcome) -> Visit {
        Visit {
            pulled_at: at(hours),
            event_day: Some("2022-10-26".parse().unwrap()),
            days: BTreeMap::new(),
            snapshot: None,
            owed: Owed { snapshot: outcome != Outcome::Complete, ..Owed::default() },
            blank: BTreeSet::new(),
            lacking: BTreeMap::new(),
            believed: BTreeSet::new(),
            asked: BTreeSet::new(),
            has_asked_all: true,
            outcome,
            closes_from: Some(at(0)),
            is_unknown: false,
            is_chosen: false,
            planned_at: None,
        }
    }
}
