//! Plan: what the rosters list goes into the ledgers, and the ledgers say which events are to be visited.

use std::collections::BTreeMap;

use futures::{StreamExt, stream};
use jiff::Timestamp;

use super::context::Context;
use super::listing::{self, Heard};
use super::selection::Choice;
use crate::error::{Error, Result};
use crate::extract::usage::Usage;
use crate::load::ledger::Ledger;

/// Ledgers that are written at once.
const AT_ONCE: usize = 16;

/// What is to be done.
#[derive(Default)]
pub(super) struct Planned {
    /// The ledgers of the events to visit, those first that wait longest.
    pub(super) due: Vec<Ledger>,
    /// Events that are known and still visited.
    pub(super) known: usize,
    /// What could not be planned, by event where it is one.
    pub(super) failures: Vec<(Option<i64>, Error)>,
}

pub(super) async fn plan(context: &Context, choice: &Choice, usage: &Usage) -> Result<Planned> {
    context.lake.check(context.store.as_ref(), None).await?;
    let customer = context.client.customer(usage).await?;
    let now = context.clock.now();
    let mut planned = Planned::default();
    let (active, damaged) =
        if choice.events.is_empty() { context.ledgers.active().await? } else { Default::default() };
    planned.failures.extend(damaged.into_iter().map(|error| (None, error)));
    let mut ledgers: BTreeMap<i64, Ledger> =
        active.into_iter().map(|entry| (entry.ledger.event.event_id, entry.ledger)).collect();
    let (heard, cursor) = listing::listen(context, choice, usage, &ledgers, &mut planned.failures).await?;
    if heard.is_empty() && !choice.events.is_empty() {
        return Ok(planned);
    }
    context.lake.establish(context.store.as_ref(), customer.as_deref()).await?;
    let mut is_noted = true;
    for (event_id, outcome) in describe(context, heard, now).await {
        is_noted &= outcome.is_ok();
        match outcome {
            Ok(ledger) => {
                ledgers.insert(event_id, ledger);
            }
            Err(error) => planned.failures.push((Some(event_id), error.with("event", event_id))),
        }
    }
    // Only when everything that was listed is in its ledger may the cursor move past it.
    if let Some(cursor) = cursor
        && is_noted
    {
        cursor.put(context).await?;
    }
    planned.known = ledgers.values().filter(|ledger| ledger.closed.is_none()).count();
    let mut due: Vec<(Timestamp, Ledger)> = ledgers
        .into_values()
        .filter_map(|ledger| Some((wanted_at(context, choice, &ledger, now)?, ledger)))
        .collect();
    due.sort_by_key(|(at, ledger)| (*at, ledger.event.event_id));
    planned.due = due.into_iter().map(|(_, ledger)| ledger).collect();
    Ok(planned)
}

/// Since when a visit is wanted; none where it is not, or not yet.
fn wanted_at(context: &Context, choice: &Choice, ledger: &Ledger, now: Timestamp) -> Option<Timestamp> {
    if !choice.is_explicit() {
        return ledger.due_at(now).filter(|at| *at <= now);
    }
    let is_chosen = !choice.events.is_empty()
        || choice.meets(&ledger.event, &context.lake.zone)
            && !ledger.event.never_was()
            && ledger.event.start_time.is_some_and(|start| start <= now);
    is_chosen.then(|| ledger.end())
}

/// Puts what was heard of events into their ledgers. A ledger that cannot be read fails alone.
async fn describe(context: &Context, heard: Vec<Heard>, now: Timestamp) -> Vec<(i64, Result<Ledger>)> {
    let described = stream::iter(heard).map(|Heard { event, is_current }| async move {
        let new = Ledger::new(event, now);
        let change = |ledger: &mut Ledger| {
            if is_current {
                ledger.describe(&new.event);
            }
        };
        (new.event.event_id, context.ledgers.update(&new, change).await)
    });
    described.buffered(AT_ONCE).collect().await
}
