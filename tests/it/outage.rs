//! A vendor that cannot be reached, and a store that cannot be written.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use rollcall::config::Config;
use rollcall::error::Kind;
use rollcall::job::selection::Selection;
use rollcall::job::{Job, Plan};
use rollcall::load::store::Store;
use rollcall::report::Failure;
use serde_json::Value;
use simulator::ServerOptions;

use crate::support::command::{Desk, files};
use crate::support::faulty::{Fault, Faulty, stride};
use crate::support::run::{
    HOUR, all_days, config, job, later, server_at, small_world, sync, sync_all, sync_of,
};
use crate::support::stores::{Home, On};

#[tokio::test]
async fn an_outage_does_not_count_as_a_failure_of_any_event_and_all_stay_due() {
    let (desk, world) = (Desk::new(), small_world(8));
    let early = "2022-10-20T00:00:00Z".parse().unwrap();
    let server = server_at(early, &world, ServerOptions::default());
    sync_all(config(&server, &desk.store()), early).await;
    let ledgers = || files(&desk.store().join("ledger/active"));
    assert!(ledgers().len() > 4);
    for hour in 1..4 {
        let mut gone = config(&server, &desk.store());
        // Nobody listens there.
        gone.api_url = "http://127.0.0.1:9".to_owned();
        gone.concurrency = 1;
        let report = sync(gone, later() + HOUR * hour, Selection::default()).await.unwrap();
        assert!(
            report.failures.iter().all(|failure| failure.kind == Kind::Unreachable),
            "{:?}",
            report.failures
        );
        let events = report.failures.iter().filter_map(|failure| failure.event_id).count();
        // The lists fail, and three visits; no other is begun.
        assert_eq!((report.failures.len(), events, report.events.failed), (5, 3, 0));
        assert!(!report.ok && report.events.due > 4 && report.events.left == report.events.due);
    }
    for (path, ledger) in ledgers() {
        let ledger: Value = serde_json::from_slice(&ledger).unwrap();
        assert_eq!(ledger["failures"], 0, "{}", path.display());
    }
    let at = later() + HOUR * 4;
    let server = server_at(at, &world, ServerOptions::default());
    assert!(sync_all(config(&server, &desk.store()), at).await.events.complete > 4);
}

#[tokio::test]
async fn asking_about_new_events_during_an_outage_fails_once_and_names_no_event() {
    let (desk, world) = (Desk::new(), small_world(1));
    let server = server_at(later(), &world, ServerOptions::default());
    let mut gone = config(&server, &desk.store());
    gone.api_url = "http://127.0.0.1:9".to_owned();
    let chosen = Selection { event: (700_001..700_040).collect(), ..Selection::default() };
    let report = sync(gone, later(), chosen).await.unwrap();
    let failed: Vec<_> = report.failures.iter().map(|failure| (failure.event_id, failure.kind)).collect();
    assert_eq!(failed, [(None, Kind::Unreachable)], "{:?}", report.failures);
    assert!(!report.ok && report.requests.requests < 60, "{:?}", report.requests);
}

#[tokio::test]
async fn a_full_disk_stops_a_run_after_a_few_visits_and_all_events_stay_due() {
    let world = small_world(8);
    let early = "2022-10-20T00:00:00Z".parse().unwrap();
    // No other run would come back to chosen events that are left, so that is said.
    let chosen = || all_days();
    for (selection, says_left) in [(Selection::default(), 0), (chosen(), 1)] {
        let mut stopped = 0;
        for at in (0..).step_by(stride(12)) {
            let home = Home::new(On::Folder).await;
            let server = server_at(early, &world, ServerOptions::default());
            sync_all(config(&server, &home.path()), early).await;
            let server = server_at(later(), &world, ServerOptions::default());
            let alone = || Config { concurrency: 1, ..config(&server, Path::new("unused")) };
            let full = Faulty::new(&home.store, at, Fault::Full);
            let store: Arc<dyn Store> = full.clone();
            let sync = || sync_of(selection.clone());
            if let Ok(report) = job(&store, alone(), later(), sync()).await {
                let of_events = |failure: &&Failure| failure.event_id.is_some();
                let is_left = |failure: &&Failure| failure.error.contains("were not visited in full");
                let count = |which: &dyn Fn(&&Failure) -> bool| report.failures.iter().filter(which).count();
                assert!(count(&of_events) < 6, "{at}: {:?}", report.failures);
                let has_left = usize::from(report.events.left > 0);
                assert_eq!(count(&is_left), has_left * says_left, "{at}: {:?}", report.failures);
                stopped += has_left;
            }
            if full.operations() <= at {
                break;
            }
            let report = job(&home.store, alone(), later() + HOUR * 2, sync()).await.unwrap();
            assert!(report.ok, "{at}: {:?}", report.failures);
        }
        assert!(stopped > 1, "{stopped}");
    }
}

#[tokio::test]
async fn visits_whose_writes_fail_do_not_stop_others_while_the_store_itself_works() {
    let (desk, world) = (Desk::new(), small_world(8));
    let server = server_at(later(), &world, ServerOptions::default());
    let config = Config { concurrency: 1, ..config(&server, &desk.store()) };
    let plan = Job::Plan(Plan { items: NonZeroUsize::new(1), ..Plan::default() });
    assert!(job(&desk.open(), config.clone(), later(), plan).await.unwrap().ok);
    // No file can be made inside a file.
    fs::write(desk.store().join("staging"), "").unwrap();
    let report = sync(config.clone(), later(), Selection::default()).await.unwrap();
    let named = report.failures.iter().filter(|failure| failure.event_id.is_some());
    assert!(named.clone().all(|failure| failure.kind == Kind::Store), "{:?}", report.failures);
    assert!(
        named.count() > 4 && (report.events.left, report.events.complete) == (0, 0),
        "{:?}",
        report.events
    );
    fs::remove_file(desk.store().join("staging")).unwrap();
    assert!(sync_all(config, later()).await.events.complete > 4);
}
