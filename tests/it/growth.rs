//! The scheduled run, day after day: viewings that come in over weeks end as if they had been asked for once.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use rollcall::calendar::{Clock, Zone};
use rollcall::config::Config;
use rollcall::extract::auth::Credentials;
use rollcall::job::Job;
use rollcall::job::context::Context;
use rollcall::job::selection::Selection;
use rollcall::progress::Progress;
use rollcall::report::Report;
use simulator::{ServerOptions, Viewers, World, WorldOptions};

use crate::command::{Desk, TOKEN, server};
use crate::lake::cells;

/// One scheduled run at `now`, by the vendor's clock and ours.
async fn run_at(now: Timestamp, world: &World, store: &Path, selection: Selection) -> Report {
    let server =
        server(world, ServerOptions { clock: simulator::Clock::Fixed(now), ..ServerOptions::default() });
    let config = Config {
        store: store.to_str().unwrap().to_owned(),
        api_url: server.url(),
        credentials: Some(Credentials::Token(TOKEN.into())),
        zone: Zone::parse("Asia/Shanghai").unwrap(),
        settle: SignedDuration::from_hours(12),
        horizon: SignedDuration::from_hours(30 * 24),
        lookback: SignedDuration::from_hours(400 * 24),
        concurrency: 2,
        max_response_bytes: 1 << 30,
        timeout: std::time::Duration::from_mins(1),
        deadline: None,
    };
    let context = Context::new(config, Clock::Fixed(now), Progress::new()).unwrap();
    let report = Job::Sync(selection).run(&context).await.unwrap();
    assert!(report.ok, "{:?}", report.failures);
    report
}

fn world() -> World {
    let viewers = Viewers::Range(0, 40);
    World::new(WorldOptions { events: 12, days: 4, viewers, ..WorldOptions::default() })
}

#[tokio::test]
async fn a_schedule_over_weeks_ends_as_one_pull_at_the_end() {
    let world = world();
    let desk = Desk::new();
    let first: Timestamp = "2022-10-20T00:00:00Z".parse().unwrap();
    let mut visits = 0;
    // Every seven hours for forty days; hourly runs would find the same.
    for step in 0..138 {
        let now = first + SignedDuration::from_hours(7) * step;
        visits += run_at(now, &world, &desk.store(), Selection::default()).await.events.due;
    }
    let closed = std::fs::read_dir(desk.store().join("ledger/closed")).unwrap().count();
    // All but the one that was cancelled before it began; the sample is one more.
    let ended = world.events().filter(|event| !event.cancelled).count();
    assert_eq!(closed, ended, "every event is closed past its horizon");
    assert!(visits > 20 * ended && visits < 45 * ended, "an open event is seen daily: {visits} visits");

    let once = Desk::new();
    let selection = Selection { from: Some("2022-10-01".into()), ..Selection::default() };
    run_at(first + SignedDuration::from_hours(24 * 60), &world, &once.store(), selection).await;
    assert!(cells(&desk.store()).await == cells(&once.store()).await);
}

#[tokio::test]
async fn a_run_with_nothing_due_asks_for_the_roster_only() {
    let world = world();
    let desk = Desk::new();
    let now: Timestamp = "2022-12-20T00:00:00Z".parse().unwrap();
    run_at(now, &world, &desk.store(), Selection::default()).await;
    let report =
        run_at(now + SignedDuration::from_hours(1), &world, &desk.store(), Selection::default()).await;
    assert_eq!((report.events.due, report.requests.requests), (0, 1));
}
