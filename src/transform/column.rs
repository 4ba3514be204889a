//! What a column is: its name, the vendor's key for it, how a value is read, and what it means.

use arrow::datatypes::{DataType, Field, TimeUnit};

/// How the values of a column are read and stored. `docs/tables.md` names the type that each engine shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// An identifier: text, whether the vendor sends text or a number.
    Identifier,
    /// Text as sent.
    Text,
    /// JSON text.
    Json,
    /// A whole number. Null is not zero.
    Count,
    /// A duration in seconds, sent as a number or as `"HH:MM:SS"`.
    Seconds,
    /// An instant, sent in seconds since 1970, stored in milliseconds in UTC.
    Instant,
    /// What the lake's wall clock shows at the instant in the column `of`; stored without a zone. The vendor's own text
    /// under this key is only compared with it.
    WallClock {
        /// The column with the instant.
        of: &'static str,
    },
    /// Yes or no.
    Flag,
    /// A code or label of the vendor's: translated if `labels` has it, kept as sent if not.
    Label {
        /// Pairs of a code or label as sent, and the word for it.
        labels: &'static [(&'static str, &'static str)],
    },
    /// A day of the lake's calendar.
    Day,
}

impl ColumnKind {
    /// The Arrow type, which decides the Parquet type.
    #[must_use]
    pub fn data_type(self) -> DataType {
        match self {
            Self::Identifier | Self::Text | Self::Json | Self::Label { .. } => DataType::Utf8,
            Self::Count | Self::Seconds => DataType::Int64,
            Self::Instant => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            Self::WallClock { .. } => DataType::Timestamp(TimeUnit::Millisecond, None),
            Self::Flag => DataType::Boolean,
            Self::Day => DataType::Date32,
        }
    }
}

/// How a column points to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Personal {
    /// A telephone number, or a value that usually is one.
    Number,
    /// A mail address.
    Mail,
    /// Another identifier of one person.
    Identifier,
    /// A person's name.
    Name,
    /// An IP address.
    Address,
    /// A trait that several people share, such as a company; a rare one may identify a person.
    Trait,
    /// Any fields that were sent, as in `extra` and in `record` of `rejects`.
    Anything,
}

/// One column of one table. The lists in `tables` are the only place where a column is named.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The name in SQL.
    pub name: &'static str,
    /// The vendor's key; `None` if this program makes the value.
    pub key: Option<&'static str>,
    /// How a value is read and stored.
    pub kind: ColumnKind,
    /// Whether a row may have no value here.
    pub nullable: bool,
    /// How the value points to a person, if it does.
    pub personal: Option<Personal>,
    /// Whether people look up one viewer by it, so that a bloom filter is worth its space.
    pub looked_up: bool,
    /// Whether nearly every row has a different value, so that dictionary encoding is not worth its cost.
    pub distinct: bool,
    /// One line for `docs/tables.md` and the Glue catalogue, with the vendor's own term.
    pub doc: &'static str,
}

impl Column {
    /// A column that the vendor sends under `key`.
    pub(super) const fn sent(
        name: &'static str,
        key: &'static str,
        kind: ColumnKind,
        doc: &'static str,
    ) -> Self {
        Self { key: Some(key), ..Self::made(name, kind, doc) }
    }

    /// A column that this program makes.
    pub(super) const fn made(name: &'static str, kind: ColumnKind, doc: &'static str) -> Self {
        Self { name, key: None, kind, nullable: true, personal: None, looked_up: false, distinct: false, doc }
    }

    /// Marks a column in which every row has a value.
    pub(super) const fn required(self) -> Self {
        Self { nullable: false, ..self }
    }

    /// Marks a column whose value points to a person.
    pub(super) const fn personal(self, personal: Personal) -> Self {
        Self { personal: Some(personal), ..self }
    }

    /// Marks a column by which people look up one viewer.
    pub(super) const fn looked_up(self) -> Self {
        Self { looked_up: true, ..self }
    }

    /// Marks a column in which nearly every row has a different value.
    pub(super) const fn distinct(self) -> Self {
        Self { distinct: true, ..self }
    }

    /// Whether the value is one that hardly any two people have in common, such as a number or a name.
    #[must_use]
    pub fn identifies(&self) -> bool {
        self.personal.is_some_and(|personal| !matches!(personal, Personal::Trait | Personal::Anything))
    }

    /// The field of the Arrow schema.
    #[must_use]
    pub fn field(&self) -> Field {
        Field::new(self.name, self.kind.data_type(), self.nullable)
    }
}
