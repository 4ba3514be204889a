//! Listening to the rosters: the vendor's two lists, a file of the user's, or chosen numbers.

use futures::{StreamExt, future, stream};
use jiff::Timestamp;
use tokio::time;

use super::context::Context;
use super::notes::{Notes, Says};
use super::selection::Choice;
use crate::error::{Error, Explain, Kind, Result};
use crate::extract::roster;
use crate::extract::roster_file;
use crate::extract::usage::Usage;
use crate::load::cursor::Cursor;
use crate::load::ledger::{Closing, Ledger};
use crate::transform::event::Event;

/// Ledgers that are looked up at once.
const LOOKUPS: usize = 16;

/// Notes every event that the rosters name and the ledgers do not know as it is, and gives the cursor to put afterwards.
pub(super) async fn listen(
    context: &Context,
    choice: &Choice,
    usage: &Usage,
    notes: &mut Notes<'_>,
) -> Result<Option<Cursor>> {
    if !choice.events.is_empty() {
        let events = ask_about(context, usage, choice.events.clone(), &mut notes.failures).await?;
        notes.hear_all(events).await?;
        return Ok(None);
    }
    let now = context.clock.now();
    let had_known = !notes.known.is_empty();
    let mut cursor = None;
    if context.rosters.edited {
        match in_time(context, had_known, "of edited events", edited(context, choice, usage, now, notes))
            .await
        {
            // Events that are known are visited all the same.
            Err(error) if had_known && error.kind() != Kind::Credentials => {
                notes.failures.push((None, error));
            }
            listed => cursor = listed?,
        }
    }
    let mut incomplete: Vec<i64> = match &context.rosters.file {
        Some(name) => read_file(context, name).await?,
        None => Vec::new(),
    };
    if context.rosters.public {
        let knows_some = !notes.known.is_empty();
        let list = public(context, choice, usage, cursor.as_ref(), now, notes);
        match in_time(context, knows_some, "of public events", list).await {
            Ok(without_end) => incomplete.extend(without_end),
            Err(error) => match context.client.judged(usage, error).await {
                error if error.kind() == Kind::Credentials => return Err(error),
                // The other list goes on without it; but what was never listed here is not passed over.
                error => {
                    cursor = cursor.filter(|cursor| cursor.edited_until.is_some());
                    let error = error.hint("give `--no-public-list` if there is no such list");
                    notes.failures.push((None, error));
                }
            },
        }
    }
    incomplete.retain(|id| !notes.has_heard_of(*id));
    let incomplete = still_open(context, choice, now, notes, incomplete).await?;
    let events = ask_about(context, usage, incomplete, &mut notes.failures).await?;
    notes.hear(events, Says::HowItIs).await?;
    Ok(cursor)
}

/// Waits for a list; where there are events to visit without it, for no more than half of the time that is left.
async fn in_time<T>(
    context: &Context,
    knows_some: bool,
    name: &str,
    list: impl Future<Output = Result<T>>,
) -> Result<T> {
    let Some(left) = context.client.time_left().filter(|_| knows_some) else { return list.await };
    time::timeout(left / 2, list).await.unwrap_or_else(|_| {
        let late = format!("the list {name} took half of the time for visits, and did not end");
        Err(Error::new(Kind::Timeout, late).hint("the next run asks again; or raise `--deadline`"))
    })
}

/// Events by the time of their last edit.
async fn edited(
    context: &Context,
    choice: &Choice,
    usage: &Usage,
    now: Timestamp,
    notes: &mut Notes<'_>,
) -> Result<Option<Cursor>> {
    let (from, cursor) = if let Some((from, _)) = choice.days {
        let from = context.lake.zone.start_of(from).unwrap_or(Timestamp::UNIX_EPOCH);
        (before(from, context.lookback), None)
    } else {
        let cursor = Cursor::read(&context.ledgers).await?;
        // One that lies ahead was put by a clock that was wrong: what was edited meanwhile is listed again.
        let until = cursor.edited_until.filter(|until| *until <= now);
        (until.unwrap_or_else(|| before(now, context.lookback)), Some(cursor))
    };
    let mut list = roster::edited_since(&context.client, usage, from, now);
    let mut unreadable = 0;
    while let Some(page) = list.page().await? {
        unreadable += page.unreadable;
        notes.hear(page.events, Says::HowItIs).await?;
    }
    note_unreadable(unreadable, notes);
    Ok(cursor)
}

