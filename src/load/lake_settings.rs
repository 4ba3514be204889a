//! What decides what a day is, when it is done, and what is kept. Pure.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::cell::Judge;
use crate::calendar::Zone;
use crate::error::{Explain, Kind, Result};
use crate::transform::privacy::Policy;
use crate::transform::tables::Table;

/// Which settings of a lake the user named. Commands that only read the lake take the others from it.
#[derive(Clone, Copy, Debug)]
pub struct NamedSettings {
    /// The time zone.
    pub zone: bool,
    /// The settling time.
    pub settle: bool,
    /// The privacy policy.
    pub policy: bool,
}

/// The settings of a lake, according to one run.
#[derive(Clone, Debug)]
pub struct LakeSettings {
    /// The time zone in which days begin and end.
    pub zone: Zone,
    /// How long after its end a day's rows may still change.
    pub settle: SignedDuration,
    /// What may be kept of people.
    pub policy: Arc<Policy>,
}

impl LakeSettings {
    /// When a day settles: from then on, its rows are not expected to change.
    pub fn settled_at(&self, day: Date) -> Result<Timestamp> {
        let end = self.zone.end_of(day)?;
        end.checked_add(self.settle).explain(Kind::Usage, || format!("the day `{day}` never settles"))
    }

    /// The judge between rival cells of a table and day.
    pub fn judge(&self, table: Table, day: Date) -> Result<Judge> {
        Ok(Judge::new(table, self.settled_at(day)?))
    }
}
