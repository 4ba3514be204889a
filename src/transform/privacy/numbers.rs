//! Numbers in texts, as far as they may be somebody's. Telephone numbers are written with all kinds of signs between their digits;
//! dates and IP addresses are written with the same signs, and are nobody's.

use std::iter;
use std::net::IpAddr;

use jiff::civil::Date;

use crate::transform::person::plain;

/// Signs that may stand between the digits of a telephone number, and around them.
pub(super) const SIGNS: &str = " -().+";

/// A number in the middle of a random identifier counts only if it has at least this many digits: fewer come about by chance.
const FEWEST_AMID_CHANCE: usize = 7;

/// How often letters and digits alternate, at least, in what looks like a random identifier.
const FEWEST_TURNS: usize = 3;

/// Signs around a word that are not part of it.
const AROUND: [char; 8] = ['(', ')', '[', ']', ',', ';', '.', '-'];

/// The years of dates in texts. Telephone numbers are hardly ever written like such dates.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2199;

/// How many digits a telephone number must have to be found among other numbers: enough that a part of another one is hardly ever
/// taken for it.
const DIALLED: std::ops::RangeInclusive<usize> = 10..=15;

/// The numbers in a text, each with the signs between and around its digits; also telephone numbers that stand beside other
/// numbers.
pub(super) fn numbers(text: &str) -> impl Iterator<Item = &str> {
    runs(text).flat_map(|run| iter::once(run).chain(among(run)))
}

/// The telephone numbers that a run may hold: one group of its digits, or several in a row.
fn among(run: &str) -> impl Iterator<Item = &str> {
    let is_digit = |at: usize| run.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let is_first = move |at: &usize| is_digit(*at) && (*at == 0 || !is_digit(*at - 1));
    let ends: Vec<usize> = (1..=run.len()).filter(|at| is_digit(*at - 1) && !is_digit(*at)).collect();
    (0..run.len()).filter(is_first).enumerate().flat_map(move |(group, start)| {
        // A plus belongs to the number that it announces.
        let from = start - usize::from(run.get(..start).is_some_and(|before| before.ends_with('+')));
        let parts = ends.iter().skip(group).filter_map(|end| run.get(from..*end));
        let digits = |part: &&str| part.bytes().filter(u8::is_ascii_digit).count();
        let parts = parts.take_while(|part| digits(part) <= *DIALLED.end());
        parts.filter(|part| digits(part) >= *DIALLED.start()).collect::<Vec<_>>()
    })
}

/// The longest pieces of a text that have only digits and their signs.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let runs = text.split(|sign: char| !sign.is_ascii_alphanumeric() && !SIGNS.contains(sign));
    runs.flat_map(|run| {
        let parts = || run.split(|sign: char| sign.is_ascii_alphabetic());
        let (last, has_random) = (parts().count() - 1, has_random(run));
        let numbers = parts().enumerate().filter(move |(at, part)| {
            let is_digit = |sign: char| sign.is_ascii_digit();
            let is_in_a_word =
                *at > 0 && part.starts_with(is_digit) || *at < last && part.ends_with(is_digit);
            let is_by_chance = has_random && is_in_a_word;
            !is_by_chance || part.chars().filter(char::is_ascii_digit).count() >= FEWEST_AMID_CHANCE
        });
        numbers.map(|(_, part)| part)
    })
}

/// Whether one of the words looks like a random identifier, in which letters and digits alternate.
fn has_random(words: &str) -> bool {
    words.split(|sign| SIGNS.contains(sign)).any(|word| {
        let is_digit = word.bytes().map(|byte| byte.is_ascii_digit());
        is_digit.clone().zip(is_digit.skip(1)).filter(|(one, next)| one != next).count() >= FEWEST_TURNS
    })
}

/// Whether a text consists of dates, with or without a time, or of IP addresses: they do not mean a person who has the same
/// digits.
pub(super) fn is_of_nobody(text: &str) -> bool {
    let Divided { rest, of_nobody } = divided(text);
    rest.is_empty() && !of_nobody.is_empty()
}

/// A text, divided into what may be somebody's and what is nobody's.
pub(super) struct Divided {
    /// The words that may be somebody's, in their order.
    pub(super) rest: String,
    /// The dates, times and addresses.
    pub(super) of_nobody: Vec<String>,
}

