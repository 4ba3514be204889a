//! Writes one object to a folder: first to a file apart from the others, which is moved into its place when it is complete.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use bytes::Bytes;
use tempfile::NamedTempFile;

use super::super::{Condition, Upload, conflict};
use super::lock::lock;
use super::{Folder, PARTIAL, explain, found, head};
use crate::error::Result;

/// An object that is being written, to a file that only its writer knows, and has locked.
pub(super) struct Partial {
    folder: Folder,
    key: String,
    file: NamedTempFile,
}

impl Partial {
    pub(super) async fn begin(folder: &Folder, key: &str) -> Result<Self> {
        let is_cleared = Arc::clone(&folder.is_cleared);
        let file = folder
            .blocking(key, "write", move |root, _| {
                let partial = root.join(PARTIAL);
                fs::create_dir_all(&partial)?;
                if !is_cleared.swap(true, Ordering::Relaxed)
                    && let Err(error) = clear(&partial)
                {
                    tracing::debug!("cannot clear `{}` of what killed runs left: {error}", partial.display());
                }
                make(&partial)
            })
            .await?;
        Ok(Self { folder: folder.clone(), key: key.to_owned(), file })
    }
}

#[async_trait]
impl Upload for Partial {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        // A write to the page cache; moving the bytes to another thread would cost more.
        self.file
            .write_all(&bytes)
            .map_err(|error| explain("write", &self.file.path().display().to_string(), error))
    }

    async fn finish(self: Box<Self>, condition: Condition) -> Result<()> {
        let Self { folder, key, file } = *self;
        let done = folder
            .blocking(&key, "write", move |root, path| {
                file.as_file().sync_all()?;
                if !put(root, path, file, &condition)? {
                    return Ok(false);
                }
                // Not under the lock, so that the disk can sync the objects of several writers at once. If the folder is
                // already gone, so is the object.
                let folder = path.parent().map(File::open).transpose();
                found(folder)?.flatten().map_or(Ok(()), |folder| folder.sync_all())?;
                Ok(true)
            })
            .await?;
        if done { Ok(()) } else { Err(conflict(&key)) }
    }
}

/// Moves a file into its place if the condition holds. Returns whether it does.
fn put(root: &Path, path: &Path, file: NamedTempFile, condition: &Condition) -> io::Result<bool> {
    let _lock = lock(root)?;
    let standing = found(File::open(path))?.map(|mut file| head(&mut file)).transpose()?;
    let holds = match (condition, &standing) {
        (Condition::Absent, None) => true,
        (Condition::Unchanged(version), Some(head)) => head.version == *version,
        _ => false,
    };
    if holds {
        path.parent().map_or(Ok(()), create_folders)?;
        file.persist(path).map_err(|error| error.error)?;
    }
    Ok(holds)
}

/// Creates a folder and those that it lies in, and syncs them, so that they survive a power cut.
fn create_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let Some(parent) = folder.parent() else { return Ok(()) };
    create_folders(parent)?;
    fs::create_dir(folder)?;
    File::open(parent)?.sync_all()
}

/// Creates a file that is locked for as long as it is open.
fn make(partial: &Path) -> io::Result<NamedTempFile> {
    loop {
        // The umask decides who may read an object, as for any file of the user.
        let mut builder = tempfile::Builder::new();
        let file = builder.permissions(fs::Permissions::from_mode(0o666)).tempfile_in(partial)?;
        file.as_file().lock()?;
        // Before it was locked, another process may have deleted it as one that was left behind.
        if file.path().exists() {
            return Ok(file);
        }
    }
}

/// Deletes the files that killed processes left: those that nobody has locked any more.
pub(super) fn clear(partial: &Path) -> io::Result<()> {
    let Some(entries) = found(fs::read_dir(partial))? else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        // Opened for writing, if that is allowed: some file systems do not lock a file that is only open for reading.
        let file = match File::options().read(true).write(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => File::open(&path),
            opened => opened,
        };
        let Some(file) = found(file)? else { continue };
        match file.try_lock() {
            Ok(()) => drop(found(fs::remove_file(&path))?),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::*;

    #[tokio::test]
    async fn files_left_by_a_killed_process_are_removed_but_not_those_still_being_written() {
        let folder = tempfile::tempdir().unwrap();
        let partial = folder.path().join(PARTIAL);
        fs::create_dir(&partial).unwrap();
        let left = || {
            fs::write(partial.join("left"), "somebody").unwrap();
        };
        let count = || fs::read_dir(&partial).unwrap().count();
        let key = Bytes::from_static(b"x");
        let other = Folder::new(folder.path());
        let writing = other.upload("other").await.unwrap();
        left();
        let store = Folder::new(folder.path());
        store.put("k", key.clone(), Condition::Absent).await.unwrap();
        assert_eq!(count(), 1, "by the first write");
        left();
        store.put("l", key.clone(), Condition::Absent).await.unwrap();
        assert_eq!(count(), 2);
        store.purge("").await.unwrap();
        assert_eq!(count(), 1, "by whoever forgets somebody");
        writing.finish(Condition::Absent).await.unwrap();
        assert_eq!(count(), 0);
    }
}
