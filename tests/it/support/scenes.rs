//! Lakes that one run has made, with the vendor that they came from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use rollcall::config::Config;
use rollcall::job::selection::Selection;
use rollcall::job::{Job, Replay};
use rollcall::load::keys;
use rollcall::report::Report;
use rollcall::transform::privacy::Policy;
use rollcall::transform::tables::Table;
use simulator::{Quirks, Server, ServerOptions};

use super::lake::{Cells, cells_of};
use super::run::{HOUR, all_days, config, job, later, server_at, small_world, sync_of};
use super::stores::{Home, On};

/// A lake that is whole, and the vendor that it came from.
pub(crate) struct WholeLake {
    pub(crate) home: Home,
    pub(crate) server: Server,
    pub(crate) cells: Cells,
}

impl WholeLake {
    pub(crate) async fn new() -> Self {
        let server = server_at(later(), &small_world(4), ServerOptions::default());
        let home = Home::new(On::Folder).await;
        let mut scene = Self { home, server, cells: Cells::new() };
        assert!(scene.sync(0).await.ok);
        scene.cells = cells_of(&scene.home.store).await;
        scene
    }

    pub(crate) async fn run(&self, now: Timestamp, what: Job) -> rollcall::error::Result<Report> {
        job(&self.home.store, config(&self.server, Path::new("unused")), now, what).await
    }

    pub(crate) async fn sync(&self, hours: i32) -> Report {
        self.run(later() + HOUR * hours, sync_of(Selection::default())).await.unwrap()
    }

    /// Pulls everything again, due or not.
    pub(crate) async fn sync_all(&self, hours: i32) -> Report {
        let all = all_days();
        self.run(later() + HOUR * hours, sync_of(all)).await.unwrap()
    }

    pub(crate) fn path(&self, key: &str) -> PathBuf {
        self.home.path().join(key)
    }

    pub(crate) fn object(&self, table: Table, day: Date) -> PathBuf {
        self.path(&keys::object(table, day))
    }

    /// A day on which several events have rows.
    pub(crate) fn day(&self) -> Date {
        let days = self.cells.keys().filter(|(table, ..)| *table == Table::Lives).map(|(_, day, _)| *day);
        days.max_by_key(|day| self.cells.keys().filter(|(_, other, _)| other == day).count()).unwrap()
    }

    /// The cells of another lake, pulled from the same vendor alone.
    pub(crate) async fn cells_pulled_alone(&self) -> Cells {
        let alone = Home::new(On::Folder).await;
        let config = config(&self.server, Path::new("unused"));
        assert!(job(&alone.store, config, later(), sync_of(Selection::default())).await.unwrap().ok);
        cells_of(&alone.store).await
    }

    pub(crate) async fn is_whole(&self) -> bool {
        cells_of(&self.home.store).await == self.cells && self.home.keys("staging/").await.is_empty()
    }
}

/// A lake whose answers are archived.
pub(crate) struct ArchivedLake {
    pub(crate) home: Home,
    pub(crate) server: Server,
    pub(crate) policy: Arc<Policy>,
}

/// Replays everything.
pub(crate) fn replay_all() -> Job {
    Job::Replay(Replay { all: true, ..Replay::default() })
}

impl ArchivedLake {
    pub(crate) async fn new(on: On, policy: Arc<Policy>, quirks: Quirks) -> Self {
        let options = ServerOptions { quirks, ..ServerOptions::default() };
        let scene =
            Self { home: Home::new(on).await, server: server_at(later(), &small_world(4), options), policy };
        let report = scene.run(later(), sync_of(Selection::default())).await;
        assert!(report.ok, "{:?}", report.failures);
        scene
    }

    pub(crate) async fn run(&self, now: Timestamp, what: Job) -> Report {
        let policy = Arc::clone(&self.policy);
        let config = Config { policy, archive: true, ..config(&self.server, Path::new("unused")) };
        let report = job(&self.home.store, config, now, what).await.unwrap();
        assert!(report.ok, "{:?}", report.failures);
        report
    }

    pub(crate) async fn delete(&self, prefix: &str) {
        for key in self.home.keys(prefix).await {
            self.home.store.delete(&key).await.unwrap();
        }
    }
}
