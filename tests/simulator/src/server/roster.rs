//! Which events there are: the two lists, and the events in them.

use serde::Serialize;

use super::PublicList;
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

/// The `data` of `event/modify/list`.
#[derive(Serialize)]
pub(super) struct ModifyList {
    count: usize,
    list: Vec<Modified>,
}

/// One page of the events that were last edited in a range of time.
pub(super) fn modify_list(world: &World, asked: &Parameters, now: i64) -> Result<ModifyList, Failure> {
    asked.start_time.ok_or(Failure::BAD_REQUEST)?;
    let size = asked.page_size.unwrap_or(10).min(PAGE_SIZE);
    let range = Range { start: asked.start_time, end: asked.end_time, ends: RangeEnds::Inclusive };
    let modified = || known(world, now).filter(|event| range.contains(event.modify_time));
    let page = modified().skip(asked.page.unwrap_or(1).saturating_sub(1).saturating_mul(size)).take(size);
    let list =
        page.map(|event| Modified { event_status: u8::from(!event.cancelled), info: Info::new(event, now) });
    Ok(ModifyList { count: modified().count(), list: list.collect() })
}

/// The `data` of `event/public/list`.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum PublicEvents {
    Array(Vec<Info>),
    Object { list: Vec<Info> },
}

/// One page of the events, of one host or all, that start in a range of time.
pub(super) fn public_list(world: &World, asked: &Parameters, now: i64, shape: PublicList) -> PublicEvents {
    let size = asked.count.unwrap_or(20);
    let start = asked.start_time.unwrap_or(now);
    let range = Range { start: Some(start), end: asked.end_time, ends: RangeEnds::Inclusive };
    let list = known(world, now)
        .filter(|event| range.contains(event.start_time))
        .filter(|event| asked.host_id.is_none_or(|host| host == event.host_id))
        .skip(asked.page.unwrap_or(0).saturating_mul(size))
        .take(size)
        .map(|event| Info::new(event, now))
        .collect();
    match shape {
        PublicList::Array => PublicEvents::Array(list),
        PublicList::Object => PublicEvents::Object { list },
    }
}

/// All events that exist at `now`, as they are then.
fn known(world: &World, now: i64) -> impl Iterator<Item = Event> {
    world.events().filter_map(move |event| event.at(now))
}
