//! Answers of the vendor that contradict each other, and those that only seem to.

use jiff::Timestamp;
use rollcall::calendar::Zone;
use rollcall::job::selection::Selection;
use rollcall::job::{Job, Replay};
use rollcall::load::ledger::Ledger;
use rollcall::load::ledger::ledgers::Ledgers;
use rollcall::transform::tables::Table;
use simulator::{Quirks, SAMPLE_ID, ServerOptions, Viewers, World, WorldOptions};

use crate::support::command::Desk;
use crate::support::faults::{busiest, faults};
use crate::support::lake::{Cells, cells};
use crate::support::run::{
    HOUR, config, job, later, publish_all, server_at, server_now, small_world, sync, sync_all, sync_in_time,
};
use crate::support::status::{names, now, status_of, synced};

#[tokio::test]
async fn contradictory_answers_of_the_vendor_are_notes_and_not_problems() {
    let quirks = Quirks { contradicting: true, ..Quirks::default() };
    let (desk, world) = synced(ServerOptions { quirks, ..ServerOptions::default() }, now()).await;
    let status = status_of(&world, &desk.store(), now() + HOUR).await.unwrap();
    let differing: Vec<_> = status.notes.iter().filter(|note| note.name == "differing").collect();
    assert!(status.ok && status.lake.checks.days_differing > 2, "{status}");
    assert_eq!(differing.len(), 1, "{status}");
    assert_eq!(differing[0].events.len() as u64, status.lake.checks.days_differing, "a day of each event");
    assert_eq!(status.lake.checks.sums_differing, 0, "{status}");

    let quirks = Quirks { unplaceable: Some(5), ..Quirks::default() };
    let (desk, world) = synced(ServerOptions { quirks, ..ServerOptions::default() }, now()).await;
    let status = status_of(&world, &desk.store(), now() + HOUR).await.unwrap();
    assert!(status.ok, "{status}");
    assert!(status.lake.checks.rejects > 0);
    assert!(names(&status.notes).contains(&"rejects"), "{status}");
    // Rejected records are counted in the vendor's own sums.
    assert!(status.lake.checks.sums_differing > 0 && names(&status.notes).contains(&"sums"), "{status}");
    let said = " found records that have no day: the table `rejects` keeps them whole, once for each answer";
    assert!(status.to_string().contains(said), "{status}");
}

#[tokio::test]
async fn an_owed_day_does_not_count_as_a_contradiction_by_the_vendor() {
    let world = small_world(8);
    let (event, day) = busiest();
    let options = faults(&[&format!("code=400@day:{event}:{day}")]);
    let desk = Desk::new();
    let server = server_at(now(), &world, options);
    let report = sync(config(&server, &desk.store()), now(), Selection::default()).await.unwrap();
    assert!(report.owed[&event].contains(&day.to_string()), "{:?}", report.owed);
    let status = status_of(&world, &desk.store(), now() + HOUR).await.unwrap();
    let checks = &status.lake.checks;
    assert!(checks.visited > 2 && (checks.days_differing, checks.sums_differing) == (0, 0), "{status}");
}

#[tokio::test]
async fn an_answer_with_a_round_number_of_records_is_asked_for_again_in_shorter_windows() {
    let viewers = Viewers::Exactly(120);
    let world = World::new(WorldOptions { events: 1, days: 1, viewers, ..WorldOptions::default() });
    let mut found = Vec::new();
    for most_rows in [None, Some(100)] {
        let desk = Desk::new();
        let quirks = Quirks { most_rows, ..Quirks::default() };
        let server = server_at(later(), &world, ServerOptions { quirks, ..ServerOptions::default() });
        let mut config = config(&server, &desk.store());
        config.archive = true;
        let report = sync_all(config.clone(), later()).await;
        let is_said = report.notes.iter().any(|note| note.contains("a round number of viewers"));
        assert_eq!(is_said, most_rows.is_some(), "{:?}", report.notes);
        // Every answer has the summaries of all viewers: their number is no reason to halve a day.
        assert!(report.requests.requests < 100, "{}", report.requests.requests);
        // The summaries are not asked for in windows.
        let viewings = |mut cells: Cells| {
            cells.retain(|(table, ..), _| *table != Table::ViewerDetails);
            cells
        };
        found.push(viewings(cells(&desk.store()).await));
        // Only the answers that were used are archived.
        std::fs::remove_dir_all(desk.store().join("lake")).unwrap();
        let all = Job::Replay(Replay { all: true, ..Replay::default() });
        assert!(job(&desk.open(), config, later() + HOUR, all).await.unwrap().ok);
        assert!(viewings(cells(&desk.store()).await) == found[0]);
    }
    assert!(found[0].values().any(|(rows, _)| *rows > 100), "{:?}", found[0]);
    assert!(found[0] == found[1]);
}

