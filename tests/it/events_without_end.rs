//! An event without a known end: asked about, given up, or visited because a user chose it.

use jiff::Timestamp;
use jiff::civil::date;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rollcall::calendar::Zone;
use rollcall::config::Rosters;
use rollcall::error::Kind;
use rollcall::job::selection::Selection;
use rollcall::load::keys;
use rollcall::load::ledger::Closing;
use rollcall::transform::tables::Table;
use serde_json::json;
use simulator::ServerOptions;

use crate::support::command::{Desk, files};
use crate::support::faults::faults;
use crate::support::lake::{event_said, ledger};
use crate::support::run::{HOUR, config, later, server_at, small_world, sync, sync_all};
use crate::support::vendor_lists::{VendorAnswers, run, try_run};

#[tokio::test]
async fn an_event_that_has_begun_and_is_listed_without_an_end_is_asked_about_until_its_end_is_known() {
    let held = later() - HOUR * 24;
    let listed = || json!({ "eventId": 1, "title": "t", "startTime": held.as_second() });
    let whole = || json!({ "eventId": 1, "title": "t", "startTime": held.as_second(), "endTime": (held + HOUR).as_second() });
    let edited = || VendorAnswers { edited: vec![listed()], ..VendorAnswers::default() };
    let public = || VendorAnswers { public: vec![listed()], ..VendorAnswers::default() };
    for lists in [&edited as &dyn Fn() -> VendorAnswers, &public] {
        let desk = Desk::new();
        // The question about it failed: the event is remembered.
        let (report, says) = run(&desk, later(), lists()).await;
        assert_eq!((report.failures.len(), says.pages("event/info")), (1, 1), "{:?}", report.failures);
        // No list names it any more.
        let (report, says) = run(
            &desk,
            later() + HOUR,
            VendorAnswers { info: [(1, whole())].into(), ..VendorAnswers::default() },
        )
        .await;
        assert!(report.ok, "{:?}", report.failures);
        assert_eq!((report.events.complete, says.pages("event/info")), (1, 1));
        let (_, says) =
            run(&desk, later() + HOUR * 2, VendorAnswers { info: [(1, whole())].into(), ..lists() }).await;
        assert_eq!(says.pages("event/info"), 0, "it is known");
    }
    // One that is yet to come is not asked about.
    let (desk, mut coming) = (Desk::new(), listed());
    coming["startTime"] = json!((later() + HOUR).as_second());
    let (report, says) =
        run(&desk, later(), VendorAnswers { edited: vec![coming], ..VendorAnswers::default() }).await;
    assert_eq!((report.ok, says.pages("event/info")), (true, 0));
    // Nor is one that was cancelled: there is nothing more to learn about it.
    let mut cancelled = listed();
    cancelled["eventStatus"] = json!(0);
    let edited = VendorAnswers { edited: vec![cancelled.clone()], ..VendorAnswers::default() };
    for lists in [edited, VendorAnswers { public: vec![cancelled], ..VendorAnswers::default() }] {
        let (report, says) = run(&Desk::new(), later(), lists).await;
        assert_eq!((report.ok, says.pages("event/info")), (true, 0));
    }
}

#[tokio::test]
async fn an_event_without_an_end_is_given_up_past_its_horizon_and_visited_once_it_has_one() {
    let horizon = HOUR * (30 * 24);
    // It was announced when it had begun, or long before.
    for ahead in [HOUR * -24, HOUR * (24 * 40)] {
        let desk = Desk::new();
        let start = later() + ahead;
        let mut event = json!({ "eventId": 1, "startTime": start.as_second() });
        run(&desk, later(), VendorAnswers { edited: vec![event.clone()], ..VendorAnswers::default() }).await;
        let begun = start.max(later());
        for (waited, asked, failed) in
            [(HOUR, 1, 1), (horizon - HOUR, 1, 1), (horizon, 0, 1), (horizon + HOUR, 0, 0)]
        {
            let (report, says) = run(&desk, begun + waited, VendorAnswers::default()).await;
            let failures: Vec<_> = report.failures.iter().map(|failure| failure.event_id).collect();
            assert_eq!((says.pages("event/info"), failures), (asked, vec![Some(1); failed]), "{waited:#}");
            let is_given_up = (waited, failed) == (horizon, 1);
            let is_told = usize::from(is_given_up);
            assert_eq!((report.events.given_up, report.run_failures()), (is_told, is_told), "{waited:#}");
        }
        assert_eq!(ledger(&desk, 1).await.unwrap().closed, Some(Closing::Incomplete));
        event["endTime"] = json!((start + HOUR).as_second());
        let after = begun + horizon + HOUR * 2;
        let (report, _) =
            run(&desk, after, VendorAnswers { public: vec![event], ..VendorAnswers::default() }).await;
        assert_eq!((report.ok, report.events.complete), (true, 1), "{:?}", report.failures);
    }
}

