//! A publish, a replay, an upgrade, and a forget, in the middle of which somebody is forgotten.

use std::sync::Arc;

use futures::FutureExt;
use jiff::civil::Date;
use rollcall::job::selection::Selection;
use rollcall::job::{Forget, Job, Publish, Replay, Upgrade};
use rollcall::load::keys;
use rollcall::load::store::Store;
use rollcall::transform::tables::Table;
use simulator::Server;
use tokio::sync::Mutex;

use crate::support::faulty::{Fault, Faulty, stride};
use crate::support::lake::{Cells, cells_of};
use crate::support::parquet::{metadata, rewrite};
use crate::support::person::{assert_forgotten, forget, ok, run, vendor, without_the_person};
use crate::support::policies::open;
use crate::support::stores::{Home, On};

/// What a pull under the policy `open` brings from a vendor, staged and archived, in a folder of its own.
async fn pulled(server: &Server) -> Home {
    let home = Home::new(On::Folder).await;
    ok(run(&home.store, server, open(), 0, Job::Pull(Selection::default())).await);
    home
}

fn publish(day: Option<Date>) -> Job {
    Job::Publish(Publish { day: day.into_iter().collect() })
}

/// Runs a job over `store`; before its operation `at`, the given `forget` runs to its end. Returns whether all went well.
async fn amid_a_forget(
    server: &Arc<Server>,
    home: &Home,
    store: &Arc<dyn Store>,
    what: Job,
    (at, forget): (u64, Job),
) -> bool {
    let (inner, vendor) = (Arc::clone(&home.store), Arc::clone(server));
    let said = Arc::new(Mutex::new(None));
    let told = Arc::clone(&said);
    let watcher = move |k| {
        let (inner, vendor, told) = (Arc::clone(&inner), Arc::clone(&vendor), Arc::clone(&told));
        let forget = forget.clone();
        async move {
            if k == at {
                *told.lock().await = Some(run(&inner, &vendor, open(), 1, forget).await);
            }
        }
        .boxed()
    };
    let store: Arc<dyn Store> = Faulty::watched(store, Box::new(watcher));
    let outcome = run(&store, server, open(), 2, what).await;
    ok(said.lock().await.take().unwrap());
    outcome.is_ok_and(|report| report.ok)
}

/// How many operations a job takes.
async fn operations(server: &Server, home: &Home, what: Job) -> u64 {
    let counting = Faulty::new(&home.store, 0, Fault::None);
    let store: Arc<dyn Store> = counting.clone();
    ok(run(&store, server, open(), 2, what).await);
    counting.operations()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_under_way_during_a_forget_brings_nobody_back_and_loses_nobody_else() {
    let server = Arc::new(vendor());
    let expected = without_the_person(&server).await;
    let home = pulled(&server).await;
    ok(run(&home.store, &server, open(), 0, publish(None)).await);
    let whole = cells_of(&home.store).await;
    let changed =
        |table| whole.iter().find(|(place, cell)| place.0 == table && expected.get(place) != Some(cell));
    let ((_, day, _), _) = changed(Table::Lives).unwrap();
    let of_day = |cells: &Cells| {
        let cells = cells.clone().into_iter().filter(|((_, of, _), _)| of == day);
        cells.collect::<Cells>()
    };
    let home = pulled(&server).await;
    let operations = operations(&server, &home, publish(Some(*day))).await;
    assert!(operations > 20, "{operations}");
    for at in (0..operations).step_by(stride(5)) {
        let home = pulled(&server).await;
        let what = publish(Some(*day));
        assert!(amid_a_forget(&server, &home, &home.store, what, (at, forget())).await, "{at}");
        assert_forgotten(&home.store, &format!("forgotten at operation {at}")).await;
        assert!(of_day(&cells_of(&home.store).await) == of_day(&expected), "{at}");
    }
    for at in (0..operations).step_by(stride(3)) {
        let home = pulled(&server).await;
        let dying: Arc<dyn Store> = Faulty::new(&home.store, at, Fault::Dies);
        amid_a_forget(&server, &home, &dying, publish(Some(*day)), (at, forget())).await;
        ok(run(&home.store, &server, open(), 3, publish(None)).await);
        assert_forgotten(&home.store, &format!("forgotten at operation {at}, then killed")).await;
        assert!(cells_of(&home.store).await == expected, "{at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forget_in_the_middle_of_another_does_not_make_the_list_seem_lost() {
    let server = Arc::new(vendor());
    let home = pulled(&server).await;
    ok(run(&home.store, &server, open(), 0, publish(None)).await);
    let dry = Forget { viewer: vec!["nobody".to_owned()], dry_run: true };
    let operations = operations(&server, &home, Job::Forget(dry)).await;
    assert!(operations > 50, "{operations}");
    for at in (0..operations).step_by(stride(9)) {
        let home = pulled(&server).await;
        ok(run(&home.store, &server, open(), 0, publish(None)).await);
        let other = Job::Forget(Forget { viewer: vec!["somebody else".to_owned()], dry_run: false });
        assert!(amid_a_forget(&server, &home, &home.store, forget(), (at, other)).await, "{at}");
        assert_forgotten(&home.store, &format!("another at operation {at}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_under_way_during_a_forget_brings_nobody_back_and_reports_no_damage() {
    let server = Arc::new(vendor());
    let expected = without_the_person(&server).await;
    // A lake that lost one of its tables.
    let lost = async || {
        let home = pulled(&server).await;
        ok(run(&home.store, &server, open(), 0, publish(None)).await);
        for key in home.keys(&keys::table(Table::Interactions)).await {
            home.store.delete(&key).await.unwrap();
        }
        home
    };
    let replay = || Job::Replay(Replay { all: true, ..Replay::default() });
    let operations = operations(&server, &lost().await, replay()).await;
    assert!(operations > 50, "{operations}");
    for at in (0..operations).step_by(stride(12)) {
        let home = lost().await;
        assert!(amid_a_forget(&server, &home, &home.store, replay(), (at, forget())).await, "{at}");
        assert_forgotten(&home.store, &format!("forgotten at operation {at}")).await;
        assert!(cells_of(&home.store).await == expected, "{at}");
    }
}

/// A lake whose objects of viewings are as an older version wrote them.
async fn outdated(server: &Server) -> Home {
    let home = pulled(server).await;
    ok(run(&home.store, server, open(), 0, publish(None)).await);
    for key in home.keys(&keys::table(Table::Lives)).await {
        let path = home.path().join(key);
        let cells = metadata(&path, "rollcall.cells").unwrap();
        rewrite(&path, &[("rollcall.format", "0"), ("rollcall.cells", &cells)], &[]);
    }
    home
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_under_way_during_a_forget_brings_nobody_back_and_reports_no_damage() {
    let server = Arc::new(vendor());
    let expected = without_the_person(&server).await;
    let upgrade = || Job::Upgrade(Upgrade::default());
    let operations = operations(&server, &outdated(&server).await, upgrade()).await;
    assert!(operations > 20, "{operations}");
    for at in (0..operations).step_by(stride(19)) {
        let home = outdated(&server).await;
        assert!(amid_a_forget(&server, &home, &home.store, upgrade(), (at, forget())).await, "{at}");
        assert_forgotten(&home.store, &format!("forgotten at operation {at}")).await;
        assert!(cells_of(&home.store).await == expected, "{at}");
    }
}
