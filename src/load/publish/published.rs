//! What a publish did.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Serialize;

use crate::error::Error;
use crate::transform::tables::Table;

/// What a publish did.
#[derive(Debug, Default, Serialize)]
pub struct Published {
    /// Number of objects put, by table.
    pub objects: BTreeMap<&'static str, u64>,
    /// Days of which an object was put.
    pub days: BTreeSet<Date>,
    /// Number of staged cells that went into the lake or lost to better ones.
    pub cells: u64,
    /// Number of days for which no time was left: they stay in staging.
    #[serde(skip)]
    pub left: usize,
    /// What could not be published, and stays in staging.
    #[serde(skip)]
    pub failures: Vec<Error>,
}

impl Published {
    /// Notes that an object was put.
    pub(in crate::load) fn note_put(&mut self, table: Table, day: Date) {
        *self.objects.entry(table.name()).or_default() += 1;
        self.days.insert(day);
    }

    /// Adds what another publish did.
    pub(crate) fn add(&mut self, other: Self) {
        for (table, objects) in other.objects {
            *self.objects.entry(table).or_default() += objects;
        }
        self.days.extend(other.days);
        self.cells += other.cells;
        self.left += other.left;
        self.failures.extend(other.failures);
    }
}
