//! Sync: plans, pulls and publishes.

use clap::Args;
use serde::Deserialize;

use super::context::Context;
use super::plan::{self, Plan};
use super::publish::publish_staged;
use super::pull::pull;
use super::selection::Selection;
use crate::error::{Kind, Result};
use crate::report::Report;

/// The arguments of `sync`.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyncCall {
    /// Which events to pull.
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
        return plan::run(context, &Plan { selection: selection.clone(), items: None }, report).await;
    }
    let pulled = pull(context, selection, report).await;
    // What is staged by now is published even if the pull failed, provided that it failed because of the credentials, or of
    // something that may pass.
    if pulled.as_ref().is_err_and(|error| error.kind() != Kind::Credentials && !error.is_transient())
        || !context.lake.check_privacy().await?
    {
        return pulled;
    }
    if let Err(error) = publish_staged(context, &[], report).await {
        report.failed(&error);
    }
    if pulled.is_err() {
        // The run then ends with that error alone, so these failures are logged.
        for failure in &report.failures {
            tracing::error!("{}", failure.error);
        }
    }
    pulled
}
