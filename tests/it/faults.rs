//! The vendor as it is: every way in which a request can fail, and what becomes of the run.

use std::time::Duration;

use jiff::civil::Date;
use rollcall::error::Kind;
use rollcall::job::selection::Selection;
use rollcall::report::Report;
use rollcall::transform::tables::Table;
use simulator::{Envelope, Quirks, ReportArray, Server, ServerOptions};

use crate::support::command::Desk;
use crate::support::faults::{busiest, faults, without_faults};
use crate::support::lake::{Cells, cells};
use crate::support::run::{HOUR, config, later, server_at, server_now, small_world, sync, sync_all};

/// A scheduled run over a small world whose requests end after a few seconds.
async fn run(desk: &Desk, options: ServerOptions) -> (Report, Server) {
    let server = server_at(later(), &small_world(8), options);
    let mut config = config(&server, &desk.store());
    (config.timeout, config.read_timeout) = (Duration::from_secs(4), Duration::from_secs(2));
    config.max_response_bytes = 4 << 20;
    (sync(config, later(), Selection::default()).await.unwrap(), server)
}

#[tokio::test]
async fn transient_failures_are_retried_and_the_tables_are_the_same() {
    let (event, day) = busiest();
    let expected = without_faults().await;
    for fault in [
        "status=500@every:3",
        "status=502@every:3",
        "status=408@every:3",
        "status=404@every:3",
        "gateway=404@every:3",
        "retry-after=429:0@every:3",
        "retry-after=503:0@every:3",
        "reset@every:3",
        "cut-body@every:3",
        "cut-length@every:3",
        "cut-clean@every:3",
        "junk@every:3",
        "not-utf8@path:report/details,every:3",
        "other-event@path:report/details,every:3",
        "html@every:3",
        "code=500@every:3",
        "code=10086@every:3",
        &format!("stall@snapshot,event:{event},first:1"),
        &format!("stall@day:{event}:{day},first:1"),
        &format!("endless@day:{event}:{day},first:1"),
        &format!("endless-space@snapshot,event:{event},first:1"),
    ] {
        let desk = Desk::new();
        let (report, server) = run(&desk, faults(&[fault])).await;
        assert!(report.ok, "{fault}: {:?}", report.failures);
        assert!(cells(&desk.store()).await == expected, "{fault}");
        let struck = server.requests().iter().filter(|request| request.fault.is_some()).count() as u64;
        assert!(struck > 0, "{fault} never struck");
        let is_of_another = fault.starts_with("other-event");
        assert!(report.requests.retries >= struck || !is_of_another, "{fault} was taken for the event's own");
    }
}

#[tokio::test]
async fn permanent_failures_are_not_retried() {
    for (fault, kind) in [
        ("code=401", Kind::Credentials),
        ("status=401", Kind::Credentials),
        ("code=403", Kind::Refused),
        ("code=400", Kind::Refused),
        ("redirect=http://127.0.0.1:9/", Kind::Refused),
    ] {
        let desk = Desk::new();
        let server = server_at(later(), &small_world(2), faults(&[fault]));
        let outcome = sync(config(&server, &desk.store()), later(), Selection::default()).await;
        assert_eq!(outcome.unwrap_err().kind(), kind, "{fault}");
        assert_eq!(server.requests().len(), 1, "{fault}");
    }
}

#[tokio::test]
async fn an_event_that_fails_does_not_stop_the_others_and_is_named() {
    let expected = without_faults().await;
    let (busiest, _) = busiest();
    for (fault, said) in [
        ("code=404", "does not know this event"),
        ("code=400", "does not understand the request"),
        ("code=500", "could not answer"),
        ("html", "not a JSON object"),
        ("gateway=404", "there is no such page"),
    ] {
        let desk = Desk::new();
        let (report, _) =
            run(&desk, faults(&[&format!("{fault}@path:report/details,event:{busiest}")])).await;
        let [failure] = &report.failures[..] else { panic!("{fault}: {:?}", report.failures) };
        assert_eq!(failure.event_id, Some(busiest));
        assert!(failure.error.contains(said), "{}", failure.error);
        assert_eq!(failure.error.contains("requestId: "), fault.starts_with("code"), "{}", failure.error);
        assert_eq!((report.events.failed, report.events.left), (1, 0));
        let others: Cells =
            expected.iter().filter(|((_, _, event), _)| *event != busiest).map(|(k, v)| (*k, *v)).collect();
        assert!(cells(&desk.store()).await == others, "{fault}");
    }
}

