//! Plan and dry run: what would be asked, before it is asked.

use jiff::Timestamp;
use rollcall::job::selection::Selection;
use rollcall::job::{Job, Plan, SyncCall};
use rollcall::load::store::{Folder, Store};
use rollcall::report::{DueBecause, DueEvent, JobName, Report};
use simulator::{Server, ServerOptions, World};
use std::sync::Arc;

use crate::support::command::{Desk, files};
use crate::support::run::{HOUR, config, job, server_at, small_world, sync_of};

/// A lake and a vendor at one moment.
struct Scene {
    desk: Desk,
    store: Arc<dyn Store>,
    world: World,
}

impl Scene {
    fn new() -> Self {
        let desk = Desk::new();
        let store: Arc<dyn Store> = Arc::new(Folder::new(desk.store()));
        Self { desk, store, world: small_world(6) }
    }

    async fn run(&self, now: Timestamp, faults: &[&str], what: Job) -> (Report, Server) {
        let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
        let server = server_at(now, &self.world, ServerOptions { faults, ..ServerOptions::default() });
        let report = job(&self.store, config(&server, &self.desk.store()), now, what).await.unwrap();
        (report, server)
    }
}

fn dry_run() -> Job {
    Job::Sync(SyncCall { selection: Selection::default(), dry_run: true })
}

fn reports(server: &Server) -> u64 {
    server.requests().iter().filter(|request| request.path.ends_with("report/details")).count() as u64
}

#[tokio::test]
async fn a_dry_run_predicts_the_number_of_requests_asks_only_for_the_roster_and_writes_nothing() {
    let scene = Scene::new();
    let begin: Timestamp = "2022-10-28T00:00:00Z".parse().unwrap();
    // The first visits; those that are due one and two days later; the last ones.
    for hours in [0, 26, 50, 24 * 40] {
        let now = begin + HOUR * hours;
        let before = files(&scene.desk.store());
        let (planned, server) = scene.run(now, &[], dry_run()).await;
        assert_eq!((planned.job, reports(&server)), (JobName::Plan, 0));
        assert!(files(&scene.desk.store()) == before, "a dry run writes nothing");
        let (done, server) = scene.run(now, &[], sync_of(Selection::default())).await;
        assert!(done.ok && done.events.due > 0);
        assert_eq!(planned.events.due, done.events.due);
        let requests = planned.estimate.unwrap().requests;
        let asked = requests.at_least..=requests.at_most;
        assert!(asked.contains(&reports(&server)), "{hours} h: {asked:?}, {}", reports(&server));
        let of_events: u64 = planned.due.iter().map(|due| due.requests.at_least).sum();
        assert_eq!(of_events, requests.at_least);
    }
}

#[tokio::test]
async fn a_plan_says_why_each_event_is_due_and_which_windows_are_asked_for_in_any_case() {
    let scene = Scene::new();
    let begin: Timestamp = "2022-10-28T00:00:00Z".parse().unwrap();
    let plan = |selection| Job::Plan(Plan { selection, items: None });
    let reasons = async |now, selection| {
        let (report, _) = scene.run(now, &[], plan(selection)).await;
        let mut reasons: Vec<DueBecause> = report.due.iter().map(|due| due.reason).collect();
        reasons.dedup();
        (reasons, report)
    };
    let (new, report) = reasons(begin, Selection::default()).await;
    assert_eq!(new, [DueBecause::New]);
    assert!(report.due.iter().all(|due| due.windows.is_empty()), "the snapshot says which days have rows");
    assert_eq!(report.estimate.unwrap().milliseconds_per_request, None, "no visit has told yet");

    scene.run(begin, &["code=500@event:700001,path:report/details"], sync_of(Selection::default())).await;
    let one = |event| Selection { event: vec![event], ..Selection::default() };
    assert_eq!(reasons(begin + HOUR, one(700_002)).await.0, [DueBecause::Chosen]);
    let (_, report) = reasons(begin + HOUR * 30, Selection::default()).await;
    let of = |event_id: i64| report.due.iter().find(|due| due.event_id == event_id).unwrap();
    assert_eq!(of(700_001).reason, DueBecause::Failed);
    let again = report.due.iter().find(|due| due.reason == DueBecause::Again).unwrap();
    // From the last visit less the settling time to now: the 27th, the 28th, and the 29th.
    let days: Vec<String> = again.windows.iter().map(ToString::to_string).collect();
    assert_eq!(days, ["2022-10-27", "2022-10-28", "2022-10-29"]);
    assert_eq!(again.requests.at_least, 3);
    assert!(report.estimate.unwrap().milliseconds_per_request.is_some());
    let (last, _) = reasons(begin + HOUR * (24 * 60), Selection::default()).await;
    assert!(last.contains(&DueBecause::Last), "{last:?}");
}

#[tokio::test]
async fn events_past_their_horizon_come_after_all_others() {
    let scene = Scene::new();
    // By then, some events are past their horizon, others are not.
    let now: Timestamp = "2022-11-23T00:00:00Z".parse().unwrap();
    let (report, _) = scene.run(now, &[], dry_run()).await;
    let past = |due: &DueEvent| now.duration_since(due.end_time.unwrap()) >= HOUR * (30 * 24);
    let order: Vec<(bool, Option<Timestamp>)> =
        report.due.iter().map(|due| (past(due), due.end_time)).collect();
    assert!(order.is_sorted() && order.first().unwrap().0 != order.last().unwrap().0, "{order:?}");
}
