//! The key of a lake's pseudonyms, and of its list of people to be forgotten: there is one, for ever.

use std::path::Path;
use std::sync::Arc;

use rollcall::config::Config;
use rollcall::error::{Kind, Result};
use rollcall::job::{Forget, Job, Upgrade};
use rollcall::load::keys;
use rollcall::report::Report;
use rollcall::transform::privacy::Policy;
use simulator::ServerOptions;

use crate::support::policies::{POLICIES, policy, policy_under, sync_under, world};
use crate::support::run::{HOUR, config, job, later, server_at};
use crate::support::stores::{Home, On};

const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210";

#[tokio::test]
async fn a_lake_keeps_the_key_of_its_pseudonyms_for_ever() {
    let server = server_at(later(), &world(), ServerOptions::default());
    let home = Home::new(On::Folder).await;
    sync_under(policy(POLICIES[0]), &server, &home).await;
    let run = async |policy: Arc<Policy>, what: Job| {
        let config = Config { policy, ..config(&server, Path::new("unused")) };
        job(&home.store, config, later() + HOUR, what).await
    };
    let change = || Job::Upgrade(Upgrade { change_privacy: true, ..Upgrade::default() });
    let forget = || Job::Forget(Forget { viewer: vec!["nobody@example.com".to_owned()], dry_run: false });
    let is_refused = |outcome: Result<Report>| {
        let error = outcome.unwrap_err();
        assert!(
            error.kind() == Kind::OtherLake && error.to_string().contains("give the lake's key"),
            "{error}"
        );
    };
    let settings = || std::fs::read(home.path().join(keys::SETTINGS)).unwrap();
    let (pseudonymous, open) = (POLICIES[0], r#"{"base": "open"}"#);
    let before = settings();
    is_refused(run(policy_under(pseudonymous, OTHER_KEY), change()).await);
    assert!(settings() == before, "nothing is half changed");
    // The pseudonyms stay in what was written, and only their key finds people there.
    assert!(run(policy_under(open, OTHER_KEY), change()).await.is_err());
    assert!(run(policy(open), change()).await.unwrap().ok);
    is_refused(run(policy_under(open, OTHER_KEY), forget()).await);
    is_refused(run(policy_under(pseudonymous, OTHER_KEY), change()).await);
    // The list has every form that a pseudonym may be of, under the later policy as under the one before.
    let number = || Job::Forget(Forget { viewer: vec!["+86-19000101106".to_owned()], dry_run: false });
    let listed = || std::fs::read(home.path().join(keys::SUPPRESSED)).unwrap();
    for what in [forget(), number()] {
        assert!(run(policy(open), what).await.unwrap().ok);
    }
    let before_change = listed();
    assert!(run(policy(pseudonymous), change()).await.unwrap().ok);
    assert!(settings() == before, "it is as it was");
    assert!(run(policy(pseudonymous), number()).await.unwrap().ok);
    assert!(listed() == before_change);
}

#[tokio::test]
async fn a_lake_refuses_pseudonyms_under_a_key_other_than_that_of_its_list_of_forgotten_people() {
    let server = server_at(later(), &world(), ServerOptions::default());
    let home = Home::new(On::Folder).await;
    sync_under(Arc::default(), &server, &home).await;
    let run = async |policy: Arc<Policy>, what: Job| {
        let config = Config { policy, ..config(&server, Path::new("unused")) };
        job(&home.store, config, later() + HOUR, what).await
    };
    let forget = Job::Forget(Forget { viewer: vec!["nobody@example.com".to_owned()], dry_run: false });
    assert!(run(policy(r#"{"base": "open"}"#), forget).await.unwrap().ok);
    let settings = || std::fs::read(home.path().join(keys::SETTINGS)).unwrap();
    let before = settings();
    let change = || Job::Upgrade(Upgrade { change_privacy: true, ..Upgrade::default() });
    let refused = run(policy_under(POLICIES[0], OTHER_KEY), change()).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::OtherLake, "{refused}");
    assert!(settings() == before, "nothing is half changed");
    // Nor if only the log tells of the list.
    home.store.delete(keys::SUPPRESSED).await.unwrap();
    run(policy_under(POLICIES[0], OTHER_KEY), change()).await.unwrap_err();
    assert!(settings() == before, "nothing is half changed");
    assert!(run(policy(POLICIES[0]), change()).await.unwrap().ok);
}
