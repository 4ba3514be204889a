//! Masks values: enough stays to recognise a value, too little to reach anybody. A value that is masked already stays as it is.

use std::net::IpAddr;

use crate::transform::person::MADE_UP_NAME;

/// How many digits stay at the end of a number.
const LAST: usize = 4;
/// How many digits before those are masked.
const MASKED: usize = 4;

/// How many digits a number has at most (E.164); more of them are several numbers.
const LONGEST: usize = 15;

/// Masks a value by what it looks like; of several values joined by commas, each by itself, and also of IP addresses joined by
/// spaces.
pub(super) fn mask(text: &str) -> String {
    text.split(',').map(|part| one(part.trim())).collect::<Vec<_>>().join(",")
}

fn one(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    if let Ok(address) = text.parse() {
        return network(address);
    }
    if text.split_whitespace().any(|word| word != text && word.parse::<IpAddr>().is_ok()) {
        return text.split_whitespace().map(one).collect::<Vec<_>>().join(" ");
    }
    if let Some((mailbox, domain)) = text.rsplit_once('@').filter(|(_, domain)| is_domain(domain)) {
        return format!("{}@{domain}", word(mailbox));
    }
    if is_number(text) { number(text) } else { word(text) }
}

/// Whether it is a domain name: letters, digits and hyphens between dots, and only letters after the last dot.
fn is_domain(text: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.split('.').all(is_name)
        && text.rsplit_once('.').is_some_and(|(_, last)| last.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

/// A word, masked after its first letter; a single letter is masked, too. A name that the vendor made up can still be recognised
/// as made up.
fn word(text: &str) -> String {
    if text.starts_with(MADE_UP_NAME) {
        return format!("{MADE_UP_NAME}***");
    }
    let mut letters = text.chars();
    let first = letters.next().filter(|first| *first != '*' && letters.next().is_some());
    first.into_iter().chain("***".chars()).collect()
}

/// The network of an IP address: the first 24 bits of version 4, the first 48 bits of version 6.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [one, two, three, _] = address.octets();
            format!("{one}.{two}.{three}.0")
        }
        IpAddr::V6(address) => {
            let [one, two, three, ..] = address.segments();
            IpAddr::from([one, two, three, 0, 0, 0, 0, 0]).to_string()
        }
    }
}

fn is_digit(sign: char) -> bool {
    sign.is_ascii_digit() || sign == '*'
}

/// Whether a text consists of more digits than a year or a count has, no more than a number can have, and of what people write
/// between digits.
fn is_number(text: &str) -> bool {
    text.chars().all(|sign| is_digit(sign) || " -().+".contains(sign))
        && (LAST + 1..=LONGEST).contains(&text.chars().filter(|sign| is_digit(*sign)).count())
}

/// A number, with the four digits before its last four masked; a short number keeps only its last four.
fn number(text: &str) -> String {
    let digits = text.chars().filter(|sign| is_digit(*sign)).count();
    let shown = digits.saturating_sub(LAST + MASKED);
    let mut at = 0;
    let masked = text.chars().filter_map(|sign| {
        let is_masked = (shown..digits - LAST).contains(&at);
        if !is_digit(sign) {
            // What stands between masked digits is left out, so that a number has only one masked form.
            return (!is_masked || at == shown).then_some(sign);
        }
        at += 1;
        Some(if is_masked { '*' } else { sign })
    });
    masked.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_masked_by_what_it_looks_like_and_masking_it_again_changes_nothing() {
        for (text, masked) in [
            ("+86-19000101106", "+86-190****1106"),
            ("19000101106", "190****1106"),
            ("+86 190 0010 1106", "+86 190 **** 1106"),
            ("(212) 555-0100", "(21****-0100"),
            ("8859655", "***9655"),
            ("user@example.com", "u***@example.com"),
            ("u@example.com", "***@example.com"),
            ("\"a@b\"@Example.com", "\"***@Example.com"),
            ("李@13900000000", "李***"),
            ("ip@张三 13900000000", "i***"),
            ("192.168.40.44", "192.168.40.0"),
            ("117.39.199.234,192.168.40.44", "117.39.199.0,192.168.40.0"),
            ("117.39.199.234 192.168.40.44", "117.39.199.0 192.168.40.0"),
            ("117.39.199.234;192.168.40.44", "1***"),
            ("13900000000 13800000000", "1***"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
            ("张三", "张***"),
            ("张", "***"),
            ("网友1010", "网友***"),
            ("crm-00000017", "c***"),
            ("1234", "1***"),
            ("", ""),
        ] {
            assert_eq!(mask(text), masked, "{text}");
            assert_eq!(mask(masked), masked, "{text}, again");
        }
    }
}
