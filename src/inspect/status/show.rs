//! Status, for people.

use std::fmt;

use super::Status;
use super::not_known::NotKnown;
use crate::counted::counted;
use crate::load::ledger::complete::{HeldBy, Hold};

/// How many holds are shown at most.
const SHOWN: usize = 5;

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("complete   ")?;
        match (self.complete_through, self.not_known) {
            (Some(day), _) => write!(f, "through {day}")?,
            (None, Some(why)) => write!(f, "not known, because {why}")?,
            (None, None) => f.write_str("not known")?,
        }
        for hold in self.holds.iter().take(SHOWN) {
            write!(f, "\nheld back  {hold}")?;
        }
        if self.holds.len() > SHOWN {
            write!(f, "\nheld back  by {} more", self.holds.len() - SHOWN)?;
        }
        let events = &self.events;
        write!(f, "\nevents     {} known: {} open, {} closed", events.known, events.open, events.closed)?;
        write!(f, "\nopen       {} due, ", events.due)?;
        write!(f, "{} overdue, {} failing", events.health.overdue, events.health.failing)?;
        let last = self.last_visit.map_or_else(|| "never".to_owned(), |at| format!("{at:.0}"));
        write!(f, "\nlast       visit {last}")?;
        match (self.roster_read, self.not_known) {
            (Some(at), _) => write!(f, ", roster {at:.0}")?,
            (None, Some(NotKnown::RosterNeverRead)) => f.write_str(", roster never")?,
            // It is not known, or not wanted.
            (None, _) => {}
        }
        let rows: Vec<String> =
            self.lake.rows.iter().map(|(table, rows)| format!("{rows} {table}")).collect();
        let rows = if rows.is_empty() { "none".to_owned() } else { rows.join(", ") };
        write!(f, "\nrows       {rows}, in {}", counted(self.lake.days as u64, "day"))?;
        let checks = &self.lake.checks;
        let visits = if checks.visited == 1 { "visit" } else { "visits" };
        write!(
            f,
            "\nchecks     of the last {visits} of {}: {}, {} with less than before, {} and {} differing",
            counted(checks.visited as u64, "event"),
            counted(checks.rejects, "reject"),
            counted(checks.fewer, "cell"),
            counted(checks.days_differing, "day"),
            counted(checks.sums_differing as u64, "sum")
        )?;
        write!(f, "\nstaged     {}", counted(self.staged.files as u64, "file"))?;
        if let Some(oldest) = self.staged.oldest {
            write!(f, ", the oldest since {oldest:.0}")?;
        }
        for note in &self.notes {
            write!(f, "\nnote       {}", note.text)?;
        }
        for problem in &self.problems {
            write!(f, "\nPROBLEM    {}", problem.text)?;
        }
        Ok(())
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.day)?;
        if let Some(event_id) = self.event_id {
            write!(f, " by event {event_id}")?;
        }
        f.write_str(match self.because {
            HeldBy::Running => ": it has not ended",
            HeldBy::Unvisited => ": no visit has asked for all of it yet",
            HeldBy::Owed => ": the day is owed, and the next visit asks for it again",
            HeldBy::WithoutSnapshot => ": its first snapshot is owed, and the next visit asks for it again",
            HeldBy::Unsettled => ": it has not been visited since the day settled",
            HeldBy::Staged => ": staged files are not published yet",
            HeldBy::Damaged => ": an object cannot be read, or is missing",
        })
    }
}
