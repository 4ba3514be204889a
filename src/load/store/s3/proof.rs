//! Proof that the store honours the conditions of uploads in parts, before the first of them matters.

use bytes::Bytes;

use super::S3;
use super::upload::{S3Upload, unique};
use crate::error::Result;
use crate::load::keys;
use crate::load::store::{Condition, Store, Version};

/// A version that no object has.
const NO_VERSION: &str = "\"00000000000000000000000000000000\"";

/// The conditions that do not hold for an object that exists.
pub(super) fn never() -> [Condition; 2] {
    [Condition::Absent, Condition::Unchanged(Version(NO_VERSION.to_owned()))]
}

impl S3 {
    /// Tests, once, the conditions at the end of an upload in parts: some stores honour only those of writes in a single request.
    /// Called when the first such end is due. The test has an object of its own, which nobody else replaces or deletes.
    pub(super) async fn prove_parts(&self) -> Result<()> {
        let prove = || {
            Box::pin(async {
                let (key, content) = (keys::trial(&unique()), Bytes::from_static(b"trial"));
                self.put(&key, content.clone(), Condition::Absent).await?;
                let mut outcome = Ok(());
                for never in never() {
                    outcome =
                        outcome.and(S3Upload::new(self.clone(), &key).prove(content.clone(), never).await);
                }
                outcome.and(self.delete(&key).await)
            })
        };
        self.parts_proven.get_or_try_init(prove).await.copied()
    }
}
