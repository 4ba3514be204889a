//! The ledger of one event: what is known, owed and done. Pure, but for `ledgers` and `cursor`, which read and write documents,
//! and `recover`, which rebuilds ledgers from the lake.

pub mod answers;
mod closing;
pub mod complete;
pub mod cursor;
mod due;
mod fold;
pub mod health;
pub mod ledgers;
mod places;
pub mod recover;
pub mod visit;
pub mod visit_row;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use self::answers::{DayAnswer, SnapshotAnswer};
use self::visit::{Outcome, Owed};
use crate::calendar::Zone;
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
    /// Up to when all days have been asked for, except those that are owed.
    pub through: Option<Timestamp>,
    /// The last answer for each day that has rows, or had some before.
    pub days: BTreeMap<Date, DayAnswer>,
    /// The last snapshot.
    pub snapshot: Option<SnapshotAnswer>,
    /// What the next visit has to ask for again.
    pub owed: Owed,
    /// Failed visits since the last one that did not fail.
    pub failures: u32,
    /// Visits since the last one that was complete.
    #[serde(default)]
    pub unfinished: u32,
    /// Number of visits that failed since the last one that was complete, or was cut off after it had brought a day. Others that were
    /// cut off, or could not reach the vendor, do not count.
    #[serde(default)]
    pub in_vain: u32,
    /// When the last visit that was complete began.
    pub last_good_visit: Option<Timestamp>,
    /// When the last plan of chosen days that visited the event was made; none if there was no such plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_at: Option<Timestamp>,
    /// Whether the vendor has answered for the event before, but no longer knows it.
    #[serde(default)]
    pub is_gone: bool,
    /// When it had begun, or may have, before it was moved to a later time; none if it was not. Whoever came until then is in the
    /// vendor's report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_at: Option<Timestamp>,
    /// Why the event is no longer visited; none while it is visited.
    pub closed: Option<Closing>,
}

/// Why an event is no longer visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    /// Past the horizon with nothing owed.
    Complete,
    /// Given up past the horizon with something missing: visits failed several times, or no end became known.
    Incomplete,
    /// Cancelled before it began, without a known end, or without any answer of the vendor's.
    Cancelled,
}

impl Ledger {
    /// The key under which it belongs.
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

    /// Updates the event to how the vendor now describes it, unless that is how it was before an edit that is known. A closed event
    /// that now ends later, or is no longer cancelled, is visited again; an event that was cancelled before it began, and never
    /// visited, is closed.
    pub fn describe(&mut self, event: &Event) {
        if event.is_older_than(&self.event) {
            return;
        }
        let (is_restored, was_deleted) = (self.closed == Some(Closing::Cancelled), self.was_deleted());
        let event = event.clone().completed_by(&self.event);
        // One that was closed is held anew.
        let is_moved_later = self.closed.is_none() && event.start_time > self.event.start_time;
        let had_begun =
            self.event.start_time.filter(|start| is_moved_later && event.modify_time >= Some(*start));
        self.began_at = self.began_at.or(had_begun);
        let ends_later = event.end_time > self.event.end_time;
        self.event = event;
        let was_cancelled = self.was_cancelled_before_start();
        let stays_deleted = was_deleted && self.event.is_cancelled();
        if (ends_later || is_restored && !stays_deleted) && !was_cancelled {
            self.closed = None;
        }
        if was_cancelled && self.last_visit.is_none() {
            self.closed = Some(Closing::Cancelled);
        }
    }

    /// The first day on which it was to take place: its own, unless it had begun before it was moved.
    #[must_use]
    pub fn first_day(&self, zone: &Zone, event_day: Date) -> Date {
        self.began_at.map_or(event_day, |began_at| zone.day_of(began_at).min(event_day))
    }

    /// Whether the event was cancelled before it began, so that nobody can have come.
    #[must_use]
    pub fn was_cancelled_before_start(&self) -> bool {
        self.event.was_cancelled_before_start() && self.began_at.is_none()
    }

    /// Notes that a user accepts fewer rows for a day. This has to be in the ledger before a cell with the acceptance is staged:
    /// if the visit is killed after that, the answers of later visits would otherwise lose against the cell in the lake. The
    /// day is owed until it is answered.
    pub fn accept_day(&mut self, day: Date, accepted_at: Timestamp) {
        let known = self.days.entry(day).or_insert(DayAnswer::unanswered(accepted_at));
        if known.accepted_at < Some(accepted_at) {
            known.accepted_at = Some(accepted_at);
            self.owed.days.insert(day);
        }
    }

