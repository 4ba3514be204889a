//! A list without any data: the vendor's documentation does not say whether it means that there is nothing, or that the vendor
//! could not answer.

use std::num::NonZeroUsize;

use jiff::Timestamp;
use rollcall::config::Rosters;
use rollcall::job::selection::Selection;
use rollcall::job::{Job, Plan};
use simulator::{ServerOptions, Viewers, World, WorldOptions};

use crate::support::command::Desk;
use crate::support::faults::{busiest, faults};
use crate::support::lake::ledger;
use crate::support::run::{HOUR, config, job, later, server_at, small_world, sync, sync_all};

const EVENT: i64 = 700_001;

#[tokio::test]
async fn a_list_without_data_is_read_again_by_the_next_run() {
    let world = small_world(8);
    let (desk, blank) = (Desk::new(), "code=200@path:event/modify/list");
    let from = async |hours: i32, texts: &[&str]| {
        let now = later() + HOUR * hours;
        let server = server_at(now, &world, faults(texts));
        let mut config = config(&server, &desk.store());
        config.rosters.public = false;
        sync_all(config, now).await;
        let asked = server.requests().into_iter().find(|request| request.path.ends_with("modify/list"));
        asked.unwrap().start_time.unwrap()
    };
    let first = from(0, &[blank]).await;
    assert_eq!(from(1, &[]).await, first, "as the first run did");
    assert!(ledger(&desk, EVENT).await.is_some());
    // First from an hour before the last run; then each time from an hour before the run before that, so that everything is asked
    // for twice.
    let since = |hours: i32| (later() + HOUR * hours).as_second();
    for (hours, asked_since) in [(3, 0), (5, 0), (7, 2)] {
        assert_eq!(from(hours, &[blank]).await, since(asked_since), "{hours}");
    }
}

#[tokio::test]
async fn a_list_that_states_a_total_without_naming_an_event_is_read_again_by_the_next_run() {
    let (desk, world) = (Desk::new(), small_world(8));
    for (hours, texts, is_known) in
        [(0, &["null-array=list@path:event/modify/list"][..], false), (1, &[], true)]
    {
        let now = later() + HOUR * hours;
        let server = server_at(now, &world, faults(texts));
        let mut config = config(&server, &desk.store());
        config.rosters.public = false;
        sync_all(config, now).await;
        assert_eq!(ledger(&desk, EVENT).await.is_some(), is_known, "{hours}");
    }
}

#[tokio::test]
async fn a_list_of_public_events_without_data_is_read_again_at_once_if_no_other_run_asks_for_the_same() {
    let (event, day) = busiest();
    let world = small_world(8);
    let end = Timestamp::from_second(world.event(event.unsigned_abs()).unwrap().end_time).unwrap();
    let chosen = Selection { from: Some(day), to: Some(day), ..Selection::default() };
    for (selection, is_short) in [(chosen, true), (Selection::default(), false)] {
        let now = end + HOUR * if is_short { 60 } else { 24 * 60 };
        let options = faults(&["code=200@path:event/public/list,first:1"]);
        let (desk, server) = (Desk::new(), server_at(now, &world, options));
        let mut config = config(&server, &desk.store());
        config.rosters.edited = false;
        config.lookback = HOUR * 24 * 90;
        config.horizon = HOUR * 24 * 7;
        assert!(sync(config, now, selection).await.unwrap().ok);
        assert!(ledger(&desk, event).await.is_some(), "{now}");
    }
}

#[tokio::test]
async fn a_list_without_data_is_read_again_at_once_in_a_run_over_chosen_days() {
    let (event, day) = busiest();
    let world = small_world(8);
    let now =
        Timestamp::from_second(world.event(event.unsigned_abs()).unwrap().end_time).unwrap() + HOUR * 60;
    let (desk, server) =
        (Desk::new(), server_at(now, &world, faults(&["code=200@path:event/modify/list,nth:1"])));
    let mut config = config(&server, &desk.store());
    config.rosters.public = false;
    // One span, and no run that would come back to it.
    config.lookback = HOUR * 24 * 7;
    let chosen = Selection { from: Some(day), to: Some(day), ..Selection::default() };
    assert!(sync(config, now, chosen).await.unwrap().ok);
    assert!(ledger(&desk, event).await.unwrap().days[&day].lives.rows > 0);
}

#[tokio::test]
async fn no_event_is_lost_whichever_page_of_a_list_has_no_data() {
    let world = World::new(WorldOptions {
        events: 250,
        days: 1,
        viewers: Viewers::Exactly(0),
        ..WorldOptions::default()
    });
    let plan = || Job::Plan(Plan { items: NonZeroUsize::new(10), ..Plan::default() });
    let run = async |desk: &Desk, hours: i32, options: ServerOptions| {
        let now = later() + HOUR * hours;
        let server = server_at(now, &world, options);
        let mut config = config(&server, &desk.store());
        config.rosters.public = false;
        let outcome = job(&desk.open(), config, now, plan()).await;
        outcome.is_ok_and(|report| report.ok)
    };
    let known = |desk: &Desk| std::fs::read_dir(desk.store().join("ledger/active")).unwrap().count();
    let whole = Desk::new();
    assert!(run(&whole, 0, ServerOptions::default()).await);
    for fault in ["code=200", "null-array=list"] {
        for nth in 1..=8 {
            let desk = Desk::new();
            // A page in the middle is asked for again at once; a list whose first page is blank, by the next run.
            assert!(run(&desk, 0, faults(&[&format!("{fault}@path:event/modify/list,nth:{nth}")])).await);
            assert!(run(&desk, 1, ServerOptions::default()).await);
            assert_eq!(known(&desk), known(&whole), "{fault} {nth}");
        }
    }
    // The third page of the last span, which is the fourth, in both readings, however often it is asked for.
    let nths = [6, 7, 8, 11, 12, 13].map(|nth| format!("code=200@path:event/modify/list,nth:{nth}"));
    let desk = Desk::new();
    assert!(run(&desk, 0, faults(&nths.each_ref().map(String::as_str))).await);
    assert!(known(&desk) < known(&whole));
    assert!(run(&desk, 1, ServerOptions::default()).await);
    assert_eq!(known(&desk), known(&whole));
    // The same page of the third of four spans, when the fourth is refused.
    let nths = [5, 6, 7, 10, 11, 12].map(|nth| format!("code=200@path:event/modify/list,nth:{nth}"));
    let nths: Vec<&str> =
        nths.iter().map(String::as_str).chain(["code=400@path:event/modify/list,nth:13"]).collect();
    let (desk, hours) = (Desk::new(), 24 * 200);
    // An event is known already, so that the run goes on although the list fails.
    let file = desk.path().join("own.csv");
    std::fs::write(&file, "event_id\n700001\n").unwrap();
    let now = later() + HOUR * hours;
    let server = server_at(now, &world, ServerOptions::default());
    let mut own = config(&server, &desk.store());
    own.rosters = Rosters { edited: false, public: false, file: Some(file.to_str().unwrap().into()) };
    assert!(job(&desk.open(), own, now, plan()).await.unwrap().ok);
    assert!(!run(&desk, hours, faults(&nths)).await);
    assert!(known(&desk) < known(&whole));
    assert!(run(&desk, hours + 1, ServerOptions::default()).await);
    assert_eq!(known(&desk), known(&whole));
}
