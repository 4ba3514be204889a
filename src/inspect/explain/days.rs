//! What the vendor last answered for each day of an event, beside what is in the lake.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::load::cell::Cell;
use crate::load::ledger::Ledger;
use crate::transform::digest::Digest;
use crate::transform::tables::Table;
use crate::transform::totals::Totals;

/// The tables whose cells come from the vendor's answers.
const TABLES: [Table; 3] = [Table::Lives, Table::Interactions, Table::ViewerDetails];

/// One table and day of the event.
#[derive(Debug, Serialize)]
pub struct DayOf {
    /// The day.
    pub day: Date,
    /// The table.
    pub table: &'static str,
    /// The rows in the vendor's last answer.
    pub answered: Option<Held>,
    /// The rows in the lake.
    pub lake: Option<Held>,
    /// Whether both have the same rows, or come from one answer, of which the lake may keep less. `None` if that is not known:
    /// without a ledger, nobody knows the answer; and where people were forgotten, an earlier answer in the lake may have been
    /// the same.
    pub is_same: Option<bool>,
}

/// How many rows, and from which visit.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Held {
    /// Rows.
    pub rows: u64,
    /// When the visit began.
    pub pulled_at: Timestamp,
    /// When a user last accepted fewer rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    #[serde(skip)]
    digest: Digest,
}

/// A cell of the lake.
pub(super) struct InLake {
    place: (Date, Table),
    rows: Held,
    /// Whether rows of people to be forgotten may have been left out.
    may_lack_people: bool,
}

/// The cells of the event in the object of one table and day.
pub(super) fn in_lake(
    table: Table,
    day: Date,
    cells: &[(&Cell, Range<u64>)],
    may_lack_people: bool,
) -> Vec<InLake> {
    let of = |cell: &Cell| {
        let Cell { rows, pulled_at, accepted_at, digest, .. } = *cell;
        InLake { place: (day, table), rows: Held { rows, pulled_at, accepted_at, digest }, may_lack_people }
    };
    cells.iter().filter(|_| TABLES.contains(&table)).map(|(cell, _)| of(cell)).collect()
}

/// Every table and day for which there is an answer with rows, or a cell with rows.
pub(super) fn of(ledger: Option<&Ledger>, cells: Vec<InLake>) -> Vec<DayOf> {
    let mut answered: BTreeMap<(Date, Table), Held> = BTreeMap::new();
    if let Some(ledger) = ledger {
        let mut add = |day: Date, table, totals: Totals, pulled_at, accepted_at| {
            let Totals { rows, digest, .. } = totals;
            if rows > 0 {
                answered.insert((day, table), Held { rows, pulled_at, accepted_at, digest });
            }
        };
        for (day, answer) in &ledger.days {
            add(*day, Table::Lives, answer.lives, answer.pulled_at, answer.accepted_at);
            add(*day, Table::Interactions, answer.interactions, answer.pulled_at, answer.accepted_at);
        }
        if let (Some(day), Some(snapshot)) = (ledger.event_day, ledger.snapshot) {
            add(day, Table::ViewerDetails, snapshot.viewer_details, snapshot.pulled_at, snapshot.accepted_at);
        }
    }
    let lake: BTreeMap<(Date, Table), InLake> = cells.into_iter().map(|cell| (cell.place, cell)).collect();
    let places: BTreeSet<(Date, Table)> = answered.keys().chain(lake.keys()).copied().collect();
    let days = places.into_iter().map(|place| {
        let (answered, cell) = (answered.get(&place).copied(), lake.get(&place));
        let lake = cell.map(|cell| cell.rows);
        let rows = |rows: Option<Held>| rows.map_or((0, Digest::default()), |rows| (rows.rows, rows.digest));
        // Of the same answer, the lake may lack what may no longer be kept.
        let is_one_answer =
            answered.zip(lake).is_some_and(|(answered, lake)| answered.pulled_at == lake.pulled_at);
        let may_be_same = cell.is_some_and(|cell| cell.may_lack_people)
            && answered.zip(lake).is_some_and(|(answered, lake)| {
                lake.rows < answered.rows && lake.pulled_at < answered.pulled_at
            });
        let is_same = ledger
            .map(|_| is_one_answer || rows(answered) == rows(lake))
            .filter(|is_same| *is_same || !may_be_same);
        DayOf { day: place.0, table: place.1.name(), answered, lake, is_same }
    });
    days.filter(|day| day.answered.is_some() || day.lake.is_some_and(|lake| lake.rows > 0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::ledger::answers::DayAnswer;
    use crate::transform::event::Event;

    #[test]
    fn a_cell_without_the_rows_of_forgotten_people_does_not_differ_from_its_own_answer() {
        let (day, at) = ("2022-10-26".parse().unwrap(), |second| Timestamp::from_second(second).unwrap());
        let totals = |rows| Totals { rows, ..Totals::default() };
        let mut ledger = Ledger::new(Event::unknown(7), at(0));
        ledger.days.insert(day, DayAnswer { lives: totals(3), ..DayAnswer::empty(at(10)) });
        for (rows, pulled_at, is_same, where_forgotten) in [
            (3, 10, true, Some(true)),
            (2, 10, true, Some(true)),
            (3, 9, true, Some(true)),
            (2, 9, false, None),
            (4, 9, false, Some(false)),
            (4, 11, false, Some(false)),
        ] {
            let cell = Cell::new(7, "", at(pulled_at), at(pulled_at), &totals(rows));
            for (may_lack_people, expected) in [(false, Some(is_same)), (true, where_forgotten)] {
                let cells = in_lake(Table::Lives, day, &[(&cell, 0..rows)], may_lack_people);
                let [found] = &of(Some(&ledger), cells)[..] else { panic!("{rows} {pulled_at}") };
                assert_eq!(found.is_same, expected, "{rows} {pulled_at} {may_lack_people}");
            }
        }
    }
}
