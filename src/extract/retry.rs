//! Retries: exponential backoff with full jitter, or as long as the vendor asks, never past the deadline.

use std::time::Duration;

use super::usage::Usage;
use crate::calendar::Deadline;
use crate::error::{Error, Kind, Result};

/// The most attempts at one request. With the pauses below, this outlasts an outage of two to three minutes.
const ATTEMPTS: u32 = 16;
/// The most attempts at one request that fail because no connection can be made: usually the address is wrong.
const CONNECTION_ATTEMPTS: u32 = 5;
/// The most attempts at one request that end in a timeout: each of them takes minutes.
const LATE_ATTEMPTS: u32 = 4;
/// At this failure of one request, counted from 1, the log says that it is tried again.
const LOGGED_FAILURE: u32 = 4;
/// The most attempts at a request for which few are enough.
const FEW_ATTEMPTS: u32 = 3;
/// The longest pause that rollcall chooses itself, as a multiple of the first one.
const LONGEST_PAUSE: u32 = 60;
/// The longest pause that the vendor gets if it asks for one.
const LONGEST_PAUSE_ASKED: Duration = Duration::from_mins(2);

/// How the requests of a run are retried.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// The longest pause after the first failure; it doubles with each further failure.
    pub first_pause: Duration,
    /// The time from which on no attempt may begin.
    pub deadline: Deadline,
}

/// The attempts at one request, or at a group of requests that is repeated as a whole.
#[derive(Debug)]
pub struct Attempts<'a> {
    policy: RetryPolicy,
    usage: &'a Usage,
    most: u32,
    failed: u32,
    /// How many attempts failed because the answer was late.
    late: u32,
    /// How many attempts failed because no connection could be made.
    unreached: u32,
    /// The last failure after which another attempt was allowed.
    last: Option<Error>,
    /// Whether the token was already replaced once.
    renewed: bool,
}

impl<'a> Attempts<'a> {
    /// No attempts yet.
    #[must_use]
    pub fn new(policy: RetryPolicy, usage: &'a Usage) -> Self {
        Self { policy, usage, most: ATTEMPTS, failed: 0, late: 0, unreached: 0, last: None, renewed: false }
    }

    /// Allows only a few attempts, for a request that will most likely fail, or that others wait for.
    #[must_use]
    pub fn few(self) -> Self {
        Self { most: FEW_ATTEMPTS, ..self }
    }

    /// The last failure after which another attempt was allowed; `None` if there was none.
    #[must_use]
    pub fn last(self) -> Option<Error> {
        self.last
    }

    /// Waits until the next attempt may begin. Returns the error if there is to be none.
    pub async fn pause(&mut self, error: Error) -> Result<()> {
        tokio::time::sleep(self.next(error)?).await;
        Ok(())
    }

    /// How long to wait before the next attempt. Returns the error if another attempt would not help, this was the last one,
    /// or the next one would begin too late.
    fn next(&mut self, error: Error) -> Result<Duration> {
        if error.kind() == Kind::TokenRefused {
            if std::mem::replace(&mut self.renewed, true) {
                return Err(error.taken_for(Kind::Credentials));
            }
            self.usage.retry(Duration::ZERO);
            return Ok(Duration::ZERO);
        }
        self.failed += 1;
        self.late += u32::from(error.kind() == Kind::Timeout);
        self.unreached += u32::from(error.kind() == Kind::Unreachable);
        let is_last =
            self.failed >= self.most || self.late >= LATE_ATTEMPTS || self.unreached >= CONNECTION_ATTEMPTS;
        if !error.kind().is_transient() || is_last {
            return Err(error);
        }
        let doubled = (1 << (self.failed - 1)).min(LONGEST_PAUSE);
        let ours = self.policy.first_pause.saturating_mul(doubled).mul_f64(fastrand::f64());
        // The vendor can only make the pause longer: one that asks for no pause at all is in trouble like any other.
        let pause = error.pause_asked().map_or(ours, |asked| asked.min(LONGEST_PAUSE_ASKED).max(ours));
        if self.policy.deadline.is_over_in(pause) {
            return Err(error);
        }
        // A run that waits for minutes says why; a failure that passes at once concerns nobody.
        if self.failed == LOGGED_FAILURE {
            tracing::warn!(error = %error, pause = ?pause, "trying again");
        } else {
            tracing::debug!(error = %error, pause = ?pause, "trying again");
        }
        self.usage.retry(pause);
        self.last = Some(error);
        Ok(pause)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::calendar::Clock;

    fn attempts(usage: &Usage) -> Attempts<'_> {
        attempts_until(Deadline::never(), usage)
    }

