//! Versions that a bucket keeps of objects that were replaced or deleted.

use super::S3;
use super::failure::{Request, explain};
use crate::error::Result;

impl S3 {
    /// Deletes all of them below a prefix, and says how many. Needs `s3:ListBucketVersions` and `s3:DeleteObjectVersion`.
    pub(super) async fn purge_versions(&self, prefix: &str) -> Result<u64> {
        let (mut purged, mut after) = (0, (None, None));
        loop {
            let request =
                self.client.list_object_versions().bucket(&self.bucket.name).prefix(self.key(prefix));
            let (key, version) = after;
            let page = request.set_key_marker(key).set_version_id_marker(version).send().await;
            let page = page.map_err(|error| explain(Request::List, prefix, &error))?;
            let versions = page.versions().iter().map(|of| (of.is_latest(), of.key(), of.version_id()));
            let markers = page.delete_markers().iter().map(|of| (of.is_latest(), of.key(), of.version_id()));
            for (is_latest, key, version) in versions.chain(markers) {
                let (Some(key), Some(version)) = (key, version.filter(|_| is_latest != Some(true))) else {
                    continue;
                };
                let request =
                    self.client.delete_object().bucket(&self.bucket.name).key(key).version_id(version);
                request.send().await.map_err(|error| explain(Request::Delete, key, &error))?;
                purged += 1;
            }
            if page.is_truncated() != Some(true) {
                return Ok(purged);
            }
            after = (page.next_key_marker, page.next_version_id_marker);
        }
    }
}
