//! What a failed request means: whether it may pass, whose fault it is, what to do. The vendor publishes no table of
//! codes, so those that follow HTTP are read as in HTTP, and every other is taken for one that may pass.

use reqwest::StatusCode;

use crate::error::{Error, Kind};

/// The longest part of the vendor's own text that goes into a message, in characters.
const LONGEST_TEXT: usize = 200;

/// A failure that the vendor tells in the envelope.
pub(super) fn told(code: Option<i64>, text: Option<&str>, request_id: Option<&str>, secret: &str) -> Error {
    let Some(code) = code else {
        return Error::new(Kind::BadAnswer, "the answer has no `code`");
    };
    let error = of_code(code);
    // The vendor's text is quoted, but never a token that it may repeat.
    let text: String = text.unwrap_or_default().replace(secret, "…").chars().take(LONGEST_TEXT).collect();
    let error = error.with("code", code).with("msg", format!("`{text}`"));
    match request_id {
        Some(request_id) => error.with("requestId", request_id),
        None => error,
    }
}

/// A failure that is told by the status of HTTP alone.
pub(super) fn status(status: StatusCode) -> Error {
    let error = if status.is_redirection() {
        Error::new(Kind::Refused, "the vendor's host redirects elsewhere").hint("check `--api-url`")
    } else {
        of_code(status.as_u16().into())
    };
    error.with("status", status.as_u16())
}

fn of_code(code: i64) -> Error {
    match code {
        400 => Error::new(Kind::Refused, "the vendor does not understand the request"),
        401 | 403 => Error::new(Kind::Credentials, "the vendor does not accept the credentials")
            .hint("check the token"),
        404 => Error::new(Kind::UnknownEvent, "the vendor does not know this event").hint("check the number"),
        _ => Error::new(Kind::Unavailable, "the vendor could not answer"),
    }
}

/// A connection that could not be made, or broke.
pub(super) fn transport(error: reqwest::Error, host: &str) -> Error {
    let kind = if error.is_timeout() { Kind::Timeout } else { Kind::Unreachable };
    let (message, hint) = if error.is_connect() {
        (format!("cannot reach `{host}`"), "check `--api-url`, the network and the proxy")
    } else if error.is_timeout() {
        (format!("no answer from `{host}` in time"), "raise `--timeout`")
    } else {
        (format!("the connection to `{host}` broke"), "try again later")
    };
    Error::new(kind, message).from_source(error.without_url()).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_in_http_and_unknown_ones_may_pass() {
        for (code, kind) in [
            (400, Kind::Refused),
            (401, Kind::Credentials),
            (403, Kind::Credentials),
            (404, Kind::UnknownEvent),
            (429, Kind::Unavailable),
            (500, Kind::Unavailable),
            (10_086, Kind::Unavailable),
        ] {
            assert_eq!(told(Some(code), None, None, "secret").kind(), kind, "{code}");
        }
        assert_eq!(told(None, None, None, "secret").kind(), Kind::BadAnswer);
    }

    #[test]
    fn the_request_id_is_named_and_a_token_never_is() {
        let error = told(Some(500), Some("bad token 5d41c4"), Some("172.10_1"), "5d41c4");
        assert_eq!(
            error.to_string(),
            "the vendor could not answer (code: 500, msg: `bad token …`, requestId: 172.10_1)"
        );
    }
}
