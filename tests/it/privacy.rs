//! What a privacy policy withholds is found nowhere.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures::TryStreamExt;
use rollcall::config::Config;
use rollcall::error::Kind;
use rollcall::job::selection::Selection;
use rollcall::job::{Forget, Job, Upgrade};
use rollcall::load::keys;
use rollcall::load::object::ObjectReader;
use rollcall::load::store::{Folder, Store};
use rollcall::metrics;
use rollcall::transform::privacy::Policy;
use rollcall::transform::row::rows;
use rollcall::transform::tables::Table;
use simulator::{Quirks, ServerOptions, World, WorldOptions};

use crate::support::bytes::{Search, everything, personal_values};
use crate::support::command::{Desk, TOKEN, server};
use crate::support::faulty::{Fault, Faulty, stride};
use crate::support::lake::cells_of;
use crate::support::policies::{KEY, POLICIES, policy, sync_under, world};
use crate::support::run::{HOUR, all_days, config, job, later, server_at, sync_of};
use crate::support::stores::{Home, On};

const QUIRKS: Quirks = Quirks {
    shuffled: false,
    unknown_fields: Some(3),
    wrong_types: true,
    unplaceable: Some(5),
    telling: true,
    contradicting: false,
    most_rows: None,
    longest_range: None,
    missing_array: None,
    null_array: None,
    null_if_empty: false,
    envelope: simulator::Envelope::Around,
};

