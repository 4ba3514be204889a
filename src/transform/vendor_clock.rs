//! The vendor's own wall clock, in which it repeats instants as texts.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::json::raw::Raw;

/// The zone in which the vendor writes its `*_date` texts, whatever the lake's zone is.
const ZONE: Offset = jiff::tz::offset(8);
/// The seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// The instant that a text of the vendor's clock stands for; `None` if it is not a date and time.
#[must_use]
pub(super) fn read(text: &str) -> Option<Timestamp> {
    let clock: DateTime = text.trim().parse().ok()?;
    ZONE.to_timestamp(clock).ok()
}

/// Compares texts of the vendor's clock with instants. Nearly all texts have the same form, so the instant is written in that
/// form and compared; the date is written only once for all instants of a day.
#[derive(Clone, Debug, Default)]
pub(super) struct VendorClock {
    /// The day whose date is written, in days since 1970 in the vendor's zone.
    day: i64,
    /// The date of that day, as `2022-10-26`; empty before the first instant.
    date: String,
}

impl VendorClock {
    /// Whether what was sent stands for this instant, or is absent.
    pub(super) fn says(&mut self, raw: &Raw<'_>, instant: Option<Timestamp>) -> bool {
        match (raw, instant) {
            _ if raw.is_absent() => true,
            (Raw::Text(text), Some(instant)) => self.shows(text, instant),
            _ => false,
        }
    }

    fn shows(&mut self, text: &str, instant: Timestamp) -> bool {
        let second = instant.as_second() + i64::from(ZONE.seconds());
        let day = second.div_euclid(DAY);
        if day != self.day || self.date.is_empty() {
            (self.day, self.date) = (day, ZONE.to_datetime(instant).date().to_string());
        }
        is_written(text, &self.date, second.rem_euclid(DAY)) || read(text) == Some(instant)
    }
}

/// Whether a text is this date, followed by this second of the day as `16:27:03`.
fn is_written(text: &str, date: &str, second: i64) -> bool {
    let Some([b' ', h0, h1, b':', m0, m1, b':', s0, s1]) = text.strip_prefix(date).map(str::as_bytes) else {
        return false;
    };
    let is = |tens: &u8, ones: &u8, number: i64| {
        i64::from(*tens) == i64::from(b'0') + number / 10 && i64::from(*ones) == i64::from(b'0') + number % 10
    };
    is(h0, h1, second / 3600) && is(m0, m1, second / 60 % 60) && is(s0, s1, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_matches_an_instant_only_as_the_vendors_clock_shows_it() {
        let mut clock = VendorClock::default();
        for (text, second, says) in [
            ("2022-10-26 16:27:03", 1_666_772_823, true),
            ("2022-10-26 16:27:04", 1_666_772_823, false),
            ("2022-10-26 26:27:03", 1_666_772_823, false),
            ("2022-10-27 16:27:03", 1_666_772_823, false),
            ("2022-10-26T16:27:03", 1_666_772_823, true),
            (" 2022-10-26 16:27:03 ", 1_666_772_823, true),
            ("2022-10-26 16:27", 1_666_772_820, true),
            ("2022-10-26 00:00:00", 1_666_800_000, false),
            ("2022-10-27 00:00:00", 1_666_800_000, true),
            ("2022-10-26 23:59:59", 1_666_799_999, true),
            ("1970-01-01 08:00:01", 1, true),
            ("yesterday", 1_666_772_823, false),
        ] {
            let instant = Timestamp::from_second(second).ok();
            assert_eq!(clock.says(&Raw::Text(text.into()), instant), says, "{text} {second}");
        }
        for (raw, instant, says) in [
            (Raw::Null, None, true),
            (Raw::Text("-".into()), Timestamp::from_second(1).ok(), true),
            (Raw::Text("1970-01-01 08:00:01".into()), None, false),
            (Raw::Number("1"), Timestamp::from_second(1).ok(), false),
        ] {
            assert_eq!(clock.says(&raw, instant), says, "{raw:?} {instant:?}");
        }
    }
}
