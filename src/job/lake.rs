//! What a job asks of the lake before it writes to it.

use super::context::Context;
use crate::error::{Error, Kind, Result};
use crate::load::{keys, lake};

/// Checks the lake as [`check`] does, and restores its list of people to be forgotten if that was lost. An error
/// if there is no lake.
pub(super) async fn require(context: &Context) -> Result<()> {
    let is_lake = check(context).await?;
    context.lake.mend_suppressed().await?;
    if is_lake { Ok(()) } else { Err(lake::missing(&context.place)) }
}

/// Checks settings, policy, and that the store refuses conditional writes that must fail; false if there is no lake yet. An
/// error if files are staged but the settings are lost: then nothing says what a day is.
pub(super) async fn check(context: &Context) -> Result<bool> {
    let lake = &context.lake;
    if lake.check_to_write().await? {
        return Ok(true);
    }
    if lake.store.list(keys::STAGING, "").await?.iter().all(|listed| keys::is_hidden(&listed.key)) {
        return Ok(false);
    }
    let message = format!("there are staged files, but no `{}`", keys::SETTINGS);
    Err(Error::new(Kind::Damaged, message).hint("run `sync`: it builds the ledger again from the lake"))
}
