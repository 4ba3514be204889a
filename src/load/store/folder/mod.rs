//! A folder as a store. Several processes may use it at once: an object is written to a file apart from the others and synced;
//! then, under a lock, its condition is checked and the file is renamed into its place.

mod lock;
mod upload;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use bytes::Bytes;
use twox_hash::XxHash3_128;

use self::lock::{LOCK, lock};
use self::upload::{Partial, clear};
use super::{Below, Head, Listed, Store, Upload, Version, conflict};
use crate::error::{Error, Explain, Kind, Result};

/// Name of the folder with the objects that are being written, where no reader looks.
const PARTIAL: &str = ".partial";
/// Bytes at the end of an object that go into its version: a Parquet footer names every cell, and when it was staged.
const TAIL: u64 = 64 * 1024;

/// A folder as a store.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
    /// Whether this process has cleared away what killed processes left: once is enough.
    is_cleared: Arc<AtomicBool>,
}

impl Folder {
    /// A store in this folder, which is created when the first object is written.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), is_cleared: Arc::default() }
    }

    /// Runs `work`, which blocks, on a thread other than those that wait for the network.
    async fn blocking<T: Send + 'static>(
        &self,
        key: &str,
        verb: &'static str,
        work: impl FnOnce(&Path, &Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let root = self.root.clone();
        let path = root.join(key);
        let shown = path.display().to_string();
        let outcome = tokio::task::spawn_blocking(move || work(&root, &path)).await;
        outcome
            .explain(Kind::Store, || format!("cannot {verb} `{shown}`"))?
            .map_err(|error| explain(verb, &shown, error))
    }
}

fn explain(verb: &str, path: &str, error: io::Error) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "check the permissions of the folder"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => "name a folder, not a file",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space",
        _ => "with `--store`, name a folder that can be read and written",
    };
    Error::new(Kind::Store, format!("cannot {verb} `{path}`")).caused_by(error).hint(hint)
}

