//! The roster: which events the vendor lists.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::failure;
use super::token::check::EDITS;
use super::vendor::Vendor;
use crate::error::{Error, Kind, Result};
use crate::transform::event::Event;

/// How many events per page are asked for.
const PAGE: usize = 100;
/// The documented default size of a page of `event/modify/list`, in events, in case the vendor ignores [`PAGE`]: a page that is
/// shorter still is the last one, unless a greater total is stated.
const DEFAULT_EDITED_PAGE: usize = 10;
/// The documented default size of a page of `event/public/list`, in events; used like [`DEFAULT_EDITED_PAGE`].
const DEFAULT_PUBLIC_PAGE: usize = 20;
/// How far before the requested time a list begins, because the vendor's clocks and queues may lag by this much.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);
/// The most times that a list of several pages is read.
const MOST_READINGS: usize = 5;
/// A page may be full if its number of events is a multiple of this: the vendor's actual page size is not known, whatever size is
/// asked for.
const ROUND: usize = 10;
/// More pages than any customer has: a list that seems to go on for ever is given up here.
const MOST_PAGES: usize = 100_000;

/// One of the vendor's lists, read page by page.
pub struct List<'a> {
    vendor: Vendor<'a>,
    path: &'static str,
    /// The parameters of each request, except the page.
    asked: Map<String, Value>,
    /// The number of the first page: the vendor's lists begin at 0 or at 1.
    first: usize,
    /// Every page has at least this many events, except the last one and those that leave some out.
    shortest: usize,
    /// Reads from an answer how many events the list has, if it says so.
    total: fn(&RawValue) -> Option<usize>,
    /// The most times that the list is read.
    most_readings: usize,
    /// How many times the list has been read to its end.
    readings: usize,
    /// Pages of this reading so far, not counting an empty one at its end.
    pages: usize,
    /// Whether the last of these pages may have been full.
    is_round: bool,
    /// The most events that a page had.
    longest: usize,
    /// How many events the list has, as far as a page has said so.
    stated: Option<usize>,
    /// Events that this reading named.
    in_this_reading: HashSet<i64>,
    /// Events that any reading named.
    in_any_reading: HashSet<i64>,
    /// Whether this reading named an event that no earlier one did.
    is_news: bool,
    is_over: bool,
}

/// A page of a list.
#[derive(Debug, Default)]
pub struct Page {
    /// The events, in the vendor's order. An event that was also on an earlier page counts as this page describes it.
    pub events: Vec<Event>,
    /// Entries without a readable event number; counted in the first reading only.
    pub unreadable: u64,
}

