//! Listening to the rosters: the vendor's two lists, a file of the user's, or chosen numbers.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::{StreamExt, future, stream};
use jiff::{SignedDuration, Timestamp};
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
/// How far the vendor's clock may be from this machine's: what says more is no clock, such as seconds for milliseconds.
const VENDOR_TOLERANCE: SignedDuration = SignedDuration::from_hours(24);

/// Notes every event that the rosters name and the ledgers do not know as it is, and gives the cursor to put afterwards, where
/// it moves.
pub(super) async fn listen(
    context: &Context,
    choice: &Choice,
    usage: &Usage,
    notes: &mut Notes<'_>,
) -> Result<Option<Cursor>> {
    if !choice.events.is_empty() {
        let events =
            ask_about(context, usage, choice.events.iter().copied().collect(), &mut notes.failures).await?;
        notes.hear_asked(events).await?;
        return Ok(None);
    }
    let now = context.clock.now();
    // Lists of chosen days say nothing of others.
    let is_of_days = choice.days.is_some();
    let mut cursor = if is_of_days { Cursor::unread() } else { Cursor::read(&context.ledgers).await? };
    let stood = (cursor.edited_until, cursor.held_until);
    if context.rosters.edited {
        let (knows_some, most) = (!notes.known.is_empty(), time_for_a_list(context, notes));
        let list = edited(context, choice, usage, cursor.edited_until, now, notes);
        match in_time(most, "of edited events", list).await {
            Ok(()) => cursor.edited_until = Some(read_until(usage, now)),
            // Events that are known are visited all the same.
            Err(error) if knows_some && error.kind() != Kind::Credentials => {
                notes.failures.push((None, error));
            }
            Err(error) => return Err(error),
        }
    }
    let mut asked = match &context.rosters.file {
        Some(name) => read_file(context, name).await?.into_iter().collect(),
        None => BTreeSet::new(),
    };
    if context.rosters.public {
        let most = time_for_a_list(context, notes);
        let list = public(context, choice, usage, cursor.held_until, now, notes);
        match in_time(most, "of public events", list).await {
            Ok(without_end) => {
                asked.extend(without_end);
                cursor.held_until = Some(read_until(usage, now));
            }
            Err(error) => match context.client.judged(usage, error).await {
                error if error.kind() == Kind::Credentials => return Err(error),
                // The other list goes on without it.
                error => notes.failures.push((None, perhaps_no_list(error))),
            },
        }
    }
    asked.retain(|id| !notes.is_described(*id) && !notes.unnoted.contains_key(id));
    let mut asked = still_open(context, choice, now, notes, asked).await?;
    asked.extend(notes.without_end());
    let events = ask_about(context, usage, asked, &mut notes.failures).await?;
    notes.hear_asked(events).await?;
    let is_moved = stood != (cursor.edited_until, cursor.held_until);
    Ok((is_moved && !is_of_days).then_some(cursor))
}

/// How long a list may take: where visits wait that need none, half of the time that is left.
fn time_for_a_list(context: &Context, notes: &Notes<'_>) -> Option<Duration> {
    context.client.time_left().filter(|_| notes.has_visits_to_make()).map(|left| left / 2)
}

/// Waits for a list, for so long at most.
async fn in_time<T>(most: Option<Duration>, name: &str, list: impl Future<Output = Result<T>>) -> Result<T> {
    let Some(most) = most else { return list.await };
    time::timeout(most, list).await.unwrap_or_else(|_| {
        let late = format!("the list {name} took half of the time for visits, and did not end");
        Err(Error::new(Kind::Timeout, late).hint("the next run asks again; or raise `--deadline`"))
    })
}

/// The vendor says that it gives no such list, or nothing that is one.
fn perhaps_no_list(error: Error) -> Error {
    match error.kind() {
        Kind::Timeout | Kind::Broken | Kind::Unreachable => error,
        _ => error.hint("give `--no-public-list` if there is no such list"),
    }
}

/// Up to when a list is read that was asked for up to now: by the vendor's clock, where this machine's is ahead of it.
fn read_until(usage: &Usage, now: Timestamp) -> Timestamp {
    let told = usage.vendor_is_ahead().filter(|ahead| ahead.abs() <= VENDOR_TOLERANCE);
    now.checked_add(told.unwrap_or_default()).map_or(now, |theirs| theirs.min(now))
}

/// Events by the time of their last edit: those since the list was last read, on the first run as far back as one looks.
async fn edited(
    context: &Context,
    choice: &Choice,
    usage: &Usage,
    read_until: Option<Timestamp>,
    now: Timestamp,
    notes: &mut Notes<'_>,
) -> Result<()> {
    let from = match (choice.days, believed(read_until, now)) {
        (Some((from, _)), _) => {
            before(context.lake.zone.start_of(from).unwrap_or_default(), context.lookback)
        }
        (None, Some(until)) => until,
        (None, None) => before(now, context.lookback),
    };
    let mut list = roster::edited_since(&context.client, usage, from, now);
    let mut unreadable = 0;
    while let Some(page) = list.page().await? {
        unreadable += page.unreadable;
        notes.hear(page.events, Says::HowItIs).await?;
    }
    note_unreadable(unreadable, notes);
    Ok(())
}

/// Events by their own time: those of the chosen days, else those that are still of interest, or were when the list was last
/// read; on the first run as far back as one looks. The other list tells of edits, and says more. Gives those that are named
/// without an end.
async fn public(
    context: &Context,
    choice: &Choice,
    usage: &Usage,
    read_until: Option<Timestamp>,
    now: Timestamp,
    notes: &mut Notes<'_>,
) -> Result<Vec<i64>> {
    let zone = &context.lake.zone;
    let (from, to) = match (choice.days, believed(read_until, now)) {
        // Events that were held before may have been seen on these days.
        (Some((from, to)), _) => {
            let from = before(zone.start_of(from).unwrap_or_default(), context.horizon);
            (from, zone.end_of(to).unwrap_or(now).min(now))
        }
        (None, Some(until)) => (before(until, context.horizon), now),
        (None, None) => (before(now, context.lookback), now),
    };
    let mut list = roster::held_between(&context.client, usage, from, to);
    let (mut without_end, mut unreadable) = (Vec::new(), 0);
    while let Some(page) = list.page().await? {
        unreadable += page.unreadable;
        let is_without = |event: &&Event| event.end_time.is_none();
        without_end.extend(page.events.iter().filter(is_without).map(|event| event.event_id));
        notes.hear(page.events, Says::ThatItIs).await?;
    }
    note_unreadable(unreadable, notes);
    Ok(without_end)
}

/// One that lies ahead was put by a clock that was wrong: what came meanwhile is listed again.
fn believed(read_until: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    read_until.filter(|until| *until <= now)
}

fn before(instant: Timestamp, span: SignedDuration) -> Timestamp {
    instant.checked_sub(span).unwrap_or_default().max(Timestamp::UNIX_EPOCH)
}

/// Those of the events about which the ledgers do not know enough: new ones, those that may still be moved, and closed ones that
/// are to be visited once more, because they had rows on chosen days.
async fn still_open(
    context: &Context,
    choice: &Choice,
    now: Timestamp,
    notes: &mut Notes<'_>,
    events: BTreeSet<i64>,
) -> Result<BTreeSet<i64>> {
    let known = &notes.known;
    let looked_up = stream::iter(events).map(|event_id| async move {
        let is_open = match known.get(&event_id) {
            Some(known) if known.is_open => Ok(!known.has_ended),
            _ => context.ledgers.find(event_id).await.map(|found| {
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
    let mut open = BTreeSet::new();
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
    events: BTreeSet<i64>,
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
