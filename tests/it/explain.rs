//! Explain: every visit and day of an event, and where each row of a viewer came from.

use jiff::Timestamp;
use rollcall::calendar::{Clock, Zone};
use rollcall::config::Config;
use rollcall::error::{Kind, Result};
use rollcall::inspect::{ExplainCall, Explanation};
use rollcall::job::context::Context;
use rollcall::job::selection::Selection;
use rollcall::progress::Progress;
use serde_json::{Value, json};
use simulator::{Fault, ServerOptions, Viewers, World, WorldOptions};

use crate::support::command::Desk;
use crate::support::lake::cells;
use crate::support::policies::policy;
use crate::support::run::{HOUR, config, later, server_at, sync};

const EVENT: i64 = 700_001;

fn world(viewers: u64) -> World {
    World::new(WorldOptions { events: 1, viewers: Viewers::Exactly(viewers), ..WorldOptions::default() })
}

async fn visit(desk: &Desk, now: Timestamp, world: &World, faults: &[&str], event_id: i64) {
    let faults: Vec<Fault> = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    let server = server_at(now, world, ServerOptions { faults, ..ServerOptions::default() });
    let selection = Selection { event: vec![event_id], ..Selection::default() };
    sync(config(&server, &desk.store()), now, selection).await.unwrap();
}

async fn explain(desk: &Desk, now: Timestamp, event_id: i64, viewer: Option<&str>) -> Result<Explanation> {
    let server = server_at(now, &world(1), ServerOptions::default());
    let context = Context::new(config(&server, &desk.store()), Clock::Fixed(now), Progress::hidden()).await?;
    Explanation::of(&context, &ExplainCall { event_id, viewer: viewer.map(str::to_owned) }).await
}