fn options() -> ServerOptions {
    ServerOptions { quirks: QUIRKS, ..ServerOptions::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_a_policy_withholds_are_in_no_byte_that_the_program_leaves() {
    let values = personal_values(&world(), QUIRKS);
    assert!(values.len() > 60, "{}", values.len());
    let search = Search::of(&values);
    let server = server(&world(), options());
    let all = ["--from", "2022-10-01", "--to", "2022-12-01", "-vv", "--archive"];
    for (number, document) in [r#"{"base": "open"}"#].iter().chain(&POLICIES[..2]).enumerate() {
        let desk = Desk::new();
        let file = desk.path().join("policy.json");
        std::fs::write(&file, document).unwrap();
        let privacy = ["--privacy", file.to_str().unwrap(), "--hmac-key", KEY];
        let outcome = desk.sync(&server, &[&all[..], &privacy].concat());
        assert_eq!(outcome.status, 0, "{}", outcome.stderr);
        let store: Arc<dyn Store> = Arc::new(Folder::new(desk.store()));
        let mut left = everything(&store).await;
        left.push(("standard output".to_owned(), outcome.stdout.into_bytes()));
        assert!(outcome.stderr.contains("report/details"), "each request is said");
        left.push(("standard error".to_owned(), outcome.stderr.into_bytes()));
        let has_secret = |(_, bytes): &&(String, Vec<u8>)| {
            let text = String::from_utf8_lossy(bytes);
            [TOKEN, KEY].iter().any(|secret| text.contains(secret))
        };
        assert_eq!(left.iter().find(has_secret).map(|(place, _)| place), None);
        let found: Vec<_> = left
            .iter()
            .map(|(place, bytes)| (place, search.found(bytes)))
            .filter(|(_, found)| !found.is_empty())
            .collect();
        if number == 0 {
            assert!(found.len() > 10, "the search finds what is kept");
            assert!(found.iter().all(|(place, _)| !place.starts_with("standard")), "{found:?}");
        } else {
            assert!(found.is_empty(), "{document}: {found:?}");
        }
        // Nor is it in what a killed run would have left.
        assert_eq!(crate::support::command::files(&desk.store().join(".partial")), []);
    }
}

async fn searched(store: &Arc<dyn Store>, search: &Search, said: &str, what: &str) {
    for (place, bytes) in everything(store).await {
        assert_eq!(search.found(&bytes), [""; 0], "{what}: {place}");
    }
    assert_eq!(search.found(said.as_bytes()), [""; 0], "{what}: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_a_policy_withholds_are_left_nowhere_even_if_the_store_or_the_vendor_fails() {
    let search = Search::of(&personal_values(&world(), QUIRKS));
    for (document, faults) in
        POLICIES.iter().zip([vec![], vec!["cut-body@every:3"], vec!["status=500@every:2"]])
    {
        let faults = faults.into_iter().map(|fault| fault.parse().unwrap()).collect();
        let server = server_at(later(), &world(), ServerOptions { faults, ..options() });
        let run = async |store: Arc<dyn Store>| {
            // A policy that is `open` but for some columns would keep unknown fields: hence it drops `extra`.
            let config =
                Config { policy: policy(document), archive: true, ..config(&server, Path::new("unused")) };
            match job(&store, config, later(), sync_of(Selection::default())).await {
                Ok(report) => {
                    format!(
                        "{report}{}{}",
                        serde_json::to_string(&report).unwrap(),
                        metrics::line(&report, "test")
                    )
                }
                Err(error) => format!("{error} {error:?}"),
            }
        };
        let home = Home::new(On::Folder).await;
        let counting = Faulty::new(&home.store, 0, Fault::None);
        run(counting.clone()).await;
        for at in (0..counting.operations()).step_by(stride(29)) {
            let home = Home::new(On::Folder).await;
            let said = run(Faulty::new(&home.store, at, Fault::Dies)).await;
            searched(&home.store, &search, &said, &format!("{document} {at}")).await;
        }
    }
}

/// How many rows each person has in each of the three tables, sorted, without saying who it is.
async fn people(store: &Arc<dyn Store>) -> Vec<Vec<usize>> {
    let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, table) in [Table::Lives, Table::Interactions, Table::ViewerDetails].into_iter().enumerate() {
        for listed in store.list(&format!("lake/{}/", table.name()), "").await.unwrap() {
            let day = keys::parse_object(table, &listed.key).unwrap();
            let object = ObjectReader::open(store, &listed.key, listed.head, table, day).await.unwrap();
            let count = object.cells().iter().map(|cell| cell.rows).sum();
            let batches: Vec<_> =
                object.rows(std::iter::once(0..count)).unwrap().try_collect().await.unwrap();
            for row in batches.iter().flat_map(rows) {
                if let Some(person) = row.text("person_key") {
                    found.entry(person.into_owned()).or_insert_with(|| vec![0; 3])[at] += 1;
                }
            }
        }
    }
    let mut people: Vec<_> = found.into_values().collect();
    people.sort();
    people
}

#[tokio::test]
async fn pseudonyms_join_the_three_tables_to_the_same_people() {
    let world = World::new(WorldOptions { events: 6, days: 3, ..WorldOptions::default() });
    let server = server_at(later(), &world, ServerOptions::default());
    let (open, pseudonymous) = (Home::new(On::Folder).await, Home::new(On::Folder).await);
    sync_under(Arc::default(), &server, &open).await;
    sync_under(policy(POLICIES[0]), &server, &pseudonymous).await;
    let expected = people(&open.store).await;
    assert!(expected.len() > 100 && expected.iter().any(|tables| tables.iter().all(|rows| *rows > 0)));
    assert_eq!(people(&pseudonymous.store).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_lake_upgraded_to_a_stricter_policy_equals_one_that_had_it_from_the_beginning() {
    let search = Search::of(&personal_values(&world(), QUIRKS));
    for document in &POLICIES[..2] {
        let server = server_at(later(), &world(), options());
        let (strict, changed) = (Home::new(On::Folder).await, Home::new(On::Folder).await);
        sync_under(policy(document), &server, &strict).await;
        sync_under(Arc::default(), &server, &changed).await;
        let config =
            || Config { policy: policy(document), archive: true, ..config(&server, Path::new("unused")) };
        let refused =
            job(&changed.store, config(), later() + HOUR, sync_of(Selection::default())).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::OtherLake, "{refused}");
        assert!(refused.to_string().contains("set `--privacy`"), "{refused}");
        let upgrade = || Job::Upgrade(Upgrade { change_privacy: true, ..Upgrade::default() });
        // Killed at any operation, and run again.
        let counting = Faulty::new(&changed.store, u64::MAX, Fault::None);
        for at in [0, 3, 9, 27] {
            let dying: Arc<dyn Store> = Faulty::new(&changed.store, at, Fault::Dies);
            let _ = job(&dying, config(), later() + HOUR, upgrade()).await;
        }
        let report = job(&(counting as Arc<dyn Store>), config(), later() + HOUR, upgrade()).await.unwrap();
        assert!(report.ok, "{:?}", report.failures);
        searched(&changed.store, &search, "", document).await;
        assert_eq!(cells_of(&changed.store).await, cells_of(&strict.store).await, "{document}");
        let again = job(&changed.store, config(), later() + HOUR, upgrade()).await.unwrap();
        assert!(again.ok && again.published.objects.is_empty(), "{:?}", again.published.objects);
        let synced =
            job(&changed.store, config(), later() + HOUR, sync_of(Selection::default())).await.unwrap();
        assert!(synced.ok, "{:?}", synced.failures);
    }
}

#[test]
fn an_invalid_policy_is_a_wrong_call() {
    let desk = Desk::new();
    let file = desk.path().join("policy.json");
    let file = file.to_str().unwrap();
    for (privacy, key, said) in [
        ("pseudonymous", "", "there is no key"),
        ("pseudonymous", "short", "shorter than 32"),
        ("secret", "", "cannot read the privacy policy `secret`"),
        (r#"{"base": "none"}"#, "", "cannot be read"),
        (r#"{"base": "open", "columns": {"pulled_at": "drop"}}"#, "", "every row needs a value"),
    ] {
        let named = if privacy.starts_with('{') {
            std::fs::write(file, privacy).unwrap();
            file
        } else {
            privacy
        };
        let mut words = vec!["sync", "--token", TOKEN, "--privacy", named];
        if !key.is_empty() {
            words.extend(["--hmac-key", key]);
        }
        let outcome = desk.run(&words);
        assert_eq!(outcome.status, 2, "{}", outcome.stderr);
        assert!(outcome.stderr.contains(said) && outcome.stderr.contains("hint:"), "{}", outcome.stderr);
    }
    assert_eq!(crate::support::command::files(&desk.store()), []);
}

#[tokio::test]
async fn if_ledgers_and_the_list_of_the_forgotten_are_lost_while_files_are_staged_forget_mends_it() {
    for is_published in [true, false] {
        let (desk, server) = (Desk::new(), server_at(later(), &world(), ServerOptions::default()));
        let run = async |hours: i32, what: Job| {
            let config = Config { policy: policy(POLICIES[0]), ..config(&server, &desk.store()) };
            job(&desk.open(), config, later() + HOUR * hours, what).await
        };
        let forget = || Job::Forget(Forget { viewer: vec!["nobody@example.com".to_owned()], dry_run: false });
        let event = vec![world().events().next().unwrap().id.try_into().unwrap()];
        let one = Selection { event, ..Selection::default() };
        assert!(run(0, if is_published { sync_of(one) } else { Job::Pull(one) }).await.unwrap().ok);
        assert!(run(1, forget()).await.unwrap().ok);
        // What this stages of the other events was written under the list.
        assert!(run(2, Job::Pull(all_days())).await.unwrap().ok);
        std::fs::remove_dir_all(desk.store().join("ledger")).unwrap();
        let refused = run(3, sync_of(all_days())).await.unwrap_err();
        assert!(refused.to_string().contains("run `forget` with all of them at once"), "{refused}");
        let report = run(4, forget()).await.unwrap();
        assert!(report.ok, "{:?}", report.failures);
        let report = run(5, sync_of(all_days())).await.unwrap();
        assert!(report.ok && report.published.cells > 0, "{:?}", report.failures);
    }
}

#[tokio::test]
async fn a_lost_ledger_does_not_bring_back_what_was_withheld_or_who_was_forgotten() {
    let server = server_at(later(), &world(), ServerOptions::default());
    let home = Home::new(On::Folder).await;
    sync_under(policy(POLICIES[0]), &server, &home).await;
    let run = async |policy: Arc<Policy>, hours: i32, what: Job| {
        let config = Config { policy, ..config(&server, Path::new("unused")) };
        job(&home.store, config, later() + HOUR * hours, what).await
    };
    let forget = || Job::Forget(Forget { viewer: vec!["nobody@example.com".to_owned()], dry_run: false });
    assert!(run(policy(POLICIES[0]), 1, forget()).await.unwrap().ok);
    let again = || sync_of(all_days());
    assert!(run(policy(POLICIES[0]), 2, again()).await.unwrap().ok);
    let list = home.store.get(keys::SUPPRESSED).await.unwrap().unwrap().0;
    home.store.delete(keys::SUPPRESSED).await.unwrap();
    assert!(run(policy(POLICIES[0]), 3, again()).await.unwrap().ok);
    assert_eq!(home.store.get(keys::SUPPRESSED).await.unwrap().unwrap().0, list, "the log has it too");
    for key in home.keys("ledger/").await {
        home.store.delete(&key).await.unwrap();
    }
    let refused = run(Arc::default(), 3, again()).await.unwrap_err();
    assert!(refused.to_string().contains("privacy policy is `pseudonymous`"), "{refused}");
    let refused = run(policy(POLICIES[0]), 3, again()).await.unwrap_err();
    assert!(refused.to_string().contains("run `forget` with all of them at once"), "{refused}");
    assert!(run(policy(POLICIES[0]), 4, forget()).await.unwrap().ok);
    assert!(run(policy(POLICIES[0]), 5, again()).await.unwrap().ok);
}