/// `None` if the file or folder does not exist.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Size and version of an open file. Size, time and inode alone could be the same for two contents that were written within one
/// tick of the clock; the end of the content tells these apart.
fn head(file: &mut File) -> io::Result<Head> {
    let metadata = file.metadata()?;
    let size = metadata.len();
    file.seek(SeekFrom::Start(size.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let (seconds, nanos, inode) = (metadata.mtime(), metadata.mtime_nsec(), metadata.ino());
    let version = format!("{size:x}-{seconds:x}-{nanos:x}-{inode:x}-{:x}", XxHash3_128::oneshot(&tail));
    Ok(Head { size, version: Version(version) })
}

/// The files and folders in a folder, by their keys, each with its path. All keys begin with `key`; those of folders end with
/// `/`.
fn entries(folder: &Path, key: &str) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut entries = BTreeMap::new();
    for entry in found(fs::read_dir(folder))?.into_iter().flatten() {
        let entry = entry?;
        // An entry may be gone since the folder was read.
        let Some(kind) = found(entry.file_type())? else { continue };
        let end = if kind.is_dir() { "/" } else { "" };
        entries.insert(format!("{key}{}{end}", entry.file_name().to_string_lossy()), entry.path());
    }
    // These two are not objects of the store.
    entries.retain(|key, _| key != LOCK && key.strip_suffix('/') != Some(PARTIAL));
    Ok(entries)
}

/// The object at a path; `None` if it is gone.
fn listed(key: String, path: &Path) -> io::Result<Option<Listed>> {
    let file = found(File::open(path))?;
    file.map(|mut file| Ok(Listed { key, head: head(&mut file)? })).transpose()
}

/// Adds the objects in a folder, and in those below it, to `all`, in the order of their keys, if `keep` returns true.
fn walk(folder: &Path, key: &str, keep: &impl Fn(&str) -> bool, all: &mut Vec<Listed>) -> io::Result<()> {
    for (key, path) in entries(folder, key)? {
        if key.ends_with('/') {
            walk(&path, &key, keep, all)?;
        } else if keep(&key) {
            all.extend(listed(key, &path)?);
        }
    }
    Ok(())
}

#[async_trait]
impl Store for Folder {
    async fn list(&self, prefix: &str, after: &str) -> Result<Vec<Listed>> {
        let folder = prefix.rfind('/').map_or("", |at| prefix.get(..=at).unwrap_or_default()).to_owned();
        let (prefix, after) = (prefix.to_owned(), after.to_owned());
        self.blocking(&folder.clone(), "list", move |_, path| {
            let keep = |key: &str| key.starts_with(&prefix) && key > after.as_str();
            let mut listed = Vec::new();
            walk(path, &folder, &keep, &mut listed)?;
            Ok(listed)
        })
        .await
    }

    async fn below(&self, prefix: &str) -> Result<Below> {
        let key = prefix.to_owned();
        self.blocking(prefix, "list", move |_, path| {
            let (folders, files): (Vec<_>, Vec<_>) =
                entries(path, &key)?.into_iter().partition(|(key, _)| key.ends_with('/'));
            let objects = files.into_iter().filter_map(|(key, path)| listed(key, &path).transpose());
            Ok(Below {
                folders: folders.into_iter().map(|(key, _)| key).collect(),
                objects: objects.collect::<io::Result<_>>()?,
            })
        })
        .await
    }

    async fn get(&self, key: &str) -> Result<Option<(Bytes, Version)>> {
        self.blocking(key, "read", |_, path| {
            let Some(mut file) = found(File::open(path))? else { return Ok(None) };
            let head = head(&mut file)?;
            let mut content = Vec::new();
            file.seek(SeekFrom::Start(0))?;
            file.read_to_end(&mut content)?;
            Ok(Some((Bytes::from(content), head.version)))
        })
        .await
    }

    async fn head(&self, key: &str) -> Result<Option<Head>> {
        self.blocking(key, "read", |_, path| {
            found(File::open(path))?.map(|mut file| head(&mut file)).transpose()
        })
        .await
    }

    async fn read(&self, key: &str, version: &Version, range: Range<u64>) -> Result<Bytes> {
        let expected = version.clone();
        let bytes = self
            .blocking(key, "read", move |_, path| {
                let Some(mut file) = found(File::open(path))? else { return Ok(None) };
                if head(&mut file)?.version != expected {
                    return Ok(None);
                }
                let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
                let mut content = vec![0; length];
                file.read_exact_at(&mut content, range.start)?;
                Ok(Some(Bytes::from(content)))
            })
            .await?;
        bytes.ok_or_else(|| conflict(key))
    }

    async fn upload(&self, key: &str) -> Result<Box<dyn Upload>> {
        Ok(Box::new(Partial::begin(self, key).await?))
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.blocking(key, "delete", |root, path| {
            let Some(_lock) = lock(root)? else { return Ok(()) };
            found(fs::remove_file(path))?;
            remove_empty(root, path);
            Ok(())
        })
        .await
    }

    async fn delete_unchanged(&self, key: &str, version: &Version) -> Result<()> {
        let expected = version.clone();
        self.blocking(key, "delete", move |root, path| {
            let Some(_lock) = lock(root)? else { return Ok(()) };
            let standing = found(File::open(path))?.map(|mut file| head(&mut file)).transpose()?;
            if standing.is_some_and(|head| head.version == expected) {
                fs::remove_file(path)?;
                remove_empty(root, path);
            }
            Ok(())
        })
        .await
    }

    /// Deletes what killed writers left, so that nobody finds it. A folder keeps no previous versions.
    async fn purge(&self, _prefix: &str) -> Result<u64> {
        self.blocking(PARTIAL, "delete", |_, partial| clear(partial)).await.map(|()| 0)
    }
}

/// Removes the folders that contain a path, up to but not including `root`, as long as they are empty. One that cannot be removed
/// counts as not empty.
fn remove_empty(root: &Path, path: &Path) {
    for folder in path.ancestors().skip(1).take_while(|folder| *folder != root) {
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Condition;
    use super::*;

    async fn put(store: &Folder, key: &str, content: &'static str, condition: Condition) -> Result<(), Kind> {
        store.put(key, Bytes::from(content), condition).await.map_err(|error| error.kind())
    }

    async fn keys(store: &Folder, prefix: &str, after: &str) -> Vec<String> {
        store.list(prefix, after).await.unwrap().into_iter().map(|listed| listed.key).collect()
    }

    #[tokio::test]
    async fn a_write_succeeds_only_if_its_condition_holds() {
        let folder = tempfile::tempdir().unwrap();
        let store = Folder::new(folder.path().join("store"));
        assert_eq!(store.head("a/b").await.unwrap(), None);
        assert_eq!(put(&store, "a/b", "one", Condition::Absent).await, Ok(()));
        assert_eq!(put(&store, "a/b", "two", Condition::Absent).await, Err(Kind::Conflict));
        let first = store.head("a/b").await.unwrap().unwrap().version;
        assert_eq!(put(&store, "a/b", "two", Condition::Unchanged(first.clone())).await, Ok(()));
        assert_eq!(put(&store, "a/b", "six", Condition::Unchanged(first.clone())).await, Err(Kind::Conflict));
        assert_eq!(store.read("a/b", &first, 0..1).await.unwrap_err().kind(), Kind::Conflict);
        let (content, _) = store.get("a/b").await.unwrap().unwrap();
        assert_eq!(content, "two");
        store.delete("a/b").await.unwrap();
        store.delete("a/b").await.unwrap();
        assert_eq!(keys(&store, "", "").await, [""; 0]);
    }

    #[tokio::test]
    async fn one_of_many_writers_wins_and_an_upload_that_is_dropped_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Folder::new(folder.path());
        let racers = (0..8).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { put(&store, "k", "x", Condition::Absent).await.is_ok() })
        });
        let won =
            futures::future::join_all(racers).await.into_iter().filter(|won| *won.as_ref().unwrap()).count();
        assert_eq!(won, 1);
        let mut upload = store.upload("other").await.unwrap();
        upload.write(Bytes::from_static(b"half")).await.unwrap();
        drop(upload);
        assert_eq!(keys(&store, "", "").await, ["k"]);
        assert_eq!(fs::read_dir(folder.path().join(PARTIAL)).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn keys_are_listed_by_prefix_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let store = Folder::new(folder.path());
        for key in ["s/b/2", "s/a/1", "s/ab", "s/a-b", "t/1"] {
            put(&store, key, "x", Condition::Absent).await.unwrap();
        }
        assert_eq!(keys(&store, "s/", "").await, ["s/a-b", "s/a/1", "s/ab", "s/b/2"]);
        assert_eq!(keys(&store, "s/a", "").await, ["s/a-b", "s/a/1", "s/ab"]);
        assert_eq!(keys(&store, "s/", "s/ab").await, ["s/b/2"]);
        assert_eq!(keys(&store, "none/", "").await, [""; 0]);
        let listed = store.list("t/", "").await.unwrap().remove(0);
        assert_eq!(Some(listed.head), store.head("t/1").await.unwrap());
    }
}
