//! Staging: writes answers as staged files, while the next answer is asked for.

use futures::TryFutureExt;
use futures::future::try_join_all;
use jiff::Timestamp;
use jiff::civil::Date;
use tokio::task::JoinHandle;

use super::Visiting;
use super::cell_change::{CellChange, Worth};
use super::days::Task;
use super::figures::Figures;
use super::intake::Fetched;
use crate::error::{Explain, Kind, Result};
use crate::load::ledger::Ledger;
use crate::load::ledger::answers::{DayAnswer, SnapshotAnswer};
use crate::load::staging::CellWriter;
use crate::transform::digest::Digest;
use crate::transform::tables::Table;
use crate::transform::totals::Totals;

/// What is to be staged of an answer.
#[derive(Default)]
struct ToStage {
    /// The cells, each with the instant at which a user last accepted fewer rows.
    cells: Vec<(CellWriter, Option<Timestamp>)>,
    /// What counts once they are staged.
    figures: Figures,
}

/// An answer that is being staged.
pub(super) struct Staging {
    task: Task,
    figures: Figures,
    handle: JoinHandle<Result<()>>,
}

impl Visiting<'_> {
    /// Begins to stage what was fetched.
    pub(super) async fn stage(&mut self, task: Task, fetched: Fetched) -> Result<()> {
        match task {
            Task::Day(day) => self.stage_day(day, fetched).await,
            Task::Snapshot => self.stage_snapshot(fetched).await,
        }
    }

    async fn stage_day(&mut self, day: Date, fetched: Fetched) -> Result<()> {
        let before = self.answers.days.get(&day).copied();
        let answer = DayAnswer {
            pulled_at: self.visit_id.pulled_at,
            lives: fetched.totals(Table::Lives),
            interactions: fetched.totals(Table::Interactions),
            rejects: fetched.rejected.totals(),
            has_had_rows: false,
            accepted_at: self.accepted_at(day, before.and_then(|before| before.accepted_at)),
        };
        let answer = answer.after(before);
        if self.scope.accepts(day) {
            self.note(|ledger, accepted_at| ledger.accept_day(day, accepted_at)).await?;
        }
        let mut to_stage = ToStage::default();
        to_stage.figures.records = fetched.records;
        for cell in fetched.cells {
            let table = cell.table();
            let rows = |day: DayAnswer| if table == Table::Lives { day.lives } else { day.interactions };
            let before = before.map(|before| (before.pulled_at, rows(before)));
            let change = self.change(day, rows(answer), before, answer.accepted_at)?;
            self.add_cell(&mut to_stage, cell, change, answer.accepted_at).await;
        }
        let rejects = before.map(|before| before.rejects).unwrap_or_default();
        self.add_rejects(&mut to_stage, fetched.rejected, day, rejects).await;
        self.begin_staging(Task::Day(day), to_stage).await;
        let is_empty = answer.lives.rows + answer.interactions.rows + answer.rejects.rows == 0;
        if !is_empty || before.is_some() {
            self.answers.days.insert(day, answer);
        }
        Ok(())
    }

    async fn stage_snapshot(&mut self, fetched: Fetched) -> Result<()> {
        let (day, before) = (self.event_day.date(), self.ledger.snapshot);
        let answer = SnapshotAnswer {
            pulled_at: self.visit_id.pulled_at,
            viewer_details: fetched.totals(Table::ViewerDetails),
            rejects: fetched.rejected.totals(),
            accepted_at: self.accepted_at(day, before.and_then(|before| before.accepted_at)),
        };
        if self.scope.accepts(day) {
            self.note(Ledger::accept_snapshot).await?;
        }
        self.answers.is_cut_off = !fetched.cut_off.is_empty();
        let mut to_stage = ToStage::default();
        to_stage.figures.records = fetched.records;
        to_stage.figures.details = Some(answer.viewer_details);
        for cell in fetched.cells {
            let before = before.map(|before| (before.pulled_at, before.viewer_details));
            let change = self.change(day, answer.viewer_details, before, answer.accepted_at)?;
            self.add_cell(&mut to_stage, cell, change, answer.accepted_at).await;
        }
        let rejects = before.map(|before| before.rejects).unwrap_or_default();
        self.add_rejects(&mut to_stage, fetched.rejected, day, rejects).await;
        self.answers.counts = Some(fetched.day_counts);
        self.begin_staging(Task::Snapshot, to_stage).await;
        self.answers.snapshot = Some(answer);
        Ok(())
    }

    /// Adds a cell of an answer if it is to be staged.
    async fn add_cell(
        &self,
        to_stage: &mut ToStage,
        cell: CellWriter,
        change: CellChange,
        accepted_at: Option<Timestamp>,
    ) {
        to_stage.figures.fewer += u64::from(change.has_less());
        to_stage.figures.shrunk += u64::from(change.is_shrunk());
        if self.is_to_be_staged(change.worth(), cell.table(), cell.part(), change.day, change.now).await {
            to_stage.cells.push((cell, accepted_at));
        }
    }

    /// Adds the rejects of an answer if they are to be staged.
    async fn add_rejects(&self, to_stage: &mut ToStage, rejected: CellWriter, day: Date, before: Totals) {
        let now = rejected.totals();
        let worth = Worth::of_rejects(now, before);
        if self.is_to_be_staged(worth, Table::Rejects, rejected.part(), day, now).await {
            to_stage.cells.push((rejected, None));
        }
    }

    /// What becomes of a cell of the answer for this day. `before` is what the last answer had, and when its visit began.
    fn change(
        &self,
        day: Date,
        now: Totals,
        before: Option<(Timestamp, Totals)>,
        accepted_at: Option<Timestamp>,
    ) -> Result<CellChange> {
        let (pulled_at, settled_at) = (self.visit_id.pulled_at, self.context.lake.settings.settled_at(day)?);
        let is_accepted = self.scope.accepts(day) || before.is_some_and(|(at, _)| Some(at) < accepted_at);
        Ok(CellChange { day, now, before, pulled_at, settled_at, is_accepted })
    }

    async fn is_to_be_staged(
        &self,
        worth: Worth,
        table: Table,
        part: &str,
        day: Date,
        Totals { digest, .. }: Totals,
    ) -> bool {
        match worth {
            Worth::Staging => true,
            Worth::StagingIfLost => {
                self.may_be_lost(table, day) && !self.lake_holds(table, day, part, digest).await
            }
            Worth::Nothing => false,
        }
    }

    /// Whether rows that the ledger knows may be missing in the lake: those that the user chose, which may have been deleted by
    /// hand, and those that are owed, which may have been chosen before.
    fn may_be_lost(&self, table: Table, day: Date) -> bool {
        let owed = &self.ledger.owed;
        let is_owed = owed.days.contains(&day)
            || owed.snapshot && table != Table::Lives && table != Table::Interactions;
        self.scope.is_chosen() || is_owed
    }

    /// Whether the lake has what the ledger says was staged. To choose an event repairs what somebody deleted.
    async fn lake_holds(&self, table: Table, day: Date, part: &str, digest: Digest) -> bool {
        let table_day = self.context.lake.table_day(&self.privacy, table, day);
        let found = table_day.cell(self.visit_id.event_id, part).await;
        // A cell that cannot be read counts as missing: to stage it again does no harm, and publish says what is wrong.
        found.is_ok_and(|found| found.is_some_and(|found| found.digest == digest))
    }

    /// Begins to stage an answer, once the one before it is staged.
    async fn begin_staging(&mut self, task: Task, ToStage { cells, figures }: ToStage) {
        self.finish_staging().await;
        let now = self.context.clock.now();
        let staged = cells.into_iter().map(move |(cell, accepted_at)| cell.stage(now, accepted_at));
        let handle = tokio::spawn(try_join_all(staged).map_ok(|_| ()));
        self.staging = Some(Staging { task, figures, handle });
    }

    /// Waits until the staging under way has ended. What fails is owed.
    pub(super) async fn finish_staging(&mut self) {
        let Some(Staging { task, figures, handle }) = self.staging.take() else { return };
        let crashed = || "the staging of an answer crashed".to_owned();
        let outcome = handle.await.explain(Kind::Damaged, crashed).and_then(|outcome| outcome);
        match outcome {
            Ok(()) => self.figures.add(figures),
            Err(error) => {
                self.answers.take_back(task, &self.ledger);
                self.shortfall.owe(task);
                self.fail(task.named(error));
            }
        }
    }

    /// When a user last accepted fewer rows: now, or as it was before.
    pub(super) fn accepted_at(&self, day: Date, before: Option<Timestamp>) -> Option<Timestamp> {
        if self.scope.accepts(day) { Some(self.visit_id.pulled_at) } else { before }
    }

    /// Notes in the ledger that fewer rows are accepted, as of this visit.
    async fn note(&self, accept: impl Fn(&mut Ledger, Timestamp)) -> Result<()> {
        let accepted_at = self.visit_id.pulled_at;
        self.context.ledgers.update(&self.ledger, |ledger| accept(ledger, accepted_at)).await.map(|_| ())
    }
}
