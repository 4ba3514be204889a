//! Writes an object to S3: in one request if it is small, otherwise in parts.

use std::sync::PoisonError;

use async_trait::async_trait;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, ServerSideEncryption};
use bytes::{Bytes, BytesMut};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::failure::{Request, explain, unconditional};
use super::{Bucket, S3};
use crate::aws::status;
use crate::error::{Error, Explain, Kind, Result};
use crate::load::keys;
use crate::load::store::{Condition, Upload, conflict};

/// Bytes of a part: the least that S3 allows, so that it takes little memory. The 10,000 parts that S3 allows make 50 GB.
const PART: usize = 5 << 20;

/// The metadata key under which an object names the write that made it.
const WRITE: &str = "rollcall-write";

/// A name that nothing else has.
pub(super) fn unique() -> String {
    format!("{:032x}", fastrand::u128(..))
}

/// Whether an object was made by this write.
pub(super) fn is_of(found: &HeadObjectOutput, write: &str) -> bool {
    found.metadata().and_then(|metadata| metadata.get(WRITE)).is_some_and(|made_by| made_by == write)
}

/// An object that is being written.
pub(super) struct S3Upload {
    s3: S3,
    key: String,
    write: String,
    waiting: BytesMut,
    parts: Option<Parts>,
}

impl S3Upload {
    pub(super) fn new(s3: S3, key: &str) -> Self {
        Self { s3, key: key.to_owned(), write: unique(), waiting: BytesMut::new(), parts: None }
    }

    /// Tests whether the store, at the end of an upload in parts, honours a condition that does not hold; returns
    /// [`Kind::Unconditional`] if not. `content` has to be the content of the object under the key of this upload.
    pub(super) async fn prove(mut self, content: Bytes, never: Condition) -> Result<()> {
        self.send(content).await?;
        let (if_match, if_none_match) = headers(never);
        match self.complete(if_match, if_none_match).await {
            Err(error) if error.kind() == Kind::Conflict => Ok(()),
            Ok(()) => Err(unconditional("the store ignores the condition at the end of an upload in parts")),
            outcome => outcome,
        }
    }

    fn encryption(&self) -> (Option<ServerSideEncryption>, Option<String>, Option<bool>) {
        let Bucket { kms_key, archive_kms_key, .. } = &*self.s3.bucket;
        let of_archive = archive_kms_key.as_ref().filter(|_| self.key.starts_with(keys::ARCHIVE));
        match of_archive.or(kms_key.as_ref()) {
            Some(key) => (Some(ServerSideEncryption::AwsKms), Some(key.clone()), Some(true)),
            None => (None, None, None),
        }
    }

    /// Sends a part while the next is being filled.
    async fn send(&mut self, part: Bytes) -> Result<()> {
        let mut parts = match self.parts.take() {
            Some(parts) => parts,
            None => self.begin().await?,
        };
        let sent = parts.send(part).await;
        self.parts = Some(parts);
        sent
    }

    async fn begin(&self) -> Result<Parts> {
        let (encryption, kms_key, bucket_key) = self.encryption();
        let bucket = &self.s3.bucket;
        let request =
            self.s3.client.create_multipart_upload().bucket(&bucket.name).key(self.s3.key(&self.key));
        let begun = request
            .metadata(WRITE, &self.write)
            .set_server_side_encryption(encryption)
            .set_ssekms_key_id(kms_key)
            .set_bucket_key_enabled(bucket_key)
            .send()
            .await
            .map_err(|error| explain(Request::Write, &self.key, &error))?;
        let id = begun.upload_id.ok_or_else(|| {
            Error::new(Kind::Store, format!("cannot write `{}`: the store returned no upload ID", self.key))
        })?;
        Ok(Parts {
            s3: self.s3.clone(),
            key: self.key.clone(),
            id,
            sent: Vec::new(),
            sending: None,
            is_open: true,
        })
    }

