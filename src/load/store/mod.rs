//! Where objects lie: a folder, or S3. Keys are paths with `/`; an object is seen whole or not at all.

mod folder;
mod s3;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

pub use self::folder::Folder;
pub use self::s3::{Bucket, S3};
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

/// An object as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Size and version.
    pub head: Head,
}

/// What lies directly below a prefix that ends with `/`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Below {
    /// What keys of objects further down begin with, up to their next `/`, in order. One may have lost its last object since.
    pub folders: Vec<String>,
    /// Objects, in order of their keys.
    pub objects: Vec<Listed>,
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
    /// All objects whose key begins with `prefix` and comes after `after`, in order of their keys, and looked at in that order:
    /// what is written while this goes on is met where it comes later.
    async fn list(&self, prefix: &str, after: &str) -> Result<Vec<Listed>>;

    /// What lies directly below `prefix`, which ends with `/`: the folders, and the objects that lie in none.
    async fn below(&self, prefix: &str) -> Result<Below>;

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

    /// Takes this version of an object away; another stays.
    async fn delete_unchanged(&self, key: &str, version: &Version) -> Result<()>;

    /// Takes away what stood under keys with this prefix before, where the store keeps that, and what writers left that were killed.
    /// How many versions it were.
    async fn purge(&self, _prefix: &str) -> Result<u64> {
        Ok(0)
    }

    /// Writes a small object as a whole.
    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<()> {
        let mut upload = self.upload(key).await?;
        upload.write(bytes).await?;
        upload.finish(condition).await
    }

    /// [`Kind::Unconditional`] where the store does not honour conditions. `content` is what stands under `key`: a
    /// store that ignores the conditions of these writes changes nothing by them.
    async fn prove(&self, _key: &str, _content: Bytes) -> Result<()> {
        Ok(())
    }

    /// Waits until what was begun and dropped has left nothing behind.
    async fn close(&self) {}
}

/// An object on its way. Dropped before it is finished, it leaves nothing behind.
#[async_trait]
pub trait Upload: Send {
    /// Adds bytes.
    async fn write(&mut self, bytes: Bytes) -> Result<()>;

    /// Makes the object visible, whole, if `condition` holds.
    async fn finish(self: Box<Self>, condition: Condition) -> Result<()>;
}

/// Which store.
#[derive(Clone, Debug)]
pub enum Location {
    /// A folder.
    Folder(PathBuf),
    /// A bucket, or a part of it.
    S3(Bucket),
}

impl Location {
    /// The store there. Nothing is asked of it yet.
    pub async fn open(self) -> Arc<dyn Store> {
        match self {
            Self::Folder(path) => Arc::new(Folder::new(path)),
            Self::S3(bucket) => Arc::new(S3::new(bucket).await),
        }
    }
}

fn conflict(key: &str) -> Error {
    Error::new(Kind::Conflict, "another writer was faster").with("key", key)
}
