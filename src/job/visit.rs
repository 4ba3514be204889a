//! A visit: everything that one call upon one event does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::context::Context;
use super::days::{self, Count};
use super::figures::{self, Figures};
use super::intake::{Intake, Taken};
use super::selection::Choice;
use crate::error::{Error, Kind, Result};
use crate::extract::usage::{Usage, Used};
use crate::extract::window;
use crate::load::ledger::{Day, Ledger, Outcome, Owed, Snapshot, Visit};
use crate::load::staging::{CellWriter, Visitor};
use crate::transform::decode::Setting;
use crate::transform::digest::Totals;
use crate::transform::tables::Table;

/// How a visit went.
pub(super) struct Visited {
    pub(super) event_id: i64,
    pub(super) outcome: Outcome,
    pub(super) figures: Figures,
    pub(super) used: Used,
    pub(super) owed: Owed,
    pub(super) error: Option<Error>,
}

/// Visits one event. An error is one that no other event would be spared, such as a token that is not accepted.
pub(super) async fn visit(context: &Context, choice: &Choice, ledger: Ledger) -> Result<Visited> {
    let usage = Usage::default();
    let now = context.clock.now();
    let after_the_last =
        ledger.last_visit.and_then(|last| last.checked_add(SignedDuration::from_millis(1)).ok());
    let pulled_at = after_the_last.map_or(now, |after| after.max(now));
    let event_id = ledger.event.event_id;
    let visitor = Visitor {
        event_id,
        pulled_at,
        run: context.run.clone(),
        accepted_at: if choice.accept_shrink { Some(pulled_at) } else { ledger.accepted_at },
    };
    let mut visiting = Visiting {
        context,
        choice,
        usage: &usage,
        visitor,
        began: now,
        event_day: ledger
            .event_day
            .unwrap_or_else(|| context.lake.zone.day_of(ledger.event.start_time.unwrap_or(now))),
        known: ledger.days.clone(),
        ledger,
        asked: BTreeSet::new(),
        counts: None,
        snapshot: None,
        owed: Owed::default(),
        figures: Figures::default(),
        is_left: false,
        error: None,
    };
    let through = match visiting.pull().await {
        Ok(()) => true,
        Err(error) if error.kind() == Kind::Credentials => return Err(error),
        Err(error) => {
            visiting.fail(error);
            false
        }
    };
    visiting.close(through).await
}

/// A visit that is under way.
struct Visiting<'a> {
    context: &'a Context,
    choice: &'a Choice,
    usage: &'a Usage,
    visitor: Visitor,
    began: Timestamp,
    event_day: Date,
    ledger: Ledger,
    /// The last answer of each day, this visit's where it has one.
    known: BTreeMap<Date, Day>,
    /// Days that this visit asked for.
    asked: BTreeSet<Date>,
    /// What the snapshot counts by day, where it was asked.
    counts: Option<BTreeMap<Date, Count>>,
    snapshot: Option<Snapshot>,
    owed: Owed,
    figures: Figures,
    /// Whether the deadline came first.
    is_left: bool,
    /// The first error.
    error: Option<Error>,
}

