//! Trials of a store, with an object of their own and with writes that cannot succeed.

use bytes::Bytes;

use super::keys;
use super::store::{Condition, Store, Version};
use crate::error::{Error, Kind, Result};

/// Whether the store gives back what was written, and honours conditions; an object's version that is not there any more.
pub async fn conditions(store: &dyn Store, run: &str) -> Result<Version> {
    let (key, content) = (keys::trial(run), Bytes::from_static(b"trial"));
    store.put(&key, content.clone(), Condition::Absent).await?;
    let outcome = async {
        match store.get(&key).await? {
            Some((found, version)) if found == content => {
                store.prove(&key, content).await?;
                Ok(version)
            }
            _ => Err(Error::new(Kind::Store, "the store does not give back what was written")),
        }
    };
    let outcome = outcome.await;
    store.delete(&key).await?;
    outcome
}

/// Whether everything can be listed and written: with writes over a version that is not there, which have to lose.
pub async fn rights(store: &dyn Store, prefixes: &[&str], run: &str, gone: &Version) -> Result<()> {
    for prefix in prefixes {
        let key = format!("{prefix}{run}");
        store.list(&key, "").await?;
        match store.put(&key, Bytes::new(), Condition::Unchanged(gone.clone())).await {
            Err(error) if error.kind() == Kind::Conflict => {}
            Err(error) => return Err(error),
            // Where one process is said to write alone, nothing loses.
            Ok(()) => store.delete(&key).await?,
        }
    }
    Ok(())
}
