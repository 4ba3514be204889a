//! The people to be forgotten: keyed hashes of their identifiers, so that the list names nobody.

use std::collections::BTreeSet;
use std::hash::Hasher;

use twox_hash::XxHash3_64;

use super::forms;
use super::numbers::is_of_nobody;
use super::pseudonym::{self, Key, Sum};
use crate::error::{Error, Kind, Result};

/// The list of these people. As long as nobody is on it, no key is needed.
#[derive(Clone, Debug, Default)]
pub struct Suppressed {
    people: BTreeSet<Sum>,
    key: Option<Key>,
}

impl Suppressed {
    /// The list with these sums, in hex digits, which were made with the key.
    pub fn of<'a>(sums: impl IntoIterator<Item = &'a String>, key: Option<Key>) -> Result<Self> {
        let damaged = || Error::new(Kind::Damaged, "the list of people to be forgotten cannot be read");
        let people =
            sums.into_iter().map(|sum| pseudonym::parse(sum).ok_or_else(damaged)).collect::<Result<_>>()?;
        Ok(Self { people, key })
    }

    /// Its sums, in hex digits, in order.
    pub fn sums(&self) -> impl Iterator<Item = String> {
        self.people.iter().map(pseudonym::hex)
    }

    /// How many sums there are. A list only grows, so this number identifies its revision.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.people.len() as u64
    }

    /// Tells this list from another one of the same length, which was made after the list was lost; 0 if nobody is on it.
    #[must_use]
    pub fn hash(&self) -> u64 {
        if self.is_empty() {
            return 0;
        }
        let mut hasher = XxHash3_64::new();
        self.people.iter().for_each(|sum| hasher.write(sum));
        hasher.finish()
    }

    /// Whether nobody is on the list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// Adds an identifier, in every form that a table may have it in.
    pub fn add(&mut self, identifier: &str) {
        let Some(key) = &self.key else { return };
        self.people.extend(forms::listed(identifier).iter().map(|form| key.sum(form)));
    }

    /// Adds the further forms of a number from which a pseudonym may have been made.
    pub fn add_of_pseudonyms(&mut self, identifier: &str) {
        let Some(key) = &self.key else { return };
        self.people.extend(forms::of_pseudonyms(identifier).iter().map(|form| key.sum(form)));
    }

    /// The list with these sums, in hex digits, added to it.
    pub fn and<'a>(mut self, sums: impl IntoIterator<Item = &'a String>) -> Result<Self> {
        self.people.append(&mut Self::of(sums, None)?.people);
        Ok(self)
    }

    /// Whether this text is one of the identifiers, perhaps a number that is written in another way; `country` is the country code
    /// in its record.
    pub(super) fn has_one(&self, text: &str, country: Option<&str>) -> bool {
        // What takes longest comes last: hardly any text gets that far.
        self.has_whole(text)
            || forms::numbers(text, country).iter().any(|number| self.has(number)) && !is_of_nobody(text)
    }

    /// Whether this text itself is one of the identifiers; the same number, written in another way, does not count.
    pub(super) fn has_whole(&self, text: &str) -> bool {
        match pseudonym::sum_of(text) {
            Some(sum) => self.people.contains(&sum),
            None => forms::texts(text).any(|form| self.has(&form)),
        }
    }

    fn has(&self, form: &str) -> bool {
        self.key.as_ref().is_some_and(|key| self.people.contains(&key.sum(form)))
    }
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
