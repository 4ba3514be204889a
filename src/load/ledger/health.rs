//! Events that need a person: those that are overdue, and those that fail again and again.

use std::ops::{AddAssign, SubAssign};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::Ledger;

/// How long an event may wait for a good visit before it is overdue.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// From this number of failed visits in a row on, an event counts as failing.
const PATIENT_VISITS: u32 = 3;

/// How long ago an event must have ended for the vendor to have forgotten it. If the vendor stops knowing it sooner, it is rather
/// an event that the user may no longer see, and somebody has to hear of that.
const LONG_OVER: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Ledger {
    /// Whether the vendor has forgotten the event: it has answered for it before, does not know it any more, and the event ended long
    /// ago.
    #[must_use]
    pub fn is_forgotten(&self, now: Timestamp) -> bool {
        self.is_gone && now.duration_since(self.end()) >= LONG_OVER
    }

    /// Whether the event has been failing since its last visit, and was not before.
    #[must_use]
    pub fn is_newly_failing(&self, now: Timestamp) -> bool {
        self.failures == PATIENT_VISITS && Health::of(self, now).failing > 0
    }

    /// Whether the vendor has forgotten the event and more than three visits in a row have failed: then a further failure need
    /// not be reported.
    #[must_use]
    pub fn is_known_to_be_forgotten(&self, now: Timestamp) -> bool {
        self.is_forgotten(now) && self.failures > PATIENT_VISITS
    }
}

/// Numbers of events that need a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Events that have been waiting for a good visit for more than a day, or that began more than a day ago and have no known
    /// end; without those that are failing.
    pub overdue: u64,
    /// Events whose last three visits, or more, failed.
    pub failing: u64,
}

impl Health {
    /// The numbers for one event. Zero if the event is closed, if the vendor has forgotten it, or if it has not ended yet; an
    /// event that has begun and has no known end counts all the same.
    #[must_use]
    pub fn of(ledger: &Ledger, now: Timestamp) -> Self {
        let lacks_end = ledger.lacks_end(now);
        let is_over = ledger.closed.is_none() && ledger.event.has_ended(now);
        if ledger.is_forgotten(now) || !(is_over || lacks_end) {
            return Self::default();
        }
        let since = if lacks_end {
            // If a user had the event visited nevertheless, it is overdue again a day after that visit.
            ledger.begins().max(ledger.last_good_visit.unwrap_or(Timestamp::MIN))
        } else {
            ledger.waits_since()
        };
        let is_failing = ledger.failures >= PATIENT_VISITS;
        let is_overdue = !is_failing && now.duration_since(since) > PATIENCE;
        Self { overdue: u64::from(is_overdue), failing: u64::from(is_failing) }
    }
}

impl AddAssign for Health {
    fn add_assign(&mut self, other: Self) {
        self.overdue += other.overdue;
        self.failing += other.failing;
    }
}

impl SubAssign for Health {
    fn sub_assign(&mut self, other: Self) {
        self.overdue = self.overdue.saturating_sub(other.overdue);
        self.failing = self.failing.saturating_sub(other.failing);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Closing;
    use super::*;
    use crate::transform::event::Event;

    fn at(hours: i64) -> Timestamp {
        "2022-10-26T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
    }

    fn health(change: impl Fn(&mut Ledger), now: Timestamp) -> (u64, u64) {
        let mut ledger = Ledger::new(Event { end_time: Some(at(0)), ..Event::unknown(1) }, at(-48));
        change(&mut ledger);
        let health = Health::of(&ledger, now);
        (health.overdue, health.failing)
    }

    #[test]
    fn an_event_is_overdue_a_day_after_a_visit_was_due() {
        let visited = |ledger: &mut Ledger| ledger.last_good_visit = Some(at(8));
        assert_eq!(health(|_| {}, at(24)), (0, 0));
        assert_eq!(health(|_| {}, at(25)), (1, 0), "never visited");
        assert_eq!(health(visited, at(34)), (0, 0), "visited 8 h after its end, it was due 2 h later");
        assert_eq!(health(visited, at(35)), (1, 0));
        assert_eq!(health(|ledger| ledger.first_seen = at(100), at(124)), (0, 0), "first heard of only now");
    }

    #[test]
    fn an_event_without_an_end_is_overdue_a_day_after_it_began() {
        let endless =
            |ledger: &mut Ledger| (ledger.event.end_time, ledger.event.start_time) = (None, Some(at(0)));
        let cancelled = |ledger: &mut Ledger| {
            endless(ledger);
            ledger.event.status = Some("cancelled".into());
        };
        for (now, overdue) in [(-1, 0), (24, 0), (25, 1)] {
            assert_eq!(health(endless, at(now)), (overdue, 0), "{now}");
            assert_eq!(health(cancelled, at(now)), (0, 0), "{now}");
        }
        let visited = |ledger: &mut Ledger| {
            endless(ledger);
            ledger.last_good_visit = Some(at(30));
        };
        for (now, overdue) in [(54, 0), (55, 1)] {
            assert_eq!(health(visited, at(now)), (overdue, 0), "{now}");
        }
    }

    #[test]
    fn an_event_counts_as_failing_from_its_third_failed_visit_on_and_then_not_also_as_overdue() {
        for (failures, failing, is_new) in [(0, 0, false), (2, 0, false), (3, 1, true), (4, 1, false)] {
            let failed = |ledger: &mut Ledger| ledger.failures = failures;
            assert_eq!(health(failed, at(1)), (0, failing), "{failures}");
            assert_eq!(health(failed, at(100)), (1 - failing, failing), "{failures}");
            let mut ledger = Ledger::new(Event { end_time: Some(at(0)), ..Event::unknown(1) }, at(-48));
            failed(&mut ledger);
            assert_eq!(ledger.is_newly_failing(at(1)), is_new, "{failures}");
            ledger.is_gone = true;
            let a_week = 7 * 24;
            assert_eq!(ledger.is_newly_failing(at(a_week - 1)), is_new, "{failures}");
            assert!(!ledger.is_newly_failing(at(a_week)));
            assert!(!ledger.is_known_to_be_forgotten(at(a_week - 1)));
            assert_eq!(ledger.is_known_to_be_forgotten(at(a_week)), failures > 3, "{failures}");
        }
    }

    #[test]
    fn an_event_that_is_gone_closed_or_moved_ahead_counts_neither_as_overdue_nor_as_failing() {
        let forgotten = |ledger: &mut Ledger| (ledger.failures, ledger.is_gone) = (9, true);
        let closed = |ledger: &mut Ledger| (ledger.failures, ledger.closed) = (9, Some(Closing::Incomplete));
        let moved = |ledger: &mut Ledger| ledger.event.end_time = Some(at(2000));
        assert_eq!(health(forgotten, at(1000)), (0, 0));
        assert_eq!(health(closed, at(1000)), (0, 0));
        assert_eq!(health(moved, at(1000)), (0, 0));
    }
}
