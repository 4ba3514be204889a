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
mod careless;
mod careless_parts;
mod contract;
mod contradictions;
mod cost;
mod cursor;
mod damage;
mod deadline;
mod dry_run;
mod endless;
mod erasures;
mod explain;
mod faults;

mod foreign;
mod forget;
mod forgotten;
mod growth;
mod histories;
mod json;
mod key_order;
mod killed;
mod large;
mod lists;
mod lost;
mod named;
mod options;
mod outage;
mod output;
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
mod shrink;
mod status;
mod steps;
mod support;
mod suppressed;
mod sync;
mod tokens;
mod torn;
mod turns;
mod upgrade;
mod versions;