    /// Ends an upload in parts.
    async fn complete(&mut self, if_match: Option<String>, if_none_match: Option<String>) -> Result<()> {
        if !self.waiting.is_empty() {
            let rest = self.waiting.split().freeze();
            self.send(rest).await?;
        }
        let Some(mut parts) = self.parts.take() else { return Ok(()) };
        parts.join().await?;
        let request = self.s3.client.complete_multipart_upload().bucket(&self.s3.bucket.name);
        let sent = std::mem::take(&mut parts.sent);
        let outcome = request
            .key(self.s3.key(&self.key))
            .upload_id(&parts.id)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(sent)).build())
            .set_if_match(if_match)
            .set_if_none_match(if_none_match)
            .send()
            .await;
        self.s3.conclude(&self.key, &self.write, outcome.map(|_| ())).await?;
        parts.is_open = false;
        Ok(())
    }

    async fn put(&mut self, if_match: Option<String>, if_none_match: Option<String>) -> Result<()> {
        let (encryption, kms_key, bucket_key) = self.encryption();
        let bucket = &self.s3.bucket;
        let request = self.s3.client.put_object().bucket(&bucket.name).key(self.s3.key(&self.key));
        let outcome = request
            .metadata(WRITE, &self.write)
            .set_server_side_encryption(encryption)
            .set_ssekms_key_id(kms_key)
            .set_bucket_key_enabled(bucket_key)
            .set_if_match(if_match)
            .set_if_none_match(if_none_match)
            .body(ByteStream::from(self.waiting.split().freeze()))
            .send()
            .await;
        self.s3.conclude(&self.key, &self.write, outcome.map(|_| ())).await
    }
}

#[async_trait]
impl Upload for S3Upload {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.waiting.extend_from_slice(&bytes);
        while self.waiting.len() >= PART {
            let part = self.waiting.split_to(PART).freeze();
            self.send(part).await?;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>, condition: Condition) -> Result<()> {
        let s3 = self.s3.clone();
        let _writing = if s3.bucket.single_writer {
            let writing = s3.writing.lock().await;
            if !s3.holds(&self.key, &condition).await? {
                return Err(conflict(&self.key));
            }
            Some(writing)
        } else {
            None
        };
        let (if_match, if_none_match) =
            if s3.bucket.single_writer { (None, None) } else { headers(condition) };
        if self.parts.is_none() {
            return self.put(if_match, if_none_match).await;
        }
        if !s3.bucket.single_writer {
            s3.prove_parts().await?;
        }
        self.complete(if_match, if_none_match).await
    }
}

/// What `If-Match` and `If-None-Match` say of a condition.
fn headers(condition: Condition) -> (Option<String>, Option<String>) {
    match condition {
        Condition::Absent => (None, Some("*".to_owned())),
        Condition::Unchanged(version) => (Some(version.0), None),
    }
}

/// The parts of an upload. If dropped while it is open, the upload is aborted.
struct Parts {
    s3: S3,
    key: String,
    id: String,
    sent: Vec<CompletedPart>,
    sending: Option<JoinHandle<Result<CompletedPart>>>,
    is_open: bool,
}

impl Parts {
    /// Begins to send a part, once the one before has arrived.
    async fn send(&mut self, part: Bytes) -> Result<()> {
        self.join().await?;
        let number = i32::try_from(self.sent.len() + 1).unwrap_or(i32::MAX);
        let key = self.key.clone();
        let request = self
            .s3
            .client
            .upload_part()
            .bucket(&self.s3.bucket.name)
            .key(self.s3.key(&key))
            .upload_id(&self.id)
            .part_number(number)
            .body(ByteStream::from(part));
        self.sending = Some(tokio::spawn(async move {
            let arrived = request.send().await.map_err(|error| explain(Request::Write, &key, &error))?;
            Ok(CompletedPart::builder().part_number(number).set_e_tag(arrived.e_tag).build())
        }));
        Ok(())
    }

    /// Waits for the part that is under way.
    async fn join(&mut self) -> Result<()> {
        if let Some(sending) = self.sending.take() {
            let arrived = sending.await.explain(Kind::Store, || format!("cannot write `{}`", self.key))??;
            self.sent.push(arrived);
        }
        Ok(())
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        if !self.is_open {
            return;
        }
        // Outside of a runtime, no request can be made any more; a lifecycle rule of the bucket deletes the upload.
        let Ok(runtime) = Handle::try_current() else { return };
        let bucket = &self.s3.bucket;
        let request = self.s3.client.abort_multipart_upload().bucket(&bucket.name);
        let request = request.key(self.s3.key(&self.key)).upload_id(&self.id);
        let (key, sending) = (self.key.clone(), self.sending.take());
        let abort = async move {
            // A part that arrives after the abort would stay.
            if let Some(sending) = sending {
                sending.abort();
                let _ = sending.await;
            }
            if let Err(error) = request.send().await
                && status(&error) != Some(404)
            {
                let error = explain(Request::Abort, &key, &error);
                tracing::warn!(%error, "an unfinished upload stays in the store");
            }
        };
        self.s3.aborts.lock().unwrap_or_else(PoisonError::into_inner).spawn_on(abort, &runtime);
    }
}
