//! A run in this process, by any clock and with short pauses: the same jobs as the program's.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use rollcall::calendar::{Clock, Zone};
use rollcall::config::{Config, Rosters};
use rollcall::error::Result;
use rollcall::extract::auth::{App, Credentials, User};
use rollcall::job::context::Context;
use rollcall::job::selection::Selection;
use rollcall::job::{Job, Publish, SyncCall};
use rollcall::load::lake_settings::NamedSettings;
use rollcall::load::store::{Location, Store};
use rollcall::progress::Progress;
use rollcall::report::Report;
use simulator::{Server, ServerOptions, Viewers, World, WorldOptions};

use crate::support::command::TOKEN;

pub(crate) const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A moment at which every event of the small world is closed by its first visit.
pub(crate) fn later() -> Timestamp {
    "2022-12-20T00:00:00Z".parse().unwrap()
}

pub(crate) fn small_world(events: u64) -> World {
    let viewers = Viewers::Range(0, 40);
    World::new(WorldOptions { events, days: 4, viewers, ..WorldOptions::default() })
}

/// A simulator whose clock stands at `now`.
pub(crate) fn server_at(now: Timestamp, world: &World, options: ServerOptions) -> Server {
    crate::support::command::server(world, ServerOptions { clock: simulator::Clock::Fixed(now), ..options })
}

/// A simulator with the clock of the machine, for runs that go by it, too.
pub(crate) fn server_now(world: &World, options: ServerOptions) -> Server {
    crate::support::command::server(world, options)
}

pub(crate) fn config(server: &Server, store: &Path) -> Config {
    Config {
        store: Location::Folder(store.to_owned()),
        api_url: server.url(),
        credentials: Some(Credentials::Token(TOKEN.into())),
        token_secret_arn: None,
        zone: Zone::parse("Asia/Shanghai").unwrap(),
        settle: HOUR * 12,
        horizon: HOUR * (30 * 24),
        lookback: HOUR * (400 * 24),
        rosters: Rosters { edited: true, public: true, file: None },
        concurrency: 4,
        requests_per_second: 10_000.try_into().unwrap(),
        first_pause: Duration::from_millis(1),
        max_response_bytes: 1 << 30,
        timeout: Duration::from_mins(1),
        read_timeout: Duration::from_mins(1),
        deadline: None,
        policy: Arc::default(),
        named: NamedSettings { zone: true, settle: true, policy: true },
        archive: false,
    }
}

/// Credentials of the simulator's application.
pub(crate) fn app() -> App {
    App {
        key: "demo".into(),
        secret: "demo".into(),
        user: User::Id(1),
        key_header: "AppKey".into(),
        token_field: "token".into(),
    }
}

/// The job of a scheduled run, or of chosen events.
pub(crate) fn sync_of(selection: Selection) -> Job {
    Job::Sync(SyncCall { selection, dry_run: false })
}

pub(crate) async fn sync(config: Config, now: Timestamp, selection: Selection) -> Result<Report> {
    let context = Context::new(config, Clock::Fixed(now), Progress::hidden()).await?;
    sync_of(selection).run(&context).await
}

/// A job over a store that is open.
pub(crate) async fn job(store: &Arc<dyn Store>, config: Config, now: Timestamp, job: Job) -> Result<Report> {
    let context = Context::over(Arc::clone(store), config, Clock::Fixed(now), Progress::hidden())?;
    job.run(&context).await
}

/// One scheduled run that succeeds.
pub(crate) async fn sync_all(config: Config, now: Timestamp) -> Report {
    let report = sync(config, now, Selection::default()).await.unwrap();
    assert!(report.ok, "{:?}", report.failures);
    report
}

/// What failed.
pub(crate) fn errors(report: &Report) -> Vec<&str> {
    report.failures.iter().map(|failure| failure.error.as_str()).collect()
}

/// The paths of all requests, in their order.
pub(crate) fn paths(server: &Server) -> Vec<&'static str> {
    server.requests().into_iter().map(|request| request.path.trim_start_matches("/eventopenapi/")).collect()
}

/// A run by the clock of the machine, by which a deadline counts; the simulator needs the same one: see [`server_now`].
pub(crate) async fn sync_in_time(config: Config, selection: Selection) -> Report {
    job_in_time(config, sync_of(selection)).await
}

/// A job by the same clock. Little of a deadline is left for publishing, so visits are tested without it.
pub(crate) async fn job_in_time(config: Config, job: Job) -> Report {
    let context = Context::new(config, Clock::System, Progress::hidden()).await.unwrap();
    job.run(&context).await.unwrap()
}

/// Publishes everything that is staged, however long that takes.
pub(crate) async fn publish_all(config: Config) {
    let report = job_in_time(Config { deadline: None, ..config }, Job::Publish(Publish::default())).await;
    assert!(report.ok, "{:?}", report.failures);
}

/// All days of the small world.
pub(crate) fn all_days() -> Selection {
    Selection { from: Some(date(2022, 10, 1)), ..Selection::default() }
}
