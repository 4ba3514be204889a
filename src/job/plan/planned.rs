//! The result of a plan: the events to visit, and what could not be planned.

use super::known::{KnownEvent, Turn};
use crate::error::Error;
use crate::load::ledger::Ledger;
use crate::load::ledger::health::Health;
use crate::report::{Failure, Report};

/// An event to visit.
pub(in crate::job) struct Due {
    pub(in crate::job) event_id: i64,
    pub(super) turn: Turn,
    /// How many rows it had when it was last visited.
    pub(super) rows: u64,
    /// What it adds to the health of all events.
    pub(in crate::job) health: Health,
    /// Its ledger; `None` if the plan does not keep ledgers in memory.
    pub(super) ledger: Option<Box<Ledger>>,
}

/// The events to visit, and what could not be planned.
#[derive(Default)]
pub(in crate::job) struct Planned {
    /// The events to visit, in this order.
    pub(super) due: Vec<Due>,
    /// How many events are known and still visited.
    known: usize,
    /// The health of these events.
    health: Health,
    /// Whether `known` and `health` are about all events, not only about chosen ones.
    is_of_all: bool,
    /// What could not be planned.
    pub(super) failures: Vec<Failure>,
    /// How many of the events that could not be planned are not among those that are still visited.
    pub(super) not_visited: usize,
    /// How many events are given up.
    pub(super) given_up: usize,
    /// What a user may want to know.
    pub(super) notes: Vec<String>,
}

impl Planned {
    /// An empty plan, of all events or of chosen ones.
    pub(super) fn new(is_of_all: bool) -> Self {
        Self { is_of_all, ..Self::default() }
    }

    /// Adds errors that do not concern a single event.
    pub(super) fn fail(&mut self, errors: impl IntoIterator<Item = Error>) {
        self.failures.extend(errors.into_iter().map(|error| Failure::of_run(&error)));
    }

    /// Adds an event.
    pub(super) fn add(&mut self, event_id: i64, known: KnownEvent) {
        self.known += usize::from(known.is_open);
        self.health += known.health;
        let KnownEvent { health, turn, rows, ledger, .. } = known;
        self.due.extend(turn.map(|turn| Due { event_id, turn, rows, health, ledger }));
    }

    /// Adds the plan to the report, and returns the events to visit.
    pub(in crate::job) fn add_to_report(self, report: &mut Report) -> Vec<Due> {
        report.planned(self.known, self.due.len());
        report.events.health += self.health;
        report.events.given_up += self.given_up;
        report.not_visited += self.not_visited;
        report.is_of_all = self.is_of_all;
        self.failures.into_iter().for_each(|failure| report.not_planned(failure));
        report.notes.extend(self.notes);
        self.due
    }
}
