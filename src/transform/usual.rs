//! Fields as most of them are written, read by how they look; the others go the long way, through `value`.

use std::borrow::Cow;

use jiff::Timestamp;

use super::raw::Raw;
use super::record::Sent;
use super::scan::Shape;
use super::value::{self, Unfit};

/// The text that a field says, if it says any; what takes a closer look as an error.
#[inline]
pub(super) fn text<'a>(sent: &Sent<'a>) -> Result<Option<&'a str>, Raw<'a>> {
    match (sent.shape(), sent.quoted()) {
        (Shape::Null, _) | (Shape::Plain, "" | "-") => Ok(None),
        // No space begins so.
        (Shape::Plain, text) if matches!(text.as_bytes(), [b'!'..=b',' | b'.'..=b'~' | 0xe4.., ..]) => {
            Ok(Some(text))
        }
        _ => Err(sent.raw()),
    }
}

/// The same as [`value::present`].
pub(super) fn present<'a>(sent: &Sent<'a>) -> Option<Cow<'a, str>> {
    match text(sent) {
        Ok(text) => text.map(Cow::Borrowed),
        Err(raw) => value::present(&raw),
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
