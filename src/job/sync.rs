//! Sync: plan, visit every event that is due, publish.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::{StreamExt, future, stream};

use super::context::Context;
use super::plan::plan;
use super::selection::{Choice, Selection};
use super::visit::{Visited, visit};
use crate::error::{Error, Kind, Result};
use crate::extract::usage::Usage;
use crate::load::publish::publish;
use crate::report::Report;

pub(super) async fn sync(context: &Context, selection: &Selection) -> Result<Report> {
    let choice = Choice::checked(selection)?;
    let usage = Usage::default();
    let mut report = Report::new(&context.run);
    let planned = plan(context, &choice, &usage).await?;
    report.planned(planned.known, planned.due.len());
    for (event_id, error) in planned.failures {
        match event_id {
            Some(event_id) => {
                report.events.due += 1;
                report.event_failed(event_id, &error);
            }
            None => report.failed(&error),
        }
    }
    context.progress.events(planned.due.len());
    // What the deadline cuts off is left to the next run.
    let may_go_on = AtomicBool::new(true);
    let goes_on = || may_go_on.load(Ordering::Relaxed) && !context.client.is_out_of_time();
    let mut visits = stream::iter(planned.due)
        .take_while(|_| future::ready(goes_on()))
        .map(|ledger| {
            let (context, choice) = (context.clone(), choice.clone());
            let event_id = ledger.event.event_id;
            let task = tokio::spawn(async move { visit(&context, &choice, ledger).await });
            async move { (event_id, task.await) }
        })
        .buffer_unordered(context.concurrency);
    while let Some((event_id, outcome)) = visits.next().await {
        match outcome {
            Ok(Ok(visited)) => {
                context.progress.visited(event_id, visited.figures.tally.rows);
                record(&mut report, visited);
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
    context.progress.publishing();
    match publish(&context.store, &context.lake).await {
        Ok(published) => {
            for error in &published.failures {
                report.failed(error);
            }
            report.published = published;
        }
        Err(error) => report.failed(&error),
    }
    report.requests += usage.used();
    context.progress.done();
    Ok(report.finish())
}

fn record(report: &mut Report, visited: Visited) {
    let Visited { event_id, outcome, figures, used, owed, error } = visited;
    report.rows += figures.tally.rows;
    report.rejects += figures.tally.rejects;
    report.set_aside += figures.tally.set_aside;
    report.notes.extend(figures.tally.notes);
    report.requests += used;
    match error {
        Some(error) => report.event_failed(event_id, &error),
        None => report.visited(outcome),
    }
    if !owed.is_empty() {
        report.owed.insert(event_id, owed.names());
    }
}
