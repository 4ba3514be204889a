//! Where each key of a record leads.

use std::collections::HashMap;

use super::record::Sent;
use super::tables::Table;

/// What a key of the vendor leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The column at this place.
    Column(usize),
    /// Nothing of its own: it says again what is sent for the column at this place.
    Repeat(usize),
    /// No column.
    Unknown,
}

/// The keys of one table's records.
pub(super) struct Routes {
    by_name: HashMap<&'static str, Target>,
    /// Those that were met, by the numbers of their keys.
    by_id: Vec<Option<Target>>,
}

/// Under this key an archived record, some of whose identifiers may be withheld, says whose it is.
pub(super) const PERSON_KEY: &str = "rollcall.person_key";

impl Routes {
    pub(super) fn of(table: Table) -> Self {
        let place = |key: &str| table.columns().iter().position(|column| column.key == Some(key));
        let person_key = table.index_of("person_key").map(|at| (PERSON_KEY, Target::Column(at)));
        let columns = table.columns().iter().filter_map(|column| column.key);
        let columns = columns.filter_map(|key| Some((key, Target::Column(place(key)?))));
        let repeats =
            table.repeats().iter().filter_map(|(key, other)| Some((*key, Target::Repeat(place(other)?))));
        Self { by_name: columns.chain(repeats).chain(person_key).collect(), by_id: Vec::new() }
    }

    /// Where a field leads. The fields of all records have their keys' numbers from the same `Records`.
    pub(super) fn target(&mut self, sent: &Sent<'_>) -> Target {
        if let Some(id) = sent.key_id()
            && let Some(Some(target)) = self.by_id.get(id)
        {
            return *target;
        }
        let target = self.by_name.get(sent.key().as_ref()).copied().unwrap_or(Target::Unknown);
        if let Some(id) = sent.key_id() {
            self.by_id.resize(self.by_id.len().max(id + 1), None);
            if let Some(place) = self.by_id.get_mut(id) {
                *place = Some(target);
            }
        }
        target
    }
}
