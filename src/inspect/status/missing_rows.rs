//! Rows that the vendor has answered with, according to the ledgers, but that are not in the lake.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::counted::counted;
use crate::error::{Error, Kind};
use crate::load::ledger::Ledger;
use crate::transform::tables::Table;

/// The events that had rows, by table and day. The table is `None` if a ledger of an older version does not say in which table the
/// lake keeps the rows of an earlier answer.
#[derive(Default)]
pub(super) struct MissingRows {
    events: BTreeMap<(Option<Table>, Date), BTreeSet<i64>>,
}

impl MissingRows {
    /// The rows that must be there according to these ledgers; without the days with `staged` files, whose rows may not be in the
    /// lake yet.
    pub(super) fn of(ledgers: &[Ledger], staged: &BTreeSet<Date>) -> Self {
        let mut answered = Self::default();
        for ledger in ledgers {
            for (day, answer) in &ledger.days {
                let [lives, interactions] = [Table::Lives, Table::Interactions].map(|of| answer.has_rows(of));
                let tables = [
                    (Some(Table::Lives), lives),
                    (Some(Table::Interactions), interactions),
                    (None, answer.has_had_rows && !lives && !interactions),
                ];
                for (table, _) in
                    tables.into_iter().filter(|(_, has_rows)| *has_rows && !staged.contains(day))
                {
                    answered.events.entry((table, *day)).or_default().insert(ledger.event.event_id);
                }
            }
        }
        answered
    }

    /// Notes that an object has rows of these events.
    pub(super) fn confirm(&mut self, table: Table, day: Date, events: &[i64]) {
        let is_of_viewings = matches!(table, Table::Lives | Table::Interactions);
        for table in [Some(table), None].into_iter().filter(|_| is_of_viewings) {
            if let Some(answered) = self.events.get_mut(&(table, day)) {
                for event in events {
                    answered.remove(event);
                }
            }
        }
    }

    /// The rows that were not found, as one error per day.
    pub(super) fn missing(self) -> BTreeMap<Date, Error> {
        let mut days: BTreeMap<Date, BTreeSet<i64>> = BTreeMap::new();
        for ((_, day), events) in self.events.into_iter().filter(|(_, events)| !events.is_empty()) {
            days.entry(day).or_default().extend(events);
        }
        let said = |(day, events): (Date, BTreeSet<i64>)| {
            let events = counted(events.len() as u64, "event");
            let error =
                Error::new(Kind::Damaged, format!("viewings of {events} were answered, but are missing"));
            (day, error.with("day", day).hint(
                "run `sync` with `--from` and `--to` for the day; where the vendor has forgotten them for good, add `--event` and \
                 `--accept-shrink`",
            ))
        };
        days.into_iter().map(said).collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::load::ledger::answers::DayAnswer;
    use crate::transform::event::Event;
    use crate::transform::totals::Totals;

    #[test]
    fn rows_are_missing_where_no_object_of_their_table_has_the_event() {
        let day: Date = "2022-10-26".parse().unwrap();
        let (lives, interactions) = (Some(Table::Lives), Some(Table::Interactions));
        // Rows of both tables in the last answer, whether there ever were any, which table has the event, whether any is missing.
        for (rows, has_had_rows, there, is_missing) in [
            ((1, 0), true, None, true),
            ((1, 0), true, interactions, true),
            ((1, 0), true, Some(Table::ViewerDetails), true),
            ((1, 0), true, lives, false),
            ((0, 1), true, lives, true),
            ((0, 1), true, interactions, false),
            // The vendor has forgotten them since.
            ((0, 0), true, None, true),
            ((0, 0), true, Some(Table::Rejects), true),
            ((0, 0), true, lives, false),
            ((0, 0), true, interactions, false),
            ((0, 0), false, None, false),
        ] {
            let totals = |rows| Totals { rows, ..Totals::default() };
            let answer = DayAnswer {
                lives: totals(rows.0),
                interactions: totals(rows.1),
                has_had_rows,
                ..DayAnswer::empty(Timestamp::UNIX_EPOCH)
            };
            let mut ledger = Ledger::new(Event::unknown(7), Timestamp::UNIX_EPOCH);
            ledger.days.insert(day, answer);
            let missing = |staged: &BTreeSet<Date>| {
                let mut missing_rows = MissingRows::of(std::slice::from_ref(&ledger), staged);
                if let Some(table) = there {
                    missing_rows.confirm(table, day, &[6, 7]);
                }
                !missing_rows.missing().is_empty()
            };
            assert_eq!(missing(&BTreeSet::new()), is_missing, "{rows:?} {has_had_rows} {there:?}");
            assert!(!missing(&[day].into()), "something of the day waits to be published");
        }
    }
}
