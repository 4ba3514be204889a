//! What a plan remembers of an event: what decides whether it is visited, and not its whole ledger. There may be very many.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;

use super::context::Context;
use super::purpose::Purpose;
use super::selection::Choice;
use crate::load::health::Health;
use crate::load::ledger::Ledger;
use crate::transform::event::Event;

/// An event that has a ledger.
pub(super) struct Known {
    /// Whether it is still visited.
    pub(super) is_open: bool,
    /// Whether it can be moved no more.
    pub(super) has_ended: bool,
    /// When it ends, as far as is known.
    pub(super) end_time: Option<Timestamp>,
    /// Whether it has begun, and nothing says when it ends.
    pub(super) lacks_end: bool,
    /// When the last visit began.
    pub(super) last_visit: Option<Timestamp>,
    /// How it is.
    pub(super) health: Health,
    /// Since when it waits for a visit, and what is kept of its ledger, where it does.
    pub(super) due: Option<(Timestamp, Option<Box<Ledger>>)>,
    description: u64,
}

impl Known {
    /// What its ledger says.
    pub(super) fn of(
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

    /// Whether this is how its ledger describes it.
    pub(super) fn is_described_as(&self, event: &Event) -> bool {
        self.description == description(event)
    }
}

fn description(event: &Event) -> u64 {
    let mut hasher = DefaultHasher::new();
    event.hash(&mut hasher);
    hasher.finish()
}

/// Since when a visit is wanted; none where it is not, or not yet.
fn wanted_at(context: &Context, choice: &Choice, ledger: &Ledger, now: Timestamp) -> Option<Timestamp> {
    if choice.was_visited(ledger) {
        // What the deadline cut off is gone on with; what failed is for the next plan.
        let is_cut_off = ledger.failures == 0 && !ledger.owed.is_empty();
        return is_cut_off.then(|| ledger.end());
    }
    if choice.planned_at.is_some() {
        return Some(ledger.end());
    }
    if !choice.visits_whole() {
        return ledger.due_at(now).filter(|at| *at <= now);
    }
    let is_chosen = !choice.events.is_empty()
        || ledger.days.keys().any(|day| choice.has_day(*day))
        || choice.meets(&ledger.event, &context.lake.zone)
            && !ledger.event.never_was()
            && ledger.event.start_time.is_some_and(|start| start <= now);
    is_chosen.then(|| ledger.end())
}
