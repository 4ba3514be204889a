//! The vendor forgets old reports; the lake does not, unless it is told to.

use std::sync::Arc;

use rollcall::config::Config;
use rollcall::error::Kind;
use rollcall::job::selection::Selection;
use rollcall::job::{Forget, Job, Publish, Replay};
use rollcall::load::ledger::ledgers::Ledgers;
use rollcall::load::store::Store;
use rollcall::report::Report;
use rollcall::transform::tables::Table;
use simulator::{ServerOptions, Viewers, World, WorldOptions};

use crate::support::command::{Desk, files};
use crate::support::faults::faults;
use crate::support::faulty::{Fault, Faulty, stride};
use crate::support::lake::{Cells, cells};
use crate::support::policies::policy;
use crate::support::run::{HOUR, config, job, later, server_at, sync, sync_of};
use crate::support::status::{names, status_of};

const EVENT: i64 = 700_001;

/// The same event, seen by this many viewers.
fn world(viewers: u64) -> World {
    let viewers = Viewers::Exactly(viewers);
    World::new(WorldOptions { events: 1, days: 1, viewers, ..WorldOptions::default() })
}

/// Pulls the event at this hour, when it has this many viewers, and returns the lake.
async fn pull(desk: &Desk, hour: i32, viewers: u64, accept_shrink: bool) -> Cells {
    let selection = Selection { event: vec![EVENT], accept_shrink, ..Selection::default() };
    pull_as(desk, hour, viewers, selection).await
}

async fn pull_as(desk: &Desk, hour: i32, viewers: u64, selection: Selection) -> Cells {
    report_of(desk, hour, viewers, selection).await;
    cells(&desk.store()).await
}

async fn report_of(desk: &Desk, hour: i32, viewers: u64, selection: Selection) -> Report {
    let now = later() + HOUR * hour;
    let server = server_at(now, &world(viewers), ServerOptions::default());
    let report = sync(config(&server, &desk.store()), now, selection).await.unwrap();
    assert!(report.ok, "{:?}", report.failures);
    report
}

/// Cells with rows: an accepted empty one stays in the index.
fn with_rows(cells: Cells) -> Cells {
    cells.into_iter().filter(|(_, (rows, _))| *rows > 0).collect()
}

#[tokio::test]
async fn a_settled_day_shrinks_only_when_it_is_told_to_and_grows_again_by_itself() {
    let few = pull(&Desk::new(), 0, 5, false).await;
    let desk = Desk::new();
    let many = pull(&desk, 0, 40, false).await;
    assert!(few.len() > 1 && many.len() > few.len());
    // Fewer viewers are not believed, however often that is answered; nor is their absence.
    assert!(pull(&desk, 1, 5, false).await == many);
    assert!(pull(&desk, 2, 5, false).await == many);
    assert!(pull(&desk, 3, 0, false).await == many);
    // If the run is told to, they are, even if the last answer was as small already; after that, a smaller one is again not
    // believed.
    assert!(with_rows(pull(&desk, 4, 5, true).await) == few);
    assert!(with_rows(pull(&desk, 5, 0, false).await) == few);
    assert!(with_rows(pull(&desk, 6, 40, false).await) == many);
    assert!(with_rows(pull(&desk, 7, 0, true).await).is_empty());
}

#[tokio::test]
async fn a_day_is_not_emptied_by_an_answer_that_lacks_an_array_of_which_the_snapshot_has_records() {
    let desk = Desk::new();
    let many = pull(&desk, 0, 40, false).await;
    let viewings = |cells: Cells| -> Cells {
        with_rows(cells).into_iter().filter(|((table, ..), _)| *table == Table::Lives).collect()
    };
    let (_, day, _) = *viewings(many.clone()).keys().next().unwrap();
    let blank = format!("null-array=lives@day:{EVENT}:{day}");
    // Nor if no snapshot can say what there is.
    for (hour, without) in [(1, None), (2, Some(format!("code=400@snapshot,event:{EVENT}")))] {
        let now = later() + HOUR * hour;
        let texts: Vec<&str> = [blank.as_str()].into_iter().chain(without.as_deref()).collect();
        let server = server_at(now, &world(40), faults(&texts));
        let selection = Selection { event: vec![EVENT], accept_shrink: true, ..Selection::default() };
        let report = sync(config(&server, &desk.store()), now, selection).await.unwrap();
        assert!(!report.ok && report.owed[&EVENT].contains(&day.to_string()), "{:?}", report.owed);
        assert!(viewings(cells(&desk.store()).await) == viewings(many.clone()), "{texts:?}");
    }
    // Nor viewers by an answer that has only viewings, nor anything by a vendor that answers nothing at all.
    for (hour, text) in
        [(3, "null-array=viewerDetails@snapshot".to_owned()), (4, format!("code=200@event:{EVENT}"))]
    {
        let now = later() + HOUR * hour;
        let server = server_at(now, &world(40), faults(&[&text]));
        let selection = Selection { event: vec![EVENT], accept_shrink: true, ..Selection::default() };
        sync(config(&server, &desk.store()), now, selection).await.unwrap();
        let found = with_rows(cells(&desk.store()).await);
        assert!(found == with_rows(many.clone()), "{text}");
    }
    // What the snapshot has no records of either, there is not.
    let now = later() + HOUR * 5;
    let server = server_at(now, &world(0), faults(&[&blank]));
    let selection = Selection { event: vec![EVENT], accept_shrink: true, ..Selection::default() };
    assert!(sync(config(&server, &desk.store()), now, selection).await.unwrap().ok);
    assert!(viewings(cells(&desk.store()).await).is_empty());
}

