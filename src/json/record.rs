//! A record as it was sent: its fields are slices of the answer, neither copied nor interpreted.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::escape;
use super::key_cache::{KeyCache, KeyId};
use super::raw::Raw;
use super::scan::{self, Field, Shape, Span, Stop};
use crate::error::{Error, Kind, Result};

/// One record of an answer.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    text: &'a str,
    /// `None` if it is not an object.
    fields: Option<&'a [Field]>,
    order: Option<Order>,
}

/// Identifies the keys of a record and their order: two records of the same [`Records`] with an equal `Order` have the same keys
/// in the same order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    /// The cache's `turns` when the record was read: as long as they stay the same, each key is followed by the same key.
    turns: usize,
    first: KeyId,
    fields: usize,
}

impl<'a> Record<'a> {
    /// The record as it was sent.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The order of its keys, if it is known without looking at each key.
    pub(crate) fn order(&self) -> Option<Order> {
        self.order
    }

    /// Whether it is a JSON object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.fields.is_some()
    }

    /// Its fields in the order in which they were sent, repeated keys included.
    #[must_use]
    pub fn fields(&self) -> impl DoubleEndedIterator<Item = Sent<'a>> + use<'a> {
        let text = self.text;
        self.fields.unwrap_or_default().iter().map(move |field| Sent { text, field })
    }

    /// The field with this index.
    #[must_use]
    pub fn field(&self, at: usize) -> Option<Sent<'a>> {
        Some(Sent { text: self.text, field: self.fields?.get(at)? })
    }

    /// The value of a key. If the key was sent more than once, the last value counts, as in most parsers.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Raw<'a>> {
        self.fields().rev().find(|sent| sent.key() == key).map(|sent| sent.raw())
    }
}

/// A field of a record.
#[derive(Clone, Copy)]
pub struct Sent<'a> {
    text: &'a str,
    field: &'a Field,
}

impl<'a> Sent<'a> {
    /// Its key.
    #[must_use]
    pub fn key(&self) -> Cow<'a, str> {
        let quoted = self.text.get(self.field.key.from..self.field.key.to).unwrap_or_default();
        let key = quoted.get(1..quoted.len() - 1).unwrap_or_default();
        if key.contains('\\') {
            return escape::resolved(key).into();
        }
        Cow::Borrowed(key)
    }

    /// The number of its key. The same key has more than one number if it is written in more than one way, with escapes.
    pub(crate) fn key_id(&self) -> KeyId {
        self.field.key_id
    }

    /// Its value as it was sent.
    #[must_use]
    pub fn value(&self) -> &'a str {
        self.text.get(self.field.value.from..self.field.value.to).unwrap_or_default()
    }

    /// How its value is written.
    pub(crate) fn shape(&self) -> Shape {
        self.field.shape
    }

    /// What stands between the quotes of its value, which must be a text.
    pub(crate) fn quoted(&self) -> &'a str {
        let Span { from, to } = self.field.value;
        self.text.get(from + 1..to - 1).unwrap_or_default()
    }

    /// Its value.
    #[inline]
    #[must_use]
    pub fn raw(&self) -> Raw<'a> {
        match self.shape() {
            Shape::Null => Raw::Null,
            Shape::Plain => Raw::Text(Cow::Borrowed(self.quoted())),
            Shape::Whole(_) => Raw::Number(self.value()),
            shape => Raw::read(self.value(), shape == Shape::Escaped),
        }
    }
}

/// Finds records. The memory is reused from record to record.
#[derive(Debug, Default)]
pub struct Records {
    keys: KeyCache,
    fields: Vec<Field>,
}

impl Records {
    /// The record with which `bytes` begin, which may be any JSON value; `None` if the bytes end within it. [`Kind::BadAnswer`]
    /// if it is not JSON, or not UTF-8.
    pub fn first<'a>(&'a mut self, bytes: &'a [u8]) -> Result<Option<Record<'a>>> {
        self.fields.clear();
        let is_object = bytes.first() == Some(&b'{');
        let (turns, begin) = (self.keys.turns(), self.keys.place());
        let scanned = if is_object {
            scan::object(bytes, &mut self.keys, &mut self.fields)
        } else {
            scan::value(bytes, 0).map(|(_, end)| end)
        };
        let end = match scanned {
            Ok(end) => end,
            Err(Stop::Short) => {
                self.keys.go_back(begin);
                return Ok(None);
            }
            // The text itself may hold personal data, so it stays out of the message.
            Err(Stop::Bad(at)) => {
                return Err(Error::new(Kind::BadAnswer, format!("a record is not JSON, at its byte {at}")));
            }
        };
        let text = simdutf8::basic::from_utf8(bytes.get(..end).unwrap_or_default())
            .map_err(|_| Error::new(Kind::BadAnswer, "the answer is not UTF-8"))?;
        let first = self.fields.first().filter(|_| self.keys.turns() == turns);
        let order = first.map(|first| Order { turns, first: first.key_id, fields: self.fields.len() });
        Ok(Some(Record { text, fields: is_object.then_some(&self.fields), order }))
    }

    /// The record that a text consists of, which may be any JSON value; `None` if it is not JSON, or more than one value.
    pub fn whole<'a>(&'a mut self, text: &'a str) -> Option<Record<'a>> {
        let text = text.trim_ascii();
        self.fields.clear();
        if !text.starts_with('{') {
            serde_json::from_str::<IgnoredAny>(text).ok()?;
            return Some(Record { text, fields: None, order: None });
        }
        let end = scan::object(text.as_bytes(), &mut self.keys, &mut self.fields).ok()?;
        (end == text.len()).then_some(Record { text, fields: Some(&self.fields), order: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_stays_known_across_a_cut_record_whatever_whitespace_is_between_them() {
        for text in [r#"{"a":1,"b":"x","c":null}"#, "{\n  \"a\": 1,\n  \"b\": \"x\",\t\"c\": null\r\n}"] {
            let mut records = Records::default();
            let order = |records: &mut Records, text: &str| {
                records.first(text.as_bytes()).unwrap().map(|record| record.order().is_some())
            };
            for what in ["its keys are new", "what follows the last of them is"] {
                assert_eq!(order(&mut records, text), Some(false), "{what}");
            }
            for cut in 1..text.len() {
                assert_eq!(order(&mut records, text), Some(true), "{cut} {text}");
                assert_eq!(order(&mut records, &text[..cut]), None, "{cut} {text}");
            }
        }
    }
}
