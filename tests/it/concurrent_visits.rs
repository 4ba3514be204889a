//! Two visits of one event at the same time, of which one brings everything and the other fails.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt;
use jiff::Timestamp;
use rollcall::job::Job;
use rollcall::job::selection::Selection;
use rollcall::load::ledger::ledgers::Ledgers;
use rollcall::load::ledger::{Closing, Ledger};
use rollcall::load::store::Store;
use rollcall::transform::event::Event;
use rollcall::transform::tables::Table;
use simulator::{Server, ServerOptions};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::support::command::Desk;
use crate::support::faults::faults;
use crate::support::faulty::{Fault, Faulty, stride};
use crate::support::lake::{cells, event_said};
use crate::support::run::{HOUR, config, job, later, server_at, small_world, sync_all, sync_of};
use crate::support::stores::{Home, On};

const EVENT: i64 = 700_001;

/// A run whose clock is this many hours later. Returns whether all went well.
async fn run(store: &Arc<dyn Store>, server: &Server, hours: i32) -> bool {
    let now = later() + HOUR * hours;
    let all = sync_of(Selection::default());
    let report = job(store, config(server, Path::new("unused")), now, all).await.unwrap();
    let events = &report.events;
    // An event that another run has closed since it was planned is no longer due.
    assert_eq!(events.due, events.complete + events.failed + events.left, "{events:?}");
    report.ok
}

#[tokio::test(flavor = "multi_thread")]
async fn two_concurrent_visits_leave_the_events_row_in_line_with_its_ledger_and_nothing_missing() {
    let world = small_world(1);
    let at = later() + HOUR * 24;
    let well = Arc::new(server_at(at, &world, ServerOptions::default()));
    // This vendor knows the event, but refuses every report.
    let ill = || server_at(at, &world, faults(&["code=400@path:report/details"]));
    let alone = Home::new(On::Folder).await;
    assert!(run(&alone.store, &well, 0).await);
    let whole = event_said(&alone.store, EVENT).await;
    assert!(whole.is_closed == Some(true) && whole.first_day.is_some());
    let operations = {
        let home = Home::new(On::Folder).await;
        let counting = Faulty::new(&home.store, 0, Fault::None);
        assert!(!run(&(counting.clone() as Arc<dyn Store>), &ill(), 1).await);
        counting.operations()
    };
    assert!(operations > 12, "{operations}");
    let mut open = 0;
    for at in (0..operations).step_by(stride(3)) {
        let home = Home::new(On::Folder).await;
        let (inner, vendor, is_done) = (Arc::clone(&home.store), Arc::clone(&well), AtomicBool::new(false));
        let watcher = move |k| {
            let (inner, vendor) = (Arc::clone(&inner), Arc::clone(&vendor));
            let is_now = k == at && !is_done.swap(true, Ordering::SeqCst);
            async move {
                let other = move || Handle::current().block_on(run(&inner, &vendor, 0));
                if is_now {
                    // Late in the failing run, there is nothing left for this one to do.
                    spawn_blocking(other).await.unwrap();
                }
            }
            .boxed()
        };
        let store: Arc<dyn Store> = Faulty::watched(&home.store, Box::new(watcher));
        run(&store, &ill(), 1).await;
        let publish = Job::Publish(rollcall::job::Publish::default());
        job(&home.store, config(&well, Path::new("unused")), later() + HOUR, publish).await.unwrap();
        let ledger = Ledgers::new(Arc::clone(&home.store)).find(EVENT).await.unwrap().unwrap().ledger;
        let said = event_said(&home.store, EVENT).await;
        assert_eq!(said.is_closed, Some(ledger.closed.is_some()), "before operation {at}");
        assert!(
            ledger.closed.is_none() || ledger.owed.is_empty(),
            "before operation {at}: {:?}",
            ledger.owed
        );
        let is_whole = (said.through.is_some(), said.first_day) == (true, whole.first_day);
        assert!(ledger.closed.is_none() || is_whole, "before operation {at}: {said:?}");
        open += usize::from(ledger.closed.is_none());
        // A later run makes good what was left open.
        run(&home.store, &well, 30).await;
        let said = event_said(&home.store, EVENT).await;
        assert_eq!(
            (said.is_closed, said.through.is_some(), said.first_day),
            (Some(true), true, whole.first_day),
            "before operation {at}"
        );
    }
    assert!(open > 1, "{open}");
}