#[tokio::test]
async fn an_event_without_an_end_that_was_visited_on_request_is_closed_in_the_lake_too() {
    let (desk, horizon) = (Desk::new(), HOUR * (30 * 24));
    let listed = json!({ "eventId": 1, "startTime": (later() - HOUR * 24).as_second() });
    let says = || VendorAnswers {
        edited: vec![listed.clone()],
        info: [(1, listed.clone())].into(),
        ..VendorAnswers::default()
    };
    let both = || Rosters { edited: true, public: true, file: None };
    let chosen = Selection { from: Some(date(2022, 12, 18)), ..Selection::default() };
    let (outcome, _) = try_run(&desk.open(), later(), says(), both(), chosen).await;
    assert!(outcome.unwrap().ok);
    for (waited, asked, visits, is_closed) in [
        (HOUR, 1, 0, false),
        (horizon, 1, 1, false),
        (horizon + HOUR * 48, 1, 1, true),
        (horizon + HOUR * 72, 0, 0, true),
    ] {
        let (report, vendor) = run(&desk, later() + waited, says()).await;
        assert!(report.ok, "{:?}", report.failures);
        assert_eq!((vendor.pages("event/info"), report.events.due), (asked, visits), "{waited:#}");
        assert_eq!(event_said(&desk.open(), 1).await.is_closed, Some(is_closed), "{waited:#}");
    }
    assert_eq!(ledger(&desk, 1).await.unwrap().closed, Some(Closing::Complete));
}

#[tokio::test]
async fn an_event_that_is_asked_about_and_visited_in_one_run_counts_once() {
    let desk = Desk::new();
    let listed = vec![json!({ "eventId": 1, "startTime": (later() - HOUR * 24).as_second() })];
    let both = Rosters { edited: true, public: true, file: None };
    let chosen = Selection { from: Some(date(2022, 12, 18)), ..Selection::default() };
    let says = VendorAnswers { edited: listed, ..VendorAnswers::default() };
    assert!(try_run(&desk.open(), later(), says, both, chosen).await.0.unwrap().ok);
    // This vendor has the event's report, but says that it does not know the event.
    let (report, vendor) = run(&desk, later() + HOUR * (30 * 24), VendorAnswers::default()).await;
    assert!(report.ok && vendor.pages("event/info") == 1, "{:?}", report.failures);
    assert_eq!((report.events.due, report.events.complete, report.events.failed), (1, 1, 0));
}

#[tokio::test]
async fn an_event_without_an_end_is_visited_for_chosen_days_and_counts_once() {
    let listed = || vec![json!({ "eventId": 1, "startTime": (later() - HOUR * 24).as_second() })];
    for lists in [
        VendorAnswers { edited: listed(), ..VendorAnswers::default() },
        VendorAnswers { public: listed(), ..VendorAnswers::default() },
    ] {
        let both = Rosters { edited: true, public: true, file: None };
        let days = Selection { from: Some(date(2022, 12, 18)), ..Selection::default() };
        let (outcome, says) = try_run(&Desk::new().open(), later(), lists, both, days).await;
        let report = outcome.unwrap();
        assert!(report.ok, "{:?}", report.failures);
        assert_eq!((report.events.due, report.events.complete, says.pages("event/info")), (1, 1, 0));
    }
}

