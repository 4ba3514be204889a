//! `pulls`: one row per visit: what was asked for, what came, what was kept, and whether it adds up.

use super::shared::{EVENT_ID, PULLED_AT};
use crate::transform::column::{Column, ColumnKind};

const fn count(name: &'static str, doc: &'static str) -> Column {
    Column::made(name, ColumnKind::Count, doc).required()
}

/// A figure of the snapshot; null if the visit asked for no snapshot.
const fn figure(name: &'static str, doc: &'static str) -> Column {
    Column::made(name, ColumnKind::Count, doc)
}

pub(super) const COLUMNS: &[Column] = &[
    EVENT_ID,
    Column::made("run", ColumnKind::Text, "The run that the visit belongs to").required(),
    Column::made("outcome", ColumnKind::Text, "complete, failed, or left (cut off by the deadline, or because the vendor could not be reached)").required(),
    Column::made("error", ColumnKind::Text, "First error of the visit; null if there was none"),
    count("requests", "Requests to the vendor, including retries"),
    count("retries", "Requests that repeated a failed one"),
    Column::made(
        "request_ids",
        ColumnKind::Json,
        "The vendor's requestId of each answer that was used, as a JSON list",
    )
    .required(),
    Column::made("windows", ColumnKind::Json, "The windows whose answers were used, as a JSON list of `[from, to]` in seconds since 1970, as they were asked for: one second wider at both ends").required(),
    count("received", "Records in the answers that were used"),
    count("rows", "Records that became rows"),
    count("rejects", "Records that no table can hold, each once for each answer that had it"),
    count("outside", "Records outside the window that they were asked for"),
    count("counted", "Records that were only counted: lives and interactions of the snapshot, viewerDetails of windows, arrays without a table"),
    count("suppressed", "Records that were left out because they are of people to be forgotten"),
    count(
        "set_aside",
        "Values that did not fit their column; they are in extra, if the privacy policy keeps them",
    ),
    count("fewer", "Cells for which the vendor reported less than at the visit before: fewer rows or, in viewer_details, fewer viewings"),
    figure(
        "days_checked",
        "Settled days whose windows were compared with the snapshot; null without a snapshot that has everything, or if a day is owed",
    ),
    figure(
        "days_differing",
        "Settled days whose windows still differ from the snapshot; null like days_checked",
    ),
    figure(
        "detail_seconds",
        "Sum of duration over viewerDetails; null without a snapshot that has them, as in most visits, or if a day is owed",
    ),
    figure(
        "session_seconds",
        "Sum of durations over lives and interactions, as last answered; null like detail_seconds",
    ),
    figure("detail_live_times", "Sum of liveTimes over viewerDetails; null like detail_seconds"),
    figure(
        "session_live_times",
        "Live viewings in lives and interactions, as last answered; null like detail_seconds",
    ),
    figure("detail_replay_times", "Sum of replayTimes over viewerDetails; null like detail_seconds"),
    figure(
        "session_replay_times",
        "Replays in lives and interactions, as last answered; null like detail_seconds",
    ),
    count("bytes", "Bytes of the answers, decompressed"),
    count("milliseconds", "Length of the visit, in milliseconds"),
    Column::made(
        "owed",
        ColumnKind::Json,
        "What the next visit has to ask for again, as a JSON list: days, and `snapshot`",
    )
    .required(),
    PULLED_AT,
];
