//! `events`: one row per event, even if nobody came. Only what has a column is kept: join links, passcodes and stream
//! addresses, which the vendor sends, too, are not kept anywhere.

#[allow(clippy::wildcard_imports, reason = "a list of columns is made of nothing but these")]
use super::shared::*;
use crate::transform::column::{Column, ColumnKind, Personal};

/// Codes of `eventForm`.
const EVENT_FORMS: &[(&str, &str)] =
    &[("1", "phone"), ("3", "web_meeting"), ("4", "interactive_live"), ("7", "large_live")];

/// Codes of `status`.
const STATUSES: &[(&str, &str)] = &[("0", "cancelled"), ("1", "created"), ("4", "ended")];

pub(super) const COLUMNS: &[Column] = &[
    EVENT_ID,
    text("title", "title", "Title of the event"),
    instant("start_time", "startTime", "Scheduled start of the event"),
    instant(
        "end_time",
        "endTime",
        "Scheduled end of the event; start_time plus length_minutes if the vendor sends no end, or one before the start",
    ),
    instant("create_time", "createTime", "When the event was created"),
    instant("modify_time", "modifyTime", "When the event was last edited"),
    count("length_minutes", "length", "Scheduled length of the event, in minutes"),
    label("event_form", "eventForm", EVENT_FORMS, "phone, web_meeting, interactive_live or large_live"),
    label(
        "status",
        "status",
        STATUSES,
        "cancelled, created, ended, or another code as sent, as the vendor last described the event (mostly at its last edit); end_time tells whether it is over",
    ),
    HOST_ID,
    text("host_name", "hostName", "Name of the host").personal(Personal::Name),
    BILLING_CODE,
    CONFERENCE_ID,
    Column::made(
        "start_date",
        ColumnKind::WallClock { of: "start_time" },
        "start_time on the lake's wall clock: a timestamp",
    ),
    Column::made(
        "end_date",
        ColumnKind::WallClock { of: "end_time" },
        "end_time on the lake's wall clock: a timestamp",
    ),
    Column::made(
        "first_day",
        ColumnKind::Day,
        "First day with rows in lives or interactions, or whose rows were erased; null if there is none",
    ),
    Column::made(
        "last_day",
        ColumnKind::Day,
        "Last day with rows in lives or interactions, or whose rows were erased; null if there is none",
    ),
    Column::made(
        "pulled_through",
        ColumnKind::Instant,
        "Instant up to which viewings are in the lake; if outcome is not complete, except what is owed",
    ),
    Column::made("closed", ColumnKind::Flag, "Whether the event is no longer visited").required(),
    Column::made(
        "outcome",
        ColumnKind::Text,
        "Outcome of the last visit, as in pulls: complete, failed or left; complete for a closed event of which nothing is missing",
    )
    .required(),
    PULLED_AT,
];