    fn attempts_until(deadline: Deadline, usage: &Usage) -> Attempts<'_> {
        Attempts::new(RetryPolicy { first_pause: Duration::from_millis(500), deadline }, usage)
    }

    #[test]
    fn a_failure_that_may_pass_is_tried_again_up_to_a_limit() {
        for (kind, tries) in [
            (Kind::Unavailable, ATTEMPTS),
            (Kind::Broken, ATTEMPTS),
            (Kind::BadAnswer, ATTEMPTS),
            (Kind::Unreachable, CONNECTION_ATTEMPTS),
            (Kind::Timeout, LATE_ATTEMPTS),
            (Kind::TokenRefused, 2),
            (Kind::Credentials, 1),
            (Kind::UnknownEvent, 1),
            (Kind::Refused, 1),
            (Kind::TooLarge, 1),
        ] {
            let usage = Usage::default();
            let mut attempts = attempts(&usage);
            let mut tried = 1;
            while attempts.next(Error::new(kind, "failed")).is_ok() {
                tried += 1;
            }
            assert_eq!(tried, tries, "{kind:?}");
            assert_eq!(usage.used().retries, u64::from(tries - 1));
        }
    }

    #[test]
    fn other_failures_do_not_count_towards_the_limit_of_failed_connections() {
        let usage = Usage::default();
        let mut attempts = attempts(&usage);
        for _ in 1..CONNECTION_ATTEMPTS {
            attempts.next(Error::new(Kind::Unavailable, "busy")).unwrap();
        }
        for _ in 1..CONNECTION_ATTEMPTS {
            attempts.next(Error::new(Kind::Unreachable, "refused")).unwrap();
        }
        assert!(attempts.next(Error::new(Kind::Unreachable, "refused")).is_err());
    }

    #[test]
    fn the_longest_possible_pause_doubles_with_each_attempt_up_to_30_seconds() {
        let usage = Usage::default();
        let mut attempts = attempts(&usage);
        for longest in [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000] {
            let pause = attempts.next(Error::new(Kind::Broken, "cut off")).unwrap();
            assert!(pause <= Duration::from_millis(longest), "{pause:?}");
        }
    }

    #[test]
    fn the_vendor_may_ask_for_a_longer_pause_but_not_for_a_shorter_one() {
        let usage = Usage::default();
        let asking =
            |seconds| Error::new(Kind::Unavailable, "busy").retry_after(Some(Duration::from_secs(seconds)));
        for (asked, waited) in [(7, 7), (3600, 120)] {
            let pause = attempts(&usage).next(asking(asked)).unwrap();
            assert_eq!(pause, Duration::from_secs(waited));
        }
        let mut attempts = attempts(&usage);
        let pauses: Duration = (1..ATTEMPTS).map(|_| attempts.next(asking(0)).unwrap()).sum();
        assert!(pauses > Duration::from_secs(10), "{pauses:?}");
    }

    #[test]
    fn no_attempt_begins_after_the_deadline() {
        let usage = Usage::default();
        let now = Timestamp::UNIX_EPOCH;
        let mut attempts = attempts_until(Deadline { clock: Clock::Fixed(now), end: Some(now) }, &usage);
        assert!(attempts.next(Error::new(Kind::Timeout, "late")).is_err());
        assert_eq!(usage.used().retries, 0);
    }
}
