//! Writes what the rosters say about events into the ledgers, page by page: even with very many events, only what a plan needs
//! stays in memory.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use futures::{StreamExt, stream};
use jiff::Timestamp;

use super::known::KnownEvent;
use super::purpose::Purpose;
use crate::error::{Error, Kind, Result};
use crate::extract::vendor::Vendor;
use crate::job::choice::{Choice, Chosen};
use crate::job::context::{Context, FAILURES_TO_STOP};
use crate::load::ledger::Ledger;
use crate::load::ledger::ledgers::AT_ONCE;
use crate::report::Failure;
use crate::transform::event::Event;
use crate::transform::privacy::Privacy;

/// How much an entry of a list says about its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// How the vendor describes it now.
    Full,
    /// Only that the event exists, and that it ends at the given time or later.
    ExistenceOnly,
}

/// The known events, brought up to date from the rosters.
pub(super) struct RosterUpdate<'a> {
    pub(super) context: &'a Context,
    pub(super) vendor: Vendor<'a>,
    pub(super) choice: &'a Choice,
    pub(super) purpose: Purpose,
    /// When the plan began.
    pub(super) now: Timestamp,
    privacy: Privacy,
    /// The lake that has to be established before anything is saved; `None` once it exists.
    new_lake: Option<NewLake>,
    /// Events that have a ledger, or would have one.
    pub(super) known: BTreeMap<i64, KnownEvent>,
    /// Events that a list described in full.
    described: HashSet<i64>,
    /// Events whose ledgers could not be written.
    pub(super) unsaved: BTreeMap<i64, Error>,
    /// How many entries of lists name no event.
    pub(super) unreadable: u64,
    /// What could not be read.
    pub(super) failures: Vec<Failure>,
    /// How many events are no longer visited because no end of them became known.
    pub(super) given_up: usize,
    /// What a user may want to know.
    pub(super) notes: BTreeSet<String>,
}

/// A lake that does not exist yet.
pub(super) struct NewLake {
    pub(super) customer: Option<String>,
}

impl<'a> RosterUpdate<'a> {
    pub(super) fn new(
        context: &'a Context,
        vendor: Vendor<'a>,
        choice: &'a Choice,
        purpose: Purpose,
        privacy: Privacy,
        new_lake: Option<NewLake>,
    ) -> Self {
        Self {
            context,
            vendor,
            choice,
            purpose,
            now: context.clock.now(),
            privacy,
            new_lake: new_lake.filter(|_| purpose.writes_ledgers()),
            known: BTreeMap::new(),
            described: HashSet::new(),
            unsaved: BTreeMap::new(),
            unreadable: 0,
            failures: Vec::new(),
            given_up: 0,
            notes: BTreeSet::new(),
        }
    }

    /// Remembers an event by its ledger.
    pub(super) fn remember(&mut self, ledger: Ledger) {
        self.known.insert(ledger.event.event_id, self.known_event(ledger));
    }

    /// Remembers an event by its ledger if it is to be visited.
    pub(super) fn remember_if_due(&mut self, ledger: Ledger) {
        let event_id = ledger.event.event_id;
        let known = self.known_event(ledger);
        if known.turn.is_some() {
            self.known.entry(event_id).or_insert(known);
        }
    }

    fn known_event(&self, ledger: Ledger) -> KnownEvent {
        KnownEvent::of(self.context, self.choice, ledger, self.now, self.purpose)
    }

    /// How long a list, or all questions about single events, may take: half of the time that is left, if there are visits to
    /// make that need neither; otherwise `None`, for no limit.
    pub(super) fn budget_before_visits(&self) -> Option<Duration> {
        let has_visits_to_make = self.purpose == Purpose::Pull && !self.known.is_empty();
        self.context.visit_deadline.time_left().filter(|_| has_visits_to_make).map(|left| left / 2)
    }

    /// Whether a list described the event in full.
    pub(super) fn is_described(&self, event_id: i64) -> bool {
        self.described.contains(&event_id)
    }

    /// Events that have begun and whose end is not known, except those that a user chose.
    pub(super) fn without_end(&self) -> impl Iterator<Item = i64> {
        let waiting = self.known.iter().filter(|(_, known)| known.lacks_end && !known.is_chosen(self.choice));
        waiting.map(|(event_id, _)| *event_id)
    }

    /// Saves the listed events whose ledgers do not already say the same. If a list names an event twice, the entry of the later
    /// edit counts, else the later entry; if both lists name it, the entry that says more.
    pub(super) async fn apply(&mut self, events: Vec<Event>, detail: Detail) -> Result<()> {
        let treated = events.into_iter().map(|event| event.treated(&self.privacy));
        let mut listed: BTreeMap<i64, Event> = BTreeMap::new();
        for event in treated {
            if listed.get(&event.event_id).is_none_or(|known| !event.is_older_than(known)) {
                listed.insert(event.event_id, event);
            }
        }
        let named: Vec<i64> = listed.keys().copied().collect();
        let news = listed.into_values().filter(|event| self.is_news(event, detail)).collect();
        self.save(news, detail).await?;
        if detail == Detail::Full {
            self.described.extend(named);
        }
        Ok(())
    }

