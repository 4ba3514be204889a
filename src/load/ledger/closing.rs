//! When an event is no longer visited: once the last day of its horizon has settled and nothing is to be asked for again, or there
//! is no hope left. Pure.

use jiff::{SignedDuration, Timestamp};

use super::visit::{Outcome, Visit};
use super::{Closing, Ledger};

/// Failed visits in a row after which an event that is past its horizon is closed although something is owed. A visit that was
/// cut off and brought no day does not break the row: if the vendor answers nothing, the time may run out in two visits of three.
const LAST_TRIES: u32 = 3;
/// How long such an event must have waited in vain past its horizon: neither an outage nor a user who may not see it yet is a
/// reason to give it up. There is no such wait if the vendor has answered for the event before and no longer knows it.
const LAST_WAIT: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Ledger {
    /// Whether an instant lies past the event's horizon, which begins with its end, or with its beginning if the end is unknown.
    #[must_use]
    pub fn is_past_horizon(&self, horizon: SignedDuration, now: Timestamp) -> bool {
        now.duration_since(self.end()) >= horizon
    }

    /// Whether the event has begun, was not cancelled, and has no known end: until that is known, or its horizon is over, it is
    /// visited only if a user chooses it.
    #[must_use]
    pub fn lacks_end(&self, now: Timestamp) -> bool {
        self.is_endless(now) && !self.event.is_cancelled()
    }

    /// Closes the event if it is past its horizon, its end is still unknown, and no user had it visited.
    pub fn give_up_without_end(&mut self, horizon: SignedDuration, now: Timestamp) {
        if self.is_endless(now) && self.is_past_horizon(horizon, now) && self.last_visit.is_none() {
            let is_cancelled = self.event.is_cancelled();
            self.closed = Some(if is_cancelled { Closing::Cancelled } else { Closing::Incomplete });
        }
    }

    /// Whether the event has ended; or whether it is past its horizon, its end is still unknown, and a user had it visited: one
    /// more visit then closes it.
    pub(super) fn comes_due(&self, horizon: SignedDuration, now: Timestamp) -> bool {
        let is_to_be_closed = || self.is_past_horizon(horizon, now) && self.last_visit.is_some();
        self.event.has_ended(now) || self.is_endless(now) && is_to_be_closed()
    }

    fn is_endless(&self, now: Timestamp) -> bool {
        let Self { event, closed, .. } = self;
        closed.is_none() && event.end_time.is_none() && !event.has_ended(now) && self.begins() <= now
    }

    /// When the event begins, or when it was first heard of, whichever is later.
    pub(super) fn begins(&self) -> Timestamp {
        self.event.start_time.map_or(self.first_seen, |start| start.max(self.first_seen))
    }

    /// Why this visit, which is already in the ledger, closes the event; `None` if it does not.
    pub(super) fn closing(&self, visit: &Visit, horizon: SignedDuration) -> Option<Closing> {
        // An earlier visit does not close what a later one left open.
        if self.last_visit > Some(visit.pulled_at) {
            return None;
        }
        if visit.outcome == Outcome::Failed && self.is_deleted(visit) {
            return Some(Closing::Deleted);
        }
        if !self.is_past_horizon(horizon, visit.pulled_at) {
            return None;
        }
        let is_settled = visit.closes_from.is_some_and(|from| from <= visit.pulled_at);
        match visit.outcome {
            Outcome::Complete if is_settled && !self.waits() => Some(Closing::Complete),
            Outcome::Failed if self.is_given_up(visit, horizon) => Some(Closing::Incomplete),
            _ => None,
        }
    }

    /// Whether the next visit is to ask for something: what is owed, and what was answered without arrays for the first time.
    fn waits(&self) -> bool {
        let lacks_viewers = self.snapshot.is_some_and(|snapshot| snapshot.without_viewers == 1);
        self.owed.snapshot || lacks_viewers || !self.days_to_ask_for().is_empty()
    }

    /// Whether this visit was due, not chosen by a user, and failed or was cut off while another one was complete and closed the
    /// event.
    pub(super) fn is_beside_the_last(&self, visit: &Visit) -> bool {
        self.closed == Some(Closing::Complete) && !visit.is_chosen && visit.outcome != Outcome::Complete
    }

    /// Whether a user asked for a closed event that lacks nothing, and the vendor no longer knew it and answered nothing.
    pub(super) fn is_in_vain(&self, visit: &Visit) -> bool {
        let lacks_nothing = self.closed == Some(Closing::Complete) && self.owed.is_empty();
        let has_answers = !visit.days.is_empty() || visit.snapshot.is_some();
        lacks_nothing && visit.is_chosen && visit.is_unknown && !has_answers
    }

    /// Whether the event was cancelled, the vendor has answered nothing for it in any visit, and, after all that time, does not
    /// know it: it was deleted.
    fn is_deleted(&self, visit: &Visit) -> bool {
        let has_answers = self.last_good_visit.is_some() || !self.days.is_empty() || self.snapshot.is_some();
        let has_waited = visit.pulled_at.duration_since(self.waits_since()) >= LAST_WAIT;
        let is_gone = visit.is_unknown && has_waited;
        self.event.is_cancelled() && !has_answers && self.in_vain >= LAST_TRIES && is_gone
    }

    /// Whether a failed visit past the horizon is the last one.
    fn is_given_up(&self, visit: &Visit, horizon: SignedDuration) -> bool {
        let past = visit.pulled_at.duration_since(self.end()).saturating_sub(horizon);
        let waited = visit.pulled_at.duration_since(self.waits_since()).min(past);
        let is_gone = visit.is_unknown && self.last_good_visit.is_some();
        self.in_vain >= LAST_TRIES && (is_gone || waited >= LAST_WAIT)
    }
}

