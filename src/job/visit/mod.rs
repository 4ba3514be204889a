//! A visit: everything that a run asks of the vendor for one event, and what it stages.

mod answer_decoder;
mod answers;
mod archiving;
mod cell_change;
mod close;
mod day_count;
mod doubtful_day;
mod event_day;
mod fetch;
mod figures;
mod intake;
mod needs;
mod record_counts;
mod shortfall;
mod stage;
mod task;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU32;

use jiff::Timestamp;
use jiff::civil::Date;

use self::answers::Answers;
use self::doubtful_day::{TRIES_WITHOUT_DATA, lacks_data};
use self::event_day::EventDay;
use self::figures::Figures;
pub(super) use self::figures::events_row;
pub(super) use self::intake::{AnswerSource, Intake};
pub(super) use self::needs::Needs;
pub(super) use self::record_counts::RecordCounts;
use self::shortfall::Shortfall;
use self::stage::Staging;
use self::task::Task;
use super::choice::Scope;
use super::context::Context;
use crate::calendar;
use crate::error::{Error, Kind, Result};
use crate::extract::usage::{Usage, Used};
use crate::extract::vendor::Vendor;
use crate::load::ledger::Ledger;
use crate::load::ledger::visit::Outcome;
use crate::load::staging::VisitId;
use crate::transform::decode::DecodeContext;
use crate::transform::privacy::Privacy;

/// The result of a visit.
pub(super) struct Visited {
    pub(super) event_id: i64,
    pub(super) outcome: Outcome,
    pub(super) figures: Figures,
    pub(super) used: Used,
    /// The ledger after the visit.
    pub(super) after: Ledger,
    /// Whether this visit closed the event although something is missing, of which the vendor does not say that it is gone.
    pub(super) is_given_up: bool,
    pub(super) error: Option<Error>,
}

