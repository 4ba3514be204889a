//! Ledgers that were damaged or lost, a lake that is gone, and a clock that went back: they are reported, and what was known is
//! recovered.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rollcall::config::{Config, Rosters};
use rollcall::error::Kind;
use rollcall::job::Job;
use rollcall::job::selection::Selection;
use rollcall::load::ledger::{Closing, Ledger};
use rollcall::transform::event::Event;
use serde_json::json;
use simulator::ServerOptions;

use crate::support::command::{Desk, files};
use crate::support::lake::{cells_of, ledger};
use crate::support::run::{
    HOUR, config, errors, job, later, server_at, small_world, sync, sync_all, sync_of,
};
use crate::support::status::{names, status_of};
use crate::support::stores::{Home, On};
use crate::support::vendor_lists::{VendorAnswers, try_run};

#[tokio::test]
async fn a_damaged_ledger_is_named_and_the_other_events_are_visited() {
    let home = Home::new(On::Folder).await;
    let (world, first): (_, Timestamp) = (small_world(8), "2022-10-28T00:00:00Z".parse().unwrap());
    let sync = async |hours: i32| {
        let now = first + HOUR * hours;
        let server = server_at(now, &world, ServerOptions::default());
        let all = sync_of(Selection::default());
        job(&home.store, config(&server, Path::new("unused")), now, all).await.unwrap()
    };
    let report = sync(0).await;
    assert!(report.ok);
    let known = report.events.known;
    let victim = home.keys("ledger/active/").await.remove(0);
    std::fs::write(home.path().join(&victim), "{\"format\":1,").unwrap();
    let report = sync(25).await;
    assert!(!report.ok && errors(&report).iter().all(|error| error.contains(&victim)), "{report:?}");
    assert_eq!(report.events.complete, known - 1);
}

#[tokio::test]
async fn a_lost_ledger_is_rebuilt_from_the_lake() {
    let first: Timestamp = "2022-11-02T00:00:00Z".parse().unwrap();
    let world = small_world(6);
    let home = Home::new(On::Folder).await;
    let sync = async |now: Timestamp| {
        let server = server_at(now, &world, ServerOptions::default());
        let all = sync_of(Selection::default());
        let report = job(&home.store, config(&server, Path::new("unused")), now, all).await.unwrap();
        assert!(report.ok, "{:?}", report.failures);
        report
    };
    let ledgers = || {
        let read = |path: PathBuf| serde_json::from_slice::<Ledger>(&std::fs::read(path).unwrap()).unwrap();
        let folder = |name| std::fs::read_dir(home.path().join("ledger").join(name)).into_iter().flatten();
        let mut all: Vec<Ledger> =
            folder("active").chain(folder("closed")).map(|entry| read(entry.unwrap().path())).collect();
        all.sort_by_key(|ledger| ledger.event.event_id);
        all
    };
    for hours in [0, 30, 60] {
        sync(first + HOUR * hours).await;
    }
    let (before, cells) = (ledgers(), cells_of(&home.store).await);
    std::fs::remove_dir_all(home.path().join("ledger")).unwrap();
    // With another zone its days would not fit.
    let server = server_at(first, &world, ServerOptions::default());
    let mut other = config(&server, Path::new("unused"));
    other.zone = rollcall::calendar::Zone::parse("UTC").unwrap();
    let error = job(&home.store, other, first + HOUR * 61, sync_of(Selection::default())).await.unwrap_err();
    assert_eq!(error.kind(), Kind::OtherLake, "{error}");
    // Nothing is due an hour after the last visit: the ledger says so again.
    let report = sync(first + HOUR * 60 + HOUR / 2).await;
    // Each list is read in four spans, as far back as on a first run, because how far they were read is lost, too. In one span
    // there are events, so the page after them is asked for as well.
    assert_eq!((report.events.due, report.requests.requests), (0, 9));
    let after = ledgers();
    assert!(before.len() > 4 && before.len() == after.len());
    for (before, after) in before.iter().zip(&after) {
        let expected = Ledger {
            first_seen: after.first_seen,
            days: after.days.clone(),
            snapshot: after.snapshot,
            ..before.clone()
        };
        assert_eq!(*after, expected);
        let answers = |ledger: &Ledger| {
            let days = ledger.days.iter().map(|(day, at)| (*day, at.lives, at.interactions, at.rejects));
            (
                days.collect::<Vec<_>>(),
                ledger.snapshot.map(|snapshot| snapshot.viewer_details).unwrap_or_default(),
            )
        };
        assert_eq!(answers(before), answers(after));
    }
    assert!(cells_of(&home.store).await == cells);
    // From here on it is as if nothing had happened.
    sync(later()).await;
    let once = Home::new(On::Folder).await;
    let server = server_at(later(), &world, ServerOptions::default());
    let all = sync_of(Selection::default());
    assert!(job(&once.store, config(&server, Path::new("unused")), later(), all).await.unwrap().ok);
    assert!(cells_of(&home.store).await == cells_of(&once.store).await);
}

