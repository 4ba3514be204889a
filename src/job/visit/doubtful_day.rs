//! A day for which the vendor says that it does not know the event, or answers without any data. What its codes mean is not
//! documented, nor what it sends where there is nothing: perhaps only that the day has no records. The snapshot decides.

use jiff::civil::Date;

use super::Visiting;
use super::intake::{Fetched, Intake};
use super::task::Task;
use crate::error::{Error, Kind, Result};
use crate::load::ledger::answers::DayAnswer;
use crate::transform::tables::Table;

/// After this many visits that were not finished, a day counts as empty for which the vendor never answers with data.
const TRIES_WITHOUT_DATA: u32 = 6;

impl Visiting<'_> {
    /// The answer that a day amounts to for which the vendor does not know the event. An error if it may have records; that of the
    /// snapshot, if the vendor does not know the event there either. `None` if there is no time left.
    pub(super) async fn answer_of_unknown(&mut self, day: Date, unknown: Error) -> Result<Option<Fetched>> {
        match self.has_none_of(day).await? {
            None => Ok(None),
            Some(false) => Err(may_have_records().caused_by(unknown)),
            Some(true) => {
                let intake = Intake::new(self.context, Task::Day(day).source(), self.decode_context(), day);
                intake.finish().map(Some)
            }
        }
    }

    /// The answer for a day; likewise an error if it is without any data, and the day may have records. Any other answer counts as
    /// it is, and so does one of several windows, which may all have none.
    pub(super) async fn unless_it_lacks_data(
        &mut self,
        day: Date,
        mut fetched: Fetched,
    ) -> Result<Option<Fetched>> {
        let is_blank = fetched.records.windows.len() == 1 && fetched.missing.len() == Table::ARRAYS.len();
        if !is_blank || !self.is_doubted(day) {
            return Ok(Some(fetched));
        }
        if self.ledger.unfinished >= TRIES_WITHOUT_DATA {
            // It counts as answered from now on.
            let pulled_at = self.visit_id.pulled_at;
            self.answers.days.entry(day).or_insert_with(|| DayAnswer::empty(pulled_at));
            return Ok(Some(fetched));
        }
        let outcome = self.has_none_of(day).await;
        if let Ok(Some(true)) = outcome {
            return Ok(Some(fetched));
        }
        self.abandon(std::mem::take(&mut fetched.archived)).await?;
        let mut error = may_have_records();
        if let Some(request_id) = fetched.records.request_ids.first() {
            error = error.with("requestId", request_id);
        }
        if outcome?.is_some() { Err(error) } else { Ok(None) }
    }

    /// Whether an answer without data contradicts what is known of a day: the snapshot of this visit; without one, earlier answers;
    /// and a day that is owed may be one of which an earlier snapshot had records. Once such an answer was believed, it is again.
    fn is_doubted(&self, day: Date) -> bool {
        let rows = |known: &DayAnswer| known.lives.rows + known.interactions.rows;
        let known = self.ledger.days.get(&day);
        let was_believed = |known: &DayAnswer| {
            rows(known) == 0 && !known.is_awaited && self.is_settled(day, known.pulled_at)
        };
        let was_blank = self.ledger.snapshot.is_some_and(|snapshot| snapshot.is_blank);
        if known.is_some_and(was_believed) && !was_blank {
            return false;
        }
        if let Some(counts) = &self.answers.counts {
            return counts.days.contains_key(&day);
        }
        known.is_some_and(|known| rows(known) > 0) || self.ledger.owed.days.contains(&day)
    }

    /// Whether the snapshot, which is asked for if it was not yet, has no record of a day; false if it cannot tell. `None` if there is
    /// no time left.
    async fn has_none_of(&mut self, day: Date) -> Result<Option<bool>> {
        if !self.shortfall.owed.snapshot {
            // Boxed, because the snapshot is fetched like a day.
            Box::pin(self.pull_task(Task::Snapshot)).await?;
        }
        if self.answers.counts.is_none() && self.shortfall.is_left {
            return Ok(None);
        }
        // The vendor did answer for the day: that is no reason to ask for no other.
        self.shortfall.note_answer();
        Ok(Some(self.answers.counts.as_ref().is_some_and(|counts| !counts.days.contains_key(&day))))
    }
}

fn may_have_records() -> Error {
    Error::new(Kind::BadAnswer, "the vendor answers nothing for this day, which may have records")
}
