//! One person is removed from everything, whatever happens meanwhile, and everybody else stays.

use std::io::Write;
use std::process::Stdio;
use std::sync::Arc;

use futures::FutureExt;
use rollcall::job::selection::Selection;
use rollcall::job::{Forget, Job, Replay};
use rollcall::load::keys;
use rollcall::load::store::Store;
use rollcall::report::Failure;
use tokio::sync::Mutex;

use crate::support::bytes::everything;
use crate::support::command::{Desk, files};
use crate::support::faulty::{Fault, Faulty, stride};
use crate::support::lake::{cells_of, suppressed_records};
use crate::support::person::{again, assert_forgotten, forget, ok, person, run, vendor, without_the_person};
use crate::support::policies::{KEY, open, policy};
use crate::support::run::sync_of;
use crate::support::stores::{Home, On};

#[tokio::test]
async fn a_forgotten_host_is_removed_from_every_copy_of_a_ledger() {
    let (server, host) = (vendor(), "Wang Xiaoming");
    // It was reopened by a run that was killed before it removed the copy; or somebody put the copy back.
    for (reason, stays) in [(serde_json::Value::Null, false), ("complete".into(), true)] {
        let home = Home::new(On::Folder).await;
        ok(run(&home.store, &server, open(), 0, sync_of(Selection::default())).await);
        let closed = home.keys(keys::CLOSED).await.remove(0);
        let text = std::fs::read_to_string(home.path().join(&closed)).unwrap();
        let mut ledger: serde_json::Value = serde_json::from_str(&text).unwrap();
        ledger["event"]["host_name"] = host.into();
        let active = closed.replace("closed", "active");
        std::fs::create_dir_all(home.path().join(keys::ACTIVE)).unwrap();
        for (key, reason) in [(&closed, reason), (&active, serde_json::Value::Null)] {
            ledger["closed"] = reason;
            std::fs::write(home.path().join(key), ledger.to_string()).unwrap();
        }
        let what = Job::Forget(Forget { viewer: vec![host.to_owned()], dry_run: false });
        ok(run(&home.store, &server, open(), 1, what).await);
        assert!(home.path().join(&active).exists());
        assert_eq!(home.path().join(&closed).exists(), stays);
        for (key, text) in everything(&home.store).await {
            assert!(!String::from_utf8_lossy(&text).contains(host), "{key}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_person_is_found_nowhere_and_everybody_else_stays() {
    let server = vendor();
    let expected = without_the_person(&server).await;
    for (document, on) in [
        (r#"{"base": "open"}"#, On::Folder),
        (r#"{"base": "open"}"#, On::S3),
        (r#"{"base": "pseudonymous"}"#, On::Folder),
    ] {
        let home = Home::new(on).await;
        let run = async |hours, what| ok(run(&home.store, &server, policy(document), hours, what).await);
        run(0, sync_of(Selection::default())).await;
        let whole = cells_of(&home.store).await;
        let counted = run(1, Job::Forget(Forget { viewer: person(), dry_run: true })).await.erasure.unwrap();
        assert_eq!(cells_of(&home.store).await, whole, "a dry run changes nothing");
        assert!(!home.keys("ledger/").await.contains(&keys::SUPPRESSED.to_owned()));
        let erasure = run(1, forget()).await.erasure.unwrap();
        assert!(erasure.rows["lives"] > 0 && erasure.rows["viewer_details"] > 0, "{erasure:?}");
        assert!(erasure.archived_records > 0, "{erasure:?}");
        assert_eq!((counted.rows, counted.objects), (erasure.rows, erasure.objects));
        assert_forgotten(&home.store, document).await;
        if document.contains("open") {
            assert_eq!(cells_of(&home.store).await, expected);
        }
        let forgotten = cells_of(&home.store).await;
        run(2, Job::Replay(Replay { all: true, ..Replay::default() })).await;
        run(3, again()).await;
        assert_eq!(
            cells_of(&home.store).await,
            forgotten,
            "{document}: neither archive nor vendor bring anybody back"
        );
        assert_forgotten(&home.store, document).await;
        assert!(suppressed_records(&home.store).await > 0, "{document}");
        let twice = run(4, forget()).await.erasure.unwrap();
        assert!(twice.rows.is_empty() && twice.archived_records == 0, "{twice:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forget_may_be_killed_at_any_operation_and_run_again() {
    let server = vendor();
    let expected = without_the_person(&server).await;
    let whole = Home::new(On::Folder).await;
    ok(run(&whole.store, &server, open(), 0, sync_of(Selection::default())).await);
    let pulled = files(&whole.path());
    // Each try starts from a lake that still has the person: what an earlier one cleaned would be gone.
    let again = async || {
        let home = Home::new(On::Folder).await;
        for (path, content) in &pulled {
            let path = home.path().join(path.strip_prefix(whole.path()).unwrap());
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        home
    };
    let home = again().await;
    let counting = Faulty::new(&home.store, 0, Fault::None);
    let store: Arc<dyn Store> = counting.clone();
    ok(run(&store, &server, open(), 1, forget()).await);
    let operations = counting.operations();
    assert!(operations > 50, "{operations}");
    for at in (0..operations).step_by(stride(4)) {
        let home = again().await;
        let dying: Arc<dyn Store> = Faulty::new(&home.store, at, Fault::Dies);
        let killed = run(&dying, &server, open(), 1, forget()).await;
        assert!(killed.is_err() || !killed.unwrap().ok || at + 1 >= operations, "{at}");
        ok(run(&home.store, &server, open(), 2, forget()).await);
        assert_forgotten(&home.store, &at.to_string()).await;
        assert_eq!(cells_of(&home.store).await, expected, "{at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_under_way_during_a_forget_brings_nobody_back() {
    let server = Arc::new(vendor());
    let expected = without_the_person(&server).await;
    let home = Home::new(On::Folder).await;
    let counting = Faulty::new(&home.store, 0, Fault::None);
    let store: Arc<dyn Store> = counting.clone();
    ok(run(&store, &server, open(), 0, sync_of(Selection::default())).await);
    let operations = counting.operations();
    for at in (0..operations).step_by(stride(19)) {
        let home = Home::new(On::Folder).await;
        let inner = Arc::clone(&home.store);
        let said = Arc::new(Mutex::new(None));
        let (watched, vendor) = (Arc::clone(&said), Arc::clone(&server));
        let store: Arc<dyn Store> = Faulty::watched(
            &home.store,
            Box::new(move |k| {
                let (inner, watched, vendor) =
                    (Arc::clone(&inner), Arc::clone(&watched), Arc::clone(&vendor));
                async move {
                    if k == at {
                        *watched.lock().await = Some(run(&inner, &vendor, open(), 1, forget()).await);
                    }
                }
                .boxed()
            }),
        );
        ok(run(&store, &server, open(), 0, sync_of(Selection::default())).await);
        let forgotten = said.lock().await.take().unwrap().unwrap();
        // Before the first run has made a lake, it is said that there is none.
        let is_early = |failure: &Failure| failure.error.contains("there is no lake here");
        assert!(forgotten.failures.iter().all(is_early), "{at}: {:?}", forgotten.failures);
        assert!(forgotten.ok || at < operations / 2, "{at}");
        assert_forgotten(&home.store, &format!("synced, forgotten at operation {at}")).await;
        ok(run(&home.store, &server, open(), 30, again()).await);
        assert_forgotten(&home.store, &format!("forgotten at operation {at}")).await;
        assert_eq!(cells_of(&home.store).await, expected, "{at}");
    }
}

#[test]
fn a_forget_needs_the_key_and_a_whole_identifier_and_says_what_it_did() {
    let desk = Desk::new();
    let server = vendor();
    desk.sync(&server, &["--from", "2022-10-01", "--to", "2022-12-01"]).succeeded();
    let store = desk.store();
    let store = ["--store", store.to_str().unwrap()];
    let person = person();
    let words = |more: &[&str]| -> Vec<String> {
        ["forget"].iter().chain(&store).chain(more).map(|word| (*word).to_owned()).collect()
    };
    let run = |words: Vec<String>| desk.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let outcome = run(words(&["--viewer", &person[0]]));
    assert_eq!(outcome.status, 2, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("ROLLCALL_HMAC_KEY"), "{}", outcome.stderr);
    let outcome = run(words(&["--viewer", "123", "--hmac-key", KEY]));
    assert!(outcome.status == 2 && outcome.stderr.contains("shorter than 4"), "{}", outcome.stderr);
    let outcome = run(words(&["--viewer", &person[0], "--hmac-key", KEY])).succeeded();
    assert!(
        outcome.stdout.starts_with("forgotten  ") && outcome.stdout.contains("lives: "),
        "{}",
        outcome.stdout
    );
    assert!(!outcome.stdout.contains(&person[0]) && !outcome.stderr.contains(&person[0]));
    // From now on, only a run with the key can tell who is to be forgotten.
    let without = desk.sync(&server, &["--from", "2022-10-01", "--to", "2022-12-01"]);
    assert_eq!(without.status, 2, "{}", without.stderr);
    assert!(without.stderr.contains("only a key can tell"), "{}", without.stderr);
    let other = desk.sync(&server, &["--hmac-key", "another key that is long enough, too"]);
    assert!(other.stderr.contains("give the key that was used before"), "{}", other.stderr);
}

#[tokio::test]
async fn a_forget_says_if_there_is_no_lake_and_a_dry_run_says_that_nothing_was_erased() {
    let (home, vendor) = (Home::new(On::Folder).await, vendor());
    let run = |hours, what| run(&home.store, &vendor, open(), hours, what);
    let forget = |dry_run| Job::Forget(Forget { viewer: person(), dry_run });
    let error = run(0, forget(true)).await.unwrap_err();
    assert!(error.to_string().contains("hint: check `--store`"), "{error}");
    assert_eq!(home.keys("").await, [""; 0]);
    // A first run may be under way.
    let report = run(0, forget(false)).await.unwrap();
    assert!(
        !report.ok && report.failures[0].error.contains("there is no lake here"),
        "{:?}",
        report.failures
    );
    assert!(home.store.get(keys::SUPPRESSED).await.unwrap().is_some());
    assert!(run(1, sync_of(Selection::default())).await.unwrap().ok);
    let found = run(2, forget(true)).await.unwrap().to_string();
    assert!(found.starts_with("found      0 rows") && found.contains("nothing was erased"), "{found}");
    let done = run(3, forget(false)).await.unwrap();
    assert!(done.ok && done.to_string().starts_with("forgotten  0 rows"), "{done}");
}

#[test]
fn the_person_to_be_forgotten_may_be_named_on_standard_input() {
    let (desk, server) = (Desk::new(), vendor());
    desk.sync(&server, &["--from", "2022-10-01", "--to", "2022-12-01"]).succeeded();
    let store = desk.store();
    let counted = |words: &[&str], lines: &str| {
        let place = ["--store", store.to_str().unwrap(), "--hmac-key", KEY];
        let mut command = desk.command(&[&["forget", "--dry-run", "--json"], words, &place].concat());
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        report["erasure"].clone()
    };
    let person = person();
    let named: Vec<&str> = person.iter().map(String::as_str).collect();
    let by_words = counted(&[&["--viewer"], &named[..]].concat(), "");
    assert!(by_words["rows"]["lives"].as_u64() > Some(0), "{by_words}");
    assert_eq!(counted(&["--viewer", "-"], &format!("{}\n\n", named.join("\n"))), by_words);
}
