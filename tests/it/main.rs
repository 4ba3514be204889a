//! Specifications of what the program does, told by running it against the simulator.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    missing_docs,
    reason = "a test that cannot go on has failed"
)]

mod amid_a_forget;
mod bad_input;
mod beside;
mod bytes;
mod careless;
mod command;
mod contract;
mod contradictions;
mod cost;
mod cursor;
mod damage;
mod deadline;
mod erasures;
mod explain;
mod faces;
mod faults;
mod faulty;
mod forecast;
mod foreign;
mod forget;
mod forgotten;
mod growth;
mod histories;
mod json;
mod key_order;
mod killed;
mod lake;
mod large;
mod lists;
mod lossy;
mod lost;
mod named;
mod options;
mod outage;
mod pages;
mod privacy;
mod probe;
mod racing;
mod replaced;
mod replay;
mod roster;
mod rounds;
mod row_groups;
mod rows;
mod run;
mod shrink;
mod status;
mod steps;
mod stores;
mod suppressed;
mod sync;
mod tokens;
mod told;
mod torn;
mod turns;
mod upgrade;
mod versions;
