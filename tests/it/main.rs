//! Specifications of what the program does, told by running it against the simulator.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test that cannot go on has failed"
)]

mod bad_input;
mod command;
mod faults;
mod growth;
mod lake;
mod roster;
mod run;
mod shrink;
mod sync;
