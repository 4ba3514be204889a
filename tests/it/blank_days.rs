//! A day without any data, or without an array: the vendor's documentation does not say whether it means that there is nothing,
//! or that the vendor could not answer.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use rollcall::calendar::Zone;
use rollcall::error::Kind;
use rollcall::job::selection::Selection;
use rollcall::load::ledger::answers::DayAnswer;
use rollcall::transform::tables::Table;
use rollcall::transform::totals::Totals;
use simulator::{Array, Event, Quirks, ServerOptions, Session, Viewers, World, WorldOptions};

use crate::support::command::Desk;
use crate::support::faults::{busiest, faults, settled, sync_with as run};
use crate::support::lake::{cells, ledger};
use crate::support::run::{HOUR, config, later, server_at, small_world, sync};

#[tokio::test]
async fn a_day_answered_without_data_is_owed_if_the_snapshot_has_records_of_it() {
    let (event, day, visited) = settled();
    let blank = format!("code=200@day:{event}:{day}");
    let desk = Desk::new();
    // On a first visit, the day is asked for after the snapshot; on a later one, before it.
    for (hours, is_first) in [(0, true), (2, false)] {
        let report = run(&desk, visited + HOUR * hours, &[&blank]).await;
        let kinds: Vec<_> = report.failures.iter().map(|failure| failure.kind).collect();
        assert_eq!(kinds, [Kind::BadAnswer], "{is_first}");
        let after = ledger(&desk, event).await.unwrap();
        assert!(after.owed.days.contains(&day) && !after.days.contains_key(&day), "{after:?}");
    }
    // Without a snapshot, the answer is not believed either.
    let without = format!("code=400@snapshot,event:{event}");
    run(&desk, visited + HOUR * 4, &[&blank, &without]).await;
    assert!(ledger(&desk, event).await.unwrap().owed.days.contains(&day));
    assert!(run(&desk, visited + HOUR * 28, &[]).await.ok);
    assert!(ledger(&desk, event).await.unwrap().days[&day].lives.rows > 0);
}

#[tokio::test]
async fn a_day_that_keeps_being_answered_without_data_is_believed_after_a_while_until_data_comes() {
    // A day with both viewings and interactions.
    let is_interaction = |session: &Session| session.array == Array::Interactions;
    let interactions = |event: &Event| event.sessions().filter(is_interaction).count();
    let of_event = small_world(8).events().max_by_key(interactions).unwrap();
    let first = of_event.sessions().filter(is_interaction).map(|session| session.online).min().unwrap();
    let day = Zone::parse("Asia/Shanghai").unwrap().day_of(Timestamp::from_second(first).unwrap());
    let event = i64::try_from(of_event.id).unwrap();
    let visited = Timestamp::from_second(of_event.end_time).unwrap() + HOUR * 60;
    for fault in ["code=200", "null-array=lives", "null-array=interactions"] {
        let (desk, blank) = (Desk::new(), format!("{fault}@day:{event}:{day}"));
        for visit in 0..10 {
            let report = run(&desk, visited + HOUR * 24 * visit, &[&blank]).await;
            assert_eq!(report.ok, visit >= 6, "{fault} {visit} {:?}", report.failures);
            let is_told =
                report.notes.iter().any(|note| note.ends_with("keep lacking data that this day may have"));
            // The visits after that do not ask for it.
            assert_eq!(is_told, visit == 6, "{fault} {visit} {:?}", report.notes);
        }
        let after = ledger(&desk, event).await.unwrap();
        let rows = |totals: fn(&DayAnswer) -> Totals| after.days.get(&day).map_or(0, |day| totals(day).rows);
        let (lives, interactions) = (rows(|day| day.lives), rows(|day| day.interactions));
        assert_eq!(
            (lives > 0, interactions > 0),
            (fault.ends_with("interactions"), fault.ends_with("lives"))
        );
        assert!(after.owed.is_empty(), "{fault}");
        // The last visit asks for it, and believes it, too.
        let last = run(&desk, later(), &[&blank]).await;
        assert!(last.ok && last.notes.iter().any(|note| note.ends_with("this day may have")), "{fault}");
    }
    // Until the vendor answers with data.
    let desk = Desk::new();
    let blank = format!("code=200@day:{event}:{day}");
    for visit in 0..8 {
        run(&desk, visited + HOUR * 24 * visit, &[&blank]).await;
    }
    assert!(run(&desk, later(), &[]).await.ok);
    let after = ledger(&desk, event).await.unwrap();
    assert!(after.days[&day].lives.rows > 0 && after.blank.is_empty(), "{after:?}");
}

