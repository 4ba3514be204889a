//! Pull: plan, and visit every event that is due. What that brings is staged.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::{StreamExt, future, stream};

use super::context::Context;
use super::plan::{Due, Writes, plan};
use super::selection::{Choice, Selection};
use super::visit::{Visited, visit};
use crate::error::{Error, Kind, Result};
use crate::extract::usage::Usage;
use crate::load::health::Health;
use crate::report::Report;

pub(super) async fn pull(context: &Context, selection: &Selection, report: &mut Report) -> Result<()> {
    let choice = Choice::checked(selection)?;
    let usage = Usage::default();
    let due = plan(context, &choice, &usage, Writes::Ledgers).await?.record(report);
    context.progress.events(due.len());
    let privacy = context.privacy().await?;
    // What the deadline cuts off is left to the next run.
    let may_go_on = AtomicBool::new(true);
    let goes_on = || may_go_on.load(Ordering::Relaxed) && !context.client.is_out_of_time();
    let mut visits = stream::iter(due)
        .take_while(|_| future::ready(goes_on()))
        .map(|Due { ledger, .. }| {
            let (context, choice, privacy) = (context.clone(), choice.for_event(&ledger), privacy.clone());
            let event_id = ledger.event.event_id;
            let before = Health::of(&ledger, context.clock.now());
            let task = tokio::spawn(async move { Box::pin(visit(&context, &choice, ledger, privacy)).await });
            async move { (event_id, before, task.await) }
        })
        .buffer_unordered(context.concurrency);
    while let Some((event_id, before, outcome)) = visits.next().await {
        match outcome {
            Ok(Ok(visited)) => {
                report.events.health -= before;
                report.events.health += Health::of(&visited.after, context.clock.now());
                let rows = visited.figures.tally.rows;
                context.progress.visited(event_id, rows, visited.used.bytes);
                record(report, visited);
            }
            // What no event would be spared ends the visits, once those under way are done; what is staged is published.
            Ok(Err(error)) => {
                if may_go_on.swap(false, Ordering::Relaxed) {
                    report.failed(&error);
                }
            }
            Err(crash) => {
                let error =
                    Error::new(Kind::Damaged, "the visit crashed").from_source(crash).with("event", event_id);
                report.event_failed(event_id, &error.hint("report it to the makers of rollcall"));
            }
        }
    }
    drop(visits);
    report.requests += usage.used();
    Ok(())
}

fn record(report: &mut Report, visited: Visited) {
    let Visited { event_id, outcome, figures, used, after, error } = visited;
    report.rows += figures.tally.rows;
    report.rejects += figures.tally.rejects;
    report.shrunk += figures.shrunk;
    report.set_aside += figures.tally.set_aside;
    report.notes.extend(figures.tally.notes);
    report.requests += used;
    match error {
        Some(error) => report.event_failed(event_id, &error),
        None => report.visited(outcome),
    }
    if !after.owed.is_empty() {
        report.owed.insert(event_id, after.owed.names());
    }
}
