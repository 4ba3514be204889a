//! The versions that a bucket keeps of objects that were replaced or deleted.

use futures::{StreamExt, TryStreamExt, stream};

use super::S3;
use super::failure::{Request, explain};
use crate::aws::status;
use crate::error::Result;

/// Versions that are deleted at once.
const DELETES: usize = 16;

impl S3 {
    /// Deletes the versions of replaced and deleted objects below a prefix, and returns how many. Needs
    /// `s3:ListBucketVersions` and `s3:DeleteObjectVersion`.
    pub(super) async fn purge_versions(&self, prefix: &str) -> Result<u64> {
        let (mut purged, mut after) = (0, (None, None));
        loop {
            let request =
                self.client.list_object_versions().bucket(&self.bucket.name).prefix(self.key(prefix));
            let (key, version) = after;
            let page = request.set_key_marker(key).set_version_id_marker(version).send().await;
            let page = match page {
                // A store that does not know of versions keeps none.
                Err(error) if status(&error) == Some(501) => return Ok(purged),
                page => page.map_err(|error| explain(Request::ListVersions, prefix, &error))?,
            };
            let versions = page.versions().iter().map(|of| (of.is_latest(), of.key(), of.version_id()));
            let markers = page.delete_markers().iter().map(|of| (of.is_latest(), of.key(), of.version_id()));
            let replaced = versions.chain(markers).filter(|(is_latest, ..)| *is_latest == Some(false));
            let deletes = replaced.filter_map(|(_, key, version)| Some(self.delete_version(key?, version?)));
            let deletes: Vec<_> = deletes.collect();
            purged += deletes.len() as u64;
            stream::iter(deletes).buffer_unordered(DELETES).try_collect::<()>().await?;
            if page.is_truncated() != Some(true) {
                return Ok(purged);
            }
            after = (page.next_key_marker, page.next_version_id_marker);
        }
    }

    async fn delete_version(&self, key: &str, version: &str) -> Result<()> {
        let request = self.client.delete_object().bucket(&self.bucket.name).key(key).version_id(version);
        let outcome = request.send().await;
        outcome.map(|_| ()).map_err(|error| explain(Request::DeleteVersion, key, &error))
    }
}
