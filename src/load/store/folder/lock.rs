//! The lock of a folder: only one process at a time changes what is in it.

use std::fs::File;
use std::io;
use std::path::Path;

use super::found;

/// Name of the file that is locked while a condition is checked and the object is put.
pub(super) const LOCK: &str = ".lock";

/// Waits for the lock, and returns it; `None` if there is no store yet.
pub(super) fn lock(root: &Path) -> io::Result<Option<File>> {
    // Not truncated: that would change the file each time.
    let lock = File::options().create(true).write(true).truncate(false).open(root.join(LOCK));
    let Some(lock) = found(lock)? else { return Ok(None) };
    lock.lock()?;
    Ok(Some(lock))
}
