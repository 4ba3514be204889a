//! What every job of a run needs.

use std::num::NonZeroU32;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::calendar::{Clock, Deadline};
use crate::config::{Config, Rosters};
use crate::error::{Error, Kind, Result};
use crate::extract::client::Client;
use crate::extract::http::HttpOptions;
use crate::extract::retry::RetryPolicy;
use crate::extract::vendor::Vendor;
use crate::load::lake::Lake;
use crate::load::lake_settings::{LakeSettings, NamedSettings};
use crate::load::ledger::ledgers::Ledgers;
use crate::load::staging::VisitId;
use crate::load::store::Store;
use crate::load::trial;
use crate::progress::Progress;
use crate::transform::decode::DecodeContext;
use crate::transform::privacy::Privacy;

/// After this many events in a row that failed for a reason that every other event would meet, no further one is
/// begun: the rest stay due.
pub(super) const FAILURES_TO_STOP: u32 = 3;

/// How far this machine's clock may be ahead of the vendor's, however soon days settle.
const LEAST_AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// Built once per run.
#[derive(Clone)]
pub struct Context {
    /// The client for the vendor's API.
    pub client: Arc<Client>,
    /// The ledgers of all events.
    pub ledgers: Ledgers,
    /// The lake.
    pub lake: Lake,
    /// Which settings of the lake the user named.
    pub named: NamedSettings,
    /// Where the store is, for messages.
    pub place: String,
    /// How long after its end an event is visited.
    pub horizon: SignedDuration,
    /// How far back the vendor's lists are read on the first run.
    pub lookback: SignedDuration,
    /// Whether answers are archived.
    pub archive: bool,
    /// Where the roster comes from.
    pub rosters: Rosters,
    /// Events visited at once.
    pub concurrency: usize,
    /// Most requests per second, for the whole run.
    pub requests_per_second: NonZeroU32,
    /// Where the current time comes from.
    pub clock: Clock,
    /// The time from which on nothing further is asked of the vendor.
    pub visit_deadline: Deadline,
    /// The time from which on no further day is published.
    pub publish_deadline: Deadline,
    /// The name of the run.
    pub run: String,
    /// Shows the progress of the run.
    pub progress: Progress,
}

impl Context {
    /// The context of a run that begins now, over the store that the configuration names.
    pub async fn new(config: Config, clock: Clock, progress: Progress) -> Result<Self> {
        let store = config.store.clone().open().await;
        Self::over(store, config, clock, progress)
    }

    /// The context of a run over an open store. Of the time until its deadline, visits get eight tenths, and publishing the days
    /// that they staged gets one; the last tenth is for days that are still being published by then.
    pub fn over(store: Arc<dyn Store>, config: Config, clock: Clock, progress: Progress) -> Result<Self> {
        let now = clock.now();
        let tenths = |tenths| Deadline {
            clock,
            end: config.deadline.map(|deadline| after(now, deadline / 10 * tenths)),
        };
        let (visit_deadline, publish_deadline) = (tenths(8), tenths(9));
        let options = HttpOptions {
            api_url: config.api_url,
            timeout: config.timeout,
            read_timeout: config.read_timeout,
            requests_per_second: config.requests_per_second,
            retries: RetryPolicy { first_pause: config.first_pause, deadline: visit_deadline },
            clock,
        };
        let client =
            Client::new(options, config.credentials, config.token_secret_arn, config.max_response_bytes)?;
        Ok(Self {
            client: Arc::new(client),
            ledgers: Ledgers::new(Arc::clone(&store)),
            lake: Lake {
                store,
                settings: LakeSettings { zone: config.zone, settle: config.settle, policy: config.policy },
            },
            named: config.named,
            place: config.store.to_string(),
            horizon: config.horizon,
            lookback: config.lookback,
            archive: config.archive,
            rosters: config.rosters,
            concurrency: config.concurrency,
            requests_per_second: config.requests_per_second,
            visit_deadline,
            publish_deadline,
            clock,
            run: (0..8).map(|_| fastrand::lowercase()).collect(),
            progress,
        })
    }

    /// Refuses to go on ([`Kind::Clock`]) if this machine's clock is far ahead of the vendor's, as far as that is known: the run
    /// would take days and events for over that have yet to take place, and close them. Being ahead by no more than a day takes
    /// to settle does no harm: the next visit asks for as much again.
    pub(super) fn check_clock(&self, vendor: Vendor<'_>) -> Result<()> {
        let behind = vendor.clock_ahead().map_or(SignedDuration::ZERO, |ahead| -ahead);
        if behind <= self.lake.settings.settle.max(LEAST_AHEAD) {
            return Ok(());
        }
        let behind = SignedDuration::from_secs(behind.as_secs());
        let message =
            format!("the clock says {:.0}, and the vendor's is behind by {behind:#}", self.clock.now());
        Err(Error::new(Kind::Clock, message).hint("set the clock"))
    }

    /// What all staged files of a visit that began at this instant have in common.
    pub(super) fn visit_id(&self, event_id: i64, pulled_at: Timestamp, privacy: &Privacy) -> VisitId {
        VisitId { event_id, pulled_at, run: self.run.clone(), privacy_version: privacy.into() }
    }

    /// What is the same for all rows of that visit.
    pub(super) fn decode_context(
        &self,
        event_id: i64,
        pulled_at: Timestamp,
        privacy: &Privacy,
    ) -> DecodeContext {
        DecodeContext { event_id, pulled_at, zone: self.lake.settings.zone.clone(), privacy: privacy.clone() }
    }

    /// Whether the store can be read and written at all, after some of its objects could not.
    pub(super) async fn store_works(&self) -> bool {
        let name = format!("{}-{:x}", self.run, fastrand::u32(..));
        trial::conditions(self.lake.store.as_ref(), &name).await.is_ok()
    }
}

fn after(now: Timestamp, time: SignedDuration) -> Timestamp {
    let then = now.checked_add(time).unwrap_or(Timestamp::MAX);
    // In whole milliseconds, like the clock: a request that ends with the time would otherwise seem to end just
    // before the deadline.
    Timestamp::from_millisecond(then.as_millisecond()).unwrap_or(then)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_cut_to_whole_milliseconds_and_capped_at_the_latest_timestamp() {
        let now = Timestamp::UNIX_EPOCH;
        for (nanoseconds, milliseconds) in [(0, 0), (999_999, 0), (1_000_001, 1)] {
            let deadline = after(now, SignedDuration::from_nanos(nanoseconds));
            assert_eq!(deadline, Timestamp::from_millisecond(milliseconds).unwrap(), "{nanoseconds}");
        }
        assert_eq!(after(now, SignedDuration::MAX).as_second(), Timestamp::MAX.as_second());
    }
}
