//! What a run did: its result on standard output, for people and for programs.

mod plan;
mod show;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

pub use self::plan::{DueBecause, DueEvent, Estimate, Requests};
use crate::error::{Error, Kind, Result};
use crate::extract::usage::Used;
use crate::load::erasure::Erasure;
use crate::load::ledger::health::Health;
use crate::load::ledger::visit::Outcome;
use crate::load::publish::Published;

/// How many failures, notes, owed and due events are named at most if room is short.
const NAMED: usize = 100;

/// The job of a run, which decides what its report shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JobName {
    /// Plans, pulls and publishes.
    #[default]
    Sync,
    /// Finds out which events are due.
    Plan,
    /// Visits events.
    Pull,
    /// Lists the days with staged files.
    Staged,
    /// Puts what is staged into the lake.
    Publish,
    /// Finds out what became of a plan's events.
    Collect,
    /// Renews the shared token if the vendor does not accept it.
    Token,
    /// Tests whether everything that a run needs is there.
    Doctor,
    /// Rebuilds tables from the archive.
    Replay,
    /// Erases a person everywhere.
    Forget,
    /// Rewrites older objects.
    Upgrade,
}

/// The result of a run.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The job of the run.
    pub job: JobName,
    /// The run's name, as in `pulls`.
    pub run: String,
    /// When the run began.
    pub began: Timestamp,
    /// How long it took.
    pub milliseconds: i64,
    /// Whether nothing failed.
    pub ok: bool,
    /// How many events there are, by what became of them.
    pub events: Events,
    /// Whether the known events are all that there are, because the user chose none.
    #[serde(skip)]
    pub is_of_all: bool,
    /// The events to be visited, if that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub due: Vec<DueEvent>,
    /// What their visits will ask of the vendor, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// The key of the list of events to be visited, if it was put into the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<String>,
    /// Days with staged files, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staged: Option<Vec<Date>>,
    /// What was tested, if that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// Records that became rows; for a replay, in all the archived answers that it read.
    pub rows: u64,
    /// Records that no table can hold, each once for each answer that had it.
    pub rejects: u64,
    /// Records in arrays that have no table: they are counted, and not kept.
    pub without_table: u64,
    /// Values that their column could not hold: they went to `extra`, if the privacy policy keeps them.
    pub set_aside: u64,
    /// Cells of settled days for which the vendor now reports less than before, but still something: the lake keeps what it had.
    pub shrunk: u64,
    /// What was asked of the vendor.
    pub requests: Used,
    /// What was put into the lake.
    pub published: Published,
    /// What was erased, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erasure: Option<Erasure>,
    /// Days and snapshots that have to be asked for again, by event.
    pub owed: BTreeMap<i64, Vec<String>>,
    /// What the vendor sends but its documentation does not describe, and events that it has forgotten.
    pub notes: BTreeSet<String>,
    /// Everything that failed.
    pub failures: Vec<Failure>,
    /// How many more failures there were, if not all are named.
    pub unnamed: usize,
    /// How many events could not be planned that are not among those still visited, and so neither overdue nor failing; each is a
    /// failure, too.
    #[serde(skip)]
    pub not_visited: usize,
}

/// How many events there are, by what became of them.
#[derive(Debug, Default, Serialize)]
pub struct Events {
    /// Known, and still visited.
    pub known: usize,
    /// To be visited in this run.
    pub due: usize,
    /// Visited, with everything that was due.
    pub complete: usize,
    /// Failed, in part or as a whole.
    pub failed: usize,
    /// Left to the next run, in part or as a whole.
    pub left: usize,
    /// Visited and failed for the third time in a row.
    pub newly_failing: usize,
    /// No longer visited from now on, although something of them is missing that the vendor may still have.
    pub given_up: usize,
    /// Known events that need a person.
    #[serde(flatten)]
    pub health: Health,
}

/// One thing that a run needs.
#[derive(Debug, Serialize)]
pub struct Check {
    /// What was tested, in one word.
    pub name: &'static str,
    /// Whether it is there.
    pub ok: bool,
    /// What was found, or what is wrong and what to do.
    pub found: String,
}

/// One thing that failed.
#[derive(Debug, Serialize)]
pub struct Failure {
    /// The event; `None` if the failure is not a single event's.
    pub event_id: Option<i64>,
    /// What went wrong, for programs to tell apart.
    pub kind: Kind,
    /// What happened and what to do.
    pub error: String,
}

impl Failure {
    /// A failure of an event, which its message names.
    #[must_use]
    pub fn of_event(event_id: i64, error: Error) -> Self {
        Self { event_id: Some(event_id), ..Self::of_run(&error.with("event", event_id)) }
    }

    /// A failure that is not a single event's.
    #[must_use]
    pub fn of_run(error: &Error) -> Self {
        Self { event_id: None, kind: error.kind(), error: error.to_string() }
    }
}

impl Report {
    /// The report of a run that begins.
    #[must_use]
    pub fn new(job: JobName, run: &str, began: Timestamp) -> Self {
        Self { job, run: run.to_owned(), began, ..Self::default() }
    }