#[tokio::test]
async fn the_first_answer_after_a_day_settled_stands_even_if_it_says_nothing_new() {
    let desk = Desk::new();
    // An hour after the day's end, when it is not settled yet; the vendor's clock stands still from then on.
    let fresh = "2022-10-20T17:00:00Z".parse::<jiff::Timestamp>().unwrap();
    let selection = || Selection { event: vec![EVENT], ..Selection::default() };
    let mut found = Vec::new();
    for (hours, viewers) in [(0, 40), (11, 40), (12, 5)] {
        let server = server_at(fresh, &world(viewers), ServerOptions::default());
        let report = sync(config(&server, &desk.store()), fresh + HOUR * hours, selection()).await.unwrap();
        assert!(report.ok && report.rows > 0, "{:?}", report.failures);
        found.push(cells(&desk.store()).await);
    }
    assert!(found[0].len() > 2 && found[1] == found[0]);
    assert!(found[2] == found[0], "settled days do not shrink");
}

#[tokio::test]
async fn an_answer_with_less_than_before_is_noted_in_the_status() {
    let desk = Desk::new();
    let now = "2022-10-21T05:00:00Z".parse::<jiff::Timestamp>().unwrap();
    for (hours, viewers) in [(0, 40), (1, 5)] {
        let server = server_at(now, &world(viewers), ServerOptions::default());
        let selection = Selection { event: vec![EVENT], ..Selection::default() };
        sync(config(&server, &desk.store()), now + HOUR * hours, selection).await.unwrap();
        let status = status_of(&world(viewers), &desk.store(), now + HOUR * hours).await.unwrap();
        assert_eq!(names(&status.notes).contains(&"fewer"), hours > 0, "{status}");
    }
}

#[tokio::test]
async fn only_the_chosen_days_shrink() {
    let few = pull(&Desk::new(), 0, 5, false).await;
    let desk = Desk::new();
    let many = pull(&desk, 0, 40, false).await;
    let (_, event_day, _) = *many.keys().find(|(table, ..)| *table == Table::ViewerDetails).unwrap();
    let is_other = |(table, day, _): &&_| *table == Table::Lives && *day != event_day;
    let (_, chosen, _) = *few.keys().find(is_other).unwrap();
    let selection =
        Selection { from: Some(chosen), to: Some(chosen), accept_shrink: true, ..Selection::default() };
    let after = pull_as(&desk, 1, 5, selection).await;
    for (place, cell) in &many {
        let (_, day, _) = *place;
        let expected = if day == chosen { few.get(place) } else { Some(cell) };
        let found = after.get(place).filter(|(rows, _)| *rows > 0);
        assert!(found == expected, "{place:?}");
    }
    assert!(after != many);
}

/// A lake of 40 viewers. Its next pull, an hour later and with the archive on, accepts this many viewers, and dies at this
/// operation. Also returns whether it reached its end before that.
async fn dying(at: u64, viewers: u64) -> (Desk, bool) {
    let desk = Desk::new();
    pull(&desk, 0, 40, false).await;
    let (now, server) = (later() + HOUR, server_at(later(), &world(viewers), ServerOptions::default()));
    let store = Faulty::new(&desk.open(), at, Fault::Dies);
    let selection = Selection { event: vec![EVENT], accept_shrink: true, ..Selection::default() };
    let archiving = Config { archive: true, ..config(&server, &desk.store()) };
    // What it says does not matter: it died.
    let _ = job(&(Arc::clone(&store) as Arc<dyn Store>), archiving, now, Job::Pull(selection)).await;
    (desk, store.operations() <= at)
}

/// The same, and what is staged by then is published.
async fn dying_and_published(at: u64, viewers: u64) -> (Desk, bool) {
    let (desk, is_through) = dying(at, viewers).await;
    let server = server_at(later(), &world(viewers), ServerOptions::default());
    let publish = Job::Publish(Publish::default());
    job(&desk.open(), config(&server, &desk.store()), later() + HOUR, publish).await.unwrap();
    (desk, is_through)
}

#[tokio::test]
async fn an_acceptance_killed_at_any_operation_neither_freezes_a_day_nor_returns_with_a_replay() {
    let grown = with_rows(pull(&Desk::new(), 3, 60, false).await);
    let server = server_at(later(), &world(60), ServerOptions::default());
    let mut times = 0;
    for at in (0..).step_by(stride(9)) {
        let (desk, is_through) = dying_and_published(at, 5).await;
        assert!(with_rows(pull(&desk, 3, 60, false).await) == grown, "{at}");
        let replay = Job::Replay(Replay { all: true, ..Replay::default() });
        let report = job(&desk.open(), config(&server, &desk.store()), later() + HOUR * 4, replay).await;
        // If it died early, nothing is archived.
        assert!(report.map_or_else(|error| error.kind() == Kind::Usage, |report| report.ok), "{at}");
        assert!(with_rows(cells(&desk.store()).await) == grown, "{at}");
        times += 1;
        if is_through {
            break;
        }
    }
    assert!(times > 4, "{times}");
}

