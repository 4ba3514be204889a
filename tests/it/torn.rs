//! A lake that cannot tear: whatever operation on the store fails, and whenever the program dies, runs to the end leave the same
//! cells, and no reader ever sees half of one.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use futures::FutureExt;
use jiff::Timestamp;
use rollcall::config::Config;
use rollcall::error::Result;
use rollcall::job::selection::Selection;
use rollcall::load::lake_objects::each_row;
use rollcall::load::object::ObjectReader;
use rollcall::load::store::Store;
use rollcall::report::Report;
use rollcall::transform::row::Row;
use rollcall::transform::tables::Table;
use simulator::{Server, ServerOptions, Viewers, World, WorldOptions};
use tokio::sync::Mutex;

use crate::support::faulty::{Fault, Faulty, stride};
use crate::support::lake::{Cells, cells_of};
use crate::support::run::{HOUR, config, job, later, server_at, sync_of};
use crate::support::stores::{Home, On, keys};

/// Several events over several days, most of them closed by their first visit.
fn world() -> Server {
    let options =
        WorldOptions { events: 2, days: 2, viewers: Viewers::Range(3, 9), ..WorldOptions::default() };
    server_at(later(), &World::new(options), ServerOptions::default())
}

async fn sync(store: Arc<dyn Store>, server: &Server, now: Timestamp) -> Result<Report> {
    job(&store, config(server, Path::new("unused")), now, sync_of(Selection::default())).await
}

/// Runs until nothing is due and nothing failed: one run, or a second for an event that failed for good in the first.
async fn to_the_end(store: &Arc<dyn Store>, server: &Server) {
    for hours in [2, 4, 30] {
        let report = sync(Arc::clone(store), server, later() + HOUR * hours).await.unwrap();
        if report.ok && report.events.due == 0 {
            return;
        }
        assert!(report.ok, "{:?}", report.failures);
    }
    panic!("the runs do not come to an end");
}

/// The cells, and how many operations it takes to make them.
async fn whole(on: On, server: &Server) -> (Cells, u64) {
    let home = Home::new(on).await;
    let counting = Faulty::new(&home.store, 0, Fault::None);
    assert!(sync(counting.clone(), server, later()).await.unwrap().ok);
    (cells_of(&home.store).await, counting.operations())
}

/// A fault at an operation, followed by runs to the end. On S3, which is slower, fewer operations are tried.
async fn survives(on: On, fault: Fault) {
    let server = world();
    let (expected, operations) = whole(on, &server).await;
    assert!(expected.len() > 10 && operations > 50, "{} cells, {operations} operations", expected.len());
    let usual = match on {
        On::Folder => 5,
        On::S3 => 17,
    };
    for at in (0..operations).step_by(stride(usual)) {
        let home = Home::new(on).await;
        let outcome = sync(Faulty::new(&home.store, at, fault), &server, later()).await;
        let is_ok = outcome.is_ok_and(|report| report.ok);
        let torn = cells_of(&home.store).await;
        assert!(torn.iter().all(|(place, cell)| expected.get(place) == Some(cell)), "{fault:?} {at}");
        let staged = home.keys("staging/").await;
        assert!(!is_ok || torn == expected && staged.is_empty(), "{fault:?} {at} was counted as done");
        to_the_end(&home.store, &server).await;
        assert!(cells_of(&home.store).await == expected, "{fault:?} {at}");
        assert_eq!(home.keys("staging/").await, [""; 0], "{fault:?} {at}");
        assert_eq!(home.keys("ledger/active/").await, [""; 0], "{fault:?} {at}");
        let days = home.keys("lake/lives/").await;
        for table in Table::ALL {
            let of_table = days.iter().map(|key| key.replace("lives", table.name())).collect::<Vec<_>>();
            assert_eq!(home.keys(&format!("lake/{}/", table.name())).await, of_table, "{fault:?} {at}");
        }
    }
}

#[tokio::test]
async fn an_operation_that_fails_loses_nothing_on_a_folder() {
    survives(On::Folder, Fault::Fails).await;
}

#[tokio::test]
async fn a_death_after_any_operation_loses_nothing_on_a_folder() {
    survives(On::Folder, Fault::Dies).await;
}

