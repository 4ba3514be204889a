//! Starting over after another writer was faster.

use crate::error::{Error, Kind};

/// The most attempts at one piece of work: this many conflicts in a row are no longer chance.
const ATTEMPTS: u32 = 20;

/// The conflicts met so far in one piece of work.
#[derive(Debug, Default)]
pub struct ConflictRetries {
    conflicts: u32,
}

impl ConflictRetries {
    /// Counts the error if it is a conflict. Returns whether to start over: after a conflict, unless there were too many.
    pub fn allow(&mut self, error: &Error) -> bool {
        self.conflicts += u32::from(error.kind() == Kind::Conflict);
        error.kind() == Kind::Conflict && self.conflicts < ATTEMPTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_conflict_is_met_by_starting_over_and_not_for_ever() {
        let conflict = Error::new(Kind::Conflict, "another writer was faster");
        let mut retries = ConflictRetries::default();
        assert!(!retries.allow(&Error::new(Kind::Store, "the disk is full")));
        let again = std::iter::repeat_with(|| retries.allow(&conflict)).take_while(|again| *again).count();
        assert_eq!(again, 19);
    }
}
