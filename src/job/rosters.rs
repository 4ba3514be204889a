//! Reading the rosters: the vendor's two lists, a file of the user's, or chosen numbers.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::context::Context;
use super::questions::{ask_about, still_open};
use super::roster_update::{Detail, RosterUpdate};
use super::selection::Choice;
use super::spans::Spans;
use super::time_budget::{budget_before_visits, in_time};
use crate::error::{Error, Explain, Kind, Result};
use crate::extract::roster;
use crate::extract::roster_file;
use crate::extract::usage::Usage;
use crate::load::cursor::{Cursor, ReadUpTo};
use crate::transform::event::Event;

/// How far the vendor's clock may be from this machine's: what says more is no clock, such as seconds for milliseconds.
const VENDOR_TOLERANCE: SignedDuration = SignedDuration::from_hours(24);
/// How far a span of the public list goes back into the one before. Whether an event that begins or ends at a span's end is in it, its
/// page does not say.
const ACROSS: SignedDuration = SignedDuration::from_hours(24);

/// Saves every event that the rosters name and the ledgers do not know as it is, and returns the cursor to put afterwards,
/// where it moves.
pub(super) async fn read(
    context: &Context,
    choice: &Choice,
    usage: &Usage,
    update: &mut RosterUpdate<'_>,
) -> Result<Option<Cursor>> {
    if !choice.events.is_empty() {
        let chosen = choice.events.clone();
        let events = ask_about(context, usage, chosen, None, &mut update.failures).await?;
        update.apply_details(events).await?;
        return Ok(None);
    }
    let now = context.clock.now();
    let (mut cursor, may_move) = cursor(context, choice, update).await?;
    let stood = (cursor.edited, cursor.held);
    let knows_some = !update.known.is_empty();
    if context.rosters.edited {
        let most = budget_before_visits(context, update);
        let list = edited(context, choice, usage, &mut cursor.edited, now, update);
        match in_time(most, "the list of edited events", list).await {
            Ok(()) => {}
            // Events that are known are visited all the same.
            Err(error) if knows_some && error.kind() != Kind::Credentials => {
                update.failures.push((None, error));
            }
            Err(error) => return Err(error),
        }
    }
    let mut asked = match &context.rosters.file {
        Some(name) => match read_file(context, name).await {
            Ok(events) => events.into_iter().collect(),
            Err(error) if knows_some => {
                update.failures.push((None, error));
                BTreeSet::new()
            }
            Err(error) => return Err(error),
        },
        None => BTreeSet::new(),
    };
    if context.rosters.public {
        let most = budget_before_visits(context, update);
        let list = public(context, choice, usage, &mut cursor.held, now, update);
        match in_time(most, "the list of public events", list).await {
            Ok(without_end) => asked.extend(without_end),
            Err(error) => match context.client.judged(usage, error).await {
                error if error.kind() == Kind::Credentials => return Err(error),
                // The other list goes on without it.
                error => update.failures.push((None, perhaps_no_list(error))),
            },
        }
    }
    if update.unreadable > 0 {
        let message =
            format!("{} entries of the vendor's lists have no `eventId` from 1 on", update.unreadable);
        update.failures.push((None, Error::new(Kind::BadAnswer, message)));
    }
    asked.retain(|id| !update.is_described(*id) && !update.unsaved.contains_key(id));
    let mut asked = still_open(context, choice, now, update, asked).await?;
    asked.extend(update.without_end());
    // Should the time not do for all: new ones first, then those that end soonest.
    let mut asked = Vec::from_iter(asked);
    asked.sort_by_key(|id| update.known.get(id).map(|known| known.end_time));
    let most = budget_before_visits(context, update);
    let events = ask_about(context, usage, asked, most, &mut update.failures).await?;
    update.apply_details(events).await?;
    let is_moved = stood != (cursor.edited, cursor.held);
    Ok((is_moved && may_move).then_some(cursor))
}

/// From where the lists are read on, and whether that may move: lists of chosen days say nothing of others.
async fn cursor(context: &Context, choice: &Choice, update: &mut RosterUpdate<'_>) -> Result<(Cursor, bool)> {
    if choice.days.is_some() {
        return Ok((Cursor::unread(), false));
    }
    match Cursor::read(&context.ledgers).await {
        // Events that are known are visited all the same.
        Err(error) if !update.known.is_empty() && matches!(error.kind(), Kind::Damaged | Kind::Newer) => {
            update.failures.push((None, error));
            Ok((Cursor::unread(), false))
        }
        cursor => Ok((cursor?, true)),
    }
}

