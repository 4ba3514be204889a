//! The vendor's envelope around every answer.

use axum::Json;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;

use crate::event::Event;
use crate::local::wall_clock;
use crate::query::Query;
use crate::quirks::Quirks;
use crate::report::quirky_report;

/// Why a call fails: the vendor's code and text. The HTTP status is 200 all the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure {
    pub(super) code: i64,
    pub(super) msg: &'static str,
}

impl Failure {
    /// The body, or a parameter that must be there, is missing or malformed.
    pub(super) const BAD_REQUEST: Self = Self { code: 400, msg: "Request parameter error!" };
    /// The four headers do not prove who is calling.
    pub(super) const BAD_SIGNATURE: Self = Self { code: 401, msg: "Failed to verify the CheckSum!" };
    /// The user is not the customer's.
    pub(super) const UNKNOWN_USER: Self = Self { code: 401, msg: "The user does not exist!" };
    /// There is no such event.
    pub(super) const UNKNOWN_EVENT: Self = Self { code: 404, msg: "event not exist" };
}

impl Failure {
    /// The token was never issued, or has ended. Which code the vendor sends then is not known.
    pub(super) fn bad_token(code: i64) -> Self {
        Self { code, msg: "The token is invalid!" }
    }
}

/// The answer to one call, still to be given.
pub(super) struct Reply {
    /// The number of the call.
    pub(super) number: u64,
    /// When it came in.
    pub(super) now: Timestamp,
    /// An id like the vendor's; unique.
    pub(super) request_id: String,
    /// Whether it does not state its time.
    pub(super) timeless: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    time_stamp: Option<i64>,
    request_id: &'a str,
    code: i64,
    msg: &'a str,
    data: Option<T>,
}

impl Reply {
    /// The reply to the call `number`, which came in at `now`.
    pub(super) fn new(number: u64, now: Timestamp, timeless: bool) -> Self {
        let at = wall_clock(now.as_second()).strftime("%Y%m%d_%H%M%S");
        let request_id = format!("172.10.85.69_{at}_{}{number:06}", now.as_millisecond());
        Self { number, now, request_id, timeless }
    }

    /// Success with this `data`.
    pub(super) fn success<T: Serialize>(&self, data: T) -> Response {
        self.envelope(200, "Successfully!", Some(data))
    }

    /// Failure, without data.
    pub(super) fn failure(&self, failure: Failure) -> Response {
        self.envelope(failure.code, failure.msg, None::<()>)
    }

    /// The report that `query` asks for, made while it is sent.
    pub(super) fn report(event: Event, query: Query, quirks: Quirks) -> Response {
        let chunks = stream::iter(quirky_report(event, query, quirks)).map(Ok::<_, std::convert::Infallible>);
        json(Body::from_stream(chunks))
    }

    fn envelope<T: Serialize>(&self, code: i64, msg: &str, data: Option<T>) -> Response {
        let time_stamp = (!self.timeless).then_some(self.now.as_millisecond());
        Json(Envelope { time_stamp, request_id: &self.request_id, code, msg, data }).into_response()
    }
}

/// A success in HTTP, with a body of JSON.
pub(super) fn json(body: Body) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
