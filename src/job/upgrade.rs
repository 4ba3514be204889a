//! Upgrade: rewrites what an older version of the program, or another privacy policy, left in the lake.

use clap::Args;
use futures::{StreamExt, future, stream};
use serde::Deserialize;

use super::archive::{self, is_of_one_object};
use super::context::Context;
use super::lake;
use super::publish::{add_to_report, publish_staged};
use crate::error::{Error, Kind, Result};
use crate::load::ledger::Ledger;
use crate::load::upgrade;
use crate::report::Report;

/// How many archived answers are read at once, and rewritten if need be: each takes memory for the parts being uploaded.
const ANSWERS: usize = 2;

/// The arguments of `upgrade`.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Upgrade {
    /// Give the lake the privacy policy of this run, and rewrite what may no longer be kept. What another policy withheld does
    /// not come back.
    #[arg(long)]
    pub change_privacy: bool,
    /// Put an empty object in place of each one that is lost, although it had rows that nobody can bring back.
    #[arg(long)]
    pub accept_loss: bool,
}

pub(super) async fn upgrade(context: &Context, call: &Upgrade, report: &mut Report) -> Result<()> {
    if call.change_privacy {
        if !context.named.policy {
            return Err(Error::new(Kind::Usage, "`--change-privacy` needs the policy to change to")
                .hint("name it with `--privacy`, even if it is `open`"));
        }
        if let Some(before) = context.lake.change_privacy().await? {
            let now = context.lake.settings.policy.document();
            report.notes.insert(format!("the lake's privacy policy was {before}, and is {now} from now on"));
        }
    }
    lake::require(context).await?;
    if call.change_privacy {
        report.failed_each(&clean_ledgers(context).await?);
        // What is staged was written under the previous policy.
        publish_staged(context, &[], report).await?;
    }
    context.progress.publishing();
    let upgraded = upgrade::upgrade(&context.lake, call.accept_loss, context.publish_deadline);
    add_to_report(report, upgraded.await?);
    if call.change_privacy {
        // Last, because the archive takes the longest.
        clean_archive(context, report).await?;
    }
    Ok(())
}

/// Rewrites archived answers that were kept under another policy. One that cannot be read is a failure, and does not stop the
/// others.
async fn clean_archive(context: &Context, report: &mut Report) -> Result<()> {
    let privacy = context.lake.privacy().await?;
    for day in archive::days(context).await? {
        let listed = archive::answers(context, &day).await?;
        let mut left = listed.len();
        let cleaned = stream::iter(listed)
            .take_while(|_| future::ready(!context.publish_deadline.is_over()))
            .map(|listed| archive::clean(context, &privacy, listed));
        let mut cleaned = cleaned.buffer_unordered(ANSWERS);
        while let Some(outcome) = cleaned.next().await {
            left -= 1;
            match outcome {
                Err(error) if is_of_one_object(&error) => report.failed(&error),
                outcome => outcome?,
            }
        }
        if left > 0 {
            let message = format!("the archive was not cleaned from {day} on: the time was over");
            report.failed(&Error::new(Kind::Timeout, message).hint("run it again: it goes on"));
            return Ok(());
        }
    }
    Ok(())
}

/// Reduces what the ledgers say about events to what may be kept. Returns the errors of ledgers that could not be read.
pub(super) async fn clean_ledgers(context: &Context) -> Result<Vec<Error>> {
    let privacy = &context.lake.privacy().await?;
    let clean = |ledger: &mut Ledger| ledger.event = ledger.event.clone().treated(privacy);
    context.ledgers.change_all(clean).await
}
