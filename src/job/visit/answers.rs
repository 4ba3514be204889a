//! The answers that a visit knows: those of the visits before, and its own in their place. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::days::{DayCount, Task};
use crate::job::choice::Scope;
use crate::load::ledger::Ledger;
use crate::load::ledger::answers::{DayAnswer, SnapshotAnswer};

/// The answers that a visit knows.
pub(super) struct Answers {
    /// The last answer for each day; this visit's, if it has one.
    pub(super) days: BTreeMap<Date, DayAnswer>,
    /// Days that this visit asked for.
    pub(super) asked: BTreeSet<Date>,
    /// What this visit's snapshot counts by day; `None` if there is no snapshot.
    pub(super) counts: Option<BTreeMap<Date, DayCount>>,
    /// Whether the snapshot may not have all records that there are.
    pub(super) is_cut_off: bool,
    /// This visit's snapshot.
    pub(super) snapshot: Option<SnapshotAnswer>,
}

/// How many days were compared with the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) days: u64,
    /// How many of them have other numbers of rows.
    pub(super) differing: u64,
}

impl Answers {
    /// Those of the visits before.
    pub(super) fn before(ledger: &Ledger) -> Self {
        Self {
            days: ledger.days.clone(),
            asked: BTreeSet::new(),
            counts: None,
            is_cut_off: false,
            snapshot: None,
        }
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

    /// Days whose numbers of rows differ from what the snapshot counts, and the chosen days among those with rows; `None` if there
    /// is no snapshot.
    pub(super) fn to_ask_again(&self, scope: Scope) -> Option<BTreeSet<Date>> {
        let counts = self.counts.as_ref()?;
        let days = self.days_in(counts).filter(|day| !self.agree(counts, *day) || scope.has_day(*day));
        Some(days.collect())
    }

    /// Compares the answers for settled days with the snapshot; `None` if there is none that has everything.
    pub(super) fn compare(&self, is_settled: impl Fn(Date) -> bool) -> Option<Comparison> {
        let counts = self.counts.as_ref().filter(|_| !self.is_cut_off)?;
        let settled: Vec<Date> = self.days_in(counts).filter(|day| is_settled(*day)).collect();
        let differing = settled.iter().filter(|day| !self.agree(counts, **day)).count();
        Some(Comparison { days: settled.len() as u64, differing: differing as u64 })
    }

    /// Forgets this visit's answer.
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
    fn days_in(&self, counts: &BTreeMap<Date, DayCount>) -> impl Iterator<Item = Date> {
        let days: BTreeSet<Date> = counts.keys().chain(self.days.keys()).copied().collect();
        days.into_iter()
    }

    fn agree(&self, counts: &BTreeMap<Date, DayCount>, day: Date) -> bool {
        counts.get(&day).copied().unwrap_or_default().agrees(self.days.get(&day))
    }
}
