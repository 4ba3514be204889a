//! Specifications of what the program does, told by running it against the simulator.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    missing_docs,
    reason = "a test that cannot go on has failed"
)]

mod bad_input;
mod blank_days;
mod blank_lists;
mod blank_snapshots;
mod blank_windows;
mod bucket_versions;
mod concurrent_runs;
mod concurrent_visits;
mod contradictions;
mod damaged_objects;
mod days_without_records;
mod deadline;
mod dry_run;
mod erasure_log;
mod events_without_end;
mod explain;
mod fan_out_rounds;
mod faults;
mod foreign_files;
mod forget;
mod forget_races;
mod histories;
mod json;
mod key_order;
mod killed;
mod lake_key;
mod large_answers;
mod list_cursor;
mod list_entries;
mod list_pages;
mod lost_ledgers;
mod options;
mod outage;
mod output;
mod pages;
mod privacy;
mod probe;
mod publish_order;
mod read_while_replaced;
mod replay;
mod roster;
mod row_groups;
mod rows;
mod s3_parts_without_conditions;
mod s3_without_conditions;
mod schedule;
mod shrink;
mod starvation;
mod status;
mod steps;
mod store_contract;
mod store_operations;
mod support;
mod suppressed_cells;
mod sync;
mod tokens;
mod torn;
mod upgrade;
mod vendor_forgot_event;
mod vendor_lists_read;