#[tokio::test]
async fn a_day_that_is_longer_than_the_vendor_allows_is_asked_for_in_halves() {
    let expected = without_faults().await;
    for longest in [43_202, 86_400] {
        let quirks = Quirks { longest_range: Some(longest), ..Quirks::default() };
        let (desk, options) = (Desk::new(), ServerOptions { quirks, ..ServerOptions::default() });
        let (report, _) = run(&desk, options).await;
        assert!(report.ok, "{:?}", report.failures);
        assert!(cells(&desk.store()).await == expected, "{longest}");
    }
}

#[tokio::test]
async fn if_a_day_fails_only_that_day_is_owed_and_the_next_run_makes_it_good() {
    let expected = without_faults().await;
    let desk = Desk::new();
    let (event, day) = busiest();
    let (report, _) = run(&desk, faults(&[&format!("code=500@day:{event}:{day}")])).await;
    assert_eq!(report.events.failed, 1);
    assert_eq!(report.owed[&event], [day.to_string()]);
    let found = cells(&desk.store()).await;
    let owed: Vec<_> = expected.keys().filter(|place| !found.contains_key(place)).collect();
    assert!(!owed.is_empty());
    assert!(owed.iter().all(|(_, owed, of)| (*of, *owed) == (event, day)), "{owed:?}");

    let server = server_at(later() + HOUR, &small_world(8), ServerOptions::default());
    let report = sync_all(config(&server, &desk.store()), later() + HOUR).await;
    assert_eq!((report.events.due, report.owed.len()), (1, 0));
    assert!(cells(&desk.store()).await == expected);
}

#[tokio::test]
async fn if_a_request_is_refused_for_good_only_its_part_is_owed() {
    let expected = without_faults().await;
    let (event, day) = busiest();
    for (fault, owed) in [
        (format!("code=400@day:{event}:{day}"), day.to_string()),
        (format!("code=400@event:{event},snapshot"), "snapshot".to_owned()),
    ] {
        let desk = Desk::new();
        let (report, _) = run(&desk, faults(&[&fault])).await;
        assert_eq!((report.events.failed, &report.owed[&event]), (1, &vec![owed.clone()]), "{fault}");
        let found = cells(&desk.store()).await;
        let is_owed = |(table, of_day, of): &(Table, Date, i64)| {
            let is_day = owed == day.to_string() && *of_day == day;
            *of == event && (is_day || *table == Table::ViewerDetails)
        };
        let missing: Vec<_> = expected.keys().filter(|place| !found.contains_key(place)).collect();
        assert!(missing.iter().all(|place| is_owed(place)), "{fault}: {missing:?}");
        let server = server_at(later() + HOUR, &small_world(8), ServerOptions::default());
        sync_all(config(&server, &desk.store()), later() + HOUR).await;
        assert!(cells(&desk.store()).await == expected, "{fault}");
    }
}

#[tokio::test]
async fn a_day_whose_answer_is_cut_off_after_a_long_wait_is_asked_for_in_halves() {
    let (event, day) = busiest();
    let waits = [(Duration::ZERO, false), (Duration::from_millis(800), true)];
    let both = ["reset", "cut-body", "status=504", "code=504"]
        .into_iter()
        .flat_map(|fault| waits.map(|wait| (fault, wait)));
    for (fault, (wait, is_halved)) in both {
        let desk = Desk::new();
        let options = faults(&[&format!("{fault}@day:{event}:{day},first:1")]);
        let server = server_at(later(), &small_world(8), ServerOptions { latency: wait, ..options });
        let mut config = config(&server, &desk.store());
        config.timeout = Duration::from_secs(if is_halved { 3 } else { 60 });
        let selection = Selection { event: vec![event], ..Selection::default() };
        let report = sync(config, later(), selection).await.unwrap();
        assert!(report.ok, "{:?}", report.failures);
        let lengths: Vec<_> = server
            .requests()
            .into_iter()
            .filter_map(|request| Some(request.end_time? - request.start_time?))
            .collect();
        assert_eq!(
            lengths.iter().any(|length| *length < 13 * 3600),
            is_halved,
            "{fault} {wait:?} {lengths:?}"
        );
    }
}

