//! What every store promises, on a folder and on a real S3 server.

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, future, stream};
use rollcall::error::{Kind, Result};
use rollcall::load::store::{Condition, Listed, Location, Store};

use crate::support::command::Desk;
use crate::support::lossy::Lossy;
use crate::support::stores::{Home, On, keys, server};

/// More than one part of an upload.
const LARGE: usize = 12 << 20;

async fn put(store: &Arc<dyn Store>, key: &str, content: &[u8], condition: Condition) -> Result<(), Kind> {
    store.put(key, Bytes::copy_from_slice(content), condition).await.map_err(|error| error.kind())
}

/// Content in which no two offsets look the same.
fn large() -> Vec<u8> {
    (0..LARGE / 8).flat_map(usize::to_le_bytes).collect()
}

async fn keeps_its_promises(on: On) {
    let home = Home::new(on).await;
    let store = &home.store;
    let version = async |key: &str| store.head(key).await.unwrap().unwrap().version;
    assert_eq!((store.head("a/b").await.unwrap(), store.get("a/b").await.unwrap()), (None, None));
    store.delete("a/b").await.unwrap();
    // What is proven by a document holds for every write.
    put(store, "proof", b"{}", Condition::Absent).await.unwrap();
    store.prove("proof", Bytes::from_static(b"{}")).await.unwrap();
    for (key, content) in [("a/small", b"one".to_vec()), ("a/large", large()), ("a/empty", Vec::new())] {
        assert_eq!(put(store, key, &content, Condition::Absent).await, Ok(()), "{key}");
        assert_eq!(put(store, key, &content, Condition::Absent).await, Err(Kind::Conflict), "{key}");
        let first = version(key).await;
        assert_eq!(store.get(key).await.unwrap().unwrap(), (Bytes::from(content.clone()), first.clone()));
        let listed = store.list(key, "").await.unwrap().remove(0);
        assert_eq!(listed.head, store.head(key).await.unwrap().unwrap(), "{key}");
        assert_eq!(listed.head.size, content.len() as u64);
        let middle = content.len() / 2;
        let read = store.read(key, &first, middle as u64..content.len() as u64).await.unwrap();
        assert!(read == content[middle..], "{key}");
        let other = [&content[..], b"more"].concat();
        assert_eq!(put(store, key, &other, Condition::Unchanged(first.clone())).await, Ok(()), "{key}");
        assert_eq!(put(store, key, b"x", Condition::Unchanged(first.clone())).await, Err(Kind::Conflict));
        assert_eq!(store.read(key, &first, 0..2).await.unwrap_err().kind(), Kind::Conflict);
        let second = version(key).await;
        store.delete(key).await.unwrap();
        assert_eq!(put(store, key, b"x", Condition::Unchanged(second)).await, Err(Kind::Conflict), "{key}");
        assert_eq!(store.head(key).await.unwrap(), None, "{key}");
    }
    assert_eq!(store.get("proof").await.unwrap().unwrap().0, "{}");
    let version = version("proof").await;
    put(store, "proof", b"{ }", Condition::Unchanged(version.clone())).await.unwrap();
    store.delete_unchanged("proof", &version).await.unwrap();
    assert_eq!(keys(store, "").await, ["proof"], "another version stays");
    let version = store.head("proof").await.unwrap().unwrap().version;
    store.delete_unchanged("proof", &version).await.unwrap();
    store.delete_unchanged("proof", &version).await.unwrap();
    assert_eq!(keys(store, "").await, [""; 0]);
}

async fn shows_what_lies_directly_below(on: On) {
    let home = Home::new(on).await;
    for key in ["s/b/2", "s/a/x/1", "s/a/2", "s/c", "t/1"] {
        put(&home.store, key, b"x", Condition::Absent).await.unwrap();
    }
    for (prefix, folders, objects) in [
        ("s/", &["s/a/", "s/b/"][..], &["s/c"][..]),
        ("s/a/", &["s/a/x/"], &["s/a/2"]),
        ("t/", &[], &["t/1"]),
        ("none/", &[], &[]),
    ] {
        let below = home.store.below(prefix).await.unwrap();
        let found: Vec<&str> = below.objects.iter().map(|listed| listed.key.as_str()).collect();
        assert_eq!(below.folders, folders, "{prefix}");
        assert_eq!(found, objects, "{prefix}");
        for Listed { key, head } in below.objects {
            assert_eq!(home.store.head(&key).await.unwrap(), Some(head));
        }
    }
}

#[tokio::test]
async fn a_folder_lists_what_lies_directly_below_a_prefix() {
    shows_what_lies_directly_below(On::Folder).await;
}

#[tokio::test]
async fn s3_lists_what_lies_directly_below_a_prefix() {
    shows_what_lies_directly_below(On::S3).await;
}

#[tokio::test]
async fn a_folder_keeps_the_promises_of_a_store() {
    keeps_its_promises(On::Folder).await;
}

#[tokio::test]
async fn s3_keeps_the_promises_of_a_store() {
    keeps_its_promises(On::S3).await;
}

