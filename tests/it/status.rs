//! Status: whether the lake is complete, and who has to do something.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use jiff::civil::Date;
use rollcall::calendar::Clock;
use rollcall::error::Kind;
use rollcall::inspect::Status;
use rollcall::job::context::Context;
use rollcall::job::selection::Selection;
use rollcall::load::ledger::complete::HeldBy;
use rollcall::progress::Progress;
use rollcall::transform::tables::Table;
use simulator::{Fault, ServerOptions, World};

use crate::support::command::Desk;
use crate::support::lake::cells;
use crate::support::run::{HOUR, config, later, server_at, small_world, sync, sync_all};
use crate::support::status::{names, now, status_of, synced};

#[tokio::test]
async fn an_up_to_date_lake_has_no_problems_and_says_what_it_has() {
    let (desk, world) = synced(ServerOptions::default(), now()).await;
    let status = status_of(&world, &desk.store(), now() + HOUR).await.unwrap();
    assert!(status.ok && status.problems.is_empty() && status.notes.is_empty(), "{status}");
    // The events that began by then; the 27th settles twelve hours after its end in Shanghai, at 04:00 UTC of the 28th.
    assert_eq!(status.events.open, status.events.known);
    assert_eq!(status.complete_through, Some("2022-10-26".parse().unwrap()), "{status}");
    assert_eq!(status.last_visit, Some(now()));
    assert_eq!(status.roster_read, Some(now()));
    assert_eq!((status.staged.files, status.staged.oldest), (0, None));
    let rows: u64 = cells(&desk.store()).await.values().map(|(rows, _)| rows).sum();
    let of_viewings = ["lives", "interactions", "viewer_details"].map(|table| status.lake.rows[table]);
    assert!(rows > 0);
    assert_eq!(of_viewings.iter().sum::<u64>(), rows);
    assert_eq!(status.lake.checks.visited, status.events.open);
}

#[tokio::test]
async fn when_runs_stop_the_events_become_overdue_and_no_later_day_becomes_complete() {
    let (desk, world) = synced(ServerOptions::default(), now()).await;
    let status = status_of(&world, &desk.store(), now() + HOUR * 72).await.unwrap();
    assert!(!status.ok);
    assert_eq!(names(&status.problems), ["overdue", "roster"], "{status}");
    assert_eq!(status.events.health.overdue, status.problems[0].events.len() as u64);
    assert_eq!(status.complete_through, Some("2022-10-26".parse().unwrap()), "{status}");
    assert!(status.holds.iter().all(|hold| hold.event_id.is_some() && hold.because == HeldBy::Unsettled));
    assert!(status.to_string().contains("PROBLEM    events 609768, 700001"), "{status}");
    assert!(status.to_string().contains(": run `sync`"), "{status}");
}

#[tokio::test]
async fn an_event_that_fails_again_and_again_is_named_and_holds_its_days_back() {
    let (desk, world) = (Desk::new(), small_world(6));
    let faults: Vec<Fault> = vec!["code=500@event:700001,path:report/details".parse().unwrap()];
    for run in 0..3 {
        let at = now() + HOUR * (run * 5);
        let server =
            server_at(at, &world, ServerOptions { faults: faults.clone(), ..ServerOptions::default() });
        sync(config(&server, &desk.store()), at, Selection::default()).await.unwrap();
    }
    let status = status_of(&world, &desk.store(), now() + HOUR * 10).await.unwrap();
    assert_eq!(names(&status.problems), ["failing"], "{status}");
    assert_eq!(status.problems[0].events, [700_001].into());
    assert_eq!(status.holds[0].event_id, Some(700_001), "{status}");
    assert!(status.complete_through < Some("2022-10-26".parse().unwrap()), "{status}");
    assert!(
        status.to_string().contains("PROBLEM    the last three visits of event 700001 failed: `explain`")
    );
}

#[tokio::test]
async fn an_event_held_back_by_its_first_snapshot_is_not_said_to_owe_days() {
    let (desk, world) = (Desk::new(), small_world(6));
    let faults: Vec<Fault> = vec!["code=400@event:700001,snapshot".parse().unwrap()];
    let server = server_at(now(), &world, ServerOptions { faults, ..ServerOptions::default() });
    let report = sync(config(&server, &desk.store()), now(), Selection::default()).await.unwrap();
    assert_eq!(report.owed[&700_001], ["snapshot"]);
    let status = status_of(&world, &desk.store(), now() + HOUR).await.unwrap();
    assert_eq!((status.holds[0].event_id, status.holds[0].because), (Some(700_001), HeldBy::WithoutSnapshot));
    let said = " by event 700001: its first snapshot is owed, and the next visit asks";
    assert!(status.to_string().contains(said), "{status}");
}