    /// Adds how many events are known, and how many of them will be visited.
    pub(crate) fn planned(&mut self, known: usize, due: usize) {
        (self.events.known, self.events.due) = (known, due);
    }

    /// Adds what could not be planned. An event that cannot be planned counts as due, and as failed.
    pub(crate) fn not_planned(&mut self, failure: Failure) {
        let of_events = usize::from(failure.event_id.is_some());
        self.events.due += of_events;
        self.events.failed += of_events;
        self.failures.push(failure);
    }

    /// Adds a visit that did not fail.
    pub(crate) fn visited(&mut self, outcome: Outcome) {
        self.events.complete += usize::from(outcome == Outcome::Complete);
    }

    /// Adds an event that failed.
    pub(crate) fn event_failed(&mut self, event_id: i64, error: Error) {
        self.events.failed += 1;
        self.failures.push(Failure::of_event(event_id, error));
    }

    /// Adds an event that is left, through no fault of its own.
    pub(crate) fn event_left(&mut self, event_id: i64, error: Error) {
        self.failures.push(Failure::of_event(event_id, error));
    }

    /// Adds an event that the vendor has forgotten, which was reported before: it failed, but needs nobody, so it is a note.
    pub(crate) fn event_gone(&mut self, event_id: i64) {
        self.events.failed += 1;
        self.notes.insert(format!("the vendor no longer knows the event {event_id}"));
    }

    /// Adds the outcome of a test; an error is also a failure.
    pub(crate) fn check(&mut self, name: &'static str, outcome: Result<String>) {
        let ok = outcome.is_ok();
        let found = outcome.unwrap_or_else(|error| {
            self.failed(&error);
            error.to_string()
        });
        self.checks.push(Check { name, ok, found });
    }

    /// Adds a failure that is not a single event's.
    pub(crate) fn failed(&mut self, error: &Error) {
        self.failures.push(Failure::of_run(error));
    }

    /// Adds failures that are not a single event's.
    pub(crate) fn failed_each(&mut self, errors: &[Error]) {
        self.failures.extend(errors.iter().map(Failure::of_run));
    }

    /// Names only the first failures and counts the others, and keeps only as many notes, owed and due events: the result of a step
    /// of a fan-out may have at most 256 KB.
    pub fn name_few(&mut self) {
        // Failures that are not a single event's come first, because they concern all events.
        self.failures.sort_by_key(|failure| failure.event_id.is_some());
        self.unnamed += self.failures.len().saturating_sub(NAMED);
        self.failures.truncate(NAMED);
        self.notes = std::mem::take(&mut self.notes).into_iter().take(NAMED).collect();
        self.owed = std::mem::take(&mut self.owed).into_iter().take(NAMED).collect();
        self.due.truncate(NAMED);
    }

    /// How many failures are of no event that is still visited, such as that of a list of the vendor's, of an event that could not be
    /// planned, or of the publish of a day.
    #[must_use]
    pub fn run_failures(&self) -> usize {
        self.failures.iter().filter(|failure| failure.event_id.is_none()).count() + self.not_visited
    }

    /// How many events were due, and are neither complete nor failed.
    #[must_use]
    pub(crate) fn left(&self) -> usize {
        let Events { due, complete, failed, .. } = self.events;
        due.saturating_sub(complete + failed)
    }

    /// The report of a run that has ended: the events that it did not get to are left.
    #[must_use]
    pub(crate) fn finish(mut self, now: Timestamp) -> Self {
        self.events.left = self.left();
        self.ok = self.failures.is_empty();
        self.milliseconds = i64::try_from(now.duration_since(self.began).as_millis()).unwrap_or(i64::MAX);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortened_report_names_failures_of_the_run_itself_first_and_counts_the_rest() {
        let late = || Error::new(Kind::Timeout, "late");
        let mut report = Report::new(JobName::Plan, "run", Timestamp::UNIX_EPOCH);
        for event_id in 0..150 {
            report.event_failed(event_id, late());
        }
        report.failed(&late());
        report.not_visited = 1;
        report.notes = (0..150).map(|number| format!("field {number}")).collect();
        report.owed = (0..150).map(|event_id| (event_id, vec!["snapshot".to_owned()])).collect();
        let due = |event_id| DueEvent {
            event_id,
            title: None,
            end_time: None,
            reason: DueBecause::New,
            since: Timestamp::UNIX_EPOCH,
            visited: None,
            windows: BTreeSet::new(),
            requests: Requests::default(),
        };
        report.due = (0..150).map(due).collect();
        report.name_few();
        assert_eq!((report.notes.len(), report.owed.len(), report.due.len()), (NAMED, NAMED, NAMED));
        assert_eq!((report.failures.len(), report.unnamed, report.run_failures()), (NAMED, 51, 2));
        assert_eq!(report.failures[1].event_id, Some(0));
        assert!(!report.finish(Timestamp::UNIX_EPOCH).ok);
    }
}
