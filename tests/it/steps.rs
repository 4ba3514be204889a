//! The steps of a sync, each alone, by the real program.

use rollcall::transform::tables::Table;
use simulator::{Server, ServerOptions, Viewers, World, WorldOptions};

use crate::command::{Desk, TOKEN, files, server};
use crate::lake::cells;

/// Events that are over, all of them due.
fn vendor() -> Server {
    let options =
        WorldOptions { events: 4, days: 2, viewers: Viewers::Range(1, 10), ..WorldOptions::default() };
    server(&World::new(options), ServerOptions::default())
}

#[tokio::test]
async fn plan_pull_and_publish_do_what_sync_does_and_plan_writes_nothing() {
    let server = vendor();
    let (desk, url) = (Desk::new(), server.url());
    let plan = ["plan", "--api-url", &url, "--token", TOKEN, "--lookback", "4000d"];
    let pull = ["pull", "--api-url", &url, "--token", TOKEN, "--lookback", "4000d"];
    let store = ["--store", desk.store().to_str().unwrap()].map(str::to_owned);
    let run = |words: &[&str]| desk.run(&[words, &[&store[0], &store[1]]].concat()).succeeded();

    let planned = run(&plan);
    assert!(planned.stdout.starts_with("events     5 known, 5 due\ndue        event "), "{}", planned.stdout);
    assert_eq!(files(&desk.store()), []);

    run(&pull);
    assert!(!desk.store().join("lake").exists());
    let before = files(&desk.store());
    assert!(run(&plan).stdout.starts_with("events     0 known, 0 due"));
    assert!(files(&desk.store()) == before, "a plan writes nothing");

    // To publish takes no token.
    let published = run(&["publish"]);
    assert!(published.stdout.starts_with("published  "), "{}", published.stdout);
    let again = Desk::new();
    again.sync(&server, &["--lookback", "4000d"]).succeeded();
    assert!(cells(&desk.store()).await == cells(&again.store()).await);
    assert!(!cells(&desk.store()).await.is_empty());
    assert!(run(&["publish"]).stdout.starts_with("published  0 objects"));
    assert!(run(&["upgrade", "--json"]).stdout.contains(r#""job": "upgrade""#));
}

#[test]
fn what_is_staged_without_a_lake_is_not_guessed_at() {
    let (desk, server) = (Desk::new(), vendor());
    desk.sync(&server, &["--event", "609768"]).succeeded();
    let staged = desk.store().join("staging/lives/dt=2022-10-26");
    std::fs::create_dir_all(&staged).unwrap();
    let object = rollcall::load::keys::lake(Table::Lives, "2022-10-26".parse().unwrap());
    std::fs::copy(desk.store().join(object), staged.join("609768-1-r.parquet")).unwrap();
    std::fs::remove_dir_all(desk.store().join("ledger")).unwrap();
    let store = desk.store();
    let outcome = desk.run(&["publish", "--store", store.to_str().unwrap()]);
    assert_eq!(outcome.status, 1);
    let [error] = outcome.errors()[..] else { panic!("{}", outcome.stderr) };
    assert!(error.contains("`ledger/lake.json`") && error.contains("hint: run `sync`"), "{error}");
    assert!(staged.join("609768-1-r.parquet").exists());
}

#[test]
fn a_store_that_has_nothing_has_nothing_to_publish() {
    let desk = Desk::new();
    for job in ["publish", "upgrade"] {
        let outcome = desk.run(&[job, "--store", desk.store().to_str().unwrap()]).succeeded();
        assert_eq!(outcome.stdout, "published  0 objects of 0 days\n");
        assert_eq!(files(&desk.store()), []);
    }
}
