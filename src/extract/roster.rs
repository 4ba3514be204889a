//! The roster: which events the vendor lists.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::client::Client;
use super::usage::Usage;
use crate::error::{Error, Kind, Result};
use crate::transform::event::Event;

/// Events that are asked for in one page.
const PAGE: usize = 100;
/// What `event/modify/list` gives in a page unless told otherwise: a shorter page is the last.
const DEFAULT_EDITED_PAGE: usize = 10;
/// The same of `event/public/list`.
const DEFAULT_PUBLIC_PAGE: usize = 20;
/// How much of the time before the cursor is listed again: what the vendor's own clocks and queues may be late by.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);
/// How often a list of several pages is read at most.
const MOST_READINGS: usize = 5;
/// More pages than any customer has; an answer that goes on for ever ends here.
const MOST_PAGES: usize = 100_000;

/// Events as the vendor lists them.
#[derive(Debug, Default)]
pub struct Listed {
    /// The events, each once, by number; of one that stood on two pages, as the later page has it.
    pub events: BTreeMap<i64, Event>,
    /// Entries without a number.
    pub unreadable: u64,
    /// Pages with entries.
    pages: usize,
}

impl Listed {
    /// Adds a page, and says whether it is the last: shorter than any page but the last can be, or without an event
    /// that was not on an earlier one. The vendor's `count` is not asked: of what, its page does not say.
    fn is_last(&mut self, page: &[Box<RawValue>], shortest: usize) -> bool {
        let before = self.events.len();
        self.pages += usize::from(!page.is_empty());
        for entry in page {
            match Event::read(entry.get()) {
                Some(event) => {
                    self.events.insert(event.event_id, event);
                }
                None => self.unreadable += 1,
            }
        }
        page.len() < shortest || self.events.len() == before
    }
}

/// All events that were made or edited since `cursor`: `event/modify/list`.
pub async fn edited_since(
    client: &Client,
    usage: &Usage,
    cursor: Timestamp,
    now: Timestamp,
) -> Result<Listed> {
    let mut all = read_edited(client, usage, cursor, now).await?;
    // An event that is edited while the pages are read leaves the list, and those behind it move up: one of them to a page that
    // was read already. So what has several pages is read again, until it names nothing new.
    let (mut before, mut readings) = (0, 1);
    while all.pages > 1 && all.events.len() > before && readings < MOST_READINGS {
        before = all.events.len();
        readings += 1;
        let again = read_edited(client, usage, cursor, now).await?;
        all.events.extend(again.events);
    }
    Ok(all)
}

async fn read_edited(client: &Client, usage: &Usage, cursor: Timestamp, now: Timestamp) -> Result<Listed> {
    let from = cursor.checked_sub(OVERLAP).unwrap_or(cursor).max(Timestamp::UNIX_EPOCH).as_second();
    let mut listed = Listed::default();
    for page in 1..=MOST_PAGES {
        let parameters = [
            ("startTime", json!(from)),
            ("endTime", json!(now.as_second() + 1)),
            ("page", json!(page)),
            ("pageSize", json!(PAGE)),
        ];
        let data = client.call(usage, "event/modify/list", named(parameters)).await?;
        let entries = entries(&data)
            .ok_or_else(|| Error::new(Kind::BadAnswer, "the list of edited events has no array"))?;
        if listed.is_last(&entries, DEFAULT_EDITED_PAGE) {
            return Ok(listed);
        }
    }
    Err(endless())
}

/// All events that take place from `from` to `to`: `event/public/list`, the shape of whose `data` the vendor's page does
/// not say: an array, or an object with an array in it.
pub async fn held_between(client: &Client, usage: &Usage, from: Timestamp, to: Timestamp) -> Result<Listed> {
    let mut listed = Listed::default();
    for page in 0..MOST_PAGES {
        let parameters = [
            ("listType", json!(2)),
            ("startTime", json!(from.as_second())),
            ("endTime", json!(to.as_second())),
            ("page", json!(page)),
            ("count", json!(PAGE)),
        ];
        let data = client.call(usage, "event/public/list", named(parameters)).await?;
        let entries = entries(&data).ok_or_else(|| {
            Error::new(Kind::BadAnswer, "the list of public events has no array")
                .hint("give `--no-public-list`")
        })?;
        if listed.is_last(&entries, DEFAULT_PUBLIC_PAGE) {
            return Ok(listed);
        }
    }
    Err(endless())
}

fn endless() -> Error {
    Error::new(Kind::BadAnswer, "the vendor's list of events does not end")
}

/// One event by its number: `event/info`.
pub async fn info(client: &Client, usage: &Usage, event_id: i64) -> Result<Event> {
    let data = client.call(usage, "event/info", named([("eventId", json!(event_id))])).await;
    let data = data.map_err(|error| error.with("event", event_id))?;
    Event::read(data.get()).filter(|event| event.event_id == event_id).ok_or_else(|| {
        Error::new(Kind::BadAnswer, "the answer describes no event, or another one").with("event", event_id)
    })
}

fn named<const N: usize>(parameters: [(&str, Value); N]) -> Map<String, Value> {
    parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What a page lists: the array that `data` itself is, or that stands in its `list` or another field. There are none where a
/// `null` stands in the array's place, or a number says so: what the vendor sends for an empty page, its own does not say.
fn entries(data: &RawValue) -> Option<Vec<Box<RawValue>>> {
    if let Ok(entries) = serde_json::from_str::<Option<_>>(data.get()) {
        return Some(entries.unwrap_or_default());
    }
    let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(data.get()).ok()?;
    let mut named_first = fields.get("list").into_iter().chain(fields.values());
    let array = named_first.find_map(|field| serde_json::from_str(field.get()).ok());
    let has_none = fields.values().all(|field| !field.get().starts_with('{'))
        && (fields.is_empty() || fields.values().any(|field| matches!(field.get(), "null" | "0")));
    array.or_else(|| has_none.then(Vec::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entries_are_found_in_whatever_they_are_wrapped() {
        for (data, count) in [
            ("[1, 2]", Some(2)),
            (r#"{"count": 2, "list": [1, 2]}"#, Some(2)),
            (r#"{"records": [], "total": 0}"#, Some(0)),
            (r#"{"records": null, "page": 3}"#, Some(0)),
            (r#"{"total": 0}"#, Some(0)),
            ("null", Some(0)),
            ("{}", Some(0)),
            (r#"{"total": 7}"#, None),
            (r#"{"page": 0, "result": {"list": [1]}}"#, None),
            (r#"{"page": 0, "records": [1]}"#, Some(1)),
            (r#"{"hosts": [1], "list": [1, 2]}"#, Some(2)),
            ("7", None),
        ] {
            let data = RawValue::from_string(data.to_owned()).unwrap();
            assert_eq!(entries(&data).map(|found| found.len()), count, "{data}");
        }
    }
}
