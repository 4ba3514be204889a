//! Publish, and upgrade: what does not ask the vendor for anything.

use super::context::Context;
use crate::error::Result;
use crate::load::publish::{self, Published};
use crate::report::Report;

pub(super) async fn publish(context: &Context, report: &mut Report) -> Result<()> {
    if is_lake(context).await? { publish_staged(context, report).await } else { Ok(()) }
}

/// Publishes what is staged for a lake that was checked.
pub(super) async fn publish_staged(context: &Context, report: &mut Report) -> Result<()> {
    context.progress.publishing();
    record(report, publish::publish(&context.store, &context.lake).await?);
    Ok(())
}

pub(super) async fn upgrade(context: &Context, report: &mut Report) -> Result<()> {
    if is_lake(context).await? {
        record(report, publish::upgrade(&context.store, &context.lake).await?);
    }
    Ok(())
}

/// Whether there is anything yet, in a lake whose settings are this run's.
async fn is_lake(context: &Context) -> Result<bool> {
    context.lake.check(context.store.as_ref(), None).await
}

fn record(report: &mut Report, published: Published) {
    for error in &published.failures {
        report.failed(error);
    }
    report.published = published;
}
