//! `doctor --probe` finds out what the vendor's page leaves open.

use rollcall::extract::auth::Credentials;
use rollcall::job::{Doctor, Job};
use rollcall::load::store::{Folder, Store};
use simulator::{RangeEnds, ServerOptions, ViewerDetails};
use std::sync::Arc;

use crate::support::command::Desk;
use crate::support::run::{app, config, job, later, server_at, small_world};

async fn probe(options: ServerOptions, event_id: i64, with_app: bool) -> Vec<(&'static str, bool, String)> {
    let desk = Desk::new();
    let store: Arc<dyn Store> = Arc::new(Folder::new(desk.store()));
    let server = server_at(later(), &small_world(6), options);
    let mut config = config(&server, &desk.store());
    if with_app {
        config.credentials = Some(Credentials::App(app()));
    }
    let what = Job::Doctor(Doctor { probe: Some(event_id) });
    let report = job(&store, config, later(), what).await.unwrap();
    assert!(!desk.store().join("lake").exists(), "a probe keeps nothing");
    report.checks.into_iter().map(|check| (check.name, check.ok, check.found)).collect()
}

fn found<'a>(checks: &'a [(&str, bool, String)], name: &str) -> &'a str {
    &checks.iter().find(|(known, ..)| *known == name).unwrap().2
}

#[tokio::test]
async fn the_probe_finds_out_each_way_in_which_the_vendor_may_behave() {
    for (range_ends, ends) in [
        (RangeEnds::Inclusive, "both ends of a range belong to it"),
        (RangeEnds::HalfOpen, "the first end of a range belongs to it, the last does not"),
        (RangeEnds::Exclusive, "neither end of a range belongs to it"),
    ] {
        let checks = probe(ServerOptions { range_ends, ..ServerOptions::default() }, 609_768, false).await;
        assert!(checks.iter().all(|(_, ok, _)| *ok), "{checks:?}");
        assert_eq!(found(&checks, "range"), ends);
        assert_eq!(found(&checks, "tokens"), "unknown: only an application's credentials can tell");
        assert!(found(&checks, "answers").starts_with("4 viewings, 10657 bytes, in "), "{checks:?}");
    }
    for (live_type_filters, says) in [(false, "it does not filter"), (true, "it filters: ")] {
        let options = ServerOptions { live_type_filters, ..ServerOptions::default() };
        let checks = probe(options, 700_003, false).await;
        assert!(found(&checks, "liveType").starts_with(says), "{checks:?}");
    }
    for (viewer_details, says) in
        [(ViewerDetails::Cumulative, "cover the whole event"), (ViewerDetails::PerRange, "cover the range")]
    {
        let checks =
            probe(ServerOptions { viewer_details, ..ServerOptions::default() }, 700_003, false).await;
        assert!(found(&checks, "details").contains(says), "{checks:?}");
    }
    for (new_token_ends_old, says) in
        [(false, "a new token leaves the one before"), (true, "a new token ends the one before")]
    {
        let options = ServerOptions { new_token_ends_old, ..ServerOptions::default() };
        assert_eq!(found(&probe(options, 609_768, true).await, "tokens"), says);
    }
}

#[tokio::test]
async fn an_unknown_event_fails_one_check_of_the_probe_and_the_others_go_on() {
    let checks = probe(ServerOptions::default(), 1, false).await;
    let failed: Vec<&str> = checks.iter().filter(|(_, ok, _)| !ok).map(|(name, ..)| *name).collect();
    assert_eq!(failed, ["answers"], "{checks:?}");
    assert!(found(&checks, "answers").contains("event: 1"), "{checks:?}");
    assert_eq!(found(&checks, "tokens"), "unknown: only an application's credentials can tell");
}
