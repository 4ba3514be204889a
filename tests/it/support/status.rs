//! What `status` says of a lake.

use std::path::Path;

use jiff::Timestamp;
use rollcall::calendar::Clock;
use rollcall::inspect::Status;
use rollcall::job::context::Context;
use rollcall::job::selection::Selection;
use rollcall::progress::Progress;
use simulator::{ServerOptions, World};

use super::command::Desk;
use super::run::{config, server_at, small_world, sync};

/// While the events of the small world are still visited.
pub(crate) fn now() -> Timestamp {
    "2022-10-28T00:00:00Z".parse().unwrap()
}

pub(crate) async fn status_of(
    world: &World,
    store: &Path,
    now: Timestamp,
) -> rollcall::error::Result<Status> {
    let server = server_at(now, world, ServerOptions::default());
    let context = Context::new(config(&server, store), Clock::Fixed(now), Progress::hidden()).await?;
    Status::of(&context).await
}

/// A world, and a lake that one run made of it.
pub(crate) async fn synced(options: ServerOptions, now: Timestamp) -> (Desk, World) {
    let (desk, world) = (Desk::new(), small_world(6));
    let server = server_at(now, &world, options);
    sync(config(&server, &desk.store()), now, Selection::default()).await.unwrap();
    (desk, world)
}

pub(crate) fn names(advice: &[rollcall::inspect::Advice]) -> Vec<&str> {
    advice.iter().map(|advice| advice.name).collect()
}
