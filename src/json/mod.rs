//! JSON as the vendor sends it, read where it stands: records and their fields as slices of the answer, texts with their escapes,
//! numbers. Pure; it knows nothing of tables.

pub mod escape;
mod key_cache;
pub(crate) mod number;
pub mod raw;
pub mod record;
pub(crate) mod scan;
