//! What the end of a run's time cuts off.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{FutureExt, future};
use jiff::SignedDuration;
use rollcall::calendar::Clock;
use rollcall::config::Rosters;
use rollcall::error::Kind;
use rollcall::job::context::Context;
use rollcall::job::selection::Selection;
use rollcall::job::{Job, Plan, Publish};
use rollcall::load::ledger::ledgers::Ledgers;
use rollcall::load::store::Store;
use rollcall::progress::Progress;
use simulator::{ServerOptions, Viewers, World, WorldOptions};

use crate::support::command::{Desk, files};
use crate::support::faults::{busiest, faults, without_faults};
use crate::support::faulty::Faulty;
use crate::support::lake::cells;
use crate::support::run::{
    all_days, config, job, job_in_time, later, server_at, server_now, small_world, sync_all, sync_in_time,
};

#[tokio::test]
async fn what_the_deadline_cuts_off_is_left_and_the_next_run_makes_it_good() {
    let expected = without_faults().await;
    let (event, day) = busiest();
    let desk = Desk::new();
    // One answer never ends; the run does.
    let server = server_now(&small_world(8), faults(&[&format!("stall@day:{event}:{day}")]));
    let mut cut = config(&server, &desk.store());
    cut.deadline = Some(SignedDuration::from_secs(4));
    let report = sync_in_time(cut, all_days()).await;
    // No later run would come back to chosen events, which need not be due, so it is said how many are left. On a slow machine,
    // some days are still staged, too.
    let said = format!("{} of the chosen events", report.events.left);
    let told = report.failures.iter().filter(|failure| failure.error.contains(&said));
    assert_eq!(told.count(), 1, "{:?}", report.failures);
    let mut failures = report.failures.iter();
    assert!(failures.all(|failure| (failure.event_id, failure.kind) == (None, Kind::Timeout)));
    assert!(report.events.left > 0 && report.events.failed == 0);
    assert!(report.owed[&event].contains(&day.to_string()), "{:?}", report.owed);

    let server = server_now(&small_world(8), ServerOptions::default());
    let report = sync_in_time(config(&server, &desk.store()), Selection::default()).await;
    assert_eq!((report.ok, report.events.left, report.owed.len()), (true, 0, 0));
    assert!(cells(&desk.store()).await == expected);
}

#[tokio::test]
async fn files_that_cannot_be_published_in_time_stay_staged_and_the_run_says_so() {
    let expected = without_faults().await;
    let desk = Desk::new();
    let server = server_now(&small_world(8), ServerOptions::default());
    let pull = Job::Pull(Selection::default());
    assert!(job(&desk.open(), config(&server, &desk.store()), later(), pull).await.unwrap().ok);
    let staged = files(&desk.store().join("staging"));
    let mut late = config(&server, &desk.store());
    late.deadline = Some(SignedDuration::ZERO);
    let publish = || Job::Publish(Publish::default());
    let report = job(&desk.open(), late, later(), publish()).await.unwrap();
    let [failure] = &report.failures[..] else { panic!("{:?}", report.failures) };
    assert_eq!((report.ok, failure.kind), (false, Kind::Timeout), "{failure:?}");
    assert!(files(&desk.store().join("staging")) == staged && cells(&desk.store()).await.is_empty());

    let report = job(&desk.open(), config(&server, &desk.store()), later(), publish()).await.unwrap();
    assert!(report.ok, "{:?}", report.failures);
    assert!(cells(&desk.store()).await == expected);
}

