//! From record batches to tables that engines read: staged files, their merge into the lake, and the ledger of what is
//! known, owed and done.

pub mod answer;
pub mod archive;
pub mod cell;
mod closing;
pub mod compared;
pub mod complete;
pub mod conflict_retries;
pub mod cursor;
pub mod document;
mod due;
pub mod erasure;
pub mod health;
pub mod index;
pub mod items;
pub mod keys;
pub mod lake;
pub mod lake_objects;
pub mod ledger;
pub mod ledgers;
pub mod merge;
pub mod object;
pub mod objects;
pub mod properties;
pub mod publish;
pub mod recover;
pub mod replace;
pub mod row_groups;
pub mod staged_days;
mod staged_files;
pub mod staging;
pub mod store;
pub mod suppression;
pub mod table_day;
pub mod trial;
pub mod upgrade;
pub mod visit;

/// Version of the format of everything that this program writes: documents of the ledger, footers of objects, archived
/// answers. Whatever has a newer format is never overwritten.
pub const FORMAT: u32 = 1;
