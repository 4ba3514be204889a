//! Plan: writes what the rosters list into the ledgers, and decides from the ledgers which events are to be visited.

mod estimate;
mod known;
pub(super) mod planned;
pub(super) mod purpose;
mod questions;
mod roster_update;
mod rosters;
mod spans;
mod time_limit;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use clap::Args;
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use self::estimate::{estimate, reason};
use self::known::KnownEvent;
use self::planned::{Due, Planned};
use self::purpose::Purpose;
use self::roster_update::{NewLake, RosterUpdate};
use crate::config::{Rosters, at_least_one};
use crate::error::{Error, Kind, Result};
use crate::extract::usage::Usage;
use crate::extract::vendor::Vendor;
use crate::job::choice::{Choice, Chosen};
use crate::job::context::Context;
use crate::job::selection::Selection;
use crate::job::upgrade::clean_ledgers;
use crate::job::visit::Needs;
use crate::load::items;
use crate::load::ledger::ledgers::{AT_ONCE, Entry};
use crate::load::ledger::recover::recover;
use crate::load::ledger::{Closing, Ledger};
use crate::report::{DueEvent, Failure, Report, Requests};
use crate::transform::event::Event;

/// The arguments of `plan`.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// Which events to plan.
    #[command(flatten)]
    #[serde(flatten)]
    pub selection: Selection,
    /// For a fan-out: note what the rosters list in the ledgers, and put the events to visit into the store as a list of
    /// items. Each item is for one pull, with up to this many events, fewer if they are large.
    #[arg(long, value_name = "EVENTS", value_parser = at_least_one::<NonZeroUsize>, conflicts_with = "event")]
    pub items: Option<NonZeroUsize>,
}

/// How far the clocks of two machines may be apart.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Shows which events are due, or puts them into the store for a fan-out.
pub(in crate::job) async fn run(context: &Context, call: &Plan, report: &mut Report) -> Result<()> {
    let choice = Choice::checked(&call.selection)?;
    if call.items.is_some() && !call.selection.event.is_empty() {
        return Err(Error::new(Kind::Usage, "`--items` takes the events that are due, not chosen ones")
            .hint("leave out `--event`, or `--items`"));
    }
    if call.items.is_some() && call.selection.accept_shrink {
        return Err(Error::new(Kind::Usage, "`--items` does not say that fewer rows are accepted")
            .hint("give `--accept-shrink` to `pull` with the events of the plan, or to `sync`"));
    }
    let usage = Usage::default();
    let purpose = if call.items.is_some() { Purpose::Items } else { Purpose::Show };
    let vendor = context.client.vendor(&usage);
    let due = plan(context, &choice, vendor, purpose).await?.add_to_report(report);
    report.requests += usage.used();
    match call.items {
        Some(most) => put_items(context, &due, most, report).await,
        None => show_due(context, &choice, due, report).await,
    }
}

async fn put_items(context: &Context, due: &[Due], most: NonZeroUsize, report: &mut Report) -> Result<()> {
    let items = items::batched(due.iter().map(|due| (due.event_id, due.rows)), most);
    report.items = Some(items::put(context.lake.store.as_ref(), &context.run, &items).await?);
    Ok(())
}

async fn show_due(context: &Context, choice: &Choice, due: Vec<Due>, report: &mut Report) -> Result<()> {
    let (now, mut all) = (context.clock.now(), Requests::default());
    for (turn, ledger) in due.into_iter().filter_map(|Due { turn, ledger, .. }| Some((turn, ledger?))) {
        let (since, scope) = (turn.since, choice.scope_of(&ledger));
        let needs = Needs::of(context, scope, &ledger, now);
        let (windows, requests) = (needs.days(), needs.requests()?);
        all += requests;
        let reason = reason(scope.is_whole(), needs.is_last(), &ledger);
        let Event { event_id, title, end_time, .. } = ledger.event;
        let visited = ledger.last_visit;
        report.due.push(DueEvent { event_id, title, end_time, reason, since, visited, windows, requests });
    }
    report.estimate = Some(estimate(context, report.due.len(), all).await?);
    Ok(())
}

