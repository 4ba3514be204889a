//! What the vendor could not answer in one visit does not keep the next visit from asking for everything else.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::Date;
use rollcall::config::Rosters;
use rollcall::job::selection::Selection;
use rollcall::transform::tables::Table;
use simulator::{Viewers, World, WorldOptions};

use crate::support::command::Desk;
use crate::support::faults::{busiest, faults, without_faults};
use crate::support::lake::cells;
use crate::support::run::{
    HOUR, all_days, config, later, publish_all, server_at, server_now, small_world, sync, sync_in_time,
};

#[tokio::test]
async fn days_that_fail_in_every_visit_do_not_keep_the_others_from_being_asked_for() {
    let world = World::new(WorldOptions {
        events: 1,
        days: 9,
        viewers: Viewers::Range(60, 60),
        ..WorldOptions::default()
    });
    let run = async |desk: &Desk, at, refused: &[Date]| {
        let event = world.events().last().unwrap().id;
        let refused = refused.iter().map(|day| format!("code=400@day:{event}:{day}")).collect::<Vec<_>>();
        let texts: Vec<&str> = refused.iter().map(String::as_str).collect();
        let server = server_at(at, &world, faults(&texts));
        sync(config(&server, &desk.store()), at, Selection::default()).await.unwrap();
        let mut found = cells(&desk.store()).await;
        found.retain(|(table, _, of), _| *table == Table::Lives && u64::try_from(*of) == Ok(event));
        found
    };
    let expected = run(&Desk::new(), later(), &[]).await;
    // So many in a row are refused that no more are asked for.
    let refused: Vec<Date> = expected.keys().map(|(_, day, _)| *day).take(4).collect();
    let desk = Desk::new();
    let (first, second) = (run(&desk, later(), &refused).await, run(&desk, later() + HOUR, &refused).await);
    assert!(expected.len() > 8 && first.is_empty(), "{first:?}");
    assert_eq!(second.len(), expected.len() - refused.len());
}

#[tokio::test]
async fn a_snapshot_that_takes_all_the_time_does_not_make_settled_days_owed_again() {
    let (event, day) = busiest();
    let desk = Desk::new();
    let visit = async |texts: &[&str], chosen: Option<Date>| {
        let server = server_now(&small_world(8), faults(texts));
        let mut config = config(&server, &desk.store());
        (config.read_timeout, config.deadline) = (Duration::from_mins(1), Some(SignedDuration::from_secs(4)));
        let selection = Selection { event: vec![event], from: chosen, to: chosen, ..Selection::default() };
        sync_in_time(config, selection).await
    };
    assert!(visit(&[], None).await.ok);
    let before = cells(&desk.store()).await;
    let report = visit(&[&format!("stall@snapshot,event:{event}")], Some(day)).await;
    let owed = &report.owed[&event];
    let of_event = |table: Table| before.keys().filter(move |(of, _, other)| (*of, *other) == (table, event));
    // The chosen day was asked for first.
    let others = of_event(Table::Lives).filter(|(_, other, _)| *other != day);
    let seen: Vec<String> = others.map(|(_, day, _)| day.to_string()).collect();
    assert!(owed.contains(&"snapshot".to_owned()) && !seen.is_empty(), "{owed:?}");
    assert!(!owed.iter().any(|day| seen.contains(day)), "{owed:?} {seen:?}");
}

#[tokio::test]
async fn a_day_that_takes_all_of_the_time_in_every_visit_does_not_keep_the_others_from_coming() {
    let expected = without_faults().await;
    let (event, day) = busiest();
    let (desk, file) = (Desk::new(), Desk::new());
    let roster = file.path().join("own.csv");
    std::fs::write(&roster, format!("event_id\n{event}\n")).unwrap();
    let visit = async || {
        let server = server_now(&small_world(8), faults(&[&format!("stall@day:{event}:{day}")]));
        let mut config = config(&server, &desk.store());
        config.rosters =
            Rosters { edited: false, public: false, file: Some(roster.to_str().unwrap().into()) };
        config.read_timeout = Duration::from_secs(1);
        config.deadline = Some(SignedDuration::from_secs(4));
        sync_in_time(config.clone(), all_days()).await;
        publish_all(config).await;
    };
    let others = expected.keys().filter(|(_, of_day, of)| *of == event && *of_day != day);
    let others: Vec<_> = others.collect();
    visit().await;
    let found = cells(&desk.store()).await;
    assert!(others.iter().any(|place| !found.contains_key(place)), "that day came first");
    visit().await;
    let found = cells(&desk.store()).await;
    let missing: Vec<_> = others.iter().filter(|place| !found.contains_key(place)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
