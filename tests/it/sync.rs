//! `rollcall sync` over chosen events: every viewing of the world is a row, once, in the day that it lies in.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rollcall::transform::tables::Table;
use simulator::{Array, RangeEnds, ServerOptions, ViewerDetails, World};

use crate::support::command::{Desk, files, server};
use crate::support::lake::cells;

const ALL: [&str; 4] = ["--from", "2022-10-01", "--to", "2022-12-01"];

/// How many rows each cell must have, from the world itself.
fn expected(world: &World, zone: &str) -> BTreeMap<(Table, Date, i64), u64> {
    let zone = TimeZone::get(zone).unwrap();
    let day = |second: i64| zone.to_datetime(Timestamp::from_second(second).unwrap()).date();
    let mut rows = BTreeMap::new();
    for event in world.events().filter(|event| !event.cancelled) {
        let id = i64::try_from(event.id).unwrap();
        for session in event.sessions() {
            let table = if session.array == Array::Lives { Table::Lives } else { Table::Interactions };
            *rows.entry((table, day(session.online), id)).or_default() += 1;
        }
        let viewers = event.viewers().filter(|viewer| !viewer.sessions.is_empty()).count() as u64;
        if viewers > 0 {
            rows.insert((Table::ViewerDetails, day(event.start_time), id), viewers);
        }
    }
    rows
}

#[tokio::test]
async fn every_viewing_is_one_row_whichever_ends_of_a_range_the_vendor_includes() {
    let world = World::default();
    let mut all = Vec::new();
    for range_ends in [RangeEnds::Inclusive, RangeEnds::HalfOpen, RangeEnds::Exclusive] {
        for viewer_details in [ViewerDetails::Cumulative, ViewerDetails::PerRange] {
            let desk = Desk::new();
            let server =
                server(&world, ServerOptions { range_ends, viewer_details, ..ServerOptions::default() });
            desk.sync(&server, &ALL).succeeded();
            all.push(cells(&desk.store()).await);
        }
    }
    let rows: BTreeMap<_, _> = all[0].iter().map(|(place, (rows, _))| (*place, *rows)).collect();
    assert_eq!(rows, expected(&world, "Asia/Shanghai"));
    assert!(all.iter().all(|cells| *cells == all[0]));
}

#[tokio::test]
async fn days_are_those_of_the_lakes_zone_even_when_its_clocks_change() {
    // The replays reach over the first Sunday of November, when the clocks go back in New York.
    let world = World::default();
    for zone in ["America/New_York", "UTC"] {
        let desk = Desk::new();
        let server =
            server(&world, ServerOptions { range_ends: RangeEnds::Exclusive, ..ServerOptions::default() });
        desk.sync(&server, &[&ALL[..], &["--zone", zone]].concat()).succeeded();
        let rows: BTreeMap<_, _> =
            cells(&desk.store()).await.into_iter().map(|(place, (rows, _))| (place, rows)).collect();
        assert_eq!(rows, expected(&world, zone), "{zone}");
    }
}

#[tokio::test]
async fn a_second_sync_does_not_change_a_single_byte_of_the_viewings() {
    let desk = Desk::new();
    let server = server(&World::default(), ServerOptions::default());
    let viewings = || {
        let tables = ["lives", "interactions", "viewer_details", "rejects"];
        files(&desk.store().join("lake"))
            .into_iter()
            .filter(|(path, _)| {
                tables.iter().any(|table| path.to_str().unwrap().contains(&format!("lake/{table}/dt=2022")))
            })
            .collect::<Vec<_>>()
    };
    desk.sync(&server, &ALL).succeeded();
    let first = viewings();
    assert!(!first.is_empty());
    desk.sync(&server, &ALL).succeeded();
    assert!(first == viewings());
    assert_eq!(files(&desk.store().join("staging")), []);
}

#[tokio::test]
async fn a_published_day_has_an_object_in_every_table() {
    let desk = Desk::new();
    let server = server(&World::default(), ServerOptions::default());
    desk.sync(&server, &["--event", "609768"]).succeeded();
    let lake = desk.store().join("lake");
    for table in Table::ALL {
        let days = std::fs::read_dir(lake.join(table.name())).unwrap().count();
        // The day of the event, and the day of the visit.
        assert_eq!(days, 2, "{}", table.name());
    }
}

#[tokio::test]
async fn a_sync_works_with_an_applications_credentials_as_with_a_token() {
    let desk = Desk::new();
    let server = server(&World::default(), ServerOptions::default());
    let (url, store) = (server.url(), desk.store());
    let words = ["sync", "--event", "609768", "--api-url", &url, "--store", store.to_str().unwrap()];
    let app = ["--app-key", "demo", "--app-secret", "demo", "--user-id", "1"];
    desk.run(&[&words[..], &app[..]].concat()).succeeded();
    let lake = std::fs::read_to_string(store.join("ledger/lake.json")).unwrap();
    assert!(lake.contains(r#""customer":"100001""#), "{lake}");
}

#[tokio::test]
async fn a_visit_asks_only_for_the_snapshot_and_for_days_with_rows() {
    let desk = Desk::new();
    let world = World::default();
    let server = server(&world, ServerOptions::default());
    desk.sync(&server, &["--event", "700004"]).succeeded();
    let event = world.event(700_004).unwrap();
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    let day = |second: i64| zone.to_datetime(Timestamp::from_second(second).unwrap()).date();
    let days: BTreeSet<Date> = event.sessions().map(|session| day(session.online)).collect();
    let reports = server.requests().into_iter().filter(|request| request.path.ends_with("report/details"));
    let (snapshots, windows): (Vec<_>, Vec<_>) = reports.partition(|request| request.start_time.is_none());
    assert_eq!(snapshots.len(), 1);
    assert_eq!(windows.len(), days.len());
}
