//! What a plan comes to: the events to visit, and what it could not plan.

use jiff::Timestamp;

use super::known::Known;
use crate::error::Error;
use crate::load::health::Health;
use crate::load::ledger::Ledger;
use crate::report::Report;

/// An event to visit.
pub(super) struct Due {
    pub(super) event_id: i64,
    /// Since when it waits.
    pub(super) since: Timestamp,
    /// How it was counted.
    pub(super) health: Health,
    /// Its ledger, where that is kept.
    pub(super) ledger: Option<Box<Ledger>>,
}

/// What is to be done.
#[derive(Default)]
pub(super) struct Planned {
    /// The events to visit, those first that wait longest.
    pub(super) due: Vec<Due>,
    /// Events that are known and still visited.
    known: usize,
    /// How they are.
    health: Health,
    /// Whether that is said of all events, and not of chosen ones.
    is_of_all: bool,
    /// What could not be planned, by event where it is one.
    pub(super) failures: Vec<(Option<i64>, Error)>,
}

impl Planned {
    /// Nothing yet, of all events or of chosen ones.
    pub(super) fn new(is_of_all: bool) -> Self {
        Self { is_of_all, ..Self::default() }
    }

    /// Adds an event.
    pub(super) fn add(&mut self, event_id: i64, known: Known) {
        self.known += usize::from(known.is_open);
        self.health += known.health;
        let health = known.health;
        self.due.extend(known.due.map(|(since, ledger)| Due { event_id, since, health, ledger }));
    }

    /// Tells the report, and gives the events to visit.
    pub(super) fn add_to_report(self, report: &mut Report) -> Vec<Due> {
        report.planned(self.known, self.due.len());
        report.events.health += self.health;
        report.is_of_all = self.is_of_all;
        for (event_id, error) in self.failures {
            match event_id {
                Some(event_id) => {
                    report.events.due += 1;
                    report.event_failed(event_id, &error);
                }
                None => report.failed(&error),
            }
        }
        self.due
    }
}
