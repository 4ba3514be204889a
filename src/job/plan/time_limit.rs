//! Limits the time that an answer may take before the visits.

use std::time::Duration;

use tokio::time;

use crate::error::{Error, Kind, Result};

/// Waits for an answer, for at most `most`.
pub(super) async fn in_time<T>(
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
