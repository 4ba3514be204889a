//! One window of a day without any data, or without an array, beside windows with rows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rollcall::calendar::Zone;
use rollcall::config::Config;
use rollcall::job::selection::Selection;
use rollcall::job::{Job, Replay};
use rollcall::load::ledger::Ledger;
use rollcall::load::ledger::ledgers::Ledgers;
use rollcall::transform::tables::Table;
use simulator::{Array, Session};

use crate::support::command::Desk;
use crate::support::faults::{faults, settled, sync_with as run};
use crate::support::lake::{Cells, cells, ledger};
use crate::support::run::{HOUR, config, job, later, server_at, small_world, sync};

#[tokio::test]
async fn a_day_with_one_window_without_data_is_owed_only_if_records_are_missing() {
    let (event, day, visited) = settled();
    let zone = Zone::parse("Asia/Shanghai").unwrap();
    let noon = (zone.start_of(day).unwrap() + HOUR * 12).as_second();
    let of_event = small_world(8).event(event.unsigned_abs()).unwrap();
    let is_of_day = |session: &Session| zone.day_of(Timestamp::from_second(session.online).unwrap()) == day;
    let (morning, evening): (Vec<_>, Vec<_>) =
        of_event.sessions().filter(is_of_day).partition(|session| session.online < noon);
    // One half of the day has nothing, the other one everything.
    let (busy, idle) = if morning.len() > evening.len() { (1, 2) } else { (2, 1) };
    assert!(morning.is_empty() || evening.is_empty());
    let whole = Desk::new();
    run(&whole, visited, &[]).await;
    let expected = cells(&whole.store()).await;
    for fault in ["code=200", "code=404", "null-array=lives+interactions"] {
        let desk = Desk::new();
        let refused = format!("code=400@day:{event}:{day}");
        assert!(!run(&desk, visited, &[&refused]).await.ok);
        // It is asked for in halves, as if an answer for all of it had taken too long.
        let halves = |ledger: &mut Ledger| ledger.owed.pieces = [(day, 2)].into();
        let before = ledger(&desk, event).await.unwrap();
        Ledgers::new(desk.open()).update(&before, halves).await.unwrap();
        let of_half = |half: u32| format!("{fault}@day:{event}:{day},nth:{half}");
        assert!(!run(&desk, visited + HOUR * 2, &[&of_half(busy)]).await.ok, "{fault}");
        assert!(ledger(&desk, event).await.unwrap().owed.days.contains(&day), "{fault}");
        // Where there is nothing, the vendor may always answer so.
        let (now, options) = (visited + HOUR * 24, faults(&[&of_half(idle)]));
        let server = server_at(now, &small_world(8), options);
        let archiving = Config { archive: true, ..config(&server, &desk.store()) };
        let report = sync(archiving.clone(), now, Selection::default()).await.unwrap();
        assert!(report.ok, "{fault} {:?}", report.failures);
        assert!(server.requests().iter().any(|request| request.fault.is_some()), "{fault}");
        let of_day = |cells: &Cells| -> Cells {
            let is_of_day = |(table, of, id): &(Table, Date, i64)| {
                (*of, *id) == (day, event) && *table != Table::ViewerDetails
            };
            cells.iter().filter(|(place, _)| is_of_day(place)).map(|(place, cell)| (*place, *cell)).collect()
        };
        assert!(of_day(&cells(&desk.store()).await) == of_day(&expected), "{fault}");
        // It is archived as it was answered, and replayed.
        std::fs::remove_dir_all(desk.store().join("lake")).unwrap();
        let all = Job::Replay(Replay { all: true, ..Replay::default() });
        assert!(job(&desk.open(), archiving, now + HOUR, all).await.unwrap().ok, "{fault}");
        assert!(of_day(&cells(&desk.store()).await) == of_day(&expected), "{fault}");
    }
}

#[tokio::test]
async fn a_day_of_which_one_window_keeps_lacking_what_the_snapshot_counts_is_believed_after_a_while() {
    let zone = Zone::parse("Asia/Shanghai").unwrap();
    let world = small_world(8);
    // An event with viewings in both halves of a day.
    let mut days = world.events().flat_map(|event| {
        let mut halves: BTreeMap<Date, [bool; 2]> = BTreeMap::new();
        for session in event.sessions().filter(|session| session.array == Array::Lives) {
            let day = zone.day_of(Timestamp::from_second(session.online).unwrap());
            let noon = (zone.start_of(day).unwrap() + HOUR * 12).as_second();
            halves.entry(day).or_default()[usize::from(session.online >= noon)] = true;
        }
        let both = halves.into_iter().filter(|(_, halves)| *halves == [true; 2]);
        let event_id = i64::try_from(event.id).unwrap();
        both.map(move |(day, _)| (event_id, event.end_time, day)).collect::<Vec<_>>()
    });
    let (event, end, day) = days.next().unwrap();
    let settled = zone.end_of(day).unwrap() + HOUR * 24;
    let visited = settled.max(Timestamp::from_second(end).unwrap() + HOUR * 24);
    let (desk, refused) = (Desk::new(), format!("code=400@day:{event}:{day}"));
    assert!(!run(&desk, visited, &[&refused]).await.ok);
    let halves = |ledger: &mut Ledger| ledger.owed.pieces = [(day, 2)].into();
    let before = ledger(&desk, event).await.unwrap();
    Ledgers::new(desk.open()).update(&before, halves).await.unwrap();
    let blank = format!("null-array=lives@day:{event}:{day},nth:1");
    for visit in 1..=7 {
        let report = run(&desk, visited + HOUR * 24 * visit, &[&blank]).await;
        assert_eq!(report.ok, visit == 7, "{visit} {:?}", report.failures);
        let is_owed = ledger(&desk, event).await.unwrap().owed.days.contains(&day);
        assert_eq!(is_owed, visit < 7, "{visit}");
    }
    // The last visit of all asks once more.
    assert!(run(&desk, later(), &[]).await.ok);
    let whole = Desk::new();
    run(&whole, later(), &[]).await;
    let place = (Table::Lives, day, event);
    assert!(cells(&desk.store()).await[&place] == cells(&whole.store()).await[&place]);
}