/// Lists all events that were created or last edited from `from` to `to`, or up to an hour before: `event/modify/list`.
#[must_use]
pub fn edited_between(vendor: Vendor<'_>, from: Timestamp, to: Timestamp) -> List<'_> {
    let from = from.checked_sub(OVERLAP).unwrap_or(from).max(Timestamp::UNIX_EPOCH).as_second();
    let asked =
        [("startTime", json!(from)), ("endTime", json!(to.as_second() + 1)), ("pageSize", json!(PAGE))];
    // An event that is edited while the pages are being read leaves the list, and those after it move up: one of them onto a
    // page that was already read. So a list of several pages is read again until it names nothing new.
    let most_readings = MOST_READINGS;
    let list = List::new(vendor, EDITS, parameters(asked));
    List { first: 1, shortest: DEFAULT_EDITED_PAGE, total, most_readings, ..list }
}

/// Lists all public events that take place from `from` to `to`: `event/public/list`. The vendor's documentation does not say
/// whether its `data` is an array, or an object with an array in it.
#[must_use]
pub fn held_between(vendor: Vendor<'_>, from: Timestamp, to: Timestamp) -> List<'_> {
    let asked = [
        ("listType", json!(2)),
        ("startTime", json!(from.as_second())),
        ("endTime", json!(to.as_second())),
        ("count", json!(PAGE)),
    ];
    let list = List::new(vendor, "event/public/list", parameters(asked));
    List { shortest: DEFAULT_PUBLIC_PAGE, ..list }
}

impl<'a> List<'a> {
    fn new(vendor: Vendor<'a>, path: &'static str, asked: Map<String, Value>) -> Self {
        Self {
            vendor,
            path,
            asked,
            first: 0,
            shortest: 0,
            // `event/public/list` calls the size of a page `count`.
            total: |_| None,
            most_readings: 1,
            readings: 0,
            pages: 0,
            is_round: false,
            longest: 0,
            stated: None,
            in_this_reading: HashSet::new(),
            in_any_reading: HashSet::new(),
            is_news: false,
            is_over: false,
        }
    }

    /// Asks for the next page; `None` after the last one.
    pub async fn page(&mut self) -> Result<Option<Page>> {
        if self.is_over {
            return Ok(None);
        }
        if self.pages >= MOST_PAGES {
            return Err(Error::new(Kind::BadAnswer, "the vendor's list of events does not end"));
        }
        match self.ask().await {
            Ok((entries, total)) => Ok(Some(self.read(&entries, total))),
            Err(error) if self.is_past_its_end(&error) => {
                self.end_reading();
                Ok(Some(Page::default()))
            }
            Err(error) => Err(error.with("list", self.path)),
        }
    }

    /// The entries of the next page, and how many the list has, if the answer says so.
    async fn ask(&self) -> Result<(Vec<Box<RawValue>>, Option<usize>)> {
        let mut parameters = self.asked.clone();
        parameters.insert("page".to_owned(), json!(self.first + self.pages));
        // Boxed: otherwise the future of every caller would hold all of this one.
        let reply = Box::pin(self.vendor.call(self.path, parameters)).await?;
        let entries = entries(&reply.data).ok_or_else(|| {
            reply.error(Kind::BadAnswer, format!("the answer to `{}` has no array", self.path))
        })?;
        Ok((entries, (self.total)(&reply.data)))
    }

    /// Whether the vendor's answer is about a page that the list, by its own total, does not have: there may be no empty one.
    fn is_past_its_end(&self, error: &Error) -> bool {
        let has_all = self.stated.is_some_and(|total| self.pages * self.page_size() >= total);
        let is_answer = matches!(error.kind(), Kind::BadAnswer | Kind::Refused | Kind::UnknownEvent);
        self.pages > 0 && has_all && (is_answer || failure::is_unexplained(error))
    }

    /// How many events a page holds: the vendor's default number, unless a page had more, so that the number that is asked for
    /// counts.
    fn page_size(&self) -> usize {
        if self.longest > self.shortest { PAGE } else { self.shortest }
    }

    /// How many different events the list has named so far.
    #[must_use]
    pub fn distinct_events(&self) -> usize {
        self.in_any_reading.len()
    }

    /// Reads the entries of a page. A page is the last one if it is short, or if all its events were on earlier pages. But the vendor
    /// may leave events out of a page, even all of them: while it states a greater `total`, the list goes on. And the second page may
    /// be the first one again, if that has both the number 0 and the number 1.
    fn read(&mut self, entries: &[Box<RawValue>], total: Option<usize>) -> Page {
        let before = self.in_this_reading.len();
        let mut page = Page::default();
        for entry in entries {
            match Event::read(entry.get()) {
                Some(event) => {
                    self.in_this_reading.insert(event.event_id);
                    self.is_news |= self.in_any_reading.insert(event.event_id);
                    page.events.push(event);
                }
                // Counted once, not in every reading.
                None => page.unreadable += u64::from(self.readings == 0),
            }
        }
        self.longest = self.longest.max(entries.len());
        self.stated = total;
        let lacks = |reached: usize| total.is_some_and(|total| reached < total);
        let has_more_pages = lacks((self.pages + 1) * self.page_size());
        if !entries.is_empty() || has_more_pages {
            self.pages += 1;
            self.is_round = entries.len().is_multiple_of(ROUND);
        }
        let named = self.in_this_reading.len();
        let is_short = entries.len() < self.shortest && !lacks(named);
        let may_be_the_first_again = self.first == 0 && self.pages == 2 && !entries.is_empty();
        let names_nothing_new = named == before && !may_be_the_first_again;
        if is_short || names_nothing_new && !has_more_pages {
            self.end_reading();
        }
        page
    }

    fn end_reading(&mut self) {
        self.readings += 1;
        // After a single full page there may have been another page, until its last event moved up.
        let is_whole = self.pages < 2 && !self.is_round;
        self.is_over = is_whole || !self.is_news || self.readings >= self.most_readings;
        (self.pages, self.is_round, self.is_news) = (0, false, false);
        self.in_this_reading.clear();
    }
}

/// Asks for one event by its number: `event/info`.
pub async fn info(vendor: Vendor<'_>, event_id: i64) -> Result<Event> {
    let reply = vendor.call("event/info", parameters([("eventId", json!(event_id))])).await;
    let reply = reply.map_err(|error| error.with("event", event_id))?;
    Event::read(reply.data.get()).filter(|event| event.event_id == event_id).ok_or_else(|| {
        reply.error(Kind::BadAnswer, "the answer describes no event, or another one").with("event", event_id)
    })
}

fn parameters<const N: usize>(parameters: [(&str, Value); N]) -> Map<String, Value> {
    parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The entries of a page: `data` itself if it is an array, otherwise the array in its field `list` or in another field. Without
/// an array, the page is empty if `list` says so, or without it another field, and none is an object with something in it: the
/// vendor's documentation does not say what it sends for an empty page. Otherwise `None`.
fn entries(data: &RawValue) -> Option<Vec<Box<RawValue>>> {
    if let Ok(entries) = serde_json::from_str::<Option<_>>(data.get()) {
        return Some(entries.unwrap_or_default());
    }
    if is_empty(data) {
        return Some(Vec::new());
    }
    let fields = fields(data)?;
    let mut named_first = fields.get("list").into_iter().chain(fields.values());
    let array = named_first.find_map(|field| serde_json::from_str(field.get()).ok());
    let says_so = match fields.get("list") {
        Some(list) => is_null(list) || is_empty(list) && total(data).unwrap_or_default() == 0,
        None => fields.is_empty() || fields.values().any(|field| is_null(field)),
    };
    let has_none = says_so && fields.values().all(|field| !field.get().starts_with('{') || is_empty(field));
    array.or_else(|| has_none.then(Vec::new))
}

/// How many events the whole list has, if `data` states that in its field `count`.
fn total(data: &RawValue) -> Option<usize> {
    fields(data)?.get("count")?.get().trim_matches('"').parse().ok()
}

fn fields(data: &RawValue) -> Option<BTreeMap<String, Box<RawValue>>> {
    serde_json::from_str(data.get()).ok()
}

/// Whether a value says that there is nothing.
fn is_empty(value: &RawValue) -> bool {
    let text: String = value.get().split_whitespace().collect();
    is_null(value) || matches!(text.as_str(), r#""""# | r#""-""# | "{}")
}

fn is_null(value: &RawValue) -> bool {
    matches!(value.get(), "null" | "0" | r#""0""#)
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
            (r#""""#, Some(0)),
            (r#""-""#, Some(0)),
            (r#"{"count": "0"}"#, Some(0)),
            (r#"{"count": 0, "list": { }}"#, Some(0)),
            (r#"{"list": ""}"#, Some(0)),
            (r#"{"count": 3, "list": {"1": 2}}"#, None),
            (r#"{"count": 3, "list": {}}"#, None),
            (r#"{"count": 3, "list": "-"}"#, None),
            (r#"{"count": 3, "title": ""}"#, None),
        ] {
            let data = RawValue::from_string(data.to_owned()).unwrap();
            assert_eq!(entries(&data).map(|found| found.len()), count, "{data}");
        }
    }

    #[test]
    fn the_total_of_a_list_is_its_count() {
        for (data, expected) in [
            (r#"{"count": 15, "list": [1]}"#, Some(15)),
            (r#"{"count": "15", "list": [1]}"#, Some(15)),
            (r#"{"count": null, "list": [1]}"#, None),
            (r#"{"list": [1]}"#, None),
            ("[1]", None),
        ] {
            let data = RawValue::from_string(data.to_owned()).unwrap();
            assert_eq!(total(&data), expected, "{data}");
        }
    }
}
