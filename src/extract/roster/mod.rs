//! The roster: which events the vendor lists.

mod entries;
mod list;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use self::entries::total;
pub use self::list::{List, Page};
use self::list::{ListRequest, PAGE};
use super::token::check::EDITS;
use super::vendor::Vendor;
use crate::error::{Kind, Result};
use crate::transform::event::Event;

/// The documented default size of a page of `event/modify/list`, in events, in case the vendor ignores how many are asked for: a
/// page that is even shorter is the last one, unless a greater total is stated.
const DEFAULT_EDITED_PAGE: usize = 10;
/// The documented default size of a page of `event/public/list`, in events; used like [`DEFAULT_EDITED_PAGE`].
const DEFAULT_PUBLIC_PAGE: usize = 20;
/// How far before the requested time a list begins, because the vendor's clocks and queues may lag by this much.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);
/// The most times that a list of several pages is read.
const MOST_READINGS: usize = 5;

/// Lists all events that were created or last edited from `from` to `to`, or up to an hour before: `event/modify/list`.
#[must_use]
pub fn edited_between(vendor: Vendor<'_>, from: Timestamp, to: Timestamp) -> List<'_> {
    let from = from.checked_sub(OVERLAP).unwrap_or(from).max(Timestamp::UNIX_EPOCH).as_second();
    let asked =
        [("startTime", json!(from)), ("endTime", json!(to.as_second() + 1)), ("pageSize", json!(PAGE))];
    let request = ListRequest {
        path: EDITS,
        parameters: parameters(asked),
        first: 1,
        shortest: DEFAULT_EDITED_PAGE,
        total,
        // An event that is edited while the pages are being read leaves the list, and those after it move up: one of them onto
        // a page that was already read. So a list of several pages is read again until it names nothing new.
        most_readings: MOST_READINGS,
    };
    List::new(vendor, request)
}

/// Lists all public events that take place from `from` to `to`: `event/public/list`. The vendor's documentation does not say
/// whether its `data` is an array, or an object with an array in it.
#[must_use]
pub fn public_between(vendor: Vendor<'_>, from: Timestamp, to: Timestamp) -> List<'_> {
    let asked = [
        ("listType", json!(2)),
        ("startTime", json!(from.as_second())),
        ("endTime", json!(to.as_second())),
        ("count", json!(PAGE)),
    ];
    let request = ListRequest {
        path: "event/public/list",
        parameters: parameters(asked),
        first: 0,
        shortest: DEFAULT_PUBLIC_PAGE,
        // What this list calls `count` is the size of a page.
        total: |_| None,
        most_readings: 1,
    };
    List::new(vendor, request)
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
