//! What becomes of a column's values.

use serde::{Deserialize, Serialize};

/// What becomes of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// They stay as they are.
    Keep,
    /// They are null.
    Drop,
    /// Enough stays to recognise a value by, too little to reach anybody.
    Mask,
    /// A pseudonym stands for each, the same in all tables.
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
