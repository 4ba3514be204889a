//! Where the row groups of an object end. This depends on its cells alone, and a change stays local: soon after a cell that
//! changed, row groups end where they did before, so that these need not be encoded again.

use std::ops::Range;

use twox_hash::XxHash3_64;

use super::merge::Origin;
use crate::load::cell::{Cell, end_to_end};
use crate::load::object::properties::ROW_GROUP_ROWS;

const MOST: u64 = ROW_GROUP_ROWS as u64;
/// From this many rows on, a row group ends after the next event that may end one.
const LEAST: u64 = MOST / 4;
/// On average, one event in this many may end a row group.
const ONE_IN: u64 = 8;

/// A stretch of rows of the next object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// The row group with this index of the existing object, as it is.
    Group(usize),
    /// These rows of the existing object.
    Lake(Range<u64>),
    /// This many rows of staged files: those that come next.
    Staged(u64),
}

/// How many rows each row group of an object with these cells has.
#[must_use]
pub fn row_groups<'a>(cells: impl IntoIterator<Item = &'a Cell>) -> Vec<u64> {
    let mut groups = Vec::new();
    let mut open = 0;
    for cell in cells {
        // A cell is split only if it is larger than a row group.
        if open > 0 && open + cell.rows > MOST {
            groups.push(std::mem::take(&mut open));
        }
        let mut rows = cell.rows;
        while rows > MOST {
            groups.push(MOST);
            rows -= MOST;
        }
        open += rows;
        if open == MOST || open >= LEAST && may_end(cell.event_id) {
            groups.push(std::mem::take(&mut open));
        }
    }
    groups.extend((open > 0).then_some(open));
    groups
}

/// Whether a row group may end after this event. Depends on the event alone, so that the rows before it do not matter.
fn may_end(event_id: i64) -> bool {
    XxHash3_64::oneshot(&event_id.to_le_bytes()).is_multiple_of(ONE_IN)
}

/// The stretches of an object with these cells and row groups. `standing` has the number of rows of each row group of the existing
/// object; it is empty if they cannot be copied as they are.
#[must_use]
pub fn stretches(merged: &[(&Cell, Origin)], groups: &[u64], standing: &[u64]) -> Vec<Stretch> {
    let standing: Vec<Range<u64>> = end_to_end(standing.iter().copied()).collect();
    let mut cells = merged.iter().map(|(cell, origin)| (*origin, 0..cell.rows)).peekable();
    let mut stretches = Vec::new();
    for group in groups {
        let mut of_group = Vec::new();
        let mut left = *group;
        while left > 0
            && let Some((origin, rows)) = cells.peek_mut()
        {
            let taken = left.min(rows.end - rows.start);
            add(&mut of_group, *origin, rows.start..rows.start + taken);
            rows.start += taken;
            left -= taken;
            if rows.is_empty() {
                cells.next();
            }
        }
        match of_group.as_slice() {
            [Stretch::Lake(rows)]
                if let Ok(at) = standing.binary_search_by(|range| range.start.cmp(&rows.start))
                    && standing.get(at) == Some(rows) =>
            {
                stretches.push(Stretch::Group(at));
            }
            _ => stretches.extend(of_group),
        }
    }
    stretches
}

