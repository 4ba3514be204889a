//! Where the value of each column comes from, and the values that are computed.

use jiff::Timestamp;

use super::column::{Column, ColumnKind, Personal};
use super::decoded::DecodeCounts;
use super::extra::Extra;
use super::fast_path;
use super::fields::Fields;
use super::privacy::{Policy, Treatment};
use super::tables::Table;
use super::value::Value;
use super::vendor_clock;
use crate::calendar::{WallClock, Zone};
use crate::json::record::Sent;

/// Where the value of a column comes from.
#[derive(Clone, Copy)]
pub(super) enum ColumnSource {
    /// From the field that was sent for it, read as the column's kind says.
    AsSent(ColumnKind),
    /// From nothing: the policy drops it.
    Dropped,
    /// It is computed for every row.
    Computed(Computed),
}

/// What a value is computed from.
#[derive(Clone, Copy)]
pub(super) enum Computed {
    /// The text that was sent for it, as far as the policy keeps it.
    Treated(Option<Personal>, Treatment),
    /// The instant in the column with the index `of`; the field that was sent for this column is compared with it.
    Clock { of: usize },
    /// The event that was asked for.
    Event,
    /// The fields that identify the person: a key is made from them, and kept as far as the policy allows.
    Person(Treatment),
    /// The fields that have no column, or do not fit theirs.
    Extra,
    /// When the visit began.
    Pulled,
}

impl ColumnSource {
    pub(super) fn of(table: Table, column: &Column, policy: &Policy) -> Self {
        match (column.name, column.kind, policy.treatment(column)) {
            ("event_id", _, _) => Self::Computed(Computed::Event),
            ("pulled_at", _, _) => Self::Computed(Computed::Pulled),
            (_, _, Treatment::Drop) => Self::Dropped,
            ("person_key", _, treatment) => Self::Computed(Computed::Person(treatment)),
            ("extra", _, _) => Self::Computed(Computed::Extra),
            (_, ColumnKind::WallClock { of }, _) => {
                Self::Computed(Computed::Clock { of: table.index_of(of).unwrap_or(usize::MAX) })
            }
            (_, kind, Treatment::Keep) => Self::AsSent(kind),
            (_, _, treatment) => Self::Computed(Computed::Treated(column.personal, treatment)),
        }
    }
}

/// Computes values for the rows of one answer.
pub(super) struct Computer {
    event_id: i64,
    pulled_at: Timestamp,
    clock: WallClock,
}

impl Computer {
    pub(super) fn new(event_id: i64, pulled_at: Timestamp, zone: Zone) -> Self {
        Self { event_id, pulled_at, clock: WallClock::new(zone) }
    }

    /// The value of a computed column; `sent` is the field that was sent for it, if any. A field that contradicts the value of a
    /// wall clock goes to `extra`.
    pub(super) fn value<'r>(
        &mut self,
        computed: &Computed,
        column: &Column,
        sent: Option<Sent<'r>>,
        fields: &Fields<'_, 'r>,
        extra: &mut Extra<'r>,
        counts: &mut DecodeCounts,
    ) -> Value<'r> {
        match *computed {
            Computed::Treated(personal, treatment) => {
                let text = sent.and_then(|sent| fast_path::present(&sent));
                let is_unfit = text.is_none() && sent.is_some_and(|sent| !sent.raw().is_absent());
                counts.set_aside += u64::from(is_unfit);
                text.and_then(|text| fields.treated(treatment, personal, text)).into()
            }
            Computed::Clock { of } => {
                let instant = fields.instant(of);
                if let Some(sent) = sent
                    && !vendor_clock::says(&sent.raw(), instant)
                {
                    fields.keep_beside(extra, column, &sent);
                }
                instant.map_or(Value::Null, |instant| Value::Millis(self.clock.millis(instant)))
            }
            Computed::Event => Value::Integer(self.event_id),
            Computed::Person(treatment) => fields.person_key(sent, treatment).into(),
            Computed::Extra => extra.json().into(),
            Computed::Pulled => self.pulled_at.into(),
        }
    }
}
