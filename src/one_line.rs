//! Makes text from elsewhere safe to print on one line: it may hold line breaks, or sequences that control a terminal.

use std::fmt::{self, Display, Write};

/// Shows a value with a space in place of each control character, line separator, and character that changes the direction of
/// the text after it.
pub(crate) struct OneLine<T>(pub(crate) T);

impl<T: Display> Display for OneLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Plain(f), "{}", self.0)
    }
}

struct Plain<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Plain<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|sign| self.0.write_char(if is_harmless(sign) { sign } else { ' ' }))
    }
}

/// Whether a terminal only shows this character, in its place, and does not act on it.
#[must_use]
pub fn is_harmless(sign: char) -> bool {
    !sign.is_control() && !matches!(sign, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shown_on_one_line_without_control_characters() {
        let shown = OneLine("one\ntwo\r\u{1b}[2J\u{9b}7m\u{7}张三 \u{202e}fdp\u{2066}\u{2028}").to_string();
        assert_eq!(shown, "one two  [2J 7m 张三  fdp  ");
    }
}
