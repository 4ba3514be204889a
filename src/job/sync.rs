//! Sync: pull, publish.

use clap::Args;
use serde::Deserialize;

use super::context::Context;
use super::plan::{self, Plan};
use super::publish::publish_staged;
use super::pull::pull;
use super::selection::Selection;
use crate::error::{Kind, Result};
use crate::report::Report;

/// What `sync` is called with.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyncCall {
    /// Which events.
    #[command(flatten)]
    #[serde(flatten)]
    pub selection: Selection,
    /// Only show what would be done, as `plan` does: asks for the roster alone, and writes nothing.
    #[arg(long)]
    pub dry_run: bool,
}

pub(super) async fn sync(context: &Context, call: &SyncCall, report: &mut Report) -> Result<()> {
    let selection = &call.selection;
    if call.dry_run {
        return plan::show(context, &Plan { selection: selection.clone(), items: None }, report).await;
    }
    let pulled = pull(context, selection, report).await;
    // What is staged by now is published whatever failed, also where the vendor cannot be asked at all.
    if pulled.as_ref().is_err_and(|error| error.kind() != Kind::Credentials && !error.is_transient())
        || !context.lake.check_privacy(context.store.as_ref()).await?
    {
        return pulled;
    }
    if let Err(error) = publish_staged(context, &[], report).await {
        report.failed(&error);
    }
    if pulled.is_err() {
        // That error is all that is told of the run then.
        for failure in &report.failures {
            tracing::error!("{}", failure.error);
        }
    }
    pulled
}
