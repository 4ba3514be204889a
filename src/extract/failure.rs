//! What a failed request means: whether the failure may pass, whose fault it is, what to do. The vendor publishes no table of
//! codes, so codes that follow HTTP are read as in HTTP, and any other is taken for a failure that may pass.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Response;
use reqwest::header::RETRY_AFTER;

use super::reply::{Reply, with_request_id};
use crate::error::{Error, Kind};
use crate::transform::person;

/// The longest part of the vendor's own text that goes into a message, in characters.
const LONGEST_TEXT: usize = 200;
/// What may stand between the digits of one number.
const BETWEEN_DIGITS: &str = " \t\r\n+-.()/_·";
/// If a refusal asks for a pause no longer than this, the vendor may only have been asked too often.
const SOON: Duration = Duration::from_mins(1);
/// A secret shorter than this, in bytes, is not one that the vendor issued.
const SHORT: usize = 8;
/// From this many digits on, a number in the vendor's text may be somebody's telephone number; event numbers have fewer.
const FEWEST_DIGITS: usize = 7;
/// How much of the body of a failure is read, in bytes.
const LARGEST_BODY: usize = 64 * 1024;
/// How long to wait for that body: the status alone already says most.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The error for a failure that the vendor reports in the envelope.
pub(super) fn from_envelope(
    code: Option<i64>,
    text: Option<&str>,
    request_id: Option<&str>,
    secret: &str,
) -> Error {
    // The vendor's text is quoted, but without the token, which it may repeat, and without what says whom it is about.
    let text = of_nobody(&without(text.unwrap_or_default(), secret));
    let text: String = text.chars().take(LONGEST_TEXT).collect();
    let error = match code {
        Some(code) => of_code(code).with("code", code),
        None => Error::new(Kind::BadAnswer, "the answer has no `code`"),
    };
    // A token for trials may be so short that any number contains it.
    let repeats = |request_id: &str| {
        if secret.len() < SHORT { request_id.to_owned() } else { without(request_id, secret) }
    };
    let request_id = request_id.map(repeats);
    with_request_id(error.with("msg", format!("`{text}`")), request_id.as_deref())
}

/// A text without the secret, which it may repeat in upper or lower case.
fn without(text: &str, secret: &str) -> String {
    let (lower, secret) = (text.to_ascii_lowercase(), secret.to_ascii_lowercase());
    let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
    for (found, _) in lower.match_indices(&secret).filter(|_| !secret.is_empty()) {
        shown += text.get(at..found).unwrap_or_default();
        shown += "…";
        at = found + secret.len();
    }
    shown + text.get(at..).unwrap_or_default()
}

/// A text without mail addresses, and without numbers that may be somebody's telephone number, however they are written.
fn of_nobody(text: &str) -> String {
    let plain = person::plain(text);
    let words = plain.split(' ').map(|word| if word.contains(person::AT) { "…" } else { word });
    let (words, mut shown) = (words.collect::<Vec<_>>().join(" "), String::with_capacity(text.len()));
    let mut rest = words.as_str();
    while let Some(begin) = rest.find(|sign: char| sign.is_ascii_digit() || "+(".contains(sign)) {
        let (before, from) = rest.split_at(begin);
        let end = from
            .find(|sign: char| !sign.is_ascii_digit() && !BETWEEN_DIGITS.contains(sign))
            .unwrap_or(from.len());
        let (number, after) = from.split_at(end);
        let kept = number.trim_end_matches(|sign: char| !sign.is_ascii_digit());
        let is_long = number.chars().filter(char::is_ascii_digit).count() >= FEWEST_DIGITS;
        shown.push_str(before);
        shown.push_str(if is_long { "…" } else { kept });
        shown.push_str(number.get(kept.len()..).unwrap_or_default());
        rest = after;
    }
    shown + rest
}

/// The error for a failure that the vendor reports in an answer that was read as a whole.
pub(super) fn of(reply: &Reply, secret: &str) -> Error {
    from_envelope(reply.code(), reply.message().as_deref(), reply.request_id().as_deref(), secret)
}

