//! What the lake, and what is staged, say of an event whose ledger is lost. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::answers::{DayAnswer, SnapshotAnswer};
use super::visit::{Outcome, Owed};
use super::visit_row::VisitRow;
use super::{Closing, Ledger};
use crate::load::cell::{Cell, Source};
use crate::transform::event::Event;
use crate::transform::row::Row;
use crate::transform::tables::Table;
use crate::transform::totals::Totals;

/// What is found of one event, to make its ledger from.
#[derive(Default)]
pub(super) struct RecoveredEvent {
    ledger: Option<Ledger>,
    first_visit: Option<Timestamp>,
    last_visit: Option<Timestamp>,
    has_failed: bool,
    is_unfinished: bool,
    owed: Owed,
    days: BTreeMap<Date, DayAnswer>,
    snapshot: Option<(Date, SnapshotAnswer)>,
    /// When a user last accepted fewer rows for a day or the snapshot, according to cells that are staged; the snapshot with its day.
    accepted_days: BTreeMap<Date, Timestamp>,
    accepted_snapshot: Option<(Timestamp, Date)>,
}

impl RecoveredEvent {
    /// Reads a row of `events` or `pulls`.
    pub(super) fn read_row(&mut self, table: Table, day: Date, row: Row<'_>) {
        if table == Table::Pulls {
            let Some(visit) = VisitRow::read(&row) else { return };
            self.note_visit(visit.pulled_at);
            if self.last_visit < Some(visit.pulled_at) {
                self.last_visit = Some(visit.pulled_at);
                self.has_failed = visit.outcome == Some(Outcome::Failed);
                self.is_unfinished = visit.outcome != Some(Outcome::Complete);
                self.owed = visit.owed;
            }
            return;
        }
        let Some(event) = row.event() else { return };
        let pulled_at = row.instant("pulled_at");
        let mut ledger = Ledger::new(event, pulled_at.unwrap_or_default());
        ledger.event_day = Some(day);
        ledger.last_visit = pulled_at;
        ledger.through = row.instant("pulled_through");
        if row.flag("closed") == Some(true) {
            let is_complete = Outcome::of_row(&row) == Some(Outcome::Complete);
            ledger.closed = Some(if is_complete { Closing::Complete } else { Closing::Incomplete });
        }
        self.ledger = Some(ledger);
    }

    /// Reads a cell of one of the other tables in the lake.
    pub(super) fn read_cell(&mut self, table: Table, day: Date, cell: &Cell, totals: Totals) {
        let (pulled_at, accepted_at) = (cell.pulled_at, cell.accepted_at);
        self.note_visit(pulled_at);
        if table == Table::ViewerDetails {
            // What was to be asked for again is not known: the next snapshot tells.
            let empty = SnapshotAnswer { is_awaited: true, ..SnapshotAnswer::empty(pulled_at) };
            self.snapshot = Some((day, SnapshotAnswer { viewer_details: totals, accepted_at, ..empty }));
            return;
        }
        if table == Table::Rejects && cell.part == Source::Snapshot.name() {
            if let Some((_, snapshot)) = &mut self.snapshot {
                snapshot.rejects = totals;
            }
            return;
        }
        let known = self.days.entry(day).or_insert(DayAnswer::empty(pulled_at));
        known.pulled_at = known.pulled_at.max(pulled_at);
        known.accepted_at = known.accepted_at.max(accepted_at);
        match table {
            Table::Lives => known.lives = totals,
            Table::Interactions => known.interactions = totals,
            Table::Rejects => known.rejects = totals,
            Table::ViewerDetails | Table::Events | Table::Pulls => {}
        }
        *known = known.after(None);
    }

    /// Reads a staged cell for which a user has accepted fewer rows.
    pub(super) fn read_accepted(&mut self, table: Table, day: Date, cell: &Cell, accepted_at: Timestamp) {
        self.note_visit(cell.pulled_at);
        if table == Table::ViewerDetails {
            self.accepted_snapshot = self.accepted_snapshot.max(Some((accepted_at, day)));
        } else {
            let latest = self.accepted_days.entry(day).or_insert(accepted_at);
            *latest = accepted_at.max(*latest);
        }
    }

    /// The ledger of the event, as far as it can be known.
    pub(super) fn into_ledger(self, event_id: i64) -> Ledger {
        let mut ledger =
            self.ledger.unwrap_or_else(|| Ledger::new(Event::unknown(event_id), Timestamp::UNIX_EPOCH));
        ledger.first_seen = self.first_visit.unwrap_or(ledger.first_seen);
        let day_of_snapshot = self.snapshot.map(|(day, _)| day);
        let staged_day = self.accepted_snapshot.map(|(_, day)| day);
        ledger.event_day = ledger.event_day.or(day_of_snapshot).or(staged_day);
        ledger.last_visit = ledger.last_visit.max(self.last_visit);
        ledger.failures = u32::from(self.has_failed);
        (ledger.unfinished, ledger.in_vain) = (u32::from(self.is_unfinished), ledger.failures);
        let was_complete = !self.has_failed && self.owed.is_empty();
        ledger.last_good_visit = if was_complete { ledger.last_visit } else { ledger.through };
        ledger.owed = self.owed;
        ledger.days = self.days;
        ledger.snapshot = self.snapshot.map(|(_, snapshot)| snapshot);
        for (day, accepted_at) in self.accepted_days {
            ledger.accept_day(day, accepted_at);
        }
        if let Some((accepted_at, _)) = self.accepted_snapshot {
            ledger.accept_snapshot(accepted_at);
        }
        ledger
    }

    fn note_visit(&mut self, pulled_at: Timestamp) {
        self.first_visit = self.first_visit.into_iter().chain([pulled_at]).min();
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::at;
    use super::*;

    #[test]
    fn an_event_of_which_only_acceptances_are_staged_has_its_first_visit_and_day_and_owes_what_was_accepted()
    {
        let [first, second] = ["2022-10-26", "2022-10-27"].map(|day| day.parse::<Date>().unwrap());
        let mut known = RecoveredEvent::default();
        for (table, day, hours) in [
            (Table::Lives, first, 2),
            (Table::Interactions, first, 3),
            (Table::Lives, first, 1),
            (Table::ViewerDetails, second, 2),
            (Table::ViewerDetails, first, 1),
        ] {
            let cell = Cell::new(7, "", at(hours), at(hours), &Totals::default());
            known.read_accepted(table, day, &cell, at(hours));
        }
        let ledger = known.into_ledger(7);
        assert_eq!((ledger.first_seen, ledger.event_day), (at(1), Some(second)));
        assert_eq!(ledger.days[&first].accepted_at, Some(at(3)));
        assert_eq!(ledger.snapshot.unwrap().accepted_at, Some(at(2)));
        assert_eq!(ledger.owed, Owed { days: [first].into(), snapshot: true, ..Owed::default() });
    }
}
