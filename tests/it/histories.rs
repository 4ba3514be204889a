//! Runs in which anything may go wrong, followed by runs in which nothing does: the lake becomes what it would be if nothing ever
//! had gone wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use rollcall::config::Config;
use rollcall::error::Kind;
use rollcall::job::selection::Selection;
use rollcall::job::{Job, Publish, Replay};
use rollcall::load::ledger::Closing;
use rollcall::load::store::Store;
use rollcall::report::Failure;
use rollcall::transform::tables::Table;
use simulator::{Server, ServerOptions, Viewers, World, WorldOptions};

use crate::support::bad_runs::{BadRun, Chosen, EVENTS, Lost, Vendor, bad_run, vendor};
use crate::support::command::Desk;
use crate::support::faults::faults;
use crate::support::faulty::{Fault, Faulty};
use crate::support::lake::{Cells, cells, ledger, suppressed_records};
use crate::support::run::{HOUR, config, job, server_at, sync, sync_of};

/// When the first run may be; some events have ended by then.
const BEGIN: &str = "2022-10-22T00:00:00Z";
/// When everything goes well again: while some events have just ended, before they are closed, or after that.
const WELL: [&str; 3] = ["2022-10-24T00:00:00Z", "2022-10-28T00:00:00Z", "2022-11-03T00:00:00Z"];
/// How many days of runs in which nothing goes wrong it takes until every event is closed.
const DAYS: i32 = 14;

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn world() -> World {
    let (events, viewers) = (EVENTS.unsigned_abs(), Viewers::Range(3, 40));
    World::new(WorldOptions { events, days: 3, viewers, ..WorldOptions::default() })
}

/// Settings with a short horizon. One event after the other is visited, so that the same history is the same again.
fn settings(server: &Server, desk: &Desk) -> Config {
    Config { horizon: HOUR * (8 * 24), concurrency: 1, ..config(server, &desk.store()) }
}

/// A run in which nothing goes wrong; except that days may keep being doubted if the vendor never shows what they have.
async fn go_well(desk: &Desk, vendor: Vendor, now: Timestamp) {
    let server = server_at(now, &world(), vendor.options(None));
    let report = sync(settings(&server, desk), now, Selection::default()).await.unwrap();
    let is_doubt = |failure: &Failure| vendor.hides_what_days_have() && failure.kind == Kind::BadAnswer;
    assert!(report.failures.iter().all(is_doubt), "{:?}", report.failures);
}

/// A run in which anything may go wrong, whatever comes of it. Returns why each event is closed, of those that are.
async fn go_wrong(desk: &Desk, vendor: Vendor, now: Timestamp, run: &BadRun) -> BTreeMap<i64, Closing> {
    let faults = faults(&run.faults.iter().map(String::as_str).collect::<Vec<_>>()).faults;
    let options = ServerOptions { faults, fault_seed: run.fault_seed, ..vendor.options(run.most_rows) };
    let server = server_at(now, &world(), options);
    let config = Config { archive: run.archives, ..settings(&server, desk) };
    let what = match run.chosen {
        Chosen::Due => sync_of(Selection::default()),
        Chosen::Event(event, accept_shrink) => {
            sync_of(Selection { event: vec![event], accept_shrink, ..Selection::default() })
        }
        Chosen::Days(from, to) => {
            let day = |day| Some(date(2022, 10, day));
            sync_of(Selection { from: day(from), to: day(to), ..Selection::default() })
        }
        Chosen::Pulled => Job::Pull(Selection::default()),
        Chosen::Published => Job::Publish(Publish::default()),
        Chosen::Replayed => Job::Replay(Replay { all: true, ..Replay::default() }),
    };
    let lose_ledgers = |when| {
        if run.loses_ledgers == Some(when) && desk.store().join("ledger").exists() {
            std::fs::remove_dir_all(desk.store().join("ledger")).unwrap();
        }
    };
    lose_ledgers(Lost::Before);
    let (at, fault) = run.store.unwrap_or((0, Fault::None));
    let store: Arc<dyn Store> = Faulty::new(&desk.open(), at, fault);
    let run_at = |now| job(&store, config.clone(), now, what.clone());
    if run.twice {
        let _ = tokio::join!(run_at(now), run_at(now + SignedDuration::from_secs(5)));
    } else {
        let _ = run_at(now).await;
    }
    let closed = closings(desk).await;
    lose_ledgers(Lost::After);
    closed
}

/// Runs in which nothing goes wrong, until every event is closed.
async fn to_the_end(desk: &Desk, vendor: Vendor, from: Timestamp) -> Cells {
    for day in 0..DAYS {
        go_well(desk, vendor, from + HOUR * 25 * day).await;
    }
    with_rows(desk).await
}

/// The cells of a lake, without those that are empty because fewer rows were accepted.
async fn with_rows(desk: &Desk) -> Cells {
    let mut cells = cells(&desk.store()).await;
    cells.retain(|_, (rows, _)| *rows > 0);
    cells
}

/// Why each event is closed, of those that are.
async fn closings(desk: &Desk) -> BTreeMap<i64, Closing> {
    let mut closings = BTreeMap::new();
    for event in world().events() {
        let id = event.id.try_into().unwrap();
        closings.extend(ledger(desk, id).await.and_then(|ledger| Some((id, ledger.closed?))));
    }
    closings
}