#[tokio::test]
async fn staged_files_older_than_a_day_are_a_problem_and_staged_viewings_hold_their_days_back() {
    let (desk, world) = synced(ServerOptions::default(), now()).await;
    let staged = desk.store().join("staging/lives/dt=2022-10-22");
    std::fs::create_dir_all(&staged).unwrap();
    std::fs::write(staged.join(format!("7-{}-abc.parquet", now().as_millisecond())), "x").unwrap();
    // The row of an event is staged by every visit, and holds no viewing back.
    let of_event = desk.store().join("staging/events/dt=2022-10-20");
    std::fs::create_dir_all(&of_event).unwrap();
    std::fs::write(of_event.join(format!("7-{}-abc.parquet", (now() + HOUR).as_millisecond())), "x").unwrap();
    for (hours, problems) in [(1, vec![]), (25, vec!["staged", "roster"])] {
        let status = status_of(&world, &desk.store(), now() + HOUR * hours).await.unwrap();
        let found = names(&status.problems);
        assert_eq!(found.into_iter().filter(|name| *name != "overdue").collect::<Vec<_>>(), problems);
        assert_eq!((status.staged.files, status.staged.oldest), (2, Some(now())));
        assert_eq!(status.complete_through, Some("2022-10-21".parse().unwrap()), "{status}");
        assert_eq!(status.holds[0].because, HeldBy::Staged);
    }
}

#[tokio::test]
async fn damage_is_reported_as_problems_and_does_not_hide_the_rest() {
    let (desk, world) = synced(ServerOptions::default(), now()).await;
    std::fs::write(desk.store().join("lake/lives/notes.txt"), "x").unwrap();
    std::fs::write(desk.store().join("ledger/active/700001.json"), "{").unwrap();
    let staged = desk.store().join("staging/lives/dt=2022-10-26");
    std::fs::create_dir_all(&staged).unwrap();
    std::fs::write(staged.join("copy of 1.parquet"), "x").unwrap();
    let object = desk.store().join("lake/interactions/dt=2022-10-26/part-0.parquet");
    std::fs::write(object, "no Parquet").unwrap();
    let status = status_of(&world, &desk.store(), now() + HOUR).await.unwrap();
    assert_eq!(names(&status.problems), ["ledger", "staged", "lake", "lake"], "{status}");
    assert!(status.problems.iter().all(|problem| problem.text.contains("delete it")), "{status}");
    assert!(status.lake.rows["lives"] > 0);
    // Nobody knows how far the event with the damaged ledger was asked for.
    assert_eq!(status.complete_through, None);
}

#[tokio::test]
async fn lists_that_were_read_are_not_said_never_to_have_been_once_nothing_tells_until_when() {
    let (desk, world) = synced(ServerOptions::default(), now()).await;
    for (document, is_told) in [(None, true), (Some("{"), false)] {
        if let Some(document) = document {
            std::fs::write(desk.store().join("ledger/roster.json"), document).unwrap();
        }
        let status = status_of(&world, &desk.store(), now() + HOUR).await.unwrap().to_string();
        assert_eq!(status.contains(", roster 2022-10-28T00:00:00Z"), is_told, "{status}");
        assert!(!status.contains("roster never"), "{status}");
    }
}

#[tokio::test]
async fn a_day_with_an_unreadable_or_missing_object_is_not_complete() {
    let (desk, world) = synced(ServerOptions::default(), now()).await;
    let object = desk.store().join("lake/lives/dt=2022-10-24/part-0.parquet");
    let status = status_of(&world, &desk.store(), now() + HOUR).await.unwrap();
    assert!(status.complete_through > Some("2022-10-24".parse().unwrap()), "{status}");
    std::fs::write(&object, "no Parquet").unwrap();
    for is_there in [true, false] {
        if !is_there {
            std::fs::remove_file(&object).unwrap();
        }
        let status = status_of(&world, &desk.store(), now() + HOUR).await.unwrap();
        assert_eq!(names(&status.problems), ["lake"], "{status}");
        assert!(status.problems[0].text.contains("lake/lives/dt=2022-10-24"), "{status}");
        assert_eq!(status.complete_through, Some("2022-10-23".parse().unwrap()), "{status}");
        assert_eq!(status.holds[0].because, HeldBy::Damaged);
    }
    // As a publish leaves it if it is killed between two objects.
    let staged = desk.store().join("staging/pulls/dt=2022-10-24");
    std::fs::create_dir_all(&staged).unwrap();
    std::fs::write(staged.join(format!("7-{}-abc.parquet", now().as_millisecond())), "x").unwrap();
    let status = status_of(&world, &desk.store(), now() + HOUR).await.unwrap();
    assert!(status.ok && status.complete_through > Some("2022-10-24".parse().unwrap()), "{status}");
}

