//! From record batches to tables that engines read: staged files, their merge into the lake, and the ledger of what is
//! known, owed and done.

pub mod archive;
pub mod cell;
pub mod conflict_retries;
pub mod document;
pub mod erasure;
pub mod items;
pub mod keys;
pub mod lake;
pub mod lake_objects;
pub mod lake_settings;
pub mod ledger;
pub mod lost_objects;
pub mod object;
pub mod publish;
pub mod staging;
pub mod store;
pub mod suppression;
pub mod table_day;
pub mod trial;
pub mod upgrade;

use crate::error::{Error, Kind, Result};

/// Version of the format of everything that this program writes: documents of the ledger, footers of objects, archived
/// answers. Whatever has a newer format is never overwritten.
pub const FORMAT: u32 = 1;

/// Refuses what a newer program wrote ([`Kind::Newer`]); `what` names it.
fn check_format(format: u32, what: &str) -> Result<()> {
    if format <= FORMAT {
        return Ok(());
    }
    let message = format!("{what} has format {format}, this program knows formats up to {FORMAT}");
    Err(Error::new(Kind::Newer, message).hint("upgrade rollcall"))
}
