//! Finds the parts of a record in the bytes of an answer, in one pass, without copying anything.
//!
//! It accepts the same JSON as RFC 8259, except that texts are not checked for UTF-8 here. Rare values (fractions, nested values)
//! are left to `serde_json`. Positions are passed by value, and the code for every field is inlined: otherwise the position would
//! go through memory at every step.
#![expect(clippy::inline_always, reason = "a call for each part of each field costs more than the part")]

use serde::de::IgnoredAny;
use wide::u8x32;

use super::key_cache::{KeyCache, KeyId};

/// Why no value was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The bytes end within the value.
    Short,
    /// The value is not JSON, at this byte.
    Bad(usize),
}

/// A range of the bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// How a value is written, as far as the search for its end shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `null`.
    Null,
    /// A text without escapes.
    Plain,
    /// A text with escapes.
    Escaped,
    /// A number that has only digits, so few that they are sure to fit 64 bits.
    Whole(i64),
    /// Anything else.
    Other,
}

/// A field of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    /// The key, with its quotes.
    pub(crate) key: Span,
    /// The number of the key.
    pub(crate) key_id: KeyId,
    /// The value, as it was sent.
    pub(crate) value: Span,
    /// How the value is written.
    pub(crate) shape: Shape,
}

/// Adds the fields of the object with which the bytes begin, and returns where it ends.
pub(crate) fn object(bytes: &[u8], keys: &mut KeyCache, fields: &mut Vec<Field>) -> Result<usize, Stop> {
    let (first, mut at) = next(bytes, 1)?;
    if first == b'}' {
        return Ok(at + 1);
    }
    loop {
        let (key, key_id, behind) = match keys.guess(bytes.get(at..).unwrap_or_default()) {
            Some((id, length)) => (Span { from: at, to: at + length - 1 }, Some(id), at + length),
            None => key(bytes, at, keys)?,
        };
        let (_, from) = next(bytes, behind)?;
        let (shape, to) = value(bytes, from)?;
        fields.push(Field { key, key_id, value: Span { from, to }, shape });
        let (after, place) = next(bytes, to)?;
        match after {
            b',' => (_, at) = next(bytes, place + 1)?,
            b'}' => return Ok(place + 1),
            _ => return Err(Stop::Bad(place)),
        }
    }
}

/// A key that was not guessed, its number, and where its value may begin.
#[cold]
fn key(bytes: &[u8], from: usize, keys: &mut KeyCache) -> Result<(Span, KeyId, usize), Stop> {
    let b'"' = here(bytes, from)? else { return Err(Stop::Bad(from)) };
    let (_, to) = text(bytes, from)?;
    let (b':', colon) = next(bytes, to)? else { return Err(Stop::Bad(to)) };
    let id = keys.id(bytes.get(from + 1..to - 1).unwrap_or_default());
    Ok((Span { from, to }, id, colon + 1))
}

/// How the value at this position is written, and where it ends.
#[inline(always)]
pub(crate) fn value(bytes: &[u8], at: usize) -> Result<(Shape, usize), Stop> {
    match here(bytes, at)? {
        b'"' => text(bytes, at),
        b'0'..=b'9' => number(bytes, at),
        b'n' => Ok((Shape::Null, word(bytes, at, b"null")?)),
        _ => other(bytes, at),
    }
}

/// A value of a rare kind.
#[cold]
fn other(bytes: &[u8], at: usize) -> Result<(Shape, usize), Stop> {
    let end = match here(bytes, at)? {
        b't' => word(bytes, at, b"true")?,
        b'f' => word(bytes, at, b"false")?,
        b'{' | b'[' => nested(bytes, at)?,
        b'-' => odd_number(bytes, at, at + 1)?,
        _ => return Err(Stop::Bad(at)),
    };
    Ok((Shape::Other, end))
}

#[inline(always)]
fn here(bytes: &[u8], at: usize) -> Result<u8, Stop> {
    bytes.get(at).copied().ok_or(Stop::Short)
}

/// The next byte that is not whitespace, and its position.
#[inline(always)]
fn next(bytes: &[u8], mut at: usize) -> Result<(u8, usize), Stop> {
    loop {
        let byte = here(bytes, at)?;
        if byte > b' ' || !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            return Ok((byte, at));
        }
        at += 1;
    }
}

