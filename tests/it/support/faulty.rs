//! A store whose k-th operation fails.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use rollcall::error::{Error, Kind, Result};
use rollcall::load::store::{Below, Condition, Head, Listed, Store, Upload, Version};

/// What happens at the k-th operation, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not done, and fails; those after it are done.
    Fails,
    /// It is done, but no operation after it: the process has died.
    Dies,
    /// It is done, and reported as failed.
    Ambiguous,
    /// From then on, nothing can be written.
    Full,
    /// Nothing: operations are counted.
    None,
}

/// A fault is tried only at every so-many-th operation, because each try takes a whole run. `ROLLCALL_STRIDE=1`, which `make
/// torn` sets, tries all.
pub(crate) fn stride(usual: u64) -> usize {
    let stride = std::env::var("ROLLCALL_STRIDE").map_or(usual, |stride| stride.parse().unwrap());
    usize::try_from(stride).unwrap()
}

/// Called before every operation.
pub(crate) type Watcher = Box<dyn Fn(u64) -> BoxFuture<'static, ()> + Send + Sync>;

pub(crate) struct Faulty {
    inner: Arc<dyn Store>,
    shared: Arc<Shared>,
}

struct Shared {
    at: u64,
    fault: Fault,
    operations: AtomicU64,
    watcher: Option<Watcher>,
}

impl Faulty {
    pub(crate) fn new(inner: &Arc<dyn Store>, at: u64, fault: Fault) -> Arc<Self> {
        let shared = Shared { at, fault, operations: AtomicU64::new(0), watcher: None };
        Arc::new(Self { inner: Arc::clone(inner), shared: Arc::new(shared) })
    }

    /// A store without faults that calls `watcher` before every operation.
    pub(crate) fn watched(inner: &Arc<dyn Store>, watcher: Watcher) -> Arc<Self> {
        let shared =
            Shared { at: 0, fault: Fault::None, operations: AtomicU64::new(0), watcher: Some(watcher) };
        Arc::new(Self { inner: Arc::clone(inner), shared: Arc::new(shared) })
    }

    /// How many operations there were so far.
    pub(crate) fn operations(&self) -> u64 {
        self.shared.operations.load(Ordering::SeqCst)
    }
}

impl Shared {
    async fn step<T>(&self, work: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let k = self.operations.fetch_add(1, Ordering::SeqCst);
        if let Some(watcher) = &self.watcher {
            watcher(k).await;
        }
        let broken = || Error::new(Kind::Store, format!("the store failed at operation {k}"));
        match self.fault {
            Fault::Fails if k == self.at => Err(broken()),
            Fault::Dies if k > self.at => Err(broken()),
            Fault::Dies | Fault::Ambiguous if k == self.at => work.await.and(Err(broken())),
            _ => work.await,
        }
    }
}

impl Shared {
    /// The same for an operation that writes.
    async fn write<T>(&self, work: impl Future<Output = Result<T>> + Send) -> Result<T> {
        if self.fault == Fault::Full && self.operations.load(Ordering::SeqCst) >= self.at {
            return self.step(async { Err(Error::new(Kind::Store, "the disk is full")) }).await;
        }
        self.step(work).await
    }
}

#[async_trait]
impl Store for Faulty {
    async fn list(&self, prefix: &str, after: &str) -> Result<Vec<Listed>> {
        let listed = self.shared.step(self.inner.list(prefix, after)).await?;
        // S3 lists this many keys per answer.
        self.shared.operations.fetch_add(listed.len() as u64 / 1000, Ordering::SeqCst);
        Ok(listed)
    }

    async fn below(&self, prefix: &str) -> Result<Below> {
        self.shared.step(self.inner.below(prefix)).await
    }

    async fn get(&self, key: &str) -> Result<Option<(Bytes, Version)>> {
        self.shared.step(self.inner.get(key)).await
    }

    async fn head(&self, key: &str) -> Result<Option<Head>> {
        self.shared.step(self.inner.head(key)).await
    }

    async fn read(&self, key: &str, version: &Version, range: Range<u64>) -> Result<Bytes> {
        self.shared.step(self.inner.read(key, version, range)).await
    }

    async fn upload(&self, key: &str) -> Result<Box<dyn Upload>> {
        let upload = self.inner.upload(key).await?;
        Ok(Box::new(FaultyUpload { upload, shared: Arc::clone(&self.shared) }))
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.shared.step(self.inner.delete(key)).await
    }

    async fn delete_unchanged(&self, key: &str, version: &Version) -> Result<()> {
        self.shared.step(self.inner.delete_unchanged(key, version)).await
    }

    async fn purge(&self, prefix: &str) -> Result<u64> {
        self.shared.step(self.inner.purge(prefix)).await
    }

    async fn prove(&self, key: &str, content: Bytes) -> Result<()> {
        self.shared.step(self.inner.prove(key, content)).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

/// Each write is an operation, and so is what makes the object visible.
struct FaultyUpload {
    upload: Box<dyn Upload>,
    shared: Arc<Shared>,
}

#[async_trait]
impl Upload for FaultyUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.shared.write(self.upload.write(bytes)).await
    }

    async fn finish(self: Box<Self>, condition: Condition) -> Result<()> {
        let Self { upload, shared } = *self;
        shared.write(upload.finish(condition)).await
    }
}