/// A run that the event was chosen for, with the snapshot; its clock is this many hours later.
async fn visit(store: &Arc<dyn Store>, server: &Server, hours: i32) {
    let (now, event) = (later() + HOUR * hours, vec![EVENT]);
    let chosen = sync_of(Selection { event, ..Selection::default() });
    job(store, config(server, Path::new("unused")), now, chosen).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_without_data_is_asked_for_again_even_if_only_the_other_of_two_concurrent_visits_got_a_snapshot()
 {
    let world = small_world(1);
    let server = |texts: &[&str]| Arc::new(server_at(later() + HOUR * 24, &world, faults(texts)));
    let well = server(&[]);
    let whole = Desk::new();
    run(&whole.open(), &well, 0).await;
    let expected = cells(&whole.store()).await;
    let (_, day, _) = expected.keys().rfind(|(table, _, of)| (*table, *of) == (Table::Lives, EVENT)).unwrap();
    let no_day = format!("code=200@day:{EVENT}:{day}");
    let (without, with_snapshot) = (server(&[&no_day, "code=200@snapshot"]), server(&[&no_day]));
    // A visit before these two has a snapshot, with viewers or without any data, but not yet that day.
    let ended = Timestamp::from_second(world.event(EVENT.unsigned_abs()).unwrap().end_time).unwrap();
    for texts in [&[][..], &["code=200@snapshot"]] {
        let early = server_at(ended + HOUR * 2, &world, faults(texts));
        let mut times = 0;
        for at in (0..).step_by(stride(5)) {
            let desk = Desk::new();
            assert!(sync_all(config(&early, &desk.store()), ended + HOUR * 2).await.ok);
            let (inner, vendor, came) =
                (desk.open(), Arc::clone(&with_snapshot), Arc::new(AtomicBool::new(false)));
            let has_come = Arc::clone(&came);
            let watcher = move |k| {
                let (inner, vendor, came) = (Arc::clone(&inner), Arc::clone(&vendor), Arc::clone(&came));
                async move {
                    if k != at {
                        return;
                    }
                    // If the event is closed by then, there is nothing left for the other visit to do.
                    let ledger = Ledgers::new(Arc::clone(&inner)).find(EVENT).await.unwrap().unwrap().ledger;
                    if ledger.closed.is_none() {
                        came.store(true, Ordering::SeqCst);
                        let other = move || Handle::current().block_on(visit(&inner, &vendor, 0));
                        spawn_blocking(other).await.unwrap();
                    }
                }
                .boxed()
            };
            let store: Arc<dyn Store> = Faulty::watched(&desk.open(), Box::new(watcher));
            visit(&store, &without, 1).await;
            if !has_come.load(Ordering::SeqCst) {
                break;
            }
            times += 1;
            run(&desk.open(), &well, 30).await;
            assert!(cells(&desk.store()).await == expected, "{texts:?}, before operation {at}");
        }
        assert!(times > 2, "{times}");
    }
}

#[tokio::test]
async fn a_ledger_that_is_moved_while_it_is_looked_for_is_found() {
    let home = Home::new(On::Folder).await;
    let ledgers = Ledgers::new(Arc::clone(&home.store));
    let new = Ledger { closed: Some(Closing::Complete), ..Ledger::new(Event::unknown(EVENT), later()) };
    ledgers.update(&new, |_| {}).await.unwrap();
    let watcher = move |k| {
        let (ledgers, new) = (ledgers.clone(), new.clone());
        async move {
            // Between the looks into the two places in which it may be.
            if k == 1 {
                ledgers.update(&new, |ledger| ledger.closed = None).await.unwrap();
            }
        }
        .boxed()
    };
    let store: Arc<dyn Store> = Faulty::watched(&home.store, Box::new(watcher));
    assert!(Ledgers::new(store).find(EVENT).await.unwrap().is_some());
}
