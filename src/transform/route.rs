//! Which column each key of a record belongs to.

use super::tables::Table;
use crate::json::record::Sent;

/// What a key of the vendor's belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The column with this index.
    Column(usize),
    /// No column of its own: it repeats what is sent for the column with this index.
    Repeat(usize),
    /// No column.
    Unknown,
}

/// The targets of the keys of one table's records.
pub(super) struct Routes {
    table: Table,
    /// The targets that are known already, by the numbers of the keys.
    met: Vec<Option<Target>>,
}

/// The key under which an archived record carries its `person_key`, because identifiers that it is made from may be withheld.
pub(super) const PERSON_KEY: &str = "rollcall.person_key";

impl Routes {
    pub(super) fn of(table: Table) -> Self {
        Self { table, met: Vec::new() }
    }

    /// The target of a field. All records must come from the same `Records`, which numbers their keys.
    pub(super) fn target(&mut self, sent: &Sent<'_>) -> Target {
        let Some(id) = sent.key_id() else { return self.look_up(&sent.key()) };
        if let Some(Some(target)) = self.met.get(id) {
            return *target;
        }
        let target = self.look_up(&sent.key());
        self.met.resize(self.met.len().max(id + 1), None);
        if let Some(place) = self.met.get_mut(id) {
            *place = Some(target);
        }
        target
    }

    fn look_up(&self, key: &str) -> Target {
        let column_of = |key: &str| self.table.columns().iter().position(|column| column.key == Some(key));
        let again = self.table.repeats().iter().find(|(repeat, _)| *repeat == key);
        let column = if key == PERSON_KEY { self.table.index_of("person_key") } else { column_of(key) };
        match (column, again.and_then(|(_, other)| column_of(other))) {
            (Some(column), _) => Target::Column(column),
            (None, Some(column)) => Target::Repeat(column),
            (None, None) => Target::Unknown,
        }
    }
}
