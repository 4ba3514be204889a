//! What older versions wrote, and what is missing: rewritten if nothing is lost by it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::{FutureExt, future};
use rollcall::error::Kind;
use rollcall::job::{Job, Upgrade};
use rollcall::load::keys;
use rollcall::load::store::Store;
use rollcall::transform::privacy::{Policy, PolicyDocument};
use rollcall::transform::tables::Table;
use simulator::ServerOptions;

use crate::support::faulty::{Faulty, stride};
use crate::support::parquet::{metadata, rename_column, rewrite};
use crate::support::policies::policy;
use crate::support::run::{HOUR, config, errors, job, later, server_at, small_world};
use crate::support::scenes::WholeLake;

#[tokio::test]
async fn an_upgrade_rewrites_older_objects_and_nothing_else() {
    let scene = WholeLake::new().await;
    let day = scene.day();
    let path = scene.object(Table::Lives, day);
    let cells = metadata(&path, "rollcall.cells").unwrap();
    // As written before there was a column `extra`, and before formats were counted.
    rewrite(&path, &[("rollcall.format", "0"), ("rollcall.cells", &cells)], &["extra"]);
    // A table that did not exist then.
    std::fs::remove_file(scene.object(Table::Rejects, day)).unwrap();
    let report = scene.run(later() + HOUR, Job::Upgrade(Upgrade::default())).await.unwrap();
    assert_eq!(errors(&report), [""; 0]);
    assert_eq!(report.published.objects.into_iter().collect::<Vec<_>>(), [("lives", 1), ("rejects", 1)]);
    assert_eq!(metadata(&path, "rollcall.format").as_deref(), Some("1"));
    assert!(scene.is_whole().await);
    let report = scene.run(later() + HOUR, Job::Upgrade(Upgrade::default())).await.unwrap();
    assert!(report.ok && report.published.objects.is_empty());
}

#[tokio::test]
async fn an_upgrade_recreates_a_lost_object_only_if_it_had_no_rows() {
    let scene = WholeLake::new().await;
    let (day, upgrade) = (scene.day(), || Job::Upgrade(Upgrade::default()));
    for table in [Table::Lives, Table::ViewerDetails, Table::Events] {
        // The row of an event lies in the same day as its summary.
        let of = if table == Table::Events { Table::ViewerDetails } else { table };
        let days = scene.cells.keys().filter(|(other, ..)| *other == of).map(|(_, day, _)| *day);
        let day = days.max().unwrap();
        let path = scene.object(table, day);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let report = scene.run(later() + HOUR, upgrade()).await.unwrap();
        let [failure] = &report.failures[..] else { panic!("{table:?} {:?}", report.failures) };
        assert!(
            failure.kind == Kind::Damaged && failure.error.contains(&keys::object(table, day)),
            "{failure:?}"
        );
        assert!(!path.exists());
        let accept_loss = Job::Upgrade(Upgrade { accept_loss: true, ..Upgrade::default() });
        assert!(scene.run(later() + HOUR, accept_loss).await.unwrap().ok);
        assert!(path.exists(), "told to, it puts an empty one");
        std::fs::write(&path, bytes).unwrap();
    }
    std::fs::remove_file(scene.object(Table::Rejects, day)).unwrap();
    assert!(scene.run(later() + HOUR, upgrade()).await.unwrap().ok);
    assert!(scene.is_whole().await);
}

#[tokio::test]
async fn an_upgrade_that_runs_out_of_time_says_how_much_is_left_and_the_next_goes_on() {
    let scene = WholeLake::new().await;
    let path = scene.object(Table::Lives, scene.day());
    let cells = metadata(&path, "rollcall.cells").unwrap();
    rewrite(&path, &[("rollcall.format", "0"), ("rollcall.cells", &cells)], &["extra"]);
    let upgrade = || Job::Upgrade(Upgrade::default());
    let mut late = config(&scene.server, &scene.home.path());
    late.deadline = Some(jiff::SignedDuration::ZERO);
    let report = job(&scene.home.store, late, later() + HOUR, upgrade()).await.unwrap();
    let [failure] = &report.failures[..] else { panic!("{:?}", report.failures) };
    assert!(failure.kind == Kind::Timeout && failure.error.contains("were not looked at"), "{failure:?}");
    assert!(report.published.objects.is_empty());
    let report = scene.run(later() + HOUR, upgrade()).await.unwrap();
    assert!(report.ok && report.published.objects.len() == 1);
    assert!(scene.is_whole().await);
}

#[tokio::test]
async fn a_lake_does_not_change_its_privacy_policy_unless_one_is_named() {
    let scene = WholeLake::new().await;
    let run = |names_policy| {
        let mut config = config(&scene.server, &scene.home.path());
        config.named.policy = names_policy;
        config.policy =
            Arc::new(Policy::checked(PolicyDocument::preset("anonymous").unwrap(), None).unwrap());
        job(
            &scene.home.store,
            config,
            later() + HOUR,
            Job::Upgrade(Upgrade { change_privacy: true, ..Upgrade::default() }),
        )
    };
    let refused = run(false).await.unwrap_err();
    assert!(refused.kind() == Kind::Usage && refused.to_string().contains("`--privacy`"), "{refused}");
    assert!(scene.is_whole().await);
    let report = run(true).await.unwrap();
    let said = "the lake's privacy policy was `open`, and is `anonymous` from now on".to_owned();
    assert!(report.ok && report.notes.contains(&said), "{:?}", report.notes);
}

