//! Requests that fail, where it hurts most.

use jiff::Timestamp;
use jiff::civil::Date;
use rollcall::calendar::Zone;
use rollcall::job::selection::Selection;
use rollcall::report::Report;
use simulator::{Fault, ServerOptions};

use super::command::Desk;
use super::lake::{Cells, cells};
use super::run::{HOUR, config, later, server_at, small_world, sync, sync_all};

/// The event of the small world with the most viewings, and the first day on which it has any.
pub(crate) fn busiest() -> (i64, Date) {
    let event = small_world(8).events().max_by_key(|event| event.sessions().count()).unwrap();
    let first = event.sessions().map(|session| session.online).min().unwrap();
    let day = Zone::parse("Asia/Shanghai").unwrap().day_of(Timestamp::from_second(first).unwrap());
    (event.id.try_into().unwrap(), day)
}

pub(crate) fn faults(texts: &[&str]) -> ServerOptions {
    let faults = texts.iter().map(|text| text.parse::<Fault>().unwrap()).collect();
    ServerOptions { faults, ..ServerOptions::default() }
}

/// What the lake of the small world has if nothing fails.
pub(crate) async fn without_faults() -> Cells {
    let desk = Desk::new();
    let server = server_at(later(), &small_world(8), ServerOptions::default());
    let report = sync_all(config(&server, &desk.store()), later()).await;
    assert_eq!(report.requests.retries, 0);
    cells(&desk.store()).await
}

/// The busiest event, its first day with viewings, and a moment at which that day has settled.
pub(crate) fn settled() -> (i64, Date, Timestamp) {
    let (event, day) = busiest();
    let end = small_world(8).event(event.unsigned_abs()).unwrap().end_time;
    (event, day, Timestamp::from_second(end).unwrap() + HOUR * 60)
}

/// A sync of the small world at this time, from a vendor with these faults.
pub(crate) async fn sync_with(desk: &Desk, now: Timestamp, texts: &[&str]) -> Report {
    let server = server_at(now, &small_world(8), faults(texts));
    sync(config(&server, &desk.store()), now, Selection::default()).await.unwrap()
}
