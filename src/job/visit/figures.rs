//! What a visit reports: its row in `pulls`, and the event's row in `events`.

use arrow::array::RecordBatch;
use serde_json::json;

use super::record_counts::RecordCounts;
use crate::calendar::Zone;
use crate::error::Result;
use crate::extract::usage::Used;
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
    /// The windows that were asked for, as `startTime` and `endTime`.
    pub(in crate::job) windows: Vec<(i64, i64)>,
    /// How many cells have less than the visit before found.
    pub(in crate::job) fewer: u64,
    /// How many of these still have rows, had settled before, and were not accepted by a user.
    pub(in crate::job) shrunk: u64,
    /// Settled days compared with the snapshot, and how many of them differ.
    pub(in crate::job) checked: Option<(u64, u64)>,
    /// The sums over `viewerDetails`; `None` if there was no snapshot.
    pub(in crate::job) details: Option<Totals>,
}

/// The row in `pulls`; `ledger` is the one after the visit.
pub(in crate::job) fn pulls_row(
    figures: &Figures,
    ledger: &Ledger,
    run: &str,
    outcome: Outcome,
    error: Option<&str>,
    used: Used,
    milliseconds: i64,
) -> Result<RecordBatch> {
    let Figures { records, .. } = figures;
    // If a day is missing, the sums are not compared, either.
    let details = figures.details.filter(|_| ledger.owed.days.is_empty());
    let sessions = sessions(ledger.days.values());
    let checked = figures.checked;
    let mut batch = BatchBuilder::new(Table::Pulls);
    batch.push_named(vec![
        ("event_id", ledger.event.event_id.into()),
        ("run", run.into()),
        ("outcome", outcome.name().into()),
        ("error", error.into()),
        ("requests", used.requests.into()),
        ("retries", used.retries.into()),
        ("request_ids", json!(records.request_ids).to_string().into()),
        ("windows", json!(figures.windows).to_string().into()),
        ("received", records.received.into()),
        ("rows", records.rows.into()),
        ("rejects", records.rejects.into()),
        ("outside", records.outside.into()),
        ("counted", records.counted.into()),
        ("suppressed", records.suppressed.values().sum::<u64>().into()),
        ("set_aside", records.set_aside.into()),
        ("fewer", figures.fewer.into()),
        ("days_checked", checked.map(|(days, _)| days).into()),
        ("days_differing", checked.map(|(_, differing)| differing).into()),
        ("detail_seconds", details.map(|totals| totals.seconds).into()),
        ("session_seconds", details.map(|_| sessions.seconds).into()),
        ("detail_live_times", details.map(|totals| totals.live).into()),
        ("session_live_times", details.map(|_| sessions.live).into()),
        ("detail_replay_times", details.map(|totals| totals.replay).into()),
        ("session_replay_times", details.map(|_| sessions.replay).into()),
        ("bytes", used.bytes.into()),
        ("milliseconds", milliseconds.into()),
        ("owed", json!(ledger.owed.names()).to_string().into()),
        ("pulled_at", ledger.last_visit.into()),
    ]);
    batch.finish()
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