#[tokio::test]
async fn an_event_that_is_only_staged_is_visited_again_if_its_ledger_is_lost_before_it_is_published() {
    let (desk, world) = (Desk::new(), small_world(6));
    let server = server_at(later(), &world, ServerOptions::default());
    let config = || config(&server, &desk.store());
    let chosen = Selection { event: vec![700_001], accept_shrink: true, ..Selection::default() };
    assert!(job(&desk.open(), config(), later(), Job::Pull(chosen)).await.unwrap().ok);
    std::fs::remove_dir_all(desk.store().join("ledger")).unwrap();
    let report = sync(config(), later() + HOUR, Selection::default()).await.unwrap();
    assert!(report.ok, "{:?}", report.failures);
    let rebuilt = ledger(&desk, 700_001).await.unwrap();
    assert_eq!(rebuilt.closed, Some(Closing::Complete), "{rebuilt:?}");
}

#[tokio::test]
async fn a_clock_that_went_back_is_reported_and_later_visits_still_get_later_times() {
    let first: Timestamp = "2022-10-28T00:00:00Z".parse().unwrap();
    let server = server_at(first, &small_world(4), ServerOptions::default());
    let home = Home::new(On::Folder).await;
    let sync = async |now: Timestamp, selection: Selection| {
        job(&home.store, config(&server, Path::new("unused")), now, sync_of(selection)).await.unwrap()
    };
    assert!(sync(first, Selection::default()).await.ok);
    let cells = cells_of(&home.store).await;
    let report = sync(first - HOUR * 48, Selection::default()).await;
    let [error] = errors(&report)[..] else { panic!("{:?}", errors(&report)) };
    assert!(error.contains("the clock says 2022-10-26T00:00:00Z") && error.contains("hint: "), "{error}");
    // A chosen event is visited all the same, at a time after its last visit.
    let chosen = Selection { event: vec![700_001], ..Selection::default() };
    assert!(sync(first - HOUR * 48, chosen).await.ok);
    let ledger = std::fs::read(home.path().join("ledger/active/700001.json")).unwrap();
    let ledger: Ledger = serde_json::from_slice(&ledger).unwrap();
    assert_eq!(ledger.last_visit, Some(first + jiff::SignedDuration::from_millis(1)));
    assert!(cells_of(&home.store).await == cells);
}

#[tokio::test]
async fn a_lake_that_is_gone_is_a_problem_even_if_no_event_is_visited_any_more() {
    let (desk, world) = (Desk::new(), small_world(6));
    let server = server_at(later(), &world, ServerOptions::default());
    sync_all(config(&server, &desk.store()), later()).await;
    std::fs::remove_dir_all(desk.store().join("lake")).unwrap();
    let status = status_of(&world, &desk.store(), later() + HOUR).await.unwrap();
    assert_eq!((status.events.open, names(&status.problems)), (0, vec!["lake"]), "{status}");
    assert!(!status.ok && status.complete_through.is_none(), "{status}");
    assert!(
        status.to_string().starts_with("complete   not known, because nothing is left of the lake\n"),
        "{status}"
    );
    // An event that was cancelled before it began left nothing to be lost.
    let closed = desk.store().join("ledger/closed");
    std::fs::remove_dir_all(&closed).unwrap();
    std::fs::create_dir_all(&closed).unwrap();
    let never = Ledger { closed: Some(Closing::Cancelled), ..Ledger::new(Event::unknown(7), later()) };
    std::fs::write(closed.join("7.json"), serde_json::to_vec(&never).unwrap()).unwrap();
    let status = status_of(&world, &desk.store(), later() + HOUR).await.unwrap();
    assert!(status.ok && status.events.closed == 1, "{status}");
}

