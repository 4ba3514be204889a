//! What a plan remembers about an event: what decides whether it is visited, not its whole ledger. There may be very many events.

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
    /// Whether it has ended, so that it cannot be moved any more.
    pub(super) has_ended: bool,
    /// When it ends, as far as is known.
    pub(super) end_time: Option<Timestamp>,
    /// Whether it has begun, and nothing says when it ends.
    pub(super) lacks_end: bool,
    /// When the last visit began.
    pub(super) last_visit: Option<Timestamp>,
    /// Whether it is overdue or failing.
    pub(super) health: Health,
    /// Since when it has been waiting for a visit; `None` if it is not due.
    pub(super) due_since: Option<Timestamp>,
    /// Its ledger, if it is due and the plan keeps it.
    pub(super) ledger: Option<Box<Ledger>>,
    description: u64,
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
        let due_since = wanted_at(context, choice, &ledger, now);
        let is_kept = due_since.is_some() && purpose.keeps_ledgers();
        Self {
            is_open: ledger.closed.is_none(),
            has_ended: ledger.event.has_ended(now),
            end_time: ledger.event.end_time,
            lacks_end: ledger.lacks_end(now),
            last_visit: ledger.last_visit,
            health: Health::of(&ledger, now),
            description: description(&ledger.event),
            due_since,
            ledger: is_kept.then(|| Box::new(ledger)),
        }
    }

    /// Whether it is to be visited because a user chose it, or its days.
    pub(super) fn is_chosen(&self, choice: &Choice) -> bool {
        self.due_since.is_some() && choice.is_chosen()
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
            ledger.days.keys().any(|day| days.has(*day))
                || days.meet(&ledger.event, &context.lake.settings.zone)
                    && !ledger.event.was_cancelled_before_start()
                    && ledger.event.start_time.is_some_and(|start| start <= now)
        }
    };
    is_wanted.then(|| ledger.end())
}