#[tokio::test]
async fn no_missing_object_is_made_anew_while_a_ledger_that_may_know_of_its_rows_cannot_be_read() {
    let scene = WholeLake::new().await;
    let (path, ledger) =
        (scene.object(Table::Interactions, scene.day()), scene.path("ledger/closed/700001.json"));
    let document = std::fs::read(&ledger).unwrap();
    std::fs::write(&ledger, "{").unwrap();
    std::fs::remove_file(&path).unwrap();
    let upgrade = |accept_loss| Job::Upgrade(Upgrade { accept_loss, ..Upgrade::default() });
    let report = scene.run(later() + HOUR, upgrade(false)).await.unwrap();
    let [of_ledger, of_object] = errors(&report)[..] else { panic!("{:?}", errors(&report)) };
    assert!(of_ledger.contains("700001.json") && of_object.contains("the object is missing"), "{of_object}");
    assert!(!path.exists());
    // Where the table had no rows, the ledgers say so once all can be read.
    let rejects = scene.object(Table::Rejects, scene.day());
    std::fs::remove_file(&rejects).unwrap();
    assert_eq!(errors(&scene.run(later() + HOUR, upgrade(false)).await.unwrap()).len(), 3);
    std::fs::write(&ledger, document).unwrap();
    let report = scene.run(later() + HOUR, upgrade(false)).await.unwrap();
    assert_eq!((errors(&report).len(), path.exists(), rejects.exists()), (1, false, true));
}

#[tokio::test]
async fn an_object_that_is_replaced_during_a_change_of_policy_is_rewritten_all_the_same() {
    let mut replaced = 0;
    for at in (0_u64..).step_by(stride(5)) {
        let scene = WholeLake::new().await;
        let path = scene.object(Table::Lives, scene.day());
        let before = std::fs::read(&path).unwrap();
        // As another process leaves it that knows only the policy before.
        let cells = metadata(&path, "rollcall.cells").unwrap();
        rewrite(&path, &[("rollcall.format", "1"), ("rollcall.cells", &cells)], &[]);
        let other = std::fs::read(&path).unwrap();
        std::fs::write(&path, &before).unwrap();
        let (place, is_replaced) = (path.clone(), Arc::new(AtomicBool::new(false)));
        let flag = Arc::clone(&is_replaced);
        let watcher = move |k| {
            if k == at && std::fs::read(&place).unwrap() == before {
                std::fs::write(&place, &other).unwrap();
                flag.store(true, Ordering::SeqCst);
            }
            future::ready(()).boxed()
        };
        let faulty = Faulty::watched(&scene.home.store, Box::new(watcher));
        let store: Arc<dyn Store> = faulty.clone();
        let mut config = config(&scene.server, &scene.home.path());
        (config.policy, config.named.policy) = (policy(r#"{"base": "anonymous"}"#), true);
        let change = Job::Upgrade(Upgrade { change_privacy: true, ..Upgrade::default() });
        let report = job(&store, config, later() + HOUR, change).await.unwrap();
        assert_eq!(errors(&report), [""; 0], "{at}");
        assert!(metadata(&path, "rollcall.privacy").unwrap().contains("anonymous"), "{at}");
        replaced += usize::from(is_replaced.load(Ordering::SeqCst));
        if faulty.operations() <= at {
            break;
        }
    }
    assert!(replaced > 2, "{replaced}");
}

#[tokio::test]
async fn a_column_of_a_newer_version_is_not_dropped() {
    let mut scene = WholeLake::new().await;
    let day = scene.day();
    let path = scene.object(Table::Lives, day);
    let entries = ["rollcall.format", "rollcall.cells"].map(|key| (key, metadata(&path, key).unwrap()));
    let entries = entries.each_ref().map(|(key, value)| (*key, value.as_str()));
    rename_column(&path, "extra", "mood", &entries);
    let newer = std::fs::read(&path).unwrap();
    let upgrade = Job::Upgrade(Upgrade::default());
    let mut reports = vec![scene.run(later() + HOUR, upgrade).await.unwrap()];
    scene.server = server_at(later(), &small_world(12), ServerOptions::default());
    reports.push(scene.sync_all(2).await);
    for report in reports {
        let [error] = errors(&report)[..] else { panic!("{:?}", errors(&report)) };
        assert!(error.contains("column `mood`") && error.contains("hint: upgrade rollcall"), "{error}");
        assert!(error.contains(&format!("day: {day}")), "{error}");
    }
    assert!(std::fs::read(&path).unwrap() == newer);
}
