//! What the lake says of itself and of its events: reads only, and asks the vendor nothing.

mod advice;
mod explain;
mod status;

pub use self::advice::Advice;
pub use self::explain::{ExplainCall, Explanation};
pub use self::status::Status;
