//! Fast paths for fields that are written in the usual way; all others are read by `reading`.

use std::borrow::Cow;

use jiff::Timestamp;

use super::reading::{self, Unfit};
use crate::json::record::Sent;
use crate::json::scan::Shape;

/// What a first look at a text without escapes finds.
pub(super) enum Plain<'a> {
    /// The text is a value, as it stands.
    Text(&'a str),
    /// The text stands for no value.
    Absent,
    /// The text needs a closer look.
    Unsure,
}

/// Takes a first look at a text without escapes; `quoted` is what stands between its quotes.
#[inline]
pub(super) fn plain(quoted: &str) -> Plain<'_> {
    match quoted.as_bytes() {
        [] | [b'-'] => Plain::Absent,
        // No whitespace character begins with one of these bytes.
        [b'!'..=b',' | b'.'..=b'~' | 0xe4.., ..] => Plain::Text(quoted),
        _ => Plain::Unsure,
    }
}

/// Like [`reading::present`], but fast for fields that are written in the usual way.
pub(super) fn present<'a>(sent: &Sent<'a>) -> Option<Cow<'a, str>> {
    let said = match sent.shape() {
        Shape::Null => Plain::Absent,
        Shape::Plain => plain(sent.quoted()),
        _ => Plain::Unsure,
    };
    match said {
        Plain::Text(text) => Some(Cow::Borrowed(text)),
        Plain::Absent => None,
        Plain::Unsure => reading::present(sent.raw()),
    }
}

/// Like [`reading::instant`], but fast for fields that are written in the usual way.
pub(super) fn instant(sent: &Sent<'_>) -> Result<Timestamp, Unfit> {
    if let Shape::Whole(second) = sent.shape() {
        reading::at_second(second)
    } else {
        reading::instant(&sent.raw())
    }
}

/// The seconds of a duration that is written as `00:34:20`; `None` if it is written in another way.
pub(super) fn seconds(sent: &Sent<'_>) -> Option<i64> {
    let [h0, h1, b':', m0, m1, b':', s0, s1] = sent.quoted().as_bytes() else { return None };
    let two = |tens: &u8, ones: &u8| {
        let number = i64::from(tens.wrapping_sub(b'0')) * 10 + i64::from(ones.wrapping_sub(b'0'));
        (tens.is_ascii_digit() && ones.is_ascii_digit()).then_some(number)
    };
    let (hours, minutes, seconds) = (two(h0, h1)?, two(m0, m1)?, two(s0, s1)?);
    (minutes < 60 && seconds < 60).then_some(hours * 3600 + minutes * 60 + seconds)
}
