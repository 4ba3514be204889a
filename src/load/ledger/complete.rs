//! Up to which day the lake is complete, and what holds it back. Pure.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::Ledger;
use super::answers::SnapshotAnswer;
use crate::calendar;
use crate::load::lake_settings::LakeSettings;

/// Why the rows of a day, and of the days after it, are not all in the lake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldBy {
    /// The event has not ended.
    Running,
    /// No visit has asked for all days of the event yet.
    Unvisited,
    /// The day is owed: it failed, or was cut off.
    Owed,
    /// The first snapshot of the event is owed: `viewer_details` has no rows of it yet.
    WithoutSnapshot,
    /// The event has not been visited since the day settled.
    Unsettled,
    /// Files of the day are staged, but not published yet.
    Staged,
    /// An object of the day cannot be read, or is missing.
    Damaged,
}

/// The first day that is not complete, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Hold {
    /// The event; `None` if the reason does not concern a single event.
    pub event_id: Option<i64>,
    /// The first day that is not complete.
    pub day: Date,
    /// Why.
    pub because: HeldBy,
}

impl Hold {
    /// What holds back the days of one event; `None` if nothing is missing, or if what is missing will never be asked for.
    #[must_use]
    pub fn of(ledger: &Ledger, settings: &LakeSettings, now: Timestamp) -> Option<Self> {
        let event = &ledger.event;
        // Nothing is expected of an event that was cancelled and has no end.
        let is_called_off = event.is_cancelled() && event.end_time.is_none();
        if ledger.closed.is_some() || ledger.is_forgotten(now) || is_called_off {
            return None;
        }
        let start = ledger.began_at.or(event.start_time).unwrap_or_else(|| ledger.end());
        let event_day = ledger.event_day.unwrap_or_else(|| settings.zone.day_of(start));
        let first_day = ledger.first_day(&settings.zone, event_day);
        // Viewers may have come the day before.
        let first = calendar::previous(first_day).unwrap_or(first_day);
        // An event that was visited before it began, or is held once more, holds back none of the days before: nothing was
        // expected on them.
        let day_of_start = settings.zone.day_of(start);
        let before_start = calendar::previous(day_of_start).unwrap_or(day_of_start);
        let asked = ledger.through.map(|through| {
            let day = settings.zone.day_of(through.checked_sub(settings.settle).unwrap_or(through));
            day.max(before_start)
        });
        // An owed snapshot holds nothing back if there was an earlier one: days that the earlier one did not count have been
        // asked for since. A rebuilt ledger awaits one, but has the rows of an earlier one.
        let lacks_rows = |snapshot: SnapshotAnswer| snapshot.is_awaited && snapshot.viewer_details.rows == 0;
        let lacks_snapshot = ledger.owed.snapshot && ledger.snapshot.is_none_or(lacks_rows);
        let owed = ledger.owed.days.first().map(|day| (*day, HeldBy::Owed));
        let without_snapshot = lacks_snapshot.then_some((first, HeldBy::WithoutSnapshot));
        let pending = match asked {
            _ if !event.has_ended(now) && start > now => None,
            asked if !event.has_ended(now) => Some((asked.unwrap_or(first), HeldBy::Running)),
            Some(day) => Some((day, HeldBy::Unsettled)),
            None => Some((first, HeldBy::Unvisited)),
        };
        let holds = [owed, without_snapshot, pending].into_iter().flatten();
        let (day, because) = holds.min_by_key(|(day, _)| *day)?;
        Some(Self { event_id: Some(event.event_id), day, because })
    }
}

