//! Decides what a visit has to ask for. Pure: from what is known to a set of days.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::event_day::EventDay;
use crate::calendar;
use crate::error::Result;
use crate::job::choice::Scope;
use crate::job::context::Context;
use crate::load::lake_settings::LakeSettings;
use crate::load::ledger::Ledger;
use crate::report::Requests;

/// What a visit has to ask for, as far as is known when it begins.
pub(in crate::job) struct Needs<'a> {
    settings: &'a LakeSettings,
    horizon: SignedDuration,
    scope: Scope,
    ledger: &'a Ledger,
    /// When the visit begins.
    now: Timestamp,
}

impl<'a> Needs<'a> {
    /// The needs of a visit that begins now.
    pub(in crate::job) fn of(context: &'a Context, scope: Scope, ledger: &'a Ledger, now: Timestamp) -> Self {
        Self { settings: &context.lake.settings, horizon: context.horizon, scope, ledger, now }
    }

    /// Days that are asked for whatever the snapshot counts: those that an earlier visit left to this one, those that may have
    /// changed since the last visit, and chosen ones that had rows. On the first visit, only those that one which broke off has
    /// left.
    pub(in crate::job) fn days(&self) -> BTreeSet<Date> {
        let mut days = self.ledger.days_to_ask_for();
        if let Some(through) = self.ledger.through {
            let first = through.checked_sub(self.settings.settle).unwrap_or(through);
            days.extend(calendar::days(self.settings.zone.day_of(first), self.last_day()));
        }
        days.extend(self.ledger.days.keys().filter(|day| self.scope.has_day(**day)));
        days
    }

    /// Whether the snapshot is asked for, whatever the days bring: on the first visit, on the last, when it is owed, when none is
    /// known yet or the last one lacked viewers, and when the user chose the event.
    pub(super) fn snapshot(&self) -> bool {
        let is_last = self.ledger.closed.is_none() && self.is_last();
        let known = self.ledger.snapshot;
        let is_awaited = known.is_none_or(|snapshot| snapshot.is_awaited || snapshot.without_viewers > 0);
        let is_wanted = is_awaited || self.ledger.owed.snapshot || self.scope.is_whole();
        self.ledger.through.is_none() || is_last || is_wanted
    }

    /// Whether the last day of the event's horizon has settled, so that no further visit is needed if this one is complete.
    pub(in crate::job) fn is_last(&self) -> bool {
        self.closes_from().is_some_and(|from| from <= self.now)
    }

    /// When the last day of the event's horizon settles.
    pub(super) fn closes_from(&self) -> Option<Timestamp> {
        let last_day = self.settings.zone.day_of(self.ledger.end().checked_add(self.horizon).ok()?);
        self.settings.settled_at(last_day).ok()
    }

    /// Every day that can have rows, for when no snapshot shows which days have some.
    pub(super) fn possible_days(&self, event_day: Date) -> Result<BTreeSet<Date>> {
        let first = self.ledger.first_day(&self.settings.zone, event_day);
        Ok(calendar::days(calendar::previous(first)?, self.last_day()).collect())
    }

    /// How many requests the visit will take.
    pub(in crate::job) fn requests(&self) -> Result<Requests> {
        let days = self.days();
        let event_day = EventDay::of(self.ledger, &self.settings.zone, self.now);
        // One more snapshot, to find the event's day.
        let without_day = u64::from(event_day.known().is_none());
        let possible = &self.possible_days(event_day.date())? | &days;
        let windows = |days: &BTreeSet<Date>| -> u64 {
            days.iter().map(|day| u64::from(self.ledger.owed.pieces_of(*day))).sum()
        };
        Ok(Requests {
            at_least: windows(&days) + u64::from(self.snapshot()) + without_day,
            at_most: windows(&possible) + 1 + without_day,
        })
    }

    /// The last day for which the event's viewings are asked for: that of the end of its horizon, or today if that is earlier.
    fn last_day(&self) -> Date {
        let horizon = self.ledger.end().checked_add(self.horizon);
        self.settings.zone.day_of(horizon.map_or(self.now, |horizon| horizon.min(self.now)))
    }
}
