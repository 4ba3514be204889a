//! Under which rules something was written.

use serde::{Deserialize, Serialize};

use super::{PolicyDocument, Privacy};

/// What was kept of people when something was written: the policy, and the length of the list of people to be forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivacyVersion {
    /// The policy.
    pub policy: PolicyDocument,
    /// Length of the list of people to be forgotten.
    pub suppressed: u64,
    /// Tells that list from another one of the same length.
    #[serde(default)]
    pub suppressed_hash: u64,
}

impl PrivacyVersion {
    /// Whether nothing was withheld.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether nothing was kept that may not be kept under `other`. The list may be longer than in `other`: another process
    /// that knew of more people may have written the object meanwhile.
    #[must_use]
    pub fn is_as_strict_as(&self, other: &Self) -> bool {
        self == other || self.policy == other.policy && self.suppressed > other.suppressed
    }
}

impl From<&Privacy> for PrivacyVersion {
    fn from(privacy: &Privacy) -> Self {
        let (policy, suppressed) = (privacy.policy.document().clone(), &privacy.suppressed);
        Self { policy, suppressed: suppressed.revision(), suppressed_hash: suppressed.hash() }
    }
}
