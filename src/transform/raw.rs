//! A record as it was sent: its fields as slices of the answer, nothing copied, nothing judged.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Error, Kind, Result};

/// The fields of one JSON object in the order in which they were sent, repeated keys included.
pub struct Record<'a> {
    /// Key and value of each field.
    pub fields: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Record<'a> {
    /// The record in `text`; none where the text is JSON but no object.
    pub fn parse(text: &'a str) -> Result<Option<Self>> {
        match serde_json::from_str(text) {
            Ok(record) => Ok(Some(record)),
            Err(error) if error.is_data() => Ok(None),
            // The text itself may hold personal data, so it stays out of the message.
            Err(error) => Err(Error::new(
                Kind::BadAnswer,
                format!("a record is no JSON, at its line {} column {}", error.line(), error.column()),
            )),
        }
    }

    /// The value of a key; of the last one where the key was sent more than once, as most parsers have it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Raw<'a>> {
        self.fields.iter().rev().find(|(known, _)| known == key).map(|(_, value)| Raw::read(value))
    }
}

impl<'de> Deserialize<'de> for Record<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Record<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record<'de>, A::Error> {
                let mut fields = Vec::with_capacity(48);
                while let Some((Key(key), value)) = map.next_entry()? {
                    fields.push((key, value));
                }
                Ok(Record { fields })
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// A key, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// A value as it was sent, seen only as far as its JSON type.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number, in the digits that were sent.
    Number(&'a str),
    /// A text, its escapes resolved.
    Text(Cow<'a, str>),
    /// An array or an object, or a text that is no Unicode (half of a surrogate pair): nothing that a column holds.
    Other(&'a str),
}

impl<'a> Raw<'a> {
    /// Sees what kind of value it is.
    #[must_use]
    pub fn read(value: &'a RawValue) -> Self {
        let text = value.get();
        match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Flag(true),
            Some(b'f') => Self::Flag(false),
            Some(b'"') => match serde_json::from_str::<Key<'a>>(text) {
                Ok(Key(text)) => Self::Text(text),
                Err(_) => Self::Other(text),
            },
            Some(b'[' | b'{') | None => Self::Other(text),
            Some(_) => Self::Number(text),
        }
    }

    /// Whether it stands for "no value": null, an empty text, or the vendor's `"-"`.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => matches!(text.trim(), "" | "-"),
            _ => false,
        }
    }
}
