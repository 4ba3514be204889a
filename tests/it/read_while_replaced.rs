//! Status, explain and pages while the objects that they read are replaced.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rollcall::calendar::Clock;
use rollcall::inspect::{ExplainCall, Explanation, Status};
use rollcall::job::context::Context;
use rollcall::job::selection::Selection;
use rollcall::load::store::{Folder, Store};
use rollcall::page::Pages;
use rollcall::progress::Progress;
use simulator::{Server, ServerOptions, Viewers, World, WorldOptions};

use crate::support::command::{Desk, files};
use crate::support::faulty::{Faulty, stride};
use crate::support::run::{config, later, server_at, sync};

const EVENT: i64 = 700_001;

/// A lake of one event, seen by this many viewers.
async fn lake(viewers: u64) -> (Desk, Server) {
    let viewers = Viewers::Exactly(viewers);
    let world = World::new(WorldOptions { events: 1, viewers, ..WorldOptions::default() });
    let (desk, server) = (Desk::new(), server_at(later(), &world, ServerOptions::default()));
    let selection = Selection { event: vec![EVENT], ..Selection::default() };
    assert!(sync(config(&server, &desk.store()), later(), selection).await.unwrap().ok);
    (desk, server)
}

/// Replaces objects of a lake, each atomically, as a publish does.
fn replace(lake: &Path, objects: &[(PathBuf, Vec<u8>)]) {
    for (name, content) in objects {
        let part = lake.join("part");
        std::fs::write(&part, content).unwrap();
        std::fs::rename(part, lake.join(name)).unwrap();
    }
}

/// The objects of `lives` and `events` of a lake.
fn objects(desk: &Desk) -> Vec<(PathBuf, Vec<u8>)> {
    let all = files(&desk.store().join("lake")).into_iter();
    let relative = all.map(|(path, content)| (path.strip_prefix(desk.store()).unwrap().to_owned(), content));
    relative.filter(|(path, _)| path.starts_with("lake/lives") || path.starts_with("lake/events")).collect()
}

#[tokio::test]
async fn status_explain_and_pages_read_objects_whole_whenever_they_are_replaced() {
    // The larger objects are not read at once with their footers.
    let (many, server) = lake(1500).await;
    let (few, _other) = lake(50).await;
    let (before, mut after) = (objects(&many), objects(&few));
    after.retain(|(name, _)| before.iter().any(|(known, _)| known == name));
    assert!(after.len() > 2);
    let page = many.path().join("event.html");
    let mut drawn = std::collections::BTreeSet::new();
    for at in (0..).step_by(stride(17)) {
        replace(&many.store(), &before);
        let (place, changed) = (many.store(), after.clone());
        let watcher = Box::new(move |k: u64| {
            let (place, changed) = (place.clone(), changed.clone());
            Box::pin(async move {
                if k == at {
                    replace(&place, &changed);
                }
            }) as futures::future::BoxFuture<'static, ()>
        });
        let folder: Arc<dyn Store> = Arc::new(Folder::new(many.store()));
        let store = Faulty::watched(&folder, watcher);
        let place: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;
        let config = config(&server, &many.store());
        let context = Context::over(place, config, Clock::Fixed(later()), Progress::hidden()).unwrap();
        let pages = Pages { event_id: Some(EVENT), all: false, output: page.clone() };
        pages.write(&context).await.unwrap();
        let text = std::fs::read_to_string(&page).unwrap();
        drawn.insert(text.split("id=\"viewings\">").nth(1).unwrap().split('<').next().unwrap().to_owned());
        let of_page = store.operations();
        replace(&many.store(), &before);
        assert!(Status::of(&context).await.unwrap().problems.is_empty());
        let told =
            Explanation::of(&context, &ExplainCall { event_id: EVENT, viewer: Some("1".into()) }).await;
        assert!(told.unwrap().failures.is_empty());
        if at > store.operations() {
            assert!(of_page > 10, "{of_page}");
            break;
        }
    }
    assert!(drawn.len() >= 2, "both were seen: {drawn:?}");
}
