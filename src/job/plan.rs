//! Plan: what the rosters list goes into the ledgers, and the ledgers say which events are to be visited.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::pin::pin;

use clap::Args;
use futures::{Stream, StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::context::Context;
use super::estimate::{estimate, reason};
use super::known::{Keep, Known};
use super::listing::{self, Heard};
use super::planned::{Due, Planned};
use super::selection::{Choice, Selection};
use super::upgrade::clean_ledgers;
use super::visit::forecast;
use crate::error::{Error, Kind, Result};
use crate::extract::usage::Usage;
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
/// How far the vendor's clock may be from this machine's: what says more is no clock, such as seconds for milliseconds.
const VENDOR_TOLERANCE: SignedDuration = SignedDuration::from_hours(24);
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

/// Shows what would be done, or notes it for a fan-out.
pub(super) async fn show(context: &Context, call: &Plan, report: &mut Report) -> Result<()> {
    let choice = Choice::checked(&call.selection)?;
    if call.items.is_some() && !choice.events.is_empty() {
        return Err(Error::new(Kind::Usage, "items are made of what is due, not of chosen events")
            .hint("leave `--event` out, or `--items`"));
    }
    let usage = Usage::default();
    let writes = if call.items.is_some() { Writes::Ledgers } else { Writes::Nothing };
    let due = plan(context, &choice, &usage, writes, Keep::Ledgers).await?.record(report);
    report.requests += usage.used();
    if let Some(most) = call.items {
        let items = items::batched(due.iter().filter_map(|due| due.ledger.as_deref()), most);
        report.items = Some(items::put(context.store.as_ref(), &context.run, &items).await?);
        report.name_few();
        return Ok(());
    }
    let (now, mut all) = (context.clock.now(), Requests::default());
    for (since, ledger) in due.into_iter().filter_map(|Due { since, ledger, .. }| Some((since, ledger?))) {
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
    keep: Keep,
) -> Result<Planned> {
    let store = context.store.as_ref();
    let is_lake = match writes {
        Writes::Ledgers => context.lake.check_to_write(store, None).await?,
        Writes::Nothing => context.lake.check(store, None).await?,
    };
    let now = context.clock.now();
    let know = |ledger: Ledger| {
        let since = wanted_at(context, choice, &ledger, now);
        Known::of(ledger, since, now, keep)
    };
    if choice.planned_at.is_some() {
        return Ok(planned_before(context, choice, know).await);
    }
    let customer = context.client.customer(usage).await?;
    if is_lake && customer.is_some() {
        context.lake.check(store, customer.as_deref()).await?;
    }
    let mut planned = Planned::new(choice.events.is_empty() && choice.days.is_none());
    if !is_lake && writes == Writes::Ledgers {
        let recovered = recover(&context.store, &context.lake, &context.ledgers).await?;
        planned.failures.extend(recovered.into_iter().map(|error| (None, error)));
    }
    let mut known = BTreeMap::new();
    if choice.events.is_empty() {
        // Those of a run that was killed while it closed them.
        let mut moving = Vec::new();
        let take = |read: Result<Entry>| match read {
            Ok(Entry { ledger, .. }) => {
                moving.extend(ledger.closed.is_some().then(|| ledger.clone()));
                known.insert(ledger.event.event_id, know(ledger));
            }
            Err(error) => planned.failures.push((None, error)),
        };
        context.ledgers.each_active(take).await?;
        for ledger in moving.iter().filter(|_| writes == Writes::Ledgers) {
            context.ledgers.update(ledger, |_| {}).await?;
        }
    }
    planned.failures.extend(clock_is_behind(&known, now).map(|error| (None, error)));
    context.progress.listing();
    let privacy = context.privacy().await?;
    let (heard, cursor) =
        listing::listen(context, choice, usage, &known, &privacy, &mut planned.failures).await?;
    if heard.is_empty() && !choice.events.is_empty() {
        return Ok(planned);
    }
    if !is_lake && writes == Writes::Ledgers {
        context.lake.establish(store, customer.as_deref()).await?;
    }
    let mut is_noted = true;
    let mut described = pin!(describe(context, heard, now, writes));
    while let Some((event_id, outcome)) = described.next().await {
        is_noted &= outcome.is_ok();
        match outcome {
            Ok(ledger) => {
                known.insert(event_id, know(ledger));
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
        // By the vendor's clock, where this machine's is ahead of it: what is edited until then is yet to be listed.
        let told = usage.vendor_is_ahead().filter(|ahead| ahead.abs() <= VENDOR_TOLERANCE);
        let ahead = told.unwrap_or_default();
        cursor.put(&context.ledgers, now.checked_add(ahead).map_or(now, |theirs| theirs.min(now))).await?;
    }
    for (event_id, known) in known {
        planned.add(event_id, known);
    }
    planned.due.sort_by_key(|due| (due.since, due.event_id));
    Ok(planned)
}

/// The events of a plan that was made before, as their ledgers describe them now.
async fn planned_before(context: &Context, choice: &Choice, know: impl Fn(Ledger) -> Known) -> Planned {
    let found = stream::iter(choice.events.clone())
        .map(|event_id| async move { (event_id, context.ledgers.find(event_id).await) });
    let mut found = found.buffered(AT_ONCE);
    let mut planned = Planned::default();
    while let Some((event_id, found)) = found.next().await {
        match found {
            Ok(Some(Entry { ledger, .. })) => planned.add(event_id, know(ledger)),
            Ok(None) => {
                let error = Error::new(Kind::Usage, "the event has no ledger").with("event", event_id);
                planned.failures.push((Some(event_id), error.hint("plan it first, with `plan --items`")));
            }
            Err(error) => planned.failures.push((Some(event_id), error.with("event", event_id))),
        }
    }
    planned
}

/// A visit that lies in the future was made by another clock. Until this one has caught up, events are not due.
fn clock_is_behind(known: &BTreeMap<i64, Known>, now: Timestamp) -> Option<Error> {
    let newest = known.values().filter_map(|known| known.last_visit).max()?;
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
fn describe(
    context: &Context,
    heard: Vec<Heard>,
    now: Timestamp,
    writes: Writes,
) -> impl Stream<Item = (i64, Result<Ledger>)> {
    let described = stream::iter(heard).map(move |Heard { event, is_current }| async move {
        let new = Ledger::new(event, now);
        let change = |ledger: &mut Ledger| {
            if is_current {
                ledger.describe(&new.event);
            }
            // Its first visit follows, and needs no write of its own to say it.
            if ledger.closed.is_none() && ledger.event.has_ended(now) {
                let day = ledger.event.start_time.map(|start| context.lake.zone.day_of(start));
                ledger.event_day = ledger.event_day.or(day);
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
    described.buffered(AT_ONCE)
}
