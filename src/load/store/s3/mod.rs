//! S3, or another service with the same API, as a store.
//!
//! Conditions are `If-Match` and `If-None-Match`. The SDK retries failed requests, so a write may be done, be reported as failed,
//! and lose against itself when retried. Therefore each object names the write that made it, and is read back after a failure.

mod failure;
mod listing;
mod proof;
mod upload;
mod versions;

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use bytes::Bytes;
use reqwest::Url;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use self::failure::{Request, explain};
use self::proof::never;
use self::upload::S3Upload;
use super::{Below, Condition, Head, Listed, Store, Upload, Version, conflict};
use crate::aws::status;
use crate::error::{Error, Kind, Result};

/// Attempts at a request, including the first; between them, the SDK pauses for up to 20 s.
const ATTEMPTS: u32 = 6;
/// Time limit of one attempt at a request, up to the beginning of its answer; a request sends at most one part of an object. If a
/// call is not answered at all, the run waits this long, so the limit is no longer than sending a part may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_mins(2);
/// How often an object is requested again if the body of the answer breaks off: the SDK itself retries only until the body
/// begins.
const BODIES: u32 = 3;
/// A bucket, or a part of it, and how to access it.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// The name of the bucket.
    pub name: String,
    /// What every key begins with: nothing, or a path that ends with `/`.
    pub prefix: String,
    /// The endpoint of a service other than Amazon's; if none, `AWS_ENDPOINT_URL_S3` counts.
    pub endpoint: Option<Url>,
    /// Whether URLs have the bucket in their path instead of their host.
    pub path_style: bool,
    /// KMS key that objects are encrypted with; if none, the bucket's own setting counts.
    pub kms_key: Option<String>,
    /// KMS key that archived answers are encrypted with; if none, that of all objects.
    pub archive_kms_key: Option<String>,
    /// Whether no other process writes: then conditions are checked here, not by the store.
    pub single_writer: bool,
}

/// A bucket, or a part of it, as a store.
#[derive(Clone, Debug)]
pub struct S3 {
    client: Client,
    bucket: Arc<Bucket>,
    /// Held from checking a condition to the end of the write, if the store does not check it.
    writing: Arc<tokio::sync::Mutex<()>>,
    /// Set when the store was found to honour the condition at the end of an upload in parts, which is tested before the first
    /// such end.
    parts_proven: Arc<OnceCell<()>>,
    /// Tasks that abort dropped uploads.
    aborts: Arc<Mutex<JoinSet<()>>>,
}

impl S3 {
    /// A store with credentials and region from the usual AWS places. Nothing is asked of the bucket yet.
    pub async fn new(bucket: Bucket) -> Self {
        let chain = aws_config::load_defaults(BehaviorVersion::v2026_01_12()).await;
        let mut config = aws_sdk_s3::config::Builder::from(&chain)
            .force_path_style(bucket.path_style)
            // Several services with the API of S3 refuse trailing checksums unless they ask for them.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build());
        if chain.region().is_none() {
            // Services other than Amazon's have no regions, but the signature needs one.
            config = config.region(Region::from_static("us-east-1"));
        }
        if let Some(endpoint) = &bucket.endpoint {
            config = config.endpoint_url(endpoint.as_str());
        }
        Self {
            client: Client::from_conf(config.build()),
            bucket: Arc::new(bucket),
            writing: Arc::default(),
            parts_proven: Arc::default(),
            aborts: Arc::default(),
        }
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.bucket.prefix)
    }

    /// The metadata of an object; `None` if it does not exist.
    async fn find(&self, key: &str) -> Result<Option<HeadObjectOutput>> {
        match self.client.head_object().bucket(&self.bucket.name).key(self.key(key)).send().await {
            Ok(found) => Ok(Some(found)),
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) => Err(explain(Request::Read, key, &error)),
        }
    }

    /// Reads an object, or a range of one version of it; `None` if the object does not exist.
    async fn download(
        &self,
        key: &str,
        version: Option<&Version>,
        range: Option<Range<u64>>,
    ) -> Result<Option<(Bytes, Version)>> {
        let mut broken = 0;
        loop {
            let request = self
                .client
                .get_object()
                .bucket(&self.bucket.name)
                .key(self.key(key))
                .set_if_match(version.map(|version| version.0.clone()))
                .set_range(range.as_ref().map(|range| format!("bytes={}-{}", range.start, range.end - 1)));
            let answer = match request.send().await {
                Ok(answer) => answer,
                Err(error) => {
                    return match status(&error) {
                        Some(404) if !failure::is_no_bucket(&error) => Ok(None),
                        Some(412) => Err(conflict(key)),
                        _ => Err(explain(Request::Read, key, &error)),
                    };
                }
            };
            let version = Version(answer.e_tag.unwrap_or_default());
            match answer.body.collect().await {
                Ok(body) => return Ok(Some((body.into_bytes(), version))),
                Err(error) if broken < BODIES => {
                    tracing::debug!(key, %error, "the body of an answer broke off");
                    broken += 1;
                }
                Err(error) => {
                    let message = format!("cannot read `{key}`");
                    return Err(Error::new(Kind::Store, message)
                        .caused_by(error)
                        .transient(true)
                        .hint("run it again: the connection broke several times, which may pass"));
                }
            }
        }
    }

    /// The outcome of a write. A write that was reported as failed may have been done: then the object names it.
    async fn conclude<E: failure::Said>(
        &self,
        key: &str,
        write: &str,
        outcome: Result<(), SdkError<E>>,
    ) -> Result<()> {
        let Err(error) = outcome else { return Ok(()) };
        let lost = failure::is_lost(&error);
        if failure::is_certain(&error) {
            return Err(explain(Request::Write, key, &error));
        }
        match self.find(key).await {
            Ok(Some(found)) if upload::is_of(&found, write) => Ok(()),
            Ok(_) if lost => Err(conflict(key)),
            Ok(_) => Err(explain(Request::Write, key, &error)),
            Err(unreadable) => {
                tracing::debug!(key, error = %unreadable, "a write cannot be read back");
                Err(explain(Request::Write, key, &error))
            }
        }
    }

    /// Whether a condition holds. Only of use if no other process writes.
    async fn holds(&self, key: &str, condition: &Condition) -> Result<bool> {
        let standing = self.head(key).await?;
        Ok(match condition {
            Condition::Absent => standing.is_none(),
            Condition::Unchanged(version) => standing.is_some_and(|head| head.version == *version),
        })
    }
}

