//! The forms in which one and the same identifier may be written. Texts are compared with the list of people to be forgotten in
//! these forms. Pure.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::iter;
use std::net::IpAddr;

use super::numbers::SIGNS;
use crate::transform::person;

/// The fewest digits of a number that is looked for with its country code.
const FEWEST_DIGITS: usize = 3;
/// The fewest digits of a number that is found whatever signs stand between them.
const FEWEST_AMID_SIGNS: usize = 5;
/// The fewest digits of a telephone number. A shorter one may be a customer's own identifier, in which every zero counts.
const FEWEST_TO_DIAL: usize = 7;

/// Every form in which this identifier is put on the list.
pub(super) fn listed(identifier: &str) -> BTreeSet<String> {
    let is_address = identifier.trim().parse::<IpAddr>().is_ok();
    let written = person::plain(identifier.trim());
    let numbers = match digits_of(&written).len() {
        _ if is_address => Vec::new(),
        FEWEST_TO_DIAL.. => dialled_in(&written, None),
        _ => amid_signs(&written).into_iter().collect(),
    };
    texts(identifier).map(Cow::into_owned).chain(numbers).collect()
}

/// Further forms of a number, from which a pseudonym may have been made. A pseudonym is of one form only, and does not show which:
/// a customer's own identifier may be the digits alone, with the country code and, if the number is in China, without; a number
/// whose record states its country may have been written with a zero before it, or with the country code again, or both.
pub(super) fn of_pseudonyms(identifier: &str) -> BTreeSet<String> {
    let listed = listed(identifier);
    let without = |prefix: &str| -> Vec<String> {
        let forms = listed.iter().filter_map(|form| form.strip_prefix(prefix));
        forms.filter(|form| is_digits(form)).map(str::to_owned).collect()
    };
    let mut forms: BTreeSet<String> = without("+86").into_iter().collect();
    for digits in without("+") {
        if let Some((code, number)) = digits.split_at_checked(code_length(&digits)) {
            let again = [format!("0{number}"), digits.clone(), format!("{code}0{number}")];
            forms.extend(again.map(|number| format!("+{code}{number}")));
        }
        forms.insert(digits);
    }
    forms
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// How many digits the country code has with which a number begins, by the list of assigned codes (ITU-T E.164).
fn code_length(digits: &str) -> usize {
    match digits.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [b'2', b'0' | b'7', ..]
        | [b'3', b'0'..=b'4' | b'6' | b'9', ..]
        | [b'4', b'0' | b'1' | b'3'..=b'9', ..]
        | [b'5', b'1'..=b'8', ..]
        | [b'6', b'0'..=b'6', ..]
        | [b'8', b'1' | b'2' | b'4' | b'6', ..]
        | [b'9', b'0'..=b'5' | b'8', ..] => 2,
        _ => 3,
    }
}

/// The forms of a text, apart from numbers: as it is, in lower case, and as a mail address.
pub(super) fn texts(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let text = text.trim();
    let has_other_case = !text.is_ascii() || text.bytes().any(|byte| byte.is_ascii_uppercase());
    let lower = has_other_case.then(|| text.to_lowercase());
    let mail = (!text.is_ascii()).then(|| person::mail(text));
    let other = [lower, mail].into_iter().flatten().filter(move |form| form != text);
    let forms = iter::once(Cow::Borrowed(text)).chain(other.map(Cow::Owned));
    forms.filter(|form| !form.is_empty())
}

/// The forms of a number; none if the text is not a number. They are plus and digits, read with China's country code and with
/// that of its record; and, if it has too few digits to be dialled, its digits.
pub(super) fn numbers(text: &str, country: Option<&str>) -> Vec<String> {
    let is_digit = |sign: char| sign.is_ascii_digit() || matches!(sign, '０'..='９');
    if text.chars().filter(|sign| is_digit(*sign)).count() < FEWEST_DIGITS {
        return Vec::new();
    }
    let written = person::plain(text.trim());
    let mut forms = dialled_in(&written, country);
    if digits_of(&written).len() < FEWEST_TO_DIAL {
        forms.extend(amid_signs(&written));
    }
    forms
}

fn digits_of(written: &str) -> String {
    written.chars().filter(char::is_ascii_digit).collect()
}

/// The digits of a number, which may have signs between them, but no points, because versions and decimals have these; `None` if
/// the text is not such a number.
fn amid_signs(written: &str) -> Option<String> {
    let is_one = written.chars().all(|sign| sign.is_ascii_digit() || sign != '.' && SIGNS.contains(sign));
    Some(digits_of(written)).filter(|digits| is_one && digits.len() >= FEWEST_AMID_SIGNS)
}

