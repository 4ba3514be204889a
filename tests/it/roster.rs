//! Which events are visited: the vendor's lists, the user's own, and what becomes of events that change.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use jiff::Timestamp;
use rollcall::calendar::Clock;
use rollcall::config::Rosters;
use rollcall::extract::auth::Credentials;
use rollcall::extract::roster::edited_since;
use rollcall::extract::usage::Usage;
use rollcall::job::context::Context;
use rollcall::job::selection::Selection;
use rollcall::progress::Progress;
use serde_json::{Value, json};
use simulator::{EmptyPage, PublicList, ServerOptions, Viewers, World, WorldOptions};

use crate::command::{Desk, TOKEN};
use crate::lake::cells;
use crate::run::{HOUR, app, config, later, server_at, small_world, sync_all};

fn paths(server: &simulator::Server) -> Vec<&'static str> {
    server.requests().into_iter().map(|request| request.path.trim_start_matches("/eventopenapi/")).collect()
}

#[tokio::test]
async fn the_public_list_names_events_that_the_other_does_not_in_either_shape() {
    for public_list in [PublicList::Array, PublicList::Object] {
        let world = small_world(30);
        let desk = Desk::new();
        let server = server_at(later(), &world, ServerOptions { public_list, ..ServerOptions::default() });
        let mut only_public = config(&server, &desk.store());
        only_public.rosters.edited = false;
        // No cursor: as far back as the horizon, which reaches none of them; then by days.
        let selection = Selection { from: Some("2022-10-01".into()), ..Selection::default() };
        let report = crate::run::sync(only_public, later(), selection).await.unwrap();
        assert!(report.ok, "{:?}", report.failures);
        let held = world.events().filter(|event| !event.cancelled).count();
        assert_eq!(report.events.complete, held);
        assert!(!paths(&server).contains(&"event/modify/list"));
    }
}

#[tokio::test]
async fn a_page_without_events_ends_a_list_however_it_is_written() {
    for empty_page in [EmptyPage::Null, EmptyPage::NullList, EmptyPage::Total] {
        // 10 is as many as a page may have that is not the last.
        for events in [2, 12] {
            let world = small_world(events);
            let (desk, held) = (Desk::new(), world.events().filter(|event| !event.cancelled).count());
            let server = server_at(later(), &world, ServerOptions { empty_page, ..ServerOptions::default() });
            let report = sync_all(config(&server, &desk.store()), later()).await;
            assert_eq!(report.events.complete, held, "{empty_page:?} {events}");
            // Nothing was edited, nothing takes place.
            let quiet = later() + HOUR * 24 * 200;
            let server = server_at(quiet, &world, ServerOptions { empty_page, ..ServerOptions::default() });
            sync_all(config(&server, &desk.store()), quiet).await;
            assert_eq!(paths(&server).iter().filter(|path| path.ends_with("list")).count(), 2);
        }
    }
}

#[tokio::test]
async fn a_list_that_is_switched_off_is_not_asked_for() {
    let server = server_at(later(), &small_world(2), ServerOptions::default());
    let desk = Desk::new();
    let mut config = config(&server, &desk.store());
    config.rosters.public = false;
    sync_all(config, later()).await;
    assert!(!paths(&server).contains(&"event/public/list"));
}

#[tokio::test]
async fn a_roster_of_the_users_own_is_visited_with_or_without_the_lists() {
    let world = small_world(12);
    let server = server_at(later(), &world, ServerOptions::default());
    let desk = Desk::new();
    let file = desk.store().with_extension("csv");
    std::fs::write(&file, "event_id,title\n609768,launch\n700004,\n").unwrap();
    let mut own = config(&server, &desk.store());
    own.rosters = Rosters { edited: false, public: false, file: Some(file.to_str().unwrap().into()) };
    let report = sync_all(own.clone(), later()).await;
    assert_eq!(report.events.complete, 2);
    assert!(!paths(&server).iter().any(|path| path.ends_with("list")));

    // In the store, beside the lake.
    std::fs::create_dir_all(desk.store().join("rosters")).unwrap();
    std::fs::write(desk.store().join("rosters/own.jsonl"), "{\"event_id\": 700010}\n").unwrap();
    own.rosters.file = Some("store:rosters/own.jsonl".into());
    assert_eq!(sync_all(own, later() + HOUR).await.events.complete, 1);
}

