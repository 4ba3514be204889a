//! A value as it was sent, of which only the JSON type has been determined.

use std::borrow::Cow;

use super::escape;

/// A value as it was sent, by its JSON type.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number, in the digits that were sent.
    Number(&'a str),
    /// A text, with its escapes resolved.
    Text(Cow<'a, str>),
    /// An array or an object, which no column can hold.
    Other(&'a str),
}

impl<'a> Raw<'a> {
    /// Determines the type of this JSON value; `is_escaped` if it is a text with escapes.
    #[must_use]
    pub fn read(text: &'a str, is_escaped: bool) -> Self {
        match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Flag(true),
            Some(b'f') => Self::Flag(false),
            Some(b'"') => {
                let quoted = text.get(1..text.len() - 1).unwrap_or_default();
                Self::Text(if is_escaped { escape::resolved(quoted).into() } else { quoted.into() })
            }
            Some(b'[' | b'{') | None => Self::Other(text),
            Some(_) => Self::Number(text),
        }
    }

    /// Whether it stands for "no value": null, an empty text, or the vendor's `"-"`.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => match text.as_bytes() {
                [] | [b'-'] => true,
                [first, ..] if first.is_ascii_graphic() && *first != b'-' => false,
                _ => matches!(text.trim(), "" | "-"),
            },
            _ => false,
        }
    }
}
