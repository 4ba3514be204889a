//! Looks for people among the words and numbers of a text.

use std::iter;

use super::numbers::{Divided, divided, numbers};
use super::suppressed::Suppressed;
use crate::transform::person;

/// Characters that stand between the words of a text, and in no identifier.
const BETWEEN: &[char] = &[
    ',', ';', '|', '"', '<', '>', '(', ')', '[', ']', '{', '}', '，', '、', '；', '（', '）', ':', '：', '/',
    '【', '】',
];

/// Characters that stand between words, too, but also in some identifiers.
const BETWEEN_OR_IN: &[char] = &['=', '&', '?', '#', '!', '。', '！', '？'];

/// Stand around words, but also in names and mail addresses: nobody is meant by the second half of `d'souza@example.com`.
const AROUND: &[char] = &['\'', '‘', '’'];
/// What stands behind a word in the genitive.
const GENITIVE: [&str; 2] = ["'s", "’s"];

/// How `@` is written in a URL.
const ENCODED_AT: &str = "%40";

/// The shortest identifier that is looked for among the words of a text, in bytes.
const SHORTEST: usize = 4;

impl Suppressed {
    /// Whether a text is one of the identifiers, or has one among its words and numbers; it is not looked at as JSON.
    pub(super) fn has_words(&self, text: &str, country: Option<&str>) -> bool {
        let plain = person::plain(text);
        self.has_plain_words(text, country)
            || plain != text && self.has_plain_words(&plain, country)
            || plain.contains(ENCODED_AT) && self.has_plain_words(&plain.replace(ENCODED_AT, "@"), country)
    }

    fn has_plain_words(&self, text: &str, country: Option<&str>) -> bool {
        if self.has_one(text, country) {
            return true;
        }
        let has_part = self.has_part(text, country);
        let may_be_divided =
            text.contains(char::is_whitespace) && text.contains(|sign: char| sign.is_ascii_digit());
        if !has_part && !may_be_divided {
            return false;
        }
        // No part of a date or of an address is anybody's: only all of it may be. What stands beside one may be somebody's.
        let Divided { rest, of_nobody } = divided(text);
        if of_nobody.is_empty() {
            return has_part;
        }
        of_nobody.iter().any(|word| self.has_whole(word))
            || self.has_one(&rest, country)
            || self.has_part(&rest, country)
    }

    /// Whether a text has one of the identifiers among its words and numbers.
    fn has_part(&self, text: &str, country: Option<&str>) -> bool {
        let words = text.split(|sign: char| sign.is_whitespace() || BETWEEN.contains(&sign));
        let mut words = words.flat_map(|word| {
            let parts = word.split(BETWEEN_OR_IN).flat_map(bare);
            iter::once(word).chain(parts.filter(|part| part.len() < word.len()))
        });
        let is_part = |part: &str| (SHORTEST..text.len()).contains(&part.len());
        let is_of_mail =
            |sign: char| sign.is_ascii_alphanumeric() || "@._+-".contains(sign) || AROUND.contains(&sign);
        let mails = text.split(|sign| !is_of_mail(sign)).filter(|part| part.contains('@'));
        // Without a full stop after the address.
        let mut mails = mails.flat_map(bare).map(|mail| mail.trim_matches(['.', '-']));
        words.any(|word| is_part(word) && self.has_one(word, country))
            || numbers(text).any(|number| is_part(number) && self.has_one(number, country))
            || mails.any(|mail| is_part(mail) && self.has_one(mail, country))
    }
}

/// A word without what stands around it, also without the ending of a genitive.
fn bare(word: &str) -> impl Iterator<Item = &str> {
    let word = word.trim_start_matches(AROUND);
    let word = word.trim_end_matches(|sign| sign == '.' || AROUND.contains(&sign));
    iter::once(word).chain(GENITIVE.iter().filter_map(|ending| word.strip_suffix(ending)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_found_among_whatever_stands_beside_it() {
        for (identifier, text, is_found) in [
            ("crm-00000017", "https://x.example/live?uid=crm-00000017&from=wx", true),
            ("crm-00000017", "id=crm-00000017", true),
            ("crm-00000017", "#crm-00000017", true),
            ("crm-00000017", "crm-00000017!", true),
            ("crm-00000017", "it is crm-00000017.", true),
            ("crm-00000017", "编号 crm-00000017。谢谢", true),
            ("crm-00000017", "id=crm-000000171", false),
            ("crm=17#a", "code crm=17#a", true),
            ("li.wei@example.com", "mail=li.wei%40example.com", true),
            ("li.wei@example.com", "li.wei%40example.com", true),
            ("li.wei@example.com", "mail=eli.wei%40example.com", false),
            ("19000101106", "2026-10-26 190 0010 1106", true),
            ("19000101106", "10.0.0.1 190 0010 1106", true),
            ("souza@example.com", "d'souza@example.com", false),
            ("souza@example.com", "write to d'souza@example.com", false),
            ("d'souza@example.com", "写给d'souza@example.com。", true),
            ("d'souza@example.com", "'d'souza@example.com'", true),
            ("souza@example.com", "mail='souza@example.com'", true),
            ("souza@example.com", "d’souza@example.com", false),
            ("souza@example.com", "写给‘souza@example.com’", true),
            ("souza@example.com", "souza@example.com's account", true),
            ("crm-00000017", "('crm-00000017')", true),
            ("crm-00000017", "it is 'crm-00000017'.", true),
            ("crm-00000017", "crm-00000017's seat", true),
            ("2408:8406:1234::1", "2408:8406:1234::1, 10.0.0.1", true),
            ("19000101106", "VIP 3 190 0010 1106", true),
            ("+1 212 555 0100", "VIP 3 +1 212 555 0100", true),
            ("+44 7911 123456", "D (+44 7911 123456)", true),
            ("+44 7911 123456", "D - +44 7911 123456", true),
            ("1741", "Version/17.4.1 Safari", false),
            ("4212", "score: 42.12", false),
            ("138 0000 1111", "190 0010 1106 138 0000 1111", true),
            ("010-12345678", "010-12345678-8001", true),
            ("20261026", "2026-10-26 190 0010 1106", false),
            ("10001", "10.0.0.1 190 0010 1106", false),
            ("1900010", "190 0010", true),
            ("1900010", "190 0010 1106", false),
            ("0010", "190 0010 1106", true),
            ("001011", "190 0010 1106", false),
        ] {
            let suppressed = Suppressed::of_people(&[identifier]);
            assert_eq!(suppressed.has_words(text, None), is_found, "{identifier} {text}");
        }
    }
}
