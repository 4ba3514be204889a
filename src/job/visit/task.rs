//! What a visit asks for, and in which order. Pure.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::error::{Error, Kind};
use crate::load::cell::Source;

/// The vendor's code for what the user may not see.
const FORBIDDEN: &str = "403";

/// What a visit asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// A day, in windows.
    Day(Date),
    /// All of the event so far.
    Snapshot,
}

impl Task {
    /// Which requests bring the answers.
    pub(super) fn source(self) -> Source {
        match self {
            Self::Day(_) => Source::Windows,
            Self::Snapshot => Source::Snapshot,
        }
    }

    /// Whether requests for shorter windows may succeed after this error.
    pub(super) fn needs_shorter_windows(self, error: &Error) -> bool {
        matches!(self, Self::Day(_)) && matches!(error.kind(), Kind::TooLarge | Kind::Timeout)
    }

    /// Whether the vendor may have refused the length of the windows: no documentation names the longest one.
    pub(super) fn may_be_too_long(self, error: &Error) -> bool {
        let is_of_vendor = error.context("code").is_some_and(|code| code != FORBIDDEN);
        matches!(self, Self::Day(_)) && error.kind() == Kind::Refused && is_of_vendor
    }

    /// An error that says what was asked for.
    pub(super) fn named(self, error: Error) -> Error {
        match self {
            Self::Day(day) => error.with("day", day),
            Self::Snapshot => error.with("window", "snapshot"),
        }
    }
}

/// The order in which a visit asks: the days, then the snapshot. Each visit that was `unfinished` moves the beginning on by one
/// task: otherwise, a task that takes all the time would starve those after it for ever.
pub(super) fn in_turn(days: BTreeSet<Date>, with_snapshot: bool, unfinished: u32) -> Vec<Task> {
    let snapshot = with_snapshot.then_some(Task::Snapshot);
    let mut order: Vec<Task> = days.into_iter().map(Task::Day).chain(snapshot).collect();
    if let Some(first) = unfinished.checked_rem(u32::try_from(order.len()).unwrap_or(u32::MAX)) {
        order.rotate_left(first as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unfinished_visit_makes_the_next_one_begin_with_another_question() {
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
