//! A race with other writers: whoever loses it starts over.

use crate::error::{Error, Kind};

/// How often. Who loses that many times in a row has met something else than chance.
const ATTEMPTS: u32 = 20;

/// What others may be faster with.
#[derive(Debug, Default)]
pub struct Race {
    lost: u32,
}

impl Race {
    /// Whether this error says that another writer was faster, and it is to be tried once more.
    pub fn is_lost(&mut self, error: &Error) -> bool {
        self.lost += u32::from(error.kind() == Kind::Conflict);
        error.kind() == Kind::Conflict && self.lost < ATTEMPTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lost_race_is_run_again_and_not_for_ever() {
        let conflict = Error::new(Kind::Conflict, "another writer was faster");
        let mut race = Race::default();
        assert!(!race.is_lost(&Error::new(Kind::Store, "the disk is full")));
        let again = std::iter::repeat_with(|| race.is_lost(&conflict)).take_while(|again| *again).count();
        assert_eq!(again, 19);
    }
}
