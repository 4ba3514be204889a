//! rollcall: who watched which webinar, when, and for how long, as Parquet tables.
//!
//! `extract` asks the vendor, `transform` turns records into rows, `load` stores them; `job` puts the three together;
//! `inspect` and `page` show the result.

pub mod address;
mod aws;
pub mod calendar;
pub mod config;
mod counted;
pub mod error;
pub mod extract;
pub mod inspect;
pub mod job;
pub mod json;
pub mod load;
pub mod metrics;
pub mod one_line;
pub mod page;
pub mod progress;
pub mod report;
pub mod schema;
pub mod transform;
