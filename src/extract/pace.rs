//! Limits the requests per second of the whole run. The vendor's own limit is not documented.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// Hands out the moments at which requests may begin, evenly spaced.
#[derive(Debug)]
pub(super) struct Pace {
    space: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    pub(super) fn new(requests_per_second: NonZeroU32) -> Self {
        Self { space: Duration::from_secs(1) / requests_per_second.get(), next: Mutex::new(None) }
    }

    /// Waits until the next request may begin.
    pub(super) async fn wait(&self) {
        let slot = self.take(Instant::now()).await;
        tokio::time::sleep_until(slot).await;
    }

    async fn take(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().await;
        let slot = next.map_or(now, |next| next.max(now));
        *next = Some(slot + self.space);
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn requests_are_spaced_evenly_and_unused_time_is_not_saved_up() {
        let pace = Pace::new(NonZeroU32::new(10).unwrap());
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        for (asked, slot) in [(0, 0), (0, 100), (50, 200), (1000, 1000), (1000, 1100)] {
            assert_eq!(pace.take(after(asked)).await, after(slot));
        }
    }
}