#[tokio::test]
async fn an_operation_that_is_done_but_reported_as_failed_loses_nothing_on_a_folder() {
    survives(On::Folder, Fault::Ambiguous).await;
}

#[tokio::test]
async fn an_operation_that_fails_loses_nothing_on_s3() {
    survives(On::S3, Fault::Fails).await;
}

#[tokio::test]
async fn a_death_after_any_operation_loses_nothing_on_s3() {
    survives(On::S3, Fault::Dies).await;
}

#[tokio::test]
async fn an_operation_that_is_done_but_reported_as_failed_loses_nothing_on_s3() {
    survives(On::S3, Fault::Ambiguous).await;
}

#[tokio::test]
async fn a_visit_that_fails_at_any_operation_is_not_recorded_as_complete() {
    let options = WorldOptions { events: 1, viewers: Viewers::Exactly(3), ..WorldOptions::default() };
    let server = server_at(later(), &World::new(options), ServerOptions::default());
    let archiving = || Config { archive: true, ..config(&server, Path::new("unused")) };
    let mut failed = 0;
    for at in (0..).step_by(stride(3)) {
        let home = Home::new(On::Folder).await;
        let store = Faulty::new(&home.store, at, Fault::Fails);
        let torn: Arc<dyn Store> = store.clone();
        // What the run says of it is looked at elsewhere.
        let _ = job(&torn, archiving(), later(), sync_of(Selection::default())).await;
        for (outcome, error) in visits(&home.store).await {
            assert_eq!(outcome == "complete", error.is_none(), "{at}: {error:?}");
            failed += usize::from(error.is_some());
        }
        if store.operations() <= at {
            break;
        }
    }
    assert!(failed > 5, "{failed}");
}

/// The outcome and the error of each visit in the lake.
async fn visits(store: &Arc<dyn Store>) -> Vec<(String, Option<String>)> {
    let mut visits = Vec::new();
    for key in keys(store, "lake/pulls/").await {
        let day = key.split("dt=").nth(1).unwrap()[..10].parse().unwrap();
        let head = store.head(&key).await.unwrap().unwrap();
        let object = ObjectReader::open(store, &key, head, Table::Pulls, day).await.unwrap();
        let text = |row: &Row<'_>, column| row.text(column).map(std::borrow::Cow::into_owned);
        let each = |row: Row<'_>| visits.push((text(&row, "outcome").unwrap(), text(&row, "error")));
        each_row(&object, None, each).await.unwrap();
    }
    visits
}

async fn is_seen_whole(on: On) {
    let server = world();
    let (expected, _) = whole(on, &server).await;
    let home = Home::new(on).await;
    let (store, seen) = (Arc::clone(&home.store), Arc::new(expected.clone()));
    let known = Arc::new(Mutex::new(BTreeSet::new()));
    let watcher = move |operation| {
        let (store, seen, known) = (Arc::clone(&store), Arc::clone(&seen), Arc::clone(&known));
        async move {
            // An event that is known stays known, also while its ledger moves.
            // Several operations are under way at once: they look one after the other.
            let mut known = known.lock().await;
            let ledgers =
                [keys(&store, "ledger/active/").await, keys(&store, "ledger/closed/").await].concat();
            let here =
                ledgers.iter().map(|key| key.rsplit('/').next().unwrap().to_owned()).collect::<BTreeSet<_>>();
            assert!(
                known.is_subset(&here),
                "{known:?} were known before operation {operation}, then {here:?}"
            );
            *known = here;
            // Each cell matches its rows, and these are those of the only visit.
            for (place, cell) in cells_of(&store).await {
                assert_eq!(seen.get(&place), Some(&cell), "{place:?} before operation {operation}");
            }
        }
        .boxed()
    };
    assert!(sync(Faulty::watched(&home.store, Box::new(watcher)), &server, later()).await.unwrap().ok);
    assert!(cells_of(&home.store).await == expected);
}

#[tokio::test]
async fn a_reader_sees_whole_cells_between_any_two_operations_on_a_folder() {
    is_seen_whole(On::Folder).await;
}

#[tokio::test]
async fn a_reader_sees_whole_cells_between_any_two_operations_on_s3() {
    is_seen_whole(On::S3).await;
}
