//! Staging: what was answered becomes staged files, and the visit a part of the ledger.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::intake::Taken;
use super::{Visited, Visiting, figures};
use crate::error::{Kind, Result};
use crate::job::archive;
use crate::job::context::Context;
use crate::load::answer::{Day, Snapshot};
use crate::load::keys;
use crate::load::ledger::Ledger;
use crate::load::staging::{CellWriter, Visitor};
use crate::load::table_day::TableDay;
use crate::load::visit::{Outcome, Visit};
use crate::transform::digest::{Digest, Totals};
use crate::transform::tables::Table;

impl Visiting<'_> {
    pub(super) async fn stage_day(&mut self, day: Date, taken: Taken) -> Result<()> {
        let before = self.known.get(&day).copied();
        let answer = Day {
            pulled_at: self.visitor.pulled_at,
            lives: taken.totals(Table::Lives),
            interactions: taken.totals(Table::Interactions),
            rejects: taken.rejected.totals(),
            has_had_rows: false,
            accepted_at: self.accepted_at(day, before.and_then(|before| before.accepted_at)),
        };
        let answer = answer.after(before);
        if self.choice.accepts(day) {
            self.note(|ledger, accepted_at| ledger.accept_day(day, accepted_at)).await?;
        }
        for cell in taken.cells {
            let table = cell.table();
            let rows = |before: Day| if table == Table::Lives { before.lives } else { before.interactions };
            let before = before.map(|before| (before.pulled_at, rows(before)));
            let suppressed = taken.tally.suppressed.get(&table).copied().unwrap_or_default();
            self.stage(cell, day, before, suppressed, answer.accepted_at).await?;
        }
        let rejects = before.map(|before| before.rejects).unwrap_or_default();
        self.stage_rejects(taken.rejected, day, rejects).await?;
        self.figures.tally.add(taken.tally);
        let is_empty = answer.lives.rows + answer.interactions.rows + answer.rejects.rows == 0;
        if !is_empty || before.is_some() {
            self.known.insert(day, answer);
        }
        Ok(())
    }

    pub(super) async fn stage_snapshot(&mut self, taken: Taken) -> Result<()> {
        let details = taken.totals(Table::ViewerDetails);
        let rejects = taken.rejected.totals();
        let before = self.ledger.snapshot;
        let accepted_at = self.accepted_at(self.event_day, before.and_then(|before| before.accepted_at));
        if self.choice.accepts(self.event_day) {
            self.note(Ledger::accept_snapshot).await?;
        }
        for cell in taken.cells {
            let before = before.map(|before| (before.pulled_at, before.viewer_details));
            let suppressed = taken.tally.suppressed.get(&cell.table()).copied().unwrap_or_default();
            self.stage(cell, self.event_day, before, suppressed, accepted_at).await?;
        }
        let rejects_before = before.map(|before| before.rejects).unwrap_or_default();
        self.stage_rejects(taken.rejected, self.event_day, rejects_before).await?;
        self.figures.tally.add(taken.tally);
        self.figures.details = Some(details);
        self.counts = Some(taken.counts);
        let pulled_at = self.visitor.pulled_at;
        self.snapshot = Some(Snapshot { pulled_at, viewer_details: details, rejects, accepted_at });
        Ok(())
    }

    /// Stages a cell, unless it says what the last answer said, or takes rows away without being told to.
    async fn stage(
        &mut self,
        cell: CellWriter,
        day: Date,
        before: Option<(Timestamp, Totals)>,
        suppressed: u64,
        accepted_at: Option<Timestamp>,
    ) -> Result<()> {
        let now = cell.totals();
        let (before_at, before) = before.unzip();
        // Who is to be forgotten may have been among those of before.
        let had = before.map_or(0, |before| before.rows).saturating_sub(suppressed);
        self.figures.fewer += u64::from(now.rows < had);
        // By this visit, or by one that was killed before it staged anything.
        let is_accepted =
            self.choice.accepts(day) || before_at.is_some_and(|before_at| Some(before_at) < accepted_at);
        // Where nothing is left, the vendor has forgotten it: that is its way, and nobody has to look.
        let is_shrunk = 0 < now.rows && now.rows < had && !is_accepted;
        self.figures.shrunk += u64::from(is_shrunk);
        let is_worth = if is_accepted {
            // The lake may hold more than the last answer had.
            now.rows > 0 || before.is_some()
        } else if now.rows == 0 {
            false
        } else {
            let settled_at = self.context.lake.settled_at(day)?;
            let first_settled =
                before_at.is_some_and(|at| at < settled_at) && self.visitor.pulled_at >= settled_at;
            before.map(|before| before.digest) != Some(now.digest)
                || first_settled
                || self.choice.is_explicit()
                    && !self.lake_holds(cell.table(), day, cell.part(), now.digest).await
        };
        if is_worth { cell.stage(self.context.clock.now(), accepted_at).await } else { Ok(()) }
    }

    /// Whether the lake has what the ledger says that it was given. A chosen event mends what was taken away by hand.
    async fn lake_holds(&self, table: Table, day: Date, part: &str, digest: Digest) -> bool {
        let Context { store, lake, .. } = self.context;
        let place = TableDay { store, lake, privacy: &self.privacy, table, day };
        let found = place.cell(self.visitor.event_id, part).await;
        // One that cannot be read is none: staging what is there already does no harm, and publish says what is wrong.
        found.is_ok_and(|found| found.is_some_and(|found| found.digest == digest))
    }

    /// When a user last said that fewer rows are right: now, or as it was before.
    pub(super) fn accepted_at(&self, day: Date, before: Option<Timestamp>) -> Option<Timestamp> {
        if self.choice.accepts(day) { Some(self.visitor.pulled_at) } else { before }
    }

    /// Notes in the ledger that fewer rows are right, as of this visit.
    async fn note(&self, accept: impl Fn(&mut Ledger, Timestamp)) -> Result<()> {
        let accepted_at = self.visitor.pulled_at;
        self.context.ledgers.update(&self.ledger, |ledger| accept(ledger, accepted_at)).await.map(|_| ())
    }

    /// Stages rejects, where they are not those of the last answer.
    async fn stage_rejects(&self, rejected: CellWriter, day: Date, before: Totals) -> Result<()> {
        let now = rejected.totals();
        let is_lost = now.rows > 0
            && self.choice.is_explicit()
            && !self.lake_holds(Table::Rejects, day, rejected.part(), now.digest).await;
        if now.digest != before.digest || is_lost {
            rejected.stage(self.context.clock.now(), None).await
        } else {
            Ok(())
        }
    }

    /// Stages the rows of the visit and of the event, and folds the visit into the ledger.
    pub(super) async fn close(mut self, through: bool) -> Result<Visited> {
        if let Err(error) = self.still_in_force().await {
            self.fail(error);
        }
        let outcome = match (&self.error, self.is_left) {
            (Some(_), _) => Outcome::Failed,
            (None, true) => Outcome::Left,
            (None, false) => Outcome::Complete,
        };
        let pulled_at = self.visitor.pulled_at;
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
            owed: std::mem::take(&mut self.owed),
            asked: self.asked.clone(),
            through,
            outcome,
            is_unknown: self.error.as_ref().is_some_and(|error| error.kind() == Kind::UnknownEvent),
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
        let outcome = if self.error.is_some() { Outcome::Failed } else { outcome };
        Ok(Visited {
            event_id: self.visitor.event_id,
            outcome,
            figures: self.figures,
            used: self.usage.used(),
            before: self.before,
            after,
            error: self.error,
        })
    }

    /// Cleans what this visit archived, where somebody is to be forgotten since it began. What it staged is looked at when it
    /// is published.
    pub(super) async fn still_in_force(&self) -> Result<()> {
        if !self.context.archive {
            return Ok(());
        }
        self.context.lake.check_privacy(self.context.store.as_ref()).await?;
        let privacy = self.context.privacy().await?;
        if privacy.suppressed.revision() == self.privacy.suppressed.revision() {
            return Ok(());
        }
        let Visitor { event_id, pulled_at, run, .. } = &self.visitor;
        let day = self.context.lake.zone.day_of(*pulled_at);
        let ours = keys::archived_by(day, *event_id, *pulled_at, run);
        for listed in self.context.store.list(&ours, "").await? {
            archive::clean(self.context, &privacy, &listed).await?;
        }
        Ok(())
    }

    async fn stage_visit(&self, after: &Ledger, outcome: Outcome) -> Result<()> {
        let now = self.context.clock.now();
        let error = self.error.as_ref().map(ToString::to_string);
        let took = now.duration_since(self.began).as_millis();
        let took = i64::try_from(took).unwrap_or(i64::MAX);
        let run = &self.visitor.run;
        let used = self.usage.used();
        let pulls = figures::pulls_row(&self.figures, after, run, outcome, error.as_deref(), used, took)?;
        let zone = &self.context.lake.zone;
        let events = self.privacy.clean(Table::Events, &figures::events_row(after, zone, outcome)?)?;
        let cell = |table, day, part| {
            CellWriter::new(Arc::clone(&self.context.store), self.visitor.clone(), table, day, part)
        };
        let mut row = cell(Table::Pulls, zone.day_of(self.visitor.pulled_at), run);
        row.write(pulls).await?;
        row.stage(now, None).await?;
        // An event whose day is not known yet has its row when it is: a row never moves to another day.
        let Some(event_day) = after.event_day else { return Ok(()) };
        let mut row = cell(Table::Events, event_day, "");
        row.write(events).await?;
        row.stage(now, None).await
    }
}
