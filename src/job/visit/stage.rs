//! Staging: writes answers as staged files, while the next answer is asked for.

use futures::TryFutureExt;
use futures::future::try_join_all;
use jiff::Timestamp;
use jiff::civil::Date;
use tokio::task::JoinHandle;

use super::Visiting;
use super::answers::Counts;
use super::cell_change::{CellBefore, CellChange, Worth};
use super::figures::Figures;
use super::intake::Fetched;
use super::task::Task;
use crate::error::{Error, Result};
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
    /// The figures that count once the cells are staged.
    figures: Figures,
}

/// What is needed to find a cell in the lake. Owned, because a writer cannot be shared with a future that moves between threads.
struct CellSought {
    table: Table,
    day: Date,
    part: String,
    digest: Digest,
}

impl CellSought {
    fn of(cell: &CellWriter) -> Self {
        let (part, digest) = (cell.part().to_owned(), cell.totals().digest);
        Self { table: cell.table(), day: cell.day(), part, digest }
    }
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
            lives: fetched.totals(Table::Lives),
            interactions: fetched.totals(Table::Interactions),
            rejects: fetched.rejected.totals(),
            accepted_at: self.accepted_at(Task::Day(day)),
            ..DayAnswer::empty(self.visit_id.pulled_at)
        };
        let answer = answer.after(before);
        if self.scope.accepts(day) {
            self.note(|ledger, accepted_at| ledger.accept_day(day, accepted_at)).await?;
        }
        let mut to_stage = ToStage::default();
        to_stage.figures.records = fetched.records;
        for cell in fetched.cells {
            let table = cell.table();
            let before = before.map(|day| CellBefore { pulled_at: day.pulled_at, totals: day.totals(table) });
            self.add_cell(&mut to_stage, cell, answer.totals(table), before, answer.accepted_at).await?;
        }
        let rejects = before.map(|before| before.rejects).unwrap_or_default();
        self.add_rejects(&mut to_stage, fetched.rejected, rejects).await;
        self.begin_staging(Task::Day(day), to_stage).await;
        let is_empty = answer.lives.rows + answer.interactions.rows + answer.rejects.rows == 0;
        if !is_empty || before.is_some() {
            self.answers.days.insert(day, answer);
        }
        Ok(())
    }

    async fn stage_snapshot(&mut self, fetched: Fetched) -> Result<()> {
        let (day, before) = (self.event_day.date(), self.ledger.snapshot);
        let (is_blank, is_half) = (fetched.is_blank(), fetched.is_half());
        let viewer_details = fetched.totals(Table::ViewerDetails);
        // An answer without the array empties nothing: the one before stands.
        let may_shrink = !fetched.missing.contains(&Table::ViewerDetails);
        let answer = if may_shrink {
            let accepted_at = self.accepted_at(Task::Snapshot);
            let empty = SnapshotAnswer::empty(self.visit_id.pulled_at);
            SnapshotAnswer { viewer_details, accepted_at, ..empty }.after(before)
        } else {
            let stands = before.unwrap_or(SnapshotAnswer::empty(self.visit_id.pulled_at));
            let without_viewers = self.one_more(stands.without_viewers);
            SnapshotAnswer { without_viewers, is_awaited: false, ..stands }
        };
        let answer = SnapshotAnswer { rejects: fetched.rejected.totals(), ..answer };
        if self.scope.accepts(day) && may_shrink {
            self.note(Ledger::accept_snapshot).await?;
        }
        let mut to_stage = ToStage::default();
        to_stage.figures.records = fetched.records;
        to_stage.figures.details = may_shrink.then_some(viewer_details);
        for cell in fetched.cells {
            // Without the array, it does not say that there are fewer.
            let before = before
                .filter(|_| may_shrink)
                .map(|before| CellBefore { pulled_at: before.pulled_at, totals: before.viewer_details });
            let accepted_at = answer.accepted_at.filter(|_| may_shrink);
            self.add_cell(&mut to_stage, cell, viewer_details, before, accepted_at).await?;
        }
        let rejects = before.map(|before| before.rejects).unwrap_or_default();
        self.add_rejects(&mut to_stage, fetched.rejected, rejects).await;
        let is_cut_off = !fetched.cut_off.is_empty() || is_half;
        self.answers.counts = Some(Counts { days: fetched.day_counts, is_cut_off, is_blank });
        self.begin_staging(Task::Snapshot, to_stage).await;
        self.answers.snapshot = Some(answer);
        Ok(())
    }

    /// Adds a cell of an answer if it is to be staged. `now` holds its sums, with the number of records that were left out.
    async fn add_cell(
        &self,
        to_stage: &mut ToStage,
        cell: CellWriter,
        now: Totals,
        before: Option<CellBefore>,
        accepted_at: Option<Timestamp>,
    ) -> Result<()> {
        let is_accepted = accepted_at == Some(self.visit_id.pulled_at)
            || before.is_some_and(|before| Some(before.pulled_at) < accepted_at);
        let settled_at = self.context.lake.settings.settled_at(cell.day())?;
        let change = CellChange { now, before, pulled_at: self.visit_id.pulled_at, settled_at, is_accepted };
        to_stage.figures.fewer += u64::from(change.has_less());
        to_stage.figures.shrunk += u64::from(change.is_shrunk());
        if self.is_to_be_staged(change.worth(), CellSought::of(&cell)).await {
            to_stage.cells.push((cell, accepted_at));
        }
        Ok(())
    }

    /// Adds the rejects of an answer if they are to be staged.
    async fn add_rejects(&self, to_stage: &mut ToStage, rejected: CellWriter, before: Totals) {
        let worth = Worth::of_rejects(rejected.totals(), before);
        if self.is_to_be_staged(worth, CellSought::of(&rejected)).await {
            to_stage.cells.push((rejected, None));
        }
    }

    async fn is_to_be_staged(&self, worth: Worth, cell: CellSought) -> bool {
        match worth {
            Worth::Staging => true,
            Worth::StagingIfLost => self.may_be_lost(&cell) && !self.lake_holds(&cell).await,
            Worth::Nothing => false,
        }
    }

    /// Whether the lake may lack rows that the ledger knows: those that the user chose may have been deleted by hand, and those
    /// that are owed may have been chosen at an earlier visit.
    fn may_be_lost(&self, cell: &CellSought) -> bool {
        let owed = &self.ledger.owed;
        let is_viewing = matches!(cell.table, Table::Lives | Table::Interactions);
        let is_owed = owed.days.contains(&cell.day) || owed.snapshot && !is_viewing;
        self.scope.is_chosen() || is_owed
    }

    /// Whether the lake still has what the ledger says was staged. In this way, choosing an event restores what somebody deleted.
    async fn lake_holds(&self, CellSought { table, day, part, digest }: &CellSought) -> bool {
        let found = self.context.lake.cell(*table, *day, self.visit_id.event_id, part).await;
        // A cell that cannot be read counts as missing: staging it again does no harm, and publish says what is wrong.
        found.is_ok_and(|found| found.is_some_and(|found| found.digest == *digest))
    }

    /// Begins to stage an answer, once the one before it is staged.
    async fn begin_staging(&mut self, task: Task, ToStage { cells, figures }: ToStage) {
        self.finish_staging().await;
        let now = self.context.clock.now();
        let staged = cells.into_iter().map(move |(cell, accepted_at)| cell.stage(now, accepted_at));
        let handle = tokio::spawn(try_join_all(staged).map_ok(|_| ()));
        self.staging = Some(Staging { task, figures, handle });
    }

    /// Waits until the staging under way has ended. If it failed, its task is owed.
    pub(super) async fn finish_staging(&mut self) {
        let Some(Staging { task, figures, handle }) = self.staging.take() else { return };
        let crashed = |crash| Error::bug("the staging of an answer crashed").caused_by(crash);
        let outcome = handle.await.map_err(crashed).and_then(|outcome| outcome);
        match outcome {
            Ok(()) => self.figures.add(figures),
            Err(error) => {
                self.answers.take_back(task, &self.ledger);
                self.shortfall.owe(task);
                self.fail(task.named(error));
            }
        }
    }

    /// When a user last accepted that a task brings fewer rows than before: with this visit, or as noted in the last answer.
    pub(super) fn accepted_at(&self, task: Task) -> Option<Timestamp> {
        if self.scope.accepts(self.day_of(task)) {
            return Some(self.visit_id.pulled_at);
        }
        match task {
            Task::Day(day) => self.answers.days.get(&day).and_then(|before| before.accepted_at),
            Task::Snapshot => self.ledger.snapshot.and_then(|before| before.accepted_at),
        }
    }

    /// Notes in the ledger that fewer rows are accepted, as of this visit.
    async fn note(&self, accept: impl Fn(&mut Ledger, Timestamp)) -> Result<()> {
        let accepted_at = self.visit_id.pulled_at;
        self.context.ledgers.update(&self.ledger, |ledger| accept(ledger, accepted_at)).await.map(|_| ())
    }
}
