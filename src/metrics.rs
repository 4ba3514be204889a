//! The one line that a run of the Lambda logs: its report, and the values that `CloudWatch` turns into metrics, in the embedded
//! metric format (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).
//! It holds no personal data, and the only dimension is the deployment.

use serde_json::{Map, Value, json};

use crate::report::{JobName, Report};

/// The namespace of all metrics.
const NAMESPACE: &str = "rollcall";
/// The most failures, and the most notes, that a line lists: an entry in a `CloudWatch` log is limited to 256 KB.
const NAMED: usize = 100;

/// The line, as JSON. `deployment` is the name that all functions of one installation share.
#[must_use]
pub fn line(report: &Report, deployment: &str) -> Value {
    let metrics = metrics(report);
    let defined: Vec<Value> =
        metrics.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit })).collect();
    let mut line: Map<String, Value> =
        metrics.into_iter().map(|(name, _, value)| (name.to_owned(), value)).collect();
    // Failures of the run come first: they concern all events.
    let of_run = report.failures.iter().filter(|failure| failure.event_id.is_none());
    let of_events = report.failures.iter().filter(|failure| failure.event_id.is_some());
    let failures: Vec<_> = of_run.chain(of_events).take(NAMED).collect();
    let described = [
        (
            "_aws",
            json!({
                "Timestamp": report.began.as_millisecond(),
                "CloudWatchMetrics": [
                    { "Namespace": NAMESPACE, "Dimensions": [["deployment"]], "Metrics": defined },
                ],
            }),
        ),
        ("deployment", json!(deployment)),
        ("job", json!(report.job)),
        ("run", json!(report.run)),
        ("ok", json!(report.ok)),
        ("items", json!(report.items)),
        ("notes", json!(report.notes.iter().take(NAMED).collect::<Vec<_>>())),
        ("failed", json!(failures)),
    ];
    line.extend(described.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(line)
}

/// Name, unit and value of each metric that the job can say something about.
fn metrics(report: &Report) -> Vec<(&'static str, &'static str, Value)> {
    let mut metrics = vec![
        ("failures", "Count", json!(report.failures.len() + report.unnamed)),
        ("duration", "Milliseconds", json!(report.milliseconds)),
    ];
    let job = report.job;
    if matches!(job, JobName::Sync | JobName::Pull) {
        let (events, requests) = (&report.events, report.requests);
        metrics.extend([
            ("events_complete", "Count", json!(events.complete)),
            ("events_failed", "Count", json!(events.failed)),
            ("events_left", "Count", json!(events.left)),
            ("events_newly_failing", "Count", json!(events.newly_failing)),
            ("rows", "Count", json!(report.rows)),
            ("rejects", "Count", json!(report.rejects)),
            ("without_table", "Count", json!(report.without_table)),
            ("set_aside", "Count", json!(report.set_aside)),
            ("shrunk", "Count", json!(report.shrunk)),
            ("requests", "Count", json!(requests.requests)),
            ("retries", "Count", json!(requests.retries)),
            ("bytes", "Bytes", json!(requests.bytes)),
        ]);
    }
    if matches!(job, JobName::Sync | JobName::Plan | JobName::Pull) {
        metrics.push(("events_given_up", "Count", json!(report.events.given_up)));
    }
    if matches!(job, JobName::Sync | JobName::Publish | JobName::Upgrade) {
        metrics.push(("objects", "Count", json!(report.published.objects.values().sum::<u64>())));
    }
    // Not for a pull: the job `token` renews a token that a pull finds refused, and failed events have metrics of their own.
    if job != JobName::Pull {
        metrics.push(("run_failures", "Count", json!(report.run_failures())));
    }
    // Figures of all events come only from a job that has seen them all, at the end of a scheduled run. A run over chosen events
    // must not be taken for one of those.
    if matches!(job, JobName::Sync | JobName::Collect) && report.is_of_all {
        metrics.extend([
            ("heartbeat", "Count", json!(1)),
            ("events_known", "Count", json!(report.events.known)),
            ("events_overdue", "Count", json!(report.events.health.overdue)),
            ("events_failing", "Count", json!(report.events.health.failing)),
        ]);
    }
    metrics
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Kind};

    #[test]
    fn every_defined_metric_is_present_and_a_number() {
        for job in [JobName::Sync, JobName::Pull, JobName::Publish, JobName::Collect, JobName::Token] {
            let mut report = Report::new(job, "run", jiff::Timestamp::UNIX_EPOCH);
            report.event_failed(7, Error::new(Kind::Timeout, "late"));
            let line = line(&report, "acme");
            assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["deployment"]]));
            for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap() {
                let name = metric["Name"].as_str().unwrap();
                assert!(line[name].is_number(), "{job:?} {name}");
            }
            assert_eq!(line["failed"][0]["kind"], "timeout");
        }
    }

    #[test]
    fn a_failure_of_the_run_itself_is_named_however_many_events_failed() {
        let mut report = Report::new(JobName::Sync, "run", jiff::Timestamp::UNIX_EPOCH);
        for event_id in 0..300 {
            report.event_failed(event_id, Error::new(Kind::Timeout, "late"));
        }
        report.failed(&Error::new(Kind::Store, "full"));
        let line = line(&report, "acme");
        let failed = line["failed"].as_array().unwrap();
        assert_eq!((failed.len(), &failed[0]["kind"]), (NAMED, &json!("store")));
    }

    #[test]
    fn only_a_run_over_all_events_has_a_heartbeat_and_every_job_but_pull_counts_run_failures() {
        for (job, is_of_all, has_heartbeat, has_failures) in [
            (JobName::Sync, true, true, true),
            (JobName::Sync, false, false, true),
            (JobName::Collect, true, true, true),
            (JobName::Pull, true, false, false),
            (JobName::Publish, false, false, true),
            (JobName::Plan, true, false, true),
            (JobName::Staged, false, false, true),
        ] {
            let report = Report { is_of_all, ..Report::new(job, "run", jiff::Timestamp::UNIX_EPOCH) };
            let line = line(&report, "acme");
            assert_eq!(line.get("heartbeat").is_some(), has_heartbeat, "{job:?}");
            assert_eq!(line.get("run_failures").is_some(), has_failures, "{job:?}");
            let plans_or_visits = matches!(job, JobName::Sync | JobName::Plan | JobName::Pull);
            assert_eq!(line.get("events_given_up").is_some(), plans_or_visits, "{job:?}");
        }
    }
}