/// The error for a failure that HTTP reports by its status. What the vendor itself says in the body takes precedence: the page of
/// some gateway on the way does not speak for the vendor; least of all does its 404 mean that an event does not exist.
pub(super) async fn status(mut response: Response, now: Timestamp, secret: &str) -> Error {
    let status = response.status();
    let asked = response.headers().get(RETRY_AFTER).and_then(|asked| asked.to_str().ok());
    let asked = asked.and_then(|asked| pause(asked, now));
    let mut body = Vec::new();
    let read = async {
        while body.len() < LARGEST_BODY
            && let Ok(Some(chunk)) = response.chunk().await
        {
            body.extend_from_slice(&chunk);
        }
    };
    // What has arrived of the body by then may say enough.
    let _ = tokio::time::timeout(BODY_TIMEOUT, read).await;
    let error = match Reply::read(&body) {
        Some(sent) if sent.code().is_some() && !is_of_a_gateway(&sent) => of(&sent, secret),
        _ if status.is_redirection() => {
            Error::new(Kind::Refused, "the vendor's host redirects elsewhere").hint("check `--api-url`")
        }
        _ => match status.as_u16() {
            404 => Error::new(Kind::Unavailable, "there is no such page at the vendor's host")
                .hint("check `--api-url`"),
            400 | 403 | 405 | 407 | 511 => {
                Error::new(Kind::Unavailable, "something on the way to the vendor refuses the request")
                    .hint("check the proxy and `--api-url`")
            }
            408 => Error::new(Kind::Unavailable, "the vendor waited too long for the request"),
            504 => Error::new(Kind::Timeout, "a gateway on the way waited too long for the vendor"),
            code => of_code(code.into()),
        },
    };
    // A refusal that asks for a short pause is not final.
    let may_pass = error.kind() == Kind::Refused && asked.is_some_and(|pause| pause <= SOON);
    let error = if may_pass { error.taken_for(Kind::Unavailable) } else { error };
    error.with("status", status.as_u16()).retry_after(asked)
}

/// Whether something on the way knows no such page, and says so in JSON as well: the vendor's own answers have a `requestId`.
fn is_of_a_gateway(sent: &Reply) -> bool {
    sent.code() == Some(404) && sent.request_id().is_none()
}

/// Reads `Retry-After` of RFC 9110: seconds, or a date.
fn pause(asked: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = asked.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = jiff::fmt::rfc2822::parse(asked.trim()).ok()?.timestamp();
    Some(then.duration_since(now).try_into().unwrap_or_default())
}

/// Whether a server reports that it failed, without saying when to ask again: if it does so after a long wait, the request was
/// perhaps too much for it.
pub(super) fn is_of_server(error: &Error) -> bool {
    let says = |name| error.context(name).and_then(|code| code.parse().ok());
    let code: Option<i64> = says("code").or_else(|| says("status"));
    error.kind() == Kind::Unavailable
        && error.pause_asked().is_none()
        && code.is_some_and(|code| (500..600).contains(&code))
}

/// Whether the vendor reported the failure by a code that neither follows HTTP nor is documented.
pub(super) fn is_unexplained(error: &Error) -> bool {
    let code = error.context("code").and_then(|code| code.parse().ok());
    error.kind() == Kind::Unavailable && code.is_some_and(|code: i64| !(100..600).contains(&code))
}

/// Whether the vendor's code may mean that the token has ended, although it does not say so: no documentation tells which code
/// means that.
pub(super) fn may_mean_an_ended_token(error: &Error) -> bool {
    is_unexplained(error) || error.kind() == Kind::Refused && error.context("code").is_some()
}

fn of_code(code: i64) -> Error {
    match code {
        400 => Error::new(Kind::Refused, "the vendor does not understand the request"),
        401 => Error::new(Kind::Credentials, "the vendor does not accept the credentials")
            .hint("check the token"),
        403 => {
            Error::new(Kind::Refused, "the vendor does not allow this").hint("check the user's permissions")
        }
        404 => Error::new(Kind::UnknownEvent, "the vendor does not know this event").hint("check the number"),
        429 => Error::new(Kind::Unavailable, "the vendor is asked too often")
            .hint("lower `--requests-per-second`"),
        504 => Error::new(Kind::Timeout, "the vendor did not have the answer in time"),
        _ => Error::new(Kind::Unavailable, "the vendor could not answer").hint("try again later"),
    }
}

