//! Publish: merges what is staged into the lake.

use std::collections::BTreeSet;

use clap::Args;
use jiff::civil::Date;
use serde::Deserialize;

use super::context::Context;
use super::lake;
use super::selection::{days, parse_day};
use crate::error::Result;
use crate::load::lake::missing;
use crate::load::publish::staged_days::StagedDays;
use crate::load::publish::{self, Published};
use crate::report::Report;

/// The arguments of `publish`.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Publish {
    /// Only this day; may be given several times.
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    #[serde(deserialize_with = "days")]
    pub day: Vec<Date>,
}

pub(super) async fn publish(context: &Context, call: &Publish, report: &mut Report) -> Result<()> {
    lake::require(context).await?;
    publish_staged(context, &call.day, report).await
}

/// Publishes what is staged for these days, or for all days if none is named. The lake must have been checked before.
pub(super) async fn publish_staged(context: &Context, days: &[Date], report: &mut Report) -> Result<()> {
    context.progress.publishing();
    let days: BTreeSet<Date> = days.iter().copied().collect();
    let watch = |done, all| context.progress.at("publishing", done, all);
    add_to_report(report, publish::publish(&context.lake, &days, context.publish_deadline, watch).await?);
    Ok(())
}

/// Shows the days that have staged files.
pub(super) async fn staged(context: &Context, report: &mut Report) -> Result<()> {
    let is_lake = context.lake.check(None).await?;
    let StagedDays { days, failures } = StagedDays::find(context.lake.store.as_ref()).await?;
    if !is_lake && days.is_empty() {
        return Err(missing(&context.place));
    }
    report.failed_each(&failures);
    report.staged = Some(days.into_keys().collect());
    Ok(())
}

pub(super) fn add_to_report(report: &mut Report, published: Published) {
    report.failed_each(&published.failures);
    report.published.add(published);
}
