//! Which events there are: the two lists, and the events in them.

use serde::Serialize;
use serde_json::{Value, json};

use super::options::{EmptyPage, PublicList};
use super::parameters::Parameters;
use super::reply::Failure;
use crate::event::Event;
use crate::range::{Range, RangeEnds};
use crate::world::World;

/// The most events on one page of `event/modify/list`.
const PAGE_SIZE: usize = 100;

/// An event as `event/info` shows it.
#[derive(Serialize)]
pub(super) struct Info {
    #[serde(flatten)]
    event: Event,
    status: u8,
}

impl Info {
    pub(super) fn new(event: Event, now: i64) -> Self {
        Self { status: event.status(now), event }
    }
}

/// An event as `event/modify/list` shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Modified {
    #[serde(flatten)]
    info: Info,
    event_status: u8,
}

/// The `data` of `event/modify/list`: one page of the events that were last edited in a range of time.
pub(super) fn modify_list(
    world: &World,
    asked: &Parameters,
    now: i64,
    empty: EmptyPage,
) -> Result<Value, Failure> {
    asked.start_time.ok_or(Failure::BAD_REQUEST)?;
    let size = asked.page_size.unwrap_or(10).min(PAGE_SIZE);
    let range = Range { start: asked.start_time, end: asked.end_time, ends: RangeEnds::Inclusive };
    let modified = || known(world, now).filter(|event| range.contains(event.modify_time));
    let page = modified().skip(asked.page.unwrap_or(1).saturating_sub(1).saturating_mul(size)).take(size);
    let list: Vec<_> = page
        .map(|event| Modified { event_status: u8::from(!event.cancelled), info: Info::new(event, now) })
        .collect();
    let data = json!({ "count": modified().count(), "list": list });
    Ok(if list.is_empty() { empty.instead_of(data) } else { data })
}

/// The `data` of `event/public/list`: one page of the events, of one host or all, that start in a range of time.
pub(super) fn public_list(
    world: &World,
    asked: &Parameters,
    now: i64,
    shape: PublicList,
    empty: EmptyPage,
) -> Value {
    let size = asked.count.unwrap_or(20);
    let start = asked.start_time.unwrap_or(now);
    let range = Range { start: Some(start), end: asked.end_time, ends: RangeEnds::Inclusive };
    let list: Vec<_> = known(world, now)
        .filter(|event| range.contains(event.start_time))
        .filter(|event| asked.host_id.is_none_or(|host| host == event.host_id))
        .skip(asked.page.unwrap_or(0).saturating_mul(size))
        .take(size)
        .map(|event| Info::new(event, now))
        .collect();
    let data = match shape {
        PublicList::Array => json!(list),
        PublicList::Object => json!({ "list": list }),
    };
    if list.is_empty() { empty.instead_of(data) } else { data }
}

impl EmptyPage {
    /// What is sent for the `data` of a page without events.
    fn instead_of(self, data: Value) -> Value {
        match self {
            Self::Array => data,
            Self::Null => Value::Null,
            Self::NullList => json!({ "list": null }),
            Self::Total => json!({ "total": 0 }),
        }
    }
}

/// All events that exist at `now`, as they are then.
fn known(world: &World, now: i64) -> impl Iterator<Item = Event> {
    world.events().filter_map(move |event| event.at(now))
}