/// Adds rows of a cell: to the last stretch if they directly follow it, otherwise as a new one.
fn add(stretches: &mut Vec<Stretch>, origin: Origin, rows: Range<u64>) {
    match (stretches.last_mut(), origin) {
        (_, _) if rows.is_empty() => {}
        (Some(Stretch::Lake(last)), Origin::Lake { row }) if last.end == row + rows.start => {
            last.end = row + rows.end;
        }
        (_, Origin::Lake { row }) => stretches.push(Stretch::Lake(row + rows.start..row + rows.end)),
        (_, Origin::Staged(_)) => stretches.push(Stretch::Staged(rows.end - rows.start)),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::transform::totals::Totals;

    fn cell(event_id: i64, rows: u64) -> Cell {
        let totals = Totals { rows, ..Totals::default() };
        Cell::new(event_id, "", Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, &totals)
    }

    /// The merged cells, and the row groups of the existing object: all cells come from the lake, except the one at `staged`,
    /// which has `before` rows there.
    fn changed(cells: &[Cell], staged: usize, before: u64) -> (Vec<(&Cell, Origin)>, Vec<u64>) {
        let mut row = 0;
        let mut merged = Vec::new();
        let mut standing = Vec::new();
        for (at, cell) in cells.iter().enumerate() {
            let rows = if at == staged { before } else { cell.rows };
            let origin = if at == staged { Origin::Staged(0) } else { Origin::Lake { row } };
            merged.push((cell, origin));
            standing.push(Cell { rows, ..cell.clone() });
            row += rows;
        }
        (merged, row_groups(&standing))
    }

    fn run(runs: &mut Vec<(bool, Range<u64>)>, is_staged: bool, rows: Range<u64>) {
        match runs.last_mut() {
            _ if rows.is_empty() => {}
            Some((last, before)) if *last == is_staged && before.end == rows.start => before.end = rows.end,
            _ => runs.push((is_staged, rows)),
        }
    }

    #[test]
    fn soon_after_a_changed_cell_row_groups_end_where_they_did_before() {
        for rows in [20, 2_000, 20_000, 200_000] {
            let cells: Vec<Cell> = (0..500).map(|event| cell(700_000 + event * 7, rows)).collect();
            let groups = row_groups(&cells);
            let mut encoded = 0;
            for at in 0..cells.len() {
                let (merged, standing) = changed(&cells, at, rows / 2);
                let stretches = stretches(&merged, &groups, &standing);
                let copied = stretches.iter().filter(|of| matches!(of, Stretch::Group(_))).count();
                encoded += groups.len() - copied;
            }
            // At most four row groups for each change, on average.
            assert!(encoded <= 4 * cells.len(), "{rows}: {encoded} of {} each", groups.len());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_row_is_in_one_stretch_in_order_and_only_large_cells_are_split(
            sizes in prop::collection::vec(prop_oneof![0..3_000_u64, 0..200_000_u64], 1..60),
            staged in any::<prop::sample::Index>(),
            before in 0..100_000_u64,
        ) {
            let cells: Vec<Cell> = (0..).zip(&sizes).map(|(event, rows)| cell(event, *rows)).collect();
            let (merged, standing) = changed(&cells, staged.index(cells.len()), before);
            let groups = row_groups(&cells);
            prop_assert_eq!(groups.iter().sum::<u64>(), sizes.iter().sum::<u64>());
            let mut ends: Vec<u64> = Vec::new();
            for group in &groups {
                prop_assert!((1..=MOST).contains(group));
                ends.push(ends.last().unwrap_or(&0) + group);
            }
            let mut first = 0;
            for rows in sizes.iter().copied() {
                let is_split = ends.iter().any(|end| first < *end && *end < first + rows);
                prop_assert!(!is_split || rows > MOST);
                first += rows;
            }
            // Where the rows come from, in order: from the lake or from the staged file, in runs as long as possible.
            let starts: Vec<u64> = (0..standing.len()).map(|at| standing.iter().take(at).sum()).collect();
            let (mut found, mut expected) = (Vec::new(), Vec::new());
            let mut of_staged = 0;
            for stretch in stretches(&merged, &groups, &standing) {
                match stretch {
                    Stretch::Group(at) => run(&mut found, false, starts[at]..starts[at] + standing[at]),
                    Stretch::Lake(rows) => run(&mut found, false, rows),
                    Stretch::Staged(count) => {
                        run(&mut found, true, of_staged..of_staged + count);
                        of_staged += count;
                    }
                }
            }
            for (cell, origin) in &merged {
                match origin {
                    Origin::Lake { row } => run(&mut expected, false, *row..row + cell.rows),
                    Origin::Staged(_) => run(&mut expected, true, 0..cell.rows),
                }
            }
            prop_assert_eq!(found, expected);
        }
    }
}