    fn is_news(&self, event: &Event, detail: Detail) -> bool {
        if detail == Detail::ExistenceOnly && self.is_described(event.event_id) {
            return false;
        }
        match (self.known.get(&event.event_id), detail) {
            (Some(known), Detail::Full) => !known.is_described_as(event),
            (Some(known), Detail::ExistenceOnly) => event.end_time > known.end_time,
            (None, _) => !event.was_cancelled_before_start(),
        }
    }

    /// Saves events that were asked about one by one, even if their ledgers already say the same.
    pub(super) async fn apply_details(&mut self, events: Vec<Event>) -> Result<()> {
        let events = events.into_iter().map(|event| event.treated(&self.privacy)).collect();
        self.save(events, Detail::Full).await
    }

    /// Saves events in their ledgers; they must already be reduced to what may be kept. A ledger that cannot be read or written
    /// fails alone, unless the store is down.
    async fn save(&mut self, events: Vec<Event>, detail: Detail) -> Result<()> {
        if !events.is_empty() {
            self.check_clock()?;
            self.establish().await?;
        }
        let this = &*self;
        let noted =
            stream::iter(events).map(|event| async move { (event.event_id, this.note(event, detail).await) });
        let noted: Vec<_> = noted.buffered(AT_ONCE).collect().await;
        let is_of_store = |outcome: &Result<Option<Ledger>>| {
            outcome.as_ref().is_err_and(|error| error.kind() == Kind::Store)
        };
        let of_store = noted.iter().filter(|(_, outcome)| is_of_store(outcome)).count();
        let is_down = of_store >= FAILURES_TO_STOP as usize && !self.context.store_works().await;
        for (event_id, outcome) in noted {
            match outcome {
                // No other event would fare better.
                Err(error) if is_down && error.kind() == Kind::Store => return Err(error),
                Ok(ledger) => {
                    self.unsaved.remove(&event_id);
                    if let Some(ledger) = ledger {
                        self.remember(ledger);
                    }
                }
                Err(error) => {
                    self.unsaved.insert(event_id, error);
                }
            }
        }
        Ok(())
    }

    /// Refuses a run whose clock is far ahead; a plan that is only shown does no harm.
    pub(super) fn check_clock(&self) -> Result<()> {
        if self.purpose.writes_ledgers() { self.context.check_clock(self.vendor) } else { Ok(()) }
    }

    /// Makes the lake if there is none yet. Nothing is saved before that has succeeded.
    pub(super) async fn establish(&mut self) -> Result<()> {
        if let Some(NewLake { customer }) = &self.new_lake {
            self.context.lake.establish(customer.as_deref()).await?;
            self.new_lake = None;
        }
        Ok(())
    }

    /// Notes in the ledger of an event what the roster says about it, unless the plan is only shown; returns the ledger. `None`
    /// if the event has no ledger and does not concern this run.
    async fn note(&self, event: Event, detail: Detail) -> Result<Option<Ledger>> {
        if !self.may_concern(&event) && self.context.ledgers.find(event.event_id).await?.is_none() {
            return Ok(None);
        }
        let (now, zone) = (self.now, &self.context.lake.settings.zone);
        let is_full = detail == Detail::Full;
        let modify_time = event.modify_time.filter(|_| is_full);
        let new = Ledger::new(Event { modify_time, ..event.clone() }, now);
        let change = |ledger: &mut Ledger| {
            if is_full || event.end_time > ledger.event.end_time {
                let known_edit = ledger.event.modify_time;
                ledger.describe(&event);
                // Only the other list says which edit is the last. With the time of a later edit from here, its entry of an
                // earlier one would be ignored.
                if !is_full {
                    ledger.event.modify_time = known_edit;
                }
                // What the new description takes over from the earlier one may name one of the people to be forgotten.
                ledger.event = ledger.event.clone().treated(&self.privacy);
            }
            // The first visit follows, and saves a write of its own if the event day is already in the ledger.
            if ledger.closed.is_none() && ledger.event.has_ended(now) {
                let day = ledger.event.start_time.map(|start| zone.day_of(start));
                ledger.event_day = ledger.event_day.or(day);
            }
        };
        if self.purpose.writes_ledgers() {
            return self.context.ledgers.update(&new, change).await.map(Some);
        }
        let found = self.context.ledgers.find(event.event_id).await?;
        let mut ledger = found.map_or_else(|| new.clone(), |entry| entry.ledger);
        change(&mut ledger);
        Ok(Some(ledger))
    }

    /// Whether an event without a ledger may concern this run. A run over chosen days concerns events that took place on them, or
    /// so shortly before that they may have been watched then. To find events of a day years ago, the lists are read from then
    /// on: that is no reason to visit everything that was held since.
    fn may_concern(&self, event: &Event) -> bool {
        let Chosen::Days(days) = self.choice.chosen else { return true };
        let zone = &self.context.lake.settings.zone;
        event.start_time.is_none() || days.with_those_before(self.context.horizon, zone).meet(event, zone)
    }
}
