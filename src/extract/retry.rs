//! Trying again: exponential backoff with full jitter, never past the deadline.

use std::time::Duration;

use jiff::Timestamp;

use super::usage::Usage;
use crate::error::{Error, Result};

/// How often one request is tried.
const ATTEMPTS: u32 = 5;
/// The longest pause after the first failure; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause of all.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The attempts at one thing.
#[derive(Debug)]
pub struct Attempts<'a> {
    usage: &'a Usage,
    time_left: Option<Duration>,
    failed: u32,
}

impl<'a> Attempts<'a> {
    /// No attempt yet; none begins after `deadline`.
    #[must_use]
    pub fn new(usage: &'a Usage, now: Timestamp, deadline: Option<Timestamp>) -> Self {
        let time_left = deadline.map(|deadline| deadline.duration_since(now).try_into().unwrap_or_default());
        Self { usage, time_left, failed: 0 }
    }

    /// Waits until the next attempt. Gives the error back where there is none.
    pub async fn pause(&mut self, error: Error) -> Result<()> {
        tokio::time::sleep(self.next(error)?).await;
        Ok(())
    }

    /// How long until the next attempt. Gives the error back where another attempt would not help, was the last one,
    /// or would begin too late.
    fn next(&mut self, error: Error) -> Result<Duration> {
        self.failed += 1;
        if !error.kind().is_passing() || self.failed >= ATTEMPTS {
            return Err(error);
        }
        let longest = FIRST_PAUSE.saturating_mul(1 << (self.failed - 1)).min(LONGEST_PAUSE);
        let pause = longest.mul_f64(fastrand::f64());
        if let Some(left) = &mut self.time_left {
            if pause >= *left {
                return Err(error);
            }
            *left -= pause;
        }
        tracing::debug!(error = %error, pause = ?pause, "trying again");
        self.usage.retry(pause);
        Ok(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn a_passing_failure_is_tried_again_up_to_a_limit() {
        let usage = Usage::default();
        let mut attempts = Attempts::new(&usage, Timestamp::UNIX_EPOCH, None);
        for _ in 1..ATTEMPTS {
            attempts.next(Error::new(Kind::Unavailable, "busy")).unwrap();
        }
        assert!(attempts.next(Error::new(Kind::Unavailable, "busy")).is_err());
        assert_eq!(usage.used().retries, u64::from(ATTEMPTS - 1));
    }

    #[test]
    fn what_would_fail_again_and_what_would_come_too_late_is_not_tried_again() {
        let usage = Usage::default();
        let mut attempts = Attempts::new(&usage, Timestamp::UNIX_EPOCH, None);
        assert!(attempts.next(Error::new(Kind::Credentials, "no")).is_err());
        let mut attempts = Attempts::new(&usage, Timestamp::UNIX_EPOCH, Some(Timestamp::UNIX_EPOCH));
        assert!(attempts.next(Error::new(Kind::Timeout, "late")).is_err());
        assert_eq!(usage.used().retries, 0);
    }
}
