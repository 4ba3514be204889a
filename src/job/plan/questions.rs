//! Questions about single events: which events need one, and what the vendor answers.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::{StreamExt, future, stream};
use tokio::time::Instant;

use super::roster_update::RosterUpdate;
use super::time_limit::in_time;
use crate::counted::counted;
use crate::error::{Error, Kind, Result};
use crate::extract::roster;
use crate::extract::vendor::Vendor;
use crate::job::choice::{Choice, Chosen};
use crate::job::context::Context;
use crate::load::ledger::ledgers::AT_ONCE;
use crate::load::ledger::{Closing, Ledger};
use crate::report::Failure;
use crate::transform::event::Event;

/// Those of these events about which the ledgers do not know enough: new events, events that may still be moved or held after
/// all, and closed events that are to be visited again because they concern chosen days.
pub(super) async fn worth_asking_about(
    update: &mut RosterUpdate<'_>,
    events: BTreeSet<i64>,
) -> Result<BTreeSet<i64>> {
    let (context, choice, now, known) = (update.context, update.choice, update.now, &update.known);
    let looked_up = stream::iter(events).map(|event_id| async move {
        let is_open = match known.get(&event_id) {
            Some(known) if known.is_open => Ok(known.may_have_moved && !known.is_chosen(choice)),
            _ => context.ledgers.find(event_id).await.map(|found| {
                // A cancelled event may be held after all; one that was opened again may not be among the active ledgers yet.
                let may_be_restored = |ledger: &Ledger| match ledger.closed {
                    Some(Closing::Cancelled) => !ledger.is_past_horizon(context.horizon, now),
                    Some(Closing::Complete | Closing::Incomplete | Closing::Deleted) => false,
                    None => true,
                };
                let is_chosen = |ledger: &Ledger| {
                    choice.days().is_some_and(|days| {
                        ledger.days.keys().any(|day| days.has(*day))
                            || days.meet(&ledger.event, &context.lake.settings.zone)
                    })
                };
                found.is_none_or(|entry| may_be_restored(&entry.ledger) || is_chosen(&entry.ledger))
            }),
        };
        (event_id, is_open)
    });
    let mut looked_up = looked_up.buffered(AT_ONCE);
    let mut open = BTreeSet::new();
    while let Some((event_id, is_open)) = looked_up.next().await {
        match is_open {
            Err(error) if error.is_unreadable() => {
                update.failures.push(Failure::of_event(event_id, error));
            }
            is_open => open.extend(is_open?.then_some(event_id)),
        }
    }
    Ok(open)
}

fn is_unreachable(error: &Error) -> bool {
    error.kind() == Kind::Unreachable
}

/// What questions about single events brought.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) events: Vec<Event>,
    pub(super) failures: Vec<Failure>,
}

/// Asks about each of these events, in this order, for at most `most`. An event that the vendor does not know fails alone.
pub(super) async fn ask_about(
    context: &Context,
    choice: &Choice,
    vendor: Vendor<'_>,
    events: Vec<i64>,
    most: Option<Duration>,
) -> Result<Asked> {
    let all = events.len();
    let end = most.map(|most| Instant::now() + most);
    let is_reached = &AtomicBool::new(true);
    let is_over = || context.visit_deadline.is_over() || end.is_some_and(|end| end <= Instant::now());
    let answers = stream::iter(events)
        .take_while(|_| future::ready(is_reached.load(Ordering::Relaxed) && !is_over()))
        .map(|event_id| async move {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let answer = Box::pin(roster::info(vendor, event_id));
            let outcome = in_time(left, "the answer about an event", answer).await;
            if outcome.as_ref().is_err_and(is_unreachable) {
                is_reached.store(false, Ordering::Relaxed);
            }
            (event_id, outcome)
        })
        .buffered(context.concurrency);
    let mut answers = answers.collect::<Vec<_>>().await;
    // A question that was cut off has not failed; it counts as not asked.
    if is_over() {
        answers.retain(|(_, outcome)| !outcome.as_ref().is_err_and(|error| error.kind() == Kind::Timeout));
    }
    // An outage is not the fault of any event.
    let is_cut_off = |outcome: &Result<Event>| outcome.as_ref().is_err_and(is_unreachable);
    let cut_off = answers.extract_if(.., |(_, outcome)| is_cut_off(outcome)).next();
    answers.retain(|(_, outcome)| !is_cut_off(outcome));
    let mut asked = Asked::default();
    if let Some((_, Err(error))) = cut_off {
        asked.failures.push(Failure::of_run(&error));
    } else if answers.len() < all {
        let left = counted((all - answers.len()) as u64, "event");
        let error = Error::new(Kind::Timeout, format!("the vendor could not be asked about {left} in time"));
        let error = error.hint(if matches!(choice.chosen, Chosen::Events(..)) {
            "run it again, with a longer `--deadline`"
        } else {
            "the next run goes on; or raise `--deadline`"
        });
        asked.failures.push(Failure::of_run(&error));
    }
    for (event_id, outcome) in answers {
        match outcome {
            Ok(event) => asked.events.push(event),
            Err(error) if error.kind() == Kind::Credentials => return Err(error),
            Err(error) => asked.failures.push(Failure::of_event(event_id, error)),
        }
    }
    Ok(asked)
}
