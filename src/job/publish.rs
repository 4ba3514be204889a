//! Publish: merges what is staged into the lake.

use std::collections::BTreeSet;

use clap::Args;
use jiff::civil::Date;
use serde::Deserialize;

use super::context::Context;
use crate::error::{Error, Kind, Result};
use crate::load::publish::staged_days::StagedDays;
use crate::load::publish::{self, Published};
use crate::load::{keys, lake};
use crate::report::Report;

/// The arguments of `publish`.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Publish {
    /// Only this day; may be given several times.
    #[arg(long, value_name = "DAY")]
    pub day: Vec<Date>,
}

pub(super) async fn publish(context: &Context, call: &Publish, report: &mut Report) -> Result<()> {
    if !prepare_lake(context).await? {
        return Err(lake::missing(&context.place));
    }
    publish_staged(context, &call.day, report).await
}

/// Publishes what is staged for these days, or for all days if none is named. The lake must have been checked before.
pub(super) async fn publish_staged(context: &Context, days: &[Date], report: &mut Report) -> Result<()> {
    context.progress.publishing();
    let days: BTreeSet<Date> = days.iter().copied().collect();
    let (watch, deadline) =
        (|done, all| context.progress.at("publishing", done, all), context.publish_deadline.clone());
    add_to_report(report, publish::publish(&context.lake, &days, deadline, watch).await?);
    Ok(())
}

/// Shows the days that have staged files.
pub(super) async fn staged(context: &Context, report: &mut Report) -> Result<()> {
    let StagedDays { days, failures } = StagedDays::find(context.lake.store.as_ref()).await?;
    report.failed_each(&failures);
    report.staged = Some(days.into_keys().collect());
    Ok(())
}

/// Checks the lake as [`check_lake`] does, and restores its list of forgotten people if that was lost.
pub(super) async fn prepare_lake(context: &Context) -> Result<bool> {
    let is_lake = check_lake(context).await?;
    context.lake.mend_suppressed().await?;
    Ok(is_lake)
}

/// Checks settings, policy, and that the store refuses conditional writes that must fail; false if there is no lake yet. An
/// error if files are staged but the settings are lost: then nothing says what a day is.
pub(super) async fn check_lake(context: &Context) -> Result<bool> {
    let lake = &context.lake;
    if lake.check_to_write().await? {
        return Ok(true);
    }
    if lake.store.list(keys::STAGING, "").await?.iter().all(|listed| keys::is_hidden(&listed.key)) {
        return Ok(false);
    }
    let message = format!("there are staged files, but no `{}`", keys::LAKE);
    Err(Error::new(Kind::Damaged, message).hint("run `sync`: it builds the ledger again from the lake"))
}

pub(super) fn add_to_report(report: &mut Report, published: Published) {
    report.failed_each(&published.failures);
    report.published.add(published);
}
