//! Sends requests to the vendor: one connection pool, one pace, and one place that decides what an answer means.

use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::DATE;
use reqwest::{Response, Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::failure;
use super::pace::Pace;
use super::reply::{Reply, SUCCESS};
use super::retry::{Attempts, RetryPolicy};
use super::usage::Usage;
use crate::address;
use crate::calendar::Clock;
use crate::error::{Error, Explain, Kind, Result};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A request has also waited long once this part of its timeout, a quarter, has passed, even if that is less than the times
/// below.
const LATE_PART: u32 = 4;
/// A connection that breaks after this time, or a server that fails after it, counts as a timeout: gateways mostly drop a silent
/// connection after a minute or more.
const LATE: Duration = Duration::from_secs(30);
/// A timeout that an answer reports counts as one only if it comes after this time: a gateway that really waited takes longer,
/// but many give up in less than 30 seconds.
const EARLY: Duration = Duration::from_secs(5);
/// The largest answer that is accepted unless it is a report, in bytes: a page of a list has about 100 KB.
const LARGEST_DOCUMENT: usize = 16 * 1024 * 1024;

/// An answer whose body has yet to arrive.
pub(super) struct Arriving {
    pub(super) response: Response,
    /// When it was asked for.
    pub(super) asked_at: Instant,
}

/// How requests are made.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Address of the vendor's API.
    pub api_url: String,
    /// How long one request may take until its answer has ended.
    pub timeout: Duration,
    /// How long the vendor may be silent, before its answer begins and within it.
    pub read_timeout: Duration,
    /// Most requests per second, for the whole run.
    pub requests_per_second: NonZeroU32,
    /// When and how often a request is tried again.
    pub retries: RetryPolicy,
    /// Where the current time comes from.
    pub clock: Clock,
}

/// The connection to the vendor, and the counters of whoever asks through it.
#[derive(Clone, Copy)]
pub(super) struct Metered<'a> {
    http: &'a Http,
    usage: &'a Usage,
}

/// The connection to the vendor.
#[derive(Debug)]
pub(super) struct Http {
    client: reqwest::Client,
    base: Url,
    options: HttpOptions,
    pace: Pace,
}

impl Http {
    pub(super) fn new(options: HttpOptions) -> Result<Self> {
        let base = address::checked(&options.api_url)?;
        // Proxies and certificates come from the environment: `HTTPS_PROXY`, `NO_PROXY`, `SSL_CERT_FILE`.
        let client = reqwest::Client::builder();
        // Plain HTTP goes to this machine alone, and so never through a proxy, whatever the environment says.
        let client = if base.scheme() == "http" { client.no_proxy() } else { client };
        let client = client
            .user_agent(concat!("rollcall/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            // Only the module `retry` retries, and counts.
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(options.read_timeout)
            .build()
            .explain(Kind::Usage, || "cannot set up HTTPS".to_owned())
            .map_err(|error: Error| {
                error.hint("install the machine's certificates (`ca-certificates`), or name a file of them in `SSL_CERT_FILE`")
            })?;
        let pace = Pace::new(options.requests_per_second);
        Ok(Self { client, base, options, pace })
    }

    /// The same connection; `usage` counts what is asked through it.
    pub(super) fn metered<'a>(&'a self, usage: &'a Usage) -> Metered<'a> {
        Metered { http: self, usage }
    }

    /// The current time.
    pub(super) fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    /// The error for a connection that could not be made, or that broke before the end of an answer. If it broke after a long
    /// wait, that counts as a timeout: something on the way has less patience, but perhaps enough for half of what was asked for.
    fn transport(&self, error: reqwest::Error, asked_at: Instant) -> Error {
        let host = self.base.host_str().unwrap_or_default();
        let host = self.base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let error = failure::transport(error, &host);
        let is_late = error.kind() == Kind::Broken && self.has_waited(asked_at, LATE);
        if is_late { error.taken_for(Kind::Timeout) } else { error }
    }

    /// The error for a failure that an answer reports. A timeout that is reported at once was not caused by this request: asking
    /// for less does not help, but a pause may. A failure of the server after a long wait counts as a timeout, and so does an
    /// answer that was cut off after such a wait.
    fn reclassified(&self, error: Error, asked_at: Instant) -> Error {
        let is_early = error.kind() == Kind::Timeout && !self.has_waited(asked_at, EARLY);
        let is_cut_off = error.kind() == Kind::Broken;
        let is_late = (is_cut_off || failure::is_of_server(&error)) && self.has_waited(asked_at, LATE);
        match (is_early, is_late) {
            (true, _) => error.taken_for(Kind::Unavailable),
            (_, true) => error.taken_for(Kind::Timeout),
            _ => error,
        }
    }

    /// Whether a request has waited for `long`, or for a large part of its timeout.
    fn has_waited(&self, asked_at: Instant, long: Duration) -> bool {
        asked_at.elapsed() >= long.min(self.options.timeout / LATE_PART)
    }

    /// How long a request may take: until its timeout, or until the run's time for visits ends, if that comes first.
    fn time_for_a_request(&self) -> Duration {
        let left = self.options.retries.deadline.time_left();
        left.map_or(self.options.timeout, |left| left.min(self.options.timeout))
    }
}

/// The hint for an answer that is not JSON.
pub(super) const IN_BETWEEN: &str =
    "if this lasts, something on the way answers in the vendor's place: check the proxy and `--api-url`";

impl<'a> Metered<'a> {
    /// The current time.
    pub(super) fn now(self) -> Timestamp {
        self.http.now()
    }

    /// A count of attempts at one request, none made yet.
    pub(super) fn attempts(self) -> Attempts<'a> {
        Attempts::new(self.http.options.retries, self.usage)
    }

    /// Sends a request once its turn has come, and returns the answer if its HTTP status is a success. `secret` is kept out of
    /// errors.
    pub(super) async fn post(
        self,
        path: &str,
        headers: &[(&str, String)],
        body: String,
        secret: &SecretString,
    ) -> Result<Arriving> {
        let http = self.http;
        http.pace.wait().await;
        self.usage.request();
        let url = http
            .base
            .join(&format!("eventopenapi/{path}"))
            .explain(Kind::Usage, || "cannot make a URL".to_owned())?;
        let mut request = http.client.post(url).timeout(http.time_for_a_request()).body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.header("accept", "application/json").header("content-type", "application/json");
        let asked_at = Instant::now();
        let response = request.send().await.map_err(|error| http.transport(error, asked_at))?;
        let milliseconds = asked_at.elapsed().as_millis();
        tracing::debug!(path, status = response.status().as_u16(), %milliseconds, "answered");
        if response.status().is_success() {
            // Only a success is sure to come from the vendor, and to have its clock: a failure may come from something on the
            // way.
            if let Some(date) = date(&response) {
                self.usage.dated_clock(date.duration_since(http.now()));
            }
            return Ok(Arriving { response, asked_at });
        }
        let error = failure::status(response, http.now(), secret.expose_secret()).await;
        Err(http.reclassified(error, asked_at))
    }

    /// Like [`Self::post`], and reads the answer, which is not a report.
    pub(super) async fn ask(
        self,
        path: &str,
        headers: &[(&str, String)],
        body: String,
        secret: &SecretString,
    ) -> Result<Reply> {
        let Arriving { mut response, asked_at } = self.post(path, headers, body, secret).await?;
        let mut body = Vec::new();
        while let Some(chunk) = self.received(response.chunk().await, asked_at)? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_DOCUMENT {
                return Err(Error::new(Kind::TooLarge, "the answer is larger than a list can be"));
            }
        }
        let reply = Reply::read(&body).ok_or_else(|| {
            Error::new(Kind::BadAnswer, "the answer is not the JSON that the vendor documents")
                .hint(IN_BETWEEN)
        })?;
        if let Some(time) = reply.time() {
            self.usage.stated_clock(time.duration_since(self.now()));
        }
        if reply.code() != Some(SUCCESS) {
            return Err(self.reported(failure::of(&reply, secret.expose_secret()), asked_at));
        }
        Ok(reply)
    }

