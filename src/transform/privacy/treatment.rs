//! How the values of a column are treated.

use serde::{Deserialize, Serialize};

/// How the values of a column are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// They stay as they are.
    Keep,
    /// They become null.
    Drop,
    /// Enough of each stays to recognise it, too little to reach anybody.
    Mask,
    /// Each is replaced by a pseudonym, which is the same in all tables.
    Hmac,
}

impl Treatment {
    /// The word in files and docs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Drop => "drop",
            Self::Mask => "mask",
            Self::Hmac => "hmac",
        }
    }
}
