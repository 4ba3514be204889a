//! rollcall: who watched which webinar, when, and for how long, as Parquet tables.
//!
//! `extract` asks the vendor, `transform` makes rows of records, `load` keeps them; `job` puts the three together;
//! `inspect` and `page` look at what came of it.

pub mod address;
mod aws;
pub mod calendar;
pub mod config;
mod counted;
pub mod error;
pub mod extract;
pub mod inspect;
pub mod job;
pub mod load;
pub mod metrics;
mod one_line;
pub mod page;
pub mod progress;
pub mod report;
pub mod schema;
pub mod transform;
