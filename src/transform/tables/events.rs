//! `events`: a row an event, also where nobody came. A list of what is allowed: join links, passcodes and stream
//! addresses, which the vendor sends too, have no column and are not kept anywhere.

#[allow(clippy::wildcard_imports, reason = "a list of columns is made of nothing but these")]
use super::shared::*;
use crate::transform::column::{Column, Kind, Personal};

/// Codes of `eventForm`.
const EVENT_FORMS: &[(&str, &str)] =
    &[("1", "phone"), ("3", "web_meeting"), ("4", "interactive_live"), ("7", "large_live")];

/// Codes of `status`.
const STATUSES: &[(&str, &str)] = &[("0", "cancelled"), ("1", "created"), ("4", "ended")];

pub(super) const COLUMNS: &[Column] = &[
    EVENT_ID,
    text("title", "title", "Title of the event"),
    instant("start_time", "startTime", "Start of the event as scheduled"),
    instant("end_time", "endTime", "End of the event as scheduled"),
    instant("create_time", "createTime", "When the event was created"),
    instant("modify_time", "modifyTime", "When the event was last edited"),
    count("length_minutes", "length", "Length of the event as scheduled"),
    label("event_form", "eventForm", EVENT_FORMS, "phone, web_meeting, interactive_live or large_live"),
    label(
        "status",
        "status",
        STATUSES,
        "cancelled, created, or ended, as of the last edit: whether an event is over says end_time",
    ),
    HOST_ID,
    text("host_name", "hostName", "Name of the host").personal(Personal::Name),
    BILLING_CODE,
    CONFERENCE_ID,
    Column::made("start_date", Kind::WallClock { of: "start_time" }, "start_time on the lake's wall clock"),
    Column::made("end_date", Kind::WallClock { of: "end_time" }, "end_time on the lake's wall clock"),
    Column::made(
        "first_day",
        Kind::Day,
        "First day with rows in lives or interactions; null while there are none",
    ),
    Column::made(
        "last_day",
        Kind::Day,
        "Last day with rows in lives or interactions; null while there are none",
    ),
    Column::made(
        "pulled_through",
        Kind::Instant,
        "Up to when viewings are in the lake; where outcome is not complete, what is owed aside",
    ),
    Column::made("closed", Kind::Flag, "Whether the event is not visited any more").required(),
    Column::made("outcome", Kind::Text, "Outcome of the last visit: complete, failed, or left (as in pulls)")
        .required(),
    PULLED_AT,
];
