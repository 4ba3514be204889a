//! Numbers in texts, as far as they may be somebody's. Telephone numbers are written with all kinds of signs between their digits;
//! dates and IP addresses are written with the same signs, and are nobody's.

use std::net::IpAddr;

use jiff::civil::Date;

/// Signs that may stand between the digits of a telephone number, and around them.
const SIGNS: &str = " -().+";

/// The fewest digits of a number that counts although a Latin letter touches it: in the middle of a random identifier, fewer
/// digits come about by chance.
const FEWEST_IN_A_WORD: usize = 7;

/// The years that dates in texts are of. Telephone numbers are hardly written like these.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2199;

/// The numbers in a text, each with the signs between and around its digits.
pub(super) fn numbers(text: &str) -> impl Iterator<Item = &str> {
    let runs = text.split(|sign: char| !sign.is_ascii_alphanumeric() && !SIGNS.contains(sign));
    runs.flat_map(|run| {
        let parts = || run.split(|sign: char| sign.is_ascii_alphabetic());
        let last = parts().count() - 1;
        let numbers = parts().enumerate().filter(move |(at, part)| {
            let is_digit = |sign: char| sign.is_ascii_digit();
            let is_in_a_word =
                *at > 0 && part.starts_with(is_digit) || *at < last && part.ends_with(is_digit);
            !is_in_a_word || part.chars().filter(char::is_ascii_digit).count() >= FEWEST_IN_A_WORD
        });
        numbers.map(|(_, part)| part)
    })
}

/// Whether a text is a date, alone or with a time, or an IP address: whoever has the same digits is not meant.
pub(super) fn is_of_nobody(text: &str) -> bool {
    let text = text.trim_matches(|sign: char| SIGNS.contains(sign));
    text.parse::<IpAddr>().is_ok() || is_date(text)
}

fn is_date(text: &str) -> bool {
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let is_time =
        time.split([':', '.']).all(|part| part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit()));
    let date = Date::strptime("%Y-%m-%d", date.replace(['.', '/'], "-"));
    is_time && date.is_ok_and(|date| YEARS.contains(&date.year()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_addresses_are_nobodys_and_telephone_numbers_may_be_somebodys() {
        for (text, is_nobodys) in [
            ("2022-10-26", true),
            ("2022-10-26 16", true),
            ("2022-10-26 16:27:03", true),
            ("2022-10-26T16:27:03.123", true),
            ("(2022.10.26)", true),
            ("2022/1/5 ", true),
            ("192.168.40.44", true),
            ("10.0.123.0", true),
            ("240e:3b7::1", true),
            ("20221026", false),
            ("2022-10-26 190 0010 1106", false),
            ("190-0010-1106", false),
            ("19.00.01.01.10.6", false),
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
    fn a_short_number_counts_where_no_letter_touches_it_and_a_long_one_everywhere() {
        for (text, found) in [
            ("工号4212", vec!["4212"]),
            ("VIP 4212, tel 190 0010 1106", vec![" 4212", " 190 0010 1106"]),
            ("63fcadcf4212be92", vec![]),
            ("user4212", vec![]),
            ("user19000101106x", vec!["19000101106"]),
            ("a1234567", vec!["1234567"]),
        ] {
            let numbers: Vec<_> =
                numbers(text).filter(|part| part.chars().any(|sign| sign.is_ascii_digit())).collect();
            assert_eq!(numbers, found, "{text}");
        }
    }
}
