//! Objects that were damaged, moved or written by another version: they are reported, never guessed at, and everything else goes
//! on.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::{FutureExt, future};
use jiff::SignedDuration;
use jiff::civil::Date;
use rollcall::calendar::Zone;
use rollcall::error::Kind;
use rollcall::job::selection::Selection;
use rollcall::job::{Job, Publish, Upgrade};
use rollcall::load::keys;
use rollcall::load::ledger::ledgers::Ledgers;
use rollcall::load::store::Store;
use rollcall::transform::tables::Table;
use simulator::{ServerOptions, Viewers, World, WorldOptions};

use crate::support::faulty::Faulty;
use crate::support::lake::{cells_of, events_of};
use crate::support::parquet::{metadata, rewrite};
use crate::support::run::{HOUR, config, errors, job, later, server_at, small_world, sync_of};
use crate::support::scenes::WholeLake;
use crate::support::stores::{Home, On};

#[tokio::test]
async fn an_index_that_is_lost_or_damaged_is_rebuilt_from_the_rows() {
    for metadata in [&[][..], &[("rollcall.format", "1"), ("rollcall.cells", "[{]")]] {
        let mut scene = WholeLake::new().await;
        let day = scene.day();
        for table in [Table::Lives, Table::Interactions] {
            rewrite(&scene.object(table, day), metadata, &[]);
        }
        assert!(scene.is_whole().await, "a reader of the lake sees no difference");
        // More events on the same days: the objects are merged with theirs.
        scene.server = server_at(later(), &small_world(12), ServerOptions::default());
        assert_eq!(errors(&scene.sync_all(2).await), [""; 0]);
        scene.cells = scene.cells_pulled_alone().await;
        assert!(scene.is_whole().await);
        assert!(self::metadata(&scene.object(Table::Lives, day), "rollcall.cells").is_some());
    }
}

#[tokio::test]
async fn what_a_newer_version_wrote_is_left_alone_and_the_other_days_are_still_published() {
    let mut scene = WholeLake::new().await;
    let day = scene.day();
    let path = scene.object(Table::Lives, day);
    let cells = metadata(&path, "rollcall.cells").unwrap();
    rewrite(&path, &[("rollcall.format", "2"), ("rollcall.cells", &cells)], &[]);
    let newer = std::fs::read(&path).unwrap();
    let events = std::fs::read(scene.object(Table::Events, day)).unwrap();
    scene.server = server_at(later(), &small_world(12), ServerOptions::default());
    let report = scene.sync_all(2).await;
    let [error] = errors(&report)[..] else { panic!("{:?}", errors(&report)) };
    assert!(error.contains("format 2") && error.contains("hint: upgrade rollcall"), "{error}");
    assert!(error.contains(&format!("day: {day}")), "{error}");
    assert!(std::fs::read(&path).unwrap() == newer);
    let is_waiting =
        scene.home.keys("staging/events/").await.iter().any(|key| key.contains(&day.to_string()));
    assert!(is_waiting, "an event is not there without its rows");
    assert!(std::fs::read(scene.object(Table::Events, day)).unwrap() == events);
    let staged = scene.home.keys("staging/").await;
    assert!(!staged.is_empty() && staged.iter().all(|key| key.contains(&day.to_string())), "{staged:?}");
    // A newer ledger, and a newer lake.
    let ledger = scene.path("ledger/closed/700001.json");
    let document = std::fs::read_to_string(&ledger).unwrap();
    std::fs::write(&ledger, document.replace("\"format\":1", "\"format\":2")).unwrap();
    let one = Selection { event: vec![700_001], ..Selection::default() };
    let report = scene.run(later() + HOUR * 3, Job::Pull(one)).await.unwrap();
    let [error] = errors(&report)[..] else { panic!("{:?}", errors(&report)) };
    assert!(error.contains("format 2") && error.contains("700001"), "{error}");
    let lake = scene.path("ledger/lake.json");
    let document = std::fs::read_to_string(&lake).unwrap();
    std::fs::write(&lake, document.replace("\"format\":1", "\"format\":2")).unwrap();
    for what in
        [sync_of(Selection::default()), Job::Publish(Publish::default()), Job::Upgrade(Upgrade::default())]
    {
        assert_eq!(scene.run(later() + HOUR * 3, what).await.unwrap_err().kind(), Kind::Newer);
    }
}

