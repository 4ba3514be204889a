//! The people of whom nothing may be kept: keyed hashes of their identifiers, so that the list names nobody.

use std::collections::BTreeSet;

use super::numbers::is_of_nobody;
use super::pseudonym::{self, Key, Sum};
use crate::error::{Error, Kind, Result};
use crate::transform::person;

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
        for form in forms(identifier, None) {
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
        self.has_form(text, || forms(text, country))
    }

    /// Whether this text is one of the identifiers, and not by its digits alone.
    pub(super) fn has_whole(&self, text: &str) -> bool {
        self.has_form(text, || texts(text))
    }

    fn has_form(&self, text: &str, forms: impl Fn() -> BTreeSet<String>) -> bool {
        if let Some(sum) = pseudonym::sum_of(text) {
            return self.people.contains(&sum);
        }
        let Some(key) = &self.key else { return false };
        forms().iter().any(|form| self.people.contains(&key.sum(form)))
    }
}

/// The forms in which a table may have a text: a number as plus and digits; any text as it is, and in lower case.
fn forms(text: &str, country: Option<&str>) -> BTreeSet<String> {
    let mut forms = texts(text);
    if !is_of_nobody(text) {
        let text = text.trim();
        forms.extend([person::e164(text, country), person::e164(text, None)].into_iter().flatten());
    }
    forms
}

fn texts(text: &str) -> BTreeSet<String> {
    let text = text.trim();
    if text.is_empty() {
        return BTreeSet::new();
    }
    [text.to_owned(), text.to_lowercase(), person::mail(text)].into()
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
