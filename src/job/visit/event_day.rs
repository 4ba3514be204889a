//! The event's day: the one in which its rows of `events` and `viewer_details` lie.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::calendar::Zone;
use crate::load::ledger::Ledger;

/// The event's day, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventDay {
    /// It is fixed in the ledger, or will be.
    Known(Date),
    /// Neither the ledger nor the vendor states it: the day of the visit stands in for it.
    Assumed(Date),
}

impl EventDay {
    /// What the ledger fixes, or else the day on which the event starts.
    pub(super) fn of(ledger: &Ledger, zone: &Zone, now: Timestamp) -> Self {
        let of_start = || ledger.event.start_time.map(|start| zone.day_of(start));
        ledger.event_day.or_else(of_start).map_or_else(|| Self::Assumed(zone.day_of(now)), Self::Known)
    }

    pub(super) fn date(self) -> Date {
        match self {
            Self::Known(day) | Self::Assumed(day) => day,
        }
    }

    pub(super) fn known(self) -> Option<Date> {
        match self {
            Self::Known(day) => Some(day),
            Self::Assumed(_) => None,
        }
    }
}
