//! Closes a visit: stages its row and the event's, and folds the visit into the ledger.

use std::sync::Arc;

use super::{Visited, Visiting, figures};
use crate::error::Result;
use crate::job::archive;
use crate::load::keys;
use crate::load::ledger::Ledger;
use crate::load::ledger::visit::{Outcome, Visit};
use crate::load::staging::{CellWriter, VisitId};
use crate::transform::tables::Table;

impl Visiting<'_> {
    /// Stages the rows of the visit and of the event, and folds the visit into the ledger.
    pub(super) async fn close(mut self, has_asked_all: bool) -> Result<Visited> {
        if let Err(error) = self.clean_own_answers().await {
            self.fail(error);
        }
        let outcome = self.shortfall.outcome();
        let pulled_at = self.visit_id.pulled_at;
        let visit = Visit {
            pulled_at,
            event_day: self.event_day_is_known.then_some(self.event_day),
            days: self
                .known
                .iter()
                .filter(|(_, day)| day.pulled_at == pulled_at)
                .map(|(day, at)| (*day, *at))
                .collect(),
            snapshot: self.snapshot,
            owed: std::mem::take(&mut self.shortfall.owed),
            asked: self.asked.clone(),
            has_asked_all,
            outcome,
            is_chosen: self.scope.is_chosen(),
            planned_at: self.scope.plan,
            is_unknown: self.shortfall.is_unknown,
        };
        let mut after = self.ledger.clone();
        after.fold(&visit, self.context.horizon);
        if let Err(error) = self.stage_visit(&after, outcome).await {
            self.fail(error);
        } else {
            let horizon = self.context.horizon;
            match self.context.ledgers.update(&self.ledger, |ledger| ledger.fold(&visit, horizon)).await {
                Ok(folded) => after = folded,
                Err(error) => self.fail(error),
            }
        }
        Ok(Visited {
            event_id: self.visit_id.event_id,
            outcome: self.shortfall.outcome(),
            figures: self.figures,
            used: self.vendor.used(),
            after,
            error: self.shortfall.error,
        })
    }

    /// Fails if the lake's policy was changed meanwhile. If the list of people to be forgotten has grown, cleans what this visit
    /// archived; what it staged is cleaned when it is published.
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

    async fn stage_visit(&self, after: &Ledger, outcome: Outcome) -> Result<()> {
        let now = self.context.clock.now();
        let error = self.shortfall.error.as_ref().map(ToString::to_string);
        let took = now.duration_since(self.began).as_millis();
        let took = i64::try_from(took).unwrap_or(i64::MAX);
        let run = &self.visit_id.run;
        let used = self.vendor.used();
        let pulls = figures::pulls_row(&self.figures, after, run, outcome, error.as_deref(), used, took)?;
        let zone = &self.context.lake.settings.zone;
        let events = self.privacy.clean(Table::Events, &figures::events_row(after, zone)?)?;
        let cell = |table, day, part| {
            CellWriter::new(Arc::clone(&self.context.lake.store), self.visit_id.clone(), table, day, part)
        };
        let mut row = cell(Table::Pulls, zone.day_of(self.visit_id.pulled_at), run);
        row.write(pulls).await?;
        row.stage(now, None).await?;
        // An event whose day is not known yet gets its row when it is: a row never moves to another day.
        let Some(event_day) = after.event_day else { return Ok(()) };
        let mut row = cell(Table::Events, event_day, "");
        row.write(events).await?;
        row.stage(now, None).await
    }
}
