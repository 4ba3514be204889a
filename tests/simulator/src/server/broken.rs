//! Answers that never come, or are not as they should be.

use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, LOCATION, RETRY_AFTER};
use axum::response::{Html, IntoResponse, Response};

use super::damage;
use super::reply::{Failure, Reply, json};
use crate::fault::FaultKind;

/// The answer to a request that `fault` strikes; without the fault, it would be `answer`. `reply` makes the answers of failures.
pub(super) async fn broken(fault: &FaultKind, reply: &Reply, answer: impl FnOnce() -> Response) -> Response {
    // A body is made here, in memory or from a report, and neither fails.
    let whole = async || to_bytes(answer().into_body(), usize::MAX).await.unwrap_or_default();
    match fault {
        FaultKind::Status(status) => page(*status),
        FaultKind::Gateway(status) => {
            let body = serde_json::json!({ "code": status, "msg": "no route" }).to_string();
            (self::status(*status), json(body.into())).into_response()
        }
        FaultKind::RetryAfter(status, seconds) => {
            ([(RETRY_AFTER, seconds.to_string())], page(*status)).into_response()
        }
        FaultKind::Reset => json(Body::from_stream(damage::nothing())),
        FaultKind::Stall => json(Body::from_stream(damage::stalled(whole().await))),
        FaultKind::SlowDrip(pause) => json(Body::from_stream(damage::dripping(whole().await, *pause))),
        FaultKind::CutBody => json(Body::from_stream(damage::broken_off(&whole().await))),
        FaultKind::CutLength => {
            let body = whole().await;
            let length = [(CONTENT_LENGTH, body.len().to_string())];
            (length, json(Body::from_stream(damage::broken_off(&body)))).into_response()
        }
        FaultKind::CutClean => json(damage::half(&whole().await).into()),
        FaultKind::Junk => json(damage::with_junk(&whole().await).into()),
        FaultKind::NotUtf8 => json(damage::not_utf8(&whole().await).into()),
        FaultKind::OtherEvent => json(damage::of_another_event(&whole().await).into()),
        FaultKind::NullArray(names) => json(damage::without_arrays(&whole().await, names).into()),
        FaultKind::Html => page(200),
        FaultKind::Code(code) => reply.failure(Failure { code: *code, msg: "The service is busy!" }),
        FaultKind::Endless => {
            let body = whole().await;
            match damage::first_element(&body) {
                Some((until, element)) => json(Body::from_stream(damage::endless(until, &element))),
                None => json(Body::from_stream(damage::endless(body, SPACE))),
            }
        }
        FaultKind::EndlessSpace => json(Body::from_stream(damage::endless(whole().await, SPACE))),
        FaultKind::Redirect(url) => (StatusCode::FOUND, [(LOCATION, url.as_str())]).into_response(),
    }
}

/// What JSON allows after any value.
const SPACE: &[u8] = b" ";

/// What a proxy in front of the vendor says.
fn page(status: u16) -> Response {
    let status = self::status(status);
    let html = format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n");
    (status, Html(html)).into_response()
}

fn status(status: u16) -> StatusCode {
    // A fault that was read from a text has a valid status.
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
