//! Counts what was asked of the vendor.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use serde::Serialize;

/// Counters for one visit, or for reading the roster.
#[derive(Debug, Default)]
pub struct Usage {
    requests: AtomicU64,
    retries: AtomicU64,
    bytes: AtomicU64,
    waited: AtomicU64,
    stated_clock: OnceLock<SignedDuration>,
    dated_clock: OnceLock<SignedDuration>,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Used {
    /// Requests, including retries.
    pub requests: u64,
    /// Requests that repeated a failed one.
    pub retries: u64,
    /// Bytes of the answers, decompressed.
    pub bytes: u64,
    /// Milliseconds waited between a failure and its retry.
    pub waited_milliseconds: u64,
}

impl Usage {
    pub(super) fn request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn received(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn retry(&self, after: Duration) {
        self.retries.fetch_add(1, Ordering::Relaxed);
        self.waited.fetch_add(u64::try_from(after.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Notes how far the vendor's clock is ahead of this machine's, according to what an answer states.
    pub(super) fn stated_clock(&self, ahead: SignedDuration) {
        self.stated_clock.get_or_init(|| ahead);
    }

    /// The same according to the date in an answer's header.
    pub(super) fn dated_clock(&self, ahead: SignedDuration) {
        self.dated_clock.get_or_init(|| ahead);
    }

    /// How far the vendor's clock is ahead of this machine's: according to the first small answer that stated a possible time, else
    /// to the date of the first answer that had one; `None` if no answer had either.
    #[must_use]
    pub fn clock_ahead(&self) -> Option<SignedDuration> {
        self.stated_clock.get().or(self.dated_clock.get()).copied()
    }

    /// The current values of the counters.
    #[must_use]
    pub fn used(&self) -> Used {
        Used {
            requests: self.requests.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            waited_milliseconds: self.waited.load(Ordering::Relaxed),
        }
    }
}

impl std::ops::AddAssign for Used {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.retries += other.retries;
        self.bytes += other.bytes;
        self.waited_milliseconds += other.waited_milliseconds;
    }
}
