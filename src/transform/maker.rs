//! The values of columns that are not simply what was sent for them.

use jiff::Timestamp;

use super::column::Column;
use super::decoded::Tally;
use super::extra::Extra;
use super::fields::Fields;
use super::origin::Made;
use super::record::Sent;
use super::usual;
use super::value::Value;
use super::vendor_clock::VendorClock;
use crate::calendar::{WallClock, Zone};

/// Makes such values for the rows of one answer.
pub(super) struct Maker {
    event_id: i64,
    pulled_at: Timestamp,
    clock: WallClock,
    vendor_clock: VendorClock,
}

impl Maker {
    pub(super) fn new(event_id: i64, pulled_at: Timestamp, zone: Zone) -> Self {
        Self { event_id, pulled_at, clock: WallClock::new(zone), vendor_clock: VendorClock::default() }
    }

    /// The value of a column, for which a field may have been sent: one that says something else than the column goes to `extra`.
    pub(super) fn value<'r>(
        &mut self,
        made: &Made,
        column: &Column,
        sent: Option<Sent<'r>>,
        fields: &Fields<'_, 'r>,
        extra: &mut Extra<'r>,
        tally: &mut Tally,
    ) -> Value<'r> {
        match *made {
            Made::Treated(personal, treatment) => {
                let text = sent.and_then(|sent| usual::present(&sent));
                let is_unfit = text.is_none() && sent.is_some_and(|sent| !sent.raw().is_absent());
                tally.set_aside += u64::from(is_unfit);
                text.and_then(|text| fields.treated(treatment, personal, text)).into()
            }
            Made::Clock { of } => {
                let instant = fields.instant(of);
                if let Some(sent) = sent
                    && !self.vendor_clock.says(&sent.raw(), instant)
                {
                    fields.keep_beside(extra, column, &sent);
                }
                instant.map_or(Value::Null, |instant| Value::Millis(self.clock.millis(instant)))
            }
            Made::Event => Value::Integer(self.event_id),
            Made::Person(treatment) => fields.person_key(sent, treatment).into(),
            Made::Extra => extra.json().into(),
            Made::Pulled => self.pulled_at.into(),
        }
    }
}
