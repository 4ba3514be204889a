//! Pull: plans, and visits every event that is due. What the visits bring is staged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::{StreamExt, future, stream};
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

/// How the visit of an event ended.
enum Ended {
    /// The visit was made, whether or not everything was answered, or could be recorded.
    Visited(Box<Visited>),
    /// Before it began: another run has closed the event since it was planned.
    NotNeeded,
    /// Without a row in `pulls`: the ledger could not be read, or the visit crashed.
    Failed(Error),
    /// For a reason that every other event would meet.
    Stopped(Error),
}

pub(super) async fn pull(context: &Context, selection: &Selection, report: &mut Report) -> Result<()> {
    let choice = Arc::new(Choice::checked(selection)?);
    let usage = Usage::default();
    let due =
        plan(context, &choice, context.client.vendor(&usage), Purpose::Pull).await?.add_to_report(report);
    context.progress.events(due.len());
    let privacy = context.lake.privacy().await?;
    // Read by the stream while the loop below sets it, and a job must be `Send`: hence an atomic.
    let may_go_on = AtomicBool::new(true);
    // What the deadline cuts off is left to the next run.
    let goes_on = || may_go_on.load(Ordering::Relaxed) && !context.visit_deadline.is_over();
    let mut visits = stream::iter(due)
        .take_while(|_| future::ready(goes_on()))
        .map(|due| {
            let (context, choice, privacy) = (context.clone(), Arc::clone(&choice), privacy.clone());
            let event_id = due.event_id;
            let task = tokio::spawn(async move { visit_planned(&context, &choice, event_id, privacy).await });
            async move { (due, task.await.unwrap_or_else(|crash| Ended::Failed(crashed(crash)))) }
        })
        .buffer_unordered(context.concurrency);
    let (mut streak, mut stopped_by) = (Streak::default(), None);
    while let Some((due, ended)) = visits.next().await {
        if may_go_on.load(Ordering::Relaxed) && streak.should_stop_after(context, &ended).await {
            may_go_on.store(false, Ordering::Relaxed);
            stopped_by = streak.kind;
        }
        match ended {
            Ended::Visited(visited) => add_to_report(context, report, &choice, &due, *visited),
            Ended::NotNeeded => {
                report.events.due -= 1;
                report.events.health -= due.health;
            }
            Ended::Failed(error) => report.event_failed(due.event_id, error),
            // This error ends the visits, once those under way are done. What is staged is published.
            Ended::Stopped(error) => {
                if may_go_on.swap(false, Ordering::Relaxed) {
                    report.failed(&error);
                }
            }
        }
    }
    drop(visits);
    report.requests += usage.used();
    if choice.is_one_off() {
        say_what_is_left(report, &choice, stopped_by, context.visit_deadline.is_over());
    }
    Ok(())
}

/// Says how many of the chosen events were not visited in full, or that there were none. They may not be due, so no other run
/// would come back to them.
fn say_what_is_left(report: &mut Report, choice: &Choice, stopped_by: Option<Kind>, is_out_of_time: bool) {
    if choice.days().is_some() && report.events.due == 0 && report.failures.is_empty() {
        report.notes.insert("no event took place, or may have been watched, on these days".to_owned());
    }
    let left = report.left();
    if left == 0 {
        return;
    }
    let message = format!("{left} of the chosen events were not visited in full");
    if is_out_of_time {
        let late = Error::new(Kind::Timeout, message + " before the deadline");
        report.failed(&late.hint("run it again, with a longer `--deadline`"));
    } else if let Some(kind) = stopped_by {
        let stopped = Error::new(kind, message);
        report.failed(&stopped.hint("run it again when the cause is gone"));
    }
}

/// Visits in a row that failed for the same reason, which perhaps concerns all events.
#[derive(Default)]
struct Streak {
    /// The reason: the vendor cannot be reached, or the store cannot be read or written. `None` if the last
    /// visit failed for neither.
    kind: Option<Kind>,
    visits: u32,
}

impl Streak {
    /// Adds a visit, and returns whether further visits would most likely fail as well. After a few failures because of the
    /// store, the store itself is tried first.
    async fn should_stop_after(&mut self, context: &Context, ended: &Ended) -> bool {
        let error = match ended {
            Ended::Visited(visited) => visited.error.as_ref(),
            Ended::Failed(error) => Some(error),
            Ended::NotNeeded => None,
            Ended::Stopped(_) => return false,
        };
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

/// Visits an event that had a ledger when it was planned.
async fn visit_planned(context: &Context, choice: &Choice, event_id: i64, privacy: Privacy) -> Ended {
    let ledger = match context.ledgers.find(event_id).await {
        Ok(Some(Entry { ledger, .. })) => ledger,
        Ok(None) => {
            let gone =
                Error::new(Kind::Damaged, "the ledger is gone: it was there when the visit was planned");
            return Ended::Failed(gone.hint("run `sync --event` for it: that makes a new ledger"));
        }
        Err(error) => return Ended::Failed(error),
    };
    if ledger.closed.is_some() && !choice.is_chosen() {
        return Ended::NotNeeded;
    }
    match Box::pin(visit(context, choice.scope_of(&ledger), ledger, privacy)).await {
        Ok(visited) => Ended::Visited(Box::new(visited)),
        Err(error) => Ended::Stopped(error),
    }
}

fn crashed(crash: JoinError) -> Error {
    Error::bug("the visit crashed").caused_by(crash)
}

fn add_to_report(context: &Context, report: &mut Report, choice: &Choice, due: &Due, visited: Visited) {
    let Visited { event_id, outcome, figures, used, after, is_given_up, error } = visited;
    let now = context.clock.now();
    context.progress.visited(event_id, outcome, figures.records.rows, used.bytes);
    report.events.health -= due.health;
    report.events.health += Health::of(&after, now);
    report.shrunk += figures.shrunk;
    figures.records.add_to(report);
    report.requests += used;
    report.events.newly_failing += usize::from(after.is_newly_failing(now));
    report.events.given_up += usize::from(is_given_up);
    match error {
        Some(error)
            if error.kind() == Kind::UnknownEvent
                && !choice.is_chosen()
                && after.is_known_to_be_forgotten(now) =>
        {
            report.event_gone(event_id);
        }
        // It stays due, and another round of the fan-out may reach the vendor again.
        Some(error) if error.kind() == Kind::Unreachable => report.event_left(event_id, error),
        Some(error) => report.event_failed(event_id, error),
        None => report.visited(outcome),
    }
    if !after.owed.is_empty() {
        report.owed.insert(event_id, after.owed.names());
    }
}