#[tokio::test]
async fn an_event_that_was_cancelled_before_it_began_is_never_asked_about() {
    let world = small_world(24);
    let server = server_at(later(), &world, ServerOptions::default());
    let desk = Desk::new();
    sync_all(config(&server, &desk.store()), later()).await;
    let cancelled: Vec<u64> = world.events().filter(|event| event.cancelled).map(|event| event.id).collect();
    assert!(!cancelled.is_empty());
    let asked = server.requests().into_iter().filter_map(|request| request.event_id);
    assert_eq!(asked.filter(|event| cancelled.contains(event)).count(), 0);
}

#[tokio::test]
async fn an_old_event_costs_its_entry_a_snapshot_and_a_window_for_each_day_with_rows() {
    let world = World::default();
    let desk = Desk::new();
    let two_years_later = later() + HOUR * (2 * 365 * 24);
    let server = server_at(two_years_later, &world, ServerOptions::default());
    let mut config = config(&server, &desk.store());
    config.lookback = HOUR * (3 * 365 * 24);
    let report = sync_all(config, two_years_later).await;
    let days = cells(&desk.store()).await.into_keys().filter(|(table, ..)| table.name() != "viewer_details");
    let days: BTreeSet<_> = days.map(|(_, day, event)| (day, event)).collect();
    let lists = paths(&server).iter().filter(|path| path.ends_with("list")).count();
    assert_eq!(server.requests().len(), lists + report.events.complete + days.len());
    assert!(lists <= 4, "{lists} pages");
}

#[tokio::test]
async fn what_a_first_run_could_not_list_is_not_passed_over() {
    let desk = Desk::new();
    let world = small_world(8);
    let options = crate::faults::faults(&["code=403@path:event/public/list"]);
    let server = server_at(later(), &world, options);
    let report =
        crate::run::sync(config(&server, &desk.store()), later(), Selection::default()).await.unwrap();
    assert_eq!((report.ok, report.events.left), (false, 0), "{:?}", report.failures);
    let from = |server: &simulator::Server, path: &str| -> Vec<i64> {
        let asked = server.requests().into_iter().filter(|request| request.path.ends_with(path));
        asked.filter_map(|request| request.start_time).collect()
    };
    // As far back as the first run did: whatever the public list alone names is still to be heard of.
    let again = server_at(later() + HOUR, &world, ServerOptions::default());
    sync_all(config(&again, &desk.store()), later() + HOUR).await;
    for path in ["event/public/list", "event/modify/list"] {
        let (first, second) = (from(&server, path)[0], from(&again, path)[0]);
        assert_eq!(second - first, 3600, "{path}");
    }
}

#[tokio::test]
async fn what_a_list_named_before_it_broke_is_visited_and_the_rest_is_listed_by_the_next_run() {
    let viewers = Viewers::Exactly(1);
    let world = World::new(WorldOptions { events: 150, days: 4, viewers, ..WorldOptions::default() });
    let (desk, held) = (Desk::new(), world.events().filter(|event| !event.cancelled).count());
    let file = desk.store().with_extension("csv");
    std::fs::write(&file, "event_id\n700001\n").unwrap();
    let run = async |options: ServerOptions, rosters: Rosters| {
        let server = server_at(later(), &world, options);
        let config = rollcall::config::Config { rosters, ..config(&server, &desk.store()) };
        crate::run::sync(config, later(), Selection::default()).await.unwrap()
    };
    let own = Rosters { edited: false, public: false, file: Some(file.to_str().unwrap().into()) };
    // Without an event that is known, nothing is done where the list cannot be read.
    let first = run(crate::faults::faults(&["code=403@path:event/report/details"]), own).await;
    let edited = || Rosters { edited: true, public: false, file: None };
    let broken = run(crate::faults::faults(&["code=403@path:event/modify/list,nth:2"]), edited()).await;
    let [failure] = &broken.failures[..] else { panic!("{:?}", broken.failures) };
    assert!(failure.event_id.is_none() && first.events.failed == 1, "{failure:?} {:?}", first.events);
    assert!((2..held).contains(&broken.events.complete), "{} of {held}", broken.events.complete);
    let whole = run(ServerOptions::default(), edited()).await;
    assert!(whole.ok, "{:?}", whole.failures);
    // The one that failed is not due again yet.
    assert_eq!(broken.events.complete + whole.events.complete, held - 1);
}

#[tokio::test]
async fn what_was_held_while_no_run_took_place_is_listed_by_the_next() {
    let (desk, world) = (Desk::new(), small_world(8));
    let from = async |at: Timestamp| {
        let server = server_at(at, &world, ServerOptions::default());
        sync_all(config(&server, &desk.store()), at).await;
        let public = server.requests().into_iter().find(|request| request.path.ends_with("public/list"));
        public.and_then(|request| request.start_time).unwrap()
    };
    let horizon = config(&server_at(later(), &world, ServerOptions::default()), &desk.store()).horizon;
    from(later()).await;
    assert_eq!(from(later() + HOUR).await, (later() - horizon).as_second());
    let outage = horizon * 3;
    assert_eq!(from(later() + outage).await, (later() + HOUR - horizon).as_second());
}