#[tokio::test]
async fn an_owed_day_stays_owed_if_the_snapshot_has_no_data_either() {
    let (event, day, visited) = settled();
    let desk = Desk::new();
    let blank = [format!("code=200@day:{event}:{day}"), format!("code=200@event:{event}")];
    for (hours, fault) in [(0, &blank[0]), (24, &blank[1]), (48, &blank[1])] {
        assert!(!run(&desk, visited + HOUR * hours, &[fault]).await.ok, "{hours}");
        assert!(ledger(&desk, event).await.unwrap().owed.days.contains(&day), "{hours}");
    }
    assert!(run(&desk, visited + HOUR * 72, &[]).await.ok);
    assert!(ledger(&desk, event).await.unwrap().days[&day].lives.rows > 0);
}

#[tokio::test]
async fn days_without_data_do_not_keep_later_days_from_being_asked_for() {
    let viewers = Viewers::Exactly(100);
    let world = World::new(WorldOptions { events: 8, days: 4, viewers, ..WorldOptions::default() });
    let last_viewing = |event: &Event| event.sessions().map(|session| session.online).max();
    let longest = world.events().max_by_key(|event| last_viewing(event).unwrap_or_default() - event.end_time);
    let event = i64::try_from(longest.unwrap().id).unwrap();
    let days_with = async |texts: &[String]| {
        let desk = Desk::new();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let server = server_at(later(), &world, faults(&texts));
        sync(config(&server, &desk.store()), later(), Selection::default()).await.unwrap();
        ledger(&desk, event).await.unwrap().days
    };
    let expected = days_with(&[]).await;
    let last = *expected.keys().next_back().unwrap();
    let blank = expected.keys().filter(|day| **day != last);
    let texts: Vec<String> = blank.map(|day| format!("code=200@day:{event}:{day}")).collect();
    assert!(texts.len() > 4, "{texts:?}");
    let found = days_with(&texts).await;
    assert_eq!(Vec::from_iter(&found), [(&last, &expected[&last])]);
}

#[tokio::test]
async fn visits_that_failed_for_other_reasons_do_not_make_a_day_without_data_believed() {
    let (event, day, visited) = settled();
    let (desk, refused) = (Desk::new(), format!("code=400@day:{event}:{day}"));
    for visit in 0..8 {
        assert!(!run(&desk, visited + HOUR * 24 * visit, &[&refused]).await.ok);
    }
    assert!(ledger(&desk, event).await.unwrap().unfinished >= 8);
    let (blank, without) =
        (format!("code=200@day:{event}:{day}"), format!("code=400@snapshot,event:{event}"));
    for (days, faults) in [(9, vec![blank.as_str(), &without]), (10, vec![&blank])] {
        assert!(!run(&desk, visited + HOUR * 24 * days, &faults).await.ok, "{faults:?}");
        assert!(ledger(&desk, event).await.unwrap().owed.days.contains(&day), "{faults:?}");
    }
    assert!(run(&desk, visited + HOUR * 24 * 11, &[]).await.ok);
    assert!(ledger(&desk, event).await.unwrap().days[&day].lives.rows > 0);
}

