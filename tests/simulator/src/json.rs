//! JSON written field by field: a report of gigabytes is to cost little time and no memory.

use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// An object that is being written to the end of `out`.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    /// Whether all that is not ASCII is escaped.
    in_ascii: bool,
    is_empty: bool,
}

impl<'a> Object<'a> {
    /// Opens an object.
    pub(crate) fn open(out: &'a mut Vec<u8>, in_ascii: bool) -> Self {
        out.push(b'{');
        Self { out, in_ascii, is_empty: true }
    }

    /// Closes it.
    pub(crate) fn close(self) {
        self.out.push(b'}');
    }

    /// A text, or null. The key needs no escapes.
    pub(crate) fn text(&mut self, key: &str, value: Option<&str>) {
        self.key(key);
        // Writing to memory does not fail, neither here nor below.
        let _ = if self.in_ascii {
            value.serialize(&mut Serializer::with_formatter(&mut *self.out, Ascii))
        } else {
            serde_json::to_writer(&mut *self.out, &value)
        };
    }

    /// A text that needs no escapes.
    pub(crate) fn plain(&mut self, key: &str, value: impl Display) {
        self.key(key);
        let _ = write!(self.out, "\"{value}\"");
    }

    /// A number, or null.
    pub(crate) fn number(&mut self, key: &str, value: Option<i64>) {
        self.key(key);
        let _ = serde_json::to_writer(&mut *self.out, &value);
    }

    /// A number with a fraction, even if that is 0.
    pub(crate) fn float(&mut self, key: &str, value: f64) {
        self.key(key);
        let _ = serde_json::to_writer(&mut *self.out, &value);
    }

    fn key(&mut self, key: &str) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
}

/// Escapes all that is not ASCII: `\u4e2d`, or two of them for a surrogate pair.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for character in fragment.chars() {
            if character.is_ascii() {
                write!(writer, "{character}")?;
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}
