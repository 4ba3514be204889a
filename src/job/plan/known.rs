//! What a plan remembers about an event: only what decides whether it is visited, as there may be very many events.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;

use super::purpose::Purpose;
use crate::job::choice::{Choice, Chosen};
use crate::job::context::Context;
use crate::load::ledger::Ledger;
use crate::load::ledger::health::Health;
use crate::transform::event::Event;

/// An event that has a ledger.
pub(super) struct KnownEvent {
    /// Whether it is still visited.
    pub(super) is_open: bool,
    /// Whether it may have been moved since it was last described: as far as is known, it has not ended; or it is to be visited
    /// now, and no visit has found that anybody came.
    pub(super) may_have_moved: bool,
    /// When it ends, as far as is known.
    pub(super) end_time: Option<Timestamp>,
    /// Whether it has begun, and nothing says when it ends.
    pub(super) lacks_end: bool,
    /// When the last visit began.
    pub(super) last_visit: Option<Timestamp>,
    /// Whether it is overdue or failing.
    pub(super) health: Health,
    /// Its turn among the events that wait for a visit; `None` if it is not due.
    pub(super) turn: Option<Turn>,
    /// How many rows it had when it was last visited.
    pub(super) rows: u64,
    /// Its ledger, if it is due and the plan keeps it.
    pub(super) ledger: Option<Box<Ledger>>,
    description: u64,
}

/// The turn of an event among those that wait for a visit. Those that have waited longest come first; but those past their
/// horizon come last, so that years of events that are pulled for the first time do not keep today's from being visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::job) struct Turn {
    is_past_horizon: bool,
    /// Since when it has been waiting.
    pub(super) since: Timestamp,
}

impl KnownEvent {
    /// Takes what a plan needs from a ledger.
    pub(super) fn of(
        context: &Context,
        choice: &Choice,
        ledger: Ledger,
        now: Timestamp,
        purpose: Purpose,
    ) -> Self {
        let is_past_horizon = ledger.is_past_horizon(context.horizon, now);
        let turn = wanted_at(context, choice, &ledger, now).map(|since| Turn { is_past_horizon, since });
        let is_kept = turn.is_some() && !purpose.writes_ledgers();
        let is_empty_yet = turn.is_some() && !ledger.days.values().any(|day| day.has_had_rows);
        Self {
            is_open: ledger.closed.is_none(),
            may_have_moved: !ledger.event.has_ended(now) || is_empty_yet,
            end_time: ledger.event.end_time,
            lacks_end: ledger.lacks_end(now),
            last_visit: ledger.last_visit,
            health: Health::of(&ledger, now),
            description: description(&ledger.event),
            turn,
            rows: ledger.rows(),
            ledger: is_kept.then(|| Box::new(ledger)),
        }
    }

    /// Whether it is to be visited because a user chose it, or its days.
    pub(super) fn is_chosen(&self, choice: &Choice) -> bool {
        self.turn.is_some() && choice.is_chosen()
    }

    /// Whether its ledger describes it in the same way.
    pub(super) fn is_described_as(&self, event: &Event) -> bool {
        self.description == description(event)
    }
}

fn description(event: &Event) -> u64 {
    let mut hasher = DefaultHasher::new();
    event.hash(&mut hasher);
    hasher.finish()
}

/// Since when a visit is wanted; `None` if it is not wanted, or not yet.
fn wanted_at(context: &Context, choice: &Choice, ledger: &Ledger, now: Timestamp) -> Option<Timestamp> {
    let is_wanted = match &choice.chosen {
        Chosen::Due => return ledger.due_at(context.horizon, now).filter(|at| *at <= now),
        // What the deadline cut off is continued; what failed is left to the next plan.
        Chosen::Plan { .. } if choice.was_visited(ledger) => ledger.failures == 0 && !ledger.owed.is_empty(),
        Chosen::Plan { .. } | Chosen::Events(..) => true,
        Chosen::Days(days) => {
            let zone = &context.lake.settings.zone;
            // Until all days of an event have been asked for once, it is not known on which days it was watched.
            let held = match ledger.through {
                Some(_) => *days,
                None => days.with_those_before(context.horizon, zone),
            };
            ledger.days.keys().chain(&ledger.days_to_ask_for()).any(|day| days.has(*day))
                || held.meet(&ledger.event, zone)
                    && !ledger.was_cancelled_before_start()
                    && ledger.event.start_time.is_some_and(|start| start <= now)
        }
    };
    is_wanted.then(|| ledger.end())
}