/// Visits one event. Returns an error only if every other event would meet it as well, such as a token that is not accepted.
pub(super) async fn visit(
    context: &Context,
    scope: Scope,
    ledger: Ledger,
    privacy: Privacy,
) -> Result<Visited> {
    let usage = Usage::default();
    let now = context.clock.now();
    let pulled_at = ledger.last_visit.map_or(now, |last| calendar::later_than(last, now));
    let event_id = ledger.event.event_id;
    context.progress.visiting(event_id);
    let visit_id = context.visit_id(event_id, pulled_at, &privacy);
    let mut visiting = Visiting {
        context,
        scope,
        privacy,
        vendor: context.client.vendor(&usage),
        visit_id,
        began: now,
        event_day: EventDay::of(&ledger, &context.lake.settings.zone, now),
        answers: Answers::before(&ledger),
        ledger,
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
            if matches!(error.kind(), Kind::Credentials | Kind::Clock) {
                // No row in `pulls`: there would be one for each event of each run until somebody renews the token, or sets the
                // clock. The next visit brings again what this one has staged.
                return Err(match visiting.clean_own_answers().await {
                    Ok(()) => error,
                    Err(unclean) => error.with("archive", unclean),
                });
            }
            visiting.fail(error);
            visiting.owe_what_lacks();
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
    event_day: EventDay,
    /// The ledger as it was before the visit, except that the event's day is fixed in it.
    ledger: Ledger,
    answers: Answers,
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
        if self.event_day.known().is_none() && !self.find_event_day().await? {
            self.shortfall.is_left = true;
            self.shortfall.owe(Task::Snapshot);
            return Ok(false);
        }
        self.fix_event_day().await?;
        let (days, wants_snapshot) = (self.needs().days(), self.needs().snapshot());
        for task in task::in_turn(days, wants_snapshot, self.ledger.unfinished) {
            self.pull_task(task).await?;
        }
        let is_changed = !wants_snapshot && self.answers.are_changed(&self.ledger);
        if is_changed {
            self.pull_task(Task::Snapshot).await?;
        }
        if self.answers.counts.is_some() || wants_snapshot || is_changed {
            for day in self.days_to_check()? {
                self.pull_task(Task::Day(day)).await?;
            }
        }
        self.owe_what_lacks();
        self.finish_staging().await;
        self.compare();
        Ok(true)
    }

    /// Finds the event's day if neither the ledger nor the vendor states it: the day of the earliest record in a snapshot, of
    /// which nothing is kept; or today, if there are no records. False if there is no time left.
    async fn find_event_day(&mut self) -> Result<bool> {
        let Some(fetched) = self.count_days().await? else { return Ok(false) };
        let first = fetched.day_counts.keys().next().copied();
        // The day is fixed for good, and an answer without data, or without viewings that its viewers have, may be no answer at
        // all: it decides the day only after several unfinished visits.
        let is_doubtful = fetched.is_half() || first.is_none() && fetched.lacks_viewings();
        if is_doubtful && self.ledger.unfinished < TRIES_WITHOUT_DATA {
            return Err(Task::Snapshot.named(lacks_data(&fetched)));
        }
        self.event_day = EventDay::Known(first.unwrap_or(self.event_day.date()));
        Ok(true)
    }

    /// Puts the event's day into the ledger before anything is staged for it, so that a run that is killed and repeated on
    /// another day, or after the event was moved, finds the same day.
    async fn fix_event_day(&mut self) -> Result<()> {
        if self.ledger.event_day.is_none() {
            let event_day = self.event_day.date();
            let fix = |ledger: &mut Ledger| {
                ledger.event_day.get_or_insert(event_day);
            };
            self.ledger = self.context.ledgers.update(&self.ledger, fix).await?;
            self.event_day = EventDay::Known(self.ledger.event_day.unwrap_or(event_day));
        }
        Ok(())
    }

    /// The days to ask for again: those for which the snapshot has other numbers than there are rows, the chosen ones, and all
    /// possible days if no snapshot has everything; without days that this visit has already asked for. If there was no time for
    /// the snapshot, days that were answered after they settled are left out: the next visit asks for the snapshot again.
    fn days_to_check(&self) -> Result<BTreeSet<Date>> {
        let mut days = self.answers.to_ask_again(self.scope);
        if self.answers.whole_counts().is_none() {
            days.extend(self.needs().possible_days(self.event_day.date())?);
        }
        if self.answers.counts.is_none() && self.shortfall.is_left {
            days.retain(|day| !self.is_answered(*day));
        }
        Ok(&days - &self.answers.asked)
    }

    fn needs(&self) -> Needs<'_> {
        Needs::of(self.context, self.scope, &self.ledger, self.visit_id.pulled_at)
    }

    /// Whether a day has an answer from after it settled.
    fn is_answered(&self, day: Date) -> bool {
        self.answers
            .days
            .get(&day)
            .is_some_and(|answer| !answer.is_awaited && self.is_settled(day, answer.pulled_at))
    }

    fn is_settled(&self, day: Date, at: Timestamp) -> bool {
        self.context.lake.settings.settled_at(day).is_ok_and(|settled_at| at >= settled_at)
    }

    /// Compares every settled day with the snapshot. Differences are only counted. If a day is owed, nothing is compared: a
    /// difference would then say nothing about the vendor. Nor is anything compared with a snapshot that lacks viewers where there
    /// were some: it may be no answer, and half a comparison would hide what the last whole one found.
    fn compare(&mut self) {
        let has_viewers = self.figures.details.is_some() || !self.has_had_viewers();
        if self.shortfall.owed.days.is_empty() && has_viewers {
            let pulled_at = self.visit_id.pulled_at;
            self.figures.compared = self.answers.compare(|day| self.is_settled(day, pulled_at));
        }
    }

    /// Marks as owed what the visit did not get to: the snapshot and the chosen days. Other days need no mark: those that were
    /// due are due again anyway, and those with new records will differ from the next snapshot.
    fn owe_the_rest(&mut self) {
        self.shortfall.owe(Task::Snapshot);
        // The vendor does not know the event: it would not answer for any day.
        if self.shortfall.is_unknown {
            return;
        }
        let chosen = self.ledger.days.keys().filter(|day| self.scope.has_day(**day));
        self.shortfall.owed.days.extend(chosen.filter(|day| !self.answers.asked.contains(day)));
    }

    /// The day that the rows of a task's answers lie in.
    fn day_of(&self, task: Task) -> Date {
        match task {
            Task::Day(day) => day,
            Task::Snapshot => self.event_day.date(),
        }
    }

    fn decode_context(&self) -> DecodeContext {
        let VisitId { event_id, pulled_at, .. } = self.visit_id;
        self.context.decode_context(event_id, pulled_at, &self.privacy)
    }

    fn fail(&mut self, error: Error) {
        self.shortfall.fail(error.with("event", self.visit_id.event_id));
    }
}
