//! The steps of a sync, each alone, by the real program.

use rollcall::transform::tables::Table;
use simulator::{Server, ServerOptions, Viewers, World, WorldOptions};

use crate::support::command::{Desk, TOKEN, files, server};
use crate::support::lake::cells;

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
    assert!(planned.stdout.starts_with("events     5 open, 5 due\nrequests   5 to "), "{}", planned.stdout);
    assert_eq!(planned.stdout.lines().filter(|line| line.starts_with("due        event ")).count(), 5);
    assert_eq!(files(&desk.store()), []);

    run(&pull);
    assert!(!desk.store().join("lake").exists());
    let before = files(&desk.store());
    assert!(run(&plan).stdout.starts_with("events     0 open, 0 due"));
    assert!(files(&desk.store()) == before, "a plan writes nothing");

    // Publishing takes no token.
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
fn staged_files_are_not_published_without_the_settings_of_the_lake() {
    let (desk, server) = (Desk::new(), vendor());
    desk.sync(&server, &["--event", "609768"]).succeeded();
    let staged = desk.store().join("staging/lives/dt=2022-10-26");
    std::fs::create_dir_all(&staged).unwrap();
    let object = rollcall::load::keys::object(Table::Lives, "2022-10-26".parse().unwrap());
    std::fs::copy(desk.store().join(object), staged.join("609768-1-r.parquet")).unwrap();
    std::fs::remove_dir_all(desk.store().join("ledger")).unwrap();
    let store = desk.store();
    let outcome = desk.run(&["publish", "--store", store.to_str().unwrap()]);
    assert_eq!(outcome.status, 1);
    let [error] = outcome.errors()[..] else { panic!("{}", outcome.stderr) };
    assert!(error.contains("`ledger/lake.json`") && error.contains("hint: run `sync`"), "{error}");
    assert!(staged.join("609768-1-r.parquet").exists());
}

