//! Fields as most of them are written, read by how they look; the others go the long way, through `value`.

use std::borrow::Cow;

use jiff::Timestamp;

use super::record::Sent;
use super::scan::Shape;
use super::value::{self, Unfit};

/// What a text without escapes says.
pub(super) enum Plain<'a> {
    /// This.
    Text(&'a str),
    /// That there is none.
    Absent,
    /// What takes a closer look.
    Unsure,
}

/// What a text says between its quotes, where it has no escapes.
#[inline]
pub(super) fn plain(quoted: &str) -> Plain<'_> {
    match quoted.as_bytes() {
        [] | [b'-'] => Plain::Absent,
        // No space begins so.
        [b'!'..=b',' | b'.'..=b'~' | 0xe4.., ..] => Plain::Text(quoted),
        _ => Plain::Unsure,
    }
}

/// The same as [`value::present`].
pub(super) fn present<'a>(sent: &Sent<'a>) -> Option<Cow<'a, str>> {
    let said = match sent.shape() {
        Shape::Null => Plain::Absent,
        Shape::Plain => plain(sent.quoted()),
        _ => Plain::Unsure,
    };
    match said {
        Plain::Text(text) => Some(Cow::Borrowed(text)),
        Plain::Absent => None,
        Plain::Unsure => value::present(sent.raw()),
    }
}

/// The same as [`value::instant`].
pub(super) fn instant(sent: &Sent<'_>) -> Result<Timestamp, Unfit> {
    if let Shape::Whole(second) = sent.shape() {
        value::at_second(second)
    } else {
        value::instant(&sent.raw())
    }
}

/// A duration, as `00:34:20`.
pub(super) fn seconds(sent: &Sent<'_>) -> Option<i64> {
    let [h0, h1, b':', m0, m1, b':', s0, s1] = sent.quoted().as_bytes() else { return None };
    let two = |tens: &u8, ones: &u8| {
        let number = i64::from(tens.wrapping_sub(b'0')) * 10 + i64::from(ones.wrapping_sub(b'0'));
        (tens.is_ascii_digit() && ones.is_ascii_digit()).then_some(number)
    };
    let (hours, minutes, seconds) = (two(h0, h1)?, two(m0, m1)?, two(s0, s1)?);
    (minutes < 60 && seconds < 60).then_some(hours * 3600 + minutes * 60 + seconds)
}