/// The forms of a telephone number, read with China's country code, and with that of its record.
fn dialled_in(written: &str, country: Option<&str>) -> Vec<String> {
    // A zero in brackets is dialled only within its country.
    let without_trunk = written.contains("(0)").then(|| written.replace("(0)", ""));
    let mut forms = Vec::new();
    for written in iter::once(written).chain(without_trunk.as_deref()) {
        forms.extend(dialled(written, None));
        forms.extend(country.into_iter().flat_map(|country| dialled(written, Some(country))));
    }
    forms
}

/// A telephone number as plus and digits: as it is read, and as it would be if it began with its country code although no plus
/// says so, or with a zero that is dialled only within its country.
fn dialled(written: &str, country: Option<&str>) -> Vec<String> {
    let Some(read) = person::e164(written, country) else { return Vec::new() };
    let code = person::country_digits(country);
    let without_code = read.strip_prefix(&format!("+{code}"));
    let international = without_code.filter(|rest| rest.starts_with(&code));
    let international = international.filter(|digits| digits.len() >= FEWEST_TO_DIAL);
    let mut forms: Vec<String> = international.map(|digits| format!("+{digits}")).into_iter().collect();
    forms.push(read);
    let trunk = format!("+{code}0");
    let without_zero = forms.iter().filter_map(|form| Some(format!("+{code}{}", form.strip_prefix(&trunk)?)));
    let without_zero: Vec<String> = without_zero.collect();
    forms.extend(without_zero);
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_recognised_however_its_country_is_given() {
        for (number, country, listed_as) in [
            ("19000101106", None, "+86-19000101106"),
            ("1-212-555-0100", Some("1"), "+1 212 555 0100"),
            ("(212) 555-0100", Some("+1"), "+1 212 555 0100"),
            ("07911 123456", Some("44"), "+44 7911 123456"),
            ("+44 (0)7911 123456", None, "+44 7911 123456"),
            ("+44 07911 123456", Some("44"), "+44 (0)7911 123456"),
            ("85291234567", Some("852"), "+852 91234567"),
            ("86-10-12345678", None, "010-12345678"),
            ("8601012345678", None, "+86 10 12345678"),
            ("010 1234 5678", Some("86"), "86-10-12345678"),
            ("1106-42", None, "110642"),
            ("123456", Some("298"), "+298123456"),
            ("12345", None, "+8612345"),
        ] {
            let listed = listed(listed_as);
            assert!(
                numbers(number, country).iter().any(|form| listed.contains(form)),
                "{number} {listed_as}"
            );
            let one_form = person::e164(number, country).unwrap();
            let is_short = digits_of(listed_as).len() < FEWEST_TO_DIAL;
            let is_found = listed.contains(&one_form) || of_pseudonyms(listed_as).contains(&one_form);
            assert_eq!(is_found, !is_short, "the pseudonym of {one_form}, {listed_as}");
        }
    }

    #[test]
    fn different_numbers_do_not_match_each_other() {
        for (number, country, listed_as) in [
            ("12345", None, "012345"),
            ("123-456", None, "012345"),
            ("19000101107", None, "+86-19000101106"),
            ("2125550100", Some("1"), "+44 212 555 0100"),
            ("user 123456", None, "123456"),
            ("17.4.1", None, "1741"),
            ("42-12", None, "4212"),
            ("123.456", None, "123456"),
        ] {
            let listed = listed(listed_as);
            assert!(
                !numbers(number, country).iter().any(|form| listed.contains(form)),
                "{number} {listed_as}"
            );
        }
    }

    #[test]
    fn an_identifier_is_listed_in_each_form_that_has_a_pseudonym_of_its_own() {
        assert_eq!(
            listed("+86-19000101106"),
            ["+86-19000101106", "+8619000101106"].map(str::to_owned).into()
        );
        for (identifier, further) in [
            (
                "+86-19000101106",
                &["19000101106", "8619000101106", "+86019000101106", "+868619000101106", "+8686019000101106"]
                    [..],
            ),
            ("+44 7911 123456", &["447911123456", "+4407911123456", "+44447911123456", "+444407911123456"]),
            ("+85291234567", &["85291234567", "+852091234567", "+85285291234567", "+852852091234567"]),
            ("+12125550100", &["12125550100", "+102125550100", "+112125550100", "+1102125550100"]),
            ("12345", &[]),
            ("crm-7", &[]),
            ("10.0.0.123", &[]),
        ] {
            let further = further.iter().copied().map(str::to_owned).collect();
            assert_eq!(of_pseudonyms(identifier), further, "{identifier}");
        }
        assert_eq!(
            listed(" Li.Wei@Example.com"),
            ["Li.Wei@Example.com", "li.wei@example.com"].map(str::to_owned).into()
        );
        assert_eq!(listed("10.0.0.123"), ["10.0.0.123".to_owned()].into(), "an address is no number");
    }
}