/// The vendor answers, but not with a list.
fn perhaps_no_list(error: Error) -> Error {
    match error.kind() {
        Kind::Timeout | Kind::Broken | Kind::Unreachable => error,
        _ => error.hint("if this lasts, there may be no such list: `--no-public-list` does without it"),
    }
}

/// Up to when a list is read that was asked for up to now: by the vendor's clock, where this machine's is ahead of it.
fn listed_until(usage: &Usage, now: Timestamp) -> Timestamp {
    let told = usage.vendor_is_ahead().filter(|ahead| ahead.abs() <= VENDOR_TOLERANCE);
    now.checked_add(told.unwrap_or_default()).map_or(now, |theirs| theirs.min(now))
}

/// Events by the time of their last edit: those since the list was last read, on the first run as far back as one looks. Says with
/// each span how far it was `read`.
async fn edited(
    context: &Context,
    choice: &Choice,
    usage: &Usage,
    read: &mut ReadUpTo,
    now: Timestamp,
    update: &mut RosterUpdate<'_>,
) -> Result<()> {
    let from = match (choice.days, believed(read.broken_at.or(read.until), now)) {
        (Some((from, _)), _) => {
            before(context.lake.zone.start_of(from).unwrap_or_default(), context.lookback)
        }
        (None, Some(until)) => until,
        (None, None) => before(now, context.lookback),
    };
    let mut spans = Spans::new(from, now);
    while let Some((from, to)) = spans.next() {
        let mut list = roster::edited_between(&context.client, usage, from, to);
        let mut pages = 0;
        while let Some(page) = list.page().await? {
            pages += 1;
            update.unreadable += page.unreadable;
            update.apply(page.events, Detail::Full).await?;
        }
        read.broken_at = Some(to);
        spans.read(pages);
    }
    *read = ReadUpTo { until: Some(listed_until(usage, now)), broken_at: None };
    Ok(())
}

/// Events by their own time: those of the chosen days, else those that are still of interest, or were when the list was last
/// read; on the first run as far back as one looks. The other list tells of edits, and says more. Gives those that are named
/// without an end, and says with each span how far it was `read`.
async fn public(
    context: &Context,
    choice: &Choice,
    usage: &Usage,
    read: &mut ReadUpTo,
    now: Timestamp,
    update: &mut RosterUpdate<'_>,
) -> Result<Vec<i64>> {
    let zone = &context.lake.zone;
    let (from, to) = match (choice.days, believed(read.broken_at, now), believed(read.until, now)) {
        // Events that were held before may have been seen on these days.
        (Some((from, to)), ..) => {
            let from = before(zone.start_of(from).unwrap_or_default(), context.horizon);
            (from, zone.end_of(to).unwrap_or(now).min(now))
        }
        (None, Some(broken_at), _) => (before(broken_at, ACROSS), now),
        (None, None, Some(until)) => (before(until, context.horizon), now),
        (None, None, None) => (before(now, context.lookback), now),
    };
    let (mut spans, mut without_end) = (Spans::new(from, to), Vec::new());
    let first = from;
    while let Some((from, to)) = spans.next() {
        let from = if from == first { from } else { before(from, ACROSS) };
        let mut list = roster::held_between(&context.client, usage, from, to);
        let mut pages = 0;
        while let Some(page) = list.page().await? {
            pages += 1;
            update.unreadable += page.unreadable;
            let is_without = |event: &&Event| event.end_time.is_none() && !event.is_cancelled();
            without_end.extend(page.events.iter().filter(is_without).map(|event| event.event_id));
            update.apply(page.events, Detail::ExistenceOnly).await?;
        }
        read.broken_at = Some(to);
        spans.read(pages);
    }
    *read = ReadUpTo { until: Some(listed_until(usage, now)), broken_at: None };
    Ok(without_end)
}

/// One that lies ahead was put by a clock that was wrong: what came meanwhile is listed again.
fn believed(read_until: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    read_until.filter(|until| *until <= now)
}

fn before(instant: Timestamp, span: SignedDuration) -> Timestamp {
    instant.checked_sub(span).unwrap_or_default().max(Timestamp::UNIX_EPOCH)
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
    let text = String::from_utf8(bytes).explain(Kind::Usage, unreadable);
    roster_file::parse(&text.map_err(|error: Error| error.hint("save it as UTF-8"))?)
}
