//! The vendor's two lists: how they are read, from when on, and what a run does if one fails.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use jiff::Timestamp;
use rollcall::calendar::Clock;
use rollcall::config::{Config, Rosters};
use rollcall::extract::auth::Credentials;
use rollcall::extract::roster::edited_between;
use rollcall::extract::usage::Usage;
use rollcall::job::context::Context;
use rollcall::job::selection::Selection;
use rollcall::progress::Progress;
use serde_json::{Value, json};
use simulator::{EmptyPage, PublicList, Server, ServerOptions, Viewers, World, WorldOptions};

use crate::support::command::{Desk, TOKEN};
use crate::support::faults::faults;
use crate::support::run::{
    HOUR, all_days, app, config, later, paths, server_at, small_world, sync, sync_all,
};

#[tokio::test]
async fn the_public_list_alone_names_every_event_in_either_of_its_shapes() {
    for public_list in [PublicList::Array, PublicList::Object] {
        let world = small_world(30);
        let desk = Desk::new();
        let server = server_at(later(), &world, ServerOptions { public_list, ..ServerOptions::default() });
        let mut only_public = config(&server, &desk.store());
        only_public.rosters.edited = false;
        // Without a cursor, the list is read as far back as the horizon, which reaches none of the events; so days are chosen.
        let selection = all_days();
        let report = sync(only_public, later(), selection).await.unwrap();
        assert!(report.ok, "{:?}", report.failures);
        let held = world.events().filter(|event| !event.cancelled).count();
        assert_eq!(report.events.complete, held);
        assert!(!paths(&server).contains(&"event/modify/list"));
    }
}

