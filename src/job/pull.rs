//! Pull: plans, and visits every event that is due. What the visits bring is staged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::{StreamExt, future, stream};
use jiff::Timestamp;
use tokio::task::JoinError;

use super::choice::Choice;
use super::context::{Context, FAILURES_TO_STOP};
use super::plan::plan;
use super::plan::planned::Due;
use super::plan::purpose::Purpose;
use super::selection::Selection;
use super::visit::{Visited, visit};
use crate::error::{Error, Kind, Result};
use crate::extract::usage::Usage;
use crate::load::ledger::health::Health;
use crate::load::ledger::ledgers::Entry;
use crate::report::Report;
use crate::transform::privacy::Privacy;

/// After this many visits in a row that failed because of the store, no other is begun, even if the store works otherwise.
const STORE_FAILURES_TO_STOP: u32 = 20;

pub(super) async fn pull(context: &Context, selection: &Selection, report: &mut Report) -> Result<()> {
    let choice = Arc::new(Choice::checked(selection)?);
    let usage = Usage::default();
    let due =
        plan(context, &choice, context.client.vendor(&usage), Purpose::Pull).await?.add_to_report(report);
    context.progress.events(due.len());
    let privacy = context.lake.privacy().await?;
    // What the deadline cuts off is left to the next run.
    let may_go_on = AtomicBool::new(true);
    let goes_on = || may_go_on.load(Ordering::Relaxed) && !context.client.is_out_of_time();
    let mut visits = stream::iter(due)
        .take_while(|_| future::ready(goes_on()))
        .map(|due| {
            let (context, choice, privacy) = (context.clone(), Arc::clone(&choice), privacy.clone());
            let event_id = due.event_id;
            let task = tokio::spawn(async move { visit_planned(&context, &choice, event_id, privacy).await });
            async move { (due, task.await.unwrap_or_else(|crash| Ok(Err(crashed(crash, event_id))))) }
        })
        .buffer_unordered(context.concurrency);
    let (mut streak, mut stopped_by) = (Streak::default(), None);
    while let Some((Due { event_id, health, .. }, outcome)) = visits.next().await {
        if let Ok(outcome) = &outcome
            && may_go_on.load(Ordering::Relaxed)
            && streak.add(context, outcome).await
        {
            may_go_on.store(false, Ordering::Relaxed);
            stopped_by = streak.kind;
        }
        match outcome {
            Ok(Ok(visited)) => {
                let now = context.clock.now();
                report.events.health -= health;
                report.events.health += Health::of(&visited.after, now);
                let rows = visited.figures.records.rows;
                context.progress.visited(event_id, visited.outcome, rows, visited.used.bytes);
                add_to_report(report, &choice, now, visited);
            }
            Ok(Err(error)) => report.event_failed(event_id, &error),
            // An error that every event would meet ends the visits, once those under way are done. What is staged is published.
            Err(error) => {
                if may_go_on.swap(false, Ordering::Relaxed) {
                    report.failed(&error);
                }
            }
        }
    }
    drop(visits);
    if choice.days().is_some() && choice.is_one_off() && report.events.due == 0 && report.failures.is_empty()
    {
        report.notes.insert("no event took place, or was watched, on these days".to_owned());
    }
    report.requests += usage.used();
    let left = report.left();
    if left > 0 && choice.is_one_off() {
        // Chosen events need not be due: no other run would come back to them.
        let message = format!("{left} of the chosen events were not visited in full");
        if context.client.is_out_of_time() {
            let late = Error::new(Kind::Timeout, message + " before the deadline");
            report.failed(&late.hint("run it again, with a longer `--deadline`"));
        } else if let Some(kind) = stopped_by {
            let stopped = Error::new(kind, message);
            report.failed(&stopped.hint("run it again when the cause is gone"));
        }
    }
    Ok(())
}

/// Visits in a row that failed for the same reason, which perhaps concerns all events.
#[derive(Default)]
struct Streak {
    /// The reason: the vendor cannot be reached, or the store cannot be read or written. `None` if the last visit had neither.
    kind: Option<Kind>,
    visits: u32,
}

impl Streak {
    /// Adds a visit, and returns whether further visits would most likely fail as well.
    async fn add(&mut self, context: &Context, outcome: &Result<Visited>) -> bool {
        let error = outcome.as_ref().map_or_else(Some, |visited| visited.error.as_ref());
        let kind = error.map(Error::kind).filter(|kind| matches!(kind, Kind::Unreachable | Kind::Store));
        self.visits = if kind == self.kind { self.visits + 1 } else { 1 };
        self.kind = kind;
        match (kind, self.visits) {
            (Some(Kind::Unreachable), FAILURES_TO_STOP) | (Some(Kind::Store), STORE_FAILURES_TO_STOP) => true,
            // If the store works, a few visits may fail for reasons of their own.
            (Some(Kind::Store), FAILURES_TO_STOP) => !context.store_works().await,
            _ => false,
        }
    }
}

/// Visits an event. If its ledger cannot be read, it fails alone: that is the inner error.
async fn visit_planned(
    context: &Context,
    choice: &Choice,
    event_id: i64,
    privacy: Privacy,
) -> Result<Result<Visited>> {
    match context.ledgers.find(event_id).await {
        Ok(Some(Entry { ledger, .. })) => {
            Box::pin(visit(context, choice.scope_of(&ledger), ledger, privacy)).await.map(Ok)
        }
        Ok(None) => {
            let gone =
                Error::new(Kind::Damaged, "the ledger is gone: it was there when the visit was planned");
            Ok(Err(gone.with("event", event_id).hint("run `sync --event` for it: that makes a new ledger")))
        }
        Err(error) => Ok(Err(error.with("event", event_id))),
    }
}

fn crashed(crash: JoinError, event_id: i64) -> Error {
    let error = Error::new(Kind::Damaged, "the visit crashed").caused_by(crash);
    error.with("event", event_id).hint("report it to the makers of rollcall")
}

fn add_to_report(report: &mut Report, choice: &Choice, now: Timestamp, visited: Visited) {
    let Visited { event_id, outcome, figures, used, after, error, .. } = visited;
    report.shrunk += figures.shrunk;
    figures.records.add_to(report);
    report.requests += used;
    report.events.newly_failing += usize::from(Health::is_newly_failing(&after, now));
    match error {
        Some(error)
            if error.kind() == Kind::UnknownEvent
                && !choice.is_chosen()
                && Health::is_known_to_be_gone(&after) =>
        {
            report.event_gone(event_id);
        }
        // It stays due, and another round of the fan-out may reach the vendor again.
        Some(error) if error.kind() == Kind::Unreachable => report.event_left(event_id, &error),
        Some(error) => report.event_failed(event_id, &error),
        None => report.visited(outcome),
    }
    if !after.owed.is_empty() {
        report.owed.insert(event_id, after.owed.names());
    }
}
