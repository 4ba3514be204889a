//! The lock of a folder: one process at a time changes what lies there.

use std::fs::File;
use std::io;
use std::path::Path;

use super::found;

/// Held while a condition is checked and the object put.
pub(super) const LOCK: &str = ".lock";

/// Waits until no other process changes anything; none where there is no store yet.
pub(super) fn lock(root: &Path) -> io::Result<Option<File>> {
    // Not truncated: that would be a change of the file each time.
    let lock = File::options().create(true).write(true).truncate(false).open(root.join(LOCK));
    let Some(lock) = found(lock)? else { return Ok(None) };
    lock.lock()?;
    Ok(Some(lock))
}