#[inline(always)]
fn text(bytes: &[u8], at: usize) -> Result<(Shape, usize), Stop> {
    let end = plain(bytes, at + 1);
    if here(bytes, end)? == b'"' { Ok((Shape::Plain, end + 1)) } else { escaped(bytes, end) }
}

/// The rest of a text that is plain only up to `at`.
#[cold]
fn escaped(bytes: &[u8], mut at: usize) -> Result<(Shape, usize), Stop> {
    loop {
        match here(bytes, at)? {
            b'"' => break,
            b'\\' => at = plain(bytes, escape(bytes, at + 1)?),
            _ => return Err(Stop::Bad(at)),
        }
    }
    Ok((Shape::Escaped, at + 1))
}

/// Where an escape ends; its letter is at this position.
fn escape(bytes: &[u8], at: usize) -> Result<usize, Stop> {
    match here(bytes, at)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(at + 1),
        b'u' => {
            let digits = bytes.get(at + 1..at + 5).ok_or(Stop::Short)?;
            let bad = digits.iter().position(|digit| !digit.is_ascii_hexdigit());
            bad.map_or(Ok(at + 5), |bad| Err(Stop::Bad(at + 1 + bad)))
        }
        _ => Err(Stop::Bad(at)),
    }
}

/// The position of the next byte that may not stand in a text without an escape.
#[inline(always)]
fn plain(bytes: &[u8], at: usize) -> usize {
    let mut rest = bytes.get(at..).unwrap_or_default();
    while let Some((block, after)) = rest.split_first_chunk() {
        let ends = ends(*block);
        if ends != 0 {
            return bytes.len() - rest.len() + ends.trailing_zeros() as usize;
        }
        rest = after;
    }
    let plain = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
    bytes.len() - rest.len() + plain
}

#[inline(always)]
fn number(bytes: &[u8], from: usize) -> Result<(Shape, usize), Stop> {
    let (mut number, mut at) = (0_i64, from);
    let after = loop {
        let byte = here(bytes, at)?;
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break byte;
        }
        number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
        at += 1;
    };
    let has_zero_before = bytes.get(from) == Some(&b'0') && at > from + 1;
    if at - from > SURE_DIGITS || has_zero_before || is_of_a_number(after) {
        return Ok((Shape::Other, odd_number(bytes, from, at)?));
    }
    Ok((Shape::Whole(number), at))
}

/// Where an unusual number ends: one that has not only digits, begins with a zero, or has very many digits; `at` is how far it
/// has been read.
#[cold]
fn odd_number(bytes: &[u8], from: usize, mut at: usize) -> Result<usize, Stop> {
    while is_of_a_number(here(bytes, at)?) {
        at += 1;
    }
    check(bytes, from, at)
}

#[inline(always)]
fn is_of_a_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')
}

#[inline(always)]
fn word(bytes: &[u8], at: usize, word: &[u8]) -> Result<usize, Stop> {
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.starts_with(word) {
        Ok(at + word.len())
    } else if word.starts_with(rest) {
        Err(Stop::Short)
    } else {
        Err(Stop::Bad(at))
    }
}

/// Where an array or an object within a record ends.
fn nested(bytes: &[u8], from: usize) -> Result<usize, Stop> {
    let (mut depth, mut at) = (0_usize, from);
    loop {
        match here(bytes, at)? {
            b'"' => {
                (_, at) = text(bytes, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return check(bytes, from, at);
        }
    }
}

/// Returns `to` if the bytes from `from` to `to` are JSON.
fn check(bytes: &[u8], from: usize, to: usize) -> Result<usize, Stop> {
    let taken = bytes.get(from..to).unwrap_or_default();
    serde_json::from_slice::<IgnoredAny>(taken).map(|_| to).map_err(|_| Stop::Bad(from))
}

/// How many digits are sure to fit 64 bits, including the sign.
const SURE_DIGITS: usize = 18;

/// Looks at 32 bytes at once, which is all of most texts: sets the bit of each byte that may not stand in a text without an escape,
/// the lowest one for the first byte.
#[inline(always)]
fn ends(block: [u8; 32]) -> u32 {
    let block = u8x32::new(block);
    let is = |byte| block.simd_eq(u8x32::splat(byte));
    let is_control = block.min(u8x32::splat(0x1f)).simd_eq(block);
    (is(b'"') | is(b'\\') | is_control).to_bitmask()
}