#[cfg(test)]
mod tests {
    use super::super::answers::{DayAnswer, SnapshotAnswer};
    use super::super::tests::{HORIZON, at, ledger, visit};
    use super::super::visit::Owed;
    use super::*;
    use crate::transform::event::Event;

    #[test]
    fn an_end_is_awaited_once_an_event_has_begun_unless_it_is_known_to_be_over() {
        let event = || Event { start_time: Some(at(0)), ..Event::unknown(1) };
        let ledger = |event| Ledger::new(event, at(-48));
        let (given_up, cancelled) = (Some(Closing::Incomplete), Some(Closing::Cancelled));
        for (ledger, lacks_end, past_its_horizon, what) in [
            (ledger(event()), true, given_up, "it has begun"),
            (ledger(Event::unknown(1)), true, given_up, "nothing is known of it"),
            (ledger(Event { start_time: Some(at(2)), ..event() }), false, given_up, "it is yet to come"),
            (ledger(Event { start_time: Some(at(900)), ..event() }), false, None, "much later"),
            (ledger(Event { end_time: Some(at(9)), ..event() }), false, None, "its end is known"),
            (ledger(Event { status: Some("ended".into()), ..event() }), false, None, "it is over"),
            (
                ledger(Event { status: Some("cancelled".into()), ..event() }),
                false,
                cancelled,
                "it was cancelled",
            ),
        ] {
            assert_eq!(ledger.lacks_end(at(1)), lacks_end, "{what}");
            let closed = |hours: i64| {
                let mut later = ledger.clone();
                later.give_up_without_end(HORIZON, at(hours));
                later.closed
            };
            assert_eq!(closed(30 * 24 + 2), past_its_horizon, "{what}");
            assert_eq!(closed(30 * 24 - 49), None, "{what}");
        }
        let mut complete = Ledger { closed: Some(Closing::Complete), ..ledger(event()) };
        complete.give_up_without_end(HORIZON, at(1000));
        assert_eq!((complete.closed, complete.lacks_end(at(1))), (Some(Closing::Complete), false));
    }

