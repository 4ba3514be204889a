//! The people of whom nothing may be kept: keyed hashes of their identifiers, so that the list names nobody.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::iter;
use std::net::IpAddr;

use super::numbers::is_of_nobody;
use super::pseudonym::{self, Key, Sum};
use crate::error::{Error, Kind, Result};
use crate::transform::person;

/// The fewest digits that a telephone number has without its country code.
const FEWEST_DIGITS: usize = 3;

/// The list of these people. As long as nobody is on it, no key is needed.
#[derive(Clone, Debug, Default)]
pub struct Suppressed {
    people: BTreeSet<Sum>,
    key: Option<Key>,
}

impl Suppressed {
    /// The list with these sums, in hex digits, which were made with the key.
    pub fn of<'a>(sums: impl IntoIterator<Item = &'a String>, key: Option<Key>) -> Result<Self> {
        let damaged = || Error::new(Kind::Damaged, "the list of suppressed people cannot be read");
        let people =
            sums.into_iter().map(|sum| pseudonym::parse(sum).ok_or_else(damaged)).collect::<Result<_>>()?;
        Ok(Self { people, key })
    }

    /// Its sums, in hex digits, in order.
    pub fn sums(&self) -> impl Iterator<Item = String> {
        self.people.iter().map(pseudonym::hex)
    }

    /// How many sums there are. The list only grows, so this number identifies its revision.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.people.len() as u64
    }

    /// Whether nobody is on the list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// Adds an identifier, in every form that a table may have it in.
    pub fn add(&mut self, identifier: &str) {
        let Some(key) = &self.key else { return };
        let number = numbers(identifier, None).filter(|_| identifier.trim().parse::<IpAddr>().is_err());
        for form in texts(identifier).chain(number.map(Cow::Owned)) {
            self.people.insert(key.sum(&form));
        }
    }

    /// The list with these sums, in hex digits, added to it.
    pub fn and<'a>(mut self, sums: impl IntoIterator<Item = &'a String>) -> Result<Self> {
        self.people.append(&mut Self::of(sums, None)?.people);
        Ok(self)
    }

    /// Whether this text is one of the identifiers, perhaps a number that is written in another way; `country` is the country code
    /// in its record.
    pub(super) fn has_one(&self, text: &str, country: Option<&str>) -> bool {
        // Last, what takes longest, and is true of hardly any text.
        self.has_whole(text) || numbers(text, country).any(|number| self.has(&number)) && !is_of_nobody(text)
    }

    /// Whether this text is one of the identifiers, and not by its digits alone.
    pub(super) fn has_whole(&self, text: &str) -> bool {
        match pseudonym::sum_of(text) {
            Some(sum) => self.people.contains(&sum),
            None => texts(text).any(|form| self.has(&form)),
        }
    }

    fn has(&self, form: &str) -> bool {
        self.key.as_ref().is_some_and(|key| self.people.contains(&key.sum(form)))
    }
}

/// The forms in which a table may have a text, apart from numbers: as it is, in lower case, and as a mail address.
fn texts(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let text = text.trim();
    let has_other_case = !text.is_ascii() || text.bytes().any(|byte| byte.is_ascii_uppercase());
    let lower = has_other_case.then(|| text.to_lowercase());
    let mail = (!text.is_ascii()).then(|| person::mail(text));
    let other = [lower, mail].into_iter().flatten().filter(move |form| form != text);
    let forms = iter::once(Cow::Borrowed(text)).chain(other.map(Cow::Owned));
    forms.filter(|form| !form.is_empty())
}

/// The forms in which a table may have a number: as plus and digits, with the country code of its record or without.
fn numbers(text: &str, country: Option<&str>) -> impl Iterator<Item = String> {
    let is_digit = |sign: &char| matches!(sign, '0'..='9' | '０'..='９');
    let may_be_one = text.chars().filter(is_digit).count() >= FEWEST_DIGITS;
    let countries = [country, None].into_iter().skip(usize::from(country.is_none()));
    countries.filter(move |_| may_be_one).filter_map(move |country| person::e164(text.trim(), country))
}

#[cfg(test)]
impl Suppressed {
    /// The list of people with these identifiers.
    pub(crate) fn of_people(identifiers: &[&str]) -> Self {
        let key = Key::checked(&"k".repeat(32).into()).unwrap();
        let mut suppressed = Self::of([], Some(key)).unwrap();
        for identifier in identifiers {
            suppressed.add(identifier);
        }
        suppressed
    }
}