/// Brings the ledgers up to date with the rosters, unless the plan is only shown, and returns the events to visit.
pub(in crate::job) async fn plan(
    context: &Context,
    choice: &Choice,
    vendor: Vendor<'_>,
    purpose: Purpose,
) -> Result<Planned> {
    let is_lake = check_lake(context, purpose).await?;
    if let Chosen::Plan { events, .. } = &choice.chosen {
        return Ok(planned_before(context, choice, events, purpose).await);
    }
    let chose_events = matches!(choice.chosen, Chosen::Events(..));
    let customer = vendor.customer().await?;
    if let Some(customer) = customer.as_deref().filter(|_| is_lake) {
        check_customer(context, customer, purpose).await?;
    }
    let mut planned = Planned::new(matches!(choice.chosen, Chosen::Due));
    if !is_lake && purpose.writes_ledgers() {
        planned.fail(recover(&context.lake, &context.ledgers).await?);
    }
    let privacy = context.lake.privacy().await?;
    let revision = privacy.suppressed.revision();
    let new_lake = (!is_lake).then_some(NewLake { customer });
    let mut update = RosterUpdate::new(context, vendor, choice, purpose, privacy, new_lake);
    let mut half_closed = Vec::new();
    if !chose_events {
        half_closed = read_active_ledgers(&mut update).await?;
        let Rosters { edited, public, .. } = context.rosters;
        if choice.days().is_some() && !edited && !public {
            read_closed_ledgers(&mut update).await?;
        }
    }
    planned.fail(clock_is_behind(&update.known, update.now));
    context.progress.listing();
    let listed = rosters::note(&mut update).await;
    if purpose.writes_ledgers() && context.lake.privacy().await?.suppressed.revision() != revision {
        // Since the vendor was asked, the list of people to be forgotten has changed, perhaps by the host of a noted event. So
        // the ledgers are cleaned, even if the vendor's list broke off after that.
        planned.fail(clean_ledgers(context).await?);
    }
    let cursor = listed?;
    update.check_clock()?;
    if !chose_events {
        update.establish().await?;
    }
    file_closed(&mut update, half_closed).await?;
    let RosterUpdate { known, failures, given_up, notes, unsaved, now, .. } = update;
    planned.given_up = given_up;
    planned.notes.extend(notes);
    let reads_lists = context.rosters.edited || context.rosters.public;
    if !is_lake && reads_lists && known.is_empty() && matches!(choice.chosen, Chosen::Due) {
        let since = now.checked_sub(context.lookback).unwrap_or(now);
        let note =
            format!("the vendor lists no event since {since:.0}: give `--lookback` to look further back");
        planned.notes.push(note);
    }
    // The cursor may move on only if everything that was listed is in its ledger.
    if let Some(cursor) = cursor
        && unsaved.is_empty()
        && purpose.writes_ledgers()
    {
        cursor.put(&context.ledgers).await?;
    }
    let is_open = |event_id: &i64| known.get(event_id).is_some_and(|known| known.is_open);
    let not_planned = failures.iter().filter_map(|failure| failure.event_id.as_ref()).chain(unsaved.keys());
    planned.not_visited = not_planned.filter(|event_id| !is_open(event_id)).count();
    let unsaved = unsaved.into_iter().map(|(event_id, error)| Failure::of_event(event_id, error));
    planned.failures.extend(failures.into_iter().chain(unsaved));
    for (event_id, known) in known {
        planned.add(event_id, known);
    }
    planned.due.sort_by_key(|due| (due.turn, due.event_id));
    Ok(planned)
}

/// Whether there is a lake, and an error if it is not this run's.
async fn check_lake(context: &Context, purpose: Purpose) -> Result<bool> {
    if !purpose.writes_ledgers() {
        return context.lake.check(None).await;
    }
    let is_lake = context.lake.check_to_write().await?;
    context.lake.mend_suppressed().await?;
    Ok(is_lake)
}

/// An error if the lake is another customer's. A lake without a customer becomes this one's, unless the plan is only shown.
async fn check_customer(context: &Context, customer: &str, purpose: Purpose) -> Result<()> {
    if purpose.writes_ledgers() {
        context.lake.claim(customer).await
    } else {
        context.lake.check(Some(customer)).await.map(|_| ())
    }
}

