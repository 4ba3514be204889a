//! Limits the time that the rosters may take before the visits, if there are visits to make without them.

use std::time::Duration;

use tokio::time;

use super::roster_update::RosterUpdate;
use crate::error::{Error, Kind, Result};
use crate::job::context::Context;

/// How long a list, or all questions about single events, may take: half of the time that is left, if visits are waiting that
/// need neither; otherwise `None`, for no limit.
pub(in crate::job) fn budget_before_visits(context: &Context, update: &RosterUpdate<'_>) -> Option<Duration> {
    context.client.time_left().filter(|_| update.has_visits_to_make()).map(|left| left / 2)
}

/// Waits for an answer, for at most `most`.
pub(in crate::job) async fn in_time<T>(
    most: Option<Duration>,
    name: &str,
    answer: impl Future<Output = Result<T>>,
) -> Result<T> {
    let Some(most) = most else { return answer.await };
    time::timeout(most, answer).await.unwrap_or_else(|_| {
        let late = format!("{name} took half of the time for visits, and did not finish");
        Err(Error::new(Kind::Timeout, late).hint("the next run asks again; or raise `--deadline`"))
    })
}
