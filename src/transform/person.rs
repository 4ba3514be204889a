//! One key per person, so that the three tables and a customer's own list can be joined; and which values tell people apart.

use std::borrow::Cow;

/// How many digits the shortest telephone numbers in use have, with their country code.
const SHORTEST: usize = 7;
/// How many digits E.164 allows at most.
const LONGEST: usize = 15;

/// The key of a person: the mobile number as plus and digits (E.164), else the mail address in lower case, else the customer's
/// own identifier; none if there is none of them.
#[must_use]
pub fn key(
    mobile: Option<&str>,
    country_code: Option<&str>,
    email: Option<&str>,
    ext_id: Option<&str>,
) -> Option<String> {
    mobile
        .and_then(|mobile| e164(mobile, country_code))
        // What an address was that has become a pseudonym, nobody can see any more: perhaps it was none.
        .or_else(|| email.map(mail).filter(|mail| tells("email", mail) && !mail.starts_with(PSEUDONYM)))
        .or_else(|| ext_id.map(|ext_id| ext_id.trim().to_owned()))
}

/// A mail address as in the key: in lower case, in plain characters, without spaces around it.
#[must_use]
pub fn mail(email: &str) -> String {
    plain(email).trim().to_lowercase()
}

/// A text with ASCII characters in place of full-width ones, and without invisible ones. Chinese keyboards write digits and
/// punctuation in full width, and telephones put invisible characters around a number.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let plain = |sign: char| match sign {
        // U+FF01 to U+FF5E are the ASCII characters in full width, in the same order.
        '！'..='～' => char::from_u32(u32::from(sign) - 0xfee0),
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => None,
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some('-'),
        sign if sign.is_whitespace() => Some(' '),
        sign => Some(sign),
    };
    Cow::Owned(text.chars().filter_map(plain).collect())
}

/// Every text that was masked, here or by the vendor, contains this character.
pub const MASK: char = '*';
/// Stands between the two parts of every mail address.
pub const AT: char = '@';
/// What every pseudonym begins with; the hex digits of the HMAC follow.
pub const PSEUDONYM: &str = "hmac:";

/// What the names begin with that the vendor makes up for viewers who give none: a number follows, another one for each viewing.
/// As in the vendor's sample answer; its documentation does not say so.
pub const MADE_UP_NAME: &str = "网友";

/// Whether a text in this column tells one person apart. A masked value does not, because many people share it; in `email`,
/// neither does a text that is not an address.
#[must_use]
pub fn tells(column: &str, text: &str) -> bool {
    let is_address = || text.char_indices().any(|(at, sign)| sign == AT && at > 0 && at + 1 < text.len());
    !text.contains(MASK) && (column != "email" || text.starts_with(PSEUDONYM) || is_address())
}

/// A telephone number as plus, country code and digits; none if it is not a number, or one of a country that is not stated in
/// digits. A number without a country code gets `country_code`, else China's.
pub(super) fn e164(mobile: &str, country_code: Option<&str>) -> Option<String> {
    let written = plain(mobile);
    let written = written.trim();
    let mut key = String::with_capacity(2 * LONGEST);
    key.push('+');
    let codes = plain(country_code.unwrap_or_default());
    // Of several countries, the first counts.
    let code = codes.split([',', ';']).find(|code| code.contains(|sign| matches!(sign, '1'..='9')));
    let is_unclear = code.is_none() && codes.contains(char::is_alphabetic);
    let country = code.unwrap_or("86").bytes().filter(u8::is_ascii_digit);
    // No country code begins with a zero: zeros before it announce it, as a plus does.
    key.extend(country.skip_while(|digit| *digit == b'0').map(char::from));
    let country = key.len();
    for (at, byte) in written.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => key.push(char::from(byte)),
            b' ' | b'-' | b'(' | b')' | b'.' => {}
            b'+' if at == 0 => {}
            _ => return None,
        }
    }
    let number = key.get(country..).unwrap_or_default();
    let has_country = written.starts_with('+')
        || key.starts_with("+86") && country == 3 && number.len() == 13 && number.starts_with("861");
    if has_country || number.starts_with("00") {
        let zeros = number.bytes().take_while(|digit| *digit == b'0').count();
        key.drain(1..country + zeros);
    } else if is_unclear {
        return None;
    }
    // A number in China begins with a zero only when it is dialled within the country.
    if key.starts_with("+860") {
        key.remove(3);
    }
    (1 + SHORTEST..=1 + LONGEST).contains(&key.len()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_a_number_gives_one_key() {
        for (mobile, country) in [
            ("+86-19000101106", None),
            ("19000101106", None),
            ("19000101106", Some("+86")),
            ("19000101106", Some("0086")),
            ("19000101106", Some("00")),
            ("+8619000101106", Some("+1")),
            ("0086 190 0010 1106", None),
            ("8619000101106", None),
            ("+0086 19000101106", None),
            ("019000101106", None),
            ("+86 (0)190 0010 1106", None),
            ("0086 019000101106", Some("1")),
            ("１９０００１０１１０６", Some("＋８６")),
            ("＋８６　１９０００１０１１０６", None),
            ("190\u{a0}0010\u{2013}1106", None),
            ("\u{202d}19000101106\u{202c}", None),
        ] {
            assert_eq!(key(Some(mobile), country, None, None).as_deref(), Some("+8619000101106"), "{mobile}");
        }
        for (country, expected) in [
            ("1", Some("+12125550100")),
            ("+1,+86", Some("+12125550100")),
            ("-，＋１", Some("+12125550100")),
            ("US", None),
            ("美国", None),
        ] {
            assert_eq!(
                key(Some("(212) 555-0100"), Some(country), None, None).as_deref(),
                expected,
                "{country}"
            );
            assert_eq!(key(Some("+12125550100"), Some(country), None, None).as_deref(), Some("+12125550100"));
        }
    }

    #[test]
    fn what_many_may_have_alike_tells_nobody_apart() {
        for (column, text, is_identified) in [
            ("distinct_id", "+86-19000101106", true),
            ("distinct_id", "+86-190****1106", false),
            ("mobile", "190****1106", false),
            ("email", "a@example.com", true),
            ("email", "a***@example.com", false),
            ("email", "n/a", false),
            ("email", "@", false),
            ("email", "a@", false),
            ("email", "@b", false),
            ("email", "hmac:00ff", true),
            ("ext_id", "*0234", false),
            ("ext_id", "n/a", true),
            ("person_key", "张***", false),
        ] {
            assert_eq!(tells(column, text), is_identified, "{column} {text}");
        }
    }

    #[test]
    fn what_is_no_number_gives_way_to_the_next_identifier() {
        let email = Some("Li.Wei@Example.com ");
        for mobile in ["190****1106", "anonymous", "12", "1+2", "12345678901234567890", "00000000000", "+0"] {
            assert_eq!(
                key(Some(mobile), None, email, None).as_deref(),
                Some("li.wei@example.com"),
                "{mobile}"
            );
        }
        assert_eq!(key(None, None, None, Some("C-77")).as_deref(), Some("C-77"));
        assert_eq!(key(None, Some("+86"), None, None), None);
        for email in ["无", "n/a", "a***@example.com", "hmac:00ff"] {
            assert_eq!(key(None, None, Some(email), Some("C-77")).as_deref(), Some("C-77"), "{email}");
            assert_eq!(key(None, None, Some(email), None), None, "{email}");
        }
    }
}