#[async_trait]
impl Store for S3 {
    async fn list(&self, prefix: &str, after: &str) -> Result<Vec<Listed>> {
        self.list_all(prefix, after).await
    }

    async fn below(&self, prefix: &str) -> Result<Below> {
        self.list_below(prefix).await
    }

    async fn get(&self, key: &str) -> Result<Option<(Bytes, Version)>> {
        self.download(key, None, None).await
    }

    async fn head(&self, key: &str) -> Result<Option<Head>> {
        let found = self.find(key).await?;
        Ok(found.map(|found| Head {
            size: found.content_length.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
            version: Version(found.e_tag.unwrap_or_default()),
        }))
    }

    async fn read(&self, key: &str, version: &Version, range: Range<u64>) -> Result<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let found = self.download(key, Some(version), Some(range)).await?;
        found.map(|(bytes, _)| bytes).ok_or_else(|| conflict(key))
    }

    async fn upload(&self, key: &str) -> Result<Box<dyn Upload>> {
        Ok(Box::new(S3Upload::new(self.clone(), key)))
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let request = self.client.delete_object().bucket(&self.bucket.name).key(self.key(key));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if status(&error) == Some(404) && !failure::is_no_bucket(&error) => Ok(()),
            Err(error) => Err(explain(Request::Delete, key, &error)),
        }
    }

    async fn delete_unchanged(&self, key: &str, version: &Version) -> Result<()> {
        let request = self.client.delete_object().bucket(&self.bucket.name).key(self.key(key));
        match request.if_match(&version.0).send().await {
            Ok(_) => Ok(()),
            Err(error)
                if matches!(status(&error), Some(404 | 409 | 412)) && !failure::is_no_bucket(&error) =>
            {
                Ok(())
            }
            // Many stores have conditions for writes, but not for deletes. Without one, the delete may arrive
            // after another write.
            Err(error) if matches!(status(&error), Some(400 | 501)) => {
                let is_unchanged = self.head(key).await?.is_some_and(|head| head.version == *version);
                if is_unchanged { self.delete(key).await } else { Ok(()) }
            }
            Err(error) => Err(explain(Request::Delete, key, &error)),
        }
    }

    async fn purge(&self, prefix: &str) -> Result<u64> {
        self.purge_versions(prefix).await
    }

    async fn prove(&self, key: &str, content: Bytes) -> Result<()> {
        for condition in never().into_iter().filter(|_| !self.bucket.single_writer) {
            match self.put(key, content.clone(), condition).await {
                Err(error) if error.kind() == Kind::Conflict => {}
                Ok(()) => return Err(failure::unconditional("the store ignores the condition of a write")),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn close(&self) {
        let mut aborts = std::mem::take(&mut *self.aborts.lock().unwrap_or_else(PoisonError::into_inner));
        while aborts.join_next().await.is_some() {}
    }
}
