//! How long what comes before the visits may take, where there are visits to make without it.

use std::time::Duration;

use tokio::time;

use super::context::Context;
use super::roster_update::RosterUpdate;
use crate::error::{Error, Kind, Result};

/// How long a list, or all questions about events, may take: half of the time that is left, where visits wait that need
/// neither.
pub(super) fn budget_before_visits(context: &Context, update: &RosterUpdate<'_>) -> Option<Duration> {
    context.client.time_left().filter(|_| update.has_visits_to_make()).map(|left| left / 2)
}

/// Waits for an answer, for so long at most.
pub(super) async fn in_time<T>(
    most: Option<Duration>,
    name: &str,
    answer: impl Future<Output = Result<T>>,
) -> Result<T> {
    let Some(most) = most else { return answer.await };
    time::timeout(most, answer).await.unwrap_or_else(|_| {
        let late = format!("{name} took half of the time for visits, and did not end");
        Err(Error::new(Kind::Timeout, late).hint("the next run asks again; or raise `--deadline`"))
    })
}
