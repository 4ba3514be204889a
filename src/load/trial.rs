//! Tests of a store, with an object of their own and with writes that must not succeed.

use bytes::Bytes;

use super::keys;
use super::store::{Condition, Store, Version};
use crate::error::{Error, Kind, Result};

/// Tests whether the store returns what was written, and honours the conditions of writes. Returns the version of an object that
/// no longer exists.
pub async fn conditions(store: &dyn Store, run: &str) -> Result<Version> {
    let (key, content) = (keys::trial(run), Bytes::from_static(b"trial"));
    store.put(&key, content.clone(), Condition::Absent).await?;
    let outcome = async {
        match store.get(&key).await? {
            Some((found, version)) if found == content => {
                store.prove(&key, content).await?;
                Ok(version)
            }
            _ => Err(Error::new(Kind::Store, "the store does not return what was written")),
        }
    };
    let outcome = outcome.await;
    store.delete(&key).await?;
    outcome
}

/// Tests whether everything under these prefixes can be listed and written. The writes are to replace `gone`, a version that no
/// longer exists, so they have to lose.
pub async fn rights(store: &dyn Store, prefixes: &[&str], run: &str, gone: &Version) -> Result<()> {
    for prefix in prefixes {
        let key = format!("{prefix}{run}");
        store.list(&key, "").await?;
        match store.put(&key, Bytes::new(), Condition::Unchanged(gone.clone())).await {
            Err(error) if error.kind() == Kind::Conflict => {}
            Err(error) => return Err(error),
            // A store that ignores conditions has written the object.
            Ok(()) => store.delete(&key).await?,
        }
    }
    Ok(())
}
