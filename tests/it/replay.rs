//! Tables rebuilt from the archive: the same as from the vendor, even if the vendor has forgotten.

use std::path::Path;
use std::sync::Arc;

use jiff::SignedDuration;
use rollcall::config::Config;
use rollcall::error::Kind;
use rollcall::job::selection::Selection;
use rollcall::job::{Job, Replay};
use rollcall::load::keys;
use rollcall::report::Failure;
use rollcall::transform::tables::Table;
use simulator::{Quirks, ServerOptions, ViewerDetails, Viewers, World, WorldOptions};

use crate::support::command::{Desk, TOKEN, files};
use crate::support::faults::faults;
use crate::support::lake::{Cells, cells_of, events_said};
use crate::support::parquet::rewrite;
use crate::support::policies::policy;
use crate::support::run::{HOUR, config, job, later, server_at, small_world, sync_of};
use crate::support::scenes::{ArchivedLake, replay_all};
use crate::support::stores::{Home, On};

/// All but `pulls`, whose rows tell of past visits.
const TABLES: [Table; 5] =
    [Table::Lives, Table::Interactions, Table::ViewerDetails, Table::Rejects, Table::Events];

#[tokio::test(flavor = "multi_thread")]
async fn lost_tables_come_back_from_the_archive_without_a_request_whatever_the_policy() {
    let quirks =
        Quirks { unknown_fields: Some(3), wrong_types: true, unplaceable: Some(5), ..Quirks::default() };
    for document in [
        r#"{"base": "open"}"#,
        r#"{"base": "pseudonymous"}"#,
        r#"{"base": "pseudonymous", "columns": {"mobile": "drop", "email": "mask", "extra": "drop"}}"#,
        r#"{"base": "anonymous", "fields": ["newField"]}"#,
        r#"{"base": "open", "columns": {"mobile": "mask", "name": "drop"}}"#,
    ] {
        let scene = ArchivedLake::new(On::Folder, policy(document), quirks).await;
        let expected = cells_of(&scene.home.store).await;
        let events = events_said(&scene.home.store).await;
        assert!(expected.len() > 10 && events.len() > 3);
        for table in TABLES {
            scene.delete(&keys::table(table)).await;
        }
        let before = scene.server.requests().len();
        let report = scene.run(later() + HOUR, replay_all()).await;
        assert!(report.rows > 0 && report.events.complete >= 4, "{document}");
        assert_eq!(scene.server.requests().len(), before, "the vendor is not asked");
        assert_eq!(cells_of(&scene.home.store).await, expected, "{document}");
        assert_eq!(events_said(&scene.home.store).await, events, "{document}");
        assert_eq!(scene.home.keys(keys::STAGING).await, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_on_s3_brings_back_a_day_of_one_event_or_everything() {
    let scene = ArchivedLake::new(On::S3, Arc::default(), Quirks::default()).await;
    let expected = cells_of(&scene.home.store).await;
    let (_, day, event_id) = *expected.keys().find(|(table, ..)| *table == Table::Lives).unwrap();
    scene.delete(&keys::table(Table::Lives)).await;
    let one = Replay { event: vec![event_id], from: Some(day), to: Some(day), ..Replay::default() };
    scene.run(later() + HOUR, Job::Replay(one)).await;
    let lives = |cells: &Cells| {
        cells
            .iter()
            .filter(|((table, ..), _)| *table == Table::Lives)
            .map(|(place, cell)| (*place, *cell))
            .collect::<Vec<_>>()
    };
    let back = lives(&cells_of(&scene.home.store).await);
    assert_eq!(back, [((Table::Lives, day, event_id), expected[&(Table::Lives, day, event_id)])]);
    scene.run(later() + HOUR * 2, replay_all()).await;
    assert_eq!(cells_of(&scene.home.store).await, expected);
}

#[tokio::test]
async fn a_replay_does_not_touch_a_lake_that_is_whole() {
    let scene = ArchivedLake::new(On::Folder, Arc::default(), Quirks::default()).await;
    let lake = || files(&scene.home.path().join("lake"));
    let before = lake();
    scene.run(later() + HOUR, replay_all()).await;
    assert!(before == lake());
}

#[tokio::test]
async fn a_replay_fills_a_newer_column_from_old_answers() {
    let scene = ArchivedLake::new(On::Folder, Arc::default(), Quirks::default()).await;
    let expected = cells_of(&scene.home.store).await;
    for table in [Table::Lives, Table::ViewerDetails] {
        for key in scene.home.keys(&keys::table(table)).await {
            // As an older program wrote it, which did not know these columns although the vendor sent them.
            rewrite(&scene.home.path().join(&key), &[], &["company", "device_type"]);
        }
    }
    assert_ne!(cells_of(&scene.home.store).await, expected);
    scene.run(later() + HOUR, Job::Upgrade(rollcall::job::Upgrade::default())).await;
    assert_ne!(cells_of(&scene.home.store).await, expected, "an upgrade does not know them either");
    scene.run(later() + HOUR * 2, replay_all()).await;
    assert_eq!(cells_of(&scene.home.store).await, expected);
}

#[tokio::test]
async fn a_replay_of_older_answers_takes_nothing_from_better_cells() {
    let scene = ArchivedLake::new(On::Folder, Arc::default(), Quirks::default()).await;
    let expected = cells_of(&scene.home.store).await;
    // The archive has less than what was pulled while archiving was off.
    for key in scene.home.keys(keys::ARCHIVE).await {
        let bytes = std::fs::read(scene.home.path().join(&key)).unwrap();
        let text = String::from_utf8(zstd::decode_all(&bytes[..]).unwrap()).unwrap();
        let (asked, _) = text.split_once(",\n\"answer\":").unwrap();
        // An older pull, which found nobody.
        let asked = asked.replace("\"pulled_at\":\"2022-12-20", "\"pulled_at\":\"2022-12-19");
        let none = r#"{"code":200,"data":{"report":{"lives":[],"interactions":[],"viewerDetails":[]}},"requestId":"x"}"#;
        let older = format!("{asked},\n\"answer\":{none}}}\n");
        std::fs::write(scene.home.path().join(&key), zstd::encode_all(older.as_bytes(), 1).unwrap()).unwrap();
    }
    scene.run(later() + HOUR, replay_all()).await;
    assert_eq!(cells_of(&scene.home.store).await, expected);
}

#[tokio::test]
async fn a_replay_leaves_out_a_day_whose_archived_answers_are_not_all_there() {
    let viewer_details = ViewerDetails::PerRange;
    let options = ServerOptions { viewer_details, ..ServerOptions::default() };
    let server = server_at(later(), &small_world(2), options);
    let home = Home::new(On::Folder).await;
    let config =
        || Config { archive: true, max_response_bytes: 8_000, ..config(&server, Path::new("unused")) };
    let report = job(&home.store, config(), later(), sync_of(Selection::default())).await.unwrap();
    let expected = cells_of(&home.store).await;
    assert!(!expected.is_empty(), "{:?}", report.failures);
    let archived = home.keys(keys::ARCHIVE).await;
    let parted =
        archived.iter().find(|key| key.ends_with("-1.json.zst")).expect("a day was asked for in parts");
    let together: Vec<_> =
        archived.iter().filter(|key| key.starts_with(&parted[..parted.len() - 10])).collect();
    assert!(together.len() > 1, "{together:?}");
    for key in home.keys(&keys::table(Table::Lives)).await {
        home.store.delete(&key).await.unwrap();
    }
    job(&home.store, config(), later() + HOUR, replay_all()).await.unwrap();
    assert_eq!(cells_of(&home.store).await, expected);
    home.store.delete(parted).await.unwrap();
    for key in home.keys(&keys::table(Table::Lives)).await {
        home.store.delete(&key).await.unwrap();
    }
    job(&home.store, config(), later() + HOUR * 2, replay_all()).await.unwrap();
    let missing = expected.len() - cells_of(&home.store).await.len();
    assert!((1..=2).contains(&missing), "{missing}");
}

#[tokio::test]
async fn rows_accepted_as_gone_do_not_come_back_in_a_replay() {
    let scene = ArchivedLake::new(On::Folder, Arc::default(), Quirks::default()).await;
    let (_, day, event_id) = *cells_of(&scene.home.store)
        .await
        .keys()
        .find(|(table, _, event)| *table == Table::Lives && *event > 700_000)
        .unwrap();
    // The same events, to which nobody came.
    let options =
        WorldOptions { events: 4, days: 4, viewers: Viewers::Exactly(0), ..WorldOptions::default() };
    let empty = server_at(later(), &World::new(options), ServerOptions::default());
    let scene = ArchivedLake { server: empty, ..scene };
    let selection = Selection { event: vec![event_id], accept_shrink: true, ..Selection::default() };
    let is_gone = async || {
        let cells = cells_of(&scene.home.store).await;
        cells.iter().all(|((_, _, event), (rows, _))| *event != event_id || *rows == 0)
    };
    scene.run(later() + HOUR, sync_of(selection)).await;
    assert!(is_gone().await);
    scene.home.store.delete(&keys::object(Table::Lives, day)).await.unwrap();
    let replayed = scene.run(later() + HOUR * 2, replay_all()).await;
    assert!(is_gone().await, "{:?}", cells_of(&scene.home.store).await);
    assert!(!replayed.published.objects.contains_key("rejects"), "{:?}", replayed.published);
    // The same if the ledger that knew of it is lost, together with all tables.
    scene.delete(keys::TABLES).await;
    scene.delete("ledger/").await;
    scene.run(later() + HOUR * 3, sync_of(Selection::default())).await;
    scene.run(later() + HOUR * 4, replay_all()).await;
    assert!(is_gone().await, "{:?}", cells_of(&scene.home.store).await);
}

#[tokio::test]
async fn viewers_whom_an_accepted_snapshot_did_not_list_at_all_come_back_in_a_replay() {
    let scene = ArchivedLake::new(On::Folder, Arc::default(), Quirks::default()).await;
    let viewers = async |scene: &ArchivedLake| -> Cells {
        let cells = cells_of(&scene.home.store).await.into_iter();
        cells.filter(|((table, ..), _)| *table == Table::ViewerDetails).collect()
    };
    let before = viewers(&scene).await;
    let from = |texts| server_at(later(), &small_world(4), faults(texts));
    let scene = ArchivedLake { server: from(&["null-array=viewerDetails@snapshot"]), ..scene };
    let event = before.keys().map(|(_, _, event)| *event).collect();
    let selection = Selection { event, accept_shrink: true, ..Selection::default() };
    scene.run(later() + HOUR, sync_of(selection)).await;
    scene.delete(keys::TABLES).await;
    scene.delete("ledger/").await;
    let scene = ArchivedLake { server: from(&[]), ..scene };
    scene.run(later() + HOUR * 2, sync_of(Selection::default())).await;
    scene.run(later() + HOUR * 3, replay_all()).await;
    let after = viewers(&scene).await;
    assert!(after == before && !before.is_empty(), "{before:?} {after:?}");
}

#[tokio::test]
async fn a_damaged_answer_is_named_and_does_not_stop_the_others_of_its_event() {
    let scene = ArchivedLake::new(On::Folder, Arc::default(), Quirks::default()).await;
    let expected = cells_of(&scene.home.store).await;
    for table in TABLES {
        scene.delete(&keys::table(table)).await;
    }
    // The first answer of an event with several days, damaged in several ways.
    let archived = scene.home.keys(keys::ARCHIVE).await;
    let (_, day, event_id) = *expected.keys().rfind(|(table, ..)| *table == Table::Lives).unwrap();
    let of_event = archived.iter().find(|key| key.contains(&format!("/{event_id}-"))).unwrap();
    let path = scene.home.path().join(of_event);
    let whole = std::fs::read(&path).unwrap();
    let no_header = zstd::encode_all(&b"{\"asked\":{},\n\"answer\":{}}\n"[..], 1).unwrap();
    let no_answer = {
        let text = String::from_utf8(zstd::decode_all(&whole[..]).unwrap()).unwrap();
        let (asked, _) = text.split_once(",\n\"answer\":").unwrap();
        zstd::encode_all(format!("{asked},\n\"answer\":{{\"code\":}}\n").as_bytes(), 1).unwrap()
    };
    for damaged in [&whole[..whole.len() / 2], &no_header, &no_answer] {
        std::fs::write(&path, damaged).unwrap();
        let config = Config { archive: true, ..config(&scene.server, Path::new("unused")) };
        let report = job(&scene.home.store, config, later() + HOUR, replay_all()).await.unwrap();
        // The lake stays without what only that answer had, and says so.
        let is_of_answer = |failure: &&Failure| !failure.error.starts_with("the object is missing");
        let of_answers: Vec<_> = report.failures.iter().filter(is_of_answer).collect();
        let [failure] = of_answers[..] else { panic!("{:?}", report.failures) };
        assert!(failure.event_id == Some(event_id) && failure.error.contains(of_event), "{failure:?}");
        assert!(!failure.error.contains("lake.json"), "what was archived cannot be made again: {failure:?}");
        let found = cells_of(&scene.home.store).await;
        assert!(found.len() < expected.len() && found.iter().all(|(place, cell)| expected[place] == *cell));
        assert!(found.contains_key(&(Table::Lives, day, event_id)), "{found:?}");
    }
}

#[test]
fn a_replay_without_a_valid_choice_or_without_a_lake_is_a_wrong_call() {
    let desk = Desk::new();
    for (words, said) in [
        (vec!["replay"], "give `--event`"),
        (vec!["replay", "--from", "2022-10-30", "--to", "2022-10-24"], "swap them"),
        (vec!["replay", "--all"], "there is no `ledger/lake.json`"),
        (vec!["upgrade", "--change-privacy", "--privacy", "anonymous"], "there is no `ledger/lake.json`"),
    ] {
        let outcome = desk.run(&[&words[..], &["--token", TOKEN]].concat());
        assert_eq!(outcome.status, 2, "{}", outcome.stderr);
        assert!(outcome.stderr.contains(said) && outcome.stdout.is_empty(), "{}", outcome.stderr);
    }
}

#[tokio::test]
async fn a_payload_is_refused_where_the_same_command_would_be() {
    let server = server_at(later(), &small_world(1), ServerOptions::default());
    let home = Home::new(On::Folder).await;
    for payload in [
        r#"{"job": "replay", "all": true, "event_id": 5}"#,
        r#"{"job": "plan", "items": 10, "event_id": 5}"#,
        r#"{"job": "forget"}"#,
        r#"{"job": "forget", "viewer": []}"#,
    ] {
        let what = serde_json::from_str(payload).unwrap();
        let refused =
            job(&home.store, config(&server, Path::new("unused")), later(), what).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Usage, "{payload}");
        assert!(refused.to_string().contains("hint: "), "{refused}");
    }
}

#[tokio::test]
async fn a_replay_that_runs_out_of_time_says_how_much_is_left() {
    let scene = ArchivedLake::new(On::Folder, Arc::default(), Quirks::default()).await;
    scene.delete("lake/lives/").await;
    let late = Config {
        archive: true,
        deadline: Some(SignedDuration::ZERO),
        ..config(&scene.server, Path::new("unused"))
    };
    let report = job(&scene.home.store, late, later(), replay_all()).await.unwrap();
    let [failure] = &report.failures[..] else { panic!("{:?}", report.failures) };
    assert_eq!((failure.kind, report.events.complete), (Kind::Timeout, 0));
    let said = format!("{} events from ", report.events.due);
    assert!(failure.error.starts_with(&said) && failure.error.contains("`--event`"), "{failure:?}");
    let report = scene.run(later(), replay_all()).await;
    assert!(report.rows > 0 && report.published.objects.contains_key("lives"));
}
