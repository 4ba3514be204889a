//! Where objects are stored: a folder, or S3. Keys are paths with `/`. Readers see an object as a whole, or not at all.

mod folder;
mod s3;

use std::fmt;
use std::ops::Range;
use std::path::{self, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

pub use self::folder::Folder;
pub use self::s3::{Bucket, S3};
use crate::error::{Error, Kind, Result};

/// The version of an object: if the content differs, so does the version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(String);

/// Size and version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Size in bytes.
    pub size: u64,
    /// Version.
    pub version: Version,
}

/// An object in a list.
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
    /// The beginnings, in order, of the keys of objects further down, up to and including the next `/`. A folder may have lost
    /// its last object since.
    pub folders: Vec<String>,
    /// Objects, in order of their keys.
    pub objects: Vec<Listed>,
}

/// When a write may happen; otherwise it ends in [`Kind::Conflict`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Only if there is no object.
    Absent,
    /// Only if it replaces this version.
    Unchanged(Version),
}

/// A place for objects.
#[async_trait]
pub trait Store: Send + Sync {
    /// All objects whose key begins with `prefix` and comes after `after`, in the order of their keys. They are also looked up in
    /// that order: what is written meanwhile is found if its key is still to come.
    async fn list(&self, prefix: &str, after: &str) -> Result<Vec<Listed>>;

    /// What lies directly below `prefix`, which ends with `/`: the folders, and the objects that are in none of them.
    async fn below(&self, prefix: &str) -> Result<Below>;

    /// Reads a small object as a whole; `None` if it does not exist.
    async fn get(&self, key: &str) -> Result<Option<(Bytes, Version)>>;

    /// Size and version of an object; `None` if it does not exist.
    async fn head(&self, key: &str) -> Result<Option<Head>>;

    /// Reads a range of bytes of one version. Returns [`Kind::Conflict`] if the version no longer exists.
    async fn read(&self, key: &str, version: &Version, range: Range<u64>) -> Result<Bytes>;

    /// Begins an object of any size.
    async fn upload(&self, key: &str) -> Result<Box<dyn Upload>>;

    /// Deletes an object; succeeds if it does not exist.
    async fn delete(&self, key: &str) -> Result<()>;

    /// Deletes an object if it still has this version; otherwise leaves it as it is, and succeeds.
    async fn delete_unchanged(&self, key: &str, version: &Version) -> Result<()>;

    /// Deletes the versions that the store keeps of replaced and deleted objects whose keys begin with this prefix, and what
    /// killed writers left in a folder. Returns the number of deleted versions.
    async fn purge(&self, _prefix: &str) -> Result<u64> {
        Ok(0)
    }

    /// Writes a small object as a whole.
    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<()> {
        let mut upload = self.upload(key).await?;
        upload.write(bytes).await?;
        upload.finish(condition).await
    }

    /// Tests whether the store honours the conditions of writes; returns [`Kind::Unconditional`] if not. `content` has to be the
    /// content of the object under `key`, so that nothing changes even if the store ignores the conditions.
    async fn prove(&self, _key: &str, _content: Bytes) -> Result<()> {
        Ok(())
    }

    /// Waits until the store has been cleared of uploads that were dropped.
    async fn close(&self) {}
}

/// An object that is being written. If dropped before it is finished, it leaves nothing behind.
#[async_trait]
pub trait Upload: Send {
    /// Adds bytes.
    async fn write(&mut self, bytes: Bytes) -> Result<()>;

    /// Makes the object visible, whole, if `condition` holds.
    async fn finish(self: Box<Self>, condition: Condition) -> Result<()>;
}

/// The place of a store.
#[derive(Clone, Debug)]
pub enum Location {
    /// A folder.
    Folder(PathBuf),
    /// A bucket, or a part of it.
    S3(Bucket),
}

impl Location {
    /// Opens the store at this place. No request is made yet.
    pub async fn open(self) -> Arc<dyn Store> {
        match self {
            Self::Folder(path) => Arc::new(Folder::new(path)),
            Self::S3(bucket) => Arc::new(S3::new(bucket).await),
        }
    }
}

/// In one canonical form, with no `/` at the end; a folder with its whole path, because engines may be started anywhere.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self {
            Self::Folder(path) => path::absolute(path).as_ref().unwrap_or(path).display().to_string(),
            Self::S3(Bucket { name, prefix, .. }) => format!("s3://{name}/{prefix}"),
        };
        f.write_str(place.trim_end_matches('/'))
    }
}

fn conflict(key: &str) -> Error {
    Error::new(Kind::Conflict, "another writer was faster").with("key", key).hint("run it again")
}