#[tokio::test]
async fn if_shorter_windows_are_not_answered_the_day_keeps_the_longer_ones_rows_and_a_note_says_so() {
    let viewers = Viewers::Exactly(120);
    let world = World::new(WorldOptions { events: 1, days: 1, viewers, ..WorldOptions::default() });
    let event = world.events().find(|event| event.id != SAMPLE_ID).unwrap();
    let first = event.sessions().map(|session| session.online).min().unwrap();
    let day = Zone::parse("Asia/Shanghai").unwrap().day_of(Timestamp::from_second(first).unwrap());
    let noon = Zone::parse("Asia/Shanghai").unwrap().start_of(day).unwrap() + HOUR * 12;
    // The first request for the day is for all of it, the second for its first half, the third for its second half.
    let half = if first < noon.as_second() { 2 } else { 3 };
    // For a window without records, the vendor may say that it does not know the event, or nothing at all; this one has some.
    let fewer = "shorter windows have fewer";
    for (code, why) in [(400, "the vendor does not understand"), (404, fewer), (200, fewer)] {
        let options = faults(&[&format!("code={code}@day:{}:{day},nth:{half}", event.id)]);
        let quirks = Quirks { most_rows: Some(100), ..Quirks::default() };
        let server = server_at(later(), &world, ServerOptions { quirks, ..options });
        let desk = Desk::new();
        let mut config = config(&server, &desk.store());
        config.archive = true;
        let report = sync_all(config.clone(), later()).await;
        let said = format!("event {}, {day}: a window has a round number of records", event.id);
        let noted: Vec<_> = report.notes.iter().filter(|note| note.starts_with(&said)).collect();
        assert!(noted.len() == 1 && noted[0].contains(why), "{:?}", report.notes);
        let found = cells(&desk.store()).await;
        let place = (Table::Lives, day, event.id.try_into().unwrap());
        // Records from the second before the day are not part of it.
        let kept = found[&place].0;
        assert!((90..=100).contains(&kept), "what was answered is kept: {kept}");
        // What is archived of the day is the answer that was used.
        std::fs::remove_dir_all(desk.store().join("lake")).unwrap();
        let all = Job::Replay(Replay { all: true, ..Replay::default() });
        assert!(job(&desk.open(), config, later() + HOUR, all).await.unwrap().ok);
        assert_eq!(cells(&desk.store()).await[&place].0, kept);
    }
}

#[tokio::test]
async fn a_day_whose_shorter_windows_are_cut_off_by_the_deadline_is_owed_and_not_taken_for_whole() {
    let viewers = Viewers::Exactly(120);
    let world = World::new(WorldOptions { events: 1, days: 1, viewers, ..WorldOptions::default() });
    let event = world.events().find(|event| event.id != SAMPLE_ID).unwrap();
    let first = event.sessions().map(|session| session.online).min().unwrap();
    let day = Zone::parse("Asia/Shanghai").unwrap().day_of(Timestamp::from_second(first).unwrap());
    let event_id: i64 = event.id.try_into().unwrap();
    let quirks = Quirks { most_rows: Some(100), ..Quirks::default() };
    let desk = Desk::new();
    let selection = || Selection { event: vec![event_id], ..Selection::default() };
    let options = faults(&[&format!("stall@day:{event_id}:{day},nth:2")]);
    let server = server_now(&world, ServerOptions { quirks, ..options });
    let mut cut = config(&server, &desk.store());
    (cut.archive, cut.deadline) = (true, Some(HOUR / 1200));
    let report = sync_in_time(cut, selection()).await;
    assert!(report.owed[&event_id].contains(&day.to_string()), "{:?}", report.owed);
    assert_eq!((report.events.complete, report.events.left), (0, 1), "{:?}", report.failures);
    let place = (Table::Lives, day, event_id);
    assert!(!cells(&desk.store()).await.contains_key(&place));
    let all = Job::Replay(Replay { all: true, ..Replay::default() });
    assert!(job(&desk.open(), config(&server, &desk.store()), later(), all).await.unwrap().ok);
    assert!(!cells(&desk.store()).await.contains_key(&place), "what was not used is not archived");
    let ledger = Ledgers::new(desk.open()).find(event_id).await.unwrap().unwrap().ledger;
    assert_eq!(ledger.owed.pieces[&day], 2, "the next visit begins with as many");

    // If there never is enough time, what was answered counts.
    let tired = |ledger: &mut Ledger| {
        ledger.unfinished = 6;
        ledger.owed.pieces.clear();
        ledger.owed.days = [day].into();
    };
    Ledgers::new(desk.open()).update(&ledger, tired).await.unwrap();
    let options = faults(&[&format!("stall@day:{event_id}:{day},nth:2")]);
    let server = server_now(&world, ServerOptions { quirks, ..options });
    let mut cut = config(&server, &desk.store());
    cut.deadline = Some(HOUR / 1200);
    let report = sync_in_time(cut, selection()).await;
    assert!(report.notes.iter().any(|note| note.contains("the time ran out")), "{:?}", report.notes);
    publish_all(config(&server, &desk.store())).await;
    assert!((90..=100).contains(&cells(&desk.store()).await[&place].0));

    let server = server_at(later(), &world, ServerOptions { quirks, ..ServerOptions::default() });
    assert!(sync(config(&server, &desk.store()), later(), selection()).await.unwrap().ok);
    assert!(cells(&desk.store()).await[&place].0 > 100);
}
