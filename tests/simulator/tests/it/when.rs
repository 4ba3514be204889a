//! Which requests faults strike.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::{Fault, FaultKind, Frequency, Scope, ServerOptions, When};

use crate::faults::{seen, with_faults};
use crate::http::{REPORT, call, start};

const INFO: &str = "/eventopenapi/event/info";

/// Which of `calls` were struck, and by what.
async fn struck(options: ServerOptions, calls: &[(&str, Value)]) -> Vec<Option<&'static str>> {
    let server = start(options);
    for (path, asked) in calls {
        let asked = [("token", json!("token"))]
            .into_iter()
            .chain(asked.as_object().unwrap().iter().map(|(key, value)| (key.as_str(), value.clone())));
        call(&server, path, asked.collect()).await;
    }
    server.requests().into_iter().map(|request| request.fault).collect()
}

#[tokio::test]
async fn a_rate_strikes_the_same_requests_under_the_same_seed() {
    let calls = vec![(INFO, json!({"eventId": 700_001})); 30];
    let run = async |fault_seed| {
        let options = ServerOptions { fault_seed, ..with_faults(&["code=500@rate:0.3", "html@rate:0"]) };
        struck(options, &calls).await
    };
    let (one, again, other) = (run(1).await, run(1).await, run(2).await);
    assert_eq!(one, again);
    assert_ne!(one, other);
    let count = one.iter().flatten().count();
    assert!((2..20).contains(&count), "{count} of 30");
    assert!(!one.contains(&Some("html")));
}

#[tokio::test]
async fn a_fault_counts_only_the_requests_in_its_scope() {
    let calls: Vec<(&str, Value)> = (0..8).map(|n| (INFO, json!({"eventId": 700_001 + n % 2}))).collect();
    for (when, expected) in [
        ("always", vec![0, 1, 2, 3, 4, 5, 6, 7]),
        ("nth:3", vec![2]),
        ("first:2", vec![0, 1]),
        ("every:3", vec![2, 5]),
        ("event:700002", vec![1, 3, 5, 7]),
        ("event:700002,nth:2", vec![3]),
        ("first:1,event:700001,path:event/info", vec![0]),
        ("path:report/details", vec![]),
        ("rate:1", vec![0, 1, 2, 3, 4, 5, 6, 7]),
    ] {
        let fault = format!("code=500@{when}");
        let all = struck(with_faults(&[&fault]), &calls).await;
        let got: Vec<usize> = (0..all.len()).filter(|place| all[*place].is_some()).collect();
        assert_eq!(got, expected, "{when}");
    }
    let all = struck(with_faults(&["code=1@nth:1", "code=2@first:2", "code=3@nth:2"]), &calls[..2]).await;
    assert_eq!(all, [Some("code"), Some("code")]);
}

#[tokio::test]
async fn a_request_belongs_to_the_day_in_the_middle_of_its_range() {
    // From 2022-10-27 16:00 UTC, which is midnight in UTC+8.
    let midnight = 1_666_886_400;
    let ask = |id: u64, start: i64, end: i64| {
        (REPORT, json!({"eventId": id, "startTime": midnight + start, "endTime": midnight + end}))
    };
    let calls = [
        ask(700_001, -1, 86_400),
        ask(700_002, 0, 86_399),
        ask(700_001, -10, 5),
        ask(700_001, 86_390, 86_420),
        (REPORT, json!({"eventId": 700_001})),
        (INFO, json!({"eventId": 700_001})),
    ];
    for (when, expected) in [
        ("day:2022-10-28", [true, true, false, false, false, false]),
        ("day:700001:2022-10-28", [true, false, false, false, false, false]),
        ("snapshot", [false, false, false, false, true, false]),
    ] {
        let fault = format!("code=500@{when}");
        let all = struck(with_faults(&[&fault]), &calls).await;
        assert_eq!(all.iter().map(Option::is_some).collect::<Vec<_>>(), expected, "{when}");
    }
}

#[tokio::test]
async fn the_first_fault_that_strikes_counts() {
    let server = start(with_faults(&["status=503@nth:2", "status=500"]));
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(seen(&server, Duration::from_mins(1)).await);
    }
    assert_eq!(all, ["500", "503", "500"]);
}

#[test]
fn faults_are_read_from_text() {
    let day = "2022-10-27".parse().unwrap();
    let scope = Scope { event: Some(700_004), day: Some(day), ..Scope::default() };
    let when = When { scope, frequency: Frequency::Rate(0.5) };
    let expected = Fault { kind: FaultKind::RetryAfter(429, 2), when };
    assert_eq!("retry-after=429:2@day:700004:2022-10-27,rate:0.5".parse(), Ok(expected));
    for wrong in [
        "",
        "reset=1",
        "status",
        "status=many",
        "status=100",
        "retry-after=429",
        "code=",
        "reset@",
        "reset@nth",
        "reset@day:late",
        "reset@often",
    ] {
        assert!(wrong.parse::<Fault>().is_err(), "{wrong}");
    }
}