/// The last day that has settled and whose rows are all in the lake: the day before the first one that is held back, that has
/// not settled, or that had not ended when the roster was last read (`roster_read_at`).
#[must_use]
pub fn through(
    holds: &[Hold],
    settings: &LakeSettings,
    now: Timestamp,
    roster_read_at: Timestamp,
) -> Option<Date> {
    let settling = settings.zone.day_of(now.checked_sub(settings.settle).unwrap_or(now));
    let first =
        holds.iter().map(|hold| hold.day).chain([settling, settings.zone.day_of(roster_read_at)]).min()?;
    calendar::previous(first).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::SignedDuration;

    use super::super::Closing;
    use super::super::visit::Owed;
    use super::*;
    use crate::calendar::Zone;
    use crate::transform::event::Event;
    use crate::transform::totals::Totals;

    fn settings() -> LakeSettings {
        LakeSettings {
            zone: Zone::parse("Asia/Shanghai").unwrap(),
            settle: SignedDuration::from_hours(12),
            policy: Arc::default(),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    /// An event on the afternoon of the 26th, all of whose days were asked for up to `through`.
    fn ledger(through: &str) -> Ledger {
        let event = Event {
            start_time: Some(at("2022-10-26T06:00:00Z")),
            end_time: Some(at("2022-10-26T08:00:00Z")),
            ..Event::unknown(7)
        };
        Ledger {
            event_day: Some(day("2022-10-26")),
            through: Some(at(through)),
            ..Ledger::new(event, at("2022-10-01T00:00:00Z"))
        }
    }

    #[test]
    fn a_day_is_complete_when_every_event_was_asked_for_it_after_it_settled() {
        let now = at("2022-11-01T00:00:00Z");
        let found = |change: fn(&mut Ledger)| {
            let mut ledger = ledger("2022-10-29T12:00:00Z");
            change(&mut ledger);
            Hold::of(&ledger, &settings(), now).map(|hold| (hold.day.to_string(), hold.because))
        };
        let hold = |day: &str, because| Some((day.to_owned(), because));
        // The 28th settles twelve hours after local midnight: at 04:00 UTC on the 29th.
        assert_eq!(found(|_| {}), hold("2022-10-29", HeldBy::Unsettled));
        assert_eq!(
            found(|ledger| ledger.through = Some(at("2022-10-29T03:59:59Z"))),
            hold("2022-10-28", HeldBy::Unsettled)
        );
        // Viewers may have come the day before.
        assert_eq!(found(|ledger| ledger.through = None), hold("2022-10-25", HeldBy::Unvisited));
        assert_eq!(
            found(|ledger| {
                ledger.owed.snapshot = true;
                let pulled_at = at("2022-10-29T12:00:00Z");
                let accepted_at = Some(pulled_at);
                ledger.snapshot = Some(SnapshotAnswer { accepted_at, ..SnapshotAnswer::empty(pulled_at) });
            }),
            hold("2022-10-29", HeldBy::Unsettled),
            "every day was asked for, and nobody came"
        );
        assert_eq!(
            found(|ledger| ledger.accept_snapshot(at("2022-10-29T12:00:00Z"))),
            hold("2022-10-25", HeldBy::WithoutSnapshot),
            "the answer is still to come"
        );
        assert_eq!(
            found(|ledger| {
                ledger.owed.snapshot = true;
                let viewer_details = Totals { rows: 3, ..Totals::default() };
                let answer = SnapshotAnswer::empty(at("2022-10-29T12:00:00Z"));
                ledger.snapshot = Some(SnapshotAnswer { viewer_details, is_awaited: true, ..answer });
            }),
            hold("2022-10-29", HeldBy::Unsettled),
            "the ledger was rebuilt"
        );
        assert_eq!(
            found(|ledger| ledger.owed.days = [day("2022-10-27"), day("2022-10-28")].into()),
            hold("2022-10-27", HeldBy::Owed)
        );
        assert_eq!(
            found(|ledger| ledger.owed.days = [day("2022-10-29"), day("2022-10-30")].into()),
            hold("2022-10-29", HeldBy::Owed)
        );
        assert_eq!(
            found(|ledger| ledger.owed.days = [day("2022-10-30")].into()),
            hold("2022-10-29", HeldBy::Unsettled),
            "a later day is owed, and this one may still grow"
        );
        assert_eq!(
            found(|ledger| ledger.owed = Owed { snapshot: true, ..Owed::default() }),
            hold("2022-10-25", HeldBy::WithoutSnapshot)
        );
        assert_eq!(
            found(|ledger| ledger.event.end_time = Some(at("2022-11-02T00:00:00Z"))),
            hold("2022-10-29", HeldBy::Running),
            "it was visited, and then given a later end"
        );
        let running = |ledger: &mut Ledger| {
            ledger.event.end_time = Some(at("2022-11-02T00:00:00Z"));
            ledger.through = None;
        };
        assert_eq!(found(running), hold("2022-10-25", HeldBy::Running));
        assert_eq!(
            found(|ledger| ledger.closed = Some(Closing::Incomplete)),
            None,
            "it is not visited any more"
        );
        for (now, expected) in
            [("2022-11-02T07:59:59Z", Some(HeldBy::Unsettled)), ("2022-11-02T08:00:00Z", None)]
        {
            let gone = Ledger { is_gone: true, ..ledger("2022-10-29T12:00:00Z") };
            let hold = Hold::of(&gone, &settings(), at(now));
            assert_eq!(hold.map(|hold| hold.because), expected, "{now}");
        }
        let called_off = |ledger: &mut Ledger| {
            *ledger = Ledger::new(
                Event { status: Some("cancelled".into()), ..Event::unknown(7) },
                ledger.first_seen,
            );
        };
        assert_eq!(found(called_off), None, "it was cancelled, and its time is unknown");
        let future = |ledger: &mut Ledger| {
            ledger.event.start_time = Some(at("2022-11-02T00:00:00Z"));
            ledger.event.end_time = Some(at("2022-11-02T01:00:00Z"));
        };
        assert_eq!(found(future), None, "it has not begun");
        for (through, held) in [(None, "2022-10-25"), (Some(at("2022-10-29T12:00:00Z")), "2022-10-29")] {
            let mut moved = ledger("2022-10-29T12:00:00Z");
            future(&mut moved);
            (moved.through, moved.began_at) = (through, Some(at("2022-10-26T06:00:00Z")));
            let held_back = Hold::of(&moved, &settings(), now).map(|hold| (hold.day, hold.because));
            assert_eq!(held_back, Some((day(held), HeldBy::Running)), "it had begun before it was moved");
        }
    }

    #[test]
    fn an_event_that_is_held_once_more_holds_back_no_day_before_it_begins_again() {
        let now = at("2022-11-01T00:00:00Z");
        for (end, because) in
            [("2022-11-02T00:00:00Z", HeldBy::Running), ("2022-10-31T20:00:00Z", HeldBy::Unsettled)]
        {
            let mut again = ledger("2022-08-29T12:00:00Z");
            (again.event.start_time, again.event.end_time) =
                (Some(at("2022-10-31T06:00:00Z")), Some(at(end)));
            let held_back = Hold::of(&again, &settings(), now).map(|hold| (hold.day, hold.because));
            assert_eq!(held_back, Some((day("2022-10-30"), because)));
        }
    }

    #[test]
    fn the_lake_is_complete_through_the_day_before_the_first_that_is_held_back() {
        let lake = settings();
        let hold = |text: &str| Hold { event_id: None, day: day(text), because: HeldBy::Staged };
        let now = at("2022-11-01T00:00:00Z");
        assert_eq!(through(&[], &lake, now, now), Some(day("2022-10-30")), "the 31st settles at 04:00 UTC");
        assert_eq!(
            through(&[hold("2022-10-28"), hold("2022-10-20")], &lake, now, now),
            Some(day("2022-10-19"))
        );
        assert_eq!(through(&[hold("2022-11-20")], &lake, now, now), Some(day("2022-10-30")));
        let roster_read_at = at("2022-10-29T15:59:59Z");
        assert_eq!(
            through(&[], &lake, now, roster_read_at),
            Some(day("2022-10-28")),
            "the 29th had not ended"
        );
    }
}
