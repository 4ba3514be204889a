//! An event that the vendor has forgotten: reported as failed while it may be a mistake, and then only a note.

use rollcall::error::Kind;
use rollcall::job::selection::Selection;
use rollcall::report::Report;
use simulator::ServerOptions;

use crate::support::command::Desk;
use crate::support::faults::{busiest, faults};
use crate::support::lake::event_said;
use crate::support::run::{HOUR, config, later, server_at, small_world, sync, sync_all};

/// How many events failed, whether all went well, and whether a note tells of this event.
fn said(report: &Report, event: i64) -> (usize, bool, bool) {
    let is_told = report.notes.iter().any(|note| note.ends_with(&format!("knows the event {event}")));
    (report.events.failed, report.ok, is_told)
}

#[tokio::test]
async fn an_event_the_vendor_forgot_no_longer_fails_runs_a_week_after_its_end_unless_asked_for() {
    let (desk, world, (event, _)) = (Desk::new(), small_world(8), busiest());
    let end = world.event(event.unsigned_abs()).unwrap().end_time;
    let end = jiff::Timestamp::from_second(end).unwrap();
    let run = async |hours: i32, texts: &[String], selection: Selection| {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let server = server_at(end + HOUR * hours, &world, faults(&texts));
        sync(config(&server, &desk.store()), end + HOUR * hours, selection).await.unwrap()
    };
    let server = server_at(end + HOUR * 2, &world, ServerOptions::default());
    let first = sync(config(&server, &desk.store()), end + HOUR * 2, Selection::default()).await.unwrap();
    assert!(first.ok, "{:?}", first.failures);
    let gone = [format!("code=404@path:report/details,event:{event}")];
    // Within a week of its end, it is more likely that the user may no longer see it.
    for (day, is_named, newly_failing) in
        [(1, true, 0), (2, true, 0), (3, true, 1), (4, true, 0), (6, true, 0), (7, false, 0), (8, false, 0)]
    {
        let report = run(2 + 24 * day, &gone, Selection::default()).await;
        let expected = if is_named { (1, false, false) } else { (1, true, true) };
        assert_eq!(said(&report, event), expected, "{day}: {:?}", report.failures);
        assert_eq!(report.events.newly_failing, newly_failing, "{day}");
    }
    let chosen = Selection { event: vec![event], ..Selection::default() };
    let asked = run(24 * 9 + 2, &gone, chosen).await;
    assert_eq!(asked.failures.iter().map(|failure| failure.kind).collect::<Vec<_>>(), [Kind::UnknownEvent]);
    // It was a mistake.
    let back = run(24 * 10 + 2, &[], Selection::default()).await;
    assert_eq!(said(&back, event), (0, true, false));
}

#[tokio::test]
async fn a_complete_event_stays_complete_if_it_is_asked_for_after_the_vendor_has_forgotten_it() {
    let (desk, world, (event, _)) = (Desk::new(), small_world(8), busiest());
    let server = server_at(later(), &world, ServerOptions::default());
    sync_all(config(&server, &desk.store()), later()).await;
    let said = event_said(&desk.open(), event).await;
    assert_eq!((said.is_closed, said.outcome.as_deref()), (Some(true), Some("complete")));
    let later = later() + HOUR * (24 * 365);
    let gone = server_at(later, &world, faults(&[&format!("code=404@path:report/details,event:{event}")]));
    let chosen = Selection { event: vec![event], ..Selection::default() };
    let report = sync(config(&gone, &desk.store()), later, chosen).await.unwrap();
    assert_eq!(report.failures.iter().map(|failure| failure.kind).collect::<Vec<_>>(), [Kind::UnknownEvent]);
    assert!(report.owed.is_empty(), "{:?}", report.owed);
    assert_eq!(event_said(&desk.open(), event).await, said);
    let explained = desk
        .run(&["explain", &event.to_string(), "--store", desk.store().to_str().unwrap()])
        .succeeded()
        .stdout;
    assert!(explained.contains("closed: past the horizon, and complete"), "{explained}");
    assert!(
        explained.contains("; the vendor no longer knows it") && !explained.contains("owed"),
        "{explained}"
    );
}

#[tokio::test]
async fn an_event_that_is_given_up_is_counted_once_and_one_that_is_gone_is_not() {
    let (world, (event, _)) = (small_world(8), busiest());
    let end = jiff::Timestamp::from_second(world.event(event.unsigned_abs()).unwrap().end_time).unwrap();
    for (code, expected) in [(400, 1), (404, 0)] {
        let (desk, mut given_up) = (Desk::new(), 0);
        for day in [1, 28, 29, 30, 32, 34, 36, 38, 40, 42] {
            let now = end + HOUR * (24 * day);
            let fault = format!("code={code}@path:report/details,event:{event}");
            let options = if day == 1 { ServerOptions::default() } else { faults(&[&fault]) };
            let server = server_at(now, &world, options);
            let report = sync(config(&server, &desk.store()), now, Selection::default()).await.unwrap();
            given_up += report.events.given_up;
        }
        assert_eq!(given_up, expected, "{code}");
        let said = event_said(&desk.open(), event).await;
        assert_eq!((said.is_closed, said.outcome.as_deref()), (Some(true), Some("failed")), "{code}");
    }
}
