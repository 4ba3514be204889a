//! The vendor's wall clock: UTC+8 all year.

use std::fmt;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, date};
use jiff::fmt::StdFmtWrite;
use jiff::fmt::temporal::DateTimePrinter;

/// Seconds in a day; every day of this wall clock has as many.
pub(crate) const DAY: i64 = 24 * HOUR;
/// Seconds in an hour.
pub(crate) const HOUR: i64 = 60 * MINUTE;
/// Seconds in a minute.
pub(crate) const MINUTE: i64 = 60;

/// What the wall clock showed at the epoch.
const EPOCH: DateTime = date(1970, 1, 1).at(8, 0, 0, 0);

/// Prints a space between date and time.
const PRINTER: DateTimePrinter = DateTimePrinter::new().separator(b' ');

/// The instant at which `day` begins.
pub(crate) fn midnight(day: Date) -> i64 {
    day.at(0, 0, 0, 0).duration_since(EPOCH).as_secs()
}

/// The first midnight after `instant`.
pub(crate) fn next_midnight(instant: i64) -> i64 {
    instant + DAY - (instant + 8 * HOUR).rem_euclid(DAY)
}

/// What the wall clock shows at `instant`.
pub(crate) fn wall_clock(instant: i64) -> DateTime {
    EPOCH.saturating_add(SignedDuration::from_secs(instant))
}

/// An instant as the vendor writes it: `2022-10-26 16:28:00`.
pub(crate) struct WallClock(pub(crate) i64);

impl fmt::Display for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        PRINTER.print_datetime(&wall_clock(self.0), StdFmtWrite(f)).map_err(|_| fmt::Error)
    }
}

/// A duration in seconds as the vendor writes it: `HH:MM:SS`.
pub(crate) struct Duration(pub(crate) i64);

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes, seconds) = (self.0 / HOUR, self.0 % HOUR / MINUTE, self.0 % MINUTE);
        write!(f, "{hours:02}:{minutes:02}:{seconds:02}")
    }
}
