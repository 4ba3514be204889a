//! How the ledger changes when the vendor describes the event anew. Pure.

use jiff::civil::Date;

use super::{Closing, Ledger};
use crate::calendar::Zone;
use crate::transform::event::Event;

impl Ledger {
    /// Updates the event to the vendor's description of it, unless that is older than an edit that is already known. A closed
    /// event that now ends later, or may be held after all, is visited again; an event that was cancelled before it began, and
    /// never visited, is closed.
    pub fn describe(&mut self, event: &Event) {
        if event.is_older_than(&self.event) {
            return;
        }
        let event = event.clone().completed_by(&self.event);
        // A closed event that is moved begins anew: its former start no longer counts.
        let is_moved_later = self.closed.is_none() && event.start_time > self.event.start_time;
        let had_begun =
            self.event.start_time.filter(|start| is_moved_later && event.modify_time >= Some(*start));
        self.began_at = self.began_at.or(had_begun);
        let ends_later = event.end_time > self.event.end_time;
        self.event = event;
        let was_cancelled = self.was_cancelled_before_start();
        let may_be_held = match self.closed {
            Some(Closing::Cancelled) => true,
            Some(Closing::Deleted) => !self.event.is_cancelled(),
            Some(Closing::Complete | Closing::Incomplete) | None => false,
        };
        if (ends_later || may_be_held) && !was_cancelled {
            self.closed = None;
        }
        if was_cancelled && self.last_visit.is_none() {
            self.closed = Some(Closing::Cancelled);
        }
    }

    /// The first day on which the event was to take place: its own day, or the one on which it had begun before it was moved.
    #[must_use]
    pub fn first_day(&self, zone: &Zone, event_day: Date) -> Date {
        self.began_at.map_or(event_day, |began_at| zone.day_of(began_at).min(event_day))
    }

    /// Whether the event was cancelled before it began, so that nobody can have come.
    #[must_use]
    pub fn was_cancelled_before_start(&self) -> bool {
        self.event.was_cancelled_before_start() && self.began_at.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{HORIZON, at, ledger, visit};
    use super::super::visit::Outcome;
    use super::*;

    #[test]
    fn a_later_end_reopens_an_event_but_leaves_its_day_as_it_was() {
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
    fn an_entry_that_lacks_fields_does_not_erase_what_is_known() {
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
    fn an_event_moved_after_it_began_does_not_count_as_cancelled_before_it_began() {
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
