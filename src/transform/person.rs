//! One key per person, made from what identifies them, so that the three tables and a customer's own list can be joined; and
//! which values tell people apart.

use std::borrow::Cow;

/// How many digits the shortest telephone numbers in use have, with their country code.
const SHORTEST: usize = 7;
/// How many digits E.164 allows at most.
const LONGEST: usize = 15;

/// One value for each of a person's identifiers, such as its column, or its text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identifiers<T> {
    /// The mobile number.
    pub mobile: T,
    /// The country code, without which some numbers are incomplete.
    pub country_code: T,
    /// The mail address.
    pub email: T,
    /// The customer's own identifier.
    pub ext_id: T,
}

/// The names of the identifiers' columns.
pub const IDENTIFIERS: Identifiers<&str> =
    Identifiers { mobile: "mobile", country_code: "country_code", email: "email", ext_id: "ext_id" };

impl<T> Identifiers<T> {
    /// Applies `of` to each of them.
    pub fn map<U>(self, of: impl Fn(T) -> U) -> Identifiers<U> {
        let Self { mobile, country_code, email, ext_id } = self;
        Identifiers {
            mobile: of(mobile),
            country_code: of(country_code),
            email: of(email),
            ext_id: of(ext_id),
        }
    }
}

impl<T: AsRef<str>> Identifiers<Option<T>> {
    /// The key of the person whom these texts identify: the mobile number as plus and digits (E.164), else the mail address in
    /// lower case, else the customer's own identifier; `None` if there is none of these.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        let country_code = self.country_code.as_ref().map(AsRef::as_ref);
        let mobile = self.mobile.as_ref().and_then(|mobile| e164(mobile.as_ref(), country_code));
        mobile
            // A pseudonym does not show whether it was made from a mail address.
            .or_else(|| {
                let mail = mail(self.email.as_ref()?.as_ref());
                (tells("email", &mail) && !mail.starts_with(PSEUDONYM)).then_some(mail)
            })
            .or_else(|| self.ext_id.as_ref().map(|ext_id| ext_id.as_ref().trim().to_owned()))
    }
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

/// The beginning of the names that the vendor makes up for viewers who give none; a number follows, a different one for each
/// viewing. This is so in the vendor's sample answer; its documentation does not say it.
pub const MADE_UP_NAME: &str = "网友";

/// Whether a text in this column tells one person from others. A masked value does not, because many people share it; in `email`,
/// neither does a text that is not an address.
#[must_use]
pub fn tells(column: &str, text: &str) -> bool {
    let is_address = || text.char_indices().any(|(at, sign)| sign == AT && at > 0 && at + 1 < text.len());
    !text.contains(MASK) && (column != "email" || text.starts_with(PSEUDONYM) || is_address())
}

/// A telephone number as plus, country code and digits; `None` if it is not a number, or if its country is stated, but not in
/// digits. A number without a country code gets `country_code`, else China's.
pub(super) fn e164(mobile: &str, country_code: Option<&str>) -> Option<String> {
    let written = plain(mobile);
    let written = written.trim();
    let mut key = String::with_capacity(2 * LONGEST);
    key.push('+');
    let codes = plain(country_code.unwrap_or_default());
    let code = first_code(&codes);
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

/// The digits of the country code that numbers without one get: as stated, else China's.
pub(super) fn country_digits(country_code: Option<&str>) -> String {
    let codes = plain(country_code.unwrap_or_default());
    let digits = first_code(&codes).unwrap_or("86").chars().filter(char::is_ascii_digit);
    digits.skip_while(|digit| *digit == '0').collect()
}

/// Of several country codes, the first counts.
fn first_code(codes: &str) -> Option<&str> {
    codes.split([',', ';']).find(|code| code.contains(|sign| matches!(sign, '1'..='9')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_number(mobile: &str, country_code: Option<&str>) -> Option<String> {
        Identifiers { mobile: Some(mobile), country_code, ..Identifiers::default() }.key()
    }

    #[test]
    fn every_way_of_writing_a_number_gives_the_same_key() {
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
            assert_eq!(of_number(mobile, country).as_deref(), Some("+8619000101106"), "{mobile}");
        }
        for (country, expected) in [
            ("1", Some("+12125550100")),
            ("+1,+86", Some("+12125550100")),
            ("-，＋１", Some("+12125550100")),
            ("US", None),
            ("美国", None),
        ] {
            assert_eq!(of_number("(212) 555-0100", Some(country)).as_deref(), expected, "{country}");
            assert_eq!(of_number("+12125550100", Some(country)).as_deref(), Some("+12125550100"));
        }
    }

    #[test]
    fn a_masked_or_malformed_value_identifies_nobody() {
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
    fn an_invalid_number_or_address_gives_way_to_the_next_identifier() {
        let email = Some("Li.Wei@Example.com ");
        for mobile in ["190****1106", "anonymous", "12", "1+2", "12345678901234567890", "00000000000", "+0"] {
            assert_eq!(
                Identifiers { mobile: Some(mobile), email, ..Identifiers::default() }.key().as_deref(),
                Some("li.wei@example.com"),
                "{mobile}"
            );
        }
        let of_the_customers = Identifiers { ext_id: Some("C-77"), ..Identifiers::default() };
        assert_eq!(of_the_customers.key().as_deref(), Some("C-77"));
        assert_eq!(Identifiers { country_code: Some("+86"), ..Identifiers::default() }.key(), None);
        for email in ["无", "n/a", "a***@example.com", "hmac:00ff"] {
            assert_eq!(
                Identifiers { email: Some(email), ..of_the_customers }.key().as_deref(),
                Some("C-77"),
                "{email}"
            );
            assert_eq!(Identifiers { email: Some(email), ..Identifiers::default() }.key(), None, "{email}");
        }
    }
}
