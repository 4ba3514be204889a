//! `pulls`: a row a visit: what was asked, what came, what was kept, and whether it adds up.

use super::shared::{EVENT_ID, PULLED_AT};
use crate::transform::column::{Column, Kind};

const fn count(name: &'static str, doc: &'static str) -> Column {
    Column::made(name, Kind::Count, doc).required()
}

/// A figure of the snapshot: null where the visit asked for none.
const fn figure(name: &'static str, doc: &'static str) -> Column {
    Column::made(name, Kind::Count, doc)
}

pub(super) const COLUMNS: &[Column] = &[
    EVENT_ID,
    Column::made("run", Kind::Text, "The run that the visit belongs to").required(),
    Column::made("outcome", Kind::Text, "complete, failed, or left: the deadline came first, or the vendor could not be reached").required(),
    Column::made("error", Kind::Text, "The first error of the visit; null when none"),
    count("requests", "Requests to the vendor, retries among them"),
    count("retries", "Requests that repeated a failed one"),
    Column::made(
        "request_ids",
        Kind::Json,
        "The vendor's requestId of each answer that was used, as a JSON list",
    )
    .required(),
    Column::made("windows", Kind::Json, "The windows whose answers were used, each `[from, to]` as it was asked, a second wider at both ends, as a JSON list").required(),
    count("received", "Records in the answers that were used"),
    count("rows", "Records that became rows"),
    count("rejects", "Records that no table can hold"),
    count("outside", "Records outside the window that they were asked for"),
    count("counted", "Records that were counted only: those of the snapshot's days, viewerDetails of windows, arrays that have no table"),
    count("suppressed", "Records of people who are to be forgotten, of which nothing is kept"),
    count(
        "set_aside",
        "Values that did not fit their column and went to extra, where the privacy policy keeps them",
    ),
    count("fewer", "Cells of which the vendor reported less than at the visit before: fewer rows, or in viewer_details fewer viewings"),
    figure(
        "days_checked",
        "Settled days whose windows were compared with the snapshot; null without a snapshot, and where a day is owed",
    ),
    figure("days_differing", "Settled days whose windows still differ from the snapshot"),
    figure("detail_seconds", "Sum of duration over viewerDetails"),
    figure("session_seconds", "Sum of durations over lives and interactions, as last answered"),
    figure("detail_live_times", "Sum of liveTimes over viewerDetails"),
    figure("session_live_times", "Live viewings in lives and interactions, as last answered"),
    figure("detail_replay_times", "Sum of replayTimes over viewerDetails"),
    figure("session_replay_times", "Replays in lives and interactions, as last answered"),
    count("bytes", "Bytes of the answers, as received and unpacked"),
    count("milliseconds", "How long the visit took"),
    Column::made(
        "owed",
        Kind::Json,
        "Days, and `snapshot`, that the next visit has to ask again, as a JSON list",
    )
    .required(),
    PULLED_AT,
];
