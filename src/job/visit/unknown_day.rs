//! A day for which the vendor says that it does not know the event. What its codes mean is not documented: perhaps only that the
//! day has no records.

use jiff::civil::Date;

use super::Visiting;
use super::intake::{Fetched, Intake};
use super::task::Task;
use crate::error::{Error, Kind, Result};

impl Visiting<'_> {
    /// The answer that the day amounts to: one without records, if the snapshot has none of it. An error if it has some, or if it
    /// cannot tell; that of the snapshot, if the vendor does not know the event there either. `None` if there is no time left.
    pub(super) async fn answer_of_unknown(&mut self, day: Date, unknown: Error) -> Result<Option<Fetched>> {
        // Boxed, because the snapshot is fetched like a day.
        Box::pin(self.pull_task(Task::Snapshot)).await?;
        if self.answers.counts.is_none() && self.shortfall.is_left {
            return Ok(None);
        }
        if self.answers.counts.as_ref().is_none_or(|counts| counts.days.contains_key(&day)) {
            let message =
                "the vendor says of this day, which may have records, that it does not know the event";
            return Err(Error::new(Kind::BadAnswer, message).caused_by(unknown));
        }
        let intake = Intake::new(self.context, Task::Day(day).source(), self.decode_context(), day);
        intake.finish().map(Some)
    }
}
