//! Looks for people among the words and numbers of a text.

use super::numbers::{Divided, divided, numbers};
use super::suppressed::Suppressed;
use crate::transform::person;

/// Characters that stand between the words of a text, and in no identifier.
const BETWEEN: &[char] = &[
    ',', ';', '|', '"', '\'', '<', '>', '(', ')', '[', ']', '{', '}', '，', '、', '；', '（', '）', ':',
    '：', '/', '【', '】',
];

/// The shortest identifier that is looked for among the words of a text, in bytes.
const SHORTEST: usize = 4;

impl Suppressed {
    /// Whether a text is one of the identifiers, or has one among its words and numbers; it is not looked at as JSON.
    pub(super) fn has_words(&self, text: &str, country: Option<&str>) -> bool {
        let plain = person::plain(text);
        self.has_plain_words(text, country) || plain != text && self.has_plain_words(&plain, country)
    }

    fn has_plain_words(&self, text: &str, country: Option<&str>) -> bool {
        if self.has_one(text, country) {
            return true;
        }
        if !self.has_part(text, country) {
            return false;
        }
        // Of a date, no part is anybody's, nor of an address: only all of it.
        let Divided { rest, of_nobody } = divided(text);
        of_nobody.is_empty()
            || of_nobody.iter().any(|word| self.has_whole(word))
            || self.has_one(&rest, country)
            || self.has_part(&rest, country)
    }

    /// Whether a text has one of the identifiers among its words and numbers.
    fn has_part(&self, text: &str, country: Option<&str>) -> bool {
        let mut words = text.split(|sign: char| sign.is_whitespace() || BETWEEN.contains(&sign));
        let is_part = |part: &str| (SHORTEST..text.len()).contains(&part.len());
        let mails = text.split(|sign: char| !sign.is_ascii_alphanumeric() && !"@._+-".contains(sign));
        // Without a full stop after the address.
        let mut mails = mails.filter(|part| part.contains('@')).map(|mail| mail.trim_matches(['.', '-']));
        words.any(|word| is_part(word) && self.has_one(word, country))
            || numbers(text).any(|number| is_part(number) && self.has_one(number, country))
            || mails.any(|mail| is_part(mail) && self.has_one(mail, country))
    }
}
