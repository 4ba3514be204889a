//! A snapshot without any data, or without an array that it should have.

use jiff::SignedDuration;
use rollcall::calendar::Zone;
use rollcall::job::selection::Selection;
use rollcall::load::ledger::Closing;
use rollcall::load::ledger::answers::SnapshotAnswer;
use rollcall::transform::tables::Table;
use serde_json::{Value, json};
use simulator::{Quirks, ServerOptions};

use crate::support::command::Desk;
use crate::support::faults::{faults, settled, sync_with as run};
use crate::support::lake::{cells, ledger};
use crate::support::run::{HOUR, config, later, server_at, small_world, sync};
use crate::support::status::{names, status_of};
use crate::support::vendor_lists::{self, VendorAnswers};

const EVENT: i64 = 700_001;

#[tokio::test]
async fn an_event_without_any_data_is_asked_for_once_more_before_it_is_closed() {
    let whole = Desk::new();
    run(&whole, later() + HOUR * 24, &[]).await;
    let expected = cells(&whole.store()).await;
    assert!(expected.len() > 10);
    let desk = Desk::new();
    assert!(run(&desk, later(), &["code=200@snapshot"]).await.ok);
    let closed = async |desk: &Desk| ledger(desk, EVENT).await.unwrap().closed;
    assert_eq!(closed(&desk).await, None, "it is past its horizon, but that may have been no answer");
    run(&desk, later() + HOUR * 24, &[]).await;
    assert!(cells(&desk.store()).await == expected);
    assert_eq!(closed(&desk).await, Some(Closing::Complete));
    // The vendor answers so twice.
    let empty = Desk::new();
    for hours in [0, 24] {
        assert!(run(&empty, later() + HOUR * hours, &["code=200@snapshot"]).await.ok);
    }
    assert_eq!(closed(&empty).await, Some(Closing::Complete));
}

#[tokio::test]
async fn after_a_blank_snapshot_within_the_horizon_the_next_visit_brings_everything() {
    let (event, _, visited) = settled();
    let (whole, desk) = (Desk::new(), Desk::new());
    for (desk, texts) in [(&whole, &[][..]), (&desk, &["code=200@snapshot"])] {
        assert!(run(desk, visited, texts).await.ok);
        assert!(run(desk, visited + HOUR * 24, &[]).await.ok);
    }
    let (found, expected) = (cells(&desk.store()).await, cells(&whole.store()).await);
    assert!(found == expected && expected.keys().any(|(_, _, of)| *of == event));
}

#[tokio::test]
async fn a_snapshot_with_viewers_but_no_viewings_makes_the_visit_ask_for_every_day() {
    let (whole, desk) = (Desk::new(), Desk::new());
    run(&whole, later(), &[]).await;
    assert!(run(&desk, later(), &["null-array=lives+interactions@snapshot"]).await.ok);
    assert!(cells(&desk.store()).await == cells(&whole.store()).await);
    assert_eq!(ledger(&desk, EVENT).await.unwrap().closed, Some(Closing::Complete));
}

#[tokio::test]
async fn a_snapshot_that_lacks_an_array_of_viewings_that_its_viewers_have_is_not_believed_to_be_whole() {
    let whole = Desk::new();
    run(&whole, later(), &[]).await;
    for array in ["lives", "interactions"] {
        let desk = Desk::new();
        assert!(run(&desk, later(), &[&format!("null-array={array}@snapshot")]).await.ok);
        assert!(cells(&desk.store()).await == cells(&whole.store()).await, "{array}");
    }
}

#[tokio::test]
async fn an_event_is_not_closed_before_a_day_without_data_that_no_snapshot_tells_of_was_asked_for_again() {
    let (event, day, _) = settled();
    let whole = Desk::new();
    run(&whole, later() + HOUR * 24, &[]).await;
    let expected = cells(&whole.store()).await;
    let (half, blank) = ("null-array=lives@snapshot", format!("code=200@day:{event}:{day}"));
    for keeps_lacking in [false, true] {
        let desk = Desk::new();
        for (hours, is_bad, closed) in [(0, true, None), (24, keeps_lacking, Some(Closing::Complete))] {
            let texts = [half, &blank];
            assert!(run(&desk, later() + HOUR * hours, if is_bad { &texts } else { &[] }).await.ok);
            assert_eq!(ledger(&desk, event).await.unwrap().closed, closed, "{keeps_lacking}");
        }
        assert_eq!(cells(&desk.store()).await == expected, !keeps_lacking);
    }
}

