//! A day for which the vendor says that it does not know the event, or answers without any data. What its codes mean is not
//! documented, nor what it sends where there is nothing: perhaps only that the day has no records. The snapshot decides.

use jiff::civil::Date;

use super::Visiting;
use super::intake::{Fetched, Intake};
use super::task::Task;
use crate::error::{Error, Kind, Result};
use crate::load::cell::Source;
use crate::load::ledger::answers::DayAnswer;
use crate::transform::tables::Table;

/// After this many visits in a row in which the vendor answered nothing for a day, it has none from then on.
const TRIES_WITHOUT_DATA: u32 = 6;

impl Visiting<'_> {
    /// The answer that a day amounts to for which the vendor does not know the event. An error if it may have records; that of the
    /// snapshot, if the vendor does not know the event there either. `None` if there is no time left.
    pub(super) async fn answer_of_unknown(&mut self, day: Date, unknown: Error) -> Result<Option<Fetched>> {
        if !self.ask_for_counts().await? {
            return Ok(None);
        }
        let may_have = match self.answers.counted(day, Source::Windows.tables()) {
            Some(counts) => counts,
            None => self.answers.counts.is_none() || self.may_have_records(day),
        };
        if may_have {
            return Err(may_have_records().caused_by(unknown));
        }
        let intake = Intake::new(self.context, Task::Day(day).source(), self.decode_context(), day);
        intake.finish().map(Some)
    }

    /// The answer for a day; likewise an error if it lacks an array for a table, and may have records for it.
    pub(super) async fn unless_it_lacks_data(
        &mut self,
        day: Date,
        mut fetched: Fetched,
    ) -> Result<Option<Fetched>> {
        let tables = Source::Windows.tables().iter().copied();
        let missing: Vec<Table> = tables.filter(|table| fetched.missing.contains(table)).collect();
        let visits = self.ledger.blank.get(&day).copied().unwrap_or_default();
        if self.is_doubted(day, &missing) && visits >= TRIES_WITHOUT_DATA {
            let event_id = self.visit_id.event_id;
            let note = "the vendor keeps answering nothing for a day that may have records";
            fetched.records.notes.insert(format!("event {event_id}, {day}: {note}"));
            return Ok(Some(fetched));
        }
        let is_undecided = self.is_doubted(day, &missing) && self.answers.counted(day, &missing).is_none();
        if is_undecided && !self.ask_for_counts().await? {
            self.abandon(std::mem::take(&mut fetched.archived)).await?;
            return Ok(None);
        }
        if !self.is_doubted(day, &missing) {
            if !missing.is_empty() && self.answers.counts.is_none() {
                self.answers.blank.insert(day, missing);
            }
            return Ok(Some(fetched));
        }
        self.shortfall.blank.insert(day);
        self.abandon(std::mem::take(&mut fetched.archived)).await?;
        let error = may_have_records();
        Err(match fetched.records.request_ids.first() {
            Some(request_id) => error.with("requestId", request_id),
            None => error,
        })
    }

    /// Whether it contradicts what is known that an answer for a day has no array for these tables: the snapshot of this visit; where
    /// that cannot tell, and all arrays are missing, what the visits before found.
    fn is_doubted(&self, day: Date, missing: &[Table]) -> bool {
        let has_nothing = missing.len() == Source::Windows.tables().len();
        self.answers.counted(day, missing).unwrap_or_else(|| has_nothing && self.may_have_records(day))
    }

    /// Whether a day had records before, or is owed: of that one, an earlier snapshot may have had some.
    fn may_have_records(&self, day: Date) -> bool {
        let had_rows = |known: &DayAnswer| known.lives.rows + known.interactions.rows > 0;
        self.ledger.days.get(&day).is_some_and(had_rows) || self.ledger.owed.days.contains(&day)
    }

    /// Asks for the snapshot if this visit has not asked for it yet. False if there is no time left.
    async fn ask_for_counts(&mut self) -> Result<bool> {
        if !self.shortfall.owed.snapshot {
            // Boxed, because the snapshot is fetched like a day.
            Box::pin(self.pull_task(Task::Snapshot)).await?;
        }
        if self.answers.counts.is_none() && self.shortfall.is_left {
            return Ok(false);
        }
        // The vendor did answer for the day: that is no reason to ask for no other.
        self.shortfall.note_answer();
        Ok(true)
    }
}

fn may_have_records() -> Error {
    Error::new(Kind::BadAnswer, "the vendor answers nothing for this day, which may have records")
}