    #[test]
    fn a_cancelled_event_that_the_vendor_does_not_know_is_given_up_after_a_week() {
        let cancelled = Event { status: Some("cancelled".into()), ..ledger().event };
        let deleted = Some(Closing::Deleted);
        for (event, answered, is_unknown, hours, closed) in [
            (cancelled.clone(), false, true, [1, 2, 7 * 24], deleted),
            (cancelled.clone(), false, true, [1, 2, 3], None),
            (cancelled.clone(), false, false, [1, 2, 7 * 24], None),
            (cancelled, true, true, [1, 2, 7 * 24], None),
            (ledger().event, false, true, [1, 2, 7 * 24], None),
        ] {
            let mut ledger = Ledger { event, ..ledger() };
            if answered {
                ledger.fold(&visit(0, Outcome::Complete), HORIZON);
            }
            for hour in hours {
                assert_eq!(ledger.closed, None, "{hour}");
                ledger.fold(&Visit { is_unknown, ..visit(hour, Outcome::Failed) }, HORIZON);
            }
            assert_eq!(ledger.closed, closed, "{answered} {is_unknown} {hours:?}");
            if closed == deleted {
                ledger.describe(&ledger.event.clone());
                assert_eq!(ledger.closed, deleted, "listed once more");
                let mut answered = ledger.clone();
                answered.fold(&visit(8 * 24, Outcome::Complete), HORIZON);
                assert_eq!(answered.closed, deleted, "it was answered that there is nothing");
                let snapshot = Some(SnapshotAnswer::empty(at(8 * 24)));
                answered.fold(&Visit { snapshot, ..visit(8 * 24, Outcome::Complete) }, HORIZON);
                assert_eq!(answered.closed, None, "the vendor knows it after all");
                ledger.describe(&Event { status: None, ..ledger.event.clone() });
                assert_eq!(ledger.closed, None, "held after all");
            }
        }
    }

    #[test]
    fn an_event_without_an_end_visited_on_request_is_closed_by_one_more_visit_past_its_horizon() {
        let begun = Event { start_time: Some(at(0)), ..Event::unknown(1) };
        let mut ledger = Ledger::new(begun, at(-90 * 24));
        ledger.fold(&Visit { is_chosen: true, ..visit(1, Outcome::Complete) }, HORIZON);
        assert_eq!(ledger.closed, None, "its horizon has just begun, however long it has been known");
        for hours in [2, 30 * 24 - 1] {
            assert_eq!(ledger.due_at(HORIZON, at(hours)), None, "{hours}");
        }
        ledger.give_up_without_end(HORIZON, at(30 * 24));
        assert_eq!(ledger.closed, None);
        assert_eq!(ledger.due_at(HORIZON, at(31 * 24)), Some(at(30 * 24)));
        ledger.fold(&visit(30 * 24, Outcome::Complete), HORIZON);
        assert_eq!(ledger.closed, Some(Closing::Complete));
    }

    #[test]
    fn a_complete_visit_closes_an_event_once_the_last_day_of_its_horizon_has_settled() {
        let closed = |visit: &Visit| {
            let mut ledger = ledger();
            ledger.fold(visit, HORIZON);
            ledger.closed
        };
        for (closes_from, expected) in [
            (None, None),
            (Some(at(721)), None),
            (Some(at(720)), Some(Closing::Complete)),
            (Some(at(0)), Some(Closing::Complete)),
        ] {
            let visit = Visit { closes_from, ..visit(720, Outcome::Complete) };
            assert_eq!(closed(&visit), expected, "{closes_from:?}");
        }
    }

    #[test]
    fn the_first_complete_visit_past_the_horizon_closes_an_event() {
        let mut complete = ledger();
        complete.fold(&visit(30 * 24 - 1, Outcome::Complete), HORIZON);
        assert_eq!(complete.closed, None);
        complete.fold(&visit(30 * 24, Outcome::Complete), HORIZON);
        assert_eq!(complete.closed, Some(Closing::Complete));
        assert_eq!(complete.due_at(HORIZON, at(10_000)), None);
    }

