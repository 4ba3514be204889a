//! Upgrade: what an older program, or another privacy policy, left in the lake is written anew.

use clap::Args;
use futures::{StreamExt, stream};
use serde::Deserialize;

use super::archive;
use super::context::Context;
use super::publish::{is_lake, publish_staged, record};
use crate::error::Result;
use crate::load::ledger::Ledger;
use crate::load::ledgers::Entry;
use crate::load::{keys, publish};
use crate::report::Report;
use crate::transform::privacy::Privacy;

/// Ledgers that are written at once.
const AT_ONCE: usize = 16;

/// What `upgrade` is called with.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Upgrade {
    /// Give the lake the privacy policy of this run, and write anew what may not be kept any more. What another policy
    /// withheld does not come back.
    #[arg(long)]
    pub change_privacy: bool,
}

pub(super) async fn upgrade(context: &Context, call: &Upgrade, report: &mut Report) -> Result<()> {
    let store = context.store.as_ref();
    if call.change_privacy {
        context.lake.change_privacy(store).await?;
    }
    if !is_lake(context).await? {
        return Ok(());
    }
    if call.change_privacy {
        clean_ledgers(context, &context.privacy().await?, report).await?;
        // What is staged was kept under the policy of before.
        publish_staged(context, &[], report).await?;
    }
    if call.change_privacy {
        clean_archive(context, &context.privacy().await?).await?;
    }
    context.progress.publishing();
    record(report, publish::upgrade(&context.store, &context.lake).await?);
    Ok(())
}

/// Archived answers under another policy.
async fn clean_archive(context: &Context, privacy: &Privacy) -> Result<()> {
    for listed in context.store.list(keys::ARCHIVE, "").await? {
        if archive::is_kept_under(context, privacy, &listed).await? == Some(false) {
            archive::clean(context, privacy, &listed).await?;
        }
    }
    Ok(())
}

/// What ledgers say of events, as far as it may be kept.
pub(super) async fn clean_ledgers(context: &Context, privacy: &Privacy, report: &mut Report) -> Result<()> {
    let (entries, failures) = context.ledgers.all().await?;
    for error in &failures {
        report.failed(error);
    }
    let cleaned = stream::iter(entries).map(|Entry { ledger, .. }| async move {
        let clean = |ledger: &mut Ledger| ledger.event = ledger.event.clone().treated(privacy);
        context.ledgers.update(&ledger, clean).await
    });
    let mut cleaned = cleaned.buffer_unordered(AT_ONCE);
    while let Some(outcome) = cleaned.next().await {
        outcome?;
    }
    Ok(())
}
