//! Token: keeps a token that the vendor accepts where the machines of a fan-out find it.

use super::context::Context;
use crate::error::{Error, Kind, Result};
use crate::extract::roster;
use crate::extract::usage::Usage;
use crate::report::Report;

pub(super) async fn share(context: &Context, report: &mut Report) -> Result<()> {
    let usage = Usage::default();
    let (vendor, now) = (context.client.vendor(&usage), context.clock.now());
    // Whether a token is accepted shows only when something is asked with it: here, the shortest list there is. A token that is
    // not accepted is renewed on the way.
    let list = async || roster::edited_between(vendor, now, now).page().await.err();
    let mut failed = list().await;
    let is_refused = failed.as_ref().is_some_and(|error| error.kind() == Kind::Refused);
    // The vendor may say so of a token that has ended. If it refuses a new one, too, the user may not see the list; where the list is
    // not wanted, that is known already.
    if is_refused && context.rosters.edited {
        match vendor.renew_token().await {
            Ok(true) => failed = list().await,
            Ok(false) => {}
            Err(error) => failed = Some(error),
        }
    }
    report.requests += usage.used();
    match failed {
        Some(error) if matches!(error.kind(), Kind::Credentials | Kind::TokenRefused | Kind::Usage) => {
            return Err(error);
        }
        // The list may fail while everything else works.
        Some(error) if error.kind() != Kind::Refused => report.failed(&error),
        Some(_) | None => {}
    }
    if context.client.share_token().await? {
        return Ok(());
    }
    Err(Error::new(Kind::Usage, "there is no secret through which to share a token")
        .hint("name it with `--token-secret-arn`"))
}
