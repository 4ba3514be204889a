//! What the lake says about itself and its events. Everything here only reads, and asks the vendor nothing.

mod advice;
mod explain;
mod status;

pub use self::advice::Advice;
pub use self::explain::{ExplainCall, Explanation};
pub use self::status::Status;