/// Days that have an object of `events`.
fn published(store: &Path) -> BTreeSet<String> {
    let days = std::fs::read_dir(store.join("lake/events")).into_iter().flatten();
    days.map(|day| day.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn days_are_published_latest_first_so_that_no_event_appears_before_its_later_viewings() {
    let desk = Desk::new();
    let options =
        WorldOptions { events: 16, days: 16, viewers: Viewers::Range(0, 9), ..WorldOptions::default() };
    let server = server_now(&World::new(options), ServerOptions::default());
    let pull = Job::Pull(Selection::default());
    assert!(job(&desk.open(), config(&server, &desk.store()), later(), pull).await.unwrap().ok);
    let staged: BTreeSet<_> = files(&desk.store().join("staging"))
        .iter()
        .filter_map(|(path, _)| {
            path.iter().find_map(|part| part.to_str().filter(|part| part.starts_with("dt=")))
        })
        .map(str::to_owned)
        .collect();
    assert!(staged.len() > 8, "{staged:?}");
    // For each day, how many later days were not there yet when it appeared.
    let missing = Arc::new(Mutex::new(BTreeMap::new()));
    let (place, noted) = (desk.store(), Arc::clone(&missing));
    let watcher = move |_| {
        let there = published(&place);
        for day in &there {
            let later = staged.iter().filter(|later| *later > day && !there.contains(*later)).count();
            noted.lock().unwrap().entry(day.clone()).or_insert(later);
        }
        future::ready(()).boxed()
    };
    let store: Arc<dyn Store> = Faulty::watched(&desk.open(), Box::new(watcher));
    let publish = Job::Publish(Publish::default());
    assert!(job(&store, config(&server, &desk.store()), later(), publish).await.unwrap().ok);
    let missing = missing.lock().unwrap();
    // Four days are published at once.
    assert!(missing.len() > 8 && missing.values().all(|later| *later < 4), "{missing:?}");
}

#[tokio::test]
async fn lists_that_are_never_answered_leave_time_to_visit_known_events() {
    let desk = Desk::new();
    let early = "2022-10-20T00:00:00Z".parse().unwrap();
    let server = server_at(early, &small_world(8), ServerOptions::default());
    sync_all(config(&server, &desk.store()), early).await;
    let cursor = || std::fs::read_to_string(desk.store().join("ledger/roster.json")).unwrap();
    let before = cursor();
    let lists = ["stall@path:event/modify/list", "stall@path:event/public/list"];
    let server = server_now(&small_world(8), faults(&lists));
    let mut cut = config(&server, &desk.store());
    cut.deadline = Some(SignedDuration::from_secs(16));
    let report = job_in_time(cut, Job::Pull(Selection::default())).await;
    let failed: Vec<_> = report.failures.iter().map(|failure| (failure.event_id, failure.kind)).collect();
    assert_eq!(failed, [(None, Kind::Timeout); 2], "{:?}", report.failures);
    assert!(report.events.complete > 0 && report.events.left == 0, "{:?}", report.events);
    assert_eq!(cursor(), before, "what was not listed is listed by the next run");
}

#[tokio::test]
async fn unanswered_questions_about_new_events_leave_time_to_visit_known_ones() {
    let desk = Desk::new();
    let early = "2022-10-20T00:00:00Z".parse().unwrap();
    let server = server_at(early, &small_world(8), ServerOptions::default());
    sync_all(config(&server, &desk.store()), early).await;
    let server = server_now(&small_world(8), faults(&["stall@path:event/info"]));
    let mut cut = config(&server, &desk.store());
    let file = desk.path().join("own.csv");
    std::fs::write(&file, "event_id\n800001\n800002\n").unwrap();
    cut.rosters = Rosters { edited: false, public: false, file: Some(file.to_str().unwrap().into()) };
    cut.deadline = Some(SignedDuration::from_secs(6));
    let report = job_in_time(cut, Job::Pull(Selection::default())).await;
    let [failure] = &report.failures[..] else { panic!("{:?}", report.failures) };
    assert!(failure.error.contains("could not be asked about 2 events in time"), "{}", failure.error);
    assert!(report.events.complete > 0 && report.events.left == 0, "{:?}", report.events);
}

#[tokio::test]
async fn lists_may_take_all_the_time_if_no_visit_follows() {
    let desk = Desk::new();
    let early = "2022-10-20T00:00:00Z".parse().unwrap();
    let server = server_at(early, &small_world(8), ServerOptions::default());
    let known = sync_all(config(&server, &desk.store()), early).await.events.known;
    let server = server_now(&small_world(8), faults(&["stall@path:event/modify/list"]));
    let mut cut = config(&server, &desk.store());
    cut.deadline = Some(SignedDuration::from_secs(3));
    let context = Context::new(cut, Clock::System, Progress::hidden()).await.unwrap();
    let report =
        Job::Plan(Plan { items: NonZeroUsize::new(1), ..Plan::default() }).run(&context).await.unwrap();
    assert!(!report.failures.is_empty());
    assert!(report.failures.iter().all(|failure| failure.error.contains("no answer from")));
    // The other list may bring events in the moment that is left.
    assert!(known > 0 && report.events.due >= known, "{:?}", report.failures);
}

#[tokio::test]
async fn an_event_that_is_never_answered_fails_instead_of_being_left_by_every_run() {
    let (event, day) = busiest();
    for (stalled, is_halved) in
        [(format!("stall@event:{event},snapshot"), false), (format!("stall@day:{event}:{day}"), true)]
    {
        let desk = Desk::new();
        let server = server_now(&small_world(8), faults(&[&stalled]));
        let mut config = config(&server, &desk.store());
        config.read_timeout = Duration::from_millis(500);
        config.deadline = Some(SignedDuration::from_secs(4));
        let ledger = async || Ledgers::new(desk.open()).find(event).await.unwrap().unwrap().ledger;
        let chosen = || Selection { event: vec![event], ..Selection::default() };
        let mut report = sync_in_time(config.clone(), chosen()).await;
        if is_halved {
            // Shorter windows may succeed: the next visit goes on with them.
            assert_eq!((report.events.failed, ledger().await.failures), (0, 0), "{:?}", report.failures);
            assert!(ledger().await.owed.pieces[&day] > 1);
            // With enough time for the shortest.
            config.deadline = None;
            report = sync_in_time(config, chosen()).await;
        }
        let of_events = report.failures.iter().filter(|failure| failure.event_id.is_some());
        let failed: Vec<_> = of_events.map(|failure| (failure.event_id, failure.kind)).collect();
        assert_eq!(failed, [(Some(event), Kind::Timeout)], "{stalled}: {:?}", report.failures);
        let ledger = ledger().await;
        assert_eq!((ledger.failures, ledger.last_good_visit), (1, None), "{stalled}");
        assert!(!ledger.owed.is_empty(), "{stalled}");
    }
}

#[tokio::test]
async fn a_day_that_times_out_in_the_shortest_windows_is_asked_for_in_one_window_again() {
    let (event, day) = busiest();
    let (desk, world) = (Desk::new(), small_world(8));
    sync_all(config(&server_now(&world, ServerOptions::default()), &desk.store()), later()).await;
    let selection =
        || Selection { event: vec![event], from: Some(day), to: Some(day), ..Selection::default() };
    let server = server_now(&world, ServerOptions::default());
    let mut small = config(&server, &desk.store());
    small.max_response_bytes = 100;
    assert!(!sync_in_time(small, selection()).await.ok, "it is owed in the shortest windows");
    let stalled = faults(&[&format!("stall@day:{event}:{day}")]);
    let server = server_now(&world, stalled);
    let mut silent = config(&server, &desk.store());
    silent.read_timeout = Duration::from_secs(1);
    let report = sync_in_time(silent, selection()).await;
    assert!(report.failures.iter().any(|failure| failure.kind == Kind::Timeout), "{:?}", report.failures);
    let server = server_now(&world, ServerOptions::default());
    assert!(sync_in_time(config(&server, &desk.store()), selection()).await.ok);
    assert!(server.requests().len() < 10, "it is asked for in one window again");
}

#[tokio::test]
async fn a_day_whose_answer_was_too_large_begins_with_the_shortest_windows_the_next_time() {
    let (event, day) = busiest();
    let (desk, world) = (Desk::new(), small_world(8));
    let server = server_now(&world, ServerOptions::default());
    sync_all(config(&server, &desk.store()), later()).await;
    let expected = cells(&desk.store()).await;
    let selection =
        || Selection { event: vec![event], from: Some(day), to: Some(day), ..Selection::default() };
    let pieces = async || Ledgers::new(desk.open()).find(event).await.unwrap().unwrap().ledger.owed.pieces;
    let mut small = config(&server, &desk.store());
    small.max_response_bytes = 100;
    let report = sync_in_time(small, selection()).await;
    assert!(report.failures.iter().all(|failure| failure.kind == Kind::TooLarge), "{:?}", report.failures);
    assert_eq!(pieces().await[&day], 1024);

    let asked = server.requests().len();
    let report = sync_in_time(config(&server, &desk.store()), selection()).await;
    assert!(report.ok, "{:?}", report.failures);
    assert!(server.requests().len() - asked >= 1024, "it begins with the shortest windows");
    assert!(pieces().await.is_empty(), "it is not owed any more");
    assert!(cells(&desk.store()).await == expected);
}

#[tokio::test]
async fn the_run_says_how_many_events_of_a_roster_it_could_not_ask_about_in_time() {
    let desk = Desk::new();
    let server = server_now(&small_world(8), ServerOptions::default());
    let file = desk.path().join("own.csv");
    std::fs::write(&file, "event_id\n700001\n700002\n700003\n").unwrap();
    let mut config = config(&server, &desk.store());
    config.rosters = Rosters { edited: false, public: false, file: Some(file.to_str().unwrap().into()) };
    config.deadline = Some(SignedDuration::from_nanos(1));
    let report = sync_in_time(config, Selection::default()).await;
    let [failure] = &report.failures[..] else { panic!("{:?}", report.failures) };
    assert!(failure.error.contains("could not be asked about 3 events in time"), "{}", failure.error);
    assert_eq!(server.requests().len(), 0);
}