/// Bad runs, and then good ones until the end.
async fn ends_well(vendor: Vendor, runs: &[BadRun], well: Timestamp, expected: &Cells) {
    let desk = Desk::new();
    let (mut now, mut before, mut closed) = (instant(BEGIN), Cells::new(), BTreeMap::new());
    // The events of which a user accepted fewer rows, perhaps in a visit that did not get to ask for all of them.
    let mut accepted = BTreeSet::new();
    for run in runs {
        now += HOUR * run.hours;
        if now >= well {
            break;
        }
        closed.extend(go_wrong(&desk, vendor, now, run).await);
        let after = with_rows(&desk).await;
        for (place, (rows, _)) in &after {
            assert!(expected.get(place).is_some_and(|(all, _)| rows <= all), "{place:?} has {rows}: {run:?}");
        }
        if let Chosen::Event(event, true) = run.chosen {
            accepted.insert(event);
        }
        for place in before.keys().filter(|(_, _, event)| !accepted.contains(event)) {
            assert!(after.contains_key(place), "{place:?} was emptied by {run:?}");
        }
        before = after;
    }
    // Visits say what became of every record.
    suppressed_records(&desk.open()).await;
    // What was closed while the vendor kept answering with less than there is may lack something for good.
    let found = to_the_end(&desk, vendor, well).await;
    for (place, cell) in expected.iter().filter(|((_, _, event), _)| !closed.contains_key(event)) {
        assert_eq!(found.get(place), Some(cell), "{place:?}");
    }
    let closings = closings(&desk).await;
    assert_eq!(closings.len(), world().events().count());
    for (event, closing) in closings {
        // While days are doubted, an event may be given up.
        let may_be_given_up = closed.contains_key(&event) || vendor.hides_what_days_have();
        assert!(closing == Closing::Complete || may_be_given_up, "{event}");
    }
}

#[test]
fn whatever_went_wrong_for_days_the_lake_ends_as_if_nothing_had() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let expected = WELL.map(|well| {
        let cells = runtime.block_on(to_the_end(&Desk::new(), Vendor::default(), instant(well)));
        assert!(cells.len() > 20, "{}", cells.len());
        cells
    });
    let histories = (vendor(), prop::collection::vec(bad_run(), 1..30), 0..WELL.len());
    try_all(8, &histories, |(vendor, runs, well)| {
        runtime.block_on(ends_well(vendor, &runs, instant(WELL[well]), &expected[well]));
    });
}

/// Good runs so many hours apart, and then one more, or a bad one in its place; the hours of the first are counted from the
/// beginning. Two daily runs follow. Returns the lake, and which events were closed before these two.
async fn around(vendor: Vendor, hours: &[i32], bad: Option<&BadRun>) -> (Cells, BTreeMap<i64, Closing>) {
    let (desk, mut now) = (Desk::new(), instant(BEGIN));
    let (last, before) = hours.split_last().unwrap();
    for hours in before {
        now += HOUR * *hours;
        go_well(&desk, vendor, now).await;
    }
    now += HOUR * *last;
    match bad {
        Some(bad) => drop(go_wrong(&desk, vendor, now, bad).await),
        None => go_well(&desk, vendor, now).await,
    }
    let closed = closings(&desk).await;
    for _ in 0..2 {
        now += HOUR * 25;
        go_well(&desk, vendor, now).await;
    }
    (with_rows(&desk).await, closed)
}

#[test]
fn whatever_goes_wrong_in_one_run_the_next_two_make_good() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Of an answer that is cut off without a word, and of rows that were given up, only the last visit may learn.
    let bad = bad_run().prop_map(|run| BadRun { most_rows: None, ..run });
    let bad = bad.prop_filter("accepts fewer rows", |run| !matches!(run.chosen, Chosen::Event(_, true)));
    let histories = (vendor(), 0..250_i32, prop::collection::vec(2..60_i32, 0..4), bad);
    try_all(24, &histories, |(vendor, first, mut hours, bad)| {
        hours.insert(0, first);
        let (expected, closed) = runtime.block_on(around(vendor, &hours, None));
        let (found, _) = runtime.block_on(around(vendor, &hours, Some(&bad)));
        assert!(first < 40 || !expected.is_empty());
        for (place, (rows, digest)) in &expected {
            let (found, found_digest) = found.get(place).unwrap_or_else(|| panic!("{place:?} is missing"));
            // Later viewings may be known of an event that the bad run let be closed later, or that it was to ask for.
            let has_later = closed.contains_key(&place.2)
                && (found > rows || found == rows && place.0 == Table::ViewerDetails);
            assert!(
                has_later || (found, found_digest) == (rows, digest),
                "{place:?}: {found} of {rows} rows"
            );
        }
    });
}

/// Tries so many histories, always the same ones; `make soak` asks for more, and for others.
fn try_all<S: Strategy>(usual: u32, histories: &S, check: impl Fn(S::Value)) {
    let cases = std::env::var("ROLLCALL_HISTORIES").map_or(usual, |cases| cases.parse().unwrap());
    let seed = std::env::var("ROLLCALL_SEED").map_or(1, |seed| seed.parse().unwrap());
    let max_shrink_iters = 200;
    let config = ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters,
        ..ProptestConfig::default()
    };
    let outcome = TestRunner::new(config).run(histories, |history| {
        check(history);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
