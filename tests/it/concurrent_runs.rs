//! Runs at the same time: whichever is faster, the lake ends up the same.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt;
use futures::future::join_all;
use rollcall::calendar::Clock;
use rollcall::job::context::Context;
use rollcall::job::selection::Selection;
use rollcall::job::{Job, Publish};
use rollcall::load::store::{Condition, Store};
use rollcall::progress::Progress;
use rollcall::transform::tables::Table;
use simulator::{Server, ServerOptions, Viewers, World, WorldOptions};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::support::command::files;
use crate::support::faulty::{Fault, Faulty, stride};
use crate::support::lake::{Cells, cells_of, events_of};
use crate::support::run::{HOUR, all_days, config, job, later, server_at, sync_of};
use crate::support::stores::{Home, On};

/// Events that all take place on one day, each seen by up to this many viewers.
fn world(viewers: u64) -> Server {
    let options =
        WorldOptions { events: 6, days: 1, viewers: Viewers::Range(1, viewers), ..WorldOptions::default() };
    server_at(later(), &World::new(options), ServerOptions::default())
}

fn sync() -> Job {
    sync_of(Selection::default())
}

fn pull_of(events: &[i64]) -> Job {
    Job::Pull(Selection { event: events.to_vec(), ..Selection::default() })
}

async fn run(store: &Arc<dyn Store>, server: &Server, hours: i32, what: Job) {
    let now = later() + HOUR * hours;
    let report = job(store, config(server, Path::new("unused")), now, what).await.unwrap();
    assert!(report.ok, "{:?}", report.failures);
}

async fn alone(server: &Server) -> Cells {
    let home = Home::new(On::Folder).await;
    run(&home.store, server, 0, sync()).await;
    cells_of(&home.store).await
}