#[tokio::test]
async fn an_event_of_the_public_list_alone_that_now_ends_later_is_visited_again() {
    let (desk, world) = (Desk::new(), small_world(2));
    let event = world.events().find(|event| event.id == 700_001).unwrap();
    let end = Timestamp::from_second(event.end_time).unwrap();
    let visits = async |at: Timestamp| {
        let server = server_at(at, &world, ServerOptions::default());
        let mut only_public = config(&server, &desk.store());
        only_public.rosters.edited = false;
        sync_all(only_public, at).await;
        server.requests().into_iter().filter(|request| request.event_id == Some(700_001)).count()
    };
    assert!(visits(end + HOUR).await > 0);
    // As it was noted before its end was moved.
    let [active, closed] = ["active", "closed"].map(|place| desk.store().join("ledger").join(place));
    let mut ledger: Value =
        serde_json::from_slice(&std::fs::read(active.join("700001.json")).unwrap()).unwrap();
    ledger["closed"] = json!("complete");
    ledger["event"]["end_time"] = json!(end - HOUR);
    std::fs::create_dir_all(&closed).unwrap();
    std::fs::write(closed.join("700001.json"), ledger.to_string()).unwrap();
    std::fs::remove_file(active.join("700001.json")).unwrap();
    assert!(visits(end + HOUR * 48).await > 0);
}

#[tokio::test]
async fn a_token_that_is_refused_for_the_public_list_alone_stops_no_visit() {
    let world = small_world(8);
    for credentials in [Credentials::Token(TOKEN.into()), Credentials::App(app())] {
        let desk = Desk::new();
        let options = ServerOptions {
            token: Some(TOKEN.to_owned()),
            ..crate::faults::faults(&["code=401@path:event/public/list"])
        };
        let server = server_at(later(), &world, options);
        let mut config = config(&server, &desk.store());
        config.credentials = Some(credentials);
        let report = crate::run::sync(config, later(), Selection::default()).await.unwrap();
        let [failure] = &report.failures[..] else { panic!("{:?}", report.failures) };
        assert!(failure.event_id.is_none() && failure.error.contains("--no-public-list"), "{failure:?}");
        assert!(report.events.complete > 0 && report.events.left == 0, "{:?}", report.events);
    }
}

#[tokio::test]
async fn a_closed_event_of_a_users_own_roster_is_visited_again_for_days_that_are_asked_for() {
    let (desk, world) = (Desk::new(), small_world(2));
    let file = desk.store().with_extension("csv");
    std::fs::write(&file, "event_id\n609768\n700001\n").unwrap();
    let run = async |selection: Selection| {
        let server = server_at(later(), &world, ServerOptions::default());
        let mut own = config(&server, &desk.store());
        own.rosters = Rosters { edited: false, public: false, file: Some(file.to_str().unwrap().into()) };
        crate::run::sync(own, later(), selection).await.unwrap()
    };
    run(Selection::default()).await;
    let expected = cells(&desk.store()).await;
    assert!(desk.store().join("ledger/closed/609768.json").exists());
    let object = desk.store().join("lake/lives/dt=2022-10-26/part-0.parquet");
    std::fs::remove_file(&object).unwrap();
    let (from, to) = (Some("2022-10-26".into()), Some("2022-10-26".into()));
    let report = run(Selection { from, to, ..Selection::default() }).await;
    assert!(report.ok && report.events.due >= 1, "{:?}", report.failures);
    assert_eq!(cells(&desk.store()).await, expected);
}

#[tokio::test]
async fn what_was_edited_while_a_clock_was_ahead_is_listed_when_it_is_set_right() {
    let (desk, world) = (Desk::new(), small_world(12));
    let early: Timestamp = "2022-10-20T00:00:00Z".parse().unwrap();
    let from = |server: &simulator::Server| {
        let mut asked = server.requests().into_iter().filter(|request| request.path.ends_with("modify/list"));
        asked.find_map(|request| request.start_time).unwrap()
    };
    // This machine's clock is five hours ahead of the vendor's, then right again.
    let server = server_at(early, &world, ServerOptions::default());
    sync_all(config(&server, &desk.store()), early + HOUR * 5).await;
    let server = server_at(early + HOUR * 24, &world, ServerOptions::default());
    sync_all(config(&server, &desk.store()), early + HOUR * 24).await;
    assert!(from(&server) <= early.as_second());
}

