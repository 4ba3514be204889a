//! Numbers with what they count, for people.

use std::fmt::Display;

/// `1 window`, `2 windows`.
pub(crate) fn counted(number: impl Display + Into<u64> + Copy, noun: &str) -> String {
    if number.into() == 1 { format!("{number} {noun}") } else { format!("{number} {noun}s") }
}
