//! What a run did: its result on standard output, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use indicatif::BinaryBytes;
use serde::Serialize;

use crate::error::Error;
use crate::extract::usage::Used;
use crate::load::ledger::Outcome;
use crate::load::publish::Published;

/// The result of a run.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The run, as in `pulls`.
    pub run: String,
    /// Whether nothing failed.
    pub ok: bool,
    /// Events by what became of them.
    pub events: Events,
    /// Records that became rows.
    pub rows: u64,
    /// Records that no table can hold.
    pub rejects: u64,
    /// Values that their column could not hold, kept in `extra`.
    pub set_aside: u64,
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
}

/// One thing that failed.
#[derive(Debug, Serialize)]
pub struct Failure {
    /// The event, where it is one event's.
    pub event_id: Option<i64>,
    /// What happened and what to do.
    pub error: String,
}

impl Report {
    /// A run that begins.
    #[must_use]
    pub fn new(run: &str) -> Self {
        Self { run: run.to_owned(), ..Self::default() }
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
        self.failures.push(Failure { event_id: Some(event_id), error: error.to_string() });
    }

    /// Something that failed and is no event.
    pub(crate) fn failed(&mut self, error: &Error) {
        self.failures.push(Failure { event_id: None, error: error.to_string() });
    }

    /// The run has ended: what was due and neither complete nor failed is left.
    #[must_use]
    pub(crate) fn finish(mut self) -> Self {
        let Events { due, complete, failed, .. } = self.events;
        self.events.left = due.saturating_sub(complete + failed);
        self.ok = self.failures.is_empty();
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Events { due, complete, failed, left, .. } = self.events;
        let Used { requests, retries, bytes, waited_milliseconds } = self.requests;
        let objects: u64 = self.published.objects.values().sum();
        writeln!(f, "events     {due} due: {complete} complete, {failed} failed, {left} left")?;
        writeln!(
            f,
            "records    {} rows, {} rejects, {} values set aside",
            self.rows, self.rejects, self.set_aside
        )?;
        writeln!(
            f,
            "requests   {requests}, {retries} retries, {}, waited {:.1} s",
            BinaryBytes(bytes),
            std::time::Duration::from_millis(waited_milliseconds).as_secs_f64()
        )?;
        write!(f, "published  {objects} objects of {} days", self.published.days.len())?;
        for (event_id, owed) in &self.owed {
            write!(f, "\nowed       event {event_id}: {}", owed.join(", "))?;
        }
        for note in &self.notes {
            write!(f, "\nnote       {note}")?;
        }
        Ok(())
    }
}
