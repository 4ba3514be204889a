//! The vendor's own wall clock, in which it repeats instants as texts.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::json::raw::Raw;

/// The zone in which the vendor writes its `*_date` texts, whatever the lake's zone is.
const ZONE: Offset = jiff::tz::offset(8);

/// The instant that a text of the vendor's clock stands for; `None` if it is not a date and time.
#[must_use]
pub(super) fn read(text: &str) -> Option<Timestamp> {
    let clock = usual(text.as_bytes()).or_else(|| text.trim().parse().ok())?;
    ZONE.to_timestamp(clock).ok()
}

/// Whether what was sent stands for this instant, or is absent.
pub(super) fn says(raw: &Raw<'_>, instant: Option<Timestamp>) -> bool {
    match raw {
        Raw::Text(text) if instant.is_some() && read(text) == instant => true,
        _ => raw.is_absent(),
    }
}

/// Reads the form that nearly all texts have, `2022-10-26 16:27:03`, in less time than a parser of any form takes.
fn usual(text: &[u8]) -> Option<DateTime> {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b' ', clock @ ..] = text else { return None };
    let [h0, h1, b':', i0, i1, b':', s0, s1] = clock else { return None };
    let two = |tens: &u8, ones: &u8| {
        let is_number = tens.is_ascii_digit() && ones.is_ascii_digit();
        is_number.then(|| 10 * (tens - b'0') + (ones - b'0')).and_then(|number| i8::try_from(number).ok())
    };
    let year = 100 * i16::from(two(y0, y1)?) + i16::from(two(y2, y3)?);
    DateTime::new(year, two(m0, m1)?, two(d0, d1)?, two(h0, h1)?, two(i0, i1)?, two(s0, s1)?, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_form_is_read_as_any_form_is() {
        for (text, is_usual) in [
            ("2022-10-26 16:27:03", true),
            ("2024-02-29 00:00:00", true),
            ("0000-01-01 00:00:00", true),
            ("9999-12-31 23:59:59", true),
            ("2023-02-29 00:00:00", false),
            ("2022-13-01 00:00:00", false),
            ("2022-00-01 00:00:00", false),
            ("2022-10-00 00:00:00", false),
            ("2022-10-26 24:00:00", false),
            ("2022-10-26 23:60:00", false),
            ("2022-10-26 23:59:60", false),
            ("2022-1O-26 16:27:03", false),
            ("2022-10-26T16:27:03", false),
            ("2022-10-26 16:27:03.5", false),
            ("2022-10-26 16:27:03 ", false),
            ("２022-10-26 16:27:03", false),
        ] {
            let found = usual(text.as_bytes());
            assert_eq!(found.is_some(), is_usual, "{text}");
            assert!(found.is_none() || found == text.parse().ok(), "{text}");
        }
    }

    #[test]
    fn a_text_matches_an_instant_only_as_the_vendors_clock_shows_it() {
        for (text, second, is_same) in [
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
            assert_eq!(says(&Raw::Text(text.into()), instant), is_same, "{text} {second}");
        }
        for (raw, instant, is_same) in [
            (Raw::Null, None, true),
            (Raw::Text("-".into()), Timestamp::from_second(1).ok(), true),
            (Raw::Text("1970-01-01 08:00:01".into()), None, false),
            (Raw::Number("1"), Timestamp::from_second(1).ok(), false),
        ] {
            assert_eq!(says(&raw, instant), is_same, "{raw:?} {instant:?}");
        }
    }
}
