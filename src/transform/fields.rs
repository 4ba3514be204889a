//! The fields of the current record, and what may be kept of them.

use std::borrow::Cow;

use jiff::Timestamp;

use super::column::{Column, Personal};
use super::extra::Extra;
use super::fast_path;
use super::field_index::FieldIndex;
use super::person::Identifiers;
use super::privacy::{Policy, Treatment};
use super::tables::Table;
use crate::json::record::{Record, Sent};

/// The fields of one record.
pub(super) struct Fields<'a, 'r> {
    pub(super) table: Table,
    pub(super) policy: &'a Policy,
    /// The indexes of the columns that identify a person.
    pub(super) person: &'a Identifiers<Option<usize>>,
    pub(super) index: &'a FieldIndex,
    pub(super) record: Record<'r>,
}

impl<'r> Fields<'_, 'r> {
    /// The fields that have no column, or that differ from the field that they repeat, as far as they may be kept.
    pub(super) fn without_column(&self) -> Extra<'r> {
        let mut extra = Extra::default();
        for sent in self.index.differing(self.record).chain(self.index.unknown(self.record)) {
            let key = sent.key();
            if self.policy.keeps_extra(self.table.column_of(&key), &key) {
                extra.add(&sent);
            }
        }
        extra
    }

    /// Adds the field that was sent for a column to `extra`, if it may be kept.
    pub(super) fn keep_beside(&self, extra: &mut Extra<'r>, column: &Column, sent: &Sent<'r>) {
        if self.policy.keeps_extra(Some(column), &sent.key()) {
            extra.add(sent);
        }
    }

    /// The instant that was sent for the column with this index.
    pub(super) fn instant(&self, column: usize) -> Option<Timestamp> {
        self.index.sent(self.record, Some(column)).and_then(|sent| fast_path::instant(&sent).ok())
    }

    /// What may be kept of a text under this treatment.
    pub(super) fn treated(
        &self,
        treatment: Treatment,
        personal: Option<Personal>,
        text: Cow<'r, str>,
    ) -> Option<Cow<'r, str>> {
        let country = self.text(self.person.country_code);
        self.policy.treated(treatment, personal, text, country.as_deref())
    }

    /// The key of the record's person, as far as it may be kept. An archived record brings the key itself, in `said`.
    pub(super) fn person_key(&self, said: Option<Sent<'r>>, treatment: Treatment) -> Option<Cow<'r, str>> {
        let made = || self.person.map(|at| self.text(at)).key().map(Cow::Owned);
        let key = said.and_then(|sent| fast_path::present(&sent)).or_else(made)?;
        self.policy.treated(treatment, None, key, None)
    }

    fn text(&self, at: Option<usize>) -> Option<Cow<'r, str>> {
        self.index.sent(self.record, at).and_then(|sent| fast_path::present(&sent))
    }
}
