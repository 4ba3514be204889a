//! Plan: what the rosters list goes into the ledgers, and the ledgers say which events are to be visited.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use clap::Args;
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::context::Context;
use super::estimate::{estimate, reason};
use super::listing::{self, Heard};
use super::selection::{Choice, Selection};
use super::upgrade::clean_ledgers;
use super::visit::forecast;
use crate::error::{Error, Kind, Result};
use crate::extract::usage::Usage;
use crate::load::health::Health;
use crate::load::items;
use crate::load::ledger::Ledger;
use crate::load::ledgers::Entry;
use crate::load::recover::recover;
use crate::report::{DueEvent, Report, Requests};
use crate::transform::event::Event;

/// What `plan` is called with.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// Which events.
    #[command(flatten)]
    #[serde(flatten)]
    pub selection: Selection,
    /// For a fan-out: note what the rosters list in the ledgers, and put the events to visit into the store as a list of
    /// items, each one pull's: up to so many events, fewer where they are large.
    #[arg(long, value_name = "EVENTS", conflicts_with = "event")]
    pub items: Option<NonZeroUsize>,
}

/// Ledgers that are read or written at once.
const AT_ONCE: usize = 16;
/// How far the clocks of two machines may be apart.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// What a plan leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writes {
    /// What the rosters list goes into the ledgers.
    Ledgers,
    /// Nothing.
    Nothing,
}

/// An event to visit.
pub(super) struct Due {
    pub(super) ledger: Ledger,
    /// Since when it waits.
    pub(super) since: Timestamp,
}

/// What is to be done.
#[derive(Default)]
pub(super) struct Planned {
    /// The events to visit, those first that wait longest.
    pub(super) due: Vec<Due>,
    /// Events that are known and still visited.
    pub(super) known: usize,
    /// How they are.
    pub(super) health: Health,
    /// What could not be planned, by event where it is one.
    pub(super) failures: Vec<(Option<i64>, Error)>,
}

impl Planned {
    fn add(&mut self, ledger: Ledger, since: Option<Timestamp>, now: Timestamp) {
        self.known += usize::from(ledger.closed.is_none());
        self.health += Health::of(&ledger, now);
        self.due.extend(since.map(|since| Due { ledger, since }));
    }

    /// Tells the report, and gives the events to visit.
    pub(super) fn record(self, report: &mut Report) -> Vec<Due> {
        report.planned(self.known, self.due.len());
        report.events.health += self.health;
        for (event_id, error) in self.failures {
            match event_id {
                Some(event_id) => {
                    report.events.due += 1;
                    report.event_failed(event_id, &error);
                }
                None => report.failed(&error),
            }
        }
        self.due
    }
}

/// Shows what would be done, or notes it for a fan-out.
pub(super) async fn show(context: &Context, call: &Plan, report: &mut Report) -> Result<()> {
    let choice = Choice::checked(&call.selection)?;
    let usage = Usage::default();
    let writes = if call.items.is_some() { Writes::Ledgers } else { Writes::Nothing };
    let due = plan(context, &choice, &usage, writes).await?.record(report);
    report.requests += usage.used();
    if let Some(most) = call.items {
        let items = items::batched(due.iter().map(|due| &due.ledger), most);
        report.items = Some(items::put(context.store.as_ref(), &context.run, &items).await?);
        return Ok(());
    }
    let (now, mut all) = (context.clock.now(), Requests::default());
    for Due { ledger, since } in due {
        let (windows, requests) = forecast(context, &choice, &ledger, now)?;
        all += requests;
        let reason = reason(context, choice.is_explicit(), &ledger, now);
        let Event { event_id, title, end_time, .. } = ledger.event;
        let visited = ledger.last_visit;
        report.due.push(DueEvent { event_id, title, end_time, reason, since, visited, windows, requests });
    }
    report.estimate = Some(estimate(context, report.due.len(), all).await?);
    Ok(())
}