#[tokio::test]
async fn closed_events_are_counted_and_hold_nothing_back() {
    let (desk, world) = (Desk::new(), small_world(6));
    let server = server_at(later(), &world, ServerOptions::default());
    sync_all(config(&server, &desk.store()), later()).await;
    let status = status_of(&world, &desk.store(), later() + HOUR * 23).await.unwrap();
    assert!(status.ok, "{status}");
    assert_eq!((status.events.open, status.events.due), (0, 0));
    assert!(status.events.closed > 0 && status.events.known == status.events.closed);
    assert_eq!(status.complete_through, Some("2022-12-19".parse().unwrap()), "{status}");
}

#[tokio::test]
async fn a_day_whose_rows_are_lost_is_damage_until_every_event_has_its_rows_again() {
    let (desk, world) = synced(ServerOptions::default(), now()).await;
    let days: BTreeSet<Date> = cells(&desk.store()).await.into_keys().map(|(_, day, _)| day).collect();
    let of_day = |table: &str, day: Date| desk.store().join(format!("lake/{table}/dt={day}"));
    let has_viewings = |day: &Date| of_day("lives", *day).join("part-0.parquet").exists();
    let day = days.into_iter().find(has_viewings).unwrap();
    for table in Table::ALL {
        std::fs::remove_dir_all(of_day(table.name(), day)).unwrap_or_default();
    }
    let said = |status: &Status| {
        let problem = status.problems.iter().find(|problem| problem.name == "lake");
        problem.map(|problem| problem.text.clone()).unwrap_or_default()
    };
    let status = status_of(&world, &desk.store(), now() + HOUR).await.unwrap();
    assert!(!status.ok && said(&status).contains(&day.to_string()), "{status}");
    assert!(status.complete_through < Some(day), "{status}");
    let events: Vec<i64> = World::events(&world).map(|event| event.id.cast_signed()).collect();
    let mut is_told = 0;
    for event in events {
        let one = Selection { event: vec![event], ..Selection::default() };
        let at = now() + HOUR * (2 + is_told);
        let server = server_at(at, &world, ServerOptions::default());
        sync(config(&server, &desk.store()), at, one).await.unwrap();
        let status = status_of(&world, &desk.store(), at).await.unwrap();
        is_told += i32::from(said(&status).contains(&day.to_string()));
    }
    assert!(is_told > 1, "until the last of them is there again");
    let chosen = Selection { from: Some(day), to: Some(day), ..Selection::default() };
    let server = server_at(now() + HOUR * 20, &world, ServerOptions::default());
    sync(config(&server, &desk.store()), now() + HOUR * 20, chosen).await.unwrap();
    assert_eq!(said(&status_of(&world, &desk.store(), now() + HOUR * 20).await.unwrap()), "");
}

#[tokio::test]
async fn events_given_up_with_days_missing_and_events_that_the_vendor_forgot_are_noted() {
    let (desk, world) = synced(ServerOptions::default(), now()).await;
    // Given up in the third visit past the horizon; the other is still open.
    let faults: Vec<Fault> =
        ["code=404@event:700001,path:report/details", "code=404@event:700002,path:report/details"]
            .map(|fault| fault.parse().unwrap())
            .into();
    let one = |event| Selection { event: vec![event], ..Selection::default() };
    for (hour, event) in [(1, 700_002), (24 * 60, 700_001), (24 * 61, 700_001), (24 * 62, 700_001)] {
        let at = now() + HOUR * hour;
        let server =
            server_at(at, &world, ServerOptions { faults: faults.clone(), ..ServerOptions::default() });
        assert!(!sync(config(&server, &desk.store()), at, one(event)).await.unwrap().ok);
    }
    let status = status_of(&world, &desk.store(), now() + HOUR * (24 * 62 + 1)).await.unwrap();
    assert!(desk.store().join("ledger/closed/700001.json").exists());
    let told: Vec<_> =
        status.notes.iter().map(|note| (note.name, note.events.iter().collect::<Vec<_>>())).collect();
    assert!(told.contains(&("given_up", vec![&700_001])), "{status}");
    assert!(told.contains(&("gone", vec![&700_002])), "{status}");
    // An event whose ledger cannot be read was not given up.
    std::fs::write(desk.store().join("ledger/active/700001.json"), "{").unwrap();
    let status = status_of(&world, &desk.store(), now() + HOUR * (24 * 62 + 1)).await.unwrap();
    assert!(!names(&status.notes).contains(&"given_up"), "{status}");
}