#[tokio::test]
async fn an_object_that_is_not_parquet_or_of_another_day_stops_only_its_day_and_can_be_pulled_again() {
    type Damage = fn(&Path, &Path);
    let damages: [(Damage, &str); 4] = [
        (|path, _| std::fs::write(path, "no Parquet").unwrap(), "Parquet"),
        (|path, _| std::fs::write(path, "").unwrap(), "Parquet"),
        (
            |path, _| {
                let content = std::fs::read(path).unwrap();
                std::fs::write(path, &content[..content.len() / 2]).unwrap();
            },
            "Parquet",
        ),
        (|path, other| std::fs::copy(other, path).map(|_| ()).unwrap(), "moved by hand"),
    ];
    for (damage, message) in damages {
        let mut scene = WholeLake::new().await;
        let days: Vec<Date> =
            scene.cells.keys().filter(|(table, ..)| *table == Table::Lives).map(|(_, day, _)| *day).collect();
        // A day on which there were only replays.
        let (day, other) = (*days.last().unwrap(), days[0]);
        let path = scene.object(Table::Lives, day);
        damage(&path, &scene.object(Table::Lives, other));
        let report = scene.run(later() + HOUR, Job::Upgrade(Upgrade::default())).await.unwrap();
        let [error] = errors(&report)[..] else { panic!("{:?}", errors(&report)) };
        assert!(error.contains(message) && error.contains(&format!("dt={day}")), "{error}");
        scene.server = server_at(later(), &small_world(12), ServerOptions::default());
        let report = scene.sync_all(1).await;
        let [error] = errors(&report)[..] else { panic!("{:?}", errors(&report)) };
        assert!(error.contains(message) && error.contains(&format!("dt={day}")), "{error}");
        assert!(error.contains("hint: "), "{error}");
        // What the hint says: delete it, and pull its day again.
        std::fs::remove_file(&path).unwrap();
        let chosen = Selection { from: Some(day), to: Some(day), ..Selection::default() };
        let report = scene.run(later() + HOUR * 2, sync_of(chosen)).await.unwrap();
        assert_eq!(errors(&report), [""; 0]);
        scene.cells = scene.cells_pulled_alone().await;
        assert!(scene.is_whole().await);
    }
}

#[tokio::test]
async fn the_loss_of_an_object_is_reported_even_if_later_visits_stage_nothing_or_other_rows() {
    // Days with several events, of which nobody watched one.
    let world = small_world(32);
    let mut scene = WholeLake::new().await;
    scene.server = server_at(later(), &world, ServerOptions::default());
    assert!(scene.sync_all(1).await.ok);
    scene.cells = cells_of(&scene.home.store).await;
    let one = |event| sync_of(Selection { event: vec![event], ..Selection::default() });
    let with = |table: Table, day: Date| -> Vec<i64> {
        let cells = scene.cells.keys().filter(|(of, at, _)| (*of, *at) == (table, day));
        cells.map(|(.., event)| *event).collect()
    };
    let (mut nobody, mut day) = (0, Date::MIN);
    for event in world.events().filter(|event| !event.cancelled && event.sessions().next().is_none()) {
        let event = i64::try_from(event.id).unwrap();
        let of = Ledgers::new(scene.home.store.clone()).find(event).await.unwrap().unwrap().ledger;
        if with(Table::Lives, of.event_day.unwrap()).len() > with(Table::Lives, day).len() {
            (nobody, day) = (event, of.event_day.unwrap());
        }
    }
    for (begin, table) in [(HOUR * 2, Table::Lives), (HOUR * 3, Table::ViewerDetails)] {
        let events = with(table, day);
        assert!(events.len() > 1, "{table:?} {day}");
        let path = scene.object(table, day);
        std::fs::remove_file(&path).unwrap();
        let at = |minutes: i64| later() + begin + SignedDuration::from_mins(minutes);
        // A visit that stages nothing of this table.
        let report = scene.run(at(0), one(nobody)).await.unwrap();
        let [error] = errors(&report)[..] else { panic!("{:?}", errors(&report)) };
        assert!(
            error.contains(&keys::object(table, day)) && error.contains("the object is missing"),
            "{error}"
        );
        assert!(error.contains(&format!("events: {}", events.len())), "{error}");
        assert!(!path.exists());
        // A visit that stages the rows of its own event.
        let report = scene.run(at(1), one(events[0])).await.unwrap();
        let [error] = errors(&report)[..] else { panic!("{:?}", errors(&report)) };
        assert!(error.contains(&format!("events: {}", events.len() - 1)), "{error}");
        // What the hint says.
        let chosen = Selection { from: Some(day), to: Some(day), ..Selection::default() };
        assert_eq!(errors(&scene.run(at(2), sync_of(chosen)).await.unwrap()), [""; 0]);
        assert!(scene.is_whole().await, "{table:?}");
    }
    // Visits cannot be asked for again: what is new of them is there, and the loss is told once.
    let visited = later() + HOUR * 4;
    let of_pulls = scene.object(Table::Pulls, Zone::parse("Asia/Shanghai").unwrap().day_of(visited));
    for (minutes, told) in [(0, 0), (1, 1), (2, 0)] {
        if told > 0 {
            std::fs::remove_file(&of_pulls).unwrap();
        }
        let report = scene.run(visited + SignedDuration::from_mins(minutes), one(nobody)).await.unwrap();
        assert_eq!(errors(&report).len(), told, "{minutes} {:?}", errors(&report));
        assert!(of_pulls.exists());
    }
}

