//! A fan-out over chosen days: whatever cuts its rounds off, each chosen day is asked for again, and what was lost is restored.

use std::num::NonZeroUsize;

use jiff::Timestamp;
use jiff::civil::Date;
use rollcall::job::selection::Selection;
use rollcall::job::{Collect, Job, Plan, Publish};
use rollcall::report::{DueBecause, Report};
use rollcall::transform::tables::Table;
use simulator::{Server, ServerOptions};

use crate::support::command::Desk;
use crate::support::lake::{Cells, cells};
use crate::support::run::{HOUR, config, errors, job, later, server_at, small_world, sync, sync_all};

const FROM: &str = "2022-10-01";
const TO: &str = "2022-12-31";

/// A lake that has lost all viewings, and a plan to pull all of its days again.
struct Fan {
    desk: Desk,
    /// What the lake had.
    cells: Cells,
    items: String,
    planned_at: Timestamp,
    events: Vec<i64>,
}

impl Fan {
    /// The events were visited at `visited`; the plan is made an hour later.
    async fn out(visited: Timestamp) -> Self {
        let desk = Desk::new();
        sync_all(config(&vendor(visited), &desk.store()), visited).await;
        let cells = cells(&desk.store()).await;
        for table in [Table::Lives, Table::Interactions, Table::ViewerDetails] {
            std::fs::remove_dir_all(desk.store().join("lake").join(table.name())).unwrap();
        }
        let at = visited + HOUR;
        let items = NonZeroUsize::new(100);
        let plan = Job::Plan(Plan { selection: days(), items });
        let report = job(&desk.open(), config(&vendor(at), &desk.store()), at, plan).await.unwrap();
        let items = report.items.unwrap();
        let list: Vec<serde_json::Value> =
            serde_json::from_slice(&std::fs::read(desk.store().join(&items)).unwrap()).unwrap();
        let of_item = |item: &serde_json::Value| item["event_id"].as_array().unwrap().clone();
        let events: Vec<i64> = list.iter().flat_map(of_item).map(|id| id.as_i64().unwrap()).collect();
        assert!(events.len() > 4);
        Self { desk, cells, items, planned_at: report.began, events }
    }

    fn selection(&self) -> Selection {
        Selection { event: self.events.clone(), planned_at: Some(self.planned_at), ..days() }
    }

    /// One round of the pull of all events.
    async fn pull(&self, at: Timestamp, url: Option<&str>) -> Report {
        let server = vendor(at);
        let mut config = config(&server, &self.desk.store());
        config.api_url = url.map_or(config.api_url, str::to_owned);
        job(&self.desk.open(), config, at, Job::Pull(self.selection())).await.unwrap()
    }

    /// What became of the plan.
    async fn collect(&self, at: Timestamp) -> Report {
        let (items, planned_at) = (self.items.clone(), self.planned_at);
        let collect = Collect { items, planned_at, from: FROM.parse().ok(), to: TO.parse().ok() };
        self.run(at, Job::Collect(collect)).await
    }

    async fn run(&self, at: Timestamp, job: Job) -> Report {
        crate::support::run::job(&self.desk.open(), config(&vendor(at), &self.desk.store()), at, job)
            .await
            .unwrap()
    }

    /// Nothing is missing any more.
    async fn is_mended(&self, at: Timestamp) {
        let report = self.run(at, Job::Publish(Publish::default())).await;
        assert!(report.ok, "{:?}", report.failures);
        assert!(cells(&self.desk.store()).await == self.cells);
        let report = self.collect(at).await;
        assert_eq!((report.ok, report.events.complete), (true, self.events.len()), "{:?}", report.failures);
    }
}

fn vendor(at: Timestamp) -> Server {
    server_at(at, &small_world(8), ServerOptions::default())
}

fn days() -> Selection {
    Selection { from: FROM.parse().ok(), to: TO.parse().ok(), ..Selection::default() }
}

#[tokio::test]
async fn after_an_outage_the_next_round_asks_for_every_chosen_day_and_mends_what_was_lost() {
    let fan = Fan::out(later()).await;
    // Nobody listens there. The item's events are left for another round, through no fault of their own.
    let report = fan.pull(later() + HOUR * 2, Some("http://127.0.0.1:9")).await;
    assert!(!report.ok && report.events.failed == 0, "{:?}", report.failures);
    assert_eq!(report.events.left, fan.events.len());
    let report = fan.collect(later() + HOUR * 2).await;
    assert!(!report.ok, "nothing is there yet");
    let plan = Plan { selection: fan.selection(), items: None };
    let due = fan.run(later() + HOUR * 3, Job::Plan(plan)).await.due;
    assert!(due.iter().any(|due| due.visited >= Some(fan.planned_at)));
    for due in due {
        let is_continued = due.visited >= Some(fan.planned_at);
        let expected = if is_continued { DueBecause::Owed } else { DueBecause::Chosen };
        assert_eq!(due.reason, expected, "a dry run says what the pull then does");
    }

    let report = fan.pull(later() + HOUR * 3, None).await;
    assert!(report.ok, "{:?}", report.failures);
    assert_eq!((report.events.complete, report.events.left), (fan.events.len(), 0));
    fan.is_mended(later() + HOUR * 4).await;
}

#[tokio::test]
async fn a_visit_by_the_schedule_does_not_count_as_a_visit_of_the_plan() {
    // A moment at which all events are over, and still open.
    let open: Date = "2022-11-05".parse().unwrap();
    let open: Timestamp = format!("{open}T00:00:00Z").parse().unwrap();
    let fan = Fan::out(open).await;
    let server = vendor(open + HOUR * 30);
    let report =
        sync(config(&server, &fan.desk.store()), open + HOUR * 30, Selection::default()).await.unwrap();
    assert_eq!(report.events.complete, fan.events.len(), "every event is visited in between");
    assert!(
        errors(&report).iter().all(|error| error.starts_with("the object is missing")),
        "{:?}",
        errors(&report)
    );
    let report = fan.collect(open + HOUR * 30).await;
    assert_eq!(report.failures.len(), fan.events.len(), "but not for the plan");

    let report = fan.pull(open + HOUR * 31, None).await;
    assert_eq!((report.ok, report.events.complete), (true, fan.events.len()), "{:?}", report.failures);
    fan.is_mended(open + HOUR * 31).await;
    let again = fan.pull(open + HOUR * 32, None).await;
    assert_eq!(again.events.due, 0, "a plan visits its events once");
}
