//! The list of people to be forgotten, when it is lost, or an older one is put back.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use rollcall::error::Kind;
use rollcall::job::selection::Selection;
use rollcall::job::{Forget, Job, Publish};
use rollcall::load::keys;
use rollcall::load::store::Condition;
use serde_json::Value;

use crate::support::bytes::everything;
use crate::support::person::{assert_forgotten, forget, ok, run, vendor};
use crate::support::policies::{open, policy_under};
use crate::support::run::sync_of;
use crate::support::stores::{Home, On};

fn sync() -> Job {
    sync_of(Selection::default())
}

fn forget_of(viewer: &str) -> Job {
    Job::Forget(Forget { viewer: vec![viewer.to_owned()], dry_run: false })
}

/// The sums on the list.
async fn list(home: &Home) -> BTreeSet<String> {
    let (bytes, _) = home.store.get(keys::SUPPRESSED).await.unwrap().unwrap();
    let list: Value = serde_json::from_slice(&bytes).unwrap();
    list["people"].as_array().unwrap().iter().map(|sum| sum.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn people_stay_forgotten_if_only_the_list_is_lost_or_replaced_by_an_older_one() {
    let (home, vendor) = (Home::new(On::Folder).await, vendor());
    // Nothing has been pulled yet: no object says that people were forgotten.
    run(&home.store, &vendor, open(), 0, forget_of("somebody else")).await.unwrap();
    let older = home.store.get(keys::SUPPRESSED).await.unwrap().unwrap().0;
    run(&home.store, &vendor, open(), 0, forget()).await.unwrap();
    let both = list(&home).await;
    for (what, restores) in
        [(sync(), false), (Job::Publish(Publish::default()), false), (forget_of("a third one"), true)]
    {
        home.store.delete(keys::SUPPRESSED).await.unwrap();
        if restores {
            home.store.put(keys::SUPPRESSED, older.clone(), Condition::Absent).await.unwrap();
        }
        ok(run(&home.store, &vendor, open(), 1, what).await);
        assert!(list(&home).await.is_superset(&both), "restored: {restores}");
        assert_forgotten(&home.store, "the list was lost").await;
    }
    assert!(everything(&home.store).await.iter().any(|(key, _)| key.starts_with(keys::TABLES)));
}

#[tokio::test]
async fn a_list_that_cannot_be_rebuilt_stops_every_run_until_the_people_are_named_again() {
    let (home, vendor) = (Home::new(On::Folder).await, vendor());
    ok(run(&home.store, &vendor, open(), 0, sync()).await);
    ok(run(&home.store, &vendor, open(), 1, forget()).await);
    home.store.delete(keys::SUPPRESSED).await.unwrap();
    // As a version of the program logged it that did not note who was forgotten.
    let log = home.keys(keys::ERASURES).await.remove(0);
    let path = home.path().join(log);
    let mut document: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    document.as_object_mut().unwrap().retain(|key, _| key != "key" && key != "people");
    fs::write(&path, document.to_string()).unwrap();
    for what in [sync(), Job::Publish(Publish::default()), Job::Pull(Selection::default())] {
        let refused = run(&home.store, &vendor, open(), 2, what).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Damaged);
        assert!(refused.to_string().contains("run `forget` with all of them at once"), "{refused}");
    }
    let without_key = run(&home.store, &vendor, Arc::default(), 2, sync()).await.unwrap_err();
    assert!(without_key.to_string().contains("only a key can tell who"), "{without_key}");
    // It is not known whether these are all of them.
    let named = run(&home.store, &vendor, open(), 3, forget()).await.unwrap();
    let [failure] = &named.failures[..] else { panic!("{:?}", named.failures) };
    assert!(failure.error.contains("whoever is not named comes back"), "{failure:?}");
    ok(run(&home.store, &vendor, open(), 4, forget()).await);
    ok(run(&home.store, &vendor, open(), 5, sync()).await);
    assert_forgotten(&home.store, "named anew").await;
}

#[tokio::test]
async fn files_that_forget_does_not_search_are_named_and_keep_the_erasure_open_until_deleted() {
    let (home, vendor) = (Home::new(On::Folder).await, vendor());
    ok(run(&home.store, &vendor, open(), 0, sync()).await);
    let archived = home.keys(keys::ARCHIVE).await.remove(0);
    let (day, name) = archived.rsplit_once('/').unwrap();
    for hidden in [format!("{day}/.{name}.Xy12ab"), "ledger/closed/.609768.json.swp".to_owned()] {
        let path = home.path().join(&hidden);
        fs::write(&path, "somebody").unwrap();
        let report = run(&home.store, &vendor, open(), 1, forget()).await.unwrap();
        let [failure] = &report.failures[..] else { panic!("{:?}", report.failures) };
        assert!(failure.error.contains(&hidden) && failure.error.ends_with("hint: delete it"), "{failure:?}");
        let logs = home.keys(keys::ERASURES).await.into_iter().map(|key| home.path().join(key));
        let is_open = |log| fs::read_to_string(log).unwrap().contains("\"ended\":null");
        assert!(logs.into_iter().all(is_open), "none has ended");
        fs::remove_file(path).unwrap();
    }
    ok(run(&home.store, &vendor, open(), 2, forget()).await);
}

#[tokio::test]
async fn a_refused_forget_leaves_no_entry_in_the_log_and_an_unreadable_entry_is_named() {
    let (home, vendor) = (Home::new(On::Folder).await, vendor());
    ok(run(&home.store, &vendor, open(), 0, sync()).await);
    ok(run(&home.store, &vendor, open(), 1, forget()).await);
    let log = home.keys(keys::ERASURES).await;
    let other = policy_under(r#"{"base": "open"}"#, "another key that is long enough, too");
    let refused = run(&home.store, &vendor, other, 2, forget()).await.unwrap_err();
    assert_eq!(
        (refused.kind(), home.keys(keys::ERASURES).await),
        (Kind::OtherLake, log.clone()),
        "{refused}"
    );
    let path = home.path().join(&log[0]);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, "{").unwrap();
    let named = run(&home.store, &vendor, open(), 3, forget()).await.unwrap();
    assert!(named.failures.len() == 1 && named.failures[0].error.contains(&log[0]), "{:?}", named.failures);
    home.store.delete(keys::SUPPRESSED).await.unwrap();
    let refused = run(&home.store, &vendor, open(), 4, sync()).await.unwrap_err();
    assert!(refused.to_string().contains(&log[0]), "{refused}");
    fs::write(&path, whole).unwrap();
    ok(run(&home.store, &vendor, open(), 5, sync()).await);
}

#[tokio::test]
async fn people_named_outside_the_records_of_an_archived_answer_are_forgotten_too() {
    let (home, vendor) = (Home::new(On::Folder).await, vendor());
    ok(run(&home.store, &vendor, open(), 0, sync()).await);
    let path = home.path().join(home.keys(keys::ARCHIVE).await.remove(0));
    let read = || String::from_utf8(zstd::decode_all(&*fs::read(&path).unwrap()).unwrap()).unwrap();
    let owner = r#""owner":{"mail":"around@example.com"},"report""#;
    let named = read().replacen("\"report\"", owner, 1);
    assert!(named.contains("around@example.com"));
    fs::write(&path, zstd::encode_all(named.as_bytes(), 1).unwrap()).unwrap();
    let erasure = ok(run(&home.store, &vendor, open(), 1, forget_of("around@example.com")).await).erasure;
    assert_eq!(erasure.unwrap().archived_records, 1);
    assert!(!read().contains("around") && read().contains("online_time"), "the records stay");
}

#[tokio::test]
async fn a_forget_also_deletes_partial_files_that_a_killed_run_left_in_a_folder() {
    let (home, vendor) = (Home::new(On::Folder).await, vendor());
    ok(run(&home.store, &vendor, open(), 0, sync()).await);
    let left = home.path().join(".partial/left");
    fs::write(&left, "somebody").unwrap();
    let erasure = ok(run(&home.store, &vendor, open(), 1, forget()).await).erasure.unwrap();
    assert_eq!(erasure.versions, 0);
    assert!(!left.exists());
}