#[tokio::test]
async fn a_day_answered_without_data_is_owed_once_a_later_snapshot_has_records_of_it() {
    let (event, first) = busiest();
    let whole = Desk::new();
    run(&whole, later(), &[]).await;
    let expected = cells(&whole.store()).await;
    // There are no viewings of the last day yet at the first visit.
    let of_event = expected.keys().filter(|(table, _, of)| *table == Table::Lives && *of == event);
    let last = of_event.map(|(_, day, _)| *day).max().unwrap();
    let zone = Zone::parse("Asia/Shanghai").unwrap();
    let (before, after) = (zone.start_of(last).unwrap() - HOUR, zone.end_of(last).unwrap() + HOUR * 24);
    let refused = format!("code=400@day:{event}:{first}");
    for fault in ["code=200", "null-array=lives"] {
        let once = format!("{fault}@day:{event}:{last},nth:1");
        // In a visit that asks for the snapshot because there is news of another day; and in the last one, which asks for it
        // anyway.
        for (of_first, at) in [(vec![refused.as_str()], after), (vec![], later())] {
            let desk = Desk::new();
            assert_eq!(run(&desk, before, &of_first).await.ok, of_first.is_empty());
            assert!(!run(&desk, at, &[&once]).await.ok, "{fault}");
            assert!(ledger(&desk, event).await.unwrap().owed.days.contains(&last), "{fault}");
            assert!(run(&desk, at + HOUR * 24, &[]).await.ok, "{fault}");
            assert!(ledger(&desk, event).await.unwrap().days[&last].lives.rows > 0, "{fault}");
            assert!(at != later() || cells(&desk.store()).await == expected, "{fault}");
        }
    }
}

#[tokio::test]
async fn an_answer_without_data_clears_what_is_owed_of_an_event_that_nobody_watched() {
    let world = small_world(8);
    let nobody = world.events().find(|event| event.sessions().next().is_none()).unwrap();
    let (event, end) = (i64::try_from(nobody.id).unwrap(), Timestamp::from_second(nobody.end_time).unwrap());
    let desk = Desk::new();
    let nothing = format!("code=200@event:{event}");
    assert!(!run(&desk, end + HOUR * 24, &[&format!("status=503@event:{event}")]).await.ok);
    assert!(!ledger(&desk, event).await.unwrap().owed.is_empty());
    assert!(run(&desk, end + HOUR * 48, &[&nothing]).await.ok);
    assert!(ledger(&desk, event).await.unwrap().owed.is_empty());
}

#[tokio::test]
async fn a_day_that_lacks_an_array_is_owed_if_the_snapshot_has_records_for_that_array() {
    let (event, day, visited) = settled();
    let desk = Desk::new();
    let report = run(&desk, visited, &[&format!("null-array=lives@day:{event}:{day}")]).await;
    assert!(!report.ok);
    assert!(ledger(&desk, event).await.unwrap().owed.days.contains(&day));
    assert!(run(&desk, visited + HOUR * 24, &[]).await.ok);
    assert!(ledger(&desk, event).await.unwrap().days[&day].lives.rows > 0);
}

#[tokio::test]
async fn a_day_that_was_owed_and_lacks_one_array_is_used_if_no_snapshot_tells_what_that_array_has() {
    let (event, day, visited) = settled();
    let desk = Desk::new();
    assert!(!run(&desk, visited, &[&format!("code=200@day:{event}:{day}")]).await.ok);
    // The viewers of that snapshot came more often than it has records.
    let quirks = Quirks { contradicting: true, ..Quirks::default() };
    let options = faults(&[&format!("null-array=interactions@event:{event}")]);
    let now = visited + HOUR * 24;
    let server = server_at(now, &small_world(8), ServerOptions { quirks, ..options });
    let report = sync(config(&server, &desk.store()), now, Selection::default()).await.unwrap();
    assert!(report.ok, "{:?}", report.failures);
    let after = ledger(&desk, event).await.unwrap();
    assert!(after.days[&day].lives.rows > 0 && after.owed.is_empty(), "{after:?}");
    assert!(after.days_to_ask_for().contains(&day), "and it is asked for once more");
}

