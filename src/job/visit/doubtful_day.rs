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

/// After so many visits in which a day lacked data that it may have, since it last had rows, it counts as it is answered.
const TRIES_WITHOUT_DATA: u32 = 6;

impl Visiting<'_> {
    /// The answer that a day amounts to for which the vendor does not know the event. An error if it may have records; that of the
    /// snapshot, if the vendor does not know the event there either. `None` if there is no time left.
    pub(super) async fn answer_of_unknown(&mut self, day: Date, unknown: Error) -> Result<Option<Fetched>> {
        if !self.ask_for_counts().await? {
            return Ok(None);
        }
        let intake = Intake::new(self.context, Task::Day(day).source(), self.decode_context(), day);
        let nothing = intake.finish()?;
        if self.answers.counts.is_none() {
            self.shortfall.note_answer();
            return Err(lacks_data(&nothing).caused_by(unknown));
        }
        self.unless_it_lacks_data(day, nothing).await.map_err(|error| error.caused_by(unknown))
    }

    /// The answer for a day; likewise an error if it lacks an array for a table, and may have records for it. What the snapshot of
    /// this visit may contradict afterwards is noted: see [`Visiting::owe_what_lacks`].
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
            let note = "the vendor's answers keep lacking data that this day may have";
            fetched.records.notes.insert(format!("event {event_id}, {day}: {note}"));
            self.shortfall.blank.insert(day);
            return Ok(Some(fetched));
        }
        let is_owed = has_nothing(&missing) && self.ledger.owed.days.contains(&day);
        if self.answers.counts.is_none() && (is_owed || self.is_doubted(day, &missing)) {
            let asked = self.ask_for_counts().await;
            if !matches!(asked, Ok(true)) {
                self.abandon(std::mem::take(&mut fetched.archived)).await?;
                return asked.map(|_| None);
            }
        }
        if self.is_doubted(day, &missing) {
            self.shortfall.blank.insert(day);
            // The vendor did answer: that is no reason to ask for no other day.
            self.shortfall.note_answer();
            self.abandon(std::mem::take(&mut fetched.archived)).await?;
            return Err(lacks_data(&fetched));
        }
        if !missing.is_empty() && self.answers.counts.is_none() {
            self.answers.lacking.insert(day, (missing, lacks_data(&fetched)));
        }
        Ok(Some(fetched))
    }

    /// Owes the days that were answered before the snapshot, and lacked an array of which it counts records.
    pub(super) fn owe_what_lacks(&mut self) {
        for (day, (missing, error)) in std::mem::take(&mut self.answers.lacking) {
            if self.answers.counted(day, &missing) == Some(true) {
                let task = Task::Day(day);
                self.shortfall.owe(task);
                self.shortfall.blank.insert(day);
                self.fail(task.named(error));
            }
        }
    }

    /// Whether it contradicts what is known that an answer for a day has no array for these tables: the snapshot of this visit, and
    /// where that cannot tell, what the visits before found.
    fn is_doubted(&self, day: Date, missing: &[Table]) -> bool {
        if missing.is_empty() {
            return false;
        }
        let has_lacked = self.ledger.blank.contains_key(&day);
        // Of a day that was not answered yet, the snapshot before may have had records, if it had any at all.
        let may_be_owed_rows = self.ledger.owed.days.contains(&day) && self.ledger.rows() > 0;
        let had_rows = |known: &DayAnswer| known.lives.rows + known.interactions.rows > 0;
        match self.answers.counted(day, missing) {
            Some(true) => true,
            // A snapshot without any data may be no answer either.
            Some(false) => {
                let is_blank = self.answers.snapshot.is_some_and(|snapshot| snapshot.is_blank);
                is_blank && has_nothing(missing) && (has_lacked || may_be_owed_rows)
            }
            None => {
                // Where the snapshot is only cut off, every day is asked for, and compared with the next one.
                let is_open = may_be_owed_rows && self.answers.counts.is_none();
                let may_have_any = is_open || self.ledger.days.get(&day).is_some_and(had_rows);
                has_lacked || has_nothing(missing) && may_have_any
            }
        }
    }

    /// Asks for the snapshot if this visit has not asked for it yet. False if there is no time left.
    async fn ask_for_counts(&mut self) -> Result<bool> {
        // Boxed, because the snapshot is fetched like a day.
        Box::pin(self.pull_task(Task::Snapshot)).await?;
        Ok(self.answers.counts.is_some() || !self.shortfall.is_left)
    }
}

/// Whether all arrays are missing that a day's windows bring.
fn has_nothing(missing: &[Table]) -> bool {
    missing.len() == Source::Windows.tables().len()
}

fn lacks_data(fetched: &Fetched) -> Error {
    let error = Error::new(Kind::BadAnswer, "the vendor's answer for this day lacks data that it may have");
    match fetched.records.request_ids.first() {
        Some(request_id) => error.with("requestId", request_id),
        None => error,
    }
}
