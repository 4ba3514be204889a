//! Reads the rosters: the vendor's two lists and the user's file, or the chosen events.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::CLOCK_TOLERANCE;
use super::questions::{ask_about, worth_asking_about};
use super::roster_update::{Detail, RosterUpdate};
use super::spans::Spans;
use super::time_limit::in_time;
use crate::error::{Error, Kind, Result};
use crate::extract::roster;
use crate::extract::vendor::Vendor;
use crate::job::choice::Chosen;
use crate::job::roster_file;
use crate::load::ledger::cursor::{Cursor, ReadUpTo};
use crate::report::Failure;
use crate::transform::event::Event;

/// How far a span of the public list reaches back into the one before: the documentation does not say whether an event that
/// begins or ends at the edge of a span is in it.
const ACROSS: SignedDuration = SignedDuration::from_hours(24);

/// Saves every event that the rosters name, unless its ledger already says the same. Returns the cursor to write afterwards;
/// `None` if it does not move.
pub(super) async fn note(update: &mut RosterUpdate<'_>) -> Result<Option<Cursor>> {
    let (context, choice) = (update.context, update.choice);
    if let Chosen::Events(events, _) = &choice.chosen {
        let asked = ask_about(context, choice, update.vendor, events.clone(), None).await?;
        for failure in asked.failures {
            take_as_known(update, failure).await;
        }
        update.apply_details(asked.events).await?;
        return Ok(None);
    }
    let (mut cursor, may_move) = cursor(update).await?;
    let before = (cursor.edited, cursor.public, cursor.skips_public);
    let knows_some = !update.known.is_empty();
    if context.rosters.edited {
        let most = update.budget_before_visits();
        let list = edited(&mut cursor.edited, update);
        match in_time(most, "the list of edited events", list).await {
            Ok(()) => {}
            // Known events are visited all the same.
            Err(error) if knows_some && error.kind() != Kind::Credentials => {
                update.failures.push(Failure::of_run(&error));
            }
            Err(error) => return Err(error),
        }
    }
    let mut asked = match &context.rosters.file {
        Some(name) => match roster_file::read(context, name).await {
            Ok(events) => events.into_iter().collect(),
            Err(error) if knows_some => {
                update.failures.push(Failure::of_run(&error));
                BTreeSet::new()
            }
            Err(error) => return Err(error),
        },
        None => BTreeSet::new(),
    };
    if context.rosters.public {
        let most = update.budget_before_visits();
        let list = public(&mut cursor.public, update);
        match in_time(most, "the list of public events", list).await {
            Ok(without_end) => asked.extend(without_end),
            Err(error) if error.kind() == Kind::Credentials => return Err(error),
            // The run goes on with the other list.
            Err(error) => update.failures.push(Failure::of_run(&perhaps_no_list(error))),
        }
    }
    cursor.skips_public = !context.rosters.public;
    if update.unreadable > 0 {
        let message =
            format!("{} entries of the vendor's lists have no positive `eventId`", update.unreadable);
        update.failures.push(Failure::of_run(&Error::new(Kind::BadAnswer, message)));
    }
    asked.retain(|id| !update.is_described(*id) && !update.unsaved.contains_key(id));
    let mut asked = worth_asking_about(update, asked).await?;
    asked.extend(update.without_end());
    // In case there is not time for all: new events first, then those that end soonest.
    let mut asked = Vec::from_iter(asked);
    asked.sort_by_key(|id| update.known.get(id).map(|known| known.end_time));
    let most = update.budget_before_visits();
    let asked = ask_about(context, choice, update.vendor, asked, most).await?;
    for failure in asked.failures {
        let known = failure.event_id.and_then(|event_id| update.known.get(&event_id));
        if known.is_some_and(|known| known.turn.is_some()) {
            note_for_visit(update, failure);
        } else {
            update.failures.push(failure);
        }
    }
    update.apply_details(asked.events).await?;
    let is_moved = before != (cursor.edited, cursor.public, cursor.skips_public);
    Ok((is_moved && may_move).then_some(cursor))
}