    #[test]
    fn a_closed_event_stays_closed_when_a_visit_around_the_same_time_fails() {
        let closed = Some(Closing::Complete);
        for (hours, is_chosen, outcome) in
            [(1, false, Outcome::Complete), (-1, false, Outcome::Complete), (1, true, Outcome::Failed)]
        {
            let mut ledger = ledger();
            ledger.fold(&visit(31 * 24, Outcome::Complete), HORIZON);
            assert_eq!(ledger.closed, closed);
            for _ in 0..2 {
                let beside = Visit { is_chosen, ..visit(31 * 24 + hours, Outcome::Failed) };
                ledger.fold(&beside, HORIZON);
                assert_eq!((ledger.closed, ledger.outcome()), (closed, outcome), "{hours} {is_chosen}");
                assert_eq!((ledger.owed.snapshot, ledger.failures > 0), (is_chosen, is_chosen));
            }
        }
    }

    #[test]
    fn an_earlier_visit_does_not_close_an_event_that_a_later_one_left_open() {
        let mut ledger = ledger();
        ledger.fold(&Visit { owed: Owed::default(), ..visit(31 * 24 + 1, Outcome::Failed) }, HORIZON);
        ledger.fold(&visit(31 * 24, Outcome::Complete), HORIZON);
        assert_eq!((ledger.closed, ledger.owed.is_empty()), (None, true));
        ledger.fold(&visit(31 * 24 + 2, Outcome::Complete), HORIZON);
        assert_eq!(ledger.closed, Some(Closing::Complete));
    }

    #[test]
    fn past_the_horizon_an_event_is_given_up_after_three_failures_and_a_week_or_sooner_if_it_is_gone() {
        let day = |day: i64| 24 * day;
        let unknown = |hours| Visit { is_unknown: true, ..visit(hours, Outcome::Failed) };
        let failed = |hours| visit(hours, Outcome::Failed);
        let left = |hours| visit(hours, Outcome::Left);
        let onward = |hours| {
            let days = [("2022-10-26".parse().unwrap(), DayAnswer::empty(at(hours)))].into();
            Visit { days, ..left(hours) }
        };
        let complete = |hours| visit(hours, Outcome::Complete);
        // When it was first heard of, its visits, and whether the last of them closes it.
        for (first_seen, visits, is_closed) in [
            (0, vec![failed(day(36)), failed(day(37) - 1)], false),
            (0, vec![failed(day(35)), failed(day(36)), failed(day(37) - 1)], false),
            (0, vec![failed(day(35)), failed(day(36)), failed(day(37))], true),
            (0, vec![failed(day(40)), failed(day(41))], false),
            (0, vec![complete(day(29)), failed(day(31)), failed(day(32)), failed(day(33))], false),
            (0, vec![failed(day(28)), failed(day(29)), failed(day(30))], false),
            (day(300), vec![failed(day(300)), failed(day(300) + 1), failed(day(300) + 3)], false),
            (day(300), vec![failed(day(300)), failed(day(306)), failed(day(307))], true),
            (0, vec![unknown(day(30)), unknown(day(30) + 1), unknown(day(30) + 3)], false),
            (0, vec![unknown(day(30)), unknown(day(36)), unknown(day(37))], true),
            (0, vec![complete(day(29)), unknown(day(30)), unknown(day(30) + 1)], false),
            (0, vec![complete(day(29)), unknown(day(30)), unknown(day(30) + 1), unknown(day(30) + 3)], true),
            // Where the vendor answers nothing, visits are cut off, until not even the shortest window is answered in time.
            (0, vec![left(day(35)), left(day(36)), failed(day(37))], false),
            (0, vec![failed(day(34)), left(day(35)), failed(day(36)), left(day(37)), failed(day(38))], true),
            (0, vec![failed(day(34)), failed(day(35)), left(day(37))], false),
            (0, vec![failed(day(34)), failed(day(35)), onward(day(36)), failed(day(38))], false),
        ] {
            let mut ledger = Ledger { first_seen: at(first_seen), ..ledger() };
            for visit in &visits {
                assert_eq!(ledger.closed, None, "{first_seen} {visits:?}");
                ledger.fold(visit, HORIZON);
            }
            assert_eq!(ledger.closed, is_closed.then_some(Closing::Incomplete), "{first_seen} {visits:?}");
        }
    }
}
