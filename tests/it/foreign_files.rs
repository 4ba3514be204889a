//! What others leave among the program's files.

use rollcall::load::keys;
use simulator::ServerOptions;

use crate::support::run::{errors, later, server_at, small_world};
use crate::support::scenes::WholeLake;

#[tokio::test]
async fn files_that_a_file_manager_leaves_among_the_tables_are_ignored_only_if_engines_ignore_them() {
    let mut scene = WholeLake::new().await;
    let day = scene.day();
    // DuckDB reads the second one all the same.
    for (name, is_passed_over) in [(".DS_Store", true), ("._part-0.parquet", false)] {
        let path = scene.path(&format!("lake/lives/dt={day}/{name}"));
        std::fs::write(&path, "foreign").unwrap();
        scene.server = server_at(later(), &small_world(12), ServerOptions::default());
        let report = scene.sync_all(2).await;
        assert_eq!(report.ok, is_passed_over, "{:?}", report.failures);
    }
}

#[tokio::test]
async fn leftovers_of_editors_are_ignored_and_a_copied_ledger_is_named_but_not_counted() {
    let scene = WholeLake::new().await;
    let active = scene.home.keys("ledger/").await.into_iter().find(|key| key.starts_with(keys::CLOSED));
    let closed = scene.path(&active.unwrap());
    let copy = std::fs::read(&closed).unwrap();
    std::fs::create_dir_all(scene.path(keys::ACTIVE)).unwrap();
    std::fs::create_dir_all(scene.path("staging/lives/dt=2022-10-26")).unwrap();
    std::fs::create_dir_all(scene.path("archive/dt=2022-10-26")).unwrap();
    for (place, name, is_passed_over) in [
        (keys::ACTIVE, ".700001.json.swp", true),
        (keys::STAGING, ".DS_Store", true),
        ("staging/lives/", ".DS_Store", true),
        ("staging/lives/dt=2022-10-26/", ".DS_Store", true),
        ("archive/dt=2022-10-26/", ".DS_Store", true),
        (keys::ACTIVE, "700001 (copy).json", false),
        (keys::ACTIVE, "0700001.json", false),
    ] {
        let path = scene.path(&format!("{place}{name}"));
        std::fs::write(&path, &copy).unwrap();
        let report = scene.sync_all(2).await;
        assert_eq!((report.ok, report.events.known), (is_passed_over, 0), "{name}: {:?}", report.failures);
        let named = |error: &str| error.contains(name) && error.ends_with("hint: delete it");
        assert!(is_passed_over || errors(&report).iter().any(|error| named(error)), "{:?}", report.failures);
        std::fs::remove_file(&path).unwrap();
    }
}
