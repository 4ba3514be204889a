//! What is said on the command line is what the run does.

use std::time::{Duration, Instant};

use serde_json::Value;
use simulator::{Fault, ServerOptions, World};

use crate::support::command::{Desk, TOKEN, server};
use crate::support::run::{paths, small_world};

const SPAN: [&str; 4] = ["--from", "2022-10-01", "--to", "2022-12-01"];

#[test]
fn events_come_only_from_the_lists_and_the_file_that_the_options_choose() {
    let world = small_world(12);
    let (edited, public) = ("event/modify/list", "event/public/list");
    for (words, lists, only_named) in [
        (vec![], vec![edited, public], false),
        (vec!["--no-public-list"], vec![edited], false),
        (vec!["--no-lists", "--roster", "own.csv"], vec![], true),
    ] {
        let (desk, server) = (Desk::new(), server(&world, ServerOptions::default()));
        std::fs::write(desk.path().join("own.csv"), "event_id\n609768\n").unwrap();
        let words = [&SPAN[..], &["--json"], &words].concat();
        let report: Value = serde_json::from_str(&desk.sync(&server, &words).succeeded().stdout).unwrap();
        let asked = paths(&server);
        for list in [edited, public] {
            assert_eq!(asked.contains(&list), lists.contains(&list), "{words:?}: {list}");
        }
        assert_eq!(report["events"]["complete"] == 1, only_named, "{words:?}");
    }
}

#[test]
fn without_lists_a_run_over_chosen_days_visits_known_events_including_closed_ones() {
    let (desk, server) = (Desk::new(), server(&World::default(), ServerOptions::default()));
    desk.sync(&server, &["--event", "609768"]).succeeded();
    let object = desk.store().join("lake/lives/dt=2022-10-26/part-0.parquet");
    std::fs::remove_file(&object).unwrap();
    let words = ["--no-lists", "--from", "2022-10-26", "--to", "2022-10-26"];
    let outcome = desk.sync(&server, &words).succeeded();
    assert!(outcome.stdout.contains("1 due: 1 complete"), "{}", outcome.stdout);
    assert!(object.exists());
}

#[test]
fn a_run_sends_no_more_requests_per_second_than_it_is_told() {
    let server = server(&small_world(2), ServerOptions::default());
    let began = Instant::now();
    Desk::new().sync(&server, &[&SPAN[..], &["--requests-per-second", "2"]].concat()).succeeded();
    let (took, requests) = (began.elapsed(), u32::try_from(server.requests().len()).unwrap());
    assert!(requests > 8, "{requests}");
    assert!(took >= Duration::from_millis(500) * (requests - 1), "{requests} requests in {took:?}");
}

#[test]
fn an_answer_may_take_longer_than_the_read_timeout_while_it_keeps_arriving() {
    let fault: Fault = "slow-drip=20@snapshot".parse().unwrap();
    let options = ServerOptions { faults: vec![fault], ..ServerOptions::default() };
    let server = server(&small_world(1), options);
    let began = Instant::now();
    let words = [&SPAN[..], &["--read-timeout", "1s", "--timeout", "5m"]].concat();
    Desk::new().sync(&server, &words).succeeded();
    assert!(began.elapsed() > Duration::from_secs(3), "the answer is long enough to tell");
}

#[test]
fn requests_in_the_clear_to_this_machine_bypass_a_proxy() {
    let (desk, server) = (Desk::new(), server(&World::default(), ServerOptions::default()));
    let (url, store) = (server.url(), desk.store());
    let words = ["sync", "--event", "609768", "--api-url", &url, "--token", TOKEN];
    let mut command = desk.command(&[&words[..], &["--store", store.to_str().unwrap()]].concat());
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        command.env(name, "http://127.0.0.1:9");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
