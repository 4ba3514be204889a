//! From records to record batches: the columns of each table, how a value is read, what happens to values that do not fit.
//! No I/O, no clock, no async: the same records always give the same rows.

pub mod batch;
mod builder;
pub mod column;
mod computed;
pub mod decode;
pub mod decoded;
pub mod digest;
pub mod event;
mod extra;
mod fast_path;
mod field_index;
mod fields;
pub mod person;
pub mod privacy;
pub mod reading;
mod route;
pub mod row;
pub mod tables;
pub mod totals;
pub mod value;
mod vendor_clock;
