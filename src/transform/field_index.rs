//! The fields of the record at hand, by where they lead. Its memory serves one record after the other.

use super::record::{Order, Record, Sent};
use super::route::{Routes, Target};
use super::tables::Table;

/// A place at which no record has a field.
const NOT_SENT: usize = usize::MAX;

pub(super) struct FieldIndex {
    routes: Routes,
    /// For each column, the last field that was sent for it; [`NOT_SENT`] where there is none.
    columns: Vec<usize>,
    /// Fields that say again what another column says, each with that column.
    repeats: Vec<(usize, usize)>,
    unknown: Vec<usize>,
    /// Of the record at hand.
    order: Option<Order>,
}

impl FieldIndex {
    pub(super) fn of(table: Table) -> Self {
        let columns = vec![NOT_SENT; table.columns().len()];
        Self { routes: Routes::of(table), columns, repeats: Vec::new(), unknown: Vec::new(), order: None }
    }

    /// Forgets the record before, and finds the fields of this one: where that one's were, if their keys are in one order.
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
                    // No column has two keys that say it again: this is the same one, and its last value counts.
                    self.repeats.retain(|(_, of)| *of != column);
                    self.repeats.push((at, column));
                }
                Target::Unknown => self.unknown.push(at),
            }
        }
    }

    /// The field that was sent for each column, in their order.
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

    /// Fields that should say what another says, and do not.
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
