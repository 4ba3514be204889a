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
pub(in crate::job) struct KnownEvent {
    /// Whether it is still visited.
    pub(in crate::job) is_open: bool,
    /// Whether it has ended, so that it cannot be moved any more.
    pub(in crate::job) has_ended: bool,
    /// When it ends, as far as is known.
    pub(in crate::job) end_time: Option<Timestamp>,
    /// Whether it has begun, and nothing says when it ends.
    pub(in crate::job) lacks_end: bool,
    /// When the last visit began.
    pub(in crate::job) last_visit: Option<Timestamp>,
    /// Whether it is overdue or failing.
    pub(in crate::job) health: Health,
    /// Since when it has been waiting for a visit, with its ledger if the plan keeps it; `None` if it is not due.
    pub(in crate::job) due: Option<(Timestamp, Option<Box<Ledger>>)>,
    description: u64,
}

impl KnownEvent {
    /// Takes what a plan needs from a ledger.
    pub(in crate::job) fn of(
        context: &Context,
        choice: &Choice,
        ledger: Ledger,
        now: Timestamp,
        purpose: Purpose,
    ) -> Self {
        let since = wanted_at(context, choice, &ledger, now);
        Self {
            is_open: ledger.closed.is_none(),
            has_ended: ledger.event.has_ended(now),
            end_time: ledger.event.end_time,
            lacks_end: ledger.lacks_end(now),
            last_visit: ledger.last_visit,
            health: Health::of(&ledger, now),
            description: description(&ledger.event),
            due: since.map(|since| (since, purpose.keeps_ledgers().then(|| Box::new(ledger)))),
        }
    }

    /// Whether it is to be visited because a user chose it, or its days.
    pub(in crate::job) fn is_chosen(&self, choice: &Choice) -> bool {
        self.due.is_some() && choice.is_chosen()
    }

    /// Whether its ledger describes it in the same way.
    pub(in crate::job) fn is_described_as(&self, event: &Event) -> bool {
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
