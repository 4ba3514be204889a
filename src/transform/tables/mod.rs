//! The six tables: each is one list of columns, from which everything else about it follows.

mod events;
mod interactions;
mod lives;
mod pulls;
mod rejects;
mod shared;
mod viewer_details;

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{Schema, SchemaRef};

pub use self::shared::{HOST, PERSON_COLUMNS, UNTREATABLE, WHOLE_VALUES};
use super::column::Column;

/// A table of the lake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Viewings through the web: one row per viewing.
    Lives,
    /// Participations through the app or by telephone: one row per participation.
    Interactions,
    /// The vendor's summary: one row per viewer of an event.
    ViewerDetails,
    /// What this program did: one row per visit.
    Pulls,
    /// Records that no table can hold: one row per record and answer that had it.
    Rejects,
    /// One row per event. Published last: when an event of a day is in the lake, its other rows of that day are, too.
    Events,
}

impl Table {
    /// All tables, in the order in which they are published.
    pub const ALL: [Self; 6] =
        [Self::Lives, Self::Interactions, Self::ViewerDetails, Self::Pulls, Self::Rejects, Self::Events];

    /// The name in SQL and in keys.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lives => "lives",
            Self::Interactions => "interactions",
            Self::ViewerDetails => "viewer_details",
            Self::Pulls => "pulls",
            Self::Rejects => "rejects",
            Self::Events => "events",
        }
    }

    /// The table with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// The arrays of the vendor's report, each with the table that it becomes.
    pub const ARRAYS: [(&'static str, Self); 3] = [
        ("lives", Self::Lives),
        ("interactions", Self::Interactions),
        ("viewerDetails", Self::ViewerDetails),
    ];

    /// The table that an array of the vendor's report becomes.
    #[must_use]
    pub fn of_array(key: &str) -> Option<Self> {
        Self::ARRAYS.into_iter().find(|(array, _)| *array == key).map(|(_, table)| table)
    }

    /// What a row is, for the documentation.
    #[must_use]
    pub fn doc(self) -> &'static str {
        match self {
            Self::Lives => {
                "One row per viewing through the web, live or as a replay; `dt` is the day of `online_date`."
            }
            Self::Interactions => {
                "One row per participation through the app or by telephone; `dt` is the day of `online_date`."
            }
            Self::ViewerDetails => {
                "One row per viewer of an event, as the vendor tells viewers apart and sums up their viewings; `dt` is \
                 the day of the event. A person who came under two identifiers is two viewers; `person_key` shows that \
                 they are one person if the first of mobile number, mail address and `ext_id` is the same. Several values of `ip`, `device_type`, `client_type` or `location` are joined by \
                 commas, as sent."
            }
            Self::Pulls => "One row per visit of an event; `dt` is the day of the visit.",
            Self::Rejects => {
                "One row per record that no table can hold, once for each answer that had it; `dt` is the day of its \
                 window, or of the event."
            }
            Self::Events => "One row per event, even if nobody came; `dt` is the day of the event.",
        }
    }

    /// The columns, in the order of the file.
    #[must_use]
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Lives => lives::COLUMNS,
            Self::Interactions => interactions::COLUMNS,
            Self::ViewerDetails => viewer_details::COLUMNS,
            Self::Pulls => pulls::COLUMNS,
            Self::Rejects => rejects::COLUMNS,
            Self::Events => events::COLUMNS,
        }
    }

    /// The column that says for how many seconds somebody watched or took part, which `pulls` sums up; `None` if the table has
    /// none.
    #[must_use]
    pub fn seconds_column(self) -> Option<&'static str> {
        match self {
            Self::Lives => Some("watch_duration_seconds"),
            Self::Interactions => Some("online_duration_seconds"),
            Self::ViewerDetails => Some("duration_seconds"),
            Self::Pulls | Self::Rejects | Self::Events => None,
        }
    }

    /// Keys under which the vendor repeats the value of another key: `(key, the other)`. The two are compared, and the repeat is
    /// kept in `extra` only if they differ.
    #[must_use]
    pub fn repeats(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Lives | Self::Interactions => &[("clientType", "client_type")],
            _ => &[],
        }
    }

    /// The column that a key of the vendor's is for, or whose value it repeats.
    #[must_use]
    pub fn column_of(self, key: &str) -> Option<&'static Column> {
        let again = self.repeats().iter().find(|(repeat, _)| *repeat == key).map(|(_, other)| *other);
        self.columns().iter().find(|column| column.key == Some(again.unwrap_or(key)))
    }

    /// The index of the column with this name.
    #[must_use]
    pub fn index_of(self, name: &str) -> Option<usize> {
        self.columns().iter().position(|column| column.name == name)
    }

    /// The Arrow schema.
    #[must_use]
    pub fn schema(self) -> SchemaRef {
        static SCHEMAS: LazyLock<[SchemaRef; 6]> = LazyLock::new(|| {
            Table::ALL.map(|table| {
                Arc::new(Schema::new(table.columns().iter().map(Column::field).collect::<Vec<_>>()))
            })
        });
        let [lives, interactions, viewer_details, pulls, rejects, events] = &*SCHEMAS;
        Arc::clone(match self {
            Self::Lives => lives,
            Self::Interactions => interactions,
            Self::ViewerDetails => viewer_details,
            Self::Pulls => pulls,
            Self::Rejects => rejects,
            Self::Events => events,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn column_names_are_plain_sql_and_unique() {
        for table in Table::ALL {
            let mut names = HashSet::new();
            for column in table.columns() {
                assert!(column.name.starts_with(|c: char| c.is_ascii_lowercase()), "{}", column.name);
                assert!(
                    column.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'),
                    "{}",
                    column.name
                );
                assert!(names.insert(column.name), "{} twice in {}", column.name, table.name());
                assert!(!column.doc.is_empty());
            }
        }
    }

    #[test]
    fn the_column_extra_comes_after_every_column_that_has_a_key() {
        for table in [Table::Lives, Table::Interactions, Table::ViewerDetails] {
            let extra = table.index_of("extra").unwrap();
            assert!(table.columns().iter().skip(extra).all(|column| column.key.is_none()));
        }
    }

    #[test]
    fn every_field_of_the_vendors_page_has_its_place() {
        let page = include_str!("../../../samples/vendor-fields.txt");
        let mut fields = 0;
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let (table, key) = line.split_once(' ').unwrap();
            let table = Table::named(table).unwrap();
            let placed = table.columns().iter().any(|column| column.key == Some(key))
                || table.repeats().iter().any(|(repeat, _)| *repeat == key);
            assert!(placed, "{key} has no place in {}", table.name());
            fields += 1;
        }
        // The documented fields and the undocumented ones of the sample, counted from the vendor's documentation.
        assert_eq!(fields, 39 + 40 + 45);
    }
}
