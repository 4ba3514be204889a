//! The roster: which events there are.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, json};

use super::client::Client;
use super::usage::Usage;
use crate::error::{Error, Kind, Result};
use crate::transform::event::Event;

/// Events of one page.
const PAGE: usize = 100;
/// How much of the time before the cursor is listed again: what the vendor's own clocks and queues may be late by.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);
/// More pages than any customer has; an answer that goes on for ever ends here.
const MOST_PAGES: usize = 100_000;

/// Events as the vendor lists them.
#[derive(Debug, Default)]
pub struct Listed {
    /// The events, each once, in the order of their numbers.
    pub events: Vec<Event>,
    /// Entries without a number.
    pub unreadable: u64,
}

/// All events that were made or edited since `cursor`.
pub async fn edited_since(
    client: &Client,
    usage: &Usage,
    cursor: Timestamp,
    now: Timestamp,
) -> Result<Listed> {
    #[derive(Deserialize)]
    struct Page {
        count: Option<usize>,
        list: Vec<Box<RawValue>>,
    }
    let from = cursor.checked_sub(OVERLAP).unwrap_or(cursor).as_second();
    let mut listed = Listed::default();
    let mut seen = 0;
    for page in 1..=MOST_PAGES {
        let mut parameters = Map::new();
        parameters.insert("startTime".to_owned(), json!(from));
        parameters.insert("endTime".to_owned(), json!(now.as_second() + 1));
        parameters.insert("page".to_owned(), json!(page));
        parameters.insert("pageSize".to_owned(), json!(PAGE));
        let data = client.call(usage, "event/modify/list", parameters).await?;
        let sent: Page = serde_json::from_str(data.get())
            .map_err(|_| Error::new(Kind::BadAnswer, "the list of events has no `list`"))?;
        seen += sent.list.len();
        for entry in &sent.list {
            match Event::read(entry.get()) {
                Some(event) => listed.events.push(event),
                None => listed.unreadable += 1,
            }
        }
        if sent.list.is_empty() || sent.count.is_some_and(|count| seen >= count) {
            break;
        }
    }
    // An event that was edited between two pages stands on both; the later page says the later state.
    listed.events.reverse();
    listed.events.sort_by_key(|event| event.event_id);
    listed.events.dedup_by_key(|event| event.event_id);
    Ok(listed)
}

/// One event by its number.
pub async fn info(client: &Client, usage: &Usage, event_id: i64) -> Result<Event> {
    let parameters = Map::from_iter([("eventId".to_owned(), json!(event_id))]);
    let data =
        client.call(usage, "event/info", parameters).await.map_err(|error| error.with("event", event_id))?;
    Event::read(data.get()).filter(|event| event.event_id == event_id).ok_or_else(|| {
        Error::new(Kind::BadAnswer, "the answer describes no event, or another one").with("event", event_id)
    })
}
