//! A day for which the vendor's answer has no data at all, lacks an array, or says that the event is unknown. It is not
//! documented what the vendor's codes mean, nor what it sends if there are no records: perhaps just this. The snapshot decides.

use jiff::SignedDuration;
use jiff::civil::Date;

use super::Visiting;
use super::answers::Missing;
use super::intake::Fetched;
use super::task::Task;
use crate::error::{Error, Kind, Result};
use crate::load::cell::Source;

/// After this many visits in which a day lacked data that it may have, counted since it last had rows, its answer is used as it
/// is. The same holds, after as many unfinished visits, for a snapshot that lacks data and is to tell the event's day.
pub(super) const TRIES_WITHOUT_DATA: u32 = 6;
/// Visits that begin within so long may meet the same trouble of the vendor's. Scheduled ones of the same event are an hour apart.
const SAME_REASON: SignedDuration = SignedDuration::from_mins(10);

impl Visiting<'_> {
    /// Returns the answer for a day if it can be used. An error if it lacks an array that may have records; the snapshot's error
    /// if the vendor does not know the event there either. `None` if there is no time left to find out.
    pub(super) async fn unless_it_lacks_data(
        &mut self,
        day: Date,
        mut fetched: Fetched,
    ) -> Result<Option<Fetched>> {
        let is_usable = self.is_usable(day, &mut fetched).await;
        if !matches!(is_usable, Ok(true)) {
            self.abandon(std::mem::take(&mut fetched.archived)).await?;
        }
        Ok(is_usable?.then_some(fetched))
    }

    /// Whether an answer for a day can be used: an error if it cannot, and false if there is no time left to find out. If a
    /// snapshot that this visit has yet to ask for may contradict it, that is noted: see [`Visiting::owe_what_lacks`].
    async fn is_usable(&mut self, day: Date, fetched: &mut Fetched) -> Result<bool> {
        let (missing, unknown) = (self.missing(day, fetched), fetched.unknown.take());
        let is_owed = has_nothing(&missing) && self.ledger.owed.days.contains(&day);
        let wants_counts = unknown.is_some() || is_owed || self.is_doubted(day, &missing);
        if self.answers.counts.is_none() && wants_counts && !self.ask_for_counts().await? {
            return Ok(false);
        }
        let mut error = lacks_data(fetched);
        if let Some(unknown) = unknown {
            error = error.caused_by(unknown);
            // Without a snapshot, the event may just be unknown.
            if self.answers.counts.is_none() && has_nothing(&missing) {
                self.shortfall.note_answer();
                return Err(error);
            }
        }
        if !self.is_doubted(day, &missing) {
            if !missing.is_empty() {
                self.answers.lacking.insert(day, (missing, error));
            }
            return Ok(true);
        }
        self.shortfall.blank.insert(day);
        if self.ledger.blank.get(&day).is_some_and(|visits| *visits >= TRIES_WITHOUT_DATA) {
            let event_id = self.visit_id.event_id;
            let note = "the vendor's answers keep lacking data that this day may have";
            fetched.records.notes.insert(format!("event {event_id}, {day}: {note}"));
            return Ok(true);
        }
        // The vendor did answer, so this must not keep the visit from asking for other days.
        self.shortfall.note_answer();
        Err(error)
    }

    /// Owes the days that lacked an array for which the snapshot, if it came after them, counts more records. Notes those of which
    /// no snapshot can tell, and those of which only one without any data tells. Days that have not settled are asked for again
    /// anyway.
    pub(super) fn owe_what_lacks(&mut self) {
        let mut lacking = std::mem::take(&mut self.answers.lacking);
        lacking.retain(|day, _| self.is_settled(*day, self.visit_id.pulled_at));
        for (day, (missing, error)) in lacking {
            match self.answers.counted_more(day, &missing) {
                Some(true) => {
                    let task = Task::Day(day);
                    self.shortfall.owe(task);
                    self.shortfall.blank.insert(day);
                    self.fail(task.named(error));
                }
                Some(false) if !self.is_snapshot_blank() => {}
                // A snapshot without any data may be no answer either. It is asked for again, but not if another visit at the
                // same time got one; and that visit may owe the day.
                Some(false) if !self.has_had_viewers() => {
                    if !self.ledger.owed.days.contains(&day) && !self.scope.accepts(day) {
                        self.shortfall.believed.insert(day);
                    }
                }
                Some(false) | None => {
                    let before = self.ledger.lacked.get(&day).copied().unwrap_or_default();
                    self.shortfall.lacking.insert(day, self.one_more(before));
                }
            }
        }
    }

    /// The number of answers in a row that lack the same, with this one. If the visit before began a moment ago, its answer and this
    /// one may lack it for the same reason: then they count once.
    pub(super) fn one_more(&self, before: u32) -> u32 {
        let since = |last| self.visit_id.pulled_at.duration_since(last);
        let is_soon = self.ledger.last_visit.is_some_and(|last| since(last) < SAME_REASON);
        if is_soon && before > 0 { before } else { before.saturating_add(1) }
    }

    /// What the answer for a day lacks. As long as the day has not settled, tables with some rows are left out: the day is still
    /// growing, and the snapshot may have more rows without contradicting the answer.
    fn missing(&self, day: Date, fetched: &Fetched) -> Missing {
        let is_settled = self.is_settled(day, self.visit_id.pulled_at);
        let tables = Source::Windows.tables().iter().filter(|table| fetched.missing.contains(table));
        let missing = tables.map(|table| (*table, fetched.totals(*table).rows));
        missing.filter(|(_, rows)| *rows == 0 || is_settled).collect()
    }

    /// Whether what an answer for a day lacks contradicts what is known: from the snapshot of this visit, or, if that cannot
    /// tell, from the visits before.
    fn is_doubted(&self, day: Date, missing: &Missing) -> bool {
        if missing.is_empty() {
            return false;
        }
        let (has_lacked, may_be_owed_rows) = (self.has_lacked(day), self.may_be_owed_rows(day));
        let would_shrink = self.has_yet_to_shrink(day) && self.had_more(day, missing);
        match self.answers.counted_more(day, missing) {
            Some(true) => true,
            // A snapshot without any data may be no answer either.
            Some(false) => {
                self.is_snapshot_blank()
                    && has_nothing(missing)
                    && (has_lacked || may_be_owed_rows || would_shrink)
            }
            None => {
                // If there is a snapshot, but one that was cut off, every day is asked for, and compared with the next snapshot.
                let may_come = self.answers.counts.is_none();
                has_nothing(missing)
                    && (has_lacked || self.had_more(day, missing) || may_come && may_be_owed_rows)
                    || has_lacked && may_come
                    || would_shrink
            }
        }
    }

    fn is_snapshot_blank(&self) -> bool {
        self.answers.counts.as_ref().is_some_and(|counts| counts.is_blank)
    }

    pub(super) fn has_had_viewers(&self) -> bool {
        self.ledger.snapshot.is_some_and(|before| before.viewer_details.rows > 0)
    }

    /// Whether a user accepts fewer rows of a day, or has since its last answer.
    fn has_yet_to_shrink(&self, day: Date) -> bool {
        let known = self.ledger.days.get(&day);
        known.is_some_and(|known| self.accepted_at(Task::Day(day)) > Some(known.pulled_at))
    }

    /// Whether the last answer for a day had more rows of what this one lacks.
    fn had_more(&self, day: Date, missing: &Missing) -> bool {
        let known = self.ledger.days.get(&day);
        known.is_some_and(|known| missing.iter().any(|(table, rows)| known.totals(*table).rows > *rows))
    }

    /// Whether answers for a day have lacked data that it may have, since it last had rows.
    fn has_lacked(&self, day: Date) -> bool {
        self.ledger.blank.contains_key(&day)
    }

    /// Whether a day is still owed, and may have rows: an earlier snapshot may have had records of it, if the event
    /// has any rows at all.
    fn may_be_owed_rows(&self, day: Date) -> bool {
        self.ledger.owed.days.contains(&day) && self.ledger.rows() > 0
    }

    /// Asks for the snapshot if this visit has not asked for it yet. False if there is no time left.
    async fn ask_for_counts(&mut self) -> Result<bool> {
        // Boxed, because this is a recursion: the task of a day performs that of the snapshot.
        Box::pin(self.pull_task(Task::Snapshot)).await?;
        Ok(self.answers.counts.is_some() || !self.shortfall.is_left)
    }
}

/// Whether nothing that makes up a day was answered: all its arrays are missing, and there are no rows.
fn has_nothing(missing: &Missing) -> bool {
    missing.len() == Source::Windows.tables().len() && missing.values().all(|rows| *rows == 0)
}

/// The error of an answer that lacks data.
pub(super) fn lacks_data(fetched: &Fetched) -> Error {
    let error = Error::new(Kind::BadAnswer, "the vendor's answer lacks data that there probably is");
    match fetched.records.request_ids.first() {
        Some(request_id) => error.with("requestId", request_id),
        None => error,
    }
}