async fn three_syncs(on: On) {
    let server = world(20);
    let home = Home::new(on).await;
    join_all((0..3).map(|_| run(&home.store, &server, 0, sync()))).await;
    assert!(cells_of(&home.store).await == alone(&server).await);
    assert_eq!(home.keys("staging/").await, [""; 0]);
    assert_eq!(home.keys("ledger/active/").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_syncs_at_once_end_like_a_single_one_on_a_folder() {
    three_syncs(On::Folder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_syncs_at_once_end_like_a_single_one_on_s3() {
    three_syncs(On::S3).await;
}

async fn eight_publishers(on: On) {
    let server = world(20);
    let home = Home::new(on).await;
    run(&home.store, &server, 0, Job::Pull(Selection::default())).await;
    assert!(home.keys("lake/").await.is_empty());
    join_all((0..8).map(|_| run(&home.store, &server, 0, Job::Publish(Publish::default())))).await;
    assert!(cells_of(&home.store).await == alone(&server).await);
    assert_eq!(home.keys("staging/").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_publishers_at_once_end_like_a_single_one_on_a_folder() {
    eight_publishers(On::Folder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_publishers_at_once_end_like_a_single_one_on_s3() {
    eight_publishers(On::S3).await;
}

#[tokio::test]
async fn staged_files_deleted_by_a_faster_publish_do_not_fail_a_slower_one() {
    let nobody = Viewers::Exactly(0);
    let options = WorldOptions { events: 600, days: 1, viewers: nobody, ..WorldOptions::default() };
    let server = server_at(later(), &World::new(options), ServerOptions::default());
    let home = Home::new(On::Folder).await;
    run(&home.store, &server, 0, Job::Pull(Selection::default())).await;
    let staged = home.keys("staging/pulls/").await;
    let content: Vec<_> = staged.iter().map(|key| std::fs::read(home.path().join(key)).unwrap()).collect();
    run(&home.store, &server, 0, Job::Publish(Publish::default())).await;
    let published = files(&home.path());
    // The faster one has put everything, and goes on to delete what was staged; before each operation of the slower one, a file.
    for (key, content) in staged.iter().zip(content) {
        std::fs::create_dir_all(home.path().join(key).parent().unwrap()).unwrap();
        std::fs::write(home.path().join(key), content).unwrap();
    }
    let folder = home.path();
    let watcher = move |at: u64| {
        if let Some(key) = staged.get(usize::try_from(at).unwrap()) {
            std::fs::remove_file(folder.join(key)).unwrap();
        }
        async {}.boxed()
    };
    let store: Arc<dyn Store> = Faulty::watched(&home.store, Box::new(watcher));
    run(&store, &server, 0, Job::Publish(Publish::default())).await;
    assert!(files(&home.path()) == published);
}

const LAST: i64 = 700_006;

/// Before one operation of this publish of all other events, each operation in turn, another machine pulls the last event, and
/// then does what `then` says.
async fn amid_a_publish(publish: Publish, usual: u64, then: Option<Job>) {
    let server = Arc::new(world(20));
    let expected = alone(&server).await;
    let others = [609_768, 700_001, 700_002, 700_003, 700_004, 700_005];
    let operations = {
        let home = Home::new(On::Folder).await;
        run(&home.store, &server, 0, pull_of(&others)).await;
        let counting = Faulty::new(&home.store, 0, Fault::None);
        run(&(counting.clone() as Arc<dyn Store>), &server, 0, Job::Publish(publish.clone())).await;
        counting.operations()
    };
    for at in (0..operations).step_by(stride(usual)) {
        let home = Home::new(On::Folder).await;
        run(&home.store, &server, 0, pull_of(&others)).await;
        let (inner, vendor) = (Arc::clone(&home.store), Arc::clone(&server));
        let (then, is_done) = (then.clone(), Arc::new(AtomicBool::new(false)));
        let watcher = move |k| {
            let (inner, vendor, then) = (Arc::clone(&inner), Arc::clone(&vendor), then.clone());
            let is_now = k == at && !is_done.swap(true, Ordering::SeqCst);
            async move {
                let other = move || {
                    for what in [pull_of(&[LAST])].into_iter().chain(then) {
                        Handle::current().block_on(run(&inner, &vendor, 0, what));
                    }
                };
                if is_now {
                    spawn_blocking(other).await.unwrap();
                }
            }
            .boxed()
        };
        let store: Arc<dyn Store> = Faulty::watched(&home.store, Box::new(watcher));
        run(&store, &server, 0, Job::Publish(publish.clone())).await;
        let published = cells_of(&home.store).await;
        for event in events_of(&home.store).await {
            let is_published = |day| publish.day.is_empty() || publish.day.contains(&day);
            let of_event = |cells: &Cells| {
                let cells = cells.clone().into_iter();
                cells.filter(|((_, day, of), _)| *of == event && is_published(*day)).collect::<Cells>()
            };
            assert!(of_event(&published) == of_event(&expected), "{event}, before operation {at}");
        }
        run(&home.store, &server, 0, Job::Publish(Publish::default())).await;
        assert!(cells_of(&home.store).await == expected, "before operation {at}");
        assert_eq!(home.keys("staging/").await, [""; 0]);
    }
}

#[tokio::test]
async fn files_staged_during_a_publish_of_their_day_go_in_with_it_or_with_the_next() {
    Box::pin(amid_a_publish(Publish::default(), 11, None)).await;
}

#[tokio::test]
async fn an_event_is_never_in_the_lake_without_its_rows() {
    let cells = alone(&world(20)).await;
    let (_, day, _) =
        cells.keys().find(|(table, _, event)| (*table, *event) == (Table::ViewerDetails, LAST)).unwrap();
    Box::pin(amid_a_publish(Publish { day: vec![*day] }, 2, None)).await;
}

#[tokio::test]
async fn cells_published_during_another_publish_of_their_day_stay() {
    Box::pin(amid_a_publish(Publish::default(), 11, Some(Job::Publish(Publish::default())))).await;
}

#[tokio::test]
async fn an_old_pull_that_is_published_after_a_new_one_changes_nothing() {
    let (few, many) = (world(5), world(30));
    let home = Home::new(On::Folder).await;
    run(&home.store, &few, 0, Job::Pull(Selection::default())).await;
    // The staged files of a machine that is asleep.
    let mut asleep = BTreeMap::new();
    for key in home.keys("staging/").await {
        asleep.insert(key.clone(), home.store.get(&key).await.unwrap().unwrap().0);
        home.store.delete(&key).await.unwrap();
    }
    let all = all_days();
    run(&home.store, &many, 2, sync_of(all)).await;
    let expected = cells_of(&home.store).await;
    for (key, content) in asleep {
        home.store.put(&key, content, Condition::Absent).await.unwrap();
    }
    run(&home.store, &many, 3, Job::Publish(Publish::default())).await;
    assert!(cells_of(&home.store).await == expected);
    assert_eq!(home.keys("staging/").await, [""; 0]);
}

#[tokio::test]
async fn the_same_cells_are_the_same_bytes_whatever_the_concurrency() {
    let server = world(40);
    let mut lakes = Vec::new();
    for concurrency in [1, 2, 8] {
        let home = Home::new(On::Folder).await;
        let mut config = config(&server, Path::new("unused"));
        config.concurrency = concurrency;
        let store = Arc::clone(&home.store);
        let context = Context::over(store, config, Clock::Fixed(later()), Progress::hidden()).unwrap();
        assert!(sync().run(&context).await.unwrap().ok);
        let lake = files(&home.path().join("lake")).into_iter();
        // `pulls` has the name of the run, and the vendor's ID of each request.
        let lake = lake.map(|(path, content)| (path.strip_prefix(home.path()).unwrap().to_owned(), content));
        lakes.push(lake.filter(|(path, _)| !path.starts_with("lake/pulls")).collect::<Vec<_>>());
    }
    assert!(lakes[0].len() > 20);
    assert!(lakes[0] == lakes[1] && lakes[0] == lakes[2]);
}
