//! What a visit reports: its row in `pulls`, and the event's row in `events`.

use arrow::array::RecordBatch;
use jiff::SignedDuration;
use serde_json::json;

use super::Visiting;
use super::answers::Comparison;
use super::record_counts::RecordCounts;
use crate::calendar::Zone;
use crate::error::Result;
use crate::load::ledger::Ledger;
use crate::load::ledger::answers::DayAnswer;
use crate::load::ledger::visit::Outcome;
use crate::transform::batch::BatchBuilder;
use crate::transform::tables::Table;
use crate::transform::totals::Totals;
use crate::transform::value::Value;

/// Everything that a visit counted.
#[derive(Clone, Debug, Default)]
pub(in crate::job) struct Figures {
    /// What became of the records in the answers that were used.
    pub(in crate::job) records: RecordCounts,
    /// How many cells have less than the visit before found.
    pub(super) fewer: u64,
    /// How many of these still have rows, had settled before, and were not accepted by a user.
    pub(in crate::job) shrunk: u64,
    /// The settled days, compared with the snapshot; `None` if they were not compared.
    pub(super) compared: Option<Comparison>,
    /// The sums over `viewerDetails`; `None` if there was no snapshot, or one without that array, or it could not be staged.
    pub(super) details: Option<Totals>,
}

impl Figures {
    /// Adds the figures of another answer of the visit.
    pub(super) fn add(&mut self, other: Self) {
        self.records.add(other.records);
        self.fewer += other.fewer;
        self.shrunk += other.shrunk;
        self.compared = other.compared.or(self.compared);
        self.details = other.details.or(self.details);
    }
}

impl Visiting<'_> {
    /// The row in `pulls`; `after` is the ledger after the visit.
    pub(super) fn pulls_row(
        &self,
        after: &Ledger,
        outcome: Outcome,
        took: SignedDuration,
    ) -> Result<RecordBatch> {
        let (figures, used) = (&self.figures, self.vendor.used());
        let (records, compared) = (&figures.records, figures.compared);
        let error = self.shortfall.error.as_ref().map(ToString::to_string);
        // If a day is owed, the sums are not compared, either.
        let details = figures.details.filter(|_| after.owed.days.is_empty());
        let sessions = sessions(after.days.values());
        let mut batch = BatchBuilder::new(Table::Pulls);
        batch.push_named(vec![
            ("event_id", after.event.event_id.into()),
            ("run", self.visit_id.run.as_str().into()),
            ("outcome", outcome.name().into()),
            ("error", error.into()),
            ("requests", used.requests.into()),
            ("retries", used.retries.into()),
            ("request_ids", json!(records.request_ids).to_string().into()),
            ("windows", json!(records.windows).to_string().into()),
            ("received", records.received.into()),
            ("rows", records.rows.into()),
            ("rejects", records.rejects.into()),
            ("outside", records.outside.into()),
            ("counted", records.counted.into()),
            ("suppressed", records.suppressed.values().sum::<u64>().into()),
            ("set_aside", records.set_aside.into()),
            ("fewer", figures.fewer.into()),
            ("days_checked", compared.map(|compared| compared.days).into()),
            ("days_differing", compared.map(|compared| compared.differing).into()),
            ("detail_seconds", details.map(|totals| totals.seconds).into()),
            ("session_seconds", details.map(|_| sessions.seconds).into()),
            ("detail_live_times", details.map(|totals| totals.live).into()),
            ("session_live_times", details.map(|_| sessions.live).into()),
            ("detail_replay_times", details.map(|totals| totals.replay).into()),
            ("session_replay_times", details.map(|_| sessions.replay).into()),
            ("bytes", used.bytes.into()),
            ("milliseconds", i64::try_from(took.as_millis()).unwrap_or(i64::MAX).into()),
            ("owed", json!(after.owed.names()).to_string().into()),
            ("pulled_at", self.visit_id.pulled_at.into()),
        ]);
        batch.finish()
    }
}

/// The row in `events`, as of the last visit in the ledger.
pub(in crate::job) fn events_row(ledger: &Ledger, zone: &Zone) -> Result<RecordBatch> {
    let mut days = ledger.days.iter().filter(|(_, day)| day.has_had_rows).map(|(day, _)| *day);
    let first = days.next();
    let last = days.next_back().or(first);
    ledger.event.row(
        zone,
        vec![
            ("first_day", first.into()),
            ("last_day", last.into()),
            ("pulled_through", ledger.through.into()),
            ("closed", ledger.closed.is_some().into()),
            ("outcome", ledger.outcome().name().into()),
            ("pulled_at", ledger.last_visit.map_or(Value::Null, Value::from)),
        ],
    )
}

/// The sums over `lives` and `interactions` of the last answers for all days.
fn sessions<'a>(days: impl Iterator<Item = &'a DayAnswer>) -> Totals {
    let mut sums = Totals::default();
    for totals in days.flat_map(|day| [day.lives, day.interactions]) {
        sums.seconds = sums.seconds.wrapping_add(totals.seconds);
        sums.live = sums.live.wrapping_add(totals.live);
        sums.replay = sums.replay.wrapping_add(totals.replay);
    }
    sums
}
