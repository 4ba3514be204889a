//! Sync: pull, publish.

use super::context::Context;
use super::publish::publish_staged;
use super::pull::pull;
use super::selection::Selection;
use crate::error::Result;
use crate::report::Report;

pub(super) async fn sync(context: &Context, selection: &Selection, report: &mut Report) -> Result<()> {
    pull(context, selection, report).await?;
    if !context.lake.check(context.store.as_ref(), None).await? {
        return Ok(());
    }
    // What is staged by now is published whatever failed.
    if let Err(error) = publish_staged(context, &[], report).await {
        report.failed(&error);
    }
    Ok(())
}
