//! Decides which days a visit asks for. Pure: from what is known to a set of days.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::event_day::EventDay;
use crate::calendar;
use crate::error::{Error, Result};
use crate::job::choice::Scope;
use crate::job::context::Context;
use crate::load::lake_settings::LakeSettings;
use crate::load::ledger::Ledger;
use crate::load::ledger::answers::DayAnswer;
use crate::report::Requests;

/// How many records of one day a snapshot has; they are only counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DayCount {
    pub(super) lives: u64,
    pub(super) interactions: u64,
}

impl DayCount {
    /// Whether an answer for the day has the same numbers of rows.
    pub(super) fn agrees(self, day: Option<&DayAnswer>) -> bool {
        let rows = |totals: fn(&DayAnswer) -> u64| day.map_or(0, totals);
        self.lives == rows(|day| day.lives.rows) && self.interactions == rows(|day| day.interactions.rows)
    }
}

/// The last instant for which the event's viewings are asked for: the end of its horizon, or now.
fn last_instant(context: &Context, ledger: &Ledger, now: Timestamp) -> Timestamp {
    ledger.end().checked_add(context.horizon).map_or(now, |horizon| horizon.min(now))
}

/// Days that are asked for before anything else: those owed, those that may have changed since the last visit, and the
/// chosen ones that had rows. On the first visit, only those owed.
pub(super) fn due(context: &Context, scope: Scope, ledger: &Ledger, now: Timestamp) -> BTreeSet<Date> {
    let mut days = ledger.owed.days.clone();
    if let Some(through) = ledger.through {
        let LakeSettings { zone, settle, .. } = &context.lake.settings;
        let first = through.checked_sub(*settle).unwrap_or(through);
        days.extend(calendar::days(zone.day_of(first), zone.day_of(last_instant(context, ledger, now))));
    }
    days.extend(ledger.days.keys().filter(|day| scope.has_day(**day)));
    days
}

/// Whether a visit asks for the snapshot, whatever the days bring: on the first visit, on the last, when it is owed, and
/// when the user chose the event.
pub(super) fn wants_snapshot(context: &Context, scope: Scope, ledger: &Ledger, now: Timestamp) -> bool {
    let is_last = ledger.closed.is_none() && ledger.is_past_horizon(context.horizon, now);
    ledger.through.is_none() || is_last || ledger.owed.snapshot || scope.is_whole()
}

/// What a visit asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// A day, in windows.
    Day(Date),
    /// All of the event so far.
    Snapshot,
}

impl Task {
    /// An error that says what was asked for.
    pub(super) fn named(self, error: Error) -> Error {
        match self {
            Self::Day(day) => error.with("day", day),
            Self::Snapshot => error.with("window", "snapshot"),
        }
    }
}

/// The order in which a visit asks: for the days, then for the snapshot. Each visit that was `unfinished` moves the beginning by
/// one: otherwise, a task that takes all the time would starve those after it for ever.
pub(super) fn in_turn(days: BTreeSet<Date>, with_snapshot: bool, unfinished: u32) -> Vec<Task> {
    let snapshot = with_snapshot.then_some(Task::Snapshot);
    let mut order: Vec<Task> = days.into_iter().map(Task::Day).chain(snapshot).collect();
    if let Some(first) = unfinished.checked_rem(u32::try_from(order.len()).unwrap_or(u32::MAX)) {
        order.rotate_left(first as usize);
    }
    order
}

/// What a visit would ask for, and how many requests that takes.
pub(in crate::job) fn expected_requests(
    context: &Context,
    scope: Scope,
    ledger: &Ledger,
    now: Timestamp,
) -> Result<(BTreeSet<Date>, Requests)> {
    let due = due(context, scope, ledger, now);
    let snapshot = u64::from(wants_snapshot(context, scope, ledger, now));
    let event_day = EventDay::of(ledger, &context.lake.settings.zone, now);
    // One more snapshot is asked for, to find it.
    let without_day = u64::from(event_day.known().is_none());
    let mut possible = possible(context, ledger, event_day.date(), now)?;
    possible.extend(&due);
    let windows =
        |days: &BTreeSet<Date>| days.iter().map(|day| u64::from(ledger.owed.pieces_of(*day))).sum::<u64>();
    let requests = Requests {
        at_least: windows(&due) + snapshot + without_day,
        at_most: windows(&possible) + 1 + without_day,
    };
    Ok((due, requests))
}

/// Every day that can have rows, for when there is no snapshot that shows which have.
pub(super) fn possible(
    context: &Context,
    ledger: &Ledger,
    event_day: Date,
    now: Timestamp,
) -> Result<BTreeSet<Date>> {
    let last = context.lake.settings.zone.day_of(last_instant(context, ledger, now));
    Ok(calendar::days(calendar::previous(event_day)?, last).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_each_visit_that_was_unfinished_another_question_is_the_first() {
        for (days, with_snapshot, unfinished, expected) in [
            (0, false, 0, vec![]),
            (0, false, 3, vec![]),
            (0, true, 3, vec![0]),
            (2, true, 0, vec![1, 2, 0]),
            (2, true, 1, vec![2, 0, 1]),
            (2, true, 2, vec![0, 1, 2]),
            (2, true, 3, vec![1, 2, 0]),
            (3, false, 2, vec![3, 1, 2]),
        ] {
            let day = |number| jiff::civil::date(2022, 10, number);
            let order = in_turn((1..=days).map(day).collect(), with_snapshot, unfinished);
            let expected = expected.into_iter().map(|number| match number {
                0 => Task::Snapshot,
                number => Task::Day(day(number)),
            });
            assert_eq!(order, expected.collect::<Vec<_>>(), "{days} {with_snapshot} {unfinished}");
        }
    }
}
