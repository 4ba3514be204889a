//! Finds the fields of the current record by column. The memory is reused from record to record.

use super::route::{Routes, Target};
use super::tables::Table;
use crate::json::record::{Order, Record, Sent};

/// Stands for the index of a field that was not sent: no record has a field there.
const NOT_SENT: usize = usize::MAX;

pub(super) struct FieldIndex {
    routes: Routes,
    /// For each column, the index of the last field that was sent for it, or [`NOT_SENT`].
    columns: Vec<usize>,
    /// The indexes of fields that repeat the value of a column, each with the index of that column.
    repeats: Vec<(usize, usize)>,
    unknown: Vec<usize>,
    /// The order of keys of the current record.
    order: Option<Order>,
}

impl FieldIndex {
    pub(super) fn of(table: Table) -> Self {
        let columns = vec![NOT_SENT; table.columns().len()];
        Self { routes: Routes::of(table), columns, repeats: Vec::new(), unknown: Vec::new(), order: None }
    }

    /// Finds the fields of this record, in place of those of the record before. If both have the same keys in the same order, the
    /// indexes stay as they are.
    pub(super) fn find(&mut self, record: Record<'_>) {
        if record.order().is_some() && record.order() == self.order {
            return;
        }
        self.order = record.order();
        self.columns.fill(NOT_SENT);
        self.repeats.clear();
        self.unknown.clear();
        for (at, sent) in record.fields().enumerate() {
            match self.routes.target(&sent) {
                Target::Column(column) => {
                    if let Some(place) = self.columns.get_mut(column) {
                        *place = at;
                    }
                }
                Target::Repeat(column) => {
                    // A column has at most one key that repeats it: this is the same key again, and its last value counts.
                    self.repeats.retain(|(_, of)| *of != column);
                    self.repeats.push((at, column));
                }
                Target::Unknown => self.unknown.push(at),
            }
        }
    }

    /// The field that was sent for each column, in the order of the columns.
    pub(super) fn by_column<'a>(&self, record: Record<'a>) -> impl Iterator<Item = Option<Sent<'a>>> {
        self.columns.iter().map(move |at| record.field(*at))
    }

    /// The field that was sent for a column.
    pub(super) fn sent<'a>(&self, record: Record<'a>, column: Option<usize>) -> Option<Sent<'a>> {
        record.field(*self.columns.get(column?)?)
    }

    /// Fields without a column.
    pub(super) fn unknown<'a>(&self, record: Record<'a>) -> impl Iterator<Item = Sent<'a>> {
        self.unknown.iter().filter_map(move |at| record.field(*at))
    }

    /// Fields that should repeat the value of another field, but differ from it.
    pub(super) fn differing<'a>(&self, record: Record<'a>) -> impl Iterator<Item = Sent<'a>> {
        self.repeats.iter().filter_map(move |(at, column)| {
            let sent = record.field(*at)?;
            let again = self.sent(record, Some(*column));
            let is_same =
                again.is_some_and(|again| again.value() == sent.value() || again.raw() == sent.raw());
            (!is_same).then_some(sent)
        })
    }
}
