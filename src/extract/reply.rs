//! An answer that is read as a whole: any except a successful report.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::error::{Error, Kind, Result};
use crate::json::{escape, number};

/// The vendor's code for success.
pub(super) const SUCCESS: i64 = 200;
/// What may stand before JSON: a parser may skip it (RFC 8259, section 8.1).
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// No answer can be older than this, in seconds since 1970: the beginning of 2015. A smaller number comes, for example, from
/// seconds that are sent in place of milliseconds.
const EARLIEST: i64 = 1_420_070_400;
/// The longest `requestId` that is shown, in characters; those seen so far have 42.
const LONGEST_ID: usize = 200;

/// An answer; its numbers may be sent as text, and its texts as numbers. It cannot be printed, because it may hold a token.
#[derive(Deserialize)]
pub struct Reply {
    code: Option<Value>,
    msg: Option<Value>,
    #[serde(rename = "requestId")]
    request_id: Option<Value>,
    #[serde(rename = "timeStamp")]
    time_stamp: Option<Value>,
    /// The result, as sent; `null` if it is missing.
    #[serde(default = "nothing")]
    pub data: Box<RawValue>,
}

fn nothing() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}

impl Reply {
    /// Reads an answer; `None` if it is not what the vendor's documentation describes.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        Self::parse(str::from_utf8(body).ok()?).ok()
    }

    /// Like [`Self::read`], with the reason if it cannot be read.
    pub(super) fn parse(json: &str) -> serde_json::Result<Self> {
        serde_json::from_str(&escape::readable(json))
    }

    /// The vendor's code; 200 is success.
    pub(super) fn code(&self) -> Option<i64> {
        let code = text(self.code.as_ref())?;
        number::integral(code.trim())
    }

    /// When the vendor answered, by its own clock; `None` if it cannot have been at that time.
    pub(super) fn time(&self) -> Option<Timestamp> {
        let millis = text(self.time_stamp.as_ref())?.parse().ok()?;
        Timestamp::from_millisecond(millis).ok().filter(|time| time.as_second() >= EARLIEST)
    }

    /// The vendor's text for a failure.
    pub(super) fn message(&self) -> Option<String> {
        text(self.msg.as_ref())
    }

    /// The vendor's ID of the request.
    pub(super) fn request_id(&self) -> Option<String> {
        text(self.request_id.as_ref())
    }

    /// The fields of `data`. An error if it is not an object.
    pub(super) fn fields(&self) -> Result<Map<String, Value>> {
        serde_json::from_str(self.data.get())
            .map_err(|_| self.error(Kind::BadAnswer, "the answer's `data` is not an object"))
    }

    /// An error about this answer, with the vendor's ID of the request.
    pub(super) fn error(&self, kind: Kind, message: impl Into<String>) -> Error {
        with_request_id(Error::new(kind, message), self.request_id().as_deref())
    }
}

/// Adds the vendor's ID of the request to an error.
pub(super) fn with_request_id(error: Error, request_id: Option<&str>) -> Error {
    match request_id {
        Some(request_id) => error.with("requestId", request_id.chars().take(LONGEST_ID).collect::<String>()),
        None => error,
    }
}

/// The value of a text, or of a number as text; `None` for anything else.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    }
}