#[tokio::test]
async fn a_lake_whose_list_of_events_was_never_read_is_not_called_complete() {
    let (desk, world) = (Desk::new(), small_world(6));
    let server = server_at(later(), &world, ServerOptions::default());
    let chosen = Selection { event: vec![700_001], ..Selection::default() };
    assert!(sync(config(&server, &desk.store()), later(), chosen).await.unwrap().ok);
    let status = status_of(&world, &desk.store(), later() + HOUR).await.unwrap();
    assert_eq!((status.ok, status.complete_through, status.roster_read), (true, None, None));
    assert_eq!(names(&status.notes), ["roster"], "{status}");
    assert!(status.to_string().contains("checks     of the last visit of 1 event: "), "{status}");
    assert!(
        status
            .to_string()
            .starts_with("complete   not known, because the list of events has never been read"),
        "{status}"
    );
    // If no lists are read, there are no other events to hear of.
    let mut config = config(&server, &desk.store());
    config.rosters.edited = false;
    let context = Context::new(config, Clock::Fixed(later() + HOUR), Progress::hidden()).await.unwrap();
    let status = Status::of(&context).await.unwrap();
    assert!(status.complete_through.is_some() && status.notes.is_empty(), "{status}");
}

#[tokio::test]
async fn a_day_that_only_one_of_the_lists_was_read_for_is_not_called_complete() {
    let (desk, world) = synced(ServerOptions::default(), now()).await;
    let cursor = desk.store().join("ledger/roster.json");
    let text = std::fs::read_to_string(&cursor).unwrap();
    let of_public =
        |until: &str| text.replace(&format!("held_until\":\"{}", now()), &format!("held_until\":\"{until}"));
    std::fs::write(&cursor, of_public("2022-10-25T00:00:00Z")).unwrap();
    let status = status_of(&world, &desk.store(), now() + HOUR).await.unwrap();
    assert_eq!(status.roster_read, Some("2022-10-25T00:00:00Z".parse().unwrap()));
    assert_eq!(status.complete_through, Some("2022-10-24".parse().unwrap()), "{status}");
    assert_eq!(names(&status.problems), ["roster"], "{status}");
    // If no run reads that list, it holds back nothing.
    let server = server_at(now(), &world, ServerOptions::default());
    let mut config = config(&server, &desk.store());
    config.rosters.public = false;
    let context = Context::new(config.clone(), Clock::Fixed(now() + HOUR), Progress::hidden()).await.unwrap();
    let status = Status::of(&context).await.unwrap();
    assert_eq!((status.ok, status.complete_through), (true, Some("2022-10-26".parse().unwrap())), "{status}");
    // Nor does it if `status` itself is called as if it were read.
    sync_all(config, now() + HOUR).await;
    let status = status_of(&world, &desk.store(), now() + HOUR * 2).await.unwrap();
    assert_eq!((status.ok, status.roster_read), (true, Some(now())), "{status}");
}

#[tokio::test]
async fn status_is_refused_where_there_is_no_lake_or_a_lake_with_other_settings() {
    let world = small_world(1);
    let error = status_of(&world, Desk::new().store().as_path(), now()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert!(error.to_string().contains("hint: name the place of the lake"), "{error}");
    let (desk, world) = synced(ServerOptions::default(), now()).await;
    let server = server_at(now(), &world, ServerOptions::default());
    let mut config = config(&server, &desk.store());
    config.settle = SignedDuration::from_hours(1);
    let context = Context::new(config, Clock::Fixed(now()), Progress::hidden()).await.unwrap();
    assert_eq!(Status::of(&context).await.unwrap_err().kind(), Kind::OtherLake);
}
