//! Pseudonyms: the HMAC-SHA-256 (RFC 2104) of a value in the form that is the same for all tables. People can be counted and
//! joined by them without the key, but a person can be found again only with it.

use std::borrow::Cow;
use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::error::{Error, Kind, Result};
use crate::transform::column::Personal;
use crate::transform::person::{self, PSEUDONYM};

/// How long a key must be at least, in bytes: RFC 2104 advises against keys shorter than the HMAC.
const SHORTEST: usize = 32;

/// An HMAC-SHA-256, called a sum here.
pub(super) type Sum = [u8; 32];

/// The key for pseudonyms. It is never printed.
#[derive(Clone)]
pub struct Key {
    mac: Hmac<Sha256>,
    id: String,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

impl Key {
    /// Takes the bytes of a text as the key, without spaces around them; [`Kind::Usage`] if there are too few.
    pub fn checked(secret: &SecretString) -> Result<Self> {
        let bytes = secret.expose_secret().trim().as_bytes();
        if bytes.len() < SHORTEST {
            let message = format!("the key for pseudonyms is shorter than {SHORTEST} characters");
            return Err(Error::new(Kind::Usage, message).hint("make one with `openssl rand -hex 32`"));
        }
        Self::of(bytes)
    }

    fn of(bytes: &[u8]) -> Result<Self> {
        let mac = Hmac::new_from_slice(bytes)
            .map_err(|_| Error::new(Kind::Usage, "the key for pseudonyms cannot be used"))?;
        let mut key = Self { mac, id: String::new() };
        // The sum of a fixed text identifies the key, and reveals nothing else about it.
        key.id = hex(&key.sum("rollcall key")).chars().take(8).collect();
        Ok(key)
    }

    /// Eight hex digits that identify the key, in footers and in `lake.json`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The sum of a text.
    pub(super) fn sum(&self, text: &str) -> Sum {
        self.mac.clone().chain_update(text.as_bytes()).finalize().into_bytes().into()
    }

    /// The pseudonym of a value; a pseudonym stays as it is. `None` if many people may have the same value, because it is masked,
    /// or is not a mail address where one is asked for: the pseudonym would not show that.
    pub(super) fn pseudonym(
        &self,
        personal: Option<Personal>,
        text: &str,
        country: Option<&str>,
    ) -> Option<String> {
        if sum_of(text).is_some() {
            return Some(text.to_owned());
        }
        let text = normal(personal, text, country);
        let column = if personal == Some(Personal::Mail) { "email" } else { "" };
        person::tells(column, &text).then(|| format!("{PSEUDONYM}{}", hex(&self.sum(&text))))
    }
}

/// The sum as hex digits.
pub(super) fn hex(sum: &Sum) -> String {
    let mut digits = String::with_capacity(2 * sum.len());
    for byte in sum {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// The sum that is written in these hex digits; `None` if they are not a sum.
pub(super) fn parse(digits: &str) -> Option<Sum> {
    let mut sum = Sum::default();
    let is_one =
        digits.len() == 2 * sum.len() && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    for (at, byte) in sum.iter_mut().enumerate().filter(|_| is_one) {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    is_one.then_some(sum)
}

/// The sum in a pseudonym; `None` if the text is not a pseudonym.
pub(super) fn sum_of(text: &str) -> Option<Sum> {
    parse(text.strip_prefix(PSEUDONYM)?)
}

/// A value in the form of `person_key`: a number as plus and digits, a mail address in lower case, anything else without spaces
/// around it.
fn normal<'a>(personal: Option<Personal>, text: &'a str, country: Option<&str>) -> Cow<'a, str> {
    let number = match personal {
        Some(Personal::Number) => person::e164(text, country),
        _ => None,
    };
    match (number, personal) {
        (Some(number), _) => Cow::Owned(number),
        (None, Some(Personal::Mail)) => Cow::Owned(person::mail(text)),
        // An address may be in any column.
        (None, _) if text.contains(person::AT) => Cow::Owned(person::mail(text)),
        (None, _) => Cow::Borrowed(text.trim()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, the test cases whose data is text: 1, 2, 6 and 7.
    #[test]
    fn hmac_sums_match_the_test_cases_of_rfc_4231() {
        let data = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        for (key, text, sum) in [
            (
                vec![0x0b; 20],
                data(b"Hi There"),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe".to_vec(),
                data(b"what do ya want for nothing?"),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                vec![0xaa; 131],
                data(b"Test Using Larger Than Block-Size Key - Hash Key First"),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                vec![0xaa; 131],
                data(
                    b"This is a test using a larger than block-size key and a larger than block-size data. The key \
                      needs to be hashed before being used by the HMAC algorithm.",
                ),
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            ),
        ] {
            assert_eq!(hex(&Key::of(&key).unwrap().sum(&text)), sum, "{text}");
            assert_eq!(parse(sum), Some(Key::of(&key).unwrap().sum(&text)));
        }
    }

    #[test]
    fn one_person_has_one_pseudonym_however_their_identifier_is_written() {
        let key = Key::checked(&"k".repeat(32).into()).unwrap();
        let pseudonym = |personal, text, country| key.pseudonym(Some(personal), text, country).unwrap();
        let one = pseudonym(Personal::Identifier, "+8619000101106", None);
        for (text, country) in
            [("+86-19000101106", None), ("19000101106", Some("+86")), (" 0086 190 0010 1106", None)]
        {
            assert_eq!(pseudonym(Personal::Number, text, country), one, "{text}");
        }
        assert_eq!(pseudonym(Personal::Identifier, &one, None), one, "once is enough");
        assert_eq!(
            pseudonym(Personal::Mail, " Li.Wei@Example.com", None),
            pseudonym(Personal::Identifier, "li.wei@example.com", None)
        );
        assert_eq!(
            pseudonym(Personal::Identifier, "Li.Wei@Example.com", None),
            pseudonym(Personal::Mail, "li.wei@example.com", None)
        );
        for (personal, text) in
            [(Personal::Number, "190****1106"), (Personal::Mail, "无"), (Personal::Mail, "l***@example.com")]
        {
            assert_eq!(
                key.pseudonym(Some(personal), text, None),
                None,
                "{text} would make one person of many"
            );
        }
        let other = Key::checked(&"o".repeat(32).into()).unwrap();
        assert_ne!(other.pseudonym(None, "+8619000101106", None).unwrap(), one);
        assert_ne!(other.id(), key.id());
    }

    #[test]
    fn a_short_key_is_refused_and_no_key_is_printed() {
        assert_eq!(Key::checked(&"short".into()).unwrap_err().kind(), Kind::Usage);
        let secret = "0123456789abcdef0123456789abcdef";
        assert!(!format!("{:?}", Key::checked(&secret.into()).unwrap()).contains(secret));
    }
}
