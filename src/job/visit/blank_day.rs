//! A day that the vendor answers with a success, but without the arrays of records that its snapshot counts: one of the two is wrong,
//! and it is hardly the one with data.

use jiff::civil::Date;

use super::Visiting;
use super::intake::Fetched;
use crate::error::{Error, Kind, Result};
use crate::transform::tables::Table;

impl Visiting<'_> {
    /// The answer for a day; an error if it lacks an array of which this visit's snapshot counts records on the day. Of a day in several
    /// windows, any of them may have none.
    pub(super) async fn unless_it_lacks_what_is_there(
        &mut self,
        day: Date,
        mut fetched: Fetched,
    ) -> Result<Option<Fetched>> {
        if fetched.records.windows.len() != 1 {
            return Ok(Some(fetched));
        }
        let counted = self.answers.counts.as_ref().and_then(|counts| counts.days.get(&day)).copied();
        let counted = counted.unwrap_or_default();
        let of_lives = counted.lives > 0 && fetched.missing.contains(&Table::Lives);
        let of_interactions = counted.interactions > 0 && fetched.missing.contains(&Table::Interactions);
        if of_lives || of_interactions {
            self.abandon(std::mem::take(&mut fetched.archived)).await?;
            let message = "the vendor answered without data for a day of which its snapshot has records";
            return Err(Error::new(Kind::BadAnswer, message));
        }
        if fetched.missing.len() == Table::ARRAYS.len() {
            self.answers.blank.insert(day);
        }
        Ok(Some(fetched))
    }
}
