//! Token: keeps a token that the vendor accepts where the machines of a fan-out find it.

use super::context::Context;
use crate::error::{Error, Kind, Result};
use crate::extract::roster;
use crate::extract::usage::Usage;
use crate::report::Report;

pub(super) async fn share(context: &Context, report: &mut Report) -> Result<()> {
    let usage = Usage::default();
    let now = context.clock.now();
    // Whether a token is accepted shows only when something is asked with it: here, the shortest list there is. A token that is
    // not accepted is renewed on the way.
    let listed = roster::edited_between(context.client.vendor(&usage), now, now).page().await;
    report.requests += usage.used();
    match listed {
        Err(error) if error.kind() != Kind::Refused => Err(error),
        _ if context.client.share_token().await? => Ok(()),
        _ => Err(Error::new(Kind::Usage, "there is no secret through which to share a token")
            .hint("name it with `--token-secret-arn`")),
    }
}