impl Visiting<'_> {
    async fn pull(&mut self) -> Result<()> {
        self.fix_event_day().await?;
        for day in days::due(self.context, self.choice, &self.ledger, self.visitor.pulled_at) {
            self.pull_day(day).await?;
        }
        if self.wants_snapshot() {
            self.pull_snapshot().await?;
            for day in self.days_to_check()? {
                self.pull_day(day).await?;
            }
        }
        self.compare();
        Ok(())
    }

    /// The event's day, where neither ledger nor vendor says it, is that of its earliest record: a snapshot of which
    /// nothing is kept.
    async fn fix_event_day(&mut self) -> Result<()> {
        if self.ledger.event_day.is_some() || self.ledger.event.start_time.is_some() {
            return Ok(());
        }
        if let Some(taken) = self.take_snapshot().await?
            && let Some(first) = taken.counts.keys().next()
        {
            self.event_day = *first;
        }
        Ok(())
    }

    /// On the first visit, on the last, when it is owed, when the user asks, and when a day is not what it was.
    fn wants_snapshot(&self) -> bool {
        let pulled_at = self.visitor.pulled_at;
        let is_last = self.ledger.closed.is_none() && self.ledger.is_past(self.context.horizon, pulled_at);
        let changed = || {
            self.known.iter().any(|(day, now)| {
                self.ledger.days.get(day).is_none_or(|before| {
                    before.lives.digest != now.lives.digest
                        || before.interactions.digest != now.interactions.digest
                })
            })
        };
        let is_first = self.ledger.through.is_none();
        is_first || is_last || self.ledger.owed.snapshot || self.choice.is_explicit() || changed()
    }

    /// Days that the snapshot counts differently, or all where there is no snapshot; not those that were just asked.
    fn days_to_check(&self) -> Result<BTreeSet<Date>> {
        let days = match &self.counts {
            Some(counts) => days::differing(self.choice, counts, &self.known),
            None => days::possible(self.context, &self.ledger, self.event_day, self.visitor.pulled_at)?,
        };
        Ok(&days - &self.asked)
    }

    /// Asks for a day and stages what came. A day that fails is owed; the others do not wait for it.
    async fn pull_day(&mut self, day: Date) -> Result<()> {
        self.asked.insert(day);
        match self.take_day(day).await {
            Ok(Some(taken)) => match self.stage_day(day, taken).await {
                Ok(()) => return Ok(()),
                Err(error) => self.fail(error.with("day", day)),
            },
            Ok(None) => self.is_left = true,
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => self.fail(error.with("day", day)),
        }
        self.owed.days.insert(day);
        Ok(())
    }

    /// The answers for a day; none where there is no time left. Where one takes too long or is too large, the day is
    /// started anew in halves.
    async fn take_day(&mut self, day: Date) -> Result<Option<Taken>> {
        let zone = &self.context.lake.zone;
        let mut attempts = self.context.client.attempts(self.usage);
        let mut pieces = 1;
        let mut windows = window::split(zone, day, pieces)?.unwrap_or_default();
        loop {
            if self.context.client.is_out_of_time() {
                return Ok(None);
            }
            let mut intake = Intake::of_day(&self.context.store, &self.visitor, self.setting(), day);
            let outcome = async {
                for window in &windows {
                    let asked = intake.ask(&self.context.client, self.usage, Some(*window)).await;
                    asked
                        .map_err(|error| error.with("window", format!("[{}, {})", window.from, window.to)))?;
                }
                intake.finish().await
            };
            match outcome.await {
                Ok(taken) => {
                    self.figures.windows.extend(windows.iter().map(window::Window::asked));
                    return Ok(Some(taken));
                }
                Err(error) if matches!(error.kind(), Kind::TooLarge | Kind::Timeout) => {
                    pieces *= 2;
                    windows = match window::split(zone, day, pieces)? {
                        Some(halves) => halves,
                        None => return Err(error),
                    };
                }
                Err(error) => attempts.pause(error).await?,
            }
        }
    }

    async fn pull_snapshot(&mut self) -> Result<()> {
        match self.take_snapshot().await {
            Ok(Some(taken)) => match self.stage_snapshot(taken).await {
                Ok(()) => return Ok(()),
                Err(error) => self.fail(error.with("window", "snapshot")),
            },
            Ok(None) => self.is_left = true,
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => self.fail(error.with("window", "snapshot")),
        }
        self.owed.snapshot = true;
        Ok(())
    }

    async fn take_snapshot(&self) -> Result<Option<Taken>> {
        let mut attempts = self.context.client.attempts(self.usage);
        loop {
            if self.context.client.is_out_of_time() {
                return Ok(None);
            }
            let mut intake =
                Intake::of_snapshot(&self.context.store, &self.visitor, self.setting(), self.event_day);
            let outcome = async {
                intake.ask(&self.context.client, self.usage, None).await?;
                intake.finish().await
            };
            match outcome.await {
                Ok(taken) => return Ok(Some(taken)),
                Err(error) => attempts.pause(error).await?,
            }
        }
    }

    async fn stage_day(&mut self, day: Date, taken: Taken) -> Result<()> {
        let answer = Day {
            pulled_at: self.visitor.pulled_at,
            lives: taken.totals(Table::Lives),
            interactions: taken.totals(Table::Interactions),
            rejects: taken.rejected.totals().rows,
        };
        let before = self.known.get(&day).copied();
        for cell in taken.cells {
            let table = cell.table();
            let rows = |before: Day| if table == Table::Lives { before.lives } else { before.interactions };
            self.stage(cell, day, before.map(|before| (before.pulled_at, rows(before)))).await?;
        }
        self.stage_rejects(taken.rejected, before.map_or(0, |before| before.rejects)).await?;
        self.figures.tally.add(taken.tally);
        let is_empty = answer.lives.rows + answer.interactions.rows + answer.rejects == 0;
        if !is_empty || before.is_some() {
            self.known.insert(day, answer);
        }
        Ok(())
    }

    async fn stage_snapshot(&mut self, taken: Taken) -> Result<()> {
        let details = taken.totals(Table::ViewerDetails);
        let rejects = taken.rejected.totals().rows;
        let before = self.ledger.snapshot;
        for cell in taken.cells {
            self.stage(cell, self.event_day, before.map(|before| (before.pulled_at, before.viewer_details)))
                .await?;
        }
        self.stage_rejects(taken.rejected, before.map_or(0, |before| before.rejects)).await?;
        self.figures.tally.add(taken.tally);
        self.figures.details = Some(details);
        self.counts = Some(taken.counts);
        self.snapshot =
            Some(Snapshot { pulled_at: self.visitor.pulled_at, viewer_details: details, rejects });
        Ok(())
    }

    /// Stages a cell, unless it says what the last answer said, or takes rows away without being told to.
    async fn stage(
        &mut self,
        cell: CellWriter,
        day: Date,
        before: Option<(Timestamp, Totals)>,
    ) -> Result<()> {
        let now = cell.totals();
        let (before_at, before) = before.unzip();
        let had = before.map_or(0, |before| before.rows);
        self.figures.fewer += u64::from(now.rows < had);
        let is_worth = if self.choice.accept_shrink {
            now.rows + had > 0
        } else if now.rows == 0 {
            false
        } else {
            let settled_at = self.context.lake.settled_at(day)?;
            let first_settled =
                before_at.is_some_and(|at| at < settled_at) && self.visitor.pulled_at >= settled_at;
            self.choice.is_explicit()
                || before.map(|before| before.digest) != Some(now.digest)
                || first_settled
        };
        if is_worth { cell.stage(self.context.clock.now()).await } else { Ok(()) }
    }

    /// Stages rejects, where there are some or were some.
    async fn stage_rejects(&self, rejected: CellWriter, before: u64) -> Result<()> {
        if rejected.totals().rows + before > 0 {
            rejected.stage(self.context.clock.now()).await
        } else {
            Ok(())
        }
    }

    /// Compares every settled day with the snapshot. What differs stays as it is, and is said.
    fn compare(&mut self) {
        let Some(counts) = &self.counts else { return };
        let days: BTreeSet<Date> = counts.keys().chain(self.known.keys()).copied().collect();
        let settled = |day: &&Date| {
            self.context.lake.settled_at(**day).is_ok_and(|settled_at| self.visitor.pulled_at >= settled_at)
        };
        let settled: Vec<&Date> = days.iter().filter(settled).collect();
        let agrees = |day: &Date| counts.get(day).copied().unwrap_or_default().agrees(self.known.get(day));
        let differing = settled.iter().filter(|day| !agrees(day)).count();
        self.figures.checked = Some((settled.len() as u64, differing as u64));
    }

    /// Stages the rows of the visit and of the event, and folds the visit into the ledger.
    async fn close(mut self, through: bool) -> Result<Visited> {
        let outcome = match (&self.error, self.is_left) {
            (Some(_), _) => Outcome::Failed,
            (None, true) => Outcome::Left,
            (None, false) => Outcome::Complete,
        };
        let pulled_at = self.visitor.pulled_at;
        let visit = Visit {
            pulled_at,
            event_day: self.event_day,
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
            accepted_at: self.visitor.accepted_at,
            outcome,
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
            owed: after.owed,
            error: self.error,
        })
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
        let events = figures::events_row(after, zone, outcome)?;
        let cell = |table, day, part| {
            CellWriter::new(Arc::clone(&self.context.store), self.visitor.clone(), table, day, part)
        };
        let mut row = cell(Table::Pulls, zone.day_of(self.visitor.pulled_at), run);
        row.write(pulls).await?;
        row.stage(now).await?;
        let mut row = cell(Table::Events, after.event_day.unwrap_or(self.event_day), "");
        row.write(events).await?;
        row.stage(now).await
    }

    fn setting(&self) -> Setting {
        let Visitor { event_id, pulled_at, .. } = self.visitor;
        Setting { event_id, pulled_at, zone: self.context.lake.zone.clone() }
    }

    fn fail(&mut self, error: Error) {
        let error = error.with("event", self.visitor.event_id);
        tracing::debug!("{error}");
        self.error.get_or_insert(error);
    }
}

/// Whether asking this event for anything else would fail in the same way.
fn is_final(error: &Error) -> bool {
    matches!(error.kind(), Kind::Credentials | Kind::UnknownEvent | Kind::Refused)
}
