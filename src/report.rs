//! What a run did: its result on standard output, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use indicatif::BinaryBytes;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::extract::usage::Used;
use crate::load::health::Health;
use crate::load::publish::Published;
use crate::load::visit::Outcome;

/// What was to be done, and so what there is to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// All of it.
    #[default]
    Sync,
    /// What is due.
    Plan,
    /// The visits.
    Pull,
    /// Which days are staged.
    Staged,
    /// What is staged goes into the lake.
    Publish,
    /// What became of a plan.
    Collect,
    /// The shared token.
    Token,
    /// Whether everything is there.
    Doctor,
    /// Older objects are written anew.
    Upgrade,
}

/// The result of a run.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// What was to be done.
    pub job: Step,
    /// The run, as in `pulls`.
    pub run: String,
    /// When the run began.
    pub began: Timestamp,
    /// How long it took.
    pub milliseconds: i64,
    /// Whether nothing failed.
    pub ok: bool,
    /// Events by what became of them.
    pub events: Events,
    /// The events to be visited, where that was asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub due: Vec<DueEvent>,
    /// The key of the list of the events to be visited, where it was put into the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<String>,
    /// Days with staged files, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staged: Option<Vec<Date>>,
    /// What was tried, where that was asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// Records that became rows.
    pub rows: u64,
    /// Records that no table can hold.
    pub rejects: u64,
    /// Values that their column could not hold, kept in `extra`.
    pub set_aside: u64,
    /// Cells that have fewer rows than the visit before found, and still some.
    pub shrunk: u64,
    /// What was asked of the vendor.
    pub requests: Used,
    /// What was put into the lake.
    pub published: Published,
    /// Days, and snapshots, to be asked again, by event.
    pub owed: BTreeMap<i64, Vec<String>>,
    /// What the vendor sends and its page does not describe.
    pub notes: BTreeSet<String>,
    /// Everything that failed.
    pub failures: Vec<Failure>,
    /// How many more failed, where not all are named.
    pub unnamed: usize,
}

/// An event to be visited.
#[derive(Debug, Serialize)]
pub struct DueEvent {
    /// The event.
    pub event_id: i64,
    /// Its title.
    pub title: Option<String>,
    /// Its end as scheduled.
    pub end_time: Option<Timestamp>,
    /// Since when it waits.
    pub since: Timestamp,
    /// The last visit.
    pub visited: Option<Timestamp>,
}

/// Events by what became of them.
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
    /// Those known that need a person.
    #[serde(flatten)]
    pub health: Health,
}

/// One thing that a run needs.
#[derive(Debug, Serialize)]
pub struct Check {
    /// What.
    pub name: &'static str,
    /// Whether it is there.
    pub ok: bool,
    /// What was found, or what is wrong and what to do.
    pub found: String,
}

/// One thing that failed.
#[derive(Debug, Serialize)]
pub struct Failure {
    /// The event, where it is one event's.
    pub event_id: Option<i64>,
    /// What went wrong, for programs to tell apart.
    pub kind: Kind,
    /// What happened and what to do.
    pub error: String,
}

impl Failure {
    fn new(event_id: Option<i64>, error: &Error) -> Self {
        Self { event_id, kind: error.kind(), error: error.to_string() }
    }
}

impl Report {
    /// A run that begins.
    #[must_use]
    pub fn new(job: Step, run: &str, began: Timestamp) -> Self {
        Self { job, run: run.to_owned(), began, ..Self::default() }
    }

    /// How many events are known, and how many of them are visited.
    pub(crate) fn planned(&mut self, known: usize, due: usize) {
        self.events.known = known;
        self.events.due += due;
    }

    /// A visit that did not fail.
    pub(crate) fn visited(&mut self, outcome: Outcome) {
        self.events.complete += usize::from(outcome == Outcome::Complete);
    }

    /// An event that failed.
    pub(crate) fn event_failed(&mut self, event_id: i64, error: &Error) {
        self.events.failed += 1;
        self.failures.push(Failure::new(Some(event_id), error));
    }

