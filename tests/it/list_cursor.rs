//! How far the vendor's two lists were read: from when on they are asked for, and when that moves.

use jiff::Timestamp;
use jiff::civil::date;
use rollcall::error::Kind;
use rollcall::job::selection::Selection;
use simulator::{Server, ServerOptions};

use crate::support::command::Desk;
use crate::support::faults::faults;
use crate::support::run::{HOUR, config, later, server_at, small_world, sync, sync_all};

#[tokio::test]
async fn events_held_while_no_run_took_place_are_listed_by_the_next_run() {
    let (desk, world) = (Desk::new(), small_world(8));
    let from = async |at: Timestamp, fault: &[&str]| {
        let server = server_at(at, &world, faults(fault));
        let report = sync(config(&server, &desk.store()), at, Selection::default()).await.unwrap();
        assert_eq!(report.ok, fault.is_empty(), "{:?}", report.failures);
        let public = server.requests().into_iter().find(|request| request.path.ends_with("public/list"));
        public.and_then(|request| request.start_time).unwrap()
    };
    let horizon = config(&server_at(later(), &world, ServerOptions::default()), &desk.store()).horizon;
    from(later(), &[]).await;
    assert_eq!(from(later() + HOUR, &[]).await, (later() - horizon).as_second());
    let outage = horizon * 3;
    let since = (later() + HOUR - horizon).as_second();
    // The same if the list cannot be read at first.
    assert_eq!(from(later() + outage, &["code=403@path:event/public/list"]).await, since);
    assert_eq!(from(later() + outage + HOUR, &[]).await, since);
    assert_eq!(from(later() + outage + HOUR * 2, &[]).await, (later() + outage + HOUR - horizon).as_second());
}

#[tokio::test]
async fn events_edited_while_the_clock_was_ahead_are_listed_once_it_is_set_right() {
    let world = small_world(12);
    let early: Timestamp = "2022-10-20T00:00:00Z".parse().unwrap();
    let from = |server: &Server| {
        let mut asked = server.requests().into_iter().filter(|request| request.path.ends_with("modify/list"));
        asked.find_map(|request| request.start_time).unwrap()
    };
    // This machine's clock is ahead of the vendor's by this many hours, then right again.
    for (ahead, later) in [(5, 24), (12, 7 * 24)] {
        let desk = Desk::new();
        let server = server_at(early, &world, ServerOptions::default());
        sync_all(config(&server, &desk.store()), early + HOUR * ahead).await;
        let server = server_at(early + HOUR * later, &world, ServerOptions::default());
        sync_all(config(&server, &desk.store()), early + HOUR * later).await;
        assert!(from(&server) <= early.as_second(), "{ahead}");
    }
}

#[tokio::test]
async fn the_cursor_follows_this_machines_clock_if_the_vendors_is_far_off() {
    let (desk, world) = (Desk::new(), small_world(12));
    // As if it sent seconds where milliseconds are expected.
    let server = server_at(Timestamp::UNIX_EPOCH, &world, ServerOptions::default());
    sync_all(config(&server, &desk.store()), later()).await;
    let cursor = std::fs::read_to_string(desk.store().join("ledger/roster.json")).unwrap();
    assert!(cursor.contains(&later().to_string()), "{cursor}");
}

#[tokio::test]
async fn an_unreadable_cursor_does_not_stop_visits_and_is_left_as_it_is() {
    let world = small_world(8);
    let early: Timestamp = "2022-10-24T00:00:00Z".parse().unwrap();
    let held = world.events().filter(|event| !event.cancelled).count();
    for content in ["{", "{\"format\": 1000}"] {
        let desk = Desk::new();
        let server = server_at(early, &world, ServerOptions::default());
        sync_all(config(&server, &desk.store()), early).await;
        let cursor = desk.store().join("ledger/roster.json");
        std::fs::write(&cursor, content).unwrap();
        let server = server_at(later(), &world, ServerOptions::default());
        let report = sync(config(&server, &desk.store()), later(), Selection::default()).await.unwrap();
        let [failure] = &report.failures[..] else { panic!("{:?}", report.failures) };
        assert!(failure.event_id.is_none() && failure.error.contains("roster.json"), "{failure:?}");
        assert_eq!(std::fs::read_to_string(&cursor).unwrap(), content);
        // Those that were known, and those that are new.
        assert_eq!(std::fs::read_dir(desk.store().join("ledger/closed")).unwrap().count(), held);
    }
    // If nothing is known, nothing can be done.
    let empty = Desk::new();
    std::fs::create_dir_all(empty.store().join("ledger")).unwrap();
    std::fs::write(empty.store().join("ledger/roster.json"), "{").unwrap();
    let server = server_at(later(), &world, ServerOptions::default());
    let refused = sync(config(&server, &empty.store()), later(), Selection::default()).await;
    assert_eq!(refused.unwrap_err().kind(), Kind::Damaged);
}

#[tokio::test]
async fn a_cursor_far_ahead_of_the_clock_is_not_believed() {
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
async fn a_list_that_fails_midway_is_resumed_at_the_span_in_which_it_failed() {
    let (early, world): (Timestamp, _) = ("2022-10-20T00:00:00Z".parse().unwrap(), small_world(12));
    // Spans of 32 days, of 64, and the rest. The public list is asked for from thirty days before.
    let (read, late) = (HOUR * (96 * 24), early + HOUR * (150 * 24));
    // Where reading goes on, it goes back a little.
    for (list, third_span, back, across) in
        [("event/modify/list", 3, HOUR, HOUR), ("event/public/list", 5, HOUR * (30 * 24), HOUR * 24)]
    {
        let desk = Desk::new();
        let server = server_at(early, &world, ServerOptions::default());
        sync_all(config(&server, &desk.store()), early).await;
        let asked_from = async |at: Timestamp, fault: &[&str]| {
            let server = server_at(at, &world, faults(fault));
            sync(config(&server, &desk.store()), at, Selection::default()).await.unwrap();
            let mut asked = server.requests().into_iter().filter(|request| request.path.ends_with(list));
            asked.find_map(|request| request.start_time).unwrap()
        };
        let breaks = format!("code=403@path:{list},nth:{third_span}");
        assert_eq!(asked_from(late, &[&breaks]).await, (early - back).as_second(), "{list}");
        let read = if list.contains("public") { early - back } else { early } + read;
        let cursor = std::fs::read_to_string(desk.store().join("ledger/roster.json")).unwrap();
        assert!(cursor.contains(&format!("until\":\"{early}")), "it was read whole up to then: {cursor}");
        assert_eq!(asked_from(late + HOUR, &[]).await, (read - across).as_second(), "{list}");
        assert_eq!(asked_from(late + HOUR * 2, &[]).await, (late + HOUR - back).as_second(), "{list}");
    }
}

#[tokio::test]
async fn a_run_over_chosen_days_does_not_move_the_cursor() {
    let (desk, world) = (Desk::new(), small_world(12));
    let early: Timestamp = "2022-10-24T00:00:00Z".parse().unwrap();
    let cursor = || std::fs::read_to_string(desk.store().join("ledger/roster.json")).ok();
    for (at, before) in [(early, false), (early + HOUR * 24, true)] {
        let server = server_at(at, &world, ServerOptions::default());
        let days = Selection { from: Some(date(2022, 10, 20)), ..Selection::default() };
        let stood = cursor();
        assert_eq!(stood.is_some(), before);
        assert!(sync(config(&server, &desk.store()), at, days).await.unwrap().ok);
        assert_eq!(cursor(), stood);
        sync_all(config(&server, &desk.store()), at).await;
        assert_ne!(cursor(), stood);
    }
}
