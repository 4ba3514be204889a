//! One person who is to be forgotten, and what must not be found of them anywhere.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rollcall::config::Config;
use rollcall::error::Result;
use rollcall::job::selection::Selection;
use rollcall::job::{Forget, Job};
use rollcall::load::store::Store;
use rollcall::report::Report;
use rollcall::transform::privacy::Policy;
use simulator::{Quirks, Server, ServerOptions, Viewers, World, WorldOptions};

use super::bytes::{Search, everything};
use super::lake::{Cells, cells_of};
use super::policies::open;
use super::run::{HOUR, all_days, config, job, later, server_now, sync_of};
use super::stores::{Home, On};

fn world() -> World {
    World::new(WorldOptions { events: 2, days: 2, viewers: Viewers::Range(6, 12), ..WorldOptions::default() })
}

pub(crate) fn vendor() -> Server {
    let quirks = Quirks { telling: true, unplaceable: Some(5), ..Quirks::default() };
    server_now(&world(), ServerOptions { quirks, ..ServerOptions::default() })
}

/// Everything that one person with viewings is known by, as the vendor writes it in one place or another.
pub(crate) fn person() -> Vec<String> {
    let viewers =
        || world().events().flat_map(|event| event.viewers().collect::<Vec<_>>()).collect::<Vec<_>>();
    let one = viewers()
        .into_iter()
        .filter(|viewer| viewer.sessions.len() > 1 && viewer.mobile.is_some())
        .max_by_key(|viewer| usize::from(viewer.email.is_some()) + usize::from(viewer.ext_id.is_some()))
        .unwrap();
    [one.mobile, one.email, one.ext_id].into_iter().flatten().collect()
}

/// What must not be found anywhere: the identifiers, also without the country.
fn search() -> Search {
    let plain = person().into_iter().flat_map(|text| [text.trim_start_matches("+86-").to_owned(), text]);
    Search::of(&plain.collect::<BTreeSet<_>>())
}

pub(crate) async fn run(
    store: &Arc<dyn Store>,
    server: &Server,
    policy: Arc<Policy>,
    hours: i32,
    what: Job,
) -> Result<Report> {
    let config = Config { policy, archive: true, ..config(server, Path::new("unused")) };
    job(store, config, later() + HOUR * hours, what).await
}

pub(crate) fn forget() -> Job {
    Job::Forget(Forget { viewer: person(), dry_run: false })
}

pub(crate) fn again() -> Job {
    sync_of(all_days())
}

pub(crate) async fn assert_forgotten(store: &Arc<dyn Store>, what: &str) {
    let search = search();
    for (place, bytes) in everything(store).await {
        assert_eq!(search.found(&bytes), [""; 0], "{what}: {place}");
    }
}

pub(crate) fn ok(outcome: Result<Report>) -> Report {
    let report = outcome.unwrap();
    assert!(report.ok, "{:?}", report.failures);
    report
}

/// A lake from which the person was forgotten before anything was pulled.
pub(crate) async fn without_the_person(server: &Server) -> Cells {
    let home = Home::new(On::Folder).await;
    let later_still = "2022-09-01T00:00:00Z".parse::<Timestamp>().unwrap();
    let nothing = Config { policy: open(), ..config(server, Path::new("unused")) };
    job(&home.store, nothing, later_still, sync_of(Selection::default())).await.unwrap();
    ok(run(&home.store, server, open(), 0, forget()).await);
    ok(run(&home.store, server, open(), 1, again()).await);
    cells_of(&home.store).await
}
