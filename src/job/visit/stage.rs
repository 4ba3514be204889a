//! Staging: writes answers as staged files, while the next answer is asked for.

use futures::TryFutureExt;
use futures::future::try_join_all;
use jiff::Timestamp;
use jiff::civil::Date;
use tokio::task::JoinHandle;

use super::Visiting;
use super::days::Task;
use super::intake::Fetched;
use super::record_counts::RecordCounts;
use crate::error::{Explain, Kind, Result};
use crate::load::ledger::Ledger;
use crate::load::ledger::answers::{DayAnswer, SnapshotAnswer};
use crate::load::staging::CellWriter;
use crate::transform::digest::Digest;
use crate::transform::tables::Table;
use crate::transform::totals::Totals;

/// Cells of an answer that are being staged.
pub(super) struct Staging {
    task: Task,
    records: RecordCounts,
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
        let before = self.known.get(&day).copied();
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
        let mut cells = Vec::new();
        for cell in fetched.cells {
            let table = cell.table();
            let rows = |day: DayAnswer| if table == Table::Lives { day.lives } else { day.interactions };
            let before = before.map(|before| (before.pulled_at, rows(before)));
            if self.judge_cell(table, rows(answer), day, before, answer.accepted_at).await? {
                cells.push((cell, answer.accepted_at));
            }
        }
        let rejects = before.map(|before| before.rejects).unwrap_or_default();
        if self.are_new(fetched.rejected.part(), answer.rejects, day, rejects).await {
            cells.push((fetched.rejected, None));
        }
        self.begin_staging(Task::Day(day), fetched.records, cells).await;
        let is_empty = answer.lives.rows + answer.interactions.rows + answer.rejects.rows == 0;
        if !is_empty || before.is_some() {
            self.known.insert(day, answer);
        }
        Ok(())
    }

    async fn stage_snapshot(&mut self, fetched: Fetched) -> Result<()> {
        let details = fetched.totals(Table::ViewerDetails);
        let rejects = fetched.rejected.totals();
        let before = self.ledger.snapshot;
        let accepted_at = self.accepted_at(self.event_day, before.and_then(|before| before.accepted_at));
        if self.scope.accepts(self.event_day) {
            self.note(Ledger::accept_snapshot).await?;
        }
        let mut cells = Vec::new();
        for cell in fetched.cells {
            let before = before.map(|before| (before.pulled_at, before.viewer_details));
            if self.judge_cell(cell.table(), details, self.event_day, before, accepted_at).await? {
                cells.push((cell, accepted_at));
            }
        }
        let rejects_before = before.map(|before| before.rejects).unwrap_or_default();
        if self.are_new(fetched.rejected.part(), rejects, self.event_day, rejects_before).await {
            cells.push((fetched.rejected, None));
        }
        self.counts = Some(fetched.day_counts);
        let pulled_at = self.visit_id.pulled_at;
        self.begin_staging(Task::Snapshot, fetched.records, cells).await;
        self.snapshot = Some(SnapshotAnswer { pulled_at, viewer_details: details, rejects, accepted_at });
        Ok(())
    }

    /// Begins to stage these cells, once those before them are staged.
    async fn begin_staging(
        &mut self,
        task: Task,
        records: RecordCounts,
        cells: Vec<(CellWriter, Option<Timestamp>)>,
    ) {
        self.finish_staging().await;
        let now = self.context.clock.now();
        let staged = cells.into_iter().map(move |(cell, accepted_at)| cell.stage(now, accepted_at));
        let handle = tokio::spawn(try_join_all(staged).map_ok(|_| ()));
        self.staging = Some(Staging { task, records, handle });
    }

    /// Waits until the staging under way has ended. What fails is owed.
    pub(super) async fn finish_staging(&mut self) {
        let Some(Staging { task, records, handle }) = self.staging.take() else { return };
        let crashed = || "the staging of an answer crashed".to_owned();
        let outcome = handle.await.explain(Kind::Damaged, crashed).and_then(|outcome| outcome);
        if let Err(error) = outcome {
            self.take_back(task);
            self.shortfall.owe(task);
            self.fail(task.named(error));
            return;
        }
        self.figures.records.add(records);
        if task == Task::Snapshot {
            self.figures.details = self.snapshot.map(|snapshot| snapshot.viewer_details);
        }
    }

    /// Forgets the answer of this visit.
    fn take_back(&mut self, task: Task) {
        match task {
            Task::Day(day) => {
                match self.ledger.days.get(&day) {
                    Some(before) => self.known.insert(day, *before),
                    None => self.known.remove(&day),
                };
            }
            Task::Snapshot => self.snapshot = None,
        }
    }

    /// Counts a cell that has less than the last answer, and returns whether it is to be staged: not if it says the same as the
    /// last answer, nor if no rows are left and the user did not accept that.
    async fn judge_cell(
        &mut self,
        table: Table,
        now: Totals,
        day: Date,
        before: Option<(Timestamp, Totals)>,
        accepted_at: Option<Timestamp>,
    ) -> Result<bool> {
        let settled_at = self.context.lake.settings.settled_at(day)?;
        let (before_at, before) = before.unzip();
        // In this visit, or in one that was killed before it staged anything.
        let is_accepted =
            self.scope.accepts(day) || before_at.is_some_and(|before_at| Some(before_at) < accepted_at);
        // The lake keeps what was found after the day had settled, if that weighs more. If nothing is left, the vendor has
        // forgotten it: that is normal, and nobody has to look into it.
        let has_less = before.is_some_and(|before| now.is_less_than(&before));
        self.figures.fewer += u64::from(has_less);
        let is_shrunk = 0 < now.rows && has_less && before_at >= Some(settled_at) && !is_accepted;
        self.figures.shrunk += u64::from(is_shrunk);
        if is_accepted {
            // The lake may hold more than the last answer had.
            return Ok(now.rows > 0 || before.is_some());
        }
        if now.rows == 0 {
            return Ok(false);
        }
        let first_settled =
            before_at.is_some_and(|at| at < settled_at) && self.visit_id.pulled_at >= settled_at;
        Ok(before.map(|before| before.digest) != Some(now.digest)
            || first_settled
            || self.may_be_lost(table, day) && !self.lake_holds(table, day, "", now.digest).await)
    }

    /// Whether rejects are to be staged: not if they are those of the last answer.
    async fn are_new(&self, part: &str, now: Totals, day: Date, before: Totals) -> bool {
        now.digest != before.digest
            || now.rows > 0
                && self.may_be_lost(Table::Rejects, day)
                && !self.lake_holds(Table::Rejects, day, part, now.digest).await
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