#[tokio::test]
async fn answers_that_two_visits_get_within_a_moment_are_believed_no_more_than_one() {
    let (event, day, _) = settled();
    let whole = Desk::new();
    run(&whole, later() + HOUR * 24, &[]).await;
    let of_event = async |desk: &Desk| {
        let mut cells = cells(&desk.store()).await;
        cells.retain(|(_, _, of), _| *of == event);
        cells
    };
    let blank_day = format!("code=200@day:{event}:{day}");
    for texts in [&["null-array=lives@snapshot", &*blank_day][..], &["null-array=viewerDetails@snapshot"]] {
        let desk = Desk::new();
        for seconds in [0, 5] {
            let now = later() + SignedDuration::from_secs(seconds);
            let server = server_at(now, &small_world(8), faults(texts));
            let one = Selection { event: vec![event], ..Selection::default() };
            assert!(sync(config(&server, &desk.store()), now, one).await.unwrap().ok);
            assert_eq!(ledger(&desk, event).await.unwrap().closed, None, "{texts:?} {seconds}");
        }
        run(&desk, later() + HOUR * 24, &[]).await;
        assert!(of_event(&desk).await == of_event(&whole).await, "{texts:?}");
        assert_eq!(ledger(&desk, event).await.unwrap().closed, Some(Closing::Complete), "{texts:?}");
    }
}

#[tokio::test]
async fn a_snapshot_without_viewers_is_asked_for_again_until_it_has_some() {
    let (event, _, visited) = settled();
    let (whole, desk) = (Desk::new(), Desk::new());
    let without_viewers = "null-array=viewerDetails@snapshot";
    for (hours, texts) in [(0, &[without_viewers][..]), (24, &[without_viewers]), (48, &[]), (72, &[])] {
        assert!(run(&whole, visited + HOUR * hours, &[]).await.ok);
        assert!(run(&desk, visited + HOUR * hours, texts).await.ok);
        let found = cells(&desk.store()).await;
        let has_viewers = found.keys().any(|(table, _, of)| *table == Table::ViewerDetails && *of == event);
        assert_eq!(has_viewers, texts.is_empty(), "{hours}");
    }
    assert!(cells(&desk.store()).await == cells(&whole.store()).await);
    // Nor does such an answer close an event for which there was none before.
    let last = Desk::new();
    for (hours, closed) in [(0, None), (24, Some(Closing::Complete))] {
        assert!(run(&last, later() + HOUR * hours, &[without_viewers]).await.ok);
        assert_eq!(ledger(&last, event).await.unwrap().closed, closed);
    }
}

#[tokio::test]
async fn a_snapshot_that_may_be_no_answer_is_compared_with_nothing() {
    let (_, _, visited) = settled();
    for fault in ["null-array=viewerDetails@snapshot", "code=200@snapshot"] {
        let desk = Desk::new();
        run(&desk, visited, &[]).await;
        run(&desk, visited + HOUR * 24, &[fault]).await;
        let status = status_of(&small_world(8), &desk.store(), visited + HOUR * 25).await.unwrap();
        let checks = &status.lake.checks;
        assert_eq!((checks.days_differing, checks.sums_differing), (0, 0), "{fault}: {status}");
        let notes = names(&status.notes);
        assert!(!notes.contains(&"fewer") && !notes.contains(&"sums"), "{fault}: {status}");
    }
}

