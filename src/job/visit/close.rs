//! Closes a visit: stages its row and the event's, and folds the visit into the ledger.

use std::sync::Arc;

use arrow::array::RecordBatch;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::{Visited, Visiting, figures};
use crate::calendar;
use crate::error::Result;
use crate::job::archive;
use crate::load::conflict_retries::ConflictRetries;
use crate::load::keys;
use crate::load::ledger::visit::Visit;
use crate::load::ledger::{Closing, Ledger};
use crate::load::staging::{CellWriter, VisitId};
use crate::transform::tables::Table;

impl Visiting<'_> {
    /// Records how the visit ended: in its own row, in the event's row, and in the ledger.
    pub(super) async fn close(mut self, has_asked_all: bool) -> Result<Visited> {
        if let Err(error) = self.clean_own_answers().await {
            self.fail(error);
        }
        let outcome = self.shortfall.outcome();
        let pulled_at = self.visit_id.pulled_at;
        let visit = Visit {
            pulled_at,
            event_day: self.event_day.known(),
            days: self.answers.got_at(pulled_at),
            snapshot: self.answers.snapshot,
            owed: std::mem::take(&mut self.shortfall.owed),
            blank: std::mem::take(&mut self.shortfall.blank),
            lacking: std::mem::take(&mut self.shortfall.lacking),
            believed: std::mem::take(&mut self.shortfall.believed),
            asked: self.answers.asked.clone(),
            has_asked_all,
            outcome,
            is_chosen: self.scope.is_chosen(),
            planned_at: self.scope.planned_at(),
            closes_from: self.needs().closes_from(),
            is_unknown: self.shortfall.is_unknown,
        };
        let after = match self.record(&visit).await {
            Ok(after) => after,
            Err(error) => {
                self.fail(error);
                let mut after = self.ledger.clone();
                after.fold(&visit, self.context.horizon);
                after
            }
        };
        let is_incomplete = |ledger: &Ledger| ledger.closed == Some(Closing::Incomplete);
        Ok(Visited {
            event_id: self.visit_id.event_id,
            outcome: self.shortfall.outcome(),
            figures: self.figures,
            used: self.vendor.used(),
            is_given_up: !is_incomplete(&self.ledger) && is_incomplete(&after) && !after.is_gone,
            after,
            error: self.shortfall.error,
        })
    }

    /// Cleans what this visit archived if the list of people to be forgotten has grown meanwhile, and fails if the lake's policy was
    /// changed; what it staged is cleaned when it is published.
    pub(super) async fn clean_own_answers(&self) -> Result<()> {
        if !self.context.archive {
            return Ok(());
        }
        self.context.lake.check_privacy().await?;
        let privacy = self.context.lake.privacy().await?;
        if privacy.suppressed.revision() == self.privacy.suppressed.revision() {
            return Ok(());
        }
        let VisitId { event_id, pulled_at, run, .. } = &self.visit_id;
        let day = self.context.lake.settings.zone.day_of(*pulled_at);
        let ours = keys::archived_by(day, *event_id, *pulled_at, run);
        for listed in self.context.lake.store.list(&ours, "").await? {
            archive::clean(self.context, &privacy, listed).await?;
        }
        Ok(())
    }

    /// Stages the rows of the visit and of the event, and then folds the visit into the ledger as it is by now. If another run
    /// changes the ledger in between, the rows may have to say something else: new ones are then staged, which replace the first.
    /// Should this run be killed before that, and another visit have closed the event, the event's row stays as first staged
    /// until a user chooses the event.
    async fn record(&self, visit: &Visit) -> Result<Ledger> {
        let (ledgers, event_id) = (&self.context.ledgers, self.visit_id.event_id);
        let took = self.context.clock.now().duration_since(self.began);
        let (mut staged, mut retries): (Option<Staged>, _) = (None, ConflictRetries::default());
        loop {
            let entry = match ledgers.bring_home(event_id).await {
                Err(error) if retries.allow(&error) => continue,
                entry => entry?,
            };
            let mut after = entry.as_ref().map_or(&self.ledger, |entry| &entry.ledger).clone();
            after.fold(visit, self.context.horizon);
            let rows = self.rows(visit, &after, took)?;
            if staged.as_ref().is_none_or(|staged| staged.rows != rows) {
                staged = Some(self.stage_rows(rows, staged).await?);
            }
            match ledgers.replace(entry, &after).await {
                Err(error) if retries.allow(&error) => {}
                outcome => return outcome.map(|()| after),
            }
        }
    }

    /// The row of the visit, and then that of the event.
    fn rows(&self, visit: &Visit, after: &Ledger, took: SignedDuration) -> Result<Vec<OneRow>> {
        let zone = &self.context.lake.settings.zone;
        let pulled_at = visit.pulled_at;
        let row = self.pulls_row(after, visit.outcome, took)?;
        let mut rows = vec![OneRow { table: Table::Pulls, day: zone.day_of(pulled_at), pulled_at, row }];
        // An event whose day is not known yet gets its row once the day is known: a row never moves to another day.
        if let Some(day) = after.event_day {
            let row = self.privacy.clean(Table::Events, &figures::events_row(after, zone)?)?;
            let pulled_at = after.last_visit.unwrap_or(pulled_at);
            rows.push(OneRow { table: Table::Events, day, pulled_at, row });
        }
        Ok(rows)
    }

    /// Stages these rows under other names than those that were staged `before`, against which they win.
    async fn stage_rows(&self, rows: Vec<OneRow>, before: Option<Staged>) -> Result<Staged> {
        let now = self.context.clock.now();
        let (times, at) =
            before.map_or((1, now), |before| (before.times + 1, calendar::later_than(before.at, now)));
        for OneRow { table, day, pulled_at, row } in &rows {
            let store = Arc::clone(&self.context.lake.store);
            let visit_id = VisitId { pulled_at: *pulled_at, ..self.visit_id.clone() };
            let mut cell = CellWriter::new(store, visit_id, *table, *day).for_time(times);
            cell.write(row.clone()).await?;
            cell.stage(at, None).await?;
        }
        Ok(Staged { rows, at, times })
    }
}

/// A cell of one row.
#[derive(Debug, PartialEq)]
struct OneRow {
    table: Table,
    day: Date,
    pulled_at: Timestamp,
    row: RecordBatch,
}

/// The rows that were staged last, when that was, and how many times rows have been staged.
struct Staged {
    rows: Vec<OneRow>,
    at: Timestamp,
    times: u32,
}
