//! How the tests ask the pure core.

use jiff::Timestamp;
use serde_json::Value;
use simulator::{Event, Query, Range, ViewerDetails, Viewers, World, WorldOptions, report};

/// Long after everything.
const LATER: i64 = 1_700_000_000;

pub(crate) fn world() -> World {
    World::new(WorldOptions { events: 48, ..WorldOptions::default() })
}

pub(crate) fn everything() -> Query {
    Query {
        range: Range::default(),
        live_type: None,
        viewer_details: ViewerDetails::Cumulative,
        now: Timestamp::from_second(LATER).unwrap(),
        request_id: "test".to_owned(),
    }
}

pub(crate) fn body(event: Event, query: Query) -> Vec<u8> {
    report(event, query).flatten().collect()
}

pub(crate) fn answer(event: &Event, query: Query) -> Value {
    serde_json::from_slice(&body(event.clone(), query)).unwrap()
}

pub(crate) fn array<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer["data"]["report"][name].as_array().unwrap()
}

/// When the records of both arrays began.
pub(crate) fn online_times(answer: &Value) -> Vec<i64> {
    let records = array(answer, "lives").iter().chain(array(answer, "interactions"));
    records.map(|record| record["online_time"].as_i64().unwrap()).collect()
}

/// A busy event: one whose live part crosses midnight.
pub(crate) fn busy() -> Event {
    let options = WorldOptions { viewers: Viewers::Exactly(400), ..WorldOptions::default() };
    World::new(options).event(700_003).unwrap()
}