#[tokio::test]
async fn staged_files_are_published_even_if_the_vendor_refuses_the_token() {
    let server = vendor();
    let (desk, url) = (Desk::new(), server.url());
    let store = desk.store();
    let store = ["--store", store.to_str().unwrap(), "--api-url", &url];
    desk.run(&[&["pull", "--event", "609768", "--token", TOKEN], &store[..]].concat()).succeeded();
    assert!(cells(&desk.store()).await.is_empty());
    let outcome = desk.run(&[&["sync", "--token", "another"], &store[..]].concat());
    assert_eq!(outcome.status, 1);
    let [error] = outcome.errors()[..] else { panic!("{}", outcome.stderr) };
    assert!(error.contains("hint: check the token"), "{error}");
    assert!(!cells(&desk.store()).await.is_empty());

    // What cannot be published is reported as well.
    let staged = desk.store().join("staging/lives/dt=2022-10-26");
    std::fs::create_dir_all(&staged).unwrap();
    std::fs::write(staged.join("609768-1-r.parquet"), "no Parquet").unwrap();
    let outcome = desk.run(&[&["sync", "--token", "another"], &store[..]].concat());
    assert_eq!(outcome.status, 1);
    assert!(outcome.stderr.contains("609768-1-r.parquet"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("hint: check the token"), "{}", outcome.stderr);
}

#[test]
fn a_foreign_file_is_reported_only_by_a_publish_of_everything_or_of_its_own_day() {
    let (desk, server) = (Desk::new(), vendor());
    desk.sync(&server, &["--event", "609768"]).succeeded();
    let foreign = desk.store().join("lake/lives/dt=2022-11-05");
    std::fs::create_dir_all(&foreign).unwrap();
    std::fs::write(foreign.join("notes.csv"), "a,b").unwrap();
    // A publish of everything looks through the lake from the first staged day on.
    let staged = desk.store().join("staging/lives/dt=2022-10-26");
    std::fs::create_dir_all(&staged).unwrap();
    std::fs::write(staged.join("609768-1-r.parquet"), "no Parquet").unwrap();
    let store = desk.store();
    for (words, is_told) in [
        (&["publish"][..], true),
        (&["publish", "--day", "2022-11-05"], true),
        (&["publish", "--day", "2022-10-27"], false),
    ] {
        let outcome = desk.run(&[words, &["--store", store.to_str().unwrap()]].concat());
        let told = outcome.stderr.contains("lake/lives/dt=2022-11-05/notes.csv");
        assert_eq!(told, is_told, "{words:?} {}", outcome.stderr);
        assert_eq!(outcome.status, i32::from(is_told), "{words:?} {}", outcome.stderr);
    }
}

#[test]
fn the_doctor_checks_everything_and_leaves_nothing_behind() {
    let (desk, server) = (Desk::new(), vendor());
    let (url, store) = (server.url(), desk.store());
    let doctor = |token: &str| {
        desk.run(&["doctor", "--api-url", &url, "--token", token, "--store", store.to_str().unwrap()])
    };
    let found = doctor(TOKEN).succeeded();
    let names: Vec<&str> = found.stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(
        names,
        ["checks", "vendor", "clock", "token", "lake", "ledgers", "rights", "conditions"],
        "{}",
        found.stdout
    );
    assert!(found.stdout.starts_with("checks     7, 0 failed\n"));
    let left: Vec<_> = files(&store).into_iter().map(|(path, _)| path).collect();
    assert_eq!(left, [store.join(".lock")], "the lock of a folder is no object");
    desk.sync(&server, &["--event", "609768"]).succeeded();
    let before = files(&store);
    assert!(doctor(TOKEN).succeeded().stdout.contains("there is one; zone Asia/Shanghai"));
    assert!(files(&store) == before);

    // If nothing can be written.
    std::fs::write(store.join("plans"), "").unwrap();
    let unwritable = doctor(TOKEN);
    assert_eq!(unwritable.status, 1);
    assert!(unwritable.stdout.contains("\nrights     FAILED: cannot "), "{}", unwritable.stdout);
    std::fs::remove_file(store.join("plans")).unwrap();

    let refused = doctor("wrong");
    assert_eq!(refused.status, 1);
    assert!(refused.stdout.contains("\nvendor     FAILED: "), "{}", refused.stdout);
    assert_eq!(refused.errors().len(), 1, "a refusal says the time as well: {}", refused.stderr);
}

#[test]
fn the_doctor_checks_only_the_lists_and_the_roster_that_runs_would_read() {
    let desk = Desk::new();
    let options = ServerOptions {
        faults: vec!["code=403@path:event/modify/list".parse().unwrap()],
        ..ServerOptions::default()
    };
    let server = server(&World::new(WorldOptions::default()), options);
    let (url, store, roster) = (server.url(), desk.store(), desk.path().join("own.csv"));
    let doctor = |words: &[&str]| {
        let to = ["doctor", "--api-url", &url, "--token", TOKEN, "--store", store.to_str().unwrap()];
        desk.run(&[&to[..], words].concat())
    };
    let own = ["--no-lists", "--roster", roster.to_str().unwrap()];
    let without_lists = doctor(&own);
    assert_eq!(without_lists.status, 1);
    let failed = without_lists.stdout.lines().filter(|line| line.contains("FAILED"));
    assert!(failed.eq(without_lists.stdout.lines().filter(|line| line.starts_with("roster "))));
    std::fs::write(&roster, "event_id\n700001\n700002\n").unwrap();
    let found = doctor(&own).succeeded();
    assert!(found.stdout.contains("\nroster     it names 2 events\n"), "{}", found.stdout);
    let redirecting = ServerOptions {
        faults: vec!["redirect=https://example.com/@path:event/modify/list".parse().unwrap()],
        ..ServerOptions::default()
    };
    let elsewhere = crate::support::command::server(&World::new(WorldOptions::default()), redirecting);
    let words =
        ["doctor", "--api-url", &elsewhere.url(), "--token", TOKEN, "--store", store.to_str().unwrap()];
    let found = desk.run(&[&words[..], &own].concat());
    assert!(
        found.stdout.contains("\nvendor     FAILED: "),
        "a redirect is not the vendor's word: {}",
        found.stdout
    );
    let with_lists = doctor(&[]);
    assert!(
        with_lists.status == 1 && with_lists.stdout.contains("\nvendor     FAILED"),
        "{}",
        with_lists.stdout
    );
}

#[test]
fn the_doctor_fails_if_the_key_by_which_people_were_forgotten_is_missing() {
    let (desk, server) = (Desk::new(), vendor());
    desk.sync(&server, &["--event", "609768"]).succeeded();
    let (url, store) = (server.url(), desk.store());
    let store = store.to_str().unwrap();
    let mut forget = desk.command(&["forget", "--viewer", "19000101106", "--store", store]);
    let done = forget.env("ROLLCALL_HMAC_KEY", "k".repeat(32)).output().unwrap();
    assert!(done.status.success() && String::from_utf8_lossy(&done.stdout).contains("keep       the key"));
    let mut doctor = desk.command(&["doctor", "--api-url", &url, "--token", TOKEN, "--store", store]);
    let found = doctor.output().unwrap();
    assert!(!found.status.success());
    assert!(String::from_utf8_lossy(&found.stdout).contains("\nlake       FAILED: "), "{found:?}");
    let found = doctor.env("ROLLCALL_HMAC_KEY", "k".repeat(32)).output().unwrap();
    assert!(found.status.success(), "{found:?}");
}

#[test]
fn the_doctor_reports_a_wrong_clock_and_a_lake_with_other_settings() {
    let (desk, server) = (Desk::new(), vendor());
    desk.sync(&server, &["--event", "609768"]).succeeded();
    let late = ServerOptions {
        clock: simulator::Clock::Fixed("2022-11-01T00:00:00Z".parse().unwrap()),
        ..ServerOptions::default()
    };
    let late = crate::support::command::server(&World::new(WorldOptions::default()), late);
    let (url, store) = (late.url(), desk.store());
    let words = ["doctor", "--api-url", &url, "--token", TOKEN, "--zone", "UTC"];
    let found = desk.run(&[&words[..], &["--store", store.to_str().unwrap()]].concat());
    assert_eq!(found.status, 1);
    let failed: Vec<&str> = found.stdout.lines().filter(|line| line.contains("FAILED")).collect();
    assert_eq!(failed.len(), 2, "{}", found.stdout);
    assert!(failed[0].starts_with("clock ") && failed[0].ends_with("hint: set the clock"), "{}", failed[0]);
    assert!(failed[1].starts_with("lake ") && failed[1].contains("`Asia/Shanghai`"), "{}", failed[1]);
}

#[test]
fn the_pulls_of_a_plan_visit_its_events_once() {
    let (desk, server) = (Desk::new(), vendor());
    let (url, store) = (server.url(), desk.store());
    let run = |words: &[&str]| {
        let all = ["--api-url", &url, "--token", TOKEN, "--lookback", "4000d", "--json", "--store"];
        let done = desk.run(&[words, &all[..], &[store.to_str().unwrap()]].concat()).succeeded();
        serde_json::from_str::<serde_json::Value>(&done.stdout).unwrap()
    };
    let plan = run(&["plan", "--items", "2"]);
    assert_eq!((&plan["events"]["due"], plan.get("due")), (&5.into(), None));
    let shrinking = ["plan", "--items", "2", "--from", "2022-10-26", "--accept-shrink", "--token", TOKEN];
    let refused = desk.run(&[&shrinking[..], &["--store", store.to_str().unwrap()]].concat());
    assert!(
        refused.status == 2 && refused.stderr.contains("to `pull`"),
        "no item says so: {}",
        refused.stderr
    );
    let (items, planned_at) = (plan["items"].as_str().unwrap(), plan["began"].as_str().unwrap());
    let list = std::fs::read_to_string(store.join(items)).unwrap();
    let list: Vec<serde_json::Value> = serde_json::from_str(&list).unwrap();
    assert_eq!(list.iter().map(|item| item["event_id"].as_array().unwrap().len()).sum::<usize>(), 5);
    assert_eq!(list.len(), 3);

    let collect = ["collect", "--items", items, "--planned-at", planned_at];
    assert_eq!(run(&collect)["events"]["left"], 5, "nothing is done yet");
    // Nobody comes back to what is left of chosen days.
    let of_days = [&collect[..], &["--from", "2022-10-01", "--store", store.to_str().unwrap()]].concat();
    let outcome = desk.run(&of_days);
    assert_eq!((outcome.status, outcome.errors().len()), (1, 5), "{}", outcome.stderr);
    let asked = server.requests().len();
    for round in 0..2 {
        for item in &list {
            let mut words = vec!["pull".to_owned(), "--planned-at".into(), planned_at.into()];
            for event in item["event_id"].as_array().unwrap() {
                words.extend(["--event".to_owned(), event.to_string()]);
            }
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let due = if round == 0 { item["event_id"].as_array().unwrap().len() } else { 0 };
            assert_eq!(run(&words)["events"]["complete"], due, "round {round}");
        }
    }
    let rosters =
        server.requests()[asked..].iter().filter(|request| !request.path.contains("report")).count();
    assert_eq!(rosters, 0, "a plan's pull does not ask for the roster");
    let days = run(&["staged"])["staged"].as_array().unwrap().clone();
    assert!(!days.is_empty());
    run(&["publish", "--day", days[0].as_str().unwrap()]);
    assert_eq!(run(&["staged"])["staged"].as_array().unwrap()[..], days[1..], "the others wait");
    run(&["publish"]);
    assert_eq!(run(&["staged"])["staged"], serde_json::json!([]));
    assert_eq!(run(&collect)["events"]["complete"], 5);
}

#[test]
fn a_pull_for_a_plan_fails_for_an_event_that_was_not_planned() {
    let (desk, server) = (Desk::new(), vendor());
    desk.sync(&server, &["--event", "609768"]).succeeded();
    let (url, store) = (server.url(), desk.store());
    let words =
        ["pull", "--event", "7", "--planned-at", "2022-10-26T00:00:00Z", "--api-url", &url, "--token", TOKEN];
    let outcome = desk.run(&[&words[..], &["--store", store.to_str().unwrap()]].concat());
    assert_eq!(outcome.status, 1);
    let [error] = outcome.errors()[..] else { panic!("{}", outcome.stderr) };
    assert!(error.contains("event: 7") && error.contains("hint: plan it first"), "{error}");
}
