//! Cells that still hold somebody to be forgotten, before they are rewritten.

use std::sync::Arc;

use rollcall::calendar::Zone;
use rollcall::job::{Forget, Job};
use rollcall::load::lake::Lake;
use rollcall::load::lake_settings::LakeSettings;
use rollcall::load::object::{CleanObject, ObjectReader, clean_cell};
use rollcall::load::{keys, suppression};
use rollcall::transform::privacy::Privacy;
use rollcall::transform::tables::Table;
use simulator::Quirks;

use crate::support::policies::policy;
use crate::support::run::{HOUR, later, small_world};
use crate::support::scenes::{ArchivedLake, replay_all};
use crate::support::stores::On;

/// Numbers of people who watched.
fn mobiles() -> Vec<String> {
    let world = small_world(4);
    let viewers = world.events().flat_map(|event| event.viewers().collect::<Vec<_>>());
    let watched = viewers.filter(|viewer| !viewer.sessions.is_empty());
    watched.filter_map(|viewer| viewer.mobile).collect()
}

/// Puts people on the list, and does nothing else.
async fn suppress(scene: &ArchivedLake, identifiers: &[String]) -> Privacy {
    let people = suppression::people(&scene.policy, identifiers, false).unwrap();
    let zone = Zone::parse("Asia/Shanghai").unwrap();
    let settings = LakeSettings { zone, settle: HOUR * 12, policy: Arc::clone(&scene.policy) };
    let lake = Lake { store: Arc::clone(&scene.home.store), settings };
    lake.suppress(&people).await.unwrap()
}

#[tokio::test]
async fn a_cell_weighs_only_what_is_left_of_it_after_somebody_is_forgotten() {
    let scene = ArchivedLake::new(On::Folder, policy(r#"{"base": "open"}"#), Quirks::default()).await;
    let mobile = mobiles().remove(0);
    // A `forget` that was killed before it looked through the lake, and is run again after a replay.
    suppress(&scene, std::slice::from_ref(&mobile)).await;
    scene.run(later() + HOUR, replay_all()).await;
    scene.run(later() + HOUR * 2, Job::Forget(Forget { viewer: vec![mobile], dry_run: false })).await;
    let mut is_less = false;
    for key in scene.home.keys(&keys::table(Table::Lives)).await {
        let day = key.split("dt=").nth(1).unwrap()[..10].parse().unwrap();
        let head = scene.home.store.head(&key).await.unwrap().unwrap();
        let object = ObjectReader::open(&scene.home.store, &key, head, Table::Lives, day).await.unwrap();
        assert!(object.cells().iter().all(|cell| cell.weight == cell.rows), "{:?}", object.cells());
        is_less |= object.privacy_version().is_some_and(|version| version.suppressed > 0);
    }
    assert!(is_less);
}

#[tokio::test]
async fn a_cell_cleaned_alone_equals_the_same_cell_of_the_whole_object() {
    let scene = ArchivedLake::new(On::Folder, policy(r#"{"base": "open"}"#), Quirks::default()).await;
    let people: Vec<String> = mobiles().into_iter().step_by(2).collect();
    let privacy = suppress(&scene, &people).await;
    let mut is_less = false;
    for key in scene.home.keys(&keys::table(Table::Lives)).await {
        let day = key.split("dt=").nth(1).unwrap()[..10].parse().unwrap();
        let head = scene.home.store.head(&key).await.unwrap().unwrap();
        let open = || ObjectReader::open(&scene.home.store, &key, head.clone(), Table::Lives, day);
        let (object, whole) = (open().await.unwrap(), open().await.unwrap());
        let whole = CleanObject::of(whole, &privacy).await.unwrap();
        for (cell, before) in whole.cells().iter().zip(object.cells()) {
            let alone = clean_cell(&object, &privacy, cell.event_id, &cell.part).await.unwrap();
            assert_eq!(alone.as_ref(), Some(cell));
            is_less |= cell.rows < before.rows;
        }
        assert_eq!(clean_cell(&object, &privacy, 1, "").await.unwrap(), None);
    }
    assert!(is_less);
}
