//! The answers that a visit knows: its own, and otherwise those of the visits before. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::day_count::DayCount;
use super::task::Task;
use crate::error::Error;
use crate::job::choice::Scope;
use crate::load::ledger::Ledger;
use crate::load::ledger::answers::{DayAnswer, SnapshotAnswer};
use crate::transform::tables::Table;

/// The answers that a visit knows.
pub(super) struct Answers {
    /// The last answer for each day; this visit's, if it has one.
    pub(super) days: BTreeMap<Date, DayAnswer>,
    /// Days that this visit asked for.
    pub(super) asked: BTreeSet<Date>,
    /// Days whose answers lack arrays: what is missing, and the error that such a day becomes if the snapshot turns out to count
    /// more records there.
    pub(super) lacking: BTreeMap<Date, (Missing, Error)>,
    /// What this visit's snapshot counts; `None` if there is no snapshot.
    pub(super) counts: Option<Counts>,
    /// This visit's snapshot, unless it could not be staged.
    pub(super) snapshot: Option<SnapshotAnswer>,
}

/// The tables for which some answer of a day has no array, each with the number of rows in the day's other answers.
pub(super) type Missing = BTreeMap<Table, u64>;

/// What a snapshot counts.
pub(super) struct Counts {
    /// The records of each day that has some.
    pub(super) days: BTreeMap<Date, DayCount>,
    /// Whether the snapshot may lack some of the records.
    pub(super) is_cut_off: bool,
    /// Whether the snapshot had no array at all: then it was perhaps no answer.
    pub(super) is_blank: bool,
}

/// How many days were compared with the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) days: u64,
    /// How many of them have different numbers of rows.
    pub(super) differing: u64,
}

impl Answers {
    /// The answers of the visits before this one.
    pub(super) fn before(ledger: &Ledger) -> Self {
        let (asked, lacking) = (BTreeSet::new(), BTreeMap::new());
        Self { days: ledger.days.clone(), asked, lacking, counts: None, snapshot: None }
    }

    /// Whether the rows of any day differ from those of the visits before.
    pub(super) fn are_changed(&self, before: &Ledger) -> bool {
        self.days.iter().any(|(day, now)| {
            before.days.get(day).is_none_or(|before| {
                before.lives.digest != now.lives.digest
                    || before.interactions.digest != now.interactions.digest
            })
        })
    }

    /// Of the days that the snapshot counts or that have an answer: those whose numbers of rows differ from the snapshot's, and
    /// the chosen ones; empty if there is no snapshot.
    pub(super) fn to_ask_again(&self, scope: Scope) -> BTreeSet<Date> {
        let Some(counts) = &self.counts else { return BTreeSet::new() };
        self.days_in(counts).filter(|day| !self.agree(counts, *day) || scope.has_day(*day)).collect()
    }

    /// Whether the snapshot counts more records of a day, for one of these tables, than there are rows; `None` if it cannot tell.
    pub(super) fn counted_more(&self, day: Date, missing: &Missing) -> Option<bool> {
        let counts = self.counts.as_ref()?;
        let of_day = counts.days.get(&day).copied().unwrap_or_default();
        let has_more = missing.iter().any(|(table, rows)| of_day.of(*table) > *rows);
        (has_more || !counts.is_cut_off).then_some(has_more)
    }

    /// What the snapshot counts; `None` if no snapshot has everything.
    pub(super) fn whole_counts(&self) -> Option<&Counts> {
        self.counts.as_ref().filter(|counts| !counts.is_cut_off)
    }

    /// Compares the answers for settled days with the snapshot; `None` if no snapshot has everything.
    pub(super) fn compare(&self, is_settled: impl Fn(Date) -> bool) -> Option<Comparison> {
        let counts = self.whole_counts()?;
        let settled: Vec<Date> = self.days_in(counts).filter(|day| is_settled(*day)).collect();
        let differing = settled.iter().filter(|day| !self.agree(counts, **day)).count();
        Some(Comparison { days: settled.len() as u64, differing: differing as u64 })
    }

    /// Puts the answer of the visits before back in place of this visit's.
    pub(super) fn take_back(&mut self, task: Task, before: &Ledger) {
        match task {
            Task::Day(day) => {
                match before.days.get(&day) {
                    Some(before) => self.days.insert(day, *before),
                    None => self.days.remove(&day),
                };
            }
            Task::Snapshot => self.snapshot = None,
        }
    }

    /// The answers for days that the visit at this instant got.
    pub(super) fn got_at(&self, pulled_at: Timestamp) -> BTreeMap<Date, DayAnswer> {
        let own = self.days.iter().filter(|(_, answer)| answer.pulled_at == pulled_at);
        own.map(|(day, answer)| (*day, *answer)).collect()
    }

    /// Every day that the snapshot counts, or that has an answer.
    fn days_in(&self, counts: &Counts) -> impl Iterator<Item = Date> {
        let days: BTreeSet<Date> = counts.days.keys().chain(self.days.keys()).copied().collect();
        days.into_iter()
    }

    fn agree(&self, counts: &Counts, day: Date) -> bool {
        counts.days.get(&day).copied().unwrap_or_default().agrees(self.days.get(&day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::event::Event;

    #[test]
    fn a_snapshot_that_may_be_cut_off_proves_what_a_day_has_but_not_what_it_lacks() {
        let (day, other) = (jiff::civil::date(2022, 10, 26), jiff::civil::date(2022, 10, 27));
        let (lives, interactions) = ((Table::Lives, 0), (Table::Interactions, 0));
        for (is_cut_off, day, missing, expected) in [
            (false, day, &[lives][..], Some(true)),
            (true, day, &[lives], Some(true)),
            (false, day, &[(Table::Lives, 2)], Some(true)),
            (false, day, &[(Table::Lives, 3)], Some(false)),
            (true, day, &[(Table::Lives, 3)], None),
            (false, day, &[interactions], Some(false)),
            (true, day, &[interactions], None),
            (true, day, &[lives, interactions], Some(true)),
            (false, other, &[lives], Some(false)),
            (true, other, &[lives], None),
            (false, day, &[], Some(false)),
        ] {
            let missing = missing.iter().copied().collect();
            let mut answers = Answers::before(&Ledger::new(Event::unknown(1), Timestamp::UNIX_EPOCH));
            assert_eq!(answers.counted_more(day, &missing), None, "there is no snapshot");
            let count = DayCount { lives: 3, interactions: 0 };
            let days = [(jiff::civil::date(2022, 10, 26), count)].into();
            answers.counts = Some(Counts { days, is_cut_off, is_blank: false });
            assert_eq!(answers.counted_more(day, &missing), expected, "{is_cut_off} {day} {missing:?}");
        }
    }
}
