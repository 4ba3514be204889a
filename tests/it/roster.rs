//! Which events are visited: those of the vendor's lists, the user's own, and what becomes of events that change.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::date;
use rollcall::config::{Config, Rosters};
use rollcall::error::Kind;
use rollcall::job::selection::Selection;
use rollcall::load::store::Location;
use serde_json::{Value, json};
use simulator::{ServerOptions, World};

use crate::support::command::Desk;
use crate::support::lake::cells;
use crate::support::run::{HOUR, config, later, paths, server_at, small_world, sync, sync_all};
use crate::support::vendor_lists::{VendorAnswers, run_with};

#[tokio::test]
async fn a_users_own_roster_is_visited_without_the_lists_from_a_file_or_from_the_store() {
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
async fn an_event_that_no_ledger_tells_of_is_a_failure_of_the_run_and_not_only_its_own() {
    let desk = Desk::new();
    let file = desk.path().join("own.csv");
    std::fs::write(&file, "event_id\n609768\n404\n").unwrap();
    for hours in [0, 1] {
        let server = server_at(later(), &small_world(4), ServerOptions::default());
        let mut own = config(&server, &desk.store());
        own.rosters = Rosters { edited: false, public: false, file: Some(file.to_str().unwrap().into()) };
        let report = sync(own, later() + HOUR * hours, Selection::default()).await.unwrap();
        let failed: Vec<_> = report.failures.iter().map(|failure| failure.event_id).collect();
        assert_eq!((failed, report.run_failures()), (vec![Some(404)], 1), "{hours}");
    }
}

#[tokio::test]
async fn new_events_of_a_users_own_roster_come_first_and_then_those_that_end_soonest() {
    let (desk, world) = (Desk::new(), small_world(8));
    let early: Timestamp = "2022-10-19T04:00:00Z".parse().unwrap();
    let is_there = |event: &simulator::Event| event.create_time <= early.as_second() && !event.cancelled;
    let mut events: Vec<_> =
        world.events().filter(is_there).map(|event| (event.end_time, event.id)).collect();
    events.sort_unstable();
    assert!(events.len() > 4 && !events.is_sorted_by_key(|(_, id)| id), "{events:?}");
    let new = *events.iter().map(|(_, id)| id).max().unwrap();
    events.retain(|(_, id)| *id != new);
    let asked = async |ids: Vec<u64>| {
        let server = server_at(early, &world, ServerOptions::default());
        let file = desk.path().join("own.csv");
        let lines: Vec<_> = ids.iter().map(u64::to_string).collect();
        std::fs::write(&file, format!("event_id\n{}", lines.join("\n"))).unwrap();
        let mut own = config(&server, &desk.store());
        own.rosters = Rosters { edited: false, public: false, file: Some(file.to_str().unwrap().into()) };
        own.concurrency = 1;
        sync_all(own, early).await;
        server.requests().into_iter().filter_map(|request| request.event_id).collect::<Vec<_>>()
    };
    let mut known: Vec<_> = events.iter().map(|(_, id)| *id).collect();
    asked(known.clone()).await;
    known.insert(0, new);
    assert_eq!(asked(known.clone()).await, known);
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
async fn an_old_event_costs_one_snapshot_and_one_window_for_each_day_with_rows() {
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
    assert!(lists <= 14, "{lists} pages");
}

#[tokio::test]
async fn a_closed_event_of_a_users_own_roster_is_visited_again_for_chosen_days() {
    let (desk, world) = (Desk::new(), small_world(2));
    let file = desk.store().with_extension("csv");
    std::fs::write(&file, "event_id\n609768\n700001\n").unwrap();
    let run = async |selection: Selection| {
        let server = server_at(later(), &world, ServerOptions::default());
        let mut own = config(&server, &desk.store());
        own.rosters = Rosters { edited: false, public: false, file: Some(file.to_str().unwrap().into()) };
        sync(own, later(), selection).await.unwrap()
    };
    run(Selection::default()).await;
    let expected = cells(&desk.store()).await;
    assert!(desk.store().join("ledger/closed/609768.json").exists());
    let object = desk.store().join("lake/lives/dt=2022-10-26/part-0.parquet");
    std::fs::remove_file(&object).unwrap();
    let (from, to) = (Some(date(2022, 10, 26)), Some(date(2022, 10, 26)));
    let report = run(Selection { from, to, ..Selection::default() }).await;
    assert!(report.ok && report.events.due >= 1, "{:?}", report.failures);
    assert_eq!(cells(&desk.store()).await, expected);
}

#[tokio::test]
async fn an_event_of_a_users_own_roster_that_was_cancelled_and_restored_is_visited() {
    let world = small_world(2);
    let event = world.events().find(|event| event.id == 700_001).unwrap();
    let at = |second: i64| Timestamp::from_second(second).unwrap();
    // A user may have had it visited in the meantime.
    for last_visit in [None, Some(at(event.start_time) - HOUR)] {
        let desk = Desk::new();
        let file = desk.store().with_extension("csv");
        std::fs::write(&file, "event_id\n700001\n").unwrap();
        let run = async |at: Timestamp| {
            let server = server_at(at, &world, ServerOptions::default());
            let mut own = config(&server, &desk.store());
            own.rosters = Rosters { edited: false, public: false, file: Some(file.to_str().unwrap().into()) };
            sync_all(own, at).await
        };
        run(at(event.start_time) - HOUR).await;
        // The ledger as it was noted while the event was cancelled.
        let active = desk.store().join("ledger/active/700001.json");
        let mut ledger: Value = serde_json::from_slice(&std::fs::read(&active).unwrap()).unwrap();
        ledger["closed"] = json!("cancelled");
        ledger["event"]["status"] = json!("cancelled");
        ledger["last_visit"] = json!(last_visit);
        std::fs::create_dir_all(desk.store().join("ledger/closed")).unwrap();
        std::fs::write(desk.store().join("ledger/closed/700001.json"), ledger.to_string()).unwrap();
        std::fs::remove_file(active).unwrap();
        let events = run(at(event.start_time) + HOUR * 100).await.events;
        assert_eq!(events.complete, 1, "{last_visit:?}");
    }
}

#[tokio::test]
async fn an_unreadable_roster_is_a_failure_but_does_not_stop_visits_of_known_events() {
    let desk = Desk::new();
    let early = "2022-10-20T00:00:00Z".parse().unwrap();
    let server = server_at(early, &small_world(8), ServerOptions::default());
    let known = sync_all(config(&server, &desk.store()), early).await.events.known;
    let file = desk.path().join("own.csv");
    std::fs::write(&file, "event_id\n700003\nmany\n").unwrap();
    let server = server_at(later(), &small_world(8), ServerOptions::default());
    let mut own = config(&server, &desk.store());
    own.rosters.file = Some(file.to_str().unwrap().into());
    let report = sync(own.clone(), later(), Selection::default()).await.unwrap();
    let [failure] = &report.failures[..] else { panic!("{:?}", report.failures) };
    assert_eq!((failure.event_id, failure.kind), (None, Kind::Usage));
    assert!(known > 0 && report.events.complete >= known, "{:?}", report.events);

    // If nothing is known, nothing can be done.
    let empty = Desk::new();
    let rosters = Rosters { edited: false, public: false, ..own.rosters.clone() };
    let own = Config { store: Location::Folder(empty.store()), rosters, ..own };
    let error = sync(own, later(), Selection::default()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
}

#[tokio::test]
async fn an_event_reopened_by_a_run_that_died_midway_is_put_back_among_the_open_events() {
    let (desk, world) = (Desk::new(), small_world(2));
    let file = desk.path().join("own.csv");
    std::fs::write(&file, "event_id\n609768\n").unwrap();
    let run = async || {
        let server = server_at(later() + HOUR * 48, &world, ServerOptions::default());
        let mut own = config(&server, &desk.store());
        own.rosters = Rosters { edited: false, public: false, file: Some(file.to_str().unwrap().into()) };
        sync_all(own, later() + HOUR * 48).await.events.complete
    };
    assert_eq!((run().await, run().await), (1, 0), "it is closed");
    // Its document says that it is open, but has not been moved to where open events are.
    let closed = desk.store().join("ledger/closed/609768.json");
    let mut document: Value = serde_json::from_slice(&std::fs::read(&closed).unwrap()).unwrap();
    document["closed"] = Value::Null;
    std::fs::write(&closed, document.to_string()).unwrap();
    run().await;
    let text = std::fs::read_to_string(desk.store().join("ledger/active/609768.json"));
    assert!(text.is_ok(), "it is where events are that are visited");
}

#[tokio::test]
async fn an_event_number_below_one_is_refused() {
    let server = server_at(later(), &small_world(2), ServerOptions::default());
    let desk = Desk::new();
    for number in [0, -5] {
        let selection = Selection { event: vec![number], ..Selection::default() };
        let error = sync(config(&server, &desk.store()), later(), selection).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Usage, "{number}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn an_event_that_cannot_be_closed_because_its_document_is_damaged_does_not_stop_the_run() {
    let (desk, world) = (Desk::new(), small_world(4));
    let server = server_at(later(), &world, ServerOptions::default());
    sync_all(config(&server, &desk.store()), later()).await;
    // A run died while it closed the event, and the document at its new place cannot be read.
    let ledger = desk.store().join("ledger");
    let closed = ledger.join("closed/609768.json");
    std::fs::create_dir_all(ledger.join("active")).unwrap();
    std::fs::copy(&closed, ledger.join("active/609768.json")).unwrap();
    std::fs::write(&closed, "{").unwrap();
    let config = config(&server, &desk.store());
    let report = sync(config, later() + HOUR, Selection::default()).await.unwrap();
    let [failure] = &report.failures[..] else { panic!("{:?}", report.failures) };
    assert_eq!((failure.event_id, failure.kind), (Some(609_768), Kind::Damaged));
}

#[tokio::test]
async fn an_event_of_a_users_own_roster_is_asked_about_again_before_a_visit_as_long_as_nobody_came() {
    let (desk, start) = (Desk::new(), later());
    let file = desk.path().join("own.csv");
    std::fs::write(&file, "event_id\n1\n").unwrap();
    let own = || Rosters { edited: false, public: false, file: Some(file.to_str().unwrap().into()) };
    let info = |start: Timestamp| {
        let (start, end) = (start.as_second(), (start + HOUR).as_second());
        [(1, json!({ "eventId": 1, "title": "t", "startTime": start, "endTime": end }))].into()
    };
    let came = |at: Timestamp| {
        let lives = json!([{ "online_time": at.as_second(), "email": "a@b.c" }]);
        json!({ "lives": lives, "interactions": [], "viewerDetails": [] })
    };
    // After it was last asked about, and before it began, it was moved by 60 days; then it takes place.
    let moved = start + HOUR * (60 * 24);
    for (now, info, report, asked, visits) in [
        (start - HOUR, info(start), Value::Null, 1, 0),
        (start + HOUR * 2, info(moved), Value::Null, 1, 0),
        (moved + HOUR * 2, info(moved), came(moved), 1, 1),
        (moved + HOUR * 4, info(moved), came(moved), 0, 1),
    ] {
        let says = VendorAnswers { info, report, ..VendorAnswers::default() };
        let (report, vendor) = run_with(&desk, now, says, own()).await;
        assert!(report.ok, "{:?}", report.failures);
        assert_eq!((vendor.pages("event/info"), report.events.complete), (asked, visits), "{now}");
    }
}
