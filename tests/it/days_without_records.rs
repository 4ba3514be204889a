//! A vendor that answers for a day without records that it does not know the event.

use rollcall::error::Kind;
use rollcall::job::selection::Selection;
use simulator::ServerOptions;

use crate::support::command::Desk;
use crate::support::faults::{busiest, faults};
use crate::support::lake::{cells, event_said, ledger};
use crate::support::run::{HOUR, config, server_at, small_world, sync, sync_all};

#[tokio::test]
async fn a_day_answered_with_unknown_event_is_empty_if_the_snapshot_has_no_records_of_it() {
    let (world, (event, day)) = (small_world(8), busiest());
    let end = world.event(event.unsigned_abs()).unwrap().end_time;
    let end = jiff::Timestamp::from_second(end).unwrap();
    let visited = end + HOUR * 2;
    let again = visited + HOUR * 72;
    let of_days = |days: &[jiff::civil::Date]| -> Vec<String> {
        days.iter().map(|day| format!("code=404@day:{event}:{day}")).collect()
    };
    let desk = Desk::new();
    sync_all(config(&server_at(visited, &world, ServerOptions::default()), &desk.store()), visited).await;
    let before = cells(&desk.store()).await;
    let known = ledger(&desk, event).await.unwrap();
    let quiet: Vec<_> = (0..4)
        .map(|days| day.checked_add(jiff::Span::new().days(days)).unwrap())
        .filter(|day| !known.days.contains_key(day))
        .collect();
    let asked = |days: &[jiff::civil::Date]| {
        let texts = of_days(days);
        server_at(again, &world, faults(&texts.iter().map(String::as_str).collect::<Vec<_>>()))
    };
    let server = asked(&quiet);
    let report = sync(config(&server, &desk.store()), again, Selection::default()).await.unwrap();
    let struck = server.requests().iter().filter(|request| request.fault.is_some()).count();
    assert!(report.ok && struck > 0, "{struck} {:?}", report.failures);
    let after = ledger(&desk, event).await.unwrap();
    assert!(!after.is_gone && after.owed.is_empty() && after.through > known.through, "{after:?}");
    assert!(cells(&desk.store()).await.len() >= before.len());
    assert_eq!(event_said(&desk.open(), event).await.outcome.as_deref(), Some("complete"));

    // A day with records is not taken for empty because of such an answer.
    let (desk, server) = (Desk::new(), server_at(visited, &world, faults(&[&of_days(&[day])[0]])));
    let report = sync(config(&server, &desk.store()), visited, Selection::default()).await.unwrap();
    assert_eq!(report.failures.iter().map(|failure| failure.kind).collect::<Vec<_>>(), [Kind::BadAnswer]);
    let after = ledger(&desk, event).await.unwrap();
    assert!(!after.is_gone && after.owed.days.contains(&day), "{after:?}");
    assert!(after.snapshot.is_some(), "what the vendor knows of the event is there");
}
