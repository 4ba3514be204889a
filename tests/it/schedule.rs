//! The scheduled run, day after day: viewings that come in over weeks end up as if they had been asked for once.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rollcall::job::selection::Selection;
use simulator::{ServerOptions, Viewers, World, WorldOptions};

use crate::support::command::Desk;
use crate::support::lake::{cells, ledger};
use crate::support::run::{HOUR, config, later, server_at, small_world, sync, sync_all};

const EVENT: u64 = 700_001;

#[tokio::test]
async fn a_schedule_over_weeks_leaves_the_same_cells_as_one_pull_at_the_end() {
    let world = small_world(12);
    let desk = Desk::new();
    let first: Timestamp = "2022-10-20T00:00:00Z".parse().unwrap();
    let mut visits = 0;
    // Every seven hours for forty days; hourly runs would find the same.
    for step in 0..138 {
        let now = first + HOUR * 7 * step;
        let server = server_at(now, &world, ServerOptions::default());
        visits += sync_all(config(&server, &desk.store()), now).await.events.due;
    }
    let closed = std::fs::read_dir(desk.store().join("ledger/closed")).unwrap().count();
    // All but the one that was cancelled before it began; the sample is one more.
    let ended = world.events().filter(|event| !event.cancelled).count();
    assert_eq!(closed, ended, "every event is closed past its horizon");
    assert!(visits > 20 * ended && visits < 45 * ended, "an open event is seen daily: {visits} visits");

    let once = Desk::new();
    let server = server_at(later(), &world, ServerOptions::default());
    sync_all(config(&server, &once.store()), later()).await;
    assert!(cells(&desk.store()).await == cells(&once.store()).await);
}

#[tokio::test]
async fn an_event_is_closed_when_the_last_day_of_its_horizon_has_settled() {
    let (desk, world) = (Desk::new(), small_world(2));
    // In Shanghai, the 30th day after its end is over at 16:00 UTC, and has settled twelve hours later.
    let end = Timestamp::from_second(world.event(EVENT).unwrap().end_time).unwrap();
    let horizon = end + HOUR * (30 * 24);
    let settled = (horizon + HOUR * 8).strftime("%Y-%m-%dT16:00:00Z").to_string();
    let settled = settled.parse::<Timestamp>().unwrap() + HOUR * 12;
    for (now, is_closed) in [(horizon, false), (settled - HOUR / 60, false), (settled, true)] {
        let server = server_at(now, &world, ServerOptions::default());
        let selection = Selection { event: vec![EVENT.cast_signed()], ..Selection::default() };
        assert!(sync(config(&server, &desk.store()), now, selection).await.unwrap().ok);
        let closed = ledger(&desk, EVENT.cast_signed()).await.unwrap().closed;
        assert_eq!(closed.is_some(), is_closed, "{now}");
    }
}

#[tokio::test]
async fn each_run_of_a_schedule_leaves_what_a_new_lake_would_have() {
    let world = |viewers| {
        let viewers = Viewers::Exactly(viewers);
        World::new(WorldOptions { events: 4, days: 2, viewers, ..WorldOptions::default() })
    };
    let desk = Desk::new();
    let first: Timestamp = "2022-10-22T12:00:00Z".parse().unwrap();
    let mut days = BTreeSet::new();
    // More than a day apart, so that every open event is due. In the end, the vendor also has more viewings of earlier days.
    for (step, viewers) in (0..).zip([20, 20, 20, 20, 40]) {
        let (now, world) = (first + HOUR * 26 * step, world(viewers));
        let server = server_at(now, &world, ServerOptions::default());
        sync_all(config(&server, &desk.store()), now).await;
        let new = Desk::new();
        sync_all(config(&server, &new.store()), now).await;
        let expected = cells(&new.store()).await;
        assert!(cells(&desk.store()).await == expected, "{step}");
        days.extend(expected.keys().map(|(_, day, _)| *day));
    }
    assert!(days.len() > 4, "{days:?}");
}

#[tokio::test]
async fn a_run_with_nothing_due_asks_for_the_roster_only() {
    let world = small_world(12);
    let desk = Desk::new();
    let server = server_at(later(), &world, ServerOptions::default());
    sync_all(config(&server, &desk.store()), later()).await;
    let server = server_at(later() + HOUR, &world, ServerOptions::default());
    let report = sync_all(config(&server, &desk.store()), later() + HOUR).await;
    // One page of each list.
    assert_eq!((report.events.due, report.requests.requests), (0, 2));
}

#[tokio::test]
async fn an_event_last_edited_long_before_it_is_held_is_still_due() {
    let options = WorldOptions { events: 6, days: 4, edited_long_before: true, ..WorldOptions::default() };
    let world = World::new(options);
    let desk = Desk::new();
    // The events are heard of half a year before they take place, and not again until they are over.
    let early: Timestamp = "2022-04-20T00:00:00Z".parse().unwrap();
    let server = server_at(early, &world, ServerOptions::default());
    let report = sync_all(config(&server, &desk.store()), early).await;
    assert_eq!((report.events.known, report.events.due), (6, 0));
    let server = server_at(later(), &world, ServerOptions::default());
    let report = sync_all(config(&server, &desk.store()), later()).await;
    assert_eq!(report.events.due, 7);
}
