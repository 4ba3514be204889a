//! Which events and days a user selects, as they come from the command line or in a payload.

use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, de};

/// Events and days as they were chosen. If none are, everything that is due is meant.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// Only this event, due or not; may be given several times.
    #[arg(long = "event", value_name = "ID", value_parser = parse_event)]
    #[serde(rename = "event_id", deserialize_with = "one_or_many")]
    pub event: Vec<i64>,
    /// Only events that took place, or may have been watched, on this day or later, due or not; these days are asked for again.
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    #[serde(deserialize_with = "maybe_day")]
    pub from: Option<Date>,
    /// Only events that took place, or may have been watched, on this day or earlier.
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    #[serde(deserialize_with = "maybe_day")]
    pub to: Option<Date>,
    /// Believe the vendor if a chosen day, or any day of a chosen event, now has fewer rows.
    #[arg(long)]
    pub accept_shrink: bool,
    /// When `plan --items` planned the chosen events: they are taken as their ledgers describe them, and those that
    /// were visited since then are not visited again; with `--from` or `--to`, only visits of the same plan count.
    #[arg(long, value_name = "INSTANT", requires = "event")]
    pub planned_at: Option<Timestamp>,
}

/// In a payload, a single event needs no list around it.
pub(super) fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "`event_id` must be a number, or a list of numbers")]
    enum OneOrMany {
        None(()),
        One(i64),
        Many(Vec<i64>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::None(()) => Vec::new(),
        OneOrMany::One(event_id) => vec![event_id],
        OneOrMany::Many(events) => events,
    })
}

/// Reads the number of an event, for an option that takes one.
pub(crate) fn parse_event(text: &str) -> Result<i64, &'static str> {
    text.parse().map_err(|_| "give the vendor's `eventId`, a number like `609768`")
}

/// Reads a day, for an option that takes one.
pub(super) fn parse_day(text: &str) -> Result<Date, &'static str> {
    // Without the check, a time after the day would be ignored.
    let day = text.parse().ok().filter(|day: &Date| day.to_string() == text);
    day.ok_or("write it like `2022-10-26`")
}

/// In a payload, a day is written in the same way.
pub(super) fn maybe_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| day(&text)).transpose()
}

/// In a payload, so is each of several days.
pub(super) fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Date>, D::Error> {
    Vec::<String>::deserialize(deserializer)?.iter().map(|text| day(text)).collect()
}

fn day<E: de::Error>(text: &str) -> Result<Date, E> {
    parse_day(text).map_err(|hint| E::custom(format!("`{text}` is not a day: {hint}")))
}
