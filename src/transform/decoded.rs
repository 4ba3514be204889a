//! The outcome of decoding: of one record, and in numbers.

use std::collections::BTreeSet;

/// The outcome of decoding one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// The record is a row of the batch.
    Row,
    /// The record lies outside the window; the neighbouring window brings it.
    Outside,
    /// No table can hold the record.
    Reject(RejectReason),
}

/// Why a record is a reject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectReason {
    /// It is not a JSON object.
    NotAnObject,
    /// It has no time by which it could be placed.
    NoTime,
}

impl RejectReason {
    /// The word in the column `reason`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAnObject => "not_an_object",
            Self::NoTime => "no_time",
        }
    }
}

/// What was counted while decoding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecodeCounts {
    /// Records that became rows.
    pub rows: u64,
    /// Records that no table can hold.
    pub rejects: u64,
    /// Records outside the window.
    pub outside: u64,
    /// Values that their column could not hold.
    pub set_aside: u64,
    /// Keys without a column, at most [`MOST_UNKNOWN`]; an empty key stands for all keys that may be data.
    pub unknown: BTreeSet<String>,
}

/// How many different keys without a column are remembered at most.
pub const MOST_UNKNOWN: usize = 100;

impl DecodeCounts {
    /// Notes that a key has no column.
    pub(super) fn note_unknown(&mut self, key: &str) {
        let key = if is_name(key) { key } else { "" };
        if !self.unknown.contains(key) && self.unknown.len() < MOST_UNKNOWN {
            self.unknown.insert(key.to_owned());
        }
    }
}

/// The longest key that is shown, in bytes.
const LONGEST_KEY: usize = 64;

/// Whether a key of the vendor's looks like the name of a field; any other key may be a person's name or number.
fn is_name(key: &str) -> bool {
    (1..=LONGEST_KEY).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        && key.bytes().filter(u8::is_ascii_digit).count() <= 4
}

/// A key of the vendor's, as a note names it: a key that may be data is not shown.
#[must_use]
pub fn shown(key: &str) -> String {
    if is_name(key) {
        format!("`{key}`")
    } else {
        "whose name is not shown because it may be data".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_may_be_data_is_not_shown() {
        for (key, is_shown) in [
            ("newField", true),
            ("field_2022", true),
            ("13900000000", false),
            ("张三", false),
            ("a@b.c", false),
            (&"a".repeat(65), false),
        ] {
            assert_eq!(shown(key).contains(key), is_shown, "{key}");
        }
    }

    #[test]
    fn unknown_keys_that_may_be_data_are_noted_as_one_and_others_up_to_a_limit() {
        let mut counts = DecodeCounts::default();
        for number in 0..10_000 {
            counts.note_unknown(&format!("1390000{number}"));
        }
        assert_eq!(counts.unknown, [String::new()].into());
        for number in 0..10_000 {
            counts.note_unknown(&format!("field{number}"));
        }
        assert_eq!(counts.unknown.len(), MOST_UNKNOWN);
    }
}
