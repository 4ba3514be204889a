//! Probe: finds out what the vendor's documentation leaves open, by asking for one event. Nothing is kept, and nothing relies
//! on what is found: rollcall is correct either way.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::context::Context;
use crate::error::Result;
use crate::extract::usage::Usage;
use crate::extract::vendor::Vendor;
use crate::json::record::Record;
use crate::report::Report;
use crate::transform::column;
use crate::transform::reading;
use crate::transform::tables::Table;
use crate::transform::value::Value;

/// The codes of `liveType`: live, replay.
const LIVE_TYPES: [i64; 2] = [0, 1];

/// What an answer contained.
#[derive(Default)]
struct ProbeAnswer {
    /// When each viewing began, in seconds.
    online: Vec<i64>,
    /// How many viewings `viewerDetails` sums up.
    times: i64,
    bytes: u64,
    took: Duration,
}

impl ProbeAnswer {
    fn add(&mut self, array: &str, record: Record<'_>) {
        match Table::of_array(array) {
            Some(Table::ViewerDetails) => {
                let times = record.get("times").map(|raw| reading::read(column::ColumnKind::Count, raw));
                if let Some(Ok(Value::Integer(times))) = times {
                    self.times = self.times.saturating_add(times);
                }
            }
            Some(_) => {
                let online = record.get("online_time").and_then(|raw| reading::instant(&raw).ok());
                self.online.extend(online.map(Timestamp::as_second));
            }
            None => {}
        }
    }

    /// How many viewings began in this second.
    fn at(&self, second: i64) -> usize {
        self.online.iter().filter(|online| **online == second).count()
    }
}

/// Asks for the event in several ways, and adds what each shows to the report.
pub(super) async fn probe(context: &Context, event_id: i64, report: &mut Report) {
    let usage = Usage::default();
    let vendor = context.client.vendor(&usage);
    match Probe::new(vendor, event_id).await {
        Err(error) => report.check("answers", Err(error)),
        Ok(probe) => {
            report.check("answers", Ok(probe.answers()));
            report.check("range", probe.range().await);
            report.check("liveType", probe.live_type().await);
            report.check("details", probe.details().await);
        }
    }
    report.check("tokens", tokens(vendor).await);
    report.requests += usage.used();
}

/// An event that is asked for in several ways.
struct Probe<'a> {
    vendor: Vendor<'a>,
    event_id: i64,
    /// The answer without parameters.
    whole: ProbeAnswer,
}

impl<'a> Probe<'a> {
    async fn new(vendor: Vendor<'a>, event_id: i64) -> Result<Self> {
        let probe = Self { vendor, event_id, whole: ProbeAnswer::default() };
        let whole = probe.ask(&[]).await?;
        Ok(Self { whole, ..probe })
    }

    /// Asks for the report with these parameters, with the usual retries.
    async fn ask(&self, parameters: &[(&str, i64)]) -> Result<ProbeAnswer> {
        let Self { vendor, event_id, .. } = *self;
        let mut attempts = vendor.attempts();
        loop {
            let began = Instant::now();
            let (mut seen, before) = (ProbeAnswer::default(), vendor.used().bytes);
            let outcome = async {
                let mut answer = vendor.report_with(event_id, parameters).await?;
                while answer.advance(|position, record| seen.add(position.array, record)).await?.is_some() {}
                answer.finish().await
            };
            if let Err(error) = outcome.await {
                attempts.pause(error.with("event", event_id)).await?;
                continue;
            }
            (seen.took, seen.bytes) = (began.elapsed(), vendor.used().bytes - before);
            return Ok(seen);
        }
    }

    fn answers(&self) -> String {
        let ProbeAnswer { online, bytes, took, .. } = &self.whole;
        format!("{} viewings, {bytes} bytes, in {} ms", online.len(), took.as_millis())
    }

    /// Whether the ends of a range belong to it: asks for a range that begins, and one that ends, in a second in which somebody came.
    async fn range(&self) -> Result<String> {
        let whole = &self.whole;
        let Some(second) = whole.online.iter().copied().max() else { return Ok(no_viewings()) };
        let all = whole.at(second);
        let mut has = [false; 2];
        for (has, (from, to)) in has.iter_mut().zip([(second, second + 1), (second - 1, second)]) {
            let seen = self.ask(&[("startTime", from), ("endTime", to)]).await?;
            *has = seen.at(second) >= all;
        }
        Ok(match has {
            [true, true] => "both ends of a range belong to it",
            [true, false] => "the first end of a range belongs to it, the last does not",
            [false, true] => "the last end of a range belongs to it, the first does not",
            [false, false] => "neither end of a range belongs to it",
        }
        .to_owned())
    }

    /// Whether the parameter `liveType` leaves anything out.
    async fn live_type(&self) -> Result<String> {
        let whole = &self.whole;
        let all = whole.online.len();
        if all == 0 {
            return Ok(no_viewings());
        }
        let mut found = [0; 2];
        for (found, code) in found.iter_mut().zip(LIVE_TYPES) {
            *found = self.ask(&[("liveType", code)]).await?.online.len();
        }
        let [live, replay] = found;
        Ok(match (live == all, replay == all) {
            (true, true) => format!("it does not filter: {all} viewings either way"),
            _ if live + replay == all => format!("it filters: {live} live and {replay} replays of {all}"),
            _ => format!("it is not clear what it does: {live} live and {replay} replays, of {all} viewings"),
        })
    }

    /// Whether the sums per viewer cover the range that is asked for, or the whole event.
    async fn details(&self) -> Result<String> {
        let whole = &self.whole;
        let mut online = whole.online.clone();
        online.sort_unstable();
        let (Some(first), Some(middle)) = (online.first(), online.get(online.len() / 2)) else {
            return Ok(no_viewings());
        };
        let part = self.ask(&[("startTime", first - 1), ("endTime", middle - 1)]).await?;
        let viewings = i64::try_from(part.online.len()).unwrap_or(i64::MAX);
        if viewings == 0 || part.online.len() == whole.online.len() {
            return Ok("unknown: all viewings began at once".to_owned());
        }
        let of = format!("{} viewings, of {viewings} in the range and {} in all", part.times, whole.times);
        Ok(match part.times {
            times if times == whole.times => {
                format!("`viewerDetails` of a range cover the whole event: {of}")
            }
            times if times == viewings => format!("`viewerDetails` of a range cover the range: {of}"),
            _ => format!("it is not clear what `viewerDetails` of a range cover: {of}"),
        })
    }
}

/// Whether a new token ends the one before.
async fn tokens(vendor: Vendor<'_>) -> Result<String> {
    let Some(is_ended) = vendor.token_ends_old().await? else {
        return Ok("unknown: only an application's credentials can tell".to_owned());
    };
    Ok(if is_ended { "a new token ends the one before" } else { "a new token leaves the one before" }
        .to_owned())
}

fn no_viewings() -> String {
    "unknown: the event has no viewings".to_owned()
}
