//! What a visit did not bring: what is owed, and why.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::task::Task;
use crate::error::{Error, Kind};
use crate::load::ledger::visit::{Outcome, Owed};

/// After this many requests in a row that were given up, the visit asks for no further day: the remaining ones are owed.
const GIVEN_UP: u32 = 4;

/// What a visit did not bring.
#[derive(Default)]
pub(super) struct Shortfall {
    pub(super) owed: Owed,
    /// Days whose answers lacked data that the day may have.
    pub(super) blank: BTreeSet<Date>,
    /// Settled days whose answers lacked arrays, without a snapshot that tells whether they have records: each with the number of
    /// such answers in a row.
    pub(super) lacking: BTreeMap<Date, u32>,
    /// Settled days whose answers lacked arrays and were believed, though the snapshot lacked all data, too; except those that are
    /// known to be owed.
    pub(super) believed: BTreeSet<Date>,
    /// How many requests in a row were given up.
    given_up: u32,
    /// Whether the deadline came before everything was asked for.
    pub(super) is_left: bool,
    /// Whether the vendor does not know the event.
    pub(super) is_unknown: bool,
    /// The first error. If it only says that the vendor does not know the event, a later one replaces it.
    pub(super) error: Option<Error>,
}

impl Shortfall {
    /// Notes that this is to be asked for again.
    pub(super) fn owe(&mut self, task: Task) {
        match task {
            Task::Day(day) => {
                self.owed.days.insert(day);
            }
            Task::Snapshot => self.owed.snapshot = true,
        }
    }

    /// Notes an error.
    pub(super) fn fail(&mut self, error: Error) {
        tracing::debug!("{error}");
        self.is_unknown |= error.kind() == Kind::UnknownEvent;
        // Any other error says more than that the vendor does not know the event.
        if self.error.as_ref().is_none_or(|first| first.kind() == Kind::UnknownEvent) {
            self.error = Some(error);
        }
    }

    /// Notes that a request was given up.
    pub(super) fn give_up(&mut self) {
        self.given_up += 1;
    }

    /// Notes that a request was answered.
    pub(super) fn note_answer(&mut self) {
        self.given_up = 0;
    }

    /// Whether the last request was given up, so that the next one will most likely fail, too.
    pub(super) fn has_just_given_up(&self) -> bool {
        self.given_up > 0
    }

    /// Whether so many requests were given up that no further day is asked for.
    pub(super) fn is_hopeless(&self) -> bool {
        self.given_up >= GIVEN_UP
    }

    /// How the visit ends.
    pub(super) fn outcome(&self) -> Outcome {
        match (&self.error, self.is_left) {
            // An outage is not the fault of the event, which stays due.
            (Some(error), _) if error.kind() == Kind::Unreachable => Outcome::Left,
            (Some(_), _) => Outcome::Failed,
            (None, true) => Outcome::Left,
            (None, false) => Outcome::Complete,
        }
    }
}