#[tokio::test]
async fn a_known_event_that_a_user_chooses_is_visited_even_if_the_vendor_no_longer_describes_it() {
    let desk = Desk::new();
    let listed = vec![json!({ "eventId": 1, "startTime": (later() - HOUR * 24).as_second() })];
    // Nothing says when it ends.
    run(&desk, later(), VendorAnswers { edited: listed, ..VendorAnswers::default() }).await;
    for (event, is_visited) in [(1, true), (2, false)] {
        let chosen = Selection { event: vec![event], ..Selection::default() };
        let lists = || Rosters { edited: true, public: true, file: None };
        let says = VendorAnswers::default();
        let (outcome, says) = try_run(&desk.open(), later(), says, lists(), chosen).await;
        let report = outcome.unwrap();
        assert_eq!((report.ok, says.pages("event/report/details") > 0), (is_visited, is_visited), "{event}");
        assert_eq!(report.events.complete, usize::from(is_visited), "{:?}", report.failures);
    }
}

#[tokio::test]
async fn a_known_event_is_visited_even_if_asking_about_it_fails_and_that_failure_is_reported() {
    let (desk, world) = (Desk::new(), small_world(4));
    let known = server_at(later(), &world, ServerOptions::default());
    sync_all(config(&known, &desk.store()), later()).await;
    let server = server_at(later(), &world, faults(&["code=403@path:event/info"]));
    let chosen = || Selection { event: vec![700_001], ..Selection::default() };
    let report = sync(config(&server, &desk.store()), later() + HOUR, chosen()).await.unwrap();
    let failed: Vec<_> = report.failures.iter().map(|failure| (failure.event_id, failure.kind)).collect();
    assert_eq!((failed, report.events.complete), (vec![(None, Kind::Refused)], 1), "{:?}", report.failures);
    let path =
        files(&desk.store().join("ledger")).into_iter().find(|(path, _)| path.ends_with("700001.json"));
    std::fs::write(path.unwrap().0, "{").unwrap();
    let report = sync(config(&server, &desk.store()), later() + HOUR * 2, chosen()).await.unwrap();
    let failed: Vec<_> = report.failures.iter().map(|failure| (failure.event_id, failure.kind)).collect();
    assert_eq!((failed, report.events.complete), (vec![(Some(700_001), Kind::Damaged)], 0));
}

#[tokio::test]
async fn an_event_without_a_start_stays_in_the_day_of_its_earliest_record_at_its_first_visit() {
    let (desk, zone) = (Desk::new(), Zone::parse("Asia/Shanghai").unwrap());
    let noon: Timestamp = "2022-10-26T04:00:00Z".parse().unwrap();
    for (hours, days_before) in [(0, vec![0, 1]), (1, vec![0, 1, 2])] {
        let at =
            |days: &i32| json!({ "online_time": (noon - HOUR * 24 * *days).as_second(), "email": "a@b.c" });
        let report = json!({
            "lives": days_before.iter().map(at).collect::<Vec<_>>(), "interactions": [], "viewerDetails": [],
        });
        let info = [(7, json!({ "eventId": 7, "title": "t" }))].into();
        let says = VendorAnswers { info, report, ..VendorAnswers::default() };
        let lists = Rosters { edited: false, public: false, file: None };
        let chosen = Selection { event: vec![7], ..Selection::default() };
        let (report, _) = try_run(&desk.open(), later() + HOUR * hours, says, lists, chosen).await;
        assert!(report.as_ref().unwrap().ok, "{:?}", report.unwrap().failures);
        let earliest = zone.day_of(noon - HOUR * 24 * days_before[days_before.len() - 1]);
        assert_eq!(event_said(&desk.open(), 7).await.first_day, Some(earliest), "every record is there");
        let day = zone.day_of(noon - HOUR * 24);
        let object = desk.store().join(keys::object(Table::Events, day));
        let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(object).unwrap()).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows(), 1, "{hours}");
    }
}