#[tokio::test]
async fn keys_are_listed_in_order_over_many_pages_of_s3() {
    let home = Home::new(On::S3).await;
    let all: Vec<String> = (0..1_205).map(|number| format!("many/{number:05}")).collect();
    // Not all at once: a shell allows about a thousand open files.
    let puts = stream::iter(&all).map(|key| put(&home.store, key, b"x", Condition::Absent));
    assert!(puts.buffer_unordered(32).all(|outcome| future::ready(outcome.is_ok())).await);
    assert_eq!(home.keys("many/").await, all);
    let after: Vec<String> =
        home.store.list("many/", "many/00999").await.unwrap().into_iter().map(|listed| listed.key).collect();
    assert_eq!(after, all[1_000..]);
}

async fn one_of_many_wins(on: On) {
    let home = Home::new(on).await;
    for round in 0..3 {
        let racers = (0..8).map(|_| {
            let store = Arc::clone(&home.store);
            tokio::spawn(async move { put(&store, &format!("k{round}"), b"x", Condition::Absent).await })
        });
        let outcomes: Vec<_> = future::join_all(racers).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Err(Kind::Conflict)).count(), 7);
    }
}

#[tokio::test]
async fn one_of_many_writers_wins_on_a_folder() {
    one_of_many_wins(On::Folder).await;
}

#[tokio::test]
async fn one_of_many_writers_wins_on_s3() {
    one_of_many_wins(On::S3).await;
}

#[tokio::test]
async fn an_upload_that_is_dropped_or_loses_a_race_leaves_nothing_on_s3() {
    let home = Home::new(On::S3).await;
    let mut upload = home.store.upload("dropped").await.unwrap();
    upload.write(Bytes::from(large())).await.unwrap();
    drop(upload);
    put(&home.store, "lost", b"first", Condition::Absent).await.unwrap();
    assert_eq!(put(&home.store, "lost", &large(), Condition::Absent).await, Err(Kind::Conflict));
    home.store.close().await;
    assert_eq!(unfinished(&home).await, [""; 0]);
    assert_eq!(home.keys("").await, ["lost"]);
}

/// The keys of all uploads that are neither complete nor aborted.
async fn unfinished(home: &Home) -> Vec<String> {
    let Location::S3(bucket) = &home.location else { panic!("no bucket") };
    let chain = aws_config::load_defaults(aws_config::BehaviorVersion::v2026_01_12()).await;
    let config = aws_sdk_s3::config::Builder::from(&chain).endpoint_url(server()).force_path_style(true);
    let client = aws_sdk_s3::Client::from_conf(config.build());
    let found =
        client.list_multipart_uploads().bucket(&bucket.name).prefix(&bucket.prefix).send().await.unwrap();
    found.uploads().iter().filter_map(|upload| upload.key().map(str::to_owned)).collect()
}

/// Every third answer is lost on its way: what was done is reported as failed, and the SDK does it again.
#[tokio::test]
async fn a_write_that_conflicts_with_its_own_earlier_attempt_succeeds_on_s3() {
    let home = Home::new(On::S3).await;
    let lossy = Lossy::start(&server(), 3).await;
    let store = home.again(|bucket| bucket.endpoint = Some(lossy.url().parse().unwrap())).await;
    let large = large();
    for round in 0..4 {
        for (key, content) in [("small", &b"one"[..]), ("large", &large[..])] {
            let key = format!("{key}{round}");
            assert_eq!(put(&store, &key, content, Condition::Absent).await, Ok(()), "{key}");
            assert_eq!(put(&store, &key, b"x", Condition::Absent).await, Err(Kind::Conflict), "{key}");
            let version = store.head(&key).await.unwrap().unwrap().version;
            assert_eq!(put(&store, &key, b"two", Condition::Unchanged(version)).await, Ok(()), "{key}");
            let (found, _) = store.get(&key).await.unwrap().unwrap();
            assert_eq!(found, "two");
            store.delete(&key).await.unwrap();
        }
    }
    assert!(lossy.lost() > 10, "{} answers were lost", lossy.lost());
}

#[tokio::test]
async fn a_failure_of_s3_is_reported_on_one_line_with_what_to_do() {
    let (desk, here) = (Desk::new(), server());
    let nowhere = "http://127.0.0.1:9";
    for (store, endpoint, change, said) in [
        ("s3://nosuch/x", &*here, ("AWS_PROFILE", None), "NoSuchBucket"),
        ("s3://rollcall/x", &here, ("AWS_SECRET_ACCESS_KEY", Some("wrong")), "SignatureDoesNotMatch"),
        ("s3://rollcall/x", &here, ("AWS_ACCESS_KEY_ID", None), "no credentials found in chain"),
        ("s3://rollcall/x", nowhere, ("AWS_PROFILE", None), "Connection refused"),
    ] {
        let words = ["publish", "--store", store, "--s3-path-style", "--s3-endpoint", endpoint];
        let mut command = desk.command(&words);
        match change {
            (name, Some(value)) => command.env(name, value),
            (name, None) => command.env_remove(name),
        };
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        let errors: Vec<&str> = stderr.lines().filter(|line| !line.contains(" INFO ")).collect();
        let [error] = errors[..] else { panic!("{stderr}") };
        assert!(error.starts_with("error: cannot read `ledger/lake.json`: "), "{error}");
        assert!(error.contains(said) && error.contains(" hint: "), "{error}");
        assert!(!error.contains("rollcall-test-secret") && !error.contains("wrong"), "{error}");
    }
}