#[tokio::test]
async fn a_page_without_events_ends_a_list_however_it_is_written() {
    for empty_page in [EmptyPage::Null, EmptyPage::NullList, EmptyPage::Total] {
        // A page with 10 events or more need not be the last.
        for events in [2, 12] {
            let world = small_world(events);
            let (desk, held) = (Desk::new(), world.events().filter(|event| !event.cancelled).count());
            let server = server_at(later(), &world, ServerOptions { empty_page, ..ServerOptions::default() });
            let report = sync_all(config(&server, &desk.store()), later()).await;
            assert_eq!(report.events.complete, held, "{empty_page:?} {events}");
            // Nothing was edited, nothing takes place.
            let quiet = later() + HOUR * 24;
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
async fn a_list_that_fails_does_not_keep_known_events_from_being_visited() {
    let world = small_world(8);
    let desk = Desk::new();
    let early: Timestamp = "2022-10-24T00:00:00Z".parse().unwrap();
    let server = server_at(early, &world, ServerOptions::default());
    let known = sync_all(config(&server, &desk.store()), early).await.events.known;
    let server = server_at(later(), &world, faults(&["code=400@path:modify/list"]));
    let report = sync(config(&server, &desk.store()), later(), Selection::default()).await.unwrap();
    assert_eq!((report.failures.len(), report.events.complete >= known, report.ok), (1, true, false));
}

#[tokio::test]
async fn a_list_that_failed_in_the_first_run_is_read_as_far_back_by_the_next() {
    let desk = Desk::new();
    let world = small_world(8);
    let options = faults(&["code=403@path:event/public/list"]);
    let server = server_at(later(), &world, options);
    let report = sync(config(&server, &desk.store()), later(), Selection::default()).await.unwrap();
    assert_eq!((report.ok, report.events.left), (false, 0), "{:?}", report.failures);
    let from = |server: &Server, path: &str| -> Vec<i64> {
        let asked = server.requests().into_iter().filter(|request| request.path.ends_with(path));
        asked.filter_map(|request| request.start_time).collect()
    };
    // The public list is read as far back as by the first run, because events that it alone names are still unknown. The other
    // list was read.
    let again = server_at(later() + HOUR, &world, ServerOptions::default());
    sync_all(config(&again, &desk.store()), later() + HOUR).await;
    for (path, goes_on) in [("event/public/list", false), ("event/modify/list", true)] {
        let (first, second) = (from(&server, path)[0], from(&again, path)[0]);
        assert_eq!(second - first != 3600, goes_on, "{path}");
    }
}

#[tokio::test]
async fn events_listed_before_a_list_failed_are_visited_and_the_rest_are_listed_by_the_next_run() {
    let viewers = Viewers::Exactly(1);
    let world = World::new(WorldOptions { events: 150, days: 4, viewers, ..WorldOptions::default() });
    let (desk, held) = (Desk::new(), world.events().filter(|event| !event.cancelled).count());
    let file = desk.store().with_extension("csv");
    std::fs::write(&file, "event_id\n700001\n").unwrap();
    let run = async |options: ServerOptions, rosters: Rosters| {
        let server = server_at(later(), &world, options);
        let config = Config { rosters, ..config(&server, &desk.store()) };
        sync(config, later(), Selection::default()).await.unwrap()
    };
    let own = Rosters { edited: false, public: false, file: Some(file.to_str().unwrap().into()) };
    // If no event is known, nothing is done when the list cannot be read.
    let first = run(faults(&["code=403@path:event/report/details"]), own).await;
    let edited = || Rosters { edited: true, public: false, file: None };
    // The second page of the last of four spans.
    let broken = run(faults(&["code=403@path:event/modify/list,nth:5"]), edited()).await;
    let [failure] = &broken.failures[..] else { panic!("{:?}", broken.failures) };
    assert!(failure.event_id.is_none() && first.events.failed == 1, "{failure:?} {:?}", first.events);
    assert!((2..held).contains(&broken.events.complete), "{} of {held}", broken.events.complete);
    let whole = run(ServerOptions::default(), edited()).await;
    assert!(whole.ok, "{:?}", whole.failures);
    // The one that failed is not due again yet.
    assert_eq!(broken.events.complete + whole.events.complete, held - 1);
}

#[tokio::test]
async fn a_token_refused_for_the_public_list_alone_does_not_stop_visits() {
    let world = small_world(8);
    for credentials in [Credentials::Token(TOKEN.into()), Credentials::App(app())] {
        let desk = Desk::new();
        let options =
            ServerOptions { token: Some(TOKEN.to_owned()), ..faults(&["code=401@path:event/public/list"]) };
        let server = server_at(later(), &world, options);
        let mut config = config(&server, &desk.store());
        config.credentials = Some(credentials);
        let report = sync(config, later(), Selection::default()).await.unwrap();
        let [failure] = &report.failures[..] else { panic!("{:?}", report.failures) };
        assert!(failure.event_id.is_none() && failure.error.contains("--no-public-list"), "{failure:?}");
        assert!(report.events.complete > 0 && report.events.left == 0, "{:?}", report.events);
    }
}

/// A list of events by their edits, of which the first is edited after the first page was read, and so leaves the range.
async fn moving(
    State((asked, events)): State<(Arc<AtomicUsize>, usize)>,
    Json(body): Json<Value>,
) -> Json<Value> {
    let gone = usize::from(asked.fetch_add(1, Ordering::SeqCst) > 0);
    let number = |name: &str| usize::try_from(body[name].as_u64().unwrap()).unwrap();
    let (page, size) = (number("page"), number("pageSize"));
    let list: Vec<Value> = (gone..events)
        .skip((page - 1) * size)
        .take(size)
        .map(|event| json!({ "eventId": event + 1 }))
        .collect();
    Json(json!({ "code": 200, "msg": "", "data": { "count": events - gone, "list": list } }))
}

#[tokio::test]
async fn no_event_is_missed_if_another_one_is_edited_while_the_pages_are_read() {
    // With 101 events, the second page is empty by then.
    for (all, most) in [(150, 9), (101, 9), (99, 2)] {
        let asked = Arc::new(AtomicUsize::new(0));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().route("/eventopenapi/event/modify/list", post(moving));
        let app = app.with_state((Arc::clone(&asked), all)).into_make_service();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let (desk, server) = (Desk::new(), server_at(later(), &small_world(1), ServerOptions::default()));
        let config = Config { api_url: url, ..config(&server, &desk.store()) };
        let context = Context::new(config, Clock::Fixed(later()), Progress::hidden()).await.unwrap();
        let usage = Usage::default();
        let mut list = edited_between(context.client.vendor(&usage), later() - HOUR, later());
        let mut events = BTreeSet::new();
        while let Some(page) = list.page().await.unwrap() {
            events.extend(page.events.into_iter().map(|event| event.event_id));
        }
        assert_eq!(events, (1..=i64::try_from(all).unwrap()).collect());
        let asked = asked.load(Ordering::SeqCst);
        assert!(asked <= most, "{all}: {asked}");
    }
}