/// Events by their own time: those of the chosen days, else those that are still of interest, or were since the lists were last
/// read; on the first run as far back as the other list. Gives those that are named without an end.
async fn public(
    context: &Context,
    choice: &Choice,
    usage: &Usage,
    cursor: Option<&Cursor>,
    now: Timestamp,
    notes: &mut Notes<'_>,
) -> Result<Vec<i64>> {
    let zone = &context.lake.zone;
    let is_first = cursor.is_some_and(|cursor| cursor.edited_until.is_none());
    let until = cursor.and_then(|cursor| cursor.edited_until).map_or(now, |until| until.min(now));
    let (from, to) = match choice.days {
        Some((from, to)) => {
            // Events that were held before may have been seen on these days.
            let from = before(zone.start_of(from).unwrap_or(Timestamp::UNIX_EPOCH), context.horizon);
            (from, zone.end_of(to).unwrap_or(now).min(now))
        }
        None if is_first => (before(now, context.lookback), now),
        None => (before(until, context.horizon), now),
    };
    // The other list, where there is one, tells of edits, and says more.
    let says = if context.rosters.edited { Says::ThatItIs } else { Says::HowItIs };
    let mut list = roster::held_between(&context.client, usage, from, to);
    let (mut incomplete, mut unreadable) = (Vec::new(), 0);
    while let Some(page) = list.page().await? {
        unreadable += page.unreadable;
        let (whole, without_end): (Vec<_>, Vec<_>) =
            page.events.into_iter().partition(|event| event.end_time.is_some());
        incomplete.extend(without_end.into_iter().map(|event| event.event_id));
        notes.hear(whole, says).await?;
    }
    note_unreadable(unreadable, notes);
    Ok(incomplete)
}

fn before(instant: Timestamp, span: jiff::SignedDuration) -> Timestamp {
    instant.checked_sub(span).unwrap_or_default().max(Timestamp::UNIX_EPOCH)
}

/// Those of the events about which the ledgers do not know enough: new ones, those that may still be moved, and closed ones that
/// are to be visited once more, because they had rows on chosen days.
async fn still_open(
    context: &Context,
    choice: &Choice,
    now: Timestamp,
    notes: &mut Notes<'_>,
    events: Vec<i64>,
) -> Result<Vec<i64>> {
    let known = &notes.known;
    let looked_up = stream::iter(events).map(|event_id| async move {
        let is_open = match known.get(&event_id) {
            Some(known) => Ok(!known.has_ended),
            None => context.ledgers.find(event_id).await.map(|found| {
                // One that was cancelled may be held after all.
                let may_be_restored = |ledger: &Ledger| {
                    ledger.closed == Some(Closing::Cancelled) && !ledger.is_past(context.horizon, now)
                };
                let is_chosen = |ledger: &Ledger| {
                    choice.days.is_some()
                        && (ledger.days.keys().any(|day| choice.has_day(*day))
                            || choice.meets(&ledger.event, &context.lake.zone))
                };
                found.is_none_or(|entry| may_be_restored(&entry.ledger) || is_chosen(&entry.ledger))
            }),
        };
        (event_id, is_open)
    });
    let mut looked_up = looked_up.buffered(LOOKUPS);
    let mut open = Vec::new();
    while let Some((event_id, is_open)) = looked_up.next().await {
        match is_open {
            Err(error) if matches!(error.kind(), Kind::Damaged | Kind::Newer) => {
                notes.failures.push((Some(event_id), error));
            }
            is_open => open.extend(is_open?.then_some(event_id)),
        }
    }
    Ok(open)
}

/// Asks about each of these events, as long as there is time. One that the vendor does not know fails alone.
async fn ask_about(
    context: &Context,
    usage: &Usage,
    events: Vec<i64>,
    failures: &mut Vec<(Option<i64>, Error)>,
) -> Result<Vec<Event>> {
    let all = events.len();
    let asked = stream::iter(events)
        .take_while(|_| future::ready(!context.client.is_out_of_time()))
        .map(|event_id| async move { (event_id, roster::info(&context.client, usage, event_id).await) })
        .buffered(context.concurrency);
    let mut asked = asked.collect::<Vec<_>>().await;
    // What the deadline cut off has not failed either.
    if context.client.is_out_of_time() {
        asked.retain(|(_, outcome)| !outcome.as_ref().is_err_and(|error| error.kind() == Kind::Timeout));
    }
    if asked.len() < all {
        let late = format!("{} events of the roster were not asked about in time", all - asked.len());
        let error = Error::new(Kind::Timeout, late).hint("the next run goes on; or raise `--deadline`");
        failures.push((None, error));
    }
    let mut found = Vec::new();
    for (event_id, outcome) in asked {
        match outcome {
            Ok(event) => found.push(event),
            Err(error) => match context.client.judged(usage, error).await {
                error if error.kind() == Kind::Credentials => return Err(error),
                error => failures.push((Some(event_id), error)),
            },
        }
    }
    Ok(found)
}

/// The numbers in a roster of the user's.
async fn read_file(context: &Context, name: &str) -> Result<Vec<i64>> {
    let unreadable = || format!("cannot read the roster `{name}`");
    let bytes = match name.strip_prefix("store:") {
        Some(key) => {
            let object = context.store.get(key).await?;
            object.map(|(bytes, _)| bytes.to_vec()).ok_or_else(|| Error::new(Kind::Usage, unreadable()))?
        }
        None => std::fs::read(name).explain(Kind::Usage, unreadable)?,
    };
    roster_file::parse(&String::from_utf8(bytes).explain(Kind::Usage, unreadable)?)
}

fn note_unreadable(entries: u64, notes: &mut Notes<'_>) {
    if entries > 0 {
        let message = format!("{entries} entries of the vendor's list of events have no `eventId`");
        notes.failures.push((None, Error::new(Kind::BadAnswer, message)));
    }
}