/// The error for a connection that could not be made, or that broke.
pub(super) fn transport(error: reqwest::Error, host: &str) -> Error {
    let (kind, message, hint) = if error.is_builder() {
        let what = "check `--app-key` and `--app-key-header`: a header cannot contain a line break";
        (Kind::Usage, "the request cannot be made".to_owned(), what)
    } else if error.is_connect() {
        (Kind::Unreachable, format!("cannot reach `{host}`"), "check `--api-url`, the network and the proxy")
    } else if error.is_timeout() {
        (
            Kind::Timeout,
            format!("no answer from `{host}` in time"),
            "raise `--timeout` or `--read-timeout`, or `--deadline` if there is one",
        )
    } else {
        (Kind::Broken, format!("the connection to `{host}` broke"), "try again later")
    };
    Error::new(kind, message).caused_by(error.without_url()).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_in_http_and_unknown_ones_count_as_transient() {
        for (code, kind) in [
            (400, Kind::Refused),
            (401, Kind::Credentials),
            (403, Kind::Refused),
            (404, Kind::UnknownEvent),
            (429, Kind::Unavailable),
            (500, Kind::Unavailable),
            (504, Kind::Timeout),
            (10_086, Kind::Unavailable),
        ] {
            assert_eq!(from_envelope(Some(code), None, None, "secret").kind(), kind, "{code}");
        }
        let without = from_envelope(None, None, Some("172.10_1"), "secret");
        assert_eq!(without.kind(), Kind::BadAnswer);
        assert!(without.to_string().contains("requestId: 172.10_1"), "{without}");
    }

    #[test]
    fn personal_data_in_the_vendors_message_is_not_repeated() {
        for (text, shown) in [
            ("用户 13900001111 无权限", "用户 … 无权限"),
            ("手机号13900001111不存在", "手机号…不存在"),
            ("手机号１３９００００１１１１不存在", "手机号…不存在"),
            ("user li.lei+x@example.com: no right", "user … no right"),
            ("+86-139-0000-1111", "…"),
            ("call 138 0000 1111 again", "call … again"),
            ("（138）00001111号", "…号"),
            ("手机号138－0000－1111不存在", "手机号…不存在"),
            ("138–0000–1111, 138\u{a0}0000\u{3000}1111", "…, …"),
            ("138\t0000\r\n1111", "…"),
            ("138/0000/1111 or 138_0000_1111", "… or …"),
            ("张三@example.com 不存在", "… 不存在"),
            ("error (5) in 3 parts (of 4)", "error (5) in 3 parts (of 4)"),
            ("no event 609768, code 10003", "no event 609768, code 10003"),
            ("", ""),
        ] {
            let error = from_envelope(Some(500), Some(text), None, "secret").to_string();
            assert!(error.contains(&format!("msg: `{shown}`")), "{error}");
        }
    }

    #[test]
    fn a_pause_may_be_asked_for_in_seconds_or_as_a_date() {
        let now = "2015-10-21T07:27:30Z".parse().unwrap();
        for (asked, seconds) in [
            ("7", Some(7)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(30)),
            ("Wed, 21 Oct 2015 07:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(pause(asked, now), seconds.map(Duration::from_secs), "{asked}");
        }
    }

    #[tokio::test]
    async fn a_refusal_with_a_short_retry_after_counts_as_unavailable() {
        for (code, asked, kind) in [
            (403, None, Kind::Refused),
            (403, Some("60"), Kind::Unavailable),
            (403, Some("61"), Kind::Refused),
            (400, Some("soon"), Kind::Refused),
            (401, Some("1"), Kind::Credentials),
        ] {
            let mut response = axum::http::Response::builder().status(403);
            if let Some(asked) = asked {
                response = response.header(RETRY_AFTER, asked);
            }
            let response = response.body(format!("{{\"code\": {code}}}")).unwrap();
            let error = status(response.into(), Timestamp::UNIX_EPOCH, "secret").await;
            assert_eq!(
                (error.kind(), error.is_transient()),
                (kind, kind == Kind::Unavailable),
                "{code} {asked:?}"
            );
        }
    }

    #[test]
    fn a_token_is_hidden_whatever_the_case_of_its_letters_and_also_within_a_request_id() {
        let error =
            from_envelope(Some(500), Some("bad 5D41C4ff"), Some("172_5d41c4ff_1"), "5d41C4FF").to_string();
        assert!(error.contains("`bad …`, requestId: 172_…_1"), "{error}");
    }

    #[test]
    fn an_error_names_the_request_id_but_never_the_token() {
        let error = from_envelope(Some(500), Some("bad token 5d41c4"), Some("172.10_1"), "5d41c4");
        assert_eq!(
            error.to_string(),
            "the vendor could not answer (code: 500, msg: `bad token …`, requestId: 172.10_1); hint: try again later"
        );
    }
}