#[tokio::test]
async fn the_loss_of_an_object_is_reported_even_if_the_vendor_has_forgotten_what_it_had() {
    const EVENT: i64 = 700_001;
    let world = |viewers| {
        let viewers = Viewers::Exactly(viewers);
        World::new(WorldOptions { events: 1, days: 1, viewers, ..WorldOptions::default() })
    };
    let one = || sync_of(Selection { event: vec![EVENT], ..Selection::default() });
    let upgrade = |accept_loss| Job::Upgrade(Upgrade { accept_loss, ..Upgrade::default() });
    for table in [Table::Lives, Table::Interactions, Table::ViewerDetails] {
        let home = Home::new(On::Folder).await;
        let run = async |hours: i32, viewers, what| {
            let now = later() + HOUR * hours;
            let server = server_at(now, &world(viewers), ServerOptions::default());
            job(&home.store, config(&server, Path::new("unused")), now, what).await.unwrap()
        };
        assert!(run(0, 40, one()).await.ok);
        let ledger = Ledgers::new(home.store.clone()).find(EVENT).await.unwrap().unwrap().ledger;
        let key = keys::object(table, ledger.event_day.unwrap());
        std::fs::remove_file(home.path().join(&key)).unwrap();
        for (hours, what) in (1..).zip([one(), one(), upgrade(false)]) {
            let report = run(hours, 0, what).await;
            let [error] = errors(&report)[..] else { panic!("{table:?} {hours} {:?}", errors(&report)) };
            assert!(error.contains("the object is missing") && error.contains(&key), "{hours} {error}");
        }
        assert!(run(5, 0, upgrade(true)).await.ok, "{table:?}");
    }
}

#[tokio::test]
async fn a_foreign_file_is_named_and_everything_else_goes_on() {
    let mut scene = WholeLake::new().await;
    let day = scene.day();
    for key in [
        format!("lake/lives/dt={day}/copy.parquet"),
        "staging/notes.txt".to_owned(),
        format!("staging/lives/dt={day}/1-1-x.parquet"),
    ] {
        let path = scene.path(&key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "foreign").unwrap();
        scene.server = server_at(later(), &small_world(12), ServerOptions::default());
        let report = scene.sync_all(2).await;
        assert!(!report.ok);
        assert!(
            errors(&report).iter().all(|error| error.contains(&key) && error.contains("hint: ")),
            "{report:?}"
        );
        std::fs::remove_file(&path).unwrap();
        scene.cells = scene.cells_pulled_alone().await;
        assert!(scene.is_whole().await && scene.cells.len() > 20);
    }
}

#[tokio::test]
async fn a_ledger_lost_or_damaged_since_the_plan_fails_only_its_own_visit() {
    const EVENT: i64 = 700_001;
    for (content, error) in [(None, "the ledger is gone"), (Some("{"), "cannot be read")] {
        let server = server_at(later(), &small_world(4), ServerOptions::default());
        let home = Home::new(On::Folder).await;
        let (cursor, ledger) = (home.path().join(keys::ROSTER), home.path().join(keys::active(EVENT)));
        let (path, is_done) = (ledger.clone(), AtomicBool::new(false));
        let watcher = move |_| {
            // The cursor moves when the plan has noted everything.
            if cursor.exists() && !is_done.swap(true, Ordering::SeqCst) {
                match content {
                    Some(content) => std::fs::write(&path, content).unwrap(),
                    None => std::fs::remove_file(&path).unwrap(),
                }
            }
            future::ready(()).boxed()
        };
        let store: Arc<dyn Store> = Faulty::watched(&home.store, Box::new(watcher));
        let config = || config(&server, Path::new("unused"));
        let report = job(&store, config(), later(), sync_of(Selection::default())).await.unwrap();
        assert!(!report.ok);
        assert_eq!(report.failures.len(), 1, "{:?}", report.failures);
        assert_eq!(report.failures[0].event_id, Some(EVENT));
        assert!(errors(&report)[0].contains(error), "{:?}", report.failures);
        let others = events_of(&home.store).await;
        assert!(others.len() > 2 && !others.contains(&EVENT), "{others:?}");
        if content.is_some() {
            std::fs::remove_file(&ledger).unwrap();
        }
        let named = sync_of(Selection { event: vec![EVENT], ..Selection::default() });
        assert!(job(&home.store, config(), later() + HOUR, named).await.unwrap().ok);
        assert!(events_of(&home.store).await.contains(&EVENT));
    }
}
