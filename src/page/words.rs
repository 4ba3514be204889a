//! The words of pages, in Chinese and in English: both are in the page, and one of them is shown.

#![allow(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]

use std::fmt::Display;

/// Two texts of this program's own. They are not escaped, so they must not have characters with a meaning in HTML.
pub(super) fn both(zh: impl Display, en: impl Display) -> String {
    format!(r#"<span class="zh" lang="zh">{zh}</span><span class="en" lang="en">{en}</span>"#)
}

/// A number as people write it, with separators.
pub(super) fn number(number: &i64) -> String {
    let sign = if *number < 0 { "-" } else { "" };
    format!("{sign}{}", indicatif::HumanCount(number.unsigned_abs()))
}

/// Seconds as hours, minutes and seconds.
pub(super) fn time(seconds: &i64) -> String {
    let sign = if *seconds < 0 { "-" } else { "" };
    let seconds = seconds.unsigned_abs();
    format!("{sign}{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_time_is_shown_with_its_sign_in_front() {
        for (seconds, shown) in [(0, "0:00:00"), (59, "0:00:59"), (3_661, "1:01:01"), (-5, "-0:00:05")] {
            assert_eq!(time(&seconds), shown);
        }
    }
}
