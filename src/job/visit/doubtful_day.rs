//! A day for which the vendor answers without any data, without an array, or that it does not know the event. What its codes mean is
//! not documented, nor what it sends where there is nothing: perhaps only that the day has no records. The snapshot decides.

use jiff::civil::Date;

use super::Visiting;
use super::answers::Missing;
use super::intake::Fetched;
use super::task::Task;
use crate::error::{Error, Kind, Result};
use crate::load::cell::Source;

/// After so many visits in which a day lacked data that it may have, since it last had rows, it counts as it is answered; so does the
/// snapshot of an event whose day only the snapshot can tell.
pub(super) const TRIES_WITHOUT_DATA: u32 = 6;

impl Visiting<'_> {
    /// The answer for a day. An error if it lacks an array, and may have records for it; that of the snapshot, if the vendor does not
    /// know the event there either. `None` if there is no time left to find out.
    pub(super) async fn unless_it_lacks_data(
        &mut self,
        day: Date,
        mut fetched: Fetched,
    ) -> Result<Option<Fetched>> {
        let is_usable = self.is_usable(day, &mut fetched).await;
        if !matches!(is_usable, Ok(true)) {
            self.abandon(std::mem::take(&mut fetched.archived)).await?;
        }
        Ok(is_usable?.then_some(fetched))
    }

    /// Whether an answer for a day can be used; likewise an error, and false if there is no time left. What the snapshot of this visit
    /// may contradict afterwards is noted: see [`Visiting::owe_what_lacks`].
    async fn is_usable(&mut self, day: Date, fetched: &mut Fetched) -> Result<bool> {
        let (missing, unknown) = (self.missing(day, fetched), fetched.unknown.take());
        let is_owed = has_nothing(&missing) && self.ledger.owed.days.contains(&day);
        let wants_counts = unknown.is_some() || is_owed || self.is_doubted(day, &missing);
        if self.answers.counts.is_none() && wants_counts && !self.ask_for_counts().await? {
            return Ok(false);
        }
        let mut error = lacks_data(fetched);
        if let Some(unknown) = unknown {
            error = error.caused_by(unknown);
            if self.answers.counts.is_none() {
                self.shortfall.note_answer();
                return Err(error);
            }
        }
        if !self.is_doubted(day, &missing) {
            if !missing.is_empty() && self.answers.counts.is_none() {
                self.answers.lacking.insert(day, (missing, error));
            }
            return Ok(true);
        }
        self.shortfall.blank.insert(day);
        if self.ledger.blank.get(&day).is_some_and(|visits| *visits >= TRIES_WITHOUT_DATA) {
            let event_id = self.visit_id.event_id;
            let note = "the vendor's answers keep lacking data that this day may have";
            fetched.records.notes.insert(format!("event {event_id}, {day}: {note}"));
            return Ok(true);
        }
        // The vendor did answer: that is no reason to ask for no other day.
        self.shortfall.note_answer();
        Err(error)
    }

    /// Owes the days that were answered before the snapshot, and lacked an array of which it counts more records.
    pub(super) fn owe_what_lacks(&mut self) {
        for (day, (missing, error)) in std::mem::take(&mut self.answers.lacking) {
            if self.answers.counted_more(day, &missing) == Some(true) {
                let task = Task::Day(day);
                self.shortfall.owe(task);
                self.shortfall.blank.insert(day);
                self.fail(task.named(error));
            }
        }
    }

    /// What the answer for a day lacks. A day that has not settled goes on growing: if some of its windows brought rows, the snapshot
    /// may have more without any contradiction.
    fn missing(&self, day: Date, fetched: &Fetched) -> Missing {
        let is_settled = self.is_settled(day, self.visit_id.pulled_at);
        let tables = Source::Windows.tables().iter().filter(|table| fetched.missing.contains(table));
        let missing = tables.map(|table| (*table, fetched.totals(*table).rows));
        missing.filter(|(_, rows)| *rows == 0 || is_settled).collect()
    }

    /// Whether it contradicts what is known that an answer for a day lacks this: the snapshot of this visit, and where that cannot
    /// tell, what the visits before found.
    fn is_doubted(&self, day: Date, missing: &Missing) -> bool {
        if missing.is_empty() {
            return false;
        }
        let (has_lacked, may_be_owed_rows) = (self.has_lacked(day), self.may_be_owed_rows(day));
        match self.answers.counted_more(day, missing) {
            Some(true) => true,
            // A snapshot without any data may be no answer either.
            Some(false) => {
                let is_blank = self.answers.snapshot.is_some_and(|snapshot| snapshot.is_blank);
                is_blank && has_nothing(missing) && (has_lacked || may_be_owed_rows)
            }
            None => {
                let without_rows = || missing.iter().filter(|(_, rows)| **rows == 0).map(|(table, _)| *table);
                let had_rows = self
                    .ledger
                    .days
                    .get(&day)
                    .is_some_and(|known| without_rows().any(|table| known.totals(table).rows > 0));
                // Where the snapshot is only cut off, every day is asked for, and compared with the next one.
                let is_open = may_be_owed_rows && self.answers.counts.is_none();
                has_lacked && without_rows().next().is_some()
                    || had_rows && (has_nothing(missing) || self.scope.accepts(day))
                    || is_open && has_nothing(missing)
            }
        }
    }

    /// Whether answers for a day lacked data that it may have, since it last had rows.
    fn has_lacked(&self, day: Date) -> bool {
        self.ledger.blank.contains_key(&day)
    }

    /// Whether a day was not answered yet, and may have rows: the snapshot before may have had records of it, if it had any at all.
    fn may_be_owed_rows(&self, day: Date) -> bool {
        self.ledger.owed.days.contains(&day) && self.ledger.rows() > 0
    }

    /// Asks for the snapshot if this visit has not asked for it yet. False if there is no time left.
    async fn ask_for_counts(&mut self) -> Result<bool> {
        // Boxed, because the snapshot is fetched like a day.
        Box::pin(self.pull_task(Task::Snapshot)).await?;
        Ok(self.answers.counts.is_some() || !self.shortfall.is_left)
    }
}

/// Whether all arrays are missing that a day's windows bring.
fn has_nothing(missing: &Missing) -> bool {
    missing.len() == Source::Windows.tables().len() && missing.values().all(|rows| *rows == 0)
}

/// The error of an answer that lacks data.
pub(super) fn lacks_data(fetched: &Fetched) -> Error {
    let error = Error::new(Kind::BadAnswer, "the vendor's answer lacks data that there probably is");
    match fetched.records.request_ids.first() {
        Some(request_id) => error.with("requestId", request_id),
        None => error,
    }
}