    /// Like [`Ledger::accept_day`], for the snapshot.
    pub fn accept_snapshot(&mut self, accepted_at: Timestamp) {
        let known = self.snapshot.get_or_insert(SnapshotAnswer::unanswered(accepted_at));
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
    use std::collections::BTreeSet;

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
            asked: BTreeSet::new(),
            has_asked_all: true,
            outcome,
            is_unknown: false,
            is_chosen: false,
            planned_at: None,
        }
    }

    #[test]
    fn an_event_is_reopened_by_a_later_end_and_moved_without_moving_its_day() {
        let mut ledger = ledger();
        ledger.fold(&visit(31 * 24, Outcome::Complete), HORIZON);
        assert_eq!(ledger.closed, Some(Closing::Complete));
        let edited = Event { title: Some("new".into()), ..ledger.event.clone() };
        ledger.describe(&edited);
        assert_eq!(ledger.closed, Some(Closing::Complete), "another title is no reason");
        let moved = Event { end_time: Some(at(40 * 24)), ..edited };
        ledger.describe(&moved);
        assert_eq!(ledger.closed, None);
        assert_eq!(ledger.event_day, Some("2022-10-26".parse().unwrap()));
        assert_eq!(ledger.due_at(HORIZON, at(39 * 24)), None, "it has not ended");
        assert!(ledger.due_at(HORIZON, at(40 * 24)).is_some());
    }

    #[test]
    fn an_entry_that_names_little_takes_nothing_away() {
        let mut known = ledger();
        let whole = Event {
            title: Some("launch".into()),
            host_id: Some("88589655".into()),
            modify_time: Some(at(-100)),
            ..known.event.clone()
        };
        known.describe(&whole);
        known.describe(&Event { status: Some("cancelled".into()), ..Event::unknown(whole.event_id) });
        let expected = Event { status: Some("cancelled".into()), modify_time: None, ..whole };
        assert_eq!(known.event, expected);
        assert_eq!(known.closed, None, "an older edit does not say that it was cancelled before it began");
    }

    #[test]
    fn an_event_that_is_moved_after_it_has_begun_is_not_cancelled_before_it_began() {
        for (moved_at, began_at, closed) in
            [(-1, None, Some(Closing::Cancelled)), (0, Some(at(0)), None), (1, Some(at(0)), None)]
        {
            let mut ledger = Ledger::new(Event { start_time: Some(at(0)), ..ledger().event }, at(-48));
            let later = Event {
                start_time: Some(at(96)),
                end_time: Some(at(97)),
                modify_time: Some(at(moved_at)),
                ..ledger.event.clone()
            };
            ledger.describe(&later);
            assert_eq!(ledger.began_at, began_at, "{moved_at}");
            let cancelled =
                Event { status: Some("cancelled".into()), modify_time: Some(at(48)), ..later.clone() };
            ledger.describe(&cancelled);
            assert_eq!(ledger.closed, closed, "{moved_at}");
        }
        for closing in [Closing::Cancelled, Closing::Complete] {
            let mut ledger = Ledger { closed: Some(closing), ..ledger() };
            let moved = Event {
                start_time: Some(at(96)),
                end_time: Some(at(97)),
                modify_time: Some(at(1)),
                ..ledger.event.clone()
            };
            ledger.describe(&moved);
            assert_eq!((ledger.began_at, ledger.closed), (None, None), "it was not waited for any more");
        }
    }

    #[test]
    fn an_event_that_is_cancelled_before_it_begins_is_closed_unless_it_was_visited() {
        let cancelled = Event {
            status: Some("cancelled".into()),
            start_time: Some(at(-1)),
            modify_time: Some(at(-2)),
            ..ledger().event
        };
        let mut never = ledger();
        never.describe(&cancelled);
        assert_eq!(never.closed, Some(Closing::Cancelled));
        never.describe(&Event { status: Some("created".into()), ..cancelled.clone() });
        assert_eq!(never.closed, None, "it was restored");
        let mut visited = ledger();
        visited.fold(&visit(1, Outcome::Complete), HORIZON);
        visited.describe(&cancelled);
        assert_eq!(visited.closed, None);
        let mut later = ledger();
        later.describe(&Event { modify_time: Some(at(0)), ..cancelled });
        assert_eq!(later.closed, None, "somebody may have come before");
    }
}
