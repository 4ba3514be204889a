//! The result of a run, for people.

use std::fmt;

use indicatif::{BinaryBytes, HumanDuration};

use super::{Check, DueEvent, Estimate, Events, JobName, Report, Requests};
use crate::counted::counted;
use crate::extract::usage::Used;
use crate::load::erasure::Erasure;
use crate::load::ledger::visit::Owed;
use crate::one_line::OneLine;

impl Report {
    fn show_plan(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // If events were chosen, the others are not counted.
        if self.is_of_all {
            write!(f, "events     {} open, {} due", self.events.known, self.events.due)?;
        } else {
            write!(f, "events     {} due", self.events.due)?;
        }
        if let Some(key) = &self.items {
            write!(f, "\nitems      {key}, planned at {}", self.began)?;
        }
        if let Some(Estimate { requests, seconds: (least, most), milliseconds_per_request }) = &self.estimate
        {
            write!(f, "\nrequests   {requests}, {}", time(*least))?;
            if most > least {
                write!(f, " to {}", time(*most))?;
            }
            match milliseconds_per_request {
                Some(milliseconds) => write!(f, ", at {milliseconds} ms per request (latest visits)")?,
                None => f.write_str(", if the vendor answers as fast as `--requests-per-second` allows")?,
            }
        }
        for DueEvent { event_id, title, reason, since, windows, requests, .. } in &self.due {
            let (reason, title) = (reason.text(), title.as_deref().unwrap_or_default());
            write!(f, "\ndue        event {event_id} since {since:.0}: {reason}, ")?;
            let windows = counted(windows.len() as u64, "window");
            write!(f, "{windows}, requests {requests}: {}", OneLine(title))?;
        }
        Ok(())
    }

    fn show_events(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Events { due, complete, failed, left, .. } = self.events;
        write!(f, "events     {due} due: {complete} complete, {failed} failed, {left} left")
    }

    fn show_records(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rows, rejects) = (counted(self.rows, "row"), counted(self.rejects, "reject"));
        write!(f, "\nrecords    {rows}, {rejects}, {} set aside", counted(self.set_aside, "value"))
    }

    fn show_visits(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show_events(f)?;
        self.show_records(f)?;
        let Used { requests, retries, bytes, waited_milliseconds } = self.requests;
        write!(
            f,
            "\nrequests   {requests}, {}, {}, waited {:.1} s",
            counted(retries, "retry"),
            BinaryBytes(bytes),
            std::time::Duration::from_millis(waited_milliseconds).as_secs_f64()
        )
    }

    fn show_erasure(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Erasure { is_dry, rows, archived_records, objects, versions, .. }) = &self.erasure else {
            return Ok(());
        };
        let of_tables = counted(rows.values().sum::<u64>(), "row");
        let (records, objects) = (counted(*archived_records, "archived record"), counted(*objects, "object"));
        let word = if *is_dry { "found    " } else { "forgotten" };
        write!(f, "{word}  {of_tables}, {records}, in {objects}")?;
        rows.iter()
            .try_for_each(|(table, rows)| write!(f, "\ntable      {table}: {}", counted(*rows, "row")))?;
        if rows.values().all(|rows| *rows == 0) && *archived_records == 0 {
            f.write_str("\nnobody     was found: check how the person is written")?;
            f.write_str(if *is_dry { "" } else { "; runs keep such people out all the same" })?;
        }
        if *is_dry {
            return write!(f, "\nnothing was erased: to erase it, leave out `--dry-run`");
        }
        write!(f, "\nversions   {versions} deleted, of objects as they were before")?;
        f.write_str("\nkeep       the key: every run needs it from now on")
    }

    fn show_published(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let objects: u64 = self.published.objects.values().sum();
        let (objects, days) = (counted(objects, "object"), counted(self.published.days.len() as u64, "day"));
        write!(f, "published  {objects} of {days}")
    }
}

/// Seconds, for people.
fn time(seconds: u64) -> String {
    HumanDuration(std::time::Duration::from_secs(seconds)).to_string()
}

impl fmt::Display for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at_least, at_most } = self;
        if at_least == at_most { write!(f, "{at_least}") } else { write!(f, "{at_least} to {at_most}") }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.job {
            JobName::Plan => self.show_plan(f)?,
            JobName::Pull => self.show_visits(f)?,
            JobName::Sync => {
                self.show_visits(f)?;
                f.write_str("\n")?;
                self.show_published(f)?;
            }
            JobName::Forget => self.show_erasure(f)?,
            JobName::Replay => {
                self.show_events(f)?;
                self.show_records(f)?;
                f.write_str("\n")?;
                self.show_published(f)?;
            }
            JobName::Publish | JobName::Upgrade => self.show_published(f)?,
            JobName::Staged => {
                let days = self.staged.as_deref().unwrap_or_default();
                write!(f, "staged     {}", counted(days.len() as u64, "day"))?;
                days.iter().try_for_each(|day| write!(f, "\nday        {day}"))?;
            }
            JobName::Collect => self.show_events(f)?,
            JobName::Doctor => {
                let failed = self.checks.iter().filter(|check| !check.ok).count();
                write!(f, "checks     {}, {failed} failed", self.checks.len())?;
                for Check { name, ok, found } in &self.checks {
                    write!(f, "\n{name:<10} {}{found}", if *ok { "" } else { "FAILED: " })?;
                }
            }
            JobName::Token => f.write_str("token      the vendor accepts the shared token")?,
        }
        for (event_id, owed) in &self.owed {
            write!(f, "\nowed       event {event_id}: {}", Owed::of_names(owed))?;
        }
        for note in &self.notes {
            write!(f, "\nnote       {note}")?;
        }
        Ok(())
    }
}
