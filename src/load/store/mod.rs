//! Where objects lie: a folder, or S3. Keys are paths with `/`; an object is seen whole or not at all.

mod folder;

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

pub use self::folder::Folder;
use crate::error::{Error, Kind, Result};

/// A version of an object: two that differ in content differ in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(String);

/// Size and version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Bytes.
    pub size: u64,
    /// Version.
    pub version: Version,
}

/// When a write may happen; else it ends in [`Kind::Conflict`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Only where there is no object.
    Absent,
    /// Only over this version.
    Unchanged(Version),
}

/// A place for objects.
#[async_trait]
pub trait Store: Send + Sync {
    /// All keys that begin with `prefix`, in order.
    async fn list(&self, prefix: &str) -> Result<Vec<String>>;

    /// A small object as a whole; none where there is none.
    async fn get(&self, key: &str) -> Result<Option<(Bytes, Version)>>;

    /// Size and version; none where there is no object.
    async fn head(&self, key: &str) -> Result<Option<Head>>;

    /// Bytes of one version; [`Kind::Conflict`] where it is not there any more.
    async fn read(&self, key: &str, version: &Version, range: Range<u64>) -> Result<Bytes>;

    /// Begins an object of any size.
    async fn upload(&self, key: &str) -> Result<Box<dyn Upload>>;

    /// Takes an object away; one that is not there is none to take.
    async fn delete(&self, key: &str) -> Result<()>;

    /// Writes a small object as a whole.
    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<()> {
        let mut upload = self.upload(key).await?;
        upload.write(bytes).await?;
        upload.finish(condition).await
    }
}

/// An object on its way. Dropped before it is finished, it leaves nothing behind.
#[async_trait]
pub trait Upload: Send {
    /// Adds bytes.
    async fn write(&mut self, bytes: Bytes) -> Result<()>;

    /// Makes the object visible, whole, if `condition` holds.
    async fn finish(self: Box<Self>, condition: Condition) -> Result<()>;
}

/// The store at `location`: a folder.
pub fn open(location: &str) -> Result<Arc<dyn Store>> {
    if location.contains("://") {
        return Err(
            Error::new(Kind::Usage, format!("unknown kind of store `{location}`")).hint("name a folder")
        );
    }
    Ok(Arc::new(Folder::new(location)))
}
