//! Listening to the rosters: the vendor's two lists, a file of the user's, or chosen numbers.

use std::collections::BTreeMap;

use futures::{StreamExt, future, stream};
use jiff::Timestamp;
use tokio::time;

use super::context::Context;
use super::known::Known;
use super::selection::Choice;
use crate::error::{Error, Explain, Kind, Result};
use crate::extract::roster::{self, Listed};
use crate::extract::roster_file;
use crate::extract::usage::Usage;
use crate::load::cursor::Cursor;
use crate::load::ledger::{Closing, Ledger};
use crate::transform::event::Event;
use crate::transform::privacy::Privacy;

/// Ledgers that are looked up at once.
const LOOKUPS: usize = 16;

/// An event that a roster named.
pub(super) struct Heard {
    pub(super) event: Event,
    /// Whether this is how the vendor describes it now; else it only says that there is such an event.
    pub(super) is_current: bool,
}

/// Every event that the rosters name and the ledgers do not know as it is, and the cursor to put afterwards.
pub(super) async fn listen(
    context: &Context,
    choice: &Choice,
    usage: &Usage,
    known: &BTreeMap<i64, Known>,
    privacy: &Privacy,
    failures: &mut Vec<(Option<i64>, Error)>,
) -> Result<(Vec<Heard>, Option<Cursor>)> {
    let may_be_known = |heard: Heard| Heard { event: heard.event.treated(privacy), ..heard };
    if !choice.events.is_empty() {
        let events = ask_about(context, usage, choice.events.clone(), failures).await?;
        return Ok((events.into_iter().map(may_be_known).collect(), None));
    }
    let now = context.clock.now();
    let (edited, mut cursor) = if context.rosters.edited {
        match in_time(context, known, edited(context, choice, usage, now)).await {
            // Events that are known are visited all the same.
            Err(error) if !known.is_empty() && error.kind() != Kind::Credentials => {
                failures.push((None, error));
                Default::default()
            }
            outcome => outcome?,
        }
    } else {
        Default::default()
    };
    let mut heard: BTreeMap<i64, Heard> = BTreeMap::new();
    let mut incomplete: Vec<i64> = match &context.rosters.file {
        Some(name) => read_file(context, name).await?,
        None => Vec::new(),
    };
    if context.rosters.public {
        match in_time(context, known, public(context, choice, usage, cursor.as_ref(), now)).await {
            Ok(public) => {
                note_unreadable(public.unreadable, failures);
                for event in public.events.into_values() {
                    if event.end_time.is_none() {
                        incomplete.push(event.event_id);
                    } else {
                        // The other list, where there is one, tells of edits, and says more.
                        heard.insert(event.event_id, Heard { event, is_current: !context.rosters.edited });
                    }
                }
            }
            Err(error) => match context.client.judged(usage, error).await {
                error if error.kind() == Kind::Credentials => return Err(error),
                // The other list goes on without it; but what was never listed here is not passed over.
                error => {
                    cursor = cursor.filter(|cursor| cursor.edited_until.is_some());
                    failures.push((None, error.hint("give `--no-public-list` if there is no such list")));
                }
            },
        }
    }
    note_unreadable(edited.unreadable, failures);
    heard.extend(edited.events.into_iter().map(|(id, event)| (id, Heard { event, is_current: true })));
    incomplete.retain(|id| !heard.contains_key(id));
    let incomplete = still_open(context, choice, now, known, incomplete, failures).await?;
    for found in ask_about(context, usage, incomplete, failures).await? {
        heard.insert(found.event.event_id, found);
    }
    let news = heard.into_values().map(may_be_known).filter(|heard| match known.get(&heard.event.event_id) {
        Some(known) => heard.is_current && !known.is_described_as(&heard.event),
        None => !heard.event.never_was(),
    });
    Ok((news.collect(), cursor))
}

/// Waits for a list; where there are events to visit without it, for no more than half of the time that is left.
async fn in_time<T>(
    context: &Context,
    known: &BTreeMap<i64, Known>,
    list: impl Future<Output = Result<T>>,
) -> Result<T> {
    let Some(left) = context.client.time_left().filter(|_| !known.is_empty()) else { return list.await };
    time::timeout(left / 2, list).await.unwrap_or_else(|_| {
        let late = "a list of events took half of the time for visits, and did not end";
        Err(Error::new(Kind::Timeout, late).hint("the next run asks again; or raise `--deadline`"))
    })
}

/// Events by the time of their last edit.
async fn edited(
    context: &Context,
    choice: &Choice,
    usage: &Usage,
    now: Timestamp,
) -> Result<(Listed, Option<Cursor>)> {
    if let Some((from, _)) = choice.days {
        let from = context.lake.zone.start_of(from).unwrap_or(Timestamp::UNIX_EPOCH);
        let from = before(from, context.lookback);
        return Ok((roster::edited_since(&context.client, usage, from, now).await?, None));
    }
    let cursor = Cursor::read(&context.ledgers).await?;
    // One that lies ahead was put by a clock that was wrong: what was edited meanwhile is listed again.
    let from = cursor.edited_until.filter(|until| *until <= now);
    let from = from.unwrap_or_else(|| before(now, context.lookback));
    let listed = roster::edited_since(&context.client, usage, from, now).await?;
    Ok((listed, Some(cursor)))
}

/// Events by their own time: those of the chosen days, else those that are still of interest, or were since the lists were last
/// read; on the first run as far back as the other list.
async fn public(
    context: &Context,
    choice: &Choice,
    usage: &Usage,
    cursor: Option<&Cursor>,
    now: Timestamp,
) -> Result<Listed> {
    let zone = &context.lake.zone;
    let is_first = cursor.is_some_and(|cursor| cursor.edited_until.is_none());
    let last = cursor.and_then(|cursor| cursor.edited_until).map_or(now, |until| until.min(now));
    let (from, to) = match choice.days {
        Some((from, to)) => {
            // Events that were held before may have been seen on these days.
            let from = before(zone.start_of(from).unwrap_or(Timestamp::UNIX_EPOCH), context.horizon);
            (from, zone.end_of(to).unwrap_or(now).min(now))
        }
        None if is_first => (before(now, context.lookback), now),
        None => (before(last, context.horizon), now),
    };
    roster::held_between(&context.client, usage, from, to).await
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
    known: &BTreeMap<i64, Known>,
    events: Vec<i64>,
    failures: &mut Vec<(Option<i64>, Error)>,
) -> Result<Vec<i64>> {
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
                failures.push((Some(event_id), error));
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
) -> Result<Vec<Heard>> {
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
            Ok(event) => found.push(Heard { event, is_current: true }),
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

fn note_unreadable(entries: u64, failures: &mut Vec<(Option<i64>, Error)>) {
    if entries > 0 {
        let message = format!("{entries} entries of the vendor's list of events have no `eventId`");
        failures.push((None, Error::new(Kind::BadAnswer, message)));
    }
}
