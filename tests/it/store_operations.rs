//! What a run costs the store: nothing for what is long done, and no object for what is not new.

use std::path::Path;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use rollcall::job::selection::Selection;
use rollcall::load::keys;
use rollcall::load::store::Store;
use simulator::{Quirks, ServerOptions, World, WorldOptions};

use crate::support::faulty::{Fault, Faulty};
use crate::support::run::{HOUR, config, job, later, server_at, small_world, sync_of};
use crate::support::stores::{Home, On};

#[tokio::test]
async fn ten_thousand_closed_events_cost_no_operation() {
    let server = server_at(later(), &small_world(1), ServerOptions::default());
    let mut operations = Vec::new();
    for closed in [0, 10_000] {
        let home = Home::new(On::Folder).await;
        let sync = async |store: &Arc<dyn Store>, hours| {
            let now = later() + HOUR * hours;
            let report = job(store, config(&server, Path::new("unused")), now, sync_of(Selection::default()));
            let report = report.await.unwrap();
            assert!(report.ok, "{:?}", report.failures);
            report
        };
        sync(&home.store, 0).await;
        let (document, _) = home.store.get(&keys::closed(700_001)).await.unwrap().unwrap();
        let document = String::from_utf8(document.to_vec()).unwrap();
        let folder = home.path().join("ledger/closed");
        for event_id in 1..=closed {
            let document = document.replace("700001", &event_id.to_string());
            std::fs::write(folder.join(format!("{event_id}.json")), document).unwrap();
        }
        let counting = Faulty::new(&home.store, 0, Fault::None);
        let report = sync(&(counting.clone() as Arc<dyn Store>), 1).await;
        assert_eq!((report.events.known, report.events.due), (0, 0));
        operations.push(counting.operations());
    }
    assert_eq!(operations[0], operations[1]);
}

#[tokio::test]
async fn the_ledger_of_an_ended_event_is_written_once_when_heard_of_and_once_when_visited() {
    let server = server_at(later(), &small_world(1), ServerOptions::default());
    let home = Home::new(On::Folder).await;
    let path = home.path().join(keys::active(700_001));
    let seen = Arc::new(Mutex::new(Vec::<String>::new()));
    let look = {
        let seen = Arc::clone(&seen);
        move || {
            let mut seen = seen.lock().unwrap();
            let now = std::fs::read_to_string(&path).unwrap_or_default();
            if !now.is_empty() && seen.last() != Some(&now) {
                seen.push(now);
            }
        }
    };
    let watch = look.clone();
    let watched = Faulty::watched(
        &home.store,
        Box::new(move |_| {
            watch();
            async {}.boxed()
        }),
    );
    let store: Arc<dyn Store> = watched;
    let selection = Selection { event: vec![700_001], ..Selection::default() };
    let report =
        job(&store, config(&server, Path::new("unused")), later(), sync_of(selection)).await.unwrap();
    assert!(report.ok && report.rows > 0, "{:?}", report.failures);
    look();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2, "{seen:#?}");
    assert!(
        seen[0].contains(r#""last_visit":null"#) && !seen[0].contains(r#""event_day":null"#),
        "{}",
        seen[0]
    );
}

#[tokio::test]
async fn a_sync_that_brings_nothing_new_writes_only_objects_of_pulls_and_events() {
    let world = World::new(WorldOptions { events: 3, days: 1, ..WorldOptions::default() });
    let home = Home::new(On::Folder).await;
    // Three weeks after the events, while they are still visited.
    let first = "2022-11-12T03:00:00Z".parse::<jiff::Timestamp>().unwrap();
    let mut put = Vec::new();
    for hours in [0, 25, 30, 50, 54] {
        let now = first + HOUR * hours;
        // The vendor's own clock stands still, so that it has nothing new to say; its answers do not state the time.
        let quirks = Quirks { unplaceable: Some(5), ..Quirks::default() };
        let server =
            server_at(first, &world, ServerOptions { quirks, timeless: true, ..ServerOptions::default() });
        let selection = Selection { event: vec![700_001, 700_002, 700_003], ..Selection::default() };
        let report = job(&home.store, config(&server, Path::new("unused")), now, sync_of(selection));
        let report = report.await.unwrap();
        assert!(report.ok && report.rows > 0 && report.rejects > 0, "{:?}", report.failures);
        put.push(report.published.objects.keys().copied().collect::<Vec<_>>());
    }
    // A day of visits that is new has an object in every table.
    assert_eq!(put[0].len(), 6);
    for (run, tables) in put.iter().enumerate().skip(1) {
        let is_new_day = [1, 3].contains(&run);
        assert!(is_new_day || *tables == ["events", "pulls"], "run {run} put {tables:?}");
    }
}
