//! The roster: which events the vendor lists.

use std::collections::{BTreeMap, HashSet};

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
/// How much of the time before the one that is asked for is listed again: what the vendor's own clocks and queues may be late by.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);
/// How often a list of several pages is read at most.
const MOST_READINGS: usize = 5;
/// How large the vendor's pages are whatever is asked for, is not known; a full one is taken to have a multiple of so many events.
const ROUND: usize = 10;
/// More pages than any customer has; an answer that goes on for ever ends here.
const MOST_PAGES: usize = 100_000;

/// A list of the vendor's, read page by page.
pub struct List<'a> {
    client: &'a Client,
    usage: &'a Usage,
    path: &'static str,
    /// What is asked for, page aside.
    asked: Map<String, Value>,
    /// The vendor's number of the first page.
    first: usize,
    /// A shorter page is the last, for it is shorter than any page but the last can be.
    shortest: usize,
    /// How often the list is read at most.
    most_readings: usize,
    /// Readings that have ended.
    readings: usize,
    /// Pages of this reading so far, empty ones aside.
    pages: usize,
    /// Whether the last of them may have been full.
    is_round: bool,
    /// Events that this reading named.
    named: HashSet<i64>,
    /// Events that any reading named.
    all: HashSet<i64>,
    /// Whether this reading named an event that none did before.
    is_news: bool,
    is_over: bool,
}

/// A page of a list.
#[derive(Debug, Default)]
pub struct Page {
    /// The events, in the vendor's order. One that stood on an earlier page is as this page has it.
    pub events: Vec<Event>,
    /// Entries without a number.
    pub unreadable: u64,
}

/// All events that were made or last edited from `from` to `to`, and a while before: `event/modify/list`.
pub fn edited_between<'a>(client: &'a Client, usage: &'a Usage, from: Timestamp, to: Timestamp) -> List<'a> {
    let from = from.checked_sub(OVERLAP).unwrap_or(from).max(Timestamp::UNIX_EPOCH).as_second();
    let asked =
        [("startTime", json!(from)), ("endTime", json!(to.as_second() + 1)), ("pageSize", json!(PAGE))];
    // An event that is edited while the pages are read leaves the list, and those behind it move up: one of them to a page that
    // was read already. So what has several pages is read again, until it names nothing new.
    let most_readings = MOST_READINGS;
    let list = List::new(client, usage, "event/modify/list", named(asked));
    List { first: 1, shortest: DEFAULT_EDITED_PAGE, most_readings, ..list }
}

/// All events that take place from `from` to `to`: `event/public/list`, the shape of whose `data` the vendor's page does
/// not say: an array, or an object with an array in it.
pub fn held_between<'a>(client: &'a Client, usage: &'a Usage, from: Timestamp, to: Timestamp) -> List<'a> {
    let asked = [
        ("listType", json!(2)),
        ("startTime", json!(from.as_second())),
        ("endTime", json!(to.as_second())),
        ("count", json!(PAGE)),
    ];
    let list = List::new(client, usage, "event/public/list", named(asked));
    List { shortest: DEFAULT_PUBLIC_PAGE, ..list }
}

impl<'a> List<'a> {
    fn new(client: &'a Client, usage: &'a Usage, path: &'static str, asked: Map<String, Value>) -> Self {
        Self {
            client,
            usage,
            path,
            asked,
            first: 0,
            shortest: 0,
            most_readings: 1,
            readings: 0,
            pages: 0,
            is_round: false,
            named: HashSet::new(),
            all: HashSet::new(),
            is_news: false,
            is_over: false,
        }
    }

    /// The next page; none behind the last.
    pub async fn page(&mut self) -> Result<Option<Page>> {
        if self.is_over {
            return Ok(None);
        }
        if self.pages >= MOST_PAGES {
            return Err(Error::new(Kind::BadAnswer, "the vendor's list of events does not end"));
        }
        let mut parameters = self.asked.clone();
        parameters.insert("page".to_owned(), json!(self.first + self.pages));
        // In a box: the future of whoever reads the list would hold all of it.
        let reply = Box::pin(self.client.call(self.usage, self.path, parameters)).await?;
        let entries = entries(&reply.data).ok_or_else(|| {
            reply.error(Kind::BadAnswer, format!("the answer of `{}` has no array", self.path))
        })?;
        Ok(Some(self.read(&entries)))
    }

    /// How many events were named so far.
    #[must_use]
    pub fn named(&self) -> usize {
        self.all.len()
    }

    /// A page is the last where it is short, or without an event that was not on an earlier one. The vendor's `count` is not
    /// asked: of what, its page does not say.
    fn read(&mut self, entries: &[Box<RawValue>]) -> Page {
        let before = self.named.len();
        let mut page = Page::default();
        for entry in entries {
            match Event::read(entry.get()) {
                Some(event) => {
                    self.named.insert(event.event_id);
                    self.is_news |= self.all.insert(event.event_id);
                    page.events.push(event);
                }
                // Told once, and not by every reading.
                None => page.unreadable += u64::from(self.readings == 0),
            }
        }
        if !entries.is_empty() {
            self.pages += 1;
            self.is_round = entries.len().is_multiple_of(ROUND);
        }
        if entries.len() < self.shortest || self.named.len() == before {
            self.end_reading();
        }
        page
    }

    fn end_reading(&mut self) {
        self.readings += 1;
        // Behind one page that was full there may have been another until its last event moved up.
        let is_whole = self.pages < 2 && !self.is_round;
        self.is_over = is_whole || !self.is_news || self.readings >= self.most_readings;
        (self.pages, self.is_round, self.is_news) = (0, false, false);
        self.named.clear();
    }
}

/// One event by its number: `event/info`.
pub async fn info(client: &Client, usage: &Usage, event_id: i64) -> Result<Event> {
    let reply = client.call(usage, "event/info", named([("eventId", json!(event_id))])).await;
    let reply = reply.map_err(|error| error.with("event", event_id))?;
    Event::read(reply.data.get()).filter(|event| event.event_id == event_id).ok_or_else(|| {
        reply.error(Kind::BadAnswer, "the answer describes no event, or another one").with("event", event_id)
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
