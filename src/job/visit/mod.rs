//! A visit: everything that a run asks of the vendor for one event, and what it stages.

mod answer_decoder;
mod archiving;
mod close;
mod days;
mod fetch;
mod figures;
mod intake;
mod record_counts;
mod shortfall;
mod stage;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicU32;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

pub(super) use self::days::expected_requests;
use self::days::{DayCount, Task};
use self::figures::Figures;
pub(super) use self::figures::events_row;
pub(super) use self::intake::{AnswerSource, Intake};
pub(super) use self::record_counts::RecordCounts;
use self::shortfall::Shortfall;
use self::stage::Staging;
pub(super) use self::wanted::Wanted;
use super::choice::Scope;
use super::context::Context;
use crate::error::{Error, Kind, Result};
use crate::extract::usage::{Usage, Used};
use crate::extract::vendor::Vendor;
use crate::load::cell::Source;
use crate::load::ledger::Ledger;
use crate::load::ledger::answers::{DayAnswer, SnapshotAnswer};
use crate::load::ledger::visit::Outcome;
use crate::load::staging::VisitId;
use crate::transform::decode::DecodeContext;
use crate::transform::privacy::{Privacy, PrivacyVersion};

/// The result of a visit.
pub(super) struct Visited {
    pub(super) event_id: i64,
    pub(super) outcome: Outcome,
    pub(super) figures: Figures,
    pub(super) used: Used,
    /// The ledger after the visit.
    pub(super) after: Ledger,
    pub(super) error: Option<Error>,
}

/// Visits one event. An error is one that every other event would meet, such as a token that is not accepted.
pub(super) async fn visit(
    context: &Context,
    scope: Scope,
    ledger: Ledger,
    privacy: Privacy,
) -> Result<Visited> {
    let usage = Usage::default();
    let now = context.clock.now();
    let after_the_last =
        ledger.last_visit.and_then(|last| last.checked_add(SignedDuration::from_millis(1)).ok());
    let pulled_at = after_the_last.map_or(now, |after| after.max(now));
    let event_id = ledger.event.event_id;
    let visit_id = VisitId {
        event_id,
        pulled_at,
        run: context.run.clone(),
        privacy_version: PrivacyVersion::from(&privacy),
    };
    let mut visiting = Visiting {
        context,
        scope,
        privacy,
        vendor: context.client.vendor(&usage),
        visit_id,
        began: now,
        event_day: ledger
            .event_day
            .unwrap_or_else(|| context.lake.settings.zone.day_of(ledger.event.start_time.unwrap_or(now))),
        event_day_is_known: ledger.event_day.is_some() || ledger.event.start_time.is_some(),
        known: ledger.days.clone(),
        ledger,
        asked: BTreeSet::new(),
        counts: None,
        snapshot: None,
        shortfall: Shortfall::default(),
        figures: Figures::default(),
        staging: None,
        attempt: AtomicU32::new(0),
    };
    let pulled = visiting.pull().await;
    visiting.finish_staging().await;
    let has_asked_all = match pulled {
        Ok(has_asked_all) => has_asked_all,
        Err(error) => {
            if error.kind() == Kind::Credentials {
                visiting.clean_own_answers().await?;
                return Err(error);
            }
            visiting.fail(error);
            visiting.owe_the_rest();
            false
        }
    };
    visiting.close(has_asked_all).await
}

/// A visit that is under way.
struct Visiting<'a> {
    context: &'a Context,
    scope: Scope,
    privacy: Privacy,
    vendor: Vendor<'a>,
    visit_id: VisitId,
    began: Timestamp,
    event_day: Date,
    event_day_is_known: bool,
    ledger: Ledger,
    /// The last answer for each day; this visit's, if it has one.
    known: BTreeMap<Date, DayAnswer>,
    /// Days that this visit asked for.
    asked: BTreeSet<Date>,
    /// What the snapshot counts by day; `None` if there is no snapshot.
    counts: Option<BTreeMap<Date, DayCount>>,
    snapshot: Option<SnapshotAnswer>,
    shortfall: Shortfall,
    figures: Figures,
    /// What is being staged while the next answer is asked for.
    staging: Option<Staging>,
    /// Counts the attempts at all answers of a day, or at the snapshot, for the keys of the archive.
    attempt: AtomicU32,
}