#[tokio::test]
async fn a_vendor_whose_clock_is_far_off_is_not_asked_for_the_years_between() {
    let (desk, world) = (Desk::new(), small_world(12));
    // As if it sent seconds where milliseconds are expected.
    let server = server_at(Timestamp::UNIX_EPOCH, &world, ServerOptions::default());
    sync_all(config(&server, &desk.store()), later()).await;
    let cursor = std::fs::read_to_string(desk.store().join("ledger/roster.json")).unwrap();
    assert!(cursor.contains(&later().to_string()), "{cursor}");
}

#[tokio::test]
async fn a_cursor_that_lies_ahead_is_not_believed() {
    let (desk, world) = (Desk::new(), small_world(12));
    let server = server_at(later(), &world, ServerOptions::default());
    sync_all(config(&server, &desk.store()), later()).await;
    let ahead = (later() + HOUR * 100).to_string();
    let cursor = format!("{{\"format\": 1, \"edited_until\": \"{ahead}\"}}");
    std::fs::write(desk.store().join("ledger/roster.json"), cursor).unwrap();
    let before = server.requests().len();
    sync_all(config(&server, &desk.store()), later() + HOUR).await;
    let asked: Vec<_> = server.requests().into_iter().skip(before).collect();
    let edited = asked.iter().find(|request| request.path.ends_with("modify/list")).unwrap();
    assert_eq!(
        edited.start_time,
        server.requests()[0].start_time.map(|first| first + 3600),
        "as a first run does"
    );
}

#[tokio::test]
async fn an_event_of_a_users_own_roster_that_was_cancelled_and_restored_is_visited() {
    let (desk, world) = (Desk::new(), small_world(2));
    let event = world.events().find(|event| event.id == 700_001).unwrap();
    let at = |second: i64| Timestamp::from_second(second).unwrap();
    let file = desk.store().with_extension("csv");
    std::fs::write(&file, "event_id\n700001\n").unwrap();
    let run = async |at: Timestamp| {
        let server = server_at(at, &world, ServerOptions::default());
        let mut own = config(&server, &desk.store());
        own.rosters = Rosters { edited: false, public: false, file: Some(file.to_str().unwrap().into()) };
        sync_all(own, at).await
    };
    run(at(event.start_time) - HOUR).await;
    // As it was noted while it was cancelled.
    let active = desk.store().join("ledger/active/700001.json");
    let mut ledger: Value = serde_json::from_slice(&std::fs::read(&active).unwrap()).unwrap();
    ledger["closed"] = json!("cancelled");
    ledger["event"]["status"] = json!("cancelled");
    std::fs::create_dir_all(desk.store().join("ledger/closed")).unwrap();
    std::fs::write(desk.store().join("ledger/closed/700001.json"), ledger.to_string()).unwrap();
    std::fs::remove_file(active).unwrap();
    assert_eq!(run(at(event.start_time) + HOUR * 100).await.events.complete, 1);
}

/// A list of 150 events by their edits, of which the first is edited after the first page was read, and so leaves the range.
async fn moving(State(asked): State<Arc<AtomicUsize>>, Json(body): Json<Value>) -> Json<Value> {
    let gone = usize::from(asked.fetch_add(1, Ordering::SeqCst) > 0);
    let number = |name: &str| usize::try_from(body[name].as_u64().unwrap()).unwrap();
    let (page, size) = (number("page"), number("pageSize"));
    let list: Vec<Value> =
        (gone..150).skip((page - 1) * size).take(size).map(|event| json!({ "eventId": event + 1 })).collect();
    Json(json!({ "code": 200, "msg": "", "data": { "count": 150 - gone, "list": list } }))
}

#[tokio::test]
async fn no_event_is_missed_because_another_one_is_edited_while_the_pages_are_read() {
    let asked = Arc::new(AtomicUsize::new(0));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().route("/eventopenapi/event/modify/list", post(moving));
    let app = app.with_state(Arc::clone(&asked)).into_make_service();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let (desk, server) = (Desk::new(), server_at(later(), &small_world(1), ServerOptions::default()));
    let config = rollcall::config::Config { api_url: url, ..config(&server, &desk.store()) };
    let context = Context::new(config, Clock::Fixed(later()), Progress::hidden()).await.unwrap();
    let usage = Usage::default();
    let mut list = edited_since(&context.client, &usage, later() - HOUR, later());
    let mut events = BTreeSet::new();
    while let Some(page) = list.page().await.unwrap() {
        events.extend(page.events.into_iter().map(|event| event.event_id));
    }
    assert_eq!(events, (1..=150).collect());
    assert!(asked.load(Ordering::SeqCst) <= 9);
}
