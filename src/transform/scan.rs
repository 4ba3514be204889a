//! Where the parts of a record stand in the bytes of an answer: one pass, nothing copied.
//!
//! What it takes for JSON is what RFC 8259 does, save that a text is not checked for UTF-8 here. What is seldom sent (escapes,
//! fractions, values in values) is left to `serde_json`.

use serde::de::IgnoredAny;

use super::keys::{KeyId, Keys};

/// Why no record was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The bytes end within it.
    Short,
    /// It is no JSON, at this byte.
    Bad(usize),
}

/// A part of the bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    pub(super) from: usize,
    pub(super) to: usize,
}

/// A field of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// The key, with its quotes.
    pub(super) key: Span,
    /// The number of the key.
    pub(super) key_id: KeyId,
    /// The value, as it was sent.
    pub(super) value: Span,
    /// Whether the value is a text with escapes.
    pub(super) is_escaped: bool,
}

/// A place in bytes that are looked through from the left to the right.
pub(super) struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes were taken.
    pub(super) fn taken(&self) -> usize {
        self.at
    }

    /// Takes an object, and adds its fields.
    pub(super) fn object(&mut self, keys: &mut Keys, fields: &mut Vec<Field>) -> Result<(), Stop> {
        self.at += 1;
        if self.next()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.next()?;
            let (key, key_id) = self.key(keys)?;
            self.next()?;
            let from = self.at;
            let is_escaped = self.value()?;
            fields.push(Field { key, key_id, value: Span { from, to: self.at }, is_escaped });
            let after = self.next()?;
            self.at += 1;
            match after {
                b',' => {}
                b'}' => return Ok(()),
                _ => return Err(Stop::Bad(self.at - 1)),
            }
        }
    }

    /// Takes a key and its colon.
    fn key(&mut self, keys: &mut Keys) -> Result<(Span, KeyId), Stop> {
        let from = self.at;
        if let Some((id, length)) = keys.guess(self.rest()) {
            self.at += length;
            return Ok((Span { from, to: self.at - 1 }, Some(id)));
        }
        if self.here()? != b'"' {
            return Err(Stop::Bad(self.at));
        }
        self.text()?;
        let to = self.at;
        if self.next()? != b':' {
            return Err(Stop::Bad(self.at));
        }
        self.at += 1;
        let key = self.bytes.get(from + 1..to - 1).unwrap_or_default();
        Ok((Span { from, to }, keys.id(key)))
    }

    /// Takes any value; true where it is a text with escapes.
    pub(super) fn value(&mut self) -> Result<bool, Stop> {
        match self.here()? {
            b'"' => return self.text(),
            b'-' | b'0'..=b'9' => self.number()?,
            b'n' => self.word(b"null")?,
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'{' | b'[' => self.nested()?,
            _ => return Err(Stop::Bad(self.at)),
        }
        Ok(false)
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn here(&self) -> Result<u8, Stop> {
        self.bytes.get(self.at).copied().ok_or(Stop::Short)
    }

    /// The next byte that is no space; it is not taken.
    fn next(&mut self) -> Result<u8, Stop> {
        loop {
            let byte = self.here()?;
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Ok(byte);
            }
            self.at += 1;
        }
    }

    /// Takes a text; true where it has escapes.
    fn text(&mut self) -> Result<bool, Stop> {
        let from = self.at;
        self.at += 1;
        let mut is_escaped = false;
        loop {
            self.plain();
            match self.here()? {
                b'"' => break,
                b'\\' => {
                    is_escaped = true;
                    self.at += 2;
                }
                _ => return Err(Stop::Bad(self.at)),
            }
        }
        self.at += 1;
        if is_escaped {
            self.check(from)?;
        }
        Ok(is_escaped)
    }

    /// Takes what may stand in a text without an escape.
    fn plain(&mut self) {
        let mut rest = self.rest();
        while let Some((word, after)) = rest.split_first_chunk() {
            let ends = ends(u64::from_le_bytes(*word));
            if ends != 0 {
                self.at = self.bytes.len() - rest.len() + ends.trailing_zeros() as usize / 8;
                return;
            }
            rest = after;
        }
        let plain = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
        self.at = self.bytes.len() - rest.len() + plain;
    }

    fn number(&mut self) -> Result<(), Stop> {
        let from = self.at;
        let first = self.here()?;
        self.at += 1;
        while self.here()?.is_ascii_digit() {
            self.at += 1;
        }
        let is_plain = matches!(first, b'1'..=b'9') || (first == b'0' && self.at == from + 1);
        if is_plain && !matches!(self.here()?, b'.' | b'e' | b'E') {
            return Ok(());
        }
        while matches!(self.here()?, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-') {
            self.at += 1;
        }
        self.check(from)
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Stop> {
        let rest = self.rest();
        if rest.starts_with(word) {
            self.at += word.len();
            Ok(())
        } else if word.starts_with(rest) {
            Err(Stop::Short)
        } else {
            Err(Stop::Bad(self.at))
        }
    }

    /// Takes an array or an object within a record.
    fn nested(&mut self) -> Result<(), Stop> {
        let from = self.at;
        let mut depth = 0_usize;
        loop {
            match self.here()? {
                b'"' => {
                    self.text()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return self.check(from);
            }
        }
    }

    /// Whether what was taken since `from` is JSON.
    fn check(&self, from: usize) -> Result<(), Stop> {
        let taken = self.bytes.get(from..self.at).unwrap_or_default();
        serde_json::from_slice::<IgnoredAny>(taken).map(|_| ()).map_err(|_| Stop::Bad(from))
    }
}

/// One in each byte of a word.
const ONES: u64 = u64::from_le_bytes([1; 8]);

/// Eight bytes at once: the highest bit of each that ends what may stand in a text without an escape. Right up to the first
/// such byte; what comes after it may be marked too.
fn ends(word: u64) -> u64 {
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (is(b'"') | is(b'\\') | below(word, 0x20)) & (ONES << 7)
}