/// Notes that a question about a chosen event failed. If the event has a ledger, it is visited all the same, as its ledger
/// describes it.
async fn take_as_known(update: &mut RosterUpdate<'_>, failure: Failure) {
    let Some(event_id) = failure.event_id else {
        update.failures.push(failure);
        return;
    };
    match update.context.ledgers.find(event_id).await {
        Ok(Some(entry)) => {
            update.remember(entry.ledger);
            note_for_visit(update, failure);
        }
        Ok(None) => update.failures.push(failure),
        Err(error) => update.failures.push(Failure::of_event(event_id, error)),
    }
}

/// Notes that a question failed about an event that is visited all the same. Its visit decides whether the event counts as
/// failed, and also says whether the vendor still knows it.
fn note_for_visit(update: &mut RosterUpdate<'_>, failure: Failure) {
    if failure.kind != Kind::UnknownEvent {
        update.failures.push(Failure { event_id: None, ..failure });
    }
}

/// Where to go on reading the lists, and whether the cursor may move afterwards: not if days were chosen, because that reading
/// says nothing about other days.
async fn cursor(update: &mut RosterUpdate<'_>) -> Result<(Cursor, bool)> {
    if update.choice.days().is_some() {
        return Ok((Cursor::unread(), false));
    }
    match Cursor::read(&update.context.ledgers).await {
        // Known events are visited all the same.
        Err(error) if !update.known.is_empty() && error.is_unreadable() => {
            update.failures.push(Failure::of_run(&error));
            Ok((Cursor::unread(), false))
        }
        cursor => Ok((cursor?, true)),
    }
}

/// Adds a hint if the vendor answers, but not with a list.
fn perhaps_no_list(error: Error) -> Error {
    match error.kind() {
        Kind::Timeout | Kind::Broken | Kind::Unreachable => error,
        _ => error.hint("if this lasts, the vendor may have no such list: `--no-public-list` skips it"),
    }
}

/// How far a list that was asked for until now has been read: by the vendor's clock, if this machine's is ahead of it.
fn listed_until(vendor: Vendor<'_>, now: Timestamp) -> Timestamp {
    now.checked_add(vendor.clock_ahead().unwrap_or_default()).map_or(now, |theirs| theirs.min(now))
}

/// Reads events by the time of their last edit: those since the list was last read, on the first run as far back as `--lookback`.
/// After each span, it notes in `read` how far it has come.
async fn edited(read: &mut ReadUpTo, update: &mut RosterUpdate<'_>) -> Result<()> {
    let (context, choice, now) = (update.context, update.choice, update.now);
    let from = match (choice.days(), believed(read.resume_from.or(read.until), now)) {
        (Some(days), _) => {
            before(context.lake.settings.zone.start_of(days.first).unwrap_or_default(), context.lookback)
        }
        (None, Some(until)) => until,
        (None, None) => before(now, context.lookback),
    };
    let (began_at, mut spans) = (read.resume_from, Spans::new(from, now));
    let (mut blank_from, mut gap_from, mut new_gap_from) = (None, None, None);
    while let Some((from, to)) = spans.current() {
        let (mut list, mut pages) = (roster::edited_between(update.vendor, from, to), 0);
        let mut may_be_asked_again = true;
        loop {
            while let Some(page) = list.page().await? {
                pages += 1;
                update.unreadable += page.unreadable;
                update.apply(page.events, Detail::Full).await?;
            }
            // If no later run asks again, this one does at once: the next run comes back to a page without data, and to a last span
            // without any, but not if days were chosen.
            let is_last_chance = if choice.days().is_some() {
                list.is_blank() || list.has_gap()
            } else {
                list.is_blank() && to < now
            };
            if !(is_last_chance && std::mem::take(&mut may_be_asked_again)) {
                break;
            }
            list = roster::edited_between(update.vendor, from, to);
        }
        if let Some(stated) = list.lacking() {
            let named = list.distinct_events();
            let note = format!("the vendor's list of events states a total of {stated}, and names {named}");
            update.notes.insert(note);
        }
        // If a later span has data, the blank ones before it had no events.
        blank_from = list.is_blank().then(|| blank_from.unwrap_or(from));
        let gap = list.has_gap().then_some(from);
        gap_from = gap_from.or(gap);
        // A gap that was read again in vain must not keep the list from being read to its end.
        new_gap_from = new_gap_from.or(gap.filter(|gap| Some(*gap) != began_at));
        read.resume_from = new_gap_from.into_iter().chain(blank_from.or(Some(to))).min();
        spans.advance(pages);
    }
    // The next run asks once more for what was asked for the first time and had no data: it may have been no answer.
    let resume_from = blank_from
        .into_iter()
        .chain(gap_from)
        .min()
        .map(|from| read.until.map_or(from, |until| until.max(from)));
    *read = ReadUpTo { until: Some(listed_until(update.vendor, now)), resume_from };
    Ok(())
}

