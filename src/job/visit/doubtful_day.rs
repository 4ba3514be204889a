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
        if self.answers.counts.is_none() {
            return Err(lacks_data().caused_by(unknown));
        }
        let intake = Intake::new(self.context, Task::Day(day).source(), self.decode_context(), day);
        let nothing = intake.finish()?;
        self.unless_it_lacks_data(day, nothing).await.map_err(|error| error.caused_by(unknown))
    }

    /// The answer for a day; likewise an error if it lacks an array for a table, and may have records for it.
    pub(super) async fn unless_it_lacks_data(
        &mut self,
        day: Date,
        mut fetched: Fetched,
    ) -> Result<Option<Fetched>> {
        let tables = Source::Windows.tables().iter().copied();
        let missing: Vec<Table> = tables.filter(|table| fetched.missing.contains(table)).collect();
        if self.needs_counts(day, &missing, &fetched) {
            let asked = self.ask_for_counts().await;
            if !matches!(asked, Ok(true)) {
                self.abandon(std::mem::take(&mut fetched.archived)).await?;
                return asked.map(|_| None);
            }
        }
        if !self.is_doubted(day, &missing) {
            let has_rows = Source::Windows.tables().iter().any(|table| fetched.totals(*table).rows > 0);
            if !missing.is_empty() && !has_rows && self.answers.counts.is_none() {
                self.answers.blank.insert(day);
            }
            return Ok(Some(fetched));
        }
        self.shortfall.blank.insert(day);
        if self.ledger.blank.get(&day).is_some_and(|visits| *visits >= TRIES_WITHOUT_DATA) {
            let event_id = self.visit_id.event_id;
            let note = "the vendor's answers keep lacking data that this day may have";
            fetched.records.notes.insert(format!("event {event_id}, {day}: {note}"));
            return Ok(Some(fetched));
        }
        // The vendor did answer: that is no reason to ask for no other day.
        self.shortfall.note_answer();
        self.abandon(std::mem::take(&mut fetched.archived)).await?;
        let error = lacks_data();
        Err(match fetched.records.request_ids.first() {
            Some(request_id) => error.with("requestId", request_id),
            None => error,
        })
    }

    /// Whether an answer that has no array for these tables has to wait for the snapshot: where this visit asks for that anyway, and
    /// where earlier visits, or a user, expect records. Otherwise the day could be staged, and be contradicted afterwards.
    fn needs_counts(&self, day: Date, missing: &[Table], fetched: &Fetched) -> bool {
        let known = self.ledger.days.get(&day);
        let digest_of = |table| known.map(|known| known.totals(table)).unwrap_or_default().digest;
        let mut tables = Source::Windows.tables().iter();
        let is_news = tables.any(|table| fetched.totals(*table).digest != digest_of(*table));
        let is_expected =
            self.is_owed(day) || self.ledger.blank.contains_key(&day) || self.scope.has_day(day);
        !missing.is_empty()
            && self.answers.counts.is_none()
            && (is_news || is_expected || self.needs().snapshot())
    }

    /// Whether it contradicts what is known that an answer for a day has no array for these tables: the snapshot of this visit; where
    /// that cannot tell, and all arrays are missing, what the visits before found.
    fn is_doubted(&self, day: Date, missing: &[Table]) -> bool {
        let had_rows = |known: &DayAnswer| known.lives.rows + known.interactions.rows > 0;
        let may_have_any = || self.ledger.days.get(&day).is_some_and(had_rows) || self.is_owed(day);
        // A snapshot without any data may be no answer either.
        let is_blank = self.answers.snapshot.is_some_and(|snapshot| snapshot.is_blank);
        match self.answers.counted(day, missing) {
            Some(has_any) => has_any || has_nothing(missing) && is_blank && self.is_owed(day),
            None => has_nothing(missing) && may_have_any(),
        }
    }

    /// Whether a day is owed: an earlier snapshot may have had records of it.
    fn is_owed(&self, day: Date) -> bool {
        self.ledger.owed.days.contains(&day)
    }

    /// Asks for the snapshot if this visit has not asked for it yet. False if there is no time left.
    async fn ask_for_counts(&mut self) -> Result<bool> {
        if !self.shortfall.owed.snapshot {
            // Boxed, because the snapshot is fetched like a day.
            Box::pin(self.pull_task(Task::Snapshot)).await?;
        }
        Ok(self.answers.counts.is_some() || !self.shortfall.is_left)
    }
}

/// Whether all arrays that a day's windows bring are missing.
fn has_nothing(missing: &[Table]) -> bool {
    missing.len() == Source::Windows.tables().len()
}

fn lacks_data() -> Error {
    Error::new(Kind::BadAnswer, "the vendor's answer for this day lacks data that it may have")
}