#[tokio::test]
async fn a_new_day_answered_without_data_is_asked_for_once_more_if_no_snapshot_tells_what_it_has() {
    let (event, _) = busiest();
    let whole = Desk::new();
    run(&whole, later(), &[]).await;
    let expected = cells(&whole.store()).await;
    let of_event = expected.iter().filter(|((table, _, of), _)| *table == Table::Lives && *of == event);
    let (last, rows) = of_event.map(|((_, day, _), (rows, _))| (*day, *rows)).max().unwrap();
    let zone = Zone::parse("Asia/Shanghai").unwrap();
    let (before, after) = (zone.start_of(last).unwrap() - HOUR, zone.end_of(last).unwrap() + HOUR * 24);
    let blank = format!("code=200@day:{event}:{last}");
    let rows_of_last =
        async |desk: &Desk| ledger(desk, event).await.unwrap().days.get(&last).map(|day| day.lives.rows);
    for keeps_lacking in [false, true] {
        let desk = Desk::new();
        assert!(run(&desk, before, &[]).await.ok);
        for (hours, is_blank) in [(0, true), (48, keeps_lacking), (96, true)] {
            let texts = [blank.as_str()];
            let report = run(&desk, after + HOUR * hours, if is_blank { &texts } else { &[] }).await;
            assert!(report.ok, "{hours} {:?}", report.failures);
            let asks_again = ledger(&desk, event).await.unwrap().days_to_ask_for().contains(&last);
            assert_eq!(asks_again, hours == 0, "{keeps_lacking} {hours}");
        }
        assert_eq!(rows_of_last(&desk).await, (!keeps_lacking).then_some(rows));
    }
    // A run over that day visits the event as well.
    let desk = Desk::new();
    assert!(run(&desk, before, &[]).await.ok && run(&desk, after, &[&blank]).await.ok);
    let server = server_at(after + HOUR, &small_world(8), ServerOptions::default());
    let that_day = Selection { from: Some(last), to: Some(last), ..Selection::default() };
    assert!(sync(config(&server, &desk.store()), after + HOUR, that_day).await.unwrap().ok);
    assert_eq!(rows_of_last(&desk).await, Some(rows));
}

/// An event, and a day on which it has viewings, but not on the two days before.
fn day_after_quiet_ones() -> (i64, Date) {
    let zone = Zone::parse("Asia/Shanghai").unwrap();
    let found = small_world(8).events().find_map(|event| {
        let day_of = |session: Session| zone.day_of(Timestamp::from_second(session.online).unwrap());
        let days: BTreeSet<Date> = event.sessions().map(day_of).collect();
        let gap = days.iter().zip(days.iter().skip(1)).find(|(day, next)| (**next - **day).get_days() > 2)?;
        Some((i64::try_from(event.id).unwrap(), *gap.1))
    });
    found.unwrap()
}

#[tokio::test]
async fn the_second_try_at_a_day_without_data_is_not_used_up_while_it_lasts_nor_lost_with_the_ledger() {
    let (event, day) = day_after_quiet_ones();
    let start = Zone::parse("Asia/Shanghai").unwrap().start_of(day).unwrap();
    let blank = format!("code=200@day:{event}:{day}");
    for loses_ledger in [false, true] {
        let desk = Desk::new();
        // The day before, that day, and the days after it: once the day has settled, the vendor gets it wrong once.
        for (hours, is_blank) in [(-12, false), (13, true), (38, true), (63, false)] {
            let now = start + HOUR * hours;
            let texts = [blank.as_str()];
            assert!(run(&desk, now, if is_blank { &texts } else { &[] }).await.ok);
            let after = ledger(&desk, event).await.unwrap();
            assert_eq!(after.last_visit, Some(now));
            assert_eq!(after.days.contains_key(&day), !is_blank && hours > 0, "{loses_ledger} {hours}");
            if loses_ledger && hours == 38 {
                std::fs::remove_dir_all(desk.store().join("ledger")).unwrap();
            }
        }
    }
}