/// A closed ledger among those of events that are still visited.
struct HalfClosed {
    ledger: Ledger,
    /// Whether it was open until now, and not left like this by a killed run.
    was_open: bool,
}

/// Remembers the events that are still visited. Returns the ledgers among them that are closed: those that are given up now, and
/// those that a killed run left half-closed.
async fn read_active_ledgers(update: &mut RosterUpdate<'_>) -> Result<Vec<HalfClosed>> {
    let (context, now) = (update.context, update.now);
    let mut closed = Vec::new();
    let remember = |read: Result<Entry>| match read {
        Ok(Entry { mut ledger, .. }) => {
            let was_open = ledger.closed.is_none();
            ledger.give_up_without_end(context.horizon, now);
            if ledger.closed.is_some() {
                closed.push(HalfClosed { was_open, ledger: ledger.clone() });
            }
            update.remember(ledger);
        }
        Err(error) => update.failures.push(Failure::of_run(&error)),
    };
    context.ledgers.each_active(remember).await?;
    Ok(closed)
}

/// Files these ledgers among the closed ones, unless a list has told meanwhile when the event ends.
async fn file_closed(update: &mut RosterUpdate<'_>, closed: Vec<HalfClosed>) -> Result<()> {
    let (context, now) = (update.context, update.now);
    for HalfClosed { ledger, was_open } in closed.iter().filter(|_| update.purpose.writes_ledgers()) {
        let give_up = |ledger: &mut Ledger| ledger.give_up_without_end(context.horizon, now);
        match context.ledgers.update(ledger, give_up).await {
            Ok(ledger) if *was_open && ledger.closed == Some(Closing::Incomplete) => {
                update.given_up += 1;
                update.failures.push(without_end(&ledger));
            }
            Err(error) if error.is_unreadable() => {
                update.failures.push(Failure::of_event(ledger.event.event_id, error));
            }
            outcome => drop(outcome?),
        }
    }
    Ok(())
}

/// Remembers the closed events that concern the chosen days: no list is read that would name them.
async fn read_closed_ledgers(update: &mut RosterUpdate<'_>) -> Result<()> {
    let ledgers = &update.context.ledgers;
    ledgers
        .each_closed(|read| match read {
            Ok(Entry { ledger, .. }) => update.remember_if_due(ledger),
            Err(error) => update.failures.push(Failure::of_run(&error)),
        })
        .await
}

/// The events of a plan that was made before, as their ledgers describe them now.
async fn planned_before(context: &Context, choice: &Choice, events: &[i64], purpose: Purpose) -> Planned {
    let now = context.clock.now();
    let found = stream::iter(events.to_vec())
        .map(|event_id| async move { (event_id, context.ledgers.find(event_id).await) });
    let mut found = found.buffered(AT_ONCE);
    let mut planned = Planned::default();
    while let Some((event_id, found)) = found.next().await {
        match found {
            Ok(Some(Entry { ledger, .. })) => {
                planned.add(event_id, KnownEvent::of(context, choice, ledger, now, purpose));
            }
            Ok(None) => {
                let error = Error::new(Kind::Usage, "the event has no ledger");
                let error = error.hint("plan it first, with `plan --items`");
                planned.failures.push(Failure::of_event(event_id, error));
            }
            Err(error) => planned.failures.push(Failure::of_event(event_id, error)),
        }
    }
    planned
}

/// The failure that names an event which is given up because nothing says when it ends.
fn without_end(ledger: &Ledger) -> Failure {
    let error = Error::new(Kind::BadAnswer, "the vendor does not say when the event ends, so it is given up");
    Failure::of_event(ledger.event.event_id, error.hint("`sync --event` still visits it"))
}

/// An error if the last visit lies in the future: another clock dated it, and until this clock passes it, events are not due.
fn clock_is_behind(known: &BTreeMap<i64, KnownEvent>, now: Timestamp) -> Option<Error> {
    let newest = known.values().filter_map(|known| known.last_visit).max()?;
    let behind = newest.duration_since(now);
    (behind > CLOCK_TOLERANCE).then(|| {
        let message = format!("the clock says {now:.0}, but the last visit was at {newest:.0}");
        Error::new(Kind::Clock, message)
            .hint("set the clock; events are due again when it has passed that visit")
    })
}