#[tokio::test]
async fn what_differed_stays_known_after_a_snapshot_that_lacks_viewers() {
    let (_, _, visited) = settled();
    let desk = Desk::new();
    let contradicting = Quirks { contradicting: true, unplaceable: Some(3), ..Quirks::default() };
    let mut differing = Vec::new();
    for (hours, quirks, texts) in [
        (0, contradicting, &[][..]),
        (24, Quirks::default(), &["null-array=viewerDetails@snapshot"]),
        (48, Quirks::default(), &[]),
    ] {
        let (now, options) = (visited + HOUR * hours, ServerOptions { quirks, ..faults(texts) });
        let server = server_at(now, &small_world(8), options);
        sync(config(&server, &desk.store()), now, Selection::default()).await.unwrap();
        let status = status_of(&small_world(8), &desk.store(), now + HOUR).await.unwrap();
        differing.push(status.lake.checks.sums_differing);
    }
    assert!(differing[1] == differing[0] && differing[2] < differing[0], "{differing:?}");
}

#[tokio::test]
async fn a_snapshot_without_viewers_leaves_the_one_before_as_it_was() {
    let (event, _, visited) = settled();
    let desk = Desk::new();
    let snapshot = async || ledger(&desk, event).await.unwrap().snapshot.unwrap();
    assert!(run(&desk, visited, &[]).await.ok);
    let before = snapshot().await;
    assert!(before.viewer_details.rows > 0);
    assert!(run(&desk, later(), &["null-array=viewerDetails@snapshot"]).await.ok);
    assert_eq!(snapshot().await, SnapshotAnswer { without_viewers: 1, ..before });
    assert!(run(&desk, later() + HOUR * 24, &[]).await.ok);
    assert!(snapshot().await.pulled_at > before.pulled_at && snapshot().await.without_viewers == 0);
}

#[tokio::test]
async fn no_event_of_a_rebuilt_ledger_is_closed_by_its_first_snapshot_if_that_lacks_viewers() {
    let (event, _, visited) = settled();
    let desk = Desk::new();
    assert!(run(&desk, visited, &[]).await.ok);
    std::fs::remove_dir_all(desk.store().join("ledger")).unwrap();
    let bad = "null-array=lives+viewerDetails@snapshot";
    for (hours, texts, closed) in [(0, &[bad][..], None), (24, &[], Some(Closing::Complete))] {
        assert!(run(&desk, later() + HOUR * hours, texts).await.ok);
        assert_eq!(ledger(&desk, event).await.unwrap().closed, closed, "{hours}");
    }
}

#[tokio::test]
async fn the_day_of_an_event_is_not_decided_by_an_answer_without_data() {
    let (desk, ended) = (Desk::new(), later() - HOUR * 48);
    let says = |report: Value| VendorAnswers {
        edited: vec![json!({ "eventId": 1, "endTime": ended.as_second() })],
        report,
        ..VendorAnswers::default()
    };
    let lives = json!([{ "online_time": (ended - HOUR).as_second() }]);
    // Nor by one that lacks viewings that its viewers have.
    let viewers = json!([{ "mobile": "19000101106", "times": 2 }]);
    let later_one = json!([{ "online_time": later().as_second() }]);
    for (hours, report) in [
        (0, Value::Null),
        (1, json!({ "viewerDetails": viewers })),
        (3, json!({ "interactions": later_one, "viewerDetails": viewers })),
    ] {
        let (report, _) = vendor_lists::run(&desk, later() + HOUR * hours, says(report)).await;
        assert_eq!(report.events.failed, 1, "{:?}", report.failures);
        assert_eq!(ledger(&desk, 1).await.unwrap().event_day, None);
    }
    let whole = json!({ "lives": lives, "interactions": [], "viewerDetails": [] });
    let (report, _) = vendor_lists::run(&desk, later() + HOUR * 8, says(whole)).await;
    assert!(report.ok, "{:?}", report.failures);
    let day = Zone::parse("Asia/Shanghai").unwrap().day_of(ended - HOUR);
    assert_eq!(ledger(&desk, 1).await.unwrap().event_day, Some(day));
    // If it never answers with data, the event is not waited for.
    let desk = Desk::new();
    for visit in 0..7 {
        let (report, _) = vendor_lists::run(&desk, later() + HOUR * 24 * visit, says(Value::Null)).await;
        assert_eq!(report.events.complete, usize::from(visit == 6), "{visit} {:?}", report.failures);
    }
}
