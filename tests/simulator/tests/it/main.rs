//! The simulator as its users see it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod command;
mod common;
mod faults;
mod http;
mod quirks;
mod report;
mod tokens;
mod when;
mod world;
