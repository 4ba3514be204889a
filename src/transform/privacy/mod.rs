//! What may be kept of people: a treatment for each column, applied before a value reaches any file.

mod clean;
mod document;
mod filter;
mod forms;
mod mask;
mod numbers;
mod policy;
mod pseudonym;
mod redact;
mod redacted_answer;
mod search;
mod suppressed;
mod treatment;
mod version;
mod words;

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::tables::Table;
use crate::error::Result;

pub use self::document::{PolicyDocument, Preset};
pub use self::policy::Policy;
pub use self::pseudonym::Key;
pub use self::redact::Redactor;
pub use self::redacted_answer::RedactedAnswer;
pub use self::suppressed::Suppressed;
pub use self::treatment::Treatment;
pub use self::version::PrivacyVersion;

/// What may be kept of people, and the people to be forgotten.
#[derive(Clone, Debug, Default)]
pub struct Privacy {
    /// What may be kept of each column.
    pub policy: Arc<Policy>,
    /// The people to be forgotten.
    pub suppressed: Arc<Suppressed>,
}

impl Privacy {
    /// Whether everything may be kept, of everybody.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.policy.is_open() && self.suppressed.is_empty()
    }

    /// What may be kept of rows that were written under another policy, or before somebody was to be forgotten.
    pub fn clean(&self, table: Table, batch: &RecordBatch) -> Result<RecordBatch> {
        self.policy.clean(table, &self.suppressed.without(table, batch)?)
    }
}