pub(super) async fn plan(
    context: &Context,
    choice: &Choice,
    usage: &Usage,
    writes: Writes,
) -> Result<Planned> {
    let store = context.store.as_ref();
    let is_lake = match writes {
        Writes::Ledgers => context.lake.check_to_write(store, None).await?,
        Writes::Nothing => context.lake.check(store, None).await?,
    };
    if choice.planned_at.is_some() {
        return planned_before(context, choice).await;
    }
    let customer = context.client.customer(usage).await?;
    if is_lake && customer.is_some() {
        context.lake.check(store, customer.as_deref()).await?;
    }
    let now = context.clock.now();
    let mut planned = Planned::default();
    if !is_lake && writes == Writes::Ledgers {
        let recovered = recover(&context.store, &context.lake, &context.ledgers).await?;
        planned.failures.extend(recovered.into_iter().map(|error| (None, error)));
    }
    let (active, damaged) =
        if choice.events.is_empty() { context.ledgers.active().await? } else { Default::default() };
    planned.failures.extend(damaged.into_iter().map(|error| (None, error)));
    if writes == Writes::Ledgers {
        // Those of a run that was killed while it closed them.
        let moving = active.iter().filter(|entry| entry.ledger.closed.is_some());
        for entry in moving {
            context.ledgers.update(&entry.ledger, |_| {}).await?;
        }
    }
    let mut ledgers: BTreeMap<i64, Ledger> =
        active.into_iter().map(|entry| (entry.ledger.event.event_id, entry.ledger)).collect();
    planned.failures.extend(clock_is_behind(&ledgers, now).map(|error| (None, error)));
    context.progress.listing();
    let privacy = context.privacy().await?;
    let (heard, cursor) =
        listing::listen(context, choice, usage, &ledgers, &privacy, &mut planned.failures).await?;
    if heard.is_empty() && !choice.events.is_empty() {
        return Ok(planned);
    }
    if !is_lake && writes == Writes::Ledgers {
        context.lake.establish(store, customer.as_deref()).await?;
    }
    let mut is_noted = true;
    for (event_id, outcome) in describe(context, heard, now, writes).await {
        is_noted &= outcome.is_ok();
        match outcome {
            Ok(ledger) => {
                ledgers.insert(event_id, ledger);
            }
            Err(error) => planned.failures.push((Some(event_id), error.with("event", event_id))),
        }
    }
    if writes == Writes::Ledgers
        && context.privacy().await?.suppressed.revision() != privacy.suppressed.revision()
    {
        // Somebody is to be forgotten since the vendor was asked, and may be a host.
        planned.failures.extend(clean_ledgers(context).await?.into_iter().map(|error| (None, error)));
    }
    // Only when everything that was listed is in its ledger may the cursor move past it.
    if let Some(cursor) = cursor
        && is_noted
        && writes == Writes::Ledgers
    {
        cursor.put(&context.ledgers, now).await?;
    }
    for ledger in ledgers.into_values() {
        let since = wanted_at(context, choice, &ledger, now);
        planned.add(ledger, since, now);
    }
    planned.due.sort_by_key(|due| (due.since, due.ledger.event.event_id));
    Ok(planned)
}

/// The events of a plan that was made before, as their ledgers describe them now.
async fn planned_before(context: &Context, choice: &Choice) -> Result<Planned> {
    let now = context.clock.now();
    let found = stream::iter(choice.events.clone())
        .map(|event_id| async move { (event_id, context.ledgers.find(event_id).await) })
        .buffered(AT_ONCE);
    let mut planned = Planned::default();
    for (event_id, found) in found.collect::<Vec<_>>().await {
        match found {
            Ok(Some(Entry { ledger, .. })) => {
                let since = wanted_at(context, choice, &ledger, now);
                planned.add(ledger, since, now);
            }
            Ok(None) => {
                let error = Error::new(Kind::Usage, "the event has no ledger").with("event", event_id);
                planned.failures.push((Some(event_id), error.hint("plan it first, with `plan --items`")));
            }
            Err(error) => planned.failures.push((Some(event_id), error.with("event", event_id))),
        }
    }
    Ok(planned)
}

/// A visit that lies in the future was made by another clock. Until this one has caught up, events are not due.
fn clock_is_behind(ledgers: &BTreeMap<i64, Ledger>, now: Timestamp) -> Option<Error> {
    let newest = ledgers.values().filter_map(|ledger| ledger.last_visit).max()?;
    let behind = newest.duration_since(now);
    (behind > CLOCK_TOLERANCE).then(|| {
        let message = format!("the clock says {now:.0}, and the last visit was at {newest:.0}");
        Error::new(Kind::Usage, message)
            .hint("set the clock; events are due again when it is past that visit")
    })
}

/// Since when a visit is wanted; none where it is not, or not yet.
fn wanted_at(context: &Context, choice: &Choice, ledger: &Ledger, now: Timestamp) -> Option<Timestamp> {
    if choice.was_visited(ledger) {
        // What the deadline cut off is gone on with; what failed is for the next plan.
        let is_cut_off = ledger.failures == 0 && !ledger.owed.is_empty();
        return is_cut_off.then(|| ledger.end());
    }
    if choice.planned_at.is_some() {
        return Some(ledger.end());
    }
    if !choice.is_explicit() {
        return ledger.due_at(now).filter(|at| *at <= now);
    }
    let is_chosen = !choice.events.is_empty()
        || ledger.days.keys().any(|day| choice.has_day(*day))
        || choice.meets(&ledger.event, &context.lake.zone)
            && !ledger.event.never_was()
            && ledger.event.start_time.is_some_and(|start| start <= now);
    is_chosen.then(|| ledger.end())
}

/// What was heard of events, in their ledgers. A ledger that cannot be read fails alone.
async fn describe(
    context: &Context,
    heard: Vec<Heard>,
    now: Timestamp,
    writes: Writes,
) -> Vec<(i64, Result<Ledger>)> {
    let described = stream::iter(heard).map(|Heard { event, is_current }| async move {
        let new = Ledger::new(event, now);
        let change = |ledger: &mut Ledger| {
            if is_current {
                ledger.describe(&new.event);
            }
        };
        let event_id = new.event.event_id;
        let described = match writes {
            Writes::Ledgers => context.ledgers.update(&new, change).await,
            Writes::Nothing => context.ledgers.find(event_id).await.map(|found| {
                let mut ledger = found.map_or_else(|| new.clone(), |entry| entry.ledger);
                change(&mut ledger);
                ledger
            }),
        };
        (event_id, described)
    });
    described.buffered(AT_ONCE).collect().await
}
