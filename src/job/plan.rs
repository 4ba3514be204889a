//! Plan: what the vendor lists goes into the ledgers, and the ledgers say which events are to be visited.

use std::collections::BTreeMap;

use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::context::Context;
use super::selection::Choice;
use crate::error::{Error, Kind, Result};
use crate::extract::roster::{self, Listed};
use crate::extract::usage::Usage;
use crate::load::ledger::Ledger;
use crate::load::store::Condition;
use crate::load::{FORMAT, keys};
use crate::transform::event::Event;

/// Ledgers that are written, and events that are asked about, at once.
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

/// `ledger/roster.json`: up to when the vendor's list of edited events was read.
#[derive(Serialize, Deserialize)]
struct Cursor {
    format: u32,
    edited_until: Timestamp,
}

pub(super) async fn plan(context: &Context, choice: &Choice, usage: &Usage) -> Result<Planned> {
    context.lake.check(context.store.as_ref(), None).await?;
    let customer = context.client.customer(usage).await?;
    let now = context.clock.now();
    let mut planned = Planned::default();
    let (ledgers, cursor) = if choice.events.is_empty() {
        let (listed, cursor) = list(context, choice, usage, now).await?;
        if listed.unreadable > 0 {
            let message =
                format!("{} entries of the vendor's list of events have no `eventId`", listed.unreadable);
            planned.failures.push((None, Error::new(Kind::BadAnswer, message)));
        }
        context.lake.establish(context.store.as_ref(), customer.as_deref()).await?;
        (describe_all(context, listed.events, now, &mut planned).await?, cursor)
    } else {
        let events = ask_about(context, choice, usage, &mut planned).await?;
        if events.is_empty() {
            return Ok(planned);
        }
        context.lake.establish(context.store.as_ref(), customer.as_deref()).await?;
        (describe(context, events, now, &mut planned).await, None)
    };
    // The ledgers of new events are put; only now may the cursor move past them.
    if let Some(cursor) = cursor {
        cursor.put(context).await?;
    }
    planned.known = ledgers.iter().filter(|ledger| ledger.closed.is_none()).count();
    let mut due: Vec<(Timestamp, Ledger)> = ledgers
        .into_iter()
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

/// What the vendor lists, and the cursor to put once it is noted.
async fn list(
    context: &Context,
    choice: &Choice,
    usage: &Usage,
    now: Timestamp,
) -> Result<(Listed, Option<MovedCursor>)> {
    let lookback =
        |from: Timestamp| from.checked_sub(context.lookback).unwrap_or_default().max(Timestamp::UNIX_EPOCH);
    if let Some((from, _)) = choice.days {
        let from = context.lake.zone.start_of(from).unwrap_or(Timestamp::UNIX_EPOCH);
        return Ok((roster::edited_since(&context.client, usage, lookback(from), now).await?, None));
    }
    let found = context.ledgers.read_document::<Cursor>(keys::ROSTER).await?;
    let from = found.as_ref().map_or_else(|| lookback(now), |(cursor, _)| cursor.edited_until);
    let listed = roster::edited_since(&context.client, usage, from, now).await?;
    let condition = found.map_or(Condition::Absent, |(_, version)| Condition::Unchanged(version));
    Ok((listed, Some(MovedCursor { edited_until: now, condition })))
}

/// A cursor that may be put.
struct MovedCursor {
    edited_until: Timestamp,
    condition: Condition,
}

impl MovedCursor {
    async fn put(self, context: &Context) -> Result<()> {
        let cursor = Cursor { format: FORMAT, edited_until: self.edited_until };
        match context.ledgers.put_document(keys::ROSTER, &cursor, self.condition).await {
            // Another run moved it; what this one noted is noted.
            Err(error) if error.kind() == Kind::Conflict => Ok(()),
            outcome => outcome,
        }
    }
}

/// Asks about each chosen event. One that the vendor does not know fails alone.
async fn ask_about(
    context: &Context,
    choice: &Choice,
    usage: &Usage,
    planned: &mut Planned,
) -> Result<Vec<Event>> {
    let asked = stream::iter(&choice.events)
        .map(|event_id| async move { (*event_id, roster::info(&context.client, usage, *event_id).await) })
        .buffered(context.concurrency);
    let mut events = Vec::new();
    for (event_id, outcome) in asked.collect::<Vec<_>>().await {
        match outcome {
            Ok(event) => events.push(event),
            Err(error) if error.kind() == Kind::Credentials => return Err(error),
            Err(error) => planned.failures.push((Some(event_id), error)),
        }
    }
    Ok(events)
}

/// All ledgers that are still visited and those of the listed events, as the vendor now describes them.
async fn describe_all(
    context: &Context,
    listed: Vec<Event>,
    now: Timestamp,
    planned: &mut Planned,
) -> Result<Vec<Ledger>> {
    let (entries, damaged) = context.ledgers.active().await?;
    planned.failures.extend(damaged.into_iter().map(|error| (None, error)));
    let mut ledgers: BTreeMap<i64, Ledger> =
        entries.into_iter().map(|entry| (entry.ledger.event.event_id, entry.ledger)).collect();
    let changed = listed.into_iter().filter(|event| match ledgers.get(&event.event_id) {
        Some(ledger) => ledger.event != *event,
        None => !event.never_was(),
    });
    for ledger in describe(context, changed.collect(), now, planned).await {
        ledgers.insert(ledger.event.event_id, ledger);
    }
    Ok(ledgers.into_values().collect())
}

/// Puts how the vendor describes these events into their ledgers. A ledger that cannot be read fails alone.
async fn describe(
    context: &Context,
    events: Vec<Event>,
    now: Timestamp,
    planned: &mut Planned,
) -> Vec<Ledger> {
    let described = stream::iter(events).map(|event| async move {
        let new = Ledger::new(event.clone(), now);
        (event.event_id, context.ledgers.update(&new, |ledger| ledger.describe(&event)).await)
    });
    let mut ledgers = Vec::new();
    for (event_id, outcome) in described.buffered(AT_ONCE).collect::<Vec<_>>().await {
        match outcome {
            Ok(ledger) => ledgers.push(ledger),
            Err(error) => planned.failures.push((Some(event_id), error.with("event", event_id))),
        }
    }
    ledgers
}
