//! How a cell differs from the last answer's, and whether it is to be staged. Pure.

use jiff::Timestamp;

use crate::transform::totals::Totals;

/// A cell of an answer, and the same cell of the last answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct CellChange {
    pub(super) now: Totals,
    pub(super) before: Option<CellBefore>,
    pub(super) pulled_at: Timestamp,
    /// When the day settles.
    pub(super) settled_at: Timestamp,
    /// Whether the user accepts fewer rows, or has done so since the last answer, in a visit that was killed
    /// before it staged anything.
    pub(super) is_accepted: bool,
}

/// A cell of the last answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct CellBefore {
    /// When the visit that got the answer began.
    pub(super) pulled_at: Timestamp,
    pub(super) totals: Totals,
}

/// Whether a cell is to be staged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worth {
    Staging,
    /// Only if the lake has lost what the last answer had.
    StagingIfLost,
    Nothing,
}

impl CellChange {
    /// Whether it has less than the last answer.
    pub(super) fn has_less(&self) -> bool {
        self.before.is_some_and(|before| self.now.is_less_than(&before.totals))
    }

    /// Whether the lake keeps the last answer's cell instead, because that was found after the day had settled, and weighs more.
    /// If nothing is left, the vendor has forgotten the records: that is normal, and nobody has to look into it.
    pub(super) fn is_shrunk(&self) -> bool {
        let was_settled = self.before.is_some_and(|before| before.pulled_at >= self.settled_at);
        0 < self.now.rows && self.has_less() && was_settled && !self.is_accepted
    }

    /// Whether the cell is to be staged: not if it says the same as the last answer, nor if no rows are left and the user did not
    /// accept that. The first answer after the day settled counts as new: then a later, smaller one cannot take its place.
    pub(super) fn worth(&self) -> Worth {
        let has_rows = self.now.rows > 0;
        let is_worth = match self.before {
            // The lake may hold more than the last answer had.
            before if self.is_accepted => has_rows || before.is_some(),
            _ if !has_rows => false,
            None => true,
            Some(CellBefore { pulled_at, totals }) => {
                let is_first_settled = pulled_at < self.settled_at && self.pulled_at >= self.settled_at;
                totals.digest != self.now.digest || is_first_settled
            }
        };
        match is_worth {
            true => Worth::Staging,
            false if has_rows => Worth::StagingIfLost,
            false => Worth::Nothing,
        }
    }
}

impl Worth {
    /// Whether rejects are to be staged: unlike rows, they may become fewer at any time.
    pub(super) fn of_rejects(now: Totals, before: Totals) -> Self {
        match now.digest == before.digest {
            false => Self::Staging,
            true if now.rows > 0 => Self::StagingIfLost,
            true => Self::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::digest::Digest;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn totals(rows: u64) -> Totals {
        let digest = Digest::try_from(format!("{rows:x}")).unwrap();
        Totals { rows, weight: rows, digest, ..Totals::default() }
    }

    #[test]
    fn a_cell_is_staged_if_it_says_something_new() {
        use Worth::{Nothing, Staging, StagingIfLost};
        for (before, now, pulled_at, is_accepted, worth, why) in [
            (None, 3, 50, false, Staging, "it is the first"),
            (None, 0, 50, false, Nothing, "there never was anything"),
            (None, 0, 50, true, Nothing, "nor is anything given up"),
            (Some((40, 3)), 3, 50, false, StagingIfLost, "it says the same"),
            (Some((40, 3)), 4, 50, false, Staging, "there is more"),
            (Some((40, 3)), 2, 50, false, Staging, "there is less"),
            (Some((40, 3)), 0, 50, false, Nothing, "nothing becomes empty"),
            (Some((40, 3)), 0, 50, true, Staging, "unless it is told to"),
            (Some((40, 3)), 3, 50, true, Staging, "the lake may hold more"),
            (Some((40, 3)), 3, 100, false, Staging, "it is the first after the day settled"),
            (Some((100, 3)), 3, 110, false, StagingIfLost, "it is the second"),
        ] {
            let change = CellChange {
                now: totals(now),
                before: before
                    .map(|(second, rows)| CellBefore { pulled_at: at(second), totals: totals(rows) }),
                pulled_at: at(pulled_at),
                settled_at: at(100),
                is_accepted,
            };
            assert_eq!(change.worth(), worth, "{why}");
        }
    }

    #[test]
    fn a_settled_cell_has_shrunk_if_it_lost_some_but_not_all_rows_without_acceptance() {
        for (before_at, now, is_accepted, has_less, is_shrunk) in [
            (100, 2, false, true, true),
            (99, 2, false, true, false),
            (100, 2, true, true, false),
            (100, 0, false, true, false),
            (100, 3, false, false, false),
        ] {
            let before = Some(CellBefore { pulled_at: at(before_at), totals: totals(3) });
            let (now, pulled_at, settled_at) = (totals(now), at(200), at(100));
            let change = CellChange { now, before, pulled_at, settled_at, is_accepted };
            assert_eq!((change.has_less(), change.is_shrunk()), (has_less, is_shrunk), "{before_at} {now:?}");
        }
    }

    #[test]
    fn rejects_are_staged_if_they_differ_from_those_before() {
        for (before, now, worth) in [
            (0, 0, Worth::Nothing),
            (0, 2, Worth::Staging),
            (2, 0, Worth::Staging),
            (2, 2, Worth::StagingIfLost),
        ] {
            let totals = |rows| if rows == 0 { Totals::default() } else { totals(rows) };
            assert_eq!(Worth::of_rejects(totals(now), totals(before)), worth, "{before} {now}");
        }
    }
}