impl Visiting<'_> {
    /// Asks for everything that is due. True if every day up to now was answered or is owed.
    async fn pull(&mut self) -> Result<bool> {
        if !self.event_day_is_known && !self.find_event_day().await? {
            self.shortfall.is_left = true;
            self.shortfall.owe(Task::Snapshot);
            return Ok(false);
        }
        self.fix_event_day().await?;
        let now = self.visit_id.pulled_at;
        let days = days::due(self.context, self.scope, &self.ledger, now);
        let wants_snapshot = days::wants_snapshot(self.context, self.scope, &self.ledger, now);
        for task in days::in_turn(days, wants_snapshot, self.ledger.unfinished) {
            self.pull_task(task).await?;
        }
        let is_changed = !wants_snapshot && self.is_changed();
        if is_changed {
            self.pull_task(Task::Snapshot).await?;
        }
        if wants_snapshot || is_changed {
            for day in self.days_to_check()? {
                self.pull_task(Task::Day(day)).await?;
            }
        }
        self.finish_staging().await;
        self.compare();
        Ok(true)
    }

    /// Finds the event's day if neither ledger nor vendor states it: that of its earliest record, in a snapshot of which nothing
    /// is kept. False if there is no time left.
    async fn find_event_day(&mut self) -> Result<bool> {
        let Some(fetched) = self.count_days().await? else { return Ok(false) };
        if let Some(first) = fetched.day_counts.keys().next() {
            self.event_day = *first;
        }
        self.event_day_is_known = true;
        Ok(true)
    }

    /// Puts the event's day into the ledger before anything is staged for it, so that a run that is killed and repeated on
    /// another day, or after the event was moved, finds the same day.
    async fn fix_event_day(&mut self) -> Result<()> {
        if self.ledger.event_day.is_none() {
            let event_day = self.event_day;
            let fix = |ledger: &mut Ledger| {
                ledger.event_day.get_or_insert(event_day);
            };
            self.ledger = self.context.ledgers.update(&self.ledger, fix).await?;
            self.event_day = self.ledger.event_day.unwrap_or(event_day);
        }
        Ok(())
    }

    /// Whether the rows of any day differ from those of the visit before.
    fn is_changed(&self) -> bool {
        self.known.iter().any(|(day, now)| {
            self.ledger.days.get(day).is_none_or(|before| {
                before.lives.digest != now.lives.digest
                    || before.interactions.digest != now.interactions.digest
            })
        })
    }

    /// Days that the snapshot counts differently, or all possible days if there is no snapshot; not those that were just asked
    /// for. If there was no time for it, settled days with an answer are left out: the next visit asks for the snapshot again.
    fn days_to_check(&self) -> Result<BTreeSet<Date>> {
        let mut days = match &self.counts {
            Some(counts) => days::differing(self.scope, counts, &self.known),
            None => days::possible(self.context, &self.ledger, self.event_day, self.visit_id.pulled_at)?,
        };
        if self.counts.is_none() && self.shortfall.is_left {
            days.retain(|day| !self.is_answered(*day));
        }
        Ok(&days - &self.asked)
    }

    /// Whether a day was answered after it settled, with rows.
    fn is_answered(&self, day: Date) -> bool {
        let settled_at = self.context.lake.settings.settled_at(day);
        self.known.get(&day).is_some_and(|answer| settled_at.is_ok_and(|settled| answer.pulled_at >= settled))
    }

    /// Compares every settled day with the snapshot. What differs is only counted, not changed. If a day is missing, nothing is
    /// compared: it would say nothing about the vendor.
    fn compare(&mut self) {
        let Some(counts) = self.counts.as_ref().filter(|_| self.shortfall.owed.days.is_empty()) else {
            return;
        };
        let days: BTreeSet<Date> = counts.keys().chain(self.known.keys()).copied().collect();
        let settled = |day: &&Date| {
            self.context
                .lake
                .settings
                .settled_at(**day)
                .is_ok_and(|settled_at| self.visit_id.pulled_at >= settled_at)
        };
        let settled: Vec<&Date> = days.iter().filter(settled).collect();
        let agrees = |day: &Date| counts.get(day).copied().unwrap_or_default().agrees(self.known.get(day));
        let differing = settled.iter().filter(|day| !agrees(day)).count();
        self.figures.checked = Some((settled.len() as u64, differing as u64));
    }

    /// Marks what was not asked for any more as owed. Days that were due are due again anyway, and new ones differ from the next
    /// snapshot; chosen ones would not come back.
    fn owe_the_rest(&mut self) {
        self.shortfall.owe(Task::Snapshot);
        // The vendor knows no day of such an event any more.
        if self.shortfall.is_unknown {
            return;
        }
        let chosen = self.ledger.days.keys().filter(|day| self.scope.has_day(**day));
        self.shortfall.owed.days.extend(chosen.filter(|day| !self.asked.contains(day)));
    }

    fn wanted(&self, source: Source) -> Wanted {
        let VisitId { event_id, pulled_at, .. } = self.visit_id;
        let (zone, privacy) = (self.context.lake.settings.zone.clone(), self.privacy.clone());
        Wanted { source, decode_context: DecodeContext { event_id, pulled_at, zone, privacy } }
    }

    fn fail(&mut self, error: Error) {
        self.shortfall.fail(error.with("event", self.visit_id.event_id));
    }
}
