//! Privacy policies, the key for their pseudonyms, and lakes under them.

use std::path::Path;
use std::sync::Arc;

use rollcall::config::Config;
use rollcall::job::selection::Selection;
use rollcall::transform::privacy::{Key, Policy, PolicyDocument};
use simulator::{Server, Viewers, World, WorldOptions};

use super::run::{config, job, later, sync_of};
use super::stores::Home;

pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";

pub(crate) const POLICIES: [&str; 3] = [
    r#"{"base": "pseudonymous"}"#,
    r#"{"base": "anonymous"}"#,
    r#"{"base": "open", "columns": {"mobile": "mask", "email": "mask", "name": "drop", "ip": "mask", "ext_id": "hmac",
        "person_key": "drop", "phone_number": "drop", "viewer_id": "hmac", "distinct_id": "hmac", "host_name": "mask",
        "extra": "drop"}}"#,
];

pub(crate) fn open() -> Arc<Policy> {
    policy(r#"{"base": "open"}"#)
}

pub(crate) fn policy(document: &str) -> Arc<Policy> {
    policy_under(document, KEY)
}

pub(crate) fn policy_under(document: &str, key: &str) -> Arc<Policy> {
    let key = Key::checked(&key.into()).unwrap();
    Arc::new(Policy::checked(PolicyDocument::parse(document.as_bytes()).unwrap(), Some(key)).unwrap())
}

/// Three events whose viewers are searched for.
pub(crate) fn world() -> World {
    World::new(WorldOptions { events: 3, days: 2, viewers: Viewers::Range(4, 12), ..WorldOptions::default() })
}

/// An archiving run under a policy; it must succeed.
pub(crate) async fn sync_under(policy: Arc<Policy>, server: &Server, home: &Home) {
    let config = Config { policy, archive: true, ..config(server, Path::new("unused")) };
    let report = job(&home.store, config, later(), sync_of(Selection::default())).await.unwrap();
    assert!(report.ok, "{:?}", report.failures);
}