    /// The next part of an answer's body; `None` at the end. An error if the connection broke.
    pub(super) fn received(
        self,
        chunk: reqwest::Result<Option<Bytes>>,
        asked_at: Instant,
    ) -> Result<Option<Bytes>> {
        let chunk = chunk.map_err(|error| self.http.transport(error, asked_at))?;
        self.usage.received(chunk.as_ref().map_or(0, Bytes::len));
        Ok(chunk)
    }

    /// The error for a failure that the body of an answer shows.
    pub(super) fn reported(self, error: Error, asked_at: Instant) -> Error {
        self.http.reclassified(error, asked_at)
    }
}

/// When the server answered, by its own clock (RFC 9110, section 6.6.1).
fn date(response: &Response) -> Option<Timestamp> {
    let date = response.headers().get(DATE)?.to_str().ok()?;
    jiff::fmt::rfc2822::parse(date).ok().map(|date| date.timestamp())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::calendar::Deadline;

    /// A host at which nobody listens.
    pub(in crate::extract) fn unreachable(clock: Clock) -> Http {
        let options = HttpOptions {
            api_url: "http://127.0.0.1:9".to_owned(),
            timeout: Duration::from_mins(5),
            read_timeout: Duration::from_mins(2),
            requests_per_second: NonZeroU32::MAX,
            retries: RetryPolicy { first_pause: Duration::ZERO, deadline: Deadline::never() },
            clock,
        };
        Http::new(options).unwrap()
    }

    #[tokio::test]
    async fn a_transient_failure_counts_as_a_timeout_only_after_a_long_wait() {
        let http = unreachable(Clock::System);
        let status = |status: u16| Error::new(Kind::Unavailable, "it could not").with("status", status);
        let asks_for_a_pause = || status(503).retry_after(Some(Duration::from_secs(1)));
        for (error, seconds, kind) in [
            (Error::new(Kind::Timeout, "it took too long"), 1, Kind::Unavailable),
            (Error::new(Kind::Timeout, "it took too long"), 6, Kind::Timeout),
            (status(500), 1, Kind::Unavailable),
            (status(502), 29, Kind::Unavailable),
            (status(502), 31, Kind::Timeout),
            (status(200).with("code", 500), 31, Kind::Timeout),
            (status(429), 31, Kind::Unavailable),
            (Error::new(Kind::Broken, "it ends early"), 29, Kind::Broken),
            (Error::new(Kind::Broken, "it ends early"), 31, Kind::Timeout),
            (asks_for_a_pause(), 31, Kind::Unavailable),
            (Error::new(Kind::Refused, "no").with("status", 500), 31, Kind::Refused),
        ] {
            let asked_at = Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
            let said = format!("{error} {seconds}");
            assert_eq!(http.reclassified(error, asked_at).kind(), kind, "{said}");
        }
    }
}