    /// Something that was tried; a failure if it did not go well.
    pub(crate) fn check(&mut self, name: &'static str, outcome: Result<String>) {
        let ok = outcome.is_ok();
        let found = outcome.unwrap_or_else(|error| {
            self.failed(&error);
            error.to_string()
        });
        self.checks.push(Check { name, ok, found });
    }

    /// Something that failed and is no event.
    pub(crate) fn failed(&mut self, error: &Error) {
        self.failures.push(Failure::new(None, error));
    }

    /// What failed and is no event, such as a list of the vendor's, or the publish of a day.
    #[must_use]
    pub fn run_failures(&self) -> usize {
        self.failures.iter().filter(|failure| failure.event_id.is_none()).count()
    }

    /// The run has ended: what was due and neither complete nor failed is left.
    #[must_use]
    pub(crate) fn finish(mut self, now: Timestamp) -> Self {
        let Events { due, complete, failed, .. } = self.events;
        self.events.left = due.saturating_sub(complete + failed);
        self.ok = self.failures.is_empty();
        self.milliseconds = i64::try_from(now.duration_since(self.began).as_millis()).unwrap_or(i64::MAX);
        self
    }
}

impl Report {
    fn show_plan(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "events     {} known, {} due", self.events.known, self.events.due)?;
        if let Some(key) = &self.items {
            write!(f, "\nitems      {key}, planned at {}", self.began)?;
        }
        for DueEvent { event_id, title, since, visited, .. } in &self.due {
            let visited = visited.map_or_else(|| "never".to_owned(), |visited| format!("{visited:.0}"));
            let title = title.as_deref().unwrap_or_default();
            write!(f, "\ndue        event {event_id} since {since:.0}, visited {visited}: {title}")?;
        }
        Ok(())
    }

    fn show_events(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Events { due, complete, failed, left, .. } = self.events;
        write!(f, "events     {due} due: {complete} complete, {failed} failed, {left} left")
    }

    fn show_visits(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show_events(f)?;
        let Used { requests, retries, bytes, waited_milliseconds } = self.requests;
        writeln!(
            f,
            "\nrecords    {} rows, {} rejects, {} values set aside",
            self.rows, self.rejects, self.set_aside
        )?;
        write!(
            f,
            "requests   {requests}, {retries} retries, {}, waited {:.1} s",
            BinaryBytes(bytes),
            std::time::Duration::from_millis(waited_milliseconds).as_secs_f64()
        )
    }

    fn show_published(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let objects: u64 = self.published.objects.values().sum();
        write!(f, "published  {objects} objects of {} days", self.published.days.len())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.job {
            Step::Plan => self.show_plan(f)?,
            Step::Pull => self.show_visits(f)?,
            Step::Sync => {
                self.show_visits(f)?;
                f.write_str("\n")?;
                self.show_published(f)?;
            }
            Step::Publish | Step::Upgrade => self.show_published(f)?,
            Step::Staged => {
                let days = self.staged.as_deref().unwrap_or_default();
                write!(f, "staged     {} days", days.len())?;
                days.iter().try_for_each(|day| write!(f, "\nday        {day}"))?;
            }
            Step::Collect => self.show_events(f)?,
            Step::Doctor => {
                let failed = self.checks.iter().filter(|check| !check.ok).count();
                write!(f, "checks     {}, {failed} failed", self.checks.len())?;
                for Check { name, ok, found } in &self.checks {
                    write!(f, "\n{name:<10} {}{found}", if *ok { "" } else { "FAILED: " })?;
                }
            }
            Step::Token => f.write_str("token      the shared token is one that the vendor accepts")?,
        }
        for (event_id, owed) in &self.owed {
            write!(f, "\nowed       event {event_id}: {}", owed.join(", "))?;
        }
        for note in &self.notes {
            write!(f, "\nnote       {note}")?;
        }
        Ok(())
    }
}