#[tokio::test]
async fn every_visit_is_listed_in_order_with_what_it_brought_or_why_it_failed() {
    let (desk, world, now) = (Desk::new(), world(20), "2022-10-30T00:00:00Z".parse().unwrap());
    visit(&desk, now, &world, &["code=500@snapshot"], EVENT).await;
    let first = explain(&desk, now, EVENT, None).await.unwrap();
    let state = first.state.as_ref().unwrap();
    assert_eq!((state.failures, state.owed.as_slice()), (1, &["snapshot".to_owned()][..]), "{first}");
    assert_eq!(state.due_at, Some(now + HOUR));

    visit(&desk, now + HOUR * 2, &world, &[], EVENT).await;
    let told = explain(&desk, now + HOUR * 3, EVENT, None).await.unwrap();
    let outcomes: Vec<&str> = told.visits.iter().map(|visit| visit["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["failed", "complete"], "{told}");
    assert!(told.visits[0]["error"].as_str().unwrap().contains("code: 500"), "{told}");
    let state = told.state.as_ref().unwrap();
    assert_eq!((state.failures, state.owed.len(), state.closed), (0, 0, None), "{told}");
    assert!(state.due_at > Some(now + HOUR * 3));
    // Each cell of the lake, and nothing that differs from the last answer.
    let rows: u64 = told.days.iter().map(|day| day.lake.unwrap().rows).sum();
    assert_eq!(rows, cells(&desk.store()).await.values().map(|(rows, _)| rows).sum::<u64>());
    assert!(told.days.iter().all(|day| day.is_same == Some(true)), "{told}");
}

#[tokio::test]
async fn if_the_lake_keeps_more_than_the_last_answer_had_both_are_shown() {
    let desk = Desk::new();
    visit(&desk, later(), &world(40), &[], EVENT).await;
    visit(&desk, later() + HOUR, &world(5), &[], EVENT).await;
    let told = explain(&desk, later() + HOUR * 2, EVENT, None).await.unwrap();
    let differing: Vec<_> = told.days.iter().filter(|day| day.is_same == Some(false)).collect();
    assert!(!differing.is_empty());
    for day in differing {
        let (lake, answered) = (day.lake.unwrap(), day.answered.map_or(0, |answered| answered.rows));
        assert!(lake.rows > answered && lake.pulled_at == later(), "{told}");
    }
    assert!(told.to_string().contains("; the vendor's last answer has "), "{told}");
    assert!(told.to_string().contains(" cells with less than before"), "{told}");
}

#[tokio::test]
async fn a_viewers_rows_are_found_by_part_of_a_number_and_shown_with_their_visit() {
    let desk = Desk::new();
    visit(&desk, later(), &World::default(), &[], 609_768).await;
    let told = explain(&desk, later(), 609_768, Some("190-0010")).await.unwrap();
    let seen = told.seen.as_ref().unwrap();
    let tables: Vec<&str> = seen.iter().map(|seen| seen.table).collect();
    assert_eq!(tables, ["interactions", "lives", "lives", "lives", "viewer_details", "viewer_details"]);
    let pulled_at = later().to_string();
    assert!(seen.iter().all(|seen| seen.row["pulled_at"] == pulled_at.as_str()), "{told}");
    let none = explain(&desk, later(), 609_768, Some("nobody")).await.unwrap();
    assert_eq!(none.seen.as_ref().unwrap().len(), 0);
    assert!(none.to_string().ends_with("not found in any row or reject of this event"), "{none}");
}

#[tokio::test]
async fn a_search_for_a_viewer_is_refused_under_another_policy_or_if_nothing_says_who_came() {
    let server = server_at(later(), &world(20), ServerOptions::default());
    for (document, is_found) in [(r#"{"base": "pseudonymous"}"#, true), (r#"{"base": "anonymous"}"#, false)] {
        let desk = Desk::new();
        let own = Config { policy: policy(document), ..config(&server, &desk.store()) };
        let selection = Selection { event: vec![EVENT], ..Selection::default() };
        sync(own.clone(), later(), selection).await.unwrap();
        let refused = explain(&desk, later(), EVENT, Some("13800001111")).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::OtherLake, "{refused}");
        assert!(explain(&desk, later(), EVENT, None).await.is_ok());
        let world = world(20);
        let viewers = world
            .events()
            .filter(|event| event.id == 700_001)
            .flat_map(|event| event.viewers().collect::<Vec<_>>());
        let viewer = viewers.filter(|viewer| !viewer.sessions.is_empty()).find_map(|viewer| viewer.mobile);
        let context = Context::new(own, Clock::Fixed(later()), Progress::hidden()).await.unwrap();
        let told = Explanation::of(&context, &ExplainCall { event_id: EVENT, viewer }).await;
        match told {
            Ok(told) => assert!(is_found && !told.seen.unwrap().is_empty()),
            Err(refused) => assert!(!is_found && refused.kind() == Kind::Usage, "{refused}"),
        }
    }
}

#[tokio::test]
async fn without_a_ledger_an_event_is_explained_from_the_lake_and_an_unknown_event_is_a_wrong_call() {
    let desk = Desk::new();
    visit(&desk, later(), &world(20), &[], EVENT).await;
    let with = explain(&desk, later(), EVENT, None).await.unwrap();
    std::fs::remove_dir_all(desk.store().join("ledger")).unwrap();
    let without = explain(&desk, later(), EVENT, None).await.unwrap();
    assert!(without.state.is_none());
    assert_eq!(without.visits, with.visits);
    assert_eq!(without.days.len(), with.days.len());
    assert!(without.days.iter().all(|day| day.is_same.is_none()), "{without}");
    assert!(!without.to_string().contains("last answer"), "nobody knows that any more: {without}");
    assert_eq!(without.event.title, with.event.title);
    let error = explain(&desk, later(), 1, None).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert!(error.to_string().contains("event: 1"), "{error}");
}

#[tokio::test]
async fn objects_and_ledgers_that_cannot_be_read_are_named_and_the_rest_is_explained() {
    let desk = Desk::new();
    visit(&desk, later(), &world(20), &[], EVENT).await;
    let whole = explain(&desk, later(), EVENT, None).await.unwrap();
    let damaged = whole.days.iter().find(|day| day.table == "lives").unwrap().day;
    let object = desk.store().join(format!("lake/lives/dt={damaged}/part-0.parquet"));
    std::fs::write(object, "no Parquet").unwrap();
    std::fs::write(desk.store().join(format!("ledger/closed/{EVENT}.json")), "{").unwrap();
    let told = explain(&desk, later(), EVENT, None).await.unwrap();
    assert_eq!(told.failures.len(), 2, "{told}");
    assert!(told.failures.iter().any(|failure| failure.error.contains(&damaged.to_string())));
    assert_eq!(told.visits, whole.visits);
    assert_eq!(told.days.len(), whole.days.len() - 1);
    std::fs::remove_dir_all(desk.store().join("lake")).unwrap();
    let nothing = explain(&desk, later(), EVENT, None).await.unwrap();
    assert_eq!(
        (nothing.event.event_id, nothing.failures.len()),
        (EVENT, 1),
        "the ledger may be all that there is"
    );
    assert_eq!(explain(&desk, later(), EVENT, Some(" ")).await.unwrap_err().kind(), Kind::Usage);
}

#[tokio::test]
async fn a_viewer_is_found_in_rows_of_a_visit_that_broke_off_before_its_ledger_was_written() {
    let (desk, world, now) = (Desk::new(), world(20), "2022-10-30T00:00:00Z".parse().unwrap());
    visit(&desk, now - HOUR * 24 * 5, &world, &[], EVENT).await;
    let ledger = desk.store().join("ledger/active/700001.json");
    let before = std::fs::read(&ledger).unwrap();
    let seen = async || explain(&desk, now, EVENT, Some("1")).await.unwrap().seen.unwrap().len();
    let first = seen().await;
    visit(&desk, now, &world, &[], EVENT).await;
    let both = seen().await;
    assert!(both > first && first > 0, "{first} {both}");
    std::fs::write(&ledger, before).unwrap();
    assert_eq!(seen().await, both);
}

#[tokio::test]
async fn a_viewer_is_found_on_the_day_before_the_event_was_heard_of_though_its_ledger_does_not_know_of_that_day()
 {
    let (desk, world) = (Desk::new(), World::default());
    let zone = Zone::parse("Asia/Shanghai").unwrap();
    let day_of = |second: i64| zone.day_of(Timestamp::from_second(second).unwrap());
    // One that ends after midnight, and is heard of only then.
    let event = world.events().find(|event| {
        let first = day_of(event.start_time);
        first < day_of(event.end_time) && event.sessions().any(|session| day_of(session.online) == first)
    });
    let event = event.unwrap();
    let event_id = i64::try_from(event.id).unwrap();
    let visited = Timestamp::from_second(event.end_time).unwrap() + HOUR;
    visit(&desk, visited, &world, &[], event_id).await;
    let ledger = desk.store().join(format!("ledger/active/{event_id}.json"));
    let mut document: Value = serde_json::from_slice(&std::fs::read(&ledger).unwrap()).unwrap();
    let seen = async || explain(&desk, visited, event_id, Some("1")).await.unwrap().seen.unwrap();
    let all = seen().await;
    assert!(all.iter().any(|seen| seen.day < day_of(event.end_time)));
    (document["days"], document["event_day"]) = (json!({}), Value::Null);
    std::fs::write(&ledger, document.to_string()).unwrap();
    assert_eq!(seen().await.len(), all.len());
}

#[tokio::test]
async fn a_closed_event_is_not_called_complete_once_it_owes_something() {
    let (desk, world) = (Desk::new(), world(20));
    for (hours, faults, what) in [(0, &[][..], "complete"), (1, &["code=500@snapshot"], "not complete")] {
        let now = later() + HOUR * hours;
        visit(&desk, now, &world, faults, EVENT).await;
        let told = explain(&desk, now, EVENT, None).await.unwrap().to_string();
        assert!(told.contains(&format!("closed: past the horizon, and {what}")), "{told}");
    }
}

#[tokio::test]
async fn staged_files_of_the_event_are_named() {
    let desk = Desk::new();
    visit(&desk, later(), &world(20), &[], EVENT).await;
    let staged = desk.store().join("staging/lives/dt=2022-10-22");
    std::fs::create_dir_all(&staged).unwrap();
    for event_id in [EVENT, 1] {
        std::fs::write(staged.join(format!("{event_id}-1-abc.parquet")), "x").unwrap();
    }
    let told = explain(&desk, later(), EVENT, None).await.unwrap();
    assert_eq!(told.staged, ["staging/lives/dt=2022-10-22/700001-1-abc.parquet"]);
}
