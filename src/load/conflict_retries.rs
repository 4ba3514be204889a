//! Starting over after another writer was faster.

use super::store::{Head, Store};
use crate::error::{Error, Kind, Result};

/// The most attempts at one piece of work: this many conflicts in a row are no longer chance.
const ATTEMPTS: u32 = 20;

/// The conflicts met so far in one piece of work.
#[derive(Debug, Default)]
pub struct ConflictRetries {
    conflicts: u32,
}

impl ConflictRetries {
    /// Counts the error if it is a conflict. Returns whether to start over: after a conflict, unless there were too many.
    pub fn allow(&mut self, error: &Error) -> bool {
        self.conflicts += u32::from(error.kind() == Kind::Conflict);
        error.kind() == Kind::Conflict && self.conflicts < ATTEMPTS
    }
}

/// Makes an attempt, and another one after each conflict, unless there were too many.
pub async fn retried<T, F: Future<Output = Result<T>>>(attempt: impl Fn() -> F) -> Result<T> {
    let mut retries = ConflictRetries::default();
    loop {
        match attempt().await {
            Err(error) if retries.allow(&error) => {}
            outcome => return outcome,
        }
    }
}

/// Works on the object under a key, first in this version, and after each conflict in the version that it has by then. `None`
/// once the object is gone.
pub async fn on_newest<T, F: Future<Output = Result<T>>>(
    store: &dyn Store,
    key: &str,
    mut head: Head,
    work: impl Fn(Head) -> F,
) -> Result<Option<T>> {
    let mut retries = ConflictRetries::default();
    loop {
        match work(head).await {
            Err(error) if retries.allow(&error) => {}
            outcome => return outcome.map(Some),
        }
        let Some(newest) = store.head(key).await? else { return Ok(None) };
        head = newest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_conflict_is_retried_and_at_most_19_times() {
        let conflict = Error::new(Kind::Conflict, "another writer was faster");
        let mut retries = ConflictRetries::default();
        assert!(!retries.allow(&Error::new(Kind::Store, "the disk is full")));
        let again = std::iter::repeat_with(|| retries.allow(&conflict)).take_while(|again| *again).count();
        assert_eq!(again, 19);
    }
}
