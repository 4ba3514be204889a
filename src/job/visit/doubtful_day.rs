//! A day for which the vendor says that it does not know the event, or answers without any data. What its codes mean is not documented,
//! nor what it sends where there is nothing: perhaps only that the day has no records.

use jiff::civil::Date;

use super::Visiting;
use super::intake::{Fetched, Intake};
use super::task::Task;
use crate::error::{Error, Kind, Result};
use crate::transform::tables::Table;

/// After this many visits that were not finished, a day counts as empty for which the vendor never answers with data.
const TRIES_WITHOUT_DATA: u32 = 6;

impl Visiting<'_> {
    /// The answer that the day amounts to: one without records, if the snapshot has none of it. An error if it has some, or if it
    /// cannot tell; that of the snapshot, if the vendor does not know the event there either. `None` if there is no time left.
    pub(super) async fn answer_of_doubtful(&mut self, day: Date, said: Error) -> Result<Option<Fetched>> {
        // Boxed, because the snapshot is fetched like a day.
        Box::pin(self.pull_task(Task::Snapshot)).await?;
        if self.answers.counts.is_none() && self.shortfall.is_left {
            return Ok(None);
        }
        if self.answers.counts.as_ref().is_none_or(|counts| counts.days.contains_key(&day)) {
            let message = "the vendor answers nothing for this day, which may have records";
            return Err(Error::new(Kind::BadAnswer, message).caused_by(said));
        }
        let intake = Intake::new(self.context, Task::Day(day).source(), self.decode_context(), day);
        intake.finish().map(Some)
    }

    /// The same for an answer without any data, if records of the day are known: from the snapshot, from earlier answers, or because
    /// the day is owed. Any other answer counts as it is, and so does one of several windows, which may all have none.
    pub(super) async fn unless_it_lacks_data(
        &mut self,
        day: Date,
        fetched: Fetched,
    ) -> Result<Option<Fetched>> {
        let is_blank = fetched.records.windows.len() == 1 && fetched.missing.len() == Table::ARRAYS.len();
        let known = self.ledger.days.get(&day);
        let has_records = match &self.answers.counts {
            Some(counts) => counts.days.contains_key(&day),
            None => {
                self.ledger.owed.days.contains(&day)
                    || known.is_some_and(|known| known.lives.rows + known.interactions.rows > 0)
            }
        };
        if !is_blank || !has_records || self.ledger.unfinished >= TRIES_WITHOUT_DATA {
            return Ok(Some(fetched));
        }
        self.abandon(fetched.archived).await?;
        self.answer_of_doubtful(day, Error::new(Kind::BadAnswer, "it is a success without any data")).await
    }
}
