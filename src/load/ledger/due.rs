//! When an event is due: at its end, then less and less often; after failures, with longer and longer pauses. Pure.

use jiff::{SignedDuration, Timestamp};

use super::Ledger;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// The longest pause between two visits. An hour less than a day: a daily run may begin a little earlier than the day before, and
/// must not find that an event is due only a moment later.
const LONGEST: SignedDuration = SignedDuration::from_hours(23);

impl Ledger {
    /// When the event is due; `None` if it has not ended, or is closed. An event without a known end that a user had visited is
    /// due again when its horizon is over.
    #[must_use]
    pub fn due_at(&self, horizon: SignedDuration, now: Timestamp) -> Option<Timestamp> {
        if self.closed.is_some() || !self.comes_due(horizon, now) {
            return None;
        }
        let Some(last) = self.last_visit else { return Some(self.end().min(now)) };
        let pause = if self.failures > 0 {
            HOUR.checked_mul(1 << (self.failures - 1).min(5)).unwrap_or(LONGEST).min(LONGEST)
        } else if !self.owed.is_empty() {
            SignedDuration::ZERO
        } else {
            self.pause_after(last)
        };
        let next = last.checked_add(pause).ok()?;
        if self.event.has_ended(now) {
            Some(next)
        } else {
            Some(next.max(self.end().checked_add(horizon).ok()?))
        }
    }

    /// How long after a good visit the next one is due.
    fn pause_after(&self, visit: Timestamp) -> SignedDuration {
        (visit.duration_since(self.end()) / 4).clamp(HOUR, LONGEST)
    }

    /// Since when an event that has ended has been waiting for a good visit.
    #[must_use]
    pub fn waits_since(&self) -> Timestamp {
        match self.last_good_visit {
            // It may have been visited before it ended, or may have been moved since.
            Some(last) => last.checked_add(self.pause_after(last)).unwrap_or(Timestamp::MAX).max(self.end()),
            None => self.end().max(self.first_seen),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{HORIZON, at};
    use super::super::visit::Owed;
    use super::*;
    use crate::transform::event::Event;

    /// An event that ended at hour 0, and was visited at `visited`.
    fn visited(visited: i64) -> Ledger {
        let mut ledger = Ledger::new(Event { end_time: Some(at(0)), ..Event::unknown(1) }, at(-48));
        ledger.last_visit = Some(at(visited));
        ledger
    }

    #[test]
    fn an_event_is_due_at_its_end_and_then_less_and_less_often() {
        let never = Ledger { last_visit: None, ..visited(0) };
        assert_eq!(never.due_at(HORIZON, at(-1)), None);
        assert_eq!(never.due_at(HORIZON, at(0)), Some(at(0)));
        for (last, due) in [(0, 1), (1, 2), (8, 10), (40, 50), (92, 115), (96, 119), (400, 423)] {
            assert_eq!(
                visited(last).due_at(HORIZON, at(1000)),
                Some(at(due)),
                "visited {last} h after the end"
            );
        }
    }

    /// `infra/README.md` says what that costs.
    #[test]
    fn with_a_run_every_hour_an_event_is_visited_47_times_until_it_is_closed() {
        // Its horizon, the rest of the last day of that, and the time until that day has settled.
        let closes_from = 30 * 24 + 24 + 12;
        let (mut ledger, mut visits) = (Ledger { last_visit: None, ..visited(0) }, 0);
        for hours in 0.. {
            if ledger.due_at(HORIZON, at(hours)).is_some_and(|due_at| due_at <= at(hours)) {
                visits += 1;
                ledger.last_visit = Some(at(hours));
                if hours >= closes_from {
                    break;
                }
            }
        }
        assert_eq!(visits, 47);
    }

    #[test]
    fn an_event_visited_before_its_end_counts_as_waiting_only_from_its_end_on() {
        for (visited_at, waits_since) in [(-400, 0), (-1, 0), (0, 1), (40, 50)] {
            let ledger = Ledger { last_good_visit: Some(at(visited_at)), ..visited(visited_at) };
            assert_eq!(ledger.waits_since(), at(waits_since), "{visited_at}");
        }
    }

    #[test]
    fn failed_visits_back_off_and_a_visit_cut_off_by_the_deadline_is_due_again_at_once() {
        let owed = Owed { snapshot: true, ..Owed::default() };
        for (failures, pause) in [(0, 0), (1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 23), (7, 23)] {
            let ledger = Ledger { failures, owed: owed.clone(), ..visited(100) };
            assert_eq!(ledger.due_at(HORIZON, at(1000)), Some(at(100 + pause)), "{failures} failures");
        }
    }
}
