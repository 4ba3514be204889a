//! The merge of one table and day: which cell of which file goes into the lake's next object. Pure; `replace` carries it out.

use std::collections::BTreeMap;

use crate::load::cell::{Cell, CellKey, Judge, placed};

/// Where the rows of a cell come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The lake's object, from this row on.
    Lake {
        /// The cell's first row.
        row: u64,
    },
    /// The staged file with this index in the list.
    Staged(usize),
}

/// The cells of an object, each with its own rows as origin.
pub fn unchanged(cells: &[Cell]) -> impl Iterator<Item = (&Cell, Origin)> {
    placed(cells).map(|(cell, rows)| (cell, Origin::Lake { row: rows.start }))
}

/// The cells of the next object in the order of their rows, each with its origin; none if nothing is new.
#[must_use]
pub fn merge<'a>(judge: &Judge, lake: &'a [Cell], staged: &'a [Cell]) -> Option<Vec<(&'a Cell, Origin)>> {
    let mut best: BTreeMap<CellKey<'_>, (&Cell, Origin)> =
        unchanged(lake).map(|(cell, origin)| (cell.key(), (cell, origin))).collect();
    let mut changed = false;
    for (at, cell) in staged.iter().enumerate() {
        let rival = best.get(&cell.key());
        let new = rival.is_none_or(|(rival, _)| judge.compare(cell, rival).is_gt());
        if new {
            best.insert(cell.key(), (cell, Origin::Staged(at)));
            changed = true;
        }
    }
    changed.then(|| best.into_values().collect())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::transform::digest::Digest;
    use crate::transform::tables::Table;
    use crate::transform::totals::Totals;

    fn cell(event_id: i64, pulled_at: i64, rows: u64) -> Cell {
        let pulled_at = Timestamp::from_millisecond(pulled_at).unwrap();
        let digest = Digest::try_from(format!("{rows:x}")).unwrap();
        let totals = Totals { rows, weight: rows, digest, ..Totals::default() };
        Cell::new(event_id, "", pulled_at, pulled_at, &totals)
    }

    fn judge() -> Judge {
        Judge::new(Table::Lives, Timestamp::from_millisecond(1000).unwrap())
    }

    #[test]
    fn merged_cells_are_in_order_of_events_and_know_where_their_rows_come_from() {
        let lake = [cell(1, 10, 3), cell(5, 10, 2), cell(9, 10, 4)];
        let staged = [cell(7, 20, 1), cell(5, 20, 8)];
        let merged = merge(&judge(), &lake, &staged).unwrap();
        let origins: Vec<_> = merged.iter().map(|(cell, origin)| (cell.event_id, *origin)).collect();
        assert_eq!(
            origins,
            [
                (1, Origin::Lake { row: 0 }),
                (5, Origin::Staged(1)),
                (7, Origin::Staged(0)),
                (9, Origin::Lake { row: 5 }),
            ]
        );
    }

    #[test]
    fn merging_nothing_new_makes_no_object() {
        let lake = [cell(1, 10, 3)];
        assert_eq!(merge(&judge(), &lake, &[]), None);
        assert_eq!(merge(&judge(), &lake, &[cell(1, 5, 4), cell(1, 10, 3)]), None);
    }

    #[test]
    fn merging_again_changes_nothing() {
        let staged = [cell(1, 10, 3), cell(1, 30, 5), cell(1, 20, 4)];
        let merged = merge(&judge(), &[], &staged).unwrap();
        let once: Vec<Cell> = merged.into_iter().map(|(cell, _)| cell.clone()).collect();
        assert_eq!(once, [cell(1, 30, 5)]);
        assert_eq!(merge(&judge(), &once, &staged), None);
    }
}
