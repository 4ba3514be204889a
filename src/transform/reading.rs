//! How each kind of column reads what was sent: one rule per kind. A value that breaks the rule is distinguished from no value.

use std::borrow::Cow;

use jiff::Timestamp;

use super::column::ColumnKind;
use super::value::Value;
use crate::json::number;
use crate::json::raw::Raw;

/// The last instant that a column holds, in seconds since 1970: the end of the year 9998. Engines end with the year 9999, and
/// a day of any zone must end before they do.
const LAST_SECOND: i64 = 253_370_764_799;

/// The error for a value that its column cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfit;

/// Reads one value for a column of `kind`.
pub fn read(kind: ColumnKind, raw: Raw<'_>) -> Result<Value<'_>, Unfit> {
    if raw.is_absent() {
        return Ok(Value::Null);
    }
    match kind {
        ColumnKind::Identifier | ColumnKind::Text | ColumnKind::Json => text(raw).map(Value::Text),
        ColumnKind::Count => integer(&raw).map(Value::Integer),
        ColumnKind::Seconds => seconds(&raw).map(Value::Integer),
        ColumnKind::Instant => instant(&raw).map(Value::from),
        ColumnKind::WallClock { .. } | ColumnKind::Day => Err(Unfit),
        ColumnKind::Flag => flag(&raw).map(Value::Flag),
        ColumnKind::Label { labels } => text(raw).map(|sent| Value::Text(label(labels, sent))),
    }
}

/// Text, or a number in the digits that were sent; a whole number that was sent as `8.0` or `8e3` becomes plain digits.
fn text(raw: Raw<'_>) -> Result<Cow<'_, str>, Unfit> {
    match raw {
        Raw::Text(text) => Ok(text),
        Raw::Number(digits) if digits.contains(['.', 'e', 'E']) => {
            Ok(number::integral(digits)
                .map_or(Cow::Borrowed(digits), |number| Cow::Owned(number.to_string())))
        }
        Raw::Number(digits) => Ok(Cow::Borrowed(digits)),
        _ => Err(Unfit),
    }
}

/// The value as text; `None` if it is absent, or neither text nor a number.
#[must_use]
pub fn present(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    if raw.is_absent() { None } else { text(raw).ok() }
}

/// A whole number, which may also be sent as `8.0` or as text.
fn integer(raw: &Raw<'_>) -> Result<i64, Unfit> {
    let digits: &str = match raw {
        Raw::Number(digits) => digits,
        Raw::Text(text) => text,
        _ => return Err(Unfit),
    };
    digits.parse().ok().or_else(|| number::integral(digits.trim())).ok_or(Unfit)
}

/// Seconds, sent as a number or as `HH:MM:SS`, where the hours may have any number of digits.
fn seconds(raw: &Raw<'_>) -> Result<i64, Unfit> {
    let Raw::Text(text) = raw else { return integer(raw) };
    let mut parts = text.trim().split(':');
    let (Some(hours), Some(minutes), Some(seconds), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return integer(raw);
    };
    let number = |digits: &str| -> Result<i64, Unfit> {
        let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        if plain { digits.parse().map_err(|_| Unfit) } else { Err(Unfit) }
    };
    let (hours, minutes, seconds) = (number(hours)?, number(minutes)?, number(seconds)?);
    if minutes > 59 || seconds > 59 {
        return Err(Unfit);
    }
    hours.checked_mul(3600).and_then(|sum| sum.checked_add(minutes * 60 + seconds)).ok_or(Unfit)
}

/// An instant, sent in seconds since 1970: later than the beginning of 1970, and not after the year 9998.
pub fn instant(raw: &Raw<'_>) -> Result<Timestamp, Unfit> {
    integer(raw).and_then(at_second)
}

/// The instant at this second since 1970, if a column can hold it.
pub(super) fn at_second(second: i64) -> Result<Timestamp, Unfit> {
    millis_at(second).and_then(|millis| Timestamp::from_millisecond(millis).map_err(|_| Unfit))
}

/// Like [`at_second`], in milliseconds since 1970.
#[inline]
pub(super) fn millis_at(second: i64) -> Result<i64, Unfit> {
    if (1..=LAST_SECOND).contains(&second) { Ok(second * 1000) } else { Err(Unfit) }
}

/// A flag: Y or N, yes or no in Chinese, or what other programs send for them.
fn flag(raw: &Raw<'_>) -> Result<bool, Unfit> {
    match raw {
        Raw::Flag(flag) => Ok(*flag),
        Raw::Number("1") => Ok(true),
        Raw::Number("0") => Ok(false),
        Raw::Text(text) => said(text).or_else(|| said(text.trim())).ok_or(Unfit),
        _ => Err(Unfit),
    }
}

/// Whether a text stands for yes or no; `None` if it stands for neither.
pub(super) fn said(text: &str) -> Option<bool> {
    match text {
        "Y" | "y" | "是" | "1" | "true" => Some(true),
        "N" | "n" | "否" | "0" | "false" => Some(false),
        _ => None,
    }
}

/// The word for a code, or the code as sent.
fn label<'a>(labels: &'static [(&'static str, &'static str)], sent: Cow<'a, str>) -> Cow<'a, str> {
    match word(labels, &sent).or_else(|| word(labels, sent.trim())) {
        Some(word) => Cow::Borrowed(word),
        None => sent,
    }
}

/// The word for a code; `None` if the code is not known.
pub(super) fn word(labels: &'static [(&'static str, &'static str)], code: &str) -> Option<&'static str> {
    labels.iter().find(|(known, _)| *known == code).map(|(_, word)| *word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVE: ColumnKind = ColumnKind::Label { labels: &[("0", "live"), ("直播", "live")] };

    fn read_json(kind: ColumnKind, json: &str) -> Result<Value<'static>, Unfit> {
        let json: &'static str = Box::leak(json.to_owned().into_boxed_str());
        read(kind, Raw::read(json, json.contains('\\')))
    }

    #[test]
    fn an_absent_value_is_null_in_every_kind_of_column() {
        for kind in [
            ColumnKind::Identifier,
            ColumnKind::Text,
            ColumnKind::Count,
            ColumnKind::Seconds,
            ColumnKind::Instant,
            ColumnKind::Flag,
            LIVE,
        ] {
            for json in ["null", r#""""#, r#""-""#, r#"" - ""#] {
                assert_eq!(read_json(kind, json), Ok(Value::Null), "{kind:?} {json}");
            }
        }
    }

    #[test]
    fn each_kind_of_column_reads_values_by_its_own_rule() {
        use Value::{Flag, Integer, Millis};
        let text = |text: &'static str| Value::from(text);
        for (kind, json, value) in [
            (ColumnKind::Identifier, r#""88589655""#, text("88589655")),
            (ColumnKind::Identifier, "88589655", text("88589655")),
            (ColumnKind::Identifier, "8.8589655e7", text("88589655")),
            (
                ColumnKind::Identifier,
                "123456789012345678901234567890",
                text("123456789012345678901234567890"),
            ),
            (ColumnKind::Identifier, r#""007""#, text("007")),
            (ColumnKind::Text, r#""Windows,iOS""#, text("Windows,iOS")),
            (ColumnKind::Text, r#"" kept as sent ""#, text(" kept as sent ")),
            (ColumnKind::Text, r#""\u4e2d\ud83d\ude00""#, text("中😀")),
            (ColumnKind::Text, r#""cut \ud83d""#, text("cut \u{fffd}")),
            (ColumnKind::Text, "1.5", text("1.5")),
            (ColumnKind::Count, "0", Integer(0)),
            (ColumnKind::Count, "-3", Integer(-3)),
            (ColumnKind::Count, r#""12""#, Integer(12)),
            (ColumnKind::Count, "12.0", Integer(12)),
            (ColumnKind::Count, "1e3", Integer(1000)),
            (ColumnKind::Count, "9223372036854775807", Integer(i64::MAX)),
            (ColumnKind::Seconds, "2060", Integer(2060)),
            (ColumnKind::Seconds, r#""00:34:20""#, Integer(2060)),
            (ColumnKind::Seconds, r#""100:00:01""#, Integer(360_001)),
            (ColumnKind::Instant, "1666772823", Millis(1_666_772_823_000)),
            (ColumnKind::Instant, r#""1666772823""#, Millis(1_666_772_823_000)),
            (ColumnKind::Flag, r#""Y""#, Flag(true)),
            (ColumnKind::Flag, r#""否""#, Flag(false)),
            (ColumnKind::Flag, "1", Flag(true)),
            (LIVE, "0", text("live")),
            (LIVE, r#""0""#, text("live")),
            (LIVE, r#""直播""#, text("live")),
            (LIVE, "7", text("7")),
            (LIVE, r#""录播""#, text("录播")),
        ] {
            assert_eq!(read_json(kind, json), Ok(value), "{kind:?} {json}");
        }
    }

    #[test]
    fn a_value_that_its_column_cannot_hold_is_unfit() {
        for (kind, json) in [
            (ColumnKind::Count, r#""many""#),
            (ColumnKind::Count, "1.5"),
            (ColumnKind::Count, "1e30"),
            (ColumnKind::Count, "true"),
            (ColumnKind::Count, "[1]"),
            (ColumnKind::Seconds, r#""00:60:00""#),
            (ColumnKind::Seconds, r#""1:2""#),
            (ColumnKind::Seconds, r#""-1:00:00""#),
            (ColumnKind::Seconds, r#""99999999999999999:00:00""#),
            (ColumnKind::Instant, "0"),
            (ColumnKind::Instant, "1666772823000000"),
            (ColumnKind::Instant, r#""2022-10-26 16:27:03""#),
            (ColumnKind::Flag, r#""maybe""#),
            (ColumnKind::Flag, "2"),
            (ColumnKind::Text, r#"{"a":1}"#),
        ] {
            assert_eq!(read_json(kind, json), Err(Unfit), "{kind:?} {json}");
        }
    }
}