#[tokio::test]
async fn a_run_whose_clock_is_far_ahead_is_refused_and_closes_no_event() {
    let (desk, world) = (Desk::new(), small_world(6));
    let before: Timestamp = "2022-10-20T00:00:00Z".parse().unwrap();
    for (ahead, is_refused) in [(400 * 24, true), (13, true), (12, false)] {
        for selection in [Selection::default(), Selection { event: vec![700_001], ..Selection::default() }] {
            let server = server_at(before, &world, ServerOptions::default());
            let outcome = sync(config(&server, &desk.store()), before + HOUR * ahead, selection).await;
            assert_eq!(outcome.is_err(), is_refused, "{ahead}");
            if let Err(error) = outcome {
                assert!(
                    error.kind() == Kind::Clock && error.to_string().contains("set the clock"),
                    "{error}"
                );
                assert!(files(&desk.store()).is_empty(), "nothing was written");
            }
        }
    }
    // Without a list, or with answers that state no time, the date in the answers' header tells the time.
    let desk = Desk::new();
    let file = desk.path().join("own.csv");
    std::fs::write(&file, "event_id\n700001\n").unwrap();
    let (file, now) = (Some(file.to_str().unwrap().to_owned()), Timestamp::now());
    for rosters in [
        Rosters { edited: true, public: true, file: None },
        Rosters { edited: false, public: false, file: file.clone() },
    ] {
        let server = server_at(now, &world, ServerOptions { timeless: true, ..ServerOptions::default() });
        let config = Config { rosters, ..config(&server, &desk.store()) };
        let error = sync(config, now + HOUR * 13, Selection::default()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Clock, "{error}");
    }
    let pull = |now| {
        let server =
            server_at(Timestamp::now(), &world, ServerOptions { timeless: true, ..ServerOptions::default() });
        let from = Some("2022-10-01".parse().unwrap());
        let planned = Selection { event: vec![700_001], from, planned_at: Some(now), ..Selection::default() };
        let (store, config) = (desk.open(), config(&server, &desk.store()));
        async move { (job(&store, config, now, Job::Pull(planned)).await.unwrap(), server) }
    };
    let server = server_at(now, &world, ServerOptions::default());
    let rosters = Rosters { edited: false, public: false, file };
    let own = Config { rosters, ..config(&server, &desk.store()) };
    sync_all(own, now - HOUR * 24).await;
    let known = ledger(&desk, 700_001).await.unwrap();
    let (report, _) = pull(now + HOUR * 13).await;
    assert_eq!(errors(&report).len(), 1, "{report:?}");
    assert!(report.failures[0].kind == Kind::Clock && ledger(&desk, 700_001).await.unwrap() == known);
    let desk = Desk::new();
    // An event that is waiting for its end is not given up by such a clock.
    let listed = json!({ "eventId": 1, "startTime": before.as_second() });
    let says =
        || VendorAnswers { edited: vec![listed.clone()], time: Some(before), ..VendorAnswers::default() };
    let lists = || Rosters { edited: true, public: true, file: None };
    assert!(try_run(&desk.open(), before, says(), lists(), Selection::default()).await.0.is_ok());
    let much_later = before + HOUR * (400 * 24);
    assert!(try_run(&desk.open(), much_later, says(), lists(), Selection::default()).await.0.is_err());
    assert_eq!(ledger(&desk, 1).await.unwrap().closed, None);
}
