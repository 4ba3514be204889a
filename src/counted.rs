//! Numbers with the noun that they count, for people.

use std::fmt::Display;

/// A number with its noun, which is in the plural unless the number is 1: `1 window`, `2 windows`, `2 entries`.
pub(crate) fn counted(number: impl Display + Into<u64> + Copy, noun: &str) -> String {
    match noun.strip_suffix("ry") {
        _ if number.into() == 1 => format!("{number} {noun}"),
        Some(stem) => format!("{number} {stem}ries"),
        None => format!("{number} {noun}s"),
    }
}