#[tokio::test]
async fn an_acceptance_that_was_killed_freezes_no_day_though_all_ledgers_are_lost_before_it_is_published() {
    let grown = with_rows(pull(&Desk::new(), 3, 60, false).await);
    let mut staged = 0;
    for at in (0..).step_by(stride(9)) {
        let (desk, is_through) = dying(at, 5).await;
        staged += usize::from(!files(&desk.store().join("staging")).is_empty());
        std::fs::remove_dir_all(desk.store().join("ledger")).unwrap();
        assert!(with_rows(pull(&desk, 3, 60, false).await) == grown, "{at}");
        if is_through {
            break;
        }
    }
    assert!(staged > 1, "{staged}");
}

#[tokio::test]
async fn a_day_that_a_killed_run_noted_as_accepted_to_be_empty_is_emptied_by_the_next_visit() {
    let mut carried_out = 0;
    for at in (0..).step_by(stride(9)) {
        let (desk, is_through) = dying_and_published(at, 0).await;
        let ledgers = Ledgers::new(desk.open());
        let noted = ledgers.find(EVENT).await.unwrap().unwrap().ledger.days;
        let lake = pull(&desk, 3, 0, false).await;
        for (day, known) in noted {
            let rows = lake.iter().filter(|((table, of, _), _)| *table != Table::ViewerDetails && *of == day);
            let rows = rows.map(|(_, (rows, _))| rows).sum::<u64>();
            assert_eq!(rows == 0, known.accepted_at.is_some(), "{at} {day}");
            carried_out += u64::from(rows == 0);
        }
        if is_through {
            break;
        }
    }
    assert!(carried_out > 3, "{carried_out}");
}

#[tokio::test]
async fn a_shrunken_cell_is_reported_once_and_an_emptied_or_accepted_one_not_at_all() {
    let desk = Desk::new();
    let mut told = Vec::new();
    for (hour, viewers, accept_shrink) in
        [(0, 40, false), (1, 5, false), (2, 5, false), (3, 0, false), (4, 40, false), (5, 5, true)]
    {
        let selection = Selection { event: vec![EVENT], accept_shrink, ..Selection::default() };
        told.push(report_of(&desk, hour, viewers, selection).await.shrunk > 0);
    }
    assert_eq!(told, [false, true, false, false, false, false]);
    // Before the day has settled, the lake takes what there is, and nothing needs to be accepted.
    let desk = Desk::new();
    let ended = world(40).event(EVENT.unsigned_abs()).unwrap().end_time;
    for (hour, viewers) in [(0, 40), (1, 5)] {
        let now = jiff::Timestamp::from_second(ended).unwrap() + HOUR * (hour + 2);
        let server = server_at(now, &world(viewers), ServerOptions::default());
        let selection = Selection { event: vec![EVENT], ..Selection::default() };
        let report = sync(config(&server, &desk.store()), now, selection).await.unwrap();
        assert!(report.ok && report.rows > 0 && report.shrunk == 0, "{report:?}");
    }
    let few = cells(&desk.store()).await;
    assert!(
        few.iter().all(|((table, ..), (rows, _))| *table != Table::ViewerDetails || *rows <= 5),
        "{few:?}"
    );
}

#[tokio::test]
async fn a_shrunken_cell_is_reported_even_if_somebody_is_to_be_forgotten() {
    let policy = policy(r#"{"base": "open"}"#);
    let event = world(5).event(EVENT.unsigned_abs()).unwrap();
    let mobile = event.viewers().find_map(|viewer| viewer.mobile).unwrap();
    let forget = Forget { viewer: vec![mobile], dry_run: false };
    let mut told = Vec::new();
    for forgets in [false, true] {
        let desk = Desk::new();
        for (hour, viewers) in [(0, 40), (2, 40), (3, 39)] {
            let now = later() + HOUR * hour;
            let server = server_at(now, &world(viewers), ServerOptions::default());
            let config = || Config { policy: Arc::clone(&policy), ..config(&server, &desk.store()) };
            let chosen = sync_of(Selection { event: vec![EVENT], ..Selection::default() });
            let report = job(&desk.open(), config(), now, chosen).await.unwrap();
            assert!(report.ok, "{:?}", report.failures);
            told.push(report.shrunk);
            if forgets && hour == 0 {
                job(&desk.open(), config(), now + HOUR, Job::Forget(forget.clone())).await.unwrap();
            }
        }
    }
    let (without, with) = told.split_at(3);
    assert_eq!(without, with);
    assert!(told[..2] == [0, 0] && told[2] > 0, "{told:?}");
}
