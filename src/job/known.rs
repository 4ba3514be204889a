//! What a plan remembers of an event: what decides whether it is visited, and not its whole ledger. There may be very many.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;

use crate::load::health::Health;
use crate::load::ledger::Ledger;
use crate::transform::event::Event;

/// What is kept of the ledgers of events to visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// All, to be shown.
    Ledgers,
    /// Nothing: a visit reads its own when it begins.
    Nothing,
}

/// An event that has a ledger.
pub(super) struct Known {
    /// Whether it is still visited.
    pub(super) is_open: bool,
    /// Whether it can be moved no more.
    pub(super) has_ended: bool,
    /// When the last visit began.
    pub(super) last_visit: Option<Timestamp>,
    /// How it is.
    pub(super) health: Health,
    /// Since when it waits for a visit, and what is kept of its ledger, where it does.
    pub(super) due: Option<(Timestamp, Option<Box<Ledger>>)>,
    description: u64,
}

impl Known {
    /// What its ledger says; `since` when it waits for a visit, where it does.
    pub(super) fn of(ledger: Ledger, since: Option<Timestamp>, now: Timestamp, keep: Keep) -> Self {
        Self {
            is_open: ledger.closed.is_none(),
            has_ended: ledger.event.has_ended(now),
            last_visit: ledger.last_visit,
            health: Health::of(&ledger, now),
            description: description(&ledger.event),
            due: since.map(|since| (since, (keep == Keep::Ledgers).then(|| Box::new(ledger)))),
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