#[tokio::test]
async fn quirks_of_an_answer_change_no_table_or_are_noted() {
    let expected = without_faults().await;
    for (quirks, noted) in [
        (Quirks { shuffled: true, ..Quirks::default() }, None),
        (Quirks { envelope: Envelope::Before, ..Quirks::default() }, None),
        (Quirks { envelope: Envelope::After, ..Quirks::default() }, None),
        (Quirks { unknown_fields: Some(3), ..Quirks::default() }, Some("a field `newField` has no column")),
        (Quirks { unknown_fields: Some(3), ..Quirks::default() }, Some("an array `polls` has no table")),
        (
            Quirks { missing_array: Some(ReportArray::Interactions), ..Quirks::default() },
            Some("`interactions` is missing"),
        ),
        (
            Quirks { null_array: Some(ReportArray::ViewerDetails), ..Quirks::default() },
            Some("`viewerDetails` is missing"),
        ),
    ] {
        let desk = Desk::new();
        let (report, _) = run(&desk, ServerOptions { quirks, ..ServerOptions::default() }).await;
        assert!(report.ok, "{:?}", report.failures);
        match noted {
            None => assert!(cells(&desk.store()).await == expected, "{quirks:?}"),
            Some(noted) => {
                assert!(report.notes.iter().any(|note| note.contains(noted)), "{:?}", report.notes);
            }
        }
        assert_eq!(report.without_table > 0, quirks.unknown_fields.is_some(), "{quirks:?}");
    }
}

#[tokio::test]
async fn values_and_records_that_fit_nowhere_are_set_aside_and_counted() {
    let quirks = Quirks { wrong_types: true, unplaceable: Some(5), ..Quirks::default() };
    let desk = Desk::new();
    let (report, _) = run(&desk, ServerOptions { quirks, ..ServerOptions::default() }).await;
    assert!(report.ok, "{:?}", report.failures);
    assert!(report.set_aside > 0 && report.rejects > 0, "{report}");
    let rows = |cells: &Cells| cells.values().map(|(rows, _)| rows).sum::<u64>();
    let (found, all) = (rows(&cells(&desk.store()).await), rows(&without_faults().await));
    assert!(found < all && found > all / 2, "{found} of {all}");
}

#[tokio::test]
async fn if_one_event_of_two_hundred_fails_the_exit_status_says_so() {
    let world = small_world(199);
    let server = server_now(&world, faults(&["code=400@path:report/details,event:700004"]));
    let desk = Desk::new();
    let outcome = desk.sync(&server, &["--from", "2022-10-01", "--to", "2022-12-01"]);
    assert_eq!(outcome.status, 1);
    let [error] = outcome.errors()[..] else { panic!("{}", outcome.stderr) };
    assert!(error.contains("event: 700004") && error.contains("requestId: 172.10.85.69_"), "{error}");
    let held = world.events().filter(|event| !event.cancelled).count();
    let summary = format!("{held} due: {} complete, 1 failed, 0 left", held - 1);
    assert!(outcome.stdout.contains(&summary), "{}", outcome.stdout);
}

#[tokio::test]
async fn a_gzipped_answer_gives_the_same_tables() {
    let desk = Desk::new();
    let (report, _) = run(&desk, ServerOptions { gzip: true, ..ServerOptions::default() }).await;
    assert!(report.ok);
    assert!(cells(&desk.store()).await == without_faults().await);
}

#[tokio::test]
async fn with_a_third_of_all_requests_failing_the_tables_are_the_same() {
    let world = small_world(200);
    let desk = Desk::new();
    let server = server_at(later(), &world, ServerOptions::default());
    sync_all(config(&server, &desk.store()), later()).await;
    let expected = cells(&desk.store()).await;
    let kinds =
        ["status=503", "reset", "cut-body", "cut-clean", "junk", "html", "code=500", "retry-after=429:0"];
    let rate = 1.0 - (2.0_f64 / 3.0).powf(1.0 / 8.0);
    let texts: Vec<String> = kinds.iter().map(|kind| format!("{kind}@rate:{rate}")).collect();
    // `make soak` asks for more.
    let seeds = std::env::var("ROLLCALL_SEEDS").map_or(3, |seeds| seeds.parse().unwrap());
    for fault_seed in 1..=seeds {
        let options = faults(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        let server = server_at(later(), &world, ServerOptions { fault_seed, ..options });
        let desk = Desk::new();
        let report = sync_all(config(&server, &desk.store()), later()).await;
        let failed = server.requests().iter().filter(|request| request.fault.is_some()).count();
        let percent = failed * 100 / server.requests().len();
        assert!((30..=36).contains(&percent), "{percent} % failed");
        // Junk within a record that is only counted does no harm, and a kept connection that breaks before the first byte of an
        // answer is replaced by the HTTP library itself. Everything else is tried again, and counted.
        let harmless = server.requests().iter().filter(|request| request.fault == Some("junk")).count();
        let replaced = server.requests().len() as u64 - report.requests.requests;
        let again = report.requests.retries + replaced;
        assert!(((failed - harmless) as u64..=failed as u64).contains(&again), "{again} of {failed}");
        assert!(cells(&desk.store()).await == expected, "seed {fault_seed}");
    }
}
