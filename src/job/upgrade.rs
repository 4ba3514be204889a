//! Upgrade: what an older program, or another privacy policy, left in the lake is written anew.

use clap::Args;
use futures::{StreamExt, stream};
use serde::Deserialize;

use super::archive::{self, is_of_one_object};
use super::context::Context;
use super::publish::{add_to_report, prepare_lake, publish_staged};
use crate::error::{Error, Result};
use crate::load::ledger::Ledger;
use crate::load::{lake, upgrade as objects};
use crate::report::Report;

/// Ledgers that are written at once.
const AT_ONCE: usize = 16;

/// Archived answers that are read at once, and written where they need to be: each takes the memory of its parts on their way.
const ANSWERS: usize = 2;

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
    if !prepare_lake(context).await? {
        return Err(lake::missing());
    }
    if call.change_privacy {
        for error in clean_ledgers(context).await? {
            report.failed(&error);
        }
        // What is staged was kept under the policy of before.
        publish_staged(context, &[], report).await?;
    }
    context.progress.publishing();
    add_to_report(report, objects::upgrade(&context.store, &context.lake, &context.ledgers).await?);
    if call.change_privacy {
        // Last: of all that is kept it takes the longest.
        clean_archive(context, report).await?;
    }
    Ok(())
}

/// Archived answers under another policy. One that cannot be read is a failure, and does not stop the others.
async fn clean_archive(context: &Context, report: &mut Report) -> Result<()> {
    let privacy = context.privacy().await?;
    for day in archive::days(context).await? {
        let listed = archive::answers(context, &day).await?;
        let cleaned = stream::iter(listed).map(|listed| archive::clean(context, &privacy, listed));
        let mut cleaned = cleaned.buffer_unordered(ANSWERS);
        while let Some(outcome) = cleaned.next().await {
            match outcome {
                Err(error) if is_of_one_object(&error) => report.failed(&error),
                outcome => outcome?,
            }
        }
    }
    Ok(())
}

/// What ledgers say of events, as far as it may be kept; gives what could not be read.
pub(super) async fn clean_ledgers(context: &Context) -> Result<Vec<Error>> {
    let privacy = &context.privacy().await?;
    let (entries, failures) = context.ledgers.all().await?;
    let cleaned = stream::iter(entries).map(|entry| async move {
        let clean = |ledger: &mut Ledger| ledger.event = ledger.event.clone().treated(privacy);
        context.ledgers.change(entry, clean).await
    });
    let mut cleaned = cleaned.buffer_unordered(AT_ONCE);
    while let Some(outcome) = cleaned.next().await {
        outcome?;
    }
    Ok(failures)
}