/// Divides a text at its spaces. A time counts as one only right after a date.
pub(super) fn divided(text: &str) -> Divided {
    let (text, mut is_behind_date) = (plain(text), false);
    let (mut rest, mut of_nobody) = (Vec::new(), Vec::new());
    for piece in text.split_whitespace() {
        let word = piece.trim_matches(AROUND);
        let (date, time) = word.split_once('T').unwrap_or((word, ""));
        let is_time_of_date = std::mem::take(&mut is_behind_date) && is_time(word);
        if is_date(date) && is_time(time) {
            is_behind_date = time.is_empty();
            of_nobody.push(word.to_owned());
        } else if is_time_of_date || is_address(word) || word.is_empty() {
            of_nobody.push(word.to_owned());
        } else {
            rest.push(piece);
        }
    }
    Divided { rest: rest.join(" "), of_nobody }
}

/// Whether a word is an IP address, or the version of a program, which looks the same. Four pairs of digits are more likely a
/// telephone number, as some countries write it.
fn is_address(word: &str) -> bool {
    let groups = || word.split('.');
    let is_dotted = groups().count() == 4 && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_version = is_dotted && groups().any(|group| group == "0");
    let is_in_pairs = is_dotted && groups().all(|group| group.len() == 2);
    is_version || word.parse::<IpAddr>().is_ok() && !is_in_pairs
}

/// Whether a word is a date, with the year first or last.
fn is_date(word: &str) -> bool {
    // A plus announces a telephone number.
    if word.contains('+') {
        return false;
    }
    let word = word.replace(['.', '/'], "-");
    let date = Date::strptime("%Y-%m-%d", &word).or_else(|_| Date::strptime("%d-%m-%Y", &word));
    date.is_ok_and(|date| YEARS.contains(&date.year()))
}

/// Whether a word is a time of the day, or what is left of one that was cut at its colons.
fn is_time(word: &str) -> bool {
    let word = word.strip_suffix('Z').unwrap_or(word);
    let (clock, fraction) = word.split_once('.').unwrap_or((word, ""));
    let are_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    are_digits(fraction) && clock.split(':').all(|part| part.len() <= 2 && are_digits(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_ip_addresses_belong_to_nobody_but_telephone_numbers_may_belong_to_somebody() {
        for (text, is_nobodys) in [
            ("2022-10-26", true),
            ("2022-10-26 16", true),
            ("2022-10-26 16:27:03", true),
            ("2022-10-26T16:27:03.123", true),
            ("(2022.10.26)", true),
            ("2022/1/5 ", true),
            ("26.10.2022", true),
            ("2022-10-26  16:27", true),
            ("(2022-10-26) 16:27", true),
            ("2022-10-26 16:27 - 2022-10-27", true),
            ("2022-10-26 16 27", false),
            ("192.168.40.44", true),
            ("10.0.0.1 10.0.0.2", true),
            ("10.0.0.1, (10.0.0.2)", true),
            ("２０２２－１０－２６", true),
            ("2022–10–26", true),
            ("2022-10-26T16:27:27.123Z", true),
            ("138.0.7204.100", true),
            ("10.0.123.0", true),
            ("240e:3b7::1", true),
            ("20221026", false),
            ("2022-10-26 190 0010 1106", false),
            ("2022-10-26 19 00 01 01 10 6", false),
            ("190-0010-1106", false),
            ("19.00.01.01.10.6", false),
            ("22.33.44.55", false),
            ("+45.22.33.44.55", false),
            ("1.800.555.1234", false),
            ("16:27:03", false),
            ("010-1234-5678", false),
            ("2022-1026", false),
            ("1066-10-14", false),
            ("2022-13-26", false),
            ("", false),
        ] {
            assert_eq!(is_of_nobody(text), is_nobodys, "{text}");
        }
    }

    #[test]
    fn a_short_number_is_found_everywhere_but_within_a_random_identifier() {
        for (text, found) in [
            ("工号4212", vec!["4212"]),
            ("VIP 4212, tel 190 0010 1106", vec![" 4212", " 190 0010 1106", "190 0010 1106"]),
            (
                "VIP 3 +86 190 0010 1106",
                vec![
                    " 3 +86 190 0010 1106",
                    "3 +86 190 0010",
                    "3 +86 190 0010 1106",
                    "+86 190 0010 1106",
                    "190 0010 1106",
                ],
            ),
            ("63fcadcf4212be92", vec![]),
            ("user4212", vec!["4212"]),
            ("LiWei885896", vec!["885896"]),
            ("user19000101106x", vec!["19000101106", "19000101106"]),
            ("a1234567", vec!["1234567"]),
        ] {
            let numbers: Vec<_> =
                numbers(text).filter(|part| part.chars().any(|sign| sign.is_ascii_digit())).collect();
            assert_eq!(numbers, found, "{text}");
        }
    }
}