/// Reads public events by their own time: those of the chosen days, otherwise those that are within their horizon now or were
/// when the list was last read; on the first run as far back as `--lookback`. Edits are left to the other list, which also says
/// more. Returns the events that are listed without an end. After each span, it notes in `read` how far it has come.
async fn public(read: &mut ReadUpTo, update: &mut RosterUpdate<'_>) -> Result<Vec<i64>> {
    let (context, choice, now) = (update.context, update.choice, update.now);
    let zone = &context.lake.settings.zone;
    let (resume_from, until) = (believed(read.resume_from, now), believed(read.until, now));
    let (from, to) = match (choice.days(), resume_from, until) {
        // Events that were held earlier may have been watched on these days.
        (Some(days), ..) => {
            let from = before(zone.start_of(days.first).unwrap_or_default(), context.horizon);
            (from, zone.end_of(days.last).unwrap_or(now).min(now))
        }
        (None, Some(resume_from), _) => (before(resume_from, ACROSS), now),
        (None, None, Some(until)) => (before(until, context.horizon), now),
        (None, None, None) => (before(now, context.lookback), now),
    };
    let asked_until = resume_from.or(until).unwrap_or(from);
    let (mut spans, mut without_end) = (Spans::new(from, to), Vec::new());
    let first = from;
    while let Some((from, to)) = spans.current() {
        let from = if from == first { from } else { before(from, ACROSS) };
        // If neither the last run nor the next asks for this as well, this one asks for a list without data at once.
        let is_asked_twice = choice.days().is_none() && from.max(asked_until) >= before(now, context.horizon);
        let (mut pages, mut may_be_asked_again) = (0, !is_asked_twice);
        loop {
            let mut list = roster::public_between(update.vendor, from, to);
            while let Some(page) = list.page().await? {
                pages += 1;
                update.unreadable += page.unreadable;
                let is_without = |event: &&Event| event.end_time.is_none() && !event.is_cancelled();
                without_end.extend(page.events.iter().filter(is_without).map(|event| event.event_id));
                update.apply(page.events, Detail::ExistenceOnly).await?;
            }
            if !(list.is_blank() && std::mem::take(&mut may_be_asked_again)) {
                break;
            }
        }
        read.resume_from = Some(to);
        spans.advance(pages);
    }
    *read = ReadUpTo { until: Some(listed_until(update.vendor, now)), resume_from: None };
    Ok(without_end)
}

/// Ignores an instant that lies in the future: it comes from a wrong clock, so the list is read as if it were not there. One that
/// is only just ahead, because a run that began a little later wrote it, counts as now.
fn believed(read_until: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    read_until.filter(|until| until.duration_since(now) <= CLOCK_TOLERANCE).map(|until| until.min(now))
}

fn before(instant: Timestamp, span: SignedDuration) -> Timestamp {
    instant.checked_sub(span).unwrap_or_default().max(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_just_ahead_of_the_clock_counts_as_now_and_one_further_ahead_is_not_believed() {
        let now: Timestamp = "2022-10-26T00:00:00Z".parse().unwrap();
        let at = |minutes: i64| now + SignedDuration::from_mins(minutes);
        for (read_until, expected) in [(-1, Some(at(-1))), (0, Some(now)), (5, Some(now)), (6, None)] {
            assert_eq!(believed(Some(at(read_until)), now), expected, "{read_until}");
        }
        assert_eq!(believed(None, now), None);
    }
}
